# Unit tests of src/journal. Each program: name in check_PROGRAMS, its _SOURCES, _LDADD = $(UNIT_LDADD).
check_PROGRAMS += tests/unit/test-journal tests/unit/test-journal-aside tests/unit/test-journal-carry \
	tests/unit/test-journal-commit tests/unit/test-journal-damage tests/unit/test-journal-dir \
	tests/unit/test-journal-escape tests/unit/test-journal-faults tests/unit/test-journal-record \
	tests/unit/test-journal-replay tests/unit/test-journal-rows
JOURNAL_FIXTURE = tests/unit/journal-fixture.c tests/unit/journal-fixture.h $(SCRATCH)
JOURNAL_WRAP = -Wl,--wrap=fdatasync,--wrap=fsync,--wrap=ftruncate,--wrap=write
tests_unit_test_journal_SOURCES = tests/unit/test-journal.c $(JOURNAL_FIXTURE)
tests_unit_test_journal_LDFLAGS = $(AM_LDFLAGS) $(JOURNAL_WRAP)
tests_unit_test_journal_LDADD = $(UNIT_LDADD)
tests_unit_test_journal_aside_SOURCES = tests/unit/test-journal-aside.c $(JOURNAL_FIXTURE)
tests_unit_test_journal_aside_LDFLAGS = $(AM_LDFLAGS) $(JOURNAL_WRAP)
tests_unit_test_journal_aside_LDADD = $(UNIT_LDADD)
tests_unit_test_journal_carry_SOURCES = tests/unit/test-journal-carry.c $(JOURNAL_FIXTURE)
tests_unit_test_journal_carry_LDFLAGS = $(AM_LDFLAGS) $(JOURNAL_WRAP) \
	-Wl,--wrap=renameat,--wrap=unlinkat
tests_unit_test_journal_carry_LDADD = $(UNIT_LDADD)
tests_unit_test_journal_commit_SOURCES = tests/unit/test-journal-commit.c $(JOURNAL_FIXTURE)
tests_unit_test_journal_commit_LDFLAGS = $(AM_LDFLAGS) $(JOURNAL_WRAP)
tests_unit_test_journal_commit_LDADD = $(UNIT_LDADD)
tests_unit_test_journal_damage_SOURCES = tests/unit/test-journal-damage.c tests/unit/figure.c tests/unit/figure.h \
	$(JOURNAL_FIXTURE)
tests_unit_test_journal_damage_LDFLAGS = $(AM_LDFLAGS) $(JOURNAL_WRAP)
tests_unit_test_journal_damage_LDADD = $(UNIT_LDADD)
tests_unit_test_journal_dir_SOURCES = tests/unit/test-journal-dir.c $(JOURNAL_FIXTURE)
tests_unit_test_journal_dir_LDFLAGS = $(AM_LDFLAGS) $(JOURNAL_WRAP) -Wl,--wrap=geteuid,--wrap=readdir
tests_unit_test_journal_dir_LDADD = $(UNIT_LDADD)
tests_unit_test_journal_escape_SOURCES = tests/unit/test-journal-escape.c
tests_unit_test_journal_escape_LDADD = $(UNIT_LDADD)
tests_unit_test_journal_faults_SOURCES = tests/unit/test-journal-faults.c $(SCRATCH)
tests_unit_test_journal_faults_LDADD = $(UNIT_LDADD)
tests_unit_test_journal_record_SOURCES = tests/unit/test-journal-record.c $(JOURNAL_FIXTURE)
tests_unit_test_journal_record_LDFLAGS = $(AM_LDFLAGS) $(JOURNAL_WRAP)
tests_unit_test_journal_record_LDADD = $(UNIT_LDADD)
tests_unit_test_journal_replay_SOURCES = tests/unit/test-journal-replay.c
tests_unit_test_journal_replay_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pread
tests_unit_test_journal_replay_LDADD = $(UNIT_LDADD)
tests_unit_test_journal_rows_SOURCES = tests/unit/test-journal-rows.c $(JOURNAL_FIXTURE)
tests_unit_test_journal_rows_LDFLAGS = $(AM_LDFLAGS) $(JOURNAL_WRAP) -Wl,--wrap=map_hash
tests_unit_test_journal_rows_LDADD = $(UNIT_LDADD)
