// SPDX-License-Identifier: GPL-3.0-or-later
/* Stopping: each case in a process of its own, for signals change all of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child a failed check cannot be told by cmocka: it exits with the line. */
#define check(condition) ((condition) ? (void)0 : _exit(__LINE__ % 251 + 1))

/* Runs a case in a child; 0 where it ended by itself and well, the signal where one killed it. */
static int run(void (*function)(int), int number)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		alarm(120); /* rather that than a test that hangs */
		function(number);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	assert_int_equal(WEXITSTATUS(status), 0);
	return 0;
}

static bool readable(int fd)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};

	return poll(&poller, 1, 0) == 1 && (poller.revents & POLLIN) != 0;
}

static void ask_once(int number)
{
	struct error err = {0};
	int fd;

	check(stop_fd() == -1);
	check(!stop_requested());
	check(stop_check(&err) == 0);
	check(stop_install(&err) == 0);
	fd = stop_fd();
	check(fd >= 0 && !readable(fd));
	check(stop_install(&err) == 0); /* once is enough */
	check(stop_fd() == fd);
	check(!stop_requested() && stop_check(&err) == 0 && err.kind == ERROR_NONE);
	errno = EBUSY;
	raise(number);
	check(errno == EBUSY);
	check(stop_requested());
	check(readable(fd));
	check(stop_check(&err) == -1);
	check(err.kind == ERROR_STOPPED && err.scope == SCOPE_FATAL && err.text[0] != '\0');
	check(stop_check(NULL) == -1);
	check(readable(fd)); /* asking does not take it away */
}

static void ask_twice(int number)
{
	check(stop_install(NULL) == 0);
	raise(SIGTERM);
	check(stop_requested());
	raise(number);
}

static void ignored_stays_ignored(int number)
{
	signal(number, SIG_IGN);
	check(stop_install(NULL) == 0);
	raise(number);
	raise(number);
	check(!stop_requested());
	raise(number == SIGTERM ? SIGINT : SIGTERM); /* the others are heard */
	check(stop_requested());
}

static void write_to_nobody(int number)
{
	int fds[2];

	check(pipe(fds) == 0);
	check(stop_install(NULL) == 0);
	close(fds[0]);
	check(write(fds[1], "x", 1) == -1 && errno == EPIPE);
	(void)number;
}

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

static void first_signal_asks(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(run(ask_once, numbers[i]), 0);
}

static void second_signal_kills(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(run(ask_twice, numbers[i]), numbers[i]);
}

static void nohup_is_respected(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(run(ignored_stays_ignored, numbers[i]), 0);
}

static void sigpipe_is_ignored(void **state)
{
	(void)state;
	assert_int_equal(run(write_to_nobody, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_signal_asks),
	    cmocka_unit_test(second_signal_kills),
	    cmocka_unit_test(nohup_is_respected),
	    cmocka_unit_test(sigpipe_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
