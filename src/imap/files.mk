# Sources of src/imap.
libevenmail_a_SOURCES += src/imap/command.c src/imap/command.h
libevenmail_a_SOURCES += src/imap/lex.c src/imap/lex.h
libevenmail_a_SOURCES += src/imap/fetch.c src/imap/fetch.h
libevenmail_a_SOURCES += src/imap/response.c src/imap/response.h
libevenmail_a_SOURCES += src/imap/response-mailbox.c src/imap/response-mailbox.h
libevenmail_a_SOURCES += src/imap/code.c src/imap/code.h
libevenmail_a_SOURCES += src/imap/parser.c src/imap/parser.h
libevenmail_a_SOURCES += src/imap/answer.h
libevenmail_a_SOURCES += src/imap/transport.c src/imap/transport.h src/imap/transport-inner.h \
	src/imap/transport-login.c src/imap/transport-error.c src/imap/dialogue.c src/imap/dialogue.h \
	src/imap/tunnel.c src/imap/tunnel.h src/imap/wirelog.c src/imap/wirelog.h \
	src/imap/session.c src/imap/session.h src/imap/session-inner.h src/imap/session-queue.c \
	src/imap/session-send.c src/imap/session-answer.c src/imap/session-capability.c \
	src/imap/session-compress.c src/imap/session-namespace.c src/imap/deflate.c src/imap/deflate.h \
	src/imap/quirks.c src/imap/quirks.h
