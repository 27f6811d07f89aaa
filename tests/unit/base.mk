# Unit tests of src/base. Each program: name in check_PROGRAMS, its _SOURCES, _LDADD = $(UNIT_LDADD).
# Those with _LDFLAGS put their own functions in front of the system's.
# MEMORY counts what a program holds of memory.
MEMORY = tests/unit/memory.c tests/unit/memory.h
MEMORY_WRAP = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
check_PROGRAMS += \
	tests/unit/test-alloc \
	tests/unit/test-arena \
	tests/unit/test-buf \
	tests/unit/test-clock \
	tests/unit/test-error \
	tests/unit/test-fault \
	tests/unit/test-file \
	tests/unit/test-file-replace \
	tests/unit/test-json \
	tests/unit/test-lock \
	tests/unit/test-log \
	tests/unit/test-map \
	tests/unit/test-random \
	tests/unit/test-slots \
	tests/unit/test-stop \
	tests/unit/test-text \
	tests/unit/test-uidset

SCRATCH = tests/unit/scratch.c tests/unit/scratch.h

tests_unit_test_alloc_SOURCES = tests/unit/test-alloc.c
tests_unit_test_alloc_LDADD = $(UNIT_LDADD)
tests_unit_test_arena_SOURCES = tests/unit/test-arena.c
tests_unit_test_arena_LDADD = $(UNIT_LDADD)
tests_unit_test_buf_SOURCES = tests/unit/test-buf.c
tests_unit_test_buf_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=free
tests_unit_test_buf_LDADD = $(UNIT_LDADD)
tests_unit_test_clock_SOURCES = tests/unit/test-clock.c
tests_unit_test_clock_LDADD = $(UNIT_LDADD)
tests_unit_test_error_SOURCES = tests/unit/test-error.c
tests_unit_test_error_LDADD = $(UNIT_LDADD)
tests_unit_test_fault_SOURCES = tests/unit/test-fault.c $(SCRATCH)
tests_unit_test_fault_LDADD = $(UNIT_LDADD)
FILE_FIXTURE = tests/unit/file-fixture.c tests/unit/file-fixture.h $(SCRATCH)
FILE_FIXTURE_WRAPS = \
	-Wl,--wrap=write -Wl,--wrap=read -Wl,--wrap=pread -Wl,--wrap=fdatasync -Wl,--wrap=fsync \
	-Wl,--wrap=renameat -Wl,--wrap=renameat2 -Wl,--wrap=unlinkat -Wl,--wrap=flock
tests_unit_test_file_SOURCES = tests/unit/test-file.c $(FILE_FIXTURE)
tests_unit_test_file_LDFLAGS = $(AM_LDFLAGS) $(FILE_FIXTURE_WRAPS)
tests_unit_test_file_LDADD = $(UNIT_LDADD)
tests_unit_test_file_replace_SOURCES = tests/unit/test-file-replace.c $(FILE_FIXTURE)
tests_unit_test_file_replace_LDFLAGS = $(AM_LDFLAGS) $(FILE_FIXTURE_WRAPS)
tests_unit_test_file_replace_LDADD = $(UNIT_LDADD)
tests_unit_test_json_SOURCES = tests/unit/test-json.c
tests_unit_test_json_LDADD = $(UNIT_LDADD)
tests_unit_test_lock_SOURCES = tests/unit/test-lock.c $(SCRATCH)
tests_unit_test_lock_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=flock
tests_unit_test_lock_LDADD = $(UNIT_LDADD)
tests_unit_test_log_SOURCES = tests/unit/test-log.c
tests_unit_test_log_LDADD = $(UNIT_LDADD)
tests_unit_test_map_SOURCES = tests/unit/test-map.c
tests_unit_test_map_LDADD = $(UNIT_LDADD)
tests_unit_test_random_SOURCES = tests/unit/test-random.c
tests_unit_test_random_LDADD = $(UNIT_LDADD)
tests_unit_test_slots_SOURCES = tests/unit/test-slots.c
tests_unit_test_slots_LDADD = $(UNIT_LDADD)
tests_unit_test_stop_SOURCES = tests/unit/test-stop.c
tests_unit_test_stop_LDADD = $(UNIT_LDADD)
tests_unit_test_text_SOURCES = tests/unit/test-text.c
tests_unit_test_text_LDADD = $(UNIT_LDADD)
tests_unit_test_uidset_SOURCES = tests/unit/test-uidset.c
tests_unit_test_uidset_LDADD = $(UNIT_LDADD)
