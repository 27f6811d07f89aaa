// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/fault.h"

#ifdef EVENMAIL_FAULTS

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Counts over all threads: the n-th point is one point, whoever passes it. */
static atomic_ullong fault_passed;
static unsigned long long fault_stop_at;

/* Tells the test how many points there were. */
static void fault_write_count(void)
{
	const char *path = getenv("EVENMAIL_STOP_COUNT");
	FILE *file = fopen(path, "we");

	if (file == NULL || fprintf(file, "%llu\n", atomic_load(&fault_passed)) < 0 ||
	    fclose(file) != 0) {
		perror(path);
		_exit(70);
	}
}

/* Reads the environment before main(), so that a run that passes no point writes its 0 as well. */
__attribute__((constructor)) static void fault_start(void)
{
	const char *stop_at = getenv("EVENMAIL_STOP_AT");

	if (stop_at != NULL)
		fault_stop_at = strtoull(stop_at, NULL, 10);
	if (getenv("EVENMAIL_STOP_COUNT") != NULL)
		atexit(fault_write_count);
}

/* Read where it is needed: by the main thread, as all of the environment. */
uint64_t fault_bound(const char *name, uint64_t bound)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : bound;
}

/* Passes a point, or ends here; the name tells the test's reader where that was. */
void fault_point(const char *name)
{
	if (atomic_fetch_add(&fault_passed, 1) + 1 != fault_stop_at)
		return;
	fprintf(stderr, "evenmail: stopped at point %llu: %s\n", fault_stop_at, name);
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

#endif
