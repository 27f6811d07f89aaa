# Fuzzers: only where configured with --enable-fuzzers. tests/fuzz/run runs them.
FUZZERS = tests/fuzz/fuzz-config tests/fuzz/fuzz-deflate tests/fuzz/fuzz-journal tests/fuzz/fuzz-mail \
	tests/fuzz/fuzz-names tests/fuzz/fuzz-session tests/fuzz/fuzz-wire
if HAVE_FUZZERS
noinst_PROGRAMS = $(FUZZERS)
endif
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
FUZZ_LDADD = libevenmail.a $(DEPS_LIBS)
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz-config.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_config_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_config_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_deflate_SOURCES = tests/fuzz/fuzz-deflate.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_deflate_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_deflate_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_journal_SOURCES = tests/fuzz/fuzz-journal.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_journal_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_journal_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_mail_SOURCES = tests/fuzz/fuzz-mail.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_mail_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_mail_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_names_SOURCES = tests/fuzz/fuzz-names.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_names_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_names_LDADD = $(FUZZ_LDADD)
# transport.c stands in for the library's own: nothing of that one is linked.
tests_fuzz_fuzz_session_SOURCES = tests/fuzz/fuzz-session.c tests/fuzz/fuzz.h tests/fuzz/transport.c \
	tests/fuzz/transport.h $(SCRATCH)
tests_fuzz_fuzz_session_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_fuzz_fuzz_session_LDFLAGS = $(FUZZ_LINK) -Wl,--wrap=fdatasync,--wrap=fsync,--wrap=clock_sleep_ms
tests_fuzz_fuzz_session_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_wire_SOURCES = tests/fuzz/fuzz-wire.c tests/fuzz/fuzz.h tests/unit/parser-run.c \
	tests/unit/parser-run.h
tests_fuzz_fuzz_wire_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_wire_LDADD = $(UNIT_LDADD)
EXTRA_DIST += tests/fuzz/config.dict tests/fuzz/imap.dict tests/fuzz/journal.dict tests/fuzz/names.dict \
	tests/fuzz/run tests/fuzz/seeds
