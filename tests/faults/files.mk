# Stops and failing calls, at each of them in turn: the whole engine on a real tree and a server in
# memory, for builds that have fault points.
if FAULTS
check_PROGRAMS += tests/faults/faults
tests_faults_faults_SOURCES = tests/faults/faults.c tests/faults/content.c tests/faults/content.h tests/faults/drawn.c \
	tests/faults/locks.c tests/faults/locks.h \
	tests/faults/rig.c tests/faults/rig.h tests/faults/scenes.c tests/faults/scenes.h \
	tests/faults/trial.c tests/faults/trial.h tests/faults/user.c tests/unit/figure.c tests/unit/figure.h \
	$(SCRATCH)
tests_faults_faults_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit -I$(top_srcdir)/tests/sim
tests_faults_faults_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_sleep_ms -Wl,--wrap=getpid \
	-Wl,--wrap=pthread_mutex_lock -Wl,--wrap=pthread_mutex_unlock
tests_faults_faults_LDADD = $(UNIT_LDADD)
endif
