// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

/* A signal handler has no other way to be told where to write to. */
static atomic_int stop_signals;
static int stop_pipe[2] = {-1, -1};

/*
 * Asks the first time. The second time the signal gets back what it does by default and is raised
 * again: it strikes as the handler returns, and the parent sees which signal it was.
 */
static void stop_handle(int number)
{
	int saved = errno;

	if (atomic_fetch_add(&stop_signals, 1) > 0) {
		signal(number, SIG_DFL);
		raise(number);
	} else if (write(stop_pipe[1], "", 1) < 0) {
		/* Cannot be: the pipe is empty. The flag is set all the same. */
	}
	errno = saved;
}

/* Takes over one signal, unless whoever started us had it ignored (nohup). */
static int stop_catch(int number)
{
	struct sigaction action = {.sa_handler = stop_handle, .sa_flags = SA_RESTART};
	struct sigaction old;

	if (sigaction(number, NULL, &old) < 0)
		return -1;
	if (old.sa_handler == SIG_IGN)
		return 0;
	sigfillset(&action.sa_mask);
	return sigaction(number, &action, NULL);
}

/* Makes the pipe, then the handlers that write to it; a second call does nothing. */
int stop_install(struct error *err)
{
	if (stop_pipe[0] != -1)
		return 0;
	if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_errno(err, SCOPE_FATAL, "cannot make a pipe for signals");
	if (stop_catch(SIGINT) < 0 || stop_catch(SIGTERM) < 0 || stop_catch(SIGHUP) < 0 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return error_errno(err, SCOPE_FATAL, "cannot handle signals");
	return 0;
}

/* True once a signal came. */
bool stop_requested(void)
{
	return atomic_load(&stop_signals) > 0;
}

/* The reading end of the pipe; nobody reads it, so it stays readable. */
int stop_fd(void)
{
	return stop_pipe[0];
}

/* Makes an error of the request. */
int stop_check(struct error *err)
{
	if (!stop_requested())
		return 0;
	return error_set(err, ERROR_STOPPED, SCOPE_FATAL, "stopped by a signal");
}
