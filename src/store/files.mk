# Sources of src/store.
