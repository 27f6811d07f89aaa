# Sources of src/base.
