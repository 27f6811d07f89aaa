// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/shell.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHELL_CHUNK    4096
#define SHELL_GRACE_MS 2000 /* between SIGTERM and SIGKILL */
#define SHELL_TICK_MS  20   /* how often to look where the kernel has no pidfd */

/* A command under way. */
struct shell {
	const char *what;
	pid_t pid;
	int output; /* the read end, non-blocking; -1 after its end */
	int exited; /* a pidfd, readable once the command has ended, or -1 */
	struct error *err;
};

/* What the child does between fork and exec: only calls that are safe in a signal handler. */
static _Noreturn void shell_exec(const char *command, int null, int output)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	sigaction(SIGPIPE, &standard, NULL);
	/*
	 * Where we were started without 0 or 1, these two may sit there: out of each other's way.
	 */
	null = fcntl(null, F_DUPFD, 3);
	output = fcntl(output, F_DUPFD, 3);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0)
		_exit(126);
	closefrom(3);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Says that the command could not be started. */
static int shell_refuse_start(const struct shell *shell)
{
	return error_set(shell->err, ERROR_LOGIN, SCOPE_STORE, "cannot run %s: %m", shell->what);
}

/* Starts the command. */
static int shell_start(struct shell *shell, const char *command)
{
	int ends[2] = {-1, -1};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int rc = -1;

	if (null < 0 || pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
		shell_refuse_start(shell);
		goto out;
	}
	shell->pid = fork();
	if (shell->pid < 0) {
		shell_refuse_start(shell);
		goto out;
	}
	if (shell->pid == 0)
		shell_exec(command, null, ends[1]);
	setpgid(shell->pid, shell->pid); /* the child does too: whoever comes first */
	shell->exited = (int)syscall(SYS_pidfd_open, shell->pid, 0);
	shell->output = ends[0];
	ends[0] = -1;
	rc = 0;
out:
	file_close(&ends[0]);
	file_close(&ends[1]);
	file_close(&null);
	return rc;
}

/* Takes what the pipe holds now; closes it at its end. */
static int shell_read(struct shell *shell, struct buf *out)
{
	while (shell->output >= 0) {
		size_t room = out->max - out->len;
		size_t chunk = room < SHELL_CHUNK ? room : SHELL_CHUNK;
		char *to = chunk > 0 ? buf_reserve(out, chunk) : NULL;
		char probe;
		ssize_t len = read(shell->output, to != NULL ? to : &probe, to != NULL ? chunk : 1);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 && errno == EAGAIN)
			return 0;
		if (len < 0)
			return error_set(shell->err, ERROR_LOGIN, SCOPE_STORE,
					 "cannot read from %s: %m", shell->what);
		if (len > 0 && to == NULL)
			return error_set(shell->err, ERROR_LOGIN, SCOPE_STORE,
					 "%s prints more than %zu bytes", shell->what, out->max);
		if (len == 0)
			file_close(&shell->output);
		else
			out->len += (size_t)len;
	}
	return 0;
}

/* Says how the command ended, unless it ended well. */
static int shell_judge(const struct shell *shell, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status))
		return error_set(shell->err, ERROR_LOGIN, SCOPE_STORE, "%s ended with status %d",
				 shell->what, WEXITSTATUS(status));
	return error_set(shell->err, ERROR_LOGIN, SCOPE_STORE, "%s was ended by signal %d",
			 shell->what, WTERMSIG(status));
}

/*
 * True and *status where the command has ended. The status is lost where whoever started us had
 * SIGCHLD ignored; then what was printed must do.
 */
static bool shell_has_ended(struct shell *shell, int *status)
{
	pid_t pid;

	*status = 0;
	do
		pid = waitpid(shell->pid, status, WNOHANG);
	while (pid < 0 && errno == EINTR);
	if (pid == 0)
		return false;
	shell->pid = -1;
	return true;
}

/* Waits until there is output, the end, a stop, or nothing for so long. */
static int shell_wait(struct shell *shell, int64_t left_ms)
{
	struct pollfd fds[] = {
	    {.fd = shell->output, .events = POLLIN},
	    {.fd = shell->exited, .events = POLLIN},
	    {.fd = stop_fd(), .events = POLLIN},
	};
	bool tick = shell->exited < 0 && left_ms > SHELL_TICK_MS;

	if (poll(fds, 3, tick ? SHELL_TICK_MS : (int)left_ms) < 0 && errno != EINTR)
		return error_set(shell->err, ERROR_LOGIN, SCOPE_STORE, "cannot wait for %s: %m",
				 shell->what);
	return stop_check(shell->err);
}

/*
 * Reads until the command has ended. The end of its output is not awaited: what it left running in
 * the background (an agent, say) may hold it open for ever.
 */
static int shell_follow(struct shell *shell, unsigned limit_ms, struct buf *out)
{
	int64_t end = clock_ms() + limit_ms;
	int status;

	for (;;) {
		int64_t left = end - clock_ms();

		if (shell_has_ended(shell, &status))
			return shell_read(shell, out) < 0 ? -1 : shell_judge(shell, status);
		if (left <= 0)
			return error_set(shell->err, ERROR_LOGIN, SCOPE_STORE,
					 "%s has not ended after %u s", shell->what,
					 (limit_ms + 999) / 1000);
		if (shell_wait(shell, left) < 0 || shell_read(shell, out) < 0)
			return -1;
	}
}

/* Ends a group that is still there, gently first. */
static void shell_end(struct shell *shell)
{
	int64_t end = clock_ms() + SHELL_GRACE_MS;
	int status;

	if (shell->pid <= 0)
		return;
	kill(-shell->pid, SIGTERM);
	while (clock_ms() < end) {
		if (shell_has_ended(shell, &status))
			return;
		clock_sleep_ms(SHELL_TICK_MS);
	}
	kill(-shell->pid, SIGKILL);
	while (waitpid(shell->pid, &status, 0) < 0 && errno == EINTR)
		;
}

/* Starts, follows and, where that went wrong, ends the command. */
int shell_capture(const char *command, const char *what, unsigned limit_ms, struct buf *out,
		  struct error *err)
{
	struct shell shell = {.what = what, .pid = -1, .output = -1, .exited = -1, .err = err};
	int rc = shell_start(&shell, command);

	if (rc == 0)
		rc = shell_follow(&shell, limit_ms, out);
	shell_end(&shell);
	file_close(&shell.output);
	file_close(&shell.exited);
	return rc;
}
