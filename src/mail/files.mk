# Sources of src/mail.
