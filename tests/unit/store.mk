# Unit tests of src/store. Each program: name in check_PROGRAMS, its _SOURCES, _LDADD = $(UNIT_LDADD).
check_PROGRAMS += tests/unit/test-store-imap
tests_unit_test_store_imap_SOURCES = tests/unit/test-store-imap.c tests/unit/store-imap-open.c \
	tests/unit/store-imap-open.h tests/unit/store-imap-say.c tests/unit/store-imap-say.h \
	tests/imapd/script.c tests/imapd/script.h tests/imapd/server.c
tests_unit_test_store_imap_LDADD = $(UNIT_LDADD)
EXTRA_DIST += \
	tests/imapd/store/append.imapd tests/imapd/store/append-beside.imapd \
	tests/imapd/store/append-limit.imapd \
	tests/imapd/store/broken.imapd \
	tests/imapd/store/copy.imapd \
	tests/imapd/store/copy-plain.imapd \
	tests/imapd/store/create.imapd \
	tests/imapd/store/create-use.imapd \
	tests/imapd/store/delete.imapd \
	tests/imapd/store/fetch-beside.imapd \
	tests/imapd/store/fetch-courier.imapd \
	tests/imapd/store/fetch-pieces.imapd \
	tests/imapd/store/fetch-refused.imapd \
	tests/imapd/store/fetch-uidvalidity.imapd \
	tests/imapd/store/fetch.imapd \
	tests/imapd/store/flag-keywords.imapd \
	tests/imapd/store/flag.imapd \
	tests/imapd/store/list-cyrus.imapd \
	tests/imapd/store/list-empty.imapd \
	tests/imapd/store/list-foreign.imapd \
	tests/imapd/store/list-gmail.imapd \
	tests/imapd/store/list-late.imapd \
	tests/imapd/store/list-noselect.imapd \
	tests/imapd/store/list-plain.imapd \
	tests/imapd/store/list-refused.imapd \
	tests/imapd/store/list-status.imapd \
	tests/imapd/store/list-subscribed.imapd \
	tests/imapd/store/list-lsub.imapd \
	tests/imapd/store/list-lsub-again.imapd \
	tests/imapd/store/move-copy.imapd \
	tests/imapd/store/move.imapd \
	tests/imapd/store/objectid.imapd \
	tests/imapd/store/multiappend.imapd \
	tests/imapd/store/multiappend-bad.imapd \
	tests/imapd/store/multiappend-bytes.imapd \
	tests/imapd/store/multiappend-cut.imapd \
	tests/imapd/store/multiappend-early.imapd \
	tests/imapd/store/multiappend-plain.imapd \
	tests/imapd/store/multiappend-refused.imapd \
	tests/imapd/store/multiappend-stored.imapd \
	tests/imapd/store/multiappend-thinned.imapd \
	tests/imapd/store/multiappend-uids.imapd \
	tests/imapd/store/multiappend-waits.imapd \
	tests/imapd/store/objectid-gmail.imapd \
	tests/imapd/store/objectid-refused.imapd \
	tests/imapd/store/read-only.imapd \
	tests/imapd/store/remove-plain.imapd \
	tests/imapd/store/remove-refused-again.imapd \
	tests/imapd/store/remove-refused-twice.imapd \
	tests/imapd/store/remove-refused.imapd \
	tests/imapd/store/remove-in-word.imapd \
	tests/imapd/store/remove-uidplus.imapd \
	tests/imapd/store/remove-wire.imapd \
	tests/imapd/store/rename.imapd \
	tests/imapd/store/rename-plain.imapd \
	tests/imapd/store/scan-bases.imapd \
	tests/imapd/store/scan-verify.imapd \
	tests/imapd/store/scan-closed.imapd \
	tests/imapd/store/scan-condstore.imapd \
	tests/imapd/store/scan-details.imapd \
	tests/imapd/store/scan-disorder.imapd \
	tests/imapd/store/scan-flags.imapd \
	tests/imapd/store/malformed.imapd tests/imapd/store/scan-moving.imapd \
	tests/imapd/store/scan-parallel.imapd \
	tests/imapd/store/scan-qresync-anew.imapd \
	tests/imapd/store/scan-qresync-live.imapd \
	tests/imapd/store/scan-qresync-refused.imapd \
	tests/imapd/store/scan-qresync.imapd \
	tests/imapd/store/scan-refused.imapd \
	tests/imapd/store/scan-search-wrong.imapd \
	tests/imapd/store/scan-short.imapd \
	tests/imapd/store/scan-sizes.imapd \
	tests/imapd/store/scan-strangers.imapd \
	tests/imapd/store/scan-vanished.imapd \
	tests/imapd/store/prepare.imapd \
	tests/imapd/store/status.imapd tests/imapd/store/status-at-once.imapd \
	tests/imapd/store/subscribe.imapd \
	tests/imapd/store/survey.imapd \
	tests/imapd/store/trace.imapd
check_PROGRAMS += tests/unit/test-store-memory
tests_unit_test_store_memory_SOURCES = tests/unit/test-store-memory.c
tests_unit_test_store_memory_LDADD = $(UNIT_LDADD)
