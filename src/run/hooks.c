// SPDX-License-Identifier: GPL-3.0-or-later
#include "run/hooks.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define VARIABLE "EVENMAIL_CHANNEL="

bool hooks_are_due(const struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		const struct tally *tally = &channel->boxes[i].tally;
		if (tally->created[LOCAL] || tally->copied[LOCAL] || tally->flagged[LOCAL] ||
		    tally->moved[LOCAL] || tally->removed[LOCAL] || tally->deleted[LOCAL] ||
		    tally->renamed[LOCAL] || tally->cloned[LOCAL])
			return true;
	}
	return false;
}

/* Our environment with the variable in it. Members but the first are borrowed. */
static char **make_environment(const char *channel)
{
	size_t count = 0, len = 1;

	while (environ[count])
		count++;
	char **made = xcalloc(count + 2, sizeof(*made));
	made[0] = xasprintf(VARIABLE "%s", channel);
	for (size_t i = 0; i < count; i++)
		if (strncmp(environ[i], VARIABLE, strlen(VARIABLE)) != 0)
			made[len++] = environ[i];
	return made;
}

/* Starts the command. 0, or the errno. */
static int start(const char *command, char *const *environment, pid_t *pid)
{
	char *const argv[] = {"sh", "-c", (char *)command, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	int rc;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	rc = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	if (!rc)
		rc = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	if (!rc)
		rc = posix_spawnattr_setsigdefault(&attributes, &defaults);
	if (!rc)
		rc = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	if (!rc)
		rc = posix_spawn(pid, "/bin/sh", &files, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

/* Waits for the end or a stop, which the command is told of. */
static void follow(pid_t pid)
{
	struct pollfd fds[] = {
	    {.fd = pidfd_open(pid, 0), .events = POLLIN},
	    {.fd = stop_fd(), .events = POLLIN},
	};

	while (fds[0].fd >= 0 && !stop_requested() && !(fds[0].revents & POLLIN))
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
	if (stop_requested())
		kill(pid, SIGTERM);
	file_close(&fds[0].fd);
}

int hooks_run_after(const char *command, const char *channel, struct error *err)
{
	char **environment = make_environment(channel);
	pid_t pid, ended;
	int rc = start(command, environment, &pid), status;

	free(environment[0]);
	free(environment);
	if (rc) {
		errno = rc;
		return error_errno(err, SCOPE_STORE, "hooks: after: cannot run /bin/sh");
	}
	follow(pid);
	do
		ended = waitpid(pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	if (ended < 0 || (WIFEXITED(status) && !WEXITSTATUS(status)))
		return 0;
	if (WIFEXITED(status))
		return error_set(err, ERROR_REFUSED, SCOPE_STORE,
				 "hooks: after: the command ended with status %d",
				 WEXITSTATUS(status));
	return error_set(err, ERROR_REFUSED, SCOPE_STORE,
			 "hooks: after: the command was ended by signal %d", WTERMSIG(status));
}
