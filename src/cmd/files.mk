# Sources of src/cmd.
