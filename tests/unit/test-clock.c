// SPDX-License-Identifier: GPL-3.0-or-later
/* The clocks against each other and against the stamps of files. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/clock.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void sleeping_takes_its_time(void **state)
{
	(void)state;
	for (unsigned ms = 0; ms <= 60; ms += 20) {
		int64_t before = clock_ms();
		int64_t wall = clock_wall_ns();

		clock_sleep_ms(ms);
		assert_true(clock_ms() - before >= ms);
		assert_true(clock_ms() - before < ms + 5000); /* milliseconds, not others */
		/* one tick less may be seen of it */
		assert_true(clock_wall_ns() - wall >= (int64_t)ms * 1000000 - 11000000);
	}
}

static volatile sig_atomic_t alarms;

static void count_alarm(int number)
{
	(void)number;
	alarms++;
}

static void signals_do_not_wake(void **state)
{
	struct sigaction action = {.sa_handler = count_alarm};
	const struct itimerval often = {{0, 10000}, {0, 10000}};
	const struct itimerval never = {{0, 0}, {0, 0}};
	int64_t before = clock_ms();

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	clock_sleep_ms(150);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_true(clock_ms() - before >= 150);
	assert_true(alarms >= 2);
}

static void never_goes_back(void **state)
{
	int64_t last = clock_ms();

	(void)state;
	for (int i = 0; i < 100000; i++) {
		int64_t now = clock_ms();

		assert_true(now >= last);
		last = now;
	}
}

/* What is written after the clock was read is not stamped as older: scans rely on it. */
static void files_are_stamped_no_earlier(void **state)
{
	char name[] = "/tmp/evenmail-clock-XXXXXX";
	int fd = mkostemp(name, O_CLOEXEC);
	struct stat st;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(unlink(name), 0);
	for (int i = 0; i < 2000; i++) {
		int64_t before = clock_wall_ns();

		assert_int_equal(pwrite(fd, "x", 1, 0), 1);
		assert_int_equal(fstat(fd, &st), 0);
		assert_true((int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec >= before);
	}
	close(fd);
}

static void wall_clock_is_of_the_epoch(void **state)
{
	int64_t seconds = clock_wall_ns() / 1000000000;

	(void)state;
	assert_true(seconds >= time(NULL) - 2 && seconds <= time(NULL) + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sleeping_takes_its_time),
	    cmocka_unit_test(signals_do_not_wake),
	    cmocka_unit_test(never_goes_back),
	    cmocka_unit_test(files_are_stamped_no_earlier),
	    cmocka_unit_test(wall_clock_is_of_the_epoch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
