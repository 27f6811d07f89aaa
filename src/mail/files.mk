# Sources of src/mail.
libevenmail_a_SOURCES += \
	src/mail/ascii.h \
	src/mail/date.c src/mail/date.h \
	src/mail/digest.c src/mail/digest.h \
	src/mail/eol.c src/mail/eol.h \
	src/mail/flags.c src/mail/flags.h \
	src/mail/header.c src/mail/header.h \
	src/mail/identity.h \
	src/mail/keywords.c src/mail/keywords.h \
	src/mail/mailbox-name.c src/mail/mailbox-name.h \
	src/mail/name-map.c src/mail/name-map.h \
	src/mail/pattern.c src/mail/pattern.h \
	src/mail/policy.h \
	src/mail/side.h \
	src/mail/special-use.c src/mail/special-use.h \
	src/mail/utf7.c src/mail/utf7.h
