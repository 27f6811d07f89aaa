# The simulator: the whole engine on two sides in memory. The journal's system calls are wrapped.
check_PROGRAMS += tests/sim/sim
tests_sim_sim_SOURCES = tests/sim/sim.c tests/sim/chance.h \
	tests/sim/check.c tests/sim/check-journal.c tests/sim/engine.c tests/sim/history.c tests/sim/history.h \
	tests/sim/play.c tests/sim/regress.c tests/sim/regress.h \
	tests/sim/shrink.c tests/sim/shrink.h tests/sim/user.c \
	tests/sim/world.c tests/sim/world.h tests/unit/figure.c tests/unit/figure.h $(SCRATCH)
tests_sim_sim_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_sim_sim_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=write -Wl,--wrap=fdatasync -Wl,--wrap=fsync -Wl,--wrap=ftruncate \
	-Wl,--wrap=renameat -Wl,--wrap=unlinkat -Wl,--wrap=clock_sleep_ms
tests_sim_sim_LDADD = $(UNIT_LDADD)
