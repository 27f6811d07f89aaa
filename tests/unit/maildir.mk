# Unit tests of src/maildir. Each program: name in check_PROGRAMS, its _SOURCES, _LDADD = $(UNIT_LDADD).
check_PROGRAMS += \
	tests/unit/test-maildir-deliver \
	tests/unit/test-maildir-keywords \
	tests/unit/test-maildir-link \
	tests/unit/test-maildir-litter \
	tests/unit/test-maildir-message \
	tests/unit/test-maildir-name \
	tests/unit/test-maildir-rename \
	tests/unit/test-maildir-scan \
	tests/unit/test-maildir-watch \
	tests/unit/test-maildir-tree \
	tests/unit/test-store-maildir \
	tests/unit/test-store-maildir-draft
tests_unit_test_maildir_deliver_SOURCES = tests/unit/test-maildir-deliver.c tests/unit/maildir-fixture.h
tests_unit_test_maildir_deliver_LDADD = $(UNIT_LDADD)
tests_unit_test_maildir_keywords_SOURCES = tests/unit/test-maildir-keywords.c tests/unit/maildir-fixture.h
tests_unit_test_maildir_keywords_LDADD = $(UNIT_LDADD)
tests_unit_test_maildir_link_SOURCES = tests/unit/test-maildir-link.c tests/unit/maildir-fixture.h
tests_unit_test_maildir_link_LDADD = $(UNIT_LDADD)
tests_unit_test_maildir_litter_SOURCES = tests/unit/test-maildir-litter.c tests/unit/maildir-fixture.h
tests_unit_test_maildir_litter_LDADD = $(UNIT_LDADD)
tests_unit_test_maildir_message_SOURCES = tests/unit/test-maildir-message.c tests/unit/maildir-fixture.h
tests_unit_test_maildir_message_LDADD = $(UNIT_LDADD)
tests_unit_test_maildir_name_SOURCES = tests/unit/test-maildir-name.c
tests_unit_test_maildir_name_LDADD = $(UNIT_LDADD)
tests_unit_test_maildir_rename_SOURCES = tests/unit/test-maildir-rename.c tests/unit/maildir-fixture.h
tests_unit_test_maildir_rename_LDADD = $(UNIT_LDADD)
tests_unit_test_maildir_scan_SOURCES = tests/unit/test-maildir-scan.c tests/unit/maildir-fixture.h $(MEMORY)
tests_unit_test_maildir_scan_LDFLAGS = $(AM_LDFLAGS) $(MEMORY_WRAP)
tests_unit_test_maildir_scan_LDADD = $(UNIT_LDADD)
tests_unit_test_maildir_watch_SOURCES = tests/unit/test-maildir-watch.c tests/unit/maildir-fixture.h
tests_unit_test_maildir_watch_LDADD = $(UNIT_LDADD)
tests_unit_test_maildir_tree_SOURCES = tests/unit/test-maildir-tree.c tests/unit/maildir-fixture.h
tests_unit_test_maildir_tree_LDADD = $(UNIT_LDADD)
tests_unit_test_store_maildir_SOURCES = tests/unit/test-store-maildir.c tests/unit/store-maildir-ask.h \
	tests/unit/maildir-fixture.h
tests_unit_test_store_maildir_LDADD = $(UNIT_LDADD)
tests_unit_test_store_maildir_draft_SOURCES = tests/unit/test-store-maildir-draft.c \
	tests/unit/store-maildir-ask.h tests/unit/maildir-fixture.h
tests_unit_test_store_maildir_draft_LDADD = $(UNIT_LDADD)
