# Sources of src/journal.
