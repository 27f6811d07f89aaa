# Sources of src/store.
libevenmail_a_SOURCES += src/store/store.c src/store/store.h
libevenmail_a_SOURCES += \
	src/store/store-maildir.c src/store/store-maildir.h src/store/store-maildir-inner.h \
	src/store/store-maildir-cache.c src/store/store-maildir-draft.c
