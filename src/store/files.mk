# Sources of src/store.
libevenmail_a_SOURCES += src/store/store.c src/store/store.h
