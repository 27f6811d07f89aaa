# Unit tests of src/base. Each program: name in check_PROGRAMS, its _SOURCES, _LDADD = $(UNIT_LDADD).
# Those with _LDFLAGS put their own function in front of the system's.
check_PROGRAMS += \
	tests/unit/test-buf \
	tests/unit/test-map \
	tests/unit/test-text \
	tests/unit/test-uidset

tests_unit_test_buf_SOURCES = tests/unit/test-buf.c
tests_unit_test_buf_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=free
tests_unit_test_buf_LDADD = $(UNIT_LDADD)
tests_unit_test_map_SOURCES = tests/unit/test-map.c
tests_unit_test_map_LDADD = $(UNIT_LDADD)
tests_unit_test_text_SOURCES = tests/unit/test-text.c
tests_unit_test_text_LDADD = $(UNIT_LDADD)
tests_unit_test_uidset_SOURCES = tests/unit/test-uidset.c
tests_unit_test_uidset_LDADD = $(UNIT_LDADD)
