// SPDX-License-Identifier: GPL-3.0-or-later
/* The lock: one holder at a time, whatever becomes of the holder or of the file. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/lock.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[SCRATCH_PATH];
static int dir;

/* Removes the lock file between opening and locking, as another program might, so many times. */
static int removals;

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);

int __wrap_flock(int fd, int operation)
{
	if (removals > 0) {
		removals--;
		unlinkat(dir, "lock", 0);
	}
	return __real_flock(fd, operation);
}

static int setup(void **state)
{
	(void)state;
	if (scratch_make(root, sizeof(root), "lock") < 0)
		return -1;
	dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	unlinkat(dir, "lock", 0);
	unlinkat(dir, "other", 0);
	close(dir);
	return rmdir(root);
}

static void one_holder_at_a_time(void **state)
{
	char process[192], host[65] = "";
	struct error err;
	struct lock *first, *second, *other;
	struct stat st;

	(void)state;
	assert_int_equal(lock_acquire(dir, "lock", &first, &err), 0);
	assert_int_equal(fstatat(dir, "lock", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(lock_acquire(dir, "lock", &second, &err), -1);
	assert_null(second);
	assert_int_equal(err.kind, ERROR_LOCKED);
	assert_int_equal(err.scope, SCOPE_STORE);
	assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
	snprintf(process, sizeof(process), "another run holds the lock: process %ld on %s since 2",
		 (long)getpid(), host);
	assert_memory_equal(err.text, process, strlen(process));
	assert_int_equal(err.text[strlen(err.text) - 1], 'Z');
	/* another name is another lock */
	assert_int_equal(lock_acquire(dir, "other", &other, &err), 0);
	lock_release(&other);
	lock_release(&first);
	assert_null(first);
	lock_release(&first);
	assert_int_equal(fstatat(dir, "lock", &st, AT_SYMLINK_NOFOLLOW), 0); /* the file stays */
	assert_int_equal(lock_acquire(dir, "lock", &second, &err), 0);
	lock_release(&second);
}

/* The kernel takes the lock back; the dead holder's name does not outlive the next holder. */
static void death_releases(void **state)
{
	struct error err;
	struct lock *lock;
	int fds[2];
	char ready;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (lock_acquire(dir, "lock", &lock, &err) < 0 || write(fds[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(fds[0], &ready, 1), 1);
	assert_int_equal(lock_acquire(dir, "lock", &lock, &err), -1);
	assert_int_equal(err.kind, ERROR_LOCKED);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(lock_acquire(dir, "lock", &lock, &err), 0);
	lock_release(&lock);
	close(fds[0]);
	close(fds[1]);
}

/* Runs a command that holds on to what it inherits, and sees whether the lock is among that. */
static void commands_do_not_inherit(void **state)
{
	struct error err;
	struct lock *lock;
	int fds[2];
	char end;
	pid_t child;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(lock_acquire(dir, "lock", &lock, &err), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		execlp("sleep", "sleep", "60", NULL);
		_exit(127);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &end, 1), 0); /* the command runs */
	close(fds[0]);
	lock_release(&lock);
	assert_int_equal(lock_acquire(dir, "lock", &lock, &err), 0);
	lock_release(&lock);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* A lock file that was removed guards nothing: the next run makes its own, and that one does. */
static void removed_file_is_not_the_lock(void **state)
{
	struct error err;
	struct lock *first, *second, *third;

	(void)state;
	assert_int_equal(lock_acquire(dir, "lock", &first, &err), 0);
	assert_int_equal(unlinkat(dir, "lock", 0), 0);
	assert_int_equal(lock_acquire(dir, "lock", &second, &err), 0);
	assert_int_equal(lock_acquire(dir, "lock", &third, &err), -1);
	lock_release(&first);
	assert_int_equal(lock_acquire(dir, "lock", &third, &err), -1);
	lock_release(&second);

	removals = 3;
	assert_int_equal(lock_acquire(dir, "lock", &first, &err), 0);
	assert_int_equal(removals, 0);
	assert_int_equal(lock_acquire(dir, "lock", &second, &err), -1);
	assert_int_equal(err.kind, ERROR_LOCKED);
	lock_release(&first);
}

/* What the file says is shown harmless, however long and odd it is. */
static void odd_holders_are_shown_harmless(void **state)
{
	struct error err;
	struct lock *first, *second;
	int fd;

	(void)state;
	assert_int_equal(lock_acquire(dir, "lock", &first, &err), 0);
	fd = openat(dir, "lock", O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(lock_acquire(dir, "lock", &second, &err), -1);
	assert_string_equal(err.text, "another run holds the lock");
	assert_int_equal(write(fd, "\x1b[31m\n\n", 7), 7);
	assert_int_equal(lock_acquire(dir, "lock", &second, &err), -1);
	assert_string_equal(err.text, "another run holds the lock: \\x1B[31m");
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(lock_acquire(dir, "lock", &second, &err), -1);
	assert_true(strlen(err.text) < 200);
	close(fd);
	lock_release(&first);
	assert_int_equal(lock_acquire(dir, "lock", &first, &err), 0);
	assert_int_equal(lock_acquire(dir, "lock", &second, &err), -1);
	assert_null(strchr(err.text, 'x')); /* the shorter text took the place of all that */
	lock_release(&first);
}

static void symlinks_are_not_followed(void **state)
{
	struct error err;
	struct lock *lock = (struct lock *)&err;
	struct stat st;

	(void)state;
	assert_int_equal(symlinkat("other", dir, "lock"), 0);
	assert_int_equal(lock_acquire(dir, "lock", &lock, &err), -1);
	assert_null(lock);
	assert_int_equal(err.kind, ERROR_IO);
	assert_int_equal(err.scope, SCOPE_STORE);
	assert_int_equal(err.sys, ELOOP);
	assert_int_equal(fstatat(dir, "other", &st, 0), -1);
}

/* A holder that cannot say who it is gives the lock back. */
static void full_disk_is_told(void **state)
{
	struct rlimit limit, old;
	struct error err;
	struct lock *lock;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 0;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(lock_acquire(dir, "lock", &lock, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_null(lock);
	assert_int_equal(err.kind, ERROR_IO);
	assert_int_equal(err.scope, SCOPE_STORE);
	assert_int_equal(err.sys, EFBIG);
	assert_memory_equal(err.text, "lock lock: ", 11);
	assert_int_equal(lock_acquire(dir, "lock", &lock, &err), 0);
	lock_release(&lock);
}

#define test_in_directory(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test_in_directory(one_holder_at_a_time),
	    test_in_directory(death_releases),
	    test_in_directory(commands_do_not_inherit),
	    test_in_directory(removed_file_is_not_the_lock),
	    test_in_directory(odd_holders_are_shown_harmless),
	    test_in_directory(full_disk_is_told),
	    test_in_directory(symlinks_are_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
