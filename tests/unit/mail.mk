# Unit tests of src/mail. Each program: name in check_PROGRAMS, its _SOURCES, _LDADD = $(UNIT_LDADD).
check_PROGRAMS += \
	tests/unit/test-date \
	tests/unit/test-digest \
	tests/unit/test-eol \
	tests/unit/test-flags \
	tests/unit/test-header \
	tests/unit/test-keywords \
	tests/unit/test-mailbox-name \
	tests/unit/test-mailbox-name-random \
	tests/unit/test-name-map \
	tests/unit/test-pattern \
	tests/unit/test-utf7

tests_unit_test_date_SOURCES = tests/unit/test-date.c
tests_unit_test_date_LDADD = $(UNIT_LDADD)
tests_unit_test_digest_SOURCES = tests/unit/test-digest.c
tests_unit_test_digest_LDADD = $(UNIT_LDADD)
tests_unit_test_eol_SOURCES = tests/unit/test-eol.c
tests_unit_test_eol_LDADD = $(UNIT_LDADD)
tests_unit_test_flags_SOURCES = tests/unit/test-flags.c
tests_unit_test_flags_LDADD = $(UNIT_LDADD)
tests_unit_test_header_SOURCES = tests/unit/test-header.c
tests_unit_test_header_LDADD = $(UNIT_LDADD)
tests_unit_test_keywords_SOURCES = tests/unit/test-keywords.c
tests_unit_test_keywords_LDADD = $(UNIT_LDADD)
tests_unit_test_mailbox_name_SOURCES = tests/unit/test-mailbox-name.c
tests_unit_test_mailbox_name_LDADD = $(UNIT_LDADD)
tests_unit_test_mailbox_name_random_SOURCES = tests/unit/test-mailbox-name-random.c
tests_unit_test_mailbox_name_random_LDADD = $(UNIT_LDADD)
tests_unit_test_name_map_SOURCES = tests/unit/test-name-map.c
tests_unit_test_name_map_LDADD = $(UNIT_LDADD)
tests_unit_test_pattern_SOURCES = tests/unit/test-pattern.c
tests_unit_test_pattern_LDADD = $(UNIT_LDADD)
tests_unit_test_utf7_SOURCES = tests/unit/test-utf7.c
tests_unit_test_utf7_LDADD = $(UNIT_LDADD)
