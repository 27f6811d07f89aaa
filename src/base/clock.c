// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

/* Milliseconds of the clock that nobody sets. */
int64_t clock_ms(void)
{
	struct timespec now;
	int rc = clock_gettime(CLOCK_MONOTONIC, &now);

	assert(rc == 0);
	(void)rc;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * The kernel stamps files by its last tick, or since Linux 6.13, where somebody asked for the time
 * of the file's last change, by the finer clock. That one would be ahead of a file written by the
 * coarse one after it was read, and a change would look older than it is; with this one it can only
 * look younger.
 */
int64_t clock_wall_ns(void)
{
	struct timespec now;
	int rc = clock_gettime(CLOCK_REALTIME_COARSE, &now);

	assert(rc == 0);
	(void)rc;
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Sleeps the whole time, whatever signals come. */
void clock_sleep_ms(unsigned ms)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += (long)(ms % 1000) * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR)
		;
}
