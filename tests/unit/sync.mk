# Unit tests of src/sync. Each program: name in check_PROGRAMS, its _SOURCES, _LDADD = $(UNIT_LDADD).
check_PROGRAMS += tests/unit/test-planner tests/unit/test-planner-properties

tests_unit_test_planner_SOURCES = tests/unit/test-planner.c \
	tests/unit/planner-case.c tests/unit/planner-case.h \
	tests/unit/planner-run.c tests/unit/planner-run.h
tests_unit_test_planner_LDADD = $(UNIT_LDADD)
EXTRA_DIST += tests/planner/deletions.case tests/planner/flags.case \
	tests/planner/flags-permanent.case tests/planner/flags-policy.case \
	tests/planner/flags-single.case tests/planner/new.case tests/planner/pairs.case
tests_unit_test_planner_properties_SOURCES = tests/unit/test-planner-properties.c \
	tests/unit/planner-case.c tests/unit/planner-case.h \
	tests/unit/planner-run.c tests/unit/planner-run.h
tests_unit_test_planner_properties_LDADD = $(UNIT_LDADD)
