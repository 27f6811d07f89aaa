// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/lock.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define HOST_MAX 64 /* bytes of its name, as Linux has them */

struct lock {
	int fd;
};

/* Names the holder as it wrote itself down, or not at all where it has not got to that yet. */
static int lock_tell_holder(int fd, struct error *err)
{
	char holder[128];
	ssize_t len = pread(fd, holder, sizeof(holder) - 1, 0);

	while (len > 0 && holder[len - 1] == '\n')
		len--;
	holder[len > 0 ? len : 0] = '\0';
	return error_set(err, ERROR_LOCKED, SCOPE_STORE, "another run holds the lock%s%s",
			 len > 0 ? ": " : "", text_show(holder));
}

/* Writes down who holds it, for lock_tell_holder() of others. */
static int lock_write_holder(int fd, const char *name, struct error *err)
{
	time_t now = time(NULL);
	struct tm tm;
	char since[32] = "";
	char host[HOST_MAX + 1] = "";
	char holder[128];

	if (gmtime_r(&now, &tm) != NULL)
		strftime(since, sizeof(since), " since %Y-%m-%dT%H:%M:%SZ", &tm);
	if (gethostname(host, sizeof(host)) < 0)
		host[0] = '\0';
	host[HOST_MAX] = '\0';
	snprintf(holder, sizeof(holder), "process %ld%s%s%s\n", (long)getpid(),
		 host[0] != '\0' ? " on " : "", host, since);
	if (file_cut(fd, 0) < 0)
		return error_errno(err, SCOPE_STORE, "cannot empty the lock %s", text_show(name));
	if (file_write(fd, holder, strlen(holder), err) == 0)
		return 0;
	if (err != NULL)
		err->scope = SCOPE_STORE;
	return error_prefix(err, "lock %s", text_show(name));
}

/*
 * Opens and locks. Where the file was removed between the two, the lock is on a file that nobody
 * else will find: begin again.
 */
static int lock_open(int dirfd, const char *name, struct error *err)
{
	for (;;) {
		int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
				0600);

		if (fd < 0)
			return error_errno(err, SCOPE_STORE, "cannot open the lock %s",
					   text_show(name));
		if (file_lock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno == EWOULDBLOCK)
				lock_tell_holder(fd, err);
			else
				error_errno(err, SCOPE_STORE, "cannot lock %s", text_show(name));
			file_close(&fd);
			return -1;
		}
		if (file_is_at(fd, dirfd, name))
			return fd;
		file_close(&fd);
	}
}

/* Takes the lock or says who has it. */
int lock_acquire(int dirfd, const char *name, struct lock **lock, struct error *err)
{
	int fd = lock_open(dirfd, name, err);

	*lock = NULL;
	if (fd < 0)
		return -1;
	if (lock_write_holder(fd, name, err) < 0) {
		file_close(&fd);
		return -1;
	}
	*lock = xmalloc(sizeof(**lock));
	(*lock)->fd = fd;
	return 0;
}

/* Closes the descriptor, and the lock goes with it; the file stays, see lock_open(). */
void lock_release(struct lock **lock)
{
	if (*lock == NULL)
		return;
	file_close(&(*lock)->fd);
	free(*lock);
	*lock = NULL;
}
