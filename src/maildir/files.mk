# Sources of src/maildir.
libevenmail_a_SOURCES += \
	src/maildir/change.c \
	src/maildir/content.c src/maildir/content.h \
	src/maildir/deliver.c src/maildir/deliver-copy.c src/maildir/deliver-write.c \
	src/maildir/deliver-inner.h src/maildir/deliver.h \
	src/maildir/dirents.c src/maildir/dirents.h \
	src/maildir/dotlock.c src/maildir/dotlock.h \
	src/maildir/encode.c src/maildir/encode.h \
	src/maildir/generation.c \
	src/maildir/glance.c src/maildir/glance.h \
	src/maildir/keep.c src/maildir/keep.h \
	src/maildir/keywords.c src/maildir/keywords.h \
	src/maildir/list.c \
	src/maildir/litter.c src/maildir/litter.h \
	src/maildir/mailbox.c src/maildir/mailbox.h \
	src/maildir/message.c src/maildir/message.h \
	src/maildir/name.c src/maildir/name.h \
	src/maildir/rename.c \
	src/maildir/scan.c src/maildir/scan.h \
	src/maildir/tree.c src/maildir/tree-inner.h src/maildir/tree.h \
	src/maildir/watch.c src/maildir/watch.h
