// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap/tunnel.h"

#include "base/clock.h"
#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TUNNEL_GRACE_MS 2000
#define TUNNEL_STEP_MS  5
#define TUNNEL_PATIENCE 10 /* seconds until our own connection must have come */

/*
 * Takes the connection of the process that started us. Abstract names are open to every user of
 * the machine, so whoever else comes is sent away.
 */
static int tunnel_accept(int listener, pid_t parent)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		struct ucred peer = {0};
		socklen_t len = sizeof(peer);

		if (fd < 0 && errno != EINTR)
			return -1;
		if (fd < 0)
			continue;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
		    peer.pid == parent && peer.uid == geteuid())
			return fd;
		close(fd);
	}
}

/*
 * Becomes the command. Only what is safe after a fork of a process with threads. SIGPIPE goes back
 * to its default: an ignored one would be inherited and would keep a pipeline alive for ever.
 */
static _Noreturn void tunnel_become(const char *command, int listener, pid_t parent)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;
	int fd = tunnel_accept(listener, parent);

	sigaction(SIGPIPE, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		_exit(126);
	close_range(STDERR_FILENO + 1, ~0u, 0);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Listens where the kernel finds a free name. A connection that never comes is not awaited long. */
int imap_tunnel_listen(char name[IMAP_TUNNEL_NAME_SIZE], struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = TUNNEL_PATIENCE};
	socklen_t len = sizeof(address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address.sun_family)) < 0 ||
	    listen(fd, 1) < 0 || getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
		error_errno(err, SCOPE_STORE, "tunnel");
		file_close(&fd);
		return -1;
	}
	size_t used = len - offsetof(struct sockaddr_un, sun_path) - 1;

	assert(used > 0 && used < IMAP_TUNNEL_NAME_SIZE);
	memcpy(name, address.sun_path + 1, used);
	name[used] = '\0';
	return fd;
}

/* Starts the child. */
int imap_tunnel_open(const char *command, char name[IMAP_TUNNEL_NAME_SIZE], pid_t *pid,
		     struct error *err)
{
	int listener = imap_tunnel_listen(name, err);
	pid_t parent = getpid();

	*pid = 0;
	if (listener < 0)
		return -1;
	pid_t child = fork();

	if (child == 0)
		tunnel_become(command, listener, parent);
	if (child < 0)
		error_errno(err, SCOPE_STORE, "tunnel");
	else
		*pid = child;
	file_close(&listener);
	return child < 0 ? -1 : 0;
}

/* Waits up to the grace period; true where the child has been reaped. */
static bool tunnel_reap(pid_t pid)
{
	int64_t end = clock_ms() + TUNNEL_GRACE_MS;

	for (;;) {
		pid_t got = waitpid(pid, NULL, WNOHANG);

		if (got == pid || (got < 0 && errno != EINTR))
			return true;
		if (clock_ms() >= end)
			return false;
		clock_sleep_ms(TUNNEL_STEP_MS);
	}
}

/* Ends the child, gently first. */
void imap_tunnel_close(pid_t *pid)
{
	static const int signals[] = {SIGTERM, SIGKILL};

	if (*pid <= 0)
		return;
	bool reaped = tunnel_reap(*pid);

	for (size_t i = 0; !reaped && i < sizeof(signals) / sizeof(signals[0]); i++) {
		kill(*pid, signals[i]);
		reaped = tunnel_reap(*pid);
	}
	*pid = 0;
}
