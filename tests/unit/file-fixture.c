// SPDX-License-Identifier: GPL-3.0-or-later
#include "file-fixture.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture_plan plan;
char root[SCRATCH_PATH];
int dir;

ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_read(int fd, void *bytes, size_t len);
ssize_t __wrap_pread(int fd, void *bytes, size_t len, off_t at);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __wrap_unlinkat(int dirfd, const char *name, int flags);
int __wrap_flock(int fd, int operation);

/* True where this call is to fail; notes it otherwise. */
static bool planned_to_fail(enum call call)
{
	size_t len = strlen(plan.order);

	plan.made[call]++;
	if (plan.fail[call] > 0) {
		plan.fail[call]--;
		errno = plan.error[call];
		return true;
	}
	if (len + 1 < sizeof(plan.order))
		plan.order[len] = "wrpSDR2ul"[call];
	return false;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
	if (planned_to_fail(WRITE))
		return plan.error[WRITE] == 0 ? 0 : -1;
	return __real_write(fd, bytes, plan.most > 0 && plan.most < len ? plan.most : len);
}

ssize_t __wrap_read(int fd, void *bytes, size_t len)
{
	if (planned_to_fail(READ))
		return -1;
	return __real_read(fd, bytes, plan.most > 0 && plan.most < len ? plan.most : len);
}

ssize_t __wrap_pread(int fd, void *bytes, size_t len, off_t at)
{
	if (planned_to_fail(PREAD))
		return -1;
	return __real_pread(fd, bytes, plan.most > 0 && plan.most < len ? plan.most : len, at);
}

int __wrap_fdatasync(int fd)
{
	return planned_to_fail(FDATASYNC) ? -1 : __real_fdatasync(fd);
}

int __wrap_fsync(int fd)
{
	if (plan.meddle)
		put(".state.tmp", "theirs");
	return planned_to_fail(FSYNC) ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return planned_to_fail(RENAMEAT) ? -1 : __real_renameat(from_dir, from, to_dir, to);
}

int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return planned_to_fail(RENAMEAT2) ? -1
					  : __real_renameat2(from_dir, from, to_dir, to, flags);
}

int __wrap_unlinkat(int dirfd, const char *name, int flags)
{
	return planned_to_fail(UNLINKAT) ? -1 : __real_unlinkat(dirfd, name, flags);
}

int __wrap_flock(int fd, int operation)
{
	return planned_to_fail(FLOCK) ? -1 : __real_flock(fd, operation);
}

void plan_failure(enum call call, int times, int error)
{
	memset(&plan, 0, sizeof(plan));
	plan.fail[call] = times;
	plan.error[call] = error;
}

int fixture_setup(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	if (scratch_make(root, sizeof(root), "file") < 0)
		return -1;
	dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

int fixture_teardown(void **state)
{
	pid_t child;

	(void)state;
	file_close(&dir);
	child = fork();
	if (child == 0) {
		execlp("rm", "rm", "-rf", root, NULL);
		_exit(127);
	}
	return waitpid(child, NULL, 0) == child ? 0 : -1;
}

bool exists(const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void put(const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(__real_write(fd, text, strlen(text)), strlen(text));
	file_close(&fd);
}

void assert_content(const char *name, const char *text)
{
	char content[256];
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	assert_true(fd >= 0);
	len = __real_read(fd, content, sizeof(content) - 1);
	assert_true(len >= 0);
	content[len] = '\0';
	file_close(&fd);
	assert_string_equal(content, text);
}
