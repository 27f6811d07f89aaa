# Sources of src/maildir.
