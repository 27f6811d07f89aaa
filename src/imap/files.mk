# Sources of src/imap.
libevenmail_a_SOURCES += src/imap/command.c src/imap/command.h
libevenmail_a_SOURCES += src/imap/lex.c src/imap/lex.h
libevenmail_a_SOURCES += src/imap/fetch.c src/imap/fetch.h
libevenmail_a_SOURCES += src/imap/response.c src/imap/response.h
libevenmail_a_SOURCES += src/imap/code.c src/imap/code.h
libevenmail_a_SOURCES += src/imap/parser.c src/imap/parser.h
libevenmail_a_SOURCES += src/imap/answer.h
