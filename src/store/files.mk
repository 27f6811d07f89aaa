# Sources of src/store.
libevenmail_a_SOURCES += src/store/store.c src/store/store.h
libevenmail_a_SOURCES += \
	src/store/store-maildir.c src/store/store-maildir.h src/store/store-maildir-inner.h \
	src/store/store-maildir-scan.c src/store/store-maildir-fetch.c \
	src/store/store-maildir-cache.c src/store/store-maildir-draft.c
libevenmail_a_SOURCES += \
	src/store/store-imap.c src/store/store-imap.h src/store/store-imap-inner.h \
	src/store/store-imap-mailbox.c src/store/store-imap-uids.c src/store/store-imap-list.c \
	src/store/store-imap-scan.c src/store/store-imap-fetch.c src/store/store-imap-change.c \
	src/store/store-imap-append.c src/store/store-imap-create.c \
	src/store/store-imap-delete.c src/store/store-imap-rename.c \
	src/store/store-imap-status.c src/store/store-imap-subscribe.c \
	src/store/store-imap-trace.c src/store/store-imap-flag.c
libevenmail_a_SOURCES += \
	src/store/store-memory.c src/store/store-memory.h src/store/store-memory-inner.h \
	src/store/store-memory-look.c src/store/store-memory-change.c \
	src/store/store-memory-draft.c src/store/store-memory-mailbox.c \
	src/store/store-memory-side.c src/store/store-memory-user.c
