# Unit tests of src/cmd. Each program: name in check_PROGRAMS, its _SOURCES, _LDADD = $(UNIT_LDADD).
check_PROGRAMS += \
	tests/unit/test-exit-status \
	tests/unit/test-explain \
	tests/unit/test-hooks \
	tests/unit/test-keeper \
	tests/unit/test-options \
	tests/unit/test-report \
	tests/unit/test-report-manual \
	tests/unit/test-report-progress \
	tests/unit/test-report-ways \
	tests/unit/test-target

tests_unit_test_exit_status_SOURCES = tests/unit/test-exit-status.c
tests_unit_test_exit_status_LDADD = $(UNIT_LDADD)
tests_unit_test_explain_SOURCES = tests/unit/test-explain.c tests/unit/capture.c tests/unit/capture.h \
	$(JOURNAL_FIXTURE)
tests_unit_test_explain_LDADD = $(UNIT_LDADD)
tests_unit_test_explain_LDFLAGS = $(AM_LDFLAGS) $(JOURNAL_WRAP)
tests_unit_test_hooks_SOURCES = tests/unit/test-hooks.c
tests_unit_test_hooks_LDADD = $(UNIT_LDADD)
tests_unit_test_keeper_SOURCES = tests/unit/test-keeper.c
tests_unit_test_keeper_LDADD = $(UNIT_LDADD)
tests_unit_test_options_SOURCES = tests/unit/test-options.c
tests_unit_test_options_LDADD = $(UNIT_LDADD)
tests_unit_test_report_SOURCES = tests/unit/test-report.c tests/unit/capture.c tests/unit/capture.h
tests_unit_test_report_LDADD = $(UNIT_LDADD)
tests_unit_test_report_manual_SOURCES = tests/unit/test-report-manual.c $(CONFIG_FILE)
tests_unit_test_report_manual_LDADD = $(UNIT_LDADD)
tests_unit_test_report_progress_SOURCES = tests/unit/test-report-progress.c
tests_unit_test_report_progress_LDADD = $(UNIT_LDADD)
tests_unit_test_report_ways_SOURCES = tests/unit/test-report-ways.c
tests_unit_test_report_ways_LDADD = $(UNIT_LDADD)
tests_unit_test_target_SOURCES = tests/unit/test-target.c $(CONFIG_FILE)
tests_unit_test_target_LDADD = $(UNIT_LDADD)
