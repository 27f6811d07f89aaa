# Sources of src/imap.
libevenmail_a_SOURCES += src/imap/command.c src/imap/command.h
