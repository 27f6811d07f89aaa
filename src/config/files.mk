# Sources of src/config.
