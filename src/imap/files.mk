# Sources of src/imap.
