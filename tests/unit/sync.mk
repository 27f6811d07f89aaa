# Unit tests of src/sync. Each program: name in check_PROGRAMS, its _SOURCES, _LDADD = $(UNIT_LDADD).
check_PROGRAMS += tests/unit/test-planner tests/unit/test-planner-properties \
	tests/unit/test-planner-mailbox tests/unit/test-planner-any tests/unit/test-planner-moves tests/unit/test-planner-rename \
	tests/unit/test-plan tests/unit/test-guard \
	tests/unit/test-batch tests/unit/test-share tests/unit/test-match tests/unit/test-own \
	tests/unit/test-snapshot tests/unit/test-memory tests/unit/test-planner-letters

tests_unit_test_planner_letters_SOURCES = tests/unit/test-planner-letters.c
tests_unit_test_planner_letters_LDADD = $(UNIT_LDADD)

tests_unit_test_planner_SOURCES = tests/unit/test-planner.c \
	tests/unit/planner-case.c tests/unit/planner-case.h \
	tests/unit/planner-run.c tests/unit/planner-run.h
tests_unit_test_planner_LDADD = $(UNIT_LDADD)
EXTRA_DIST += tests/planner/copies.case tests/planner/deletions.case tests/planner/flags.case \
	tests/planner/keywords.case \
	tests/planner/flags-permanent.case tests/planner/flags-policy.case \
	tests/planner/flags-single.case tests/planner/mailboxes.case tests/planner/follow.case tests/planner/moves.case \
	tests/planner/new.case tests/planner/pairs.case
tests_unit_test_planner_properties_SOURCES = tests/unit/test-planner-properties.c \
	tests/unit/planner-case.c tests/unit/planner-case.h \
	tests/unit/planner-run.c tests/unit/planner-run.h
tests_unit_test_planner_properties_LDADD = $(UNIT_LDADD)
tests_unit_test_planner_mailbox_SOURCES = tests/unit/test-planner-mailbox.c
tests_unit_test_planner_mailbox_LDADD = $(UNIT_LDADD)
tests_unit_test_planner_moves_SOURCES = tests/unit/test-planner-moves.c \
	tests/unit/planner-case.c tests/unit/planner-case.h \
	tests/unit/planner-run.c tests/unit/planner-run.h
tests_unit_test_planner_moves_LDADD = $(UNIT_LDADD)
tests_unit_test_planner_rename_SOURCES = tests/unit/test-planner-rename.c \
	tests/unit/planner-case.c tests/unit/planner-case.h \
	tests/unit/planner-run.c tests/unit/planner-run.h
tests_unit_test_planner_rename_LDADD = $(UNIT_LDADD)
tests_unit_test_planner_any_SOURCES = tests/unit/test-planner-any.c \
	tests/unit/planner-case.c tests/unit/planner-case.h \
	tests/unit/planner-run.c tests/unit/planner-run.h
tests_unit_test_planner_any_LDADD = $(UNIT_LDADD)
tests_unit_test_own_SOURCES = tests/unit/test-own.c
tests_unit_test_own_LDADD = $(UNIT_LDADD)
tests_unit_test_plan_SOURCES = tests/unit/test-plan.c
tests_unit_test_plan_LDADD = $(UNIT_LDADD)
tests_unit_test_guard_SOURCES = tests/unit/test-guard.c
tests_unit_test_guard_LDADD = $(UNIT_LDADD)
tests_unit_test_guard_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/sim
tests_unit_test_share_SOURCES = tests/unit/test-share.c
tests_unit_test_share_LDADD = $(UNIT_LDADD)
tests_unit_test_batch_SOURCES = tests/unit/test-batch.c
tests_unit_test_batch_LDADD = $(UNIT_LDADD)
tests_unit_test_match_SOURCES = tests/unit/test-match.c
tests_unit_test_match_LDADD = $(UNIT_LDADD)
tests_unit_test_snapshot_SOURCES = tests/unit/test-snapshot.c
tests_unit_test_snapshot_LDADD = $(UNIT_LDADD)
tests_unit_test_memory_SOURCES = tests/unit/test-memory.c tests/unit/maildir-fixture.h $(MEMORY)
tests_unit_test_memory_LDFLAGS = $(AM_LDFLAGS) $(MEMORY_WRAP)
tests_unit_test_memory_LDADD = $(UNIT_LDADD)
