# Sources of src/run.
libevenmail_a_SOURCES += src/run/account.c src/run/account.h
