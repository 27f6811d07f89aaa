// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Files: each call of the system is made to fail, to be interrupted or to fall short in turn. The
 * program is linked so that calls of those functions come here first.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum call { WRITE, READ, PREAD, FDATASYNC, FSYNC, RENAMEAT, RENAMEAT2, UNLINKAT, FLOCK, CALLS };

/* What the next calls do: the first ones fail with error; writes and reads take at most most. */
static struct {
	int fail[CALLS]; /* how many calls fail */
	int error[CALLS];
	size_t most; /* 0: as many as asked for */
	int made[CALLS];
	char order[64]; /* one letter for each call that did something */
	bool meddle;    /* at fsync another has begun to replace the same file */
} plan;

ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __real_read(int fd, void *bytes, size_t len);
ssize_t __real_pread(int fd, void *bytes, size_t len, off_t at);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __real_unlinkat(int dirfd, const char *name, int flags);
int __real_flock(int fd, int operation);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_read(int fd, void *bytes, size_t len);
ssize_t __wrap_pread(int fd, void *bytes, size_t len, off_t at);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __wrap_unlinkat(int dirfd, const char *name, int flags);
int __wrap_flock(int fd, int operation);

static void put(const char *name, const char *text);

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

static void plan_failure(enum call call, int times, int error)
{
	memset(&plan, 0, sizeof(plan));
	plan.fail[call] = times;
	plan.error[call] = error;
}

/* The directory that each test has to itself. */
static char root[128];
static int dir;

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	memset(&plan, 0, sizeof(plan));
	snprintf(root, sizeof(root), "%.100s/evenmail-file-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(root) == NULL)
		return -1;
	dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int teardown(void **state)
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

static bool exists(const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void put(const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(__real_write(fd, text, strlen(text)), strlen(text));
	file_close(&fd);
}

static void assert_content(const char *name, const char *text)
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

static void writes_on_after_signals(void **state)
{
	struct error err;
	int fd = openat(dir, "a", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	plan_failure(WRITE, 3, EINTR);
	plan.most = 2;
	assert_int_equal(file_write(fd, "abcdefg", 7, &err), 0);
	assert_int_equal(plan.made[WRITE], 3 + 4);
	assert_int_equal(file_write(fd, NULL, 0, &err), 0);
	assert_content("a", "abcdefg");
	file_close(&fd);
}

static void write_errors_are_told(void **state)
{
	static const struct {
		int error, told;
	} cases[] = {{ENOSPC, ENOSPC}, {EIO, EIO}, {0, EIO}};
	struct error err;
	int fd = openat(dir, "a", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		plan_failure(WRITE, 1, cases[i].error);
		assert_int_equal(file_write(fd, "abc", 3, &err), -1);
		assert_int_equal(err.kind, ERROR_IO);
		assert_int_equal(err.scope, SCOPE_MAILBOX);
		assert_int_equal(err.sys, cases[i].told);
		assert_int_equal(plan.made[WRITE], 1);
	}
	file_close(&fd);
}

static void read_all(const char *content, size_t max, size_t most, int rc, const char *expected)
{
	struct error err;
	struct buf out;
	int fd;

	put("r", content);
	fd = openat(dir, "r", O_RDONLY | O_CLOEXEC);
	buf_init(&out, max);
	plan_failure(READ, 2, EINTR);
	plan.most = most;
	assert_int_equal(file_read_all(fd, &out, &err), rc);
	assert_string_equal(out.data, expected);
	assert_int_equal(out.full, rc < 0);
	if (rc < 0)
		assert_int_equal(err.kind, ERROR_IO);
	buf_free(&out);
	file_close(&fd);
}

static void reads_up_to_the_maximum(void **state)
{
	(void)state;
	read_all("", 0, 0, 0, "");
	read_all("a", 0, 0, -1, "");
	read_all("abc", 3, 0, 0, "abc");
	read_all("abcd", 3, 0, -1, "abc");
	read_all("abcdefg", 7, 2, 0, "abcdefg");
	read_all("abcdefgh", 7, 2, -1, "abcdefg");
	read_all("abc", 1000, 1, 0, "abc");
}

static void reads_many_chunks(void **state)
{
	struct error err;
	struct buf in, out;
	int fd = openat(dir, "big", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	buf_init(&in, 1000000);
	for (int i = 0; in.len < 300000; i++)
		buf_printf(&in, "%d ", i);
	assert_int_equal(file_write(fd, in.data, in.len, &err), 0);
	assert_int_equal(lseek(fd, 1, SEEK_SET), 1); /* from where the descriptor stands */
	buf_init(&out, in.len);
	buf_putc(&out, '0'); /* behind what is there */
	assert_int_equal(file_read_all(fd, &out, &err), 0);
	assert_int_equal(out.len, in.len);
	assert_memory_equal(out.data, in.data, in.len);
	plan_failure(READ, 1, EIO);
	assert_int_equal(file_read_all(fd, &out, &err), -1);
	assert_int_equal(err.sys, EIO);
	buf_free(&in);
	buf_free(&out);
	file_close(&fd);
}

/* As much as is asked for and is there, wherever the descriptor stands. */
static void reads_at_offsets(void **state)
{
	static const struct {
		size_t len, offset;
		const char *expected;
	} cases[] = {{3, 0, "abc"}, {3, 2, "cde"}, {9, 4, "ef"},
		     {2, 6, ""},    {2, 99, ""},   {0, 0, ""}};
	struct error err;
	int fd;

	(void)state;
	put("r", "abcdef");
	fd = openat(dir, "r", O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char bytes[16] = "";
		size_t got = 77;

		plan_failure(PREAD, 2, EINTR);
		plan.most = i % 2;
		assert_int_equal(file_read_at(fd, bytes, cases[i].len, cases[i].offset, &got, &err),
				 0);
		assert_int_equal(got, strlen(cases[i].expected));
		assert_memory_equal(bytes, cases[i].expected, got);
		plan_failure(PREAD, 1, EIO);
		if (cases[i].len == 0)
			continue;
		assert_int_equal(file_read_at(fd, bytes, cases[i].len, cases[i].offset, &got, &err),
				 -1);
		assert_int_equal(err.sys, EIO);
		assert_int_equal(plan.made[PREAD], 1);
	}
	file_close(&fd);
}

/* Each sync is of its own kind, goes on after a signal and is not tried again after an error. */
static void syncs(void **state)
{
	struct error err;
	int fd = openat(dir, "a", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	plan_failure(FDATASYNC, 1, EINTR);
	assert_int_equal(file_sync(fd, &err), 0);
	assert_int_equal(plan.made[FDATASYNC], 2);
	assert_int_equal(plan.made[FSYNC], 0);
	plan_failure(FDATASYNC, 1, EIO);
	assert_int_equal(file_sync(fd, &err), -1);
	assert_int_equal(err.sys, EIO);
	assert_int_equal(plan.made[FDATASYNC], 1);
	plan_failure(FDATASYNC, 1, EINVAL);
	assert_int_equal(file_sync(fd, &err), -1);

	plan_failure(FSYNC, 1, EINTR);
	assert_int_equal(file_sync_dir(dir, &err), 0);
	assert_int_equal(plan.made[FSYNC], 2);
	assert_int_equal(plan.made[FDATASYNC], 0);
	plan_failure(FSYNC, 1, EINVAL);
	assert_int_equal(file_sync_dir(dir, &err), 0);
	plan_failure(FSYNC, 1, EIO);
	assert_int_equal(file_sync_dir(dir, &err), -1);
	assert_int_equal(err.sys, EIO);
	assert_int_equal(err.kind, ERROR_IO);
	assert_int_equal(plan.made[FSYNC], 1);
	file_close(&fd);
}

/* Makes directories below root and compares what came out with what the path names. */
static void assert_makes(const char *below, int syncs_expected)
{
	char *path = xasprintf("%s/%s", root, below);
	struct error err;
	struct stat st;
	int fd;

	memset(&plan, 0, sizeof(plan));
	fd = file_make_dirs(path, &err);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_true(file_is_at(fd, dir, below));
	assert_int_equal(plan.made[FSYNC], syncs_expected);
	assert_int_equal(__real_fsync(fd), 0); /* it is open for more than passing through */
	file_close(&fd);
	free(path);
}

static void makes_directories(void **state)
{
	struct stat st;
	mode_t mask = umask(0);

	(void)state;
	assert_makes("a", 1);
	assert_makes("a", 0);
	assert_makes("a/b/c", 2);
	assert_makes("a//b/../b///d/", 1);
	assert_makes("./e/.", 1);
	umask(mask);
	assert_int_equal(fstatat(dir, "a/b/c", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fstatat(dir, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true(exists("e"));
}

static void makes_relative_directories(void **state)
{
	struct error err;
	int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd;

	(void)state;
	assert_int_equal(fchdir(dir), 0);
	fd = file_make_dirs("x/y", &err);
	assert_int_equal(fchdir(back), 0);
	assert_true(fd >= 0);
	assert_true(file_is_at(fd, dir, "x/y"));
	file_close(&fd);
	fd = file_make_dirs("/", &err);
	assert_true(fd >= 0);
	file_close(&fd);
	file_close(&back);
}

static void assert_makes_not(const char *below, int sys)
{
	char *path = xasprintf("%s/%s", root, below);
	struct error err;

	assert_int_equal(file_make_dirs(path, &err), -1);
	assert_int_equal(err.kind, ERROR_IO);
	assert_int_equal(err.scope, SCOPE_STORE);
	assert_int_equal(err.sys, sys);
	assert_non_null(strstr(err.text, root));
	free(path);
}

static void refuses_what_is_no_directory(void **state)
{
	char name[NAME_MAX + 2];
	char *path;
	struct error err;
	int fd;

	(void)state;
	put("file", "");
	assert_makes("target", 1);
	assert_int_equal(symlinkat("target", dir, "link"), 0);
	assert_int_equal(symlinkat("nowhere", dir, "dangling"), 0);
	assert_makes_not("file", ENOTDIR);
	assert_makes_not("file/a", ENOTDIR);
	assert_makes_not("link", ENOTDIR);
	assert_makes_not("dangling", ENOTDIR);
	assert_false(exists("nowhere"));
	path = xasprintf("%s/link/inner", root); /* on the way a symlink is fine */
	fd = file_make_dirs(path, &err);
	assert_true(fd >= 0);
	file_close(&fd);
	free(path);
	assert_true(exists("target/inner"));

	memset(name, 'n', sizeof(name));
	name[NAME_MAX] = '\0';
	assert_makes(name, 1);
	name[NAME_MAX] = 'n';
	name[NAME_MAX + 1] = '\0';
	assert_makes_not(name, ENAMETOOLONG);

	plan_failure(FSYNC, 1, EIO);
	assert_makes_not("new", EIO);
}

static void replaces(void **state)
{
	struct error err;
	struct stat st;
	mode_t mask = umask(0);

	(void)state;
	assert_int_equal(file_replace(dir, "state", "one", 3, &err), 0);
	umask(mask);
	assert_content("state", "one");
	assert_string_equal(plan.order, "lwSRD"); /* lock, write, sync, rename, sync directory */
	assert_int_equal(fstatat(dir, "state", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(file_replace(dir, "state", "", 0, &err), 0);
	assert_content("state", "");
	assert_int_equal(file_replace(dir, "state", "three", 5, &err), 0);
	assert_content("state", "three");
	assert_false(exists(".state.tmp"));
}

/* What a stop left is written over and does not shine through. */
static void replaces_after_a_stop(void **state)
{
	struct error err;

	(void)state;
	put(".state.tmp", "a longer text that was never finished");
	assert_int_equal(file_replace(dir, "state", "short", 5, &err), 0);
	assert_content("state", "short");
	assert_false(exists(".state.tmp"));
}

/* After any failure the old content is there and nothing else. */
static void failed_replacing_leaves_the_old(void **state)
{
	static const enum call calls[] = {FLOCK, WRITE, FDATASYNC, RENAMEAT};
	struct error err;

	(void)state;
	assert_int_equal(file_replace(dir, "state", "old", 3, &err), 0);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		plan_failure(calls[i], 1, ENOSPC);
		assert_int_equal(file_replace(dir, "state", "new", 3, &err), -1);
		assert_int_equal(err.kind, ERROR_IO);
		assert_int_equal(err.sys, ENOSPC);
		assert_non_null(strstr(err.text, "cannot replace state: "));
		assert_content("state", "old");
		/* a lock that cannot be had: whose file it is nobody knows */
		assert_int_equal(exists(".state.tmp"), calls[i] == FLOCK);
	}
	/* renamed, but perhaps not durable: said so, and no harm done to what is there now */
	plan_failure(FSYNC, 1, EIO);
	assert_int_equal(file_replace(dir, "state", "new", 3, &err), -1);
	assert_int_equal(err.sys, EIO);
	assert_content("state", "new");
	assert_false(exists(".state.tmp"));
	plan_failure(FSYNC, 1, EIO);
	plan.meddle = true;
	assert_int_equal(file_replace(dir, "state", "new", 3, &err), -1);
	assert_content(".state.tmp", "theirs");
	plan_failure(FLOCK, 2, EINTR);
	assert_int_equal(file_replace(dir, "state", "newer", 5, &err), 0);
	assert_content("state", "newer");
}

/* What could not be written whole is not put in place. */
static void replacing_in_pieces(void **state)
{
	struct error err;
	int fd;

	(void)state;
	assert_int_equal(file_replace(dir, "state", "old", 3, &err), 0);
	for (int written = 0; written >= -1; written--) {
		fd = file_replace_begin(dir, "state", &err);
		assert_true(fd >= 0);
		assert_int_equal(file_write(fd, "new", 3, &err), 0);
		assert_int_equal(file_write(fd, "er", 2, &err), 0);
		assert_content("state", written ? "newer" : "old");
		error_set(&err, ERROR_IO, SCOPE_MAILBOX, "no room");
		assert_int_equal(file_replace_end(dir, "state", &fd, written, &err), written);
		assert_int_equal(fd, -1);
		assert_content("state", "newer");
		assert_false(exists(".state.tmp"));
	}
	assert_string_equal(err.text, "cannot replace state: no room");
}

static void replacing_follows_no_symlink(void **state)
{
	struct error err;
	struct stat st;

	(void)state;
	put("precious", "kept");
	assert_int_equal(symlinkat("precious", dir, "state"), 0);
	assert_int_equal(file_replace(dir, "state", "new", 3, &err), 0);
	assert_content("precious", "kept");
	assert_int_equal(fstatat(dir, "state", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(symlinkat("precious", dir, ".state.tmp"), 0);
	assert_int_equal(file_replace(dir, "state", "newer", 5, &err), -1);
	assert_int_equal(err.sys, ELOOP);
	assert_content("precious", "kept");
	assert_content("state", "new");
}

static void replacing_bounds_the_name(void **state)
{
	char name[NAME_MAX + 1];
	struct error err;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[250] = '\0';
	assert_int_equal(file_replace(dir, name, "a", 1, &err), 0);
	assert_content(name, "a");
	name[250] = 'n';
	name[251] = '\0';
	assert_int_equal(file_replace(dir, name, "a", 1, &err), -1);
	assert_int_equal(err.sys, ENAMETOOLONG);
	assert_false(exists(name));
}

/* Many processes replace one file: it is always one of theirs, whole. */
static void replacers_do_not_mix(void **state)
{
	enum { WRITERS = 4, ROUNDS = 40, SIZE = 20000 };
	struct error err;
	pid_t children[WRITERS];
	struct buf out;
	int fd;

	(void)state;
	assert_int_equal(file_replace(dir, "state", "", 0, &err), 0);
	for (int i = 0; i < WRITERS; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			char bytes[SIZE];

			memset(bytes, 'a' + i, sizeof(bytes));
			for (int j = 0; j < ROUNDS; j++)
				if (file_replace(dir, "state", bytes, sizeof(bytes), &err) < 0)
					_exit(1);
			_exit(0);
		}
	}
	for (int i = 0; i < 200; i++) {
		fd = openat(dir, "state", O_RDONLY | O_CLOEXEC);
		buf_init(&out, 2 * SIZE);
		assert_int_equal(file_read_all(fd, &out, &err), 0);
		assert_true(out.len == 0 || out.len == SIZE);
		for (size_t j = 1; j < out.len; j++)
			if (out.data[j] != out.data[0])
				fail_msg("mixed");
		buf_free(&out);
		file_close(&fd);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_false(exists(".state.tmp"));
}

/* The same contract whether or not the file system knows RENAME_NOREPLACE. */
static void renames_without_replacing(void **state)
{
	static const int errors[] = {0, EINVAL, ENOSYS};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		int times = errors[i] != 0 ? 1 : 0;

		put("from", "mine");
		put("taken", "theirs");
		plan_failure(RENAMEAT2, times, errors[i]);
		assert_int_equal(file_rename_new(dir, "from", dir, "taken"), -1);
		assert_int_equal(errno, EEXIST);
		assert_content("from", "mine");
		assert_content("taken", "theirs");
		plan_failure(RENAMEAT2, times, errors[i]);
		assert_int_equal(file_rename_new(dir, "missing", dir, "to"), -1);
		assert_int_equal(errno, ENOENT);
		plan_failure(RENAMEAT2, times, errors[i]);
		assert_int_equal(file_rename_new(dir, "from", dir, "to"), 0);
		assert_false(exists("from"));
		assert_content("to", "mine");
		/* the link itself is renamed, not what it leads to */
		assert_int_equal(symlinkat("to", dir, "link"), 0);
		plan_failure(RENAMEAT2, times, errors[i]);
		assert_int_equal(file_rename_new(dir, "link", dir, "moved"), 0);
		assert_content("moved", "mine");
		assert_true(exists("to"));
		assert_false(exists("link"));
		assert_int_equal(__real_unlinkat(dir, "moved", 0), 0);
		assert_int_equal(__real_unlinkat(dir, "to", 0), 0);
	}
	/* no other error makes it try the other way */
	put("from", "mine");
	plan_failure(RENAMEAT2, 1, EACCES);
	assert_int_equal(file_rename_new(dir, "from", dir, "to"), -1);
	assert_int_equal(errno, EACCES);
	assert_false(exists("to"));
	/* the old name stays: so the new one must go */
	plan_failure(RENAMEAT2, 1, ENOSYS);
	plan.fail[UNLINKAT] = 1;
	plan.error[UNLINKAT] = EPERM;
	assert_int_equal(file_rename_new(dir, "from", dir, "to"), -1);
	assert_int_equal(errno, EPERM);
	assert_content("from", "mine");
	assert_false(exists("to"));
}

static void renames_across_directories(void **state)
{
	int other;

	(void)state;
	assert_makes("other", 1);
	other = openat(dir, "other", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put("from", "mine");
	assert_int_equal(file_rename_new(dir, "from", other, "to"), 0);
	assert_content("other/to", "mine");
	plan_failure(RENAMEAT2, 1, ENOSYS);
	assert_int_equal(file_rename_new(other, "to", dir, "from"), 0);
	assert_content("from", "mine");
	assert_false(exists("other/to"));
	file_close(&other);
}

static void knows_its_own_name(void **state)
{
	int fd;

	(void)state;
	put("a", "x");
	put("b", "x");
	fd = openat(dir, "a", O_RDONLY | O_CLOEXEC);
	assert_true(file_is_at(fd, dir, "a"));
	assert_false(file_is_at(fd, dir, "b"));
	assert_false(file_is_at(fd, dir, "c"));
	assert_false(file_is_at(-1, dir, "a"));
	assert_int_equal(symlinkat("a", dir, "link"), 0);
	assert_false(file_is_at(fd, dir, "link"));
	assert_int_equal(linkat(dir, "a", dir, "d", 0), 0);
	assert_true(file_is_at(fd, dir, "d"));
	assert_int_equal(__real_renameat(dir, "b", dir, "a"), 0);
	assert_false(file_is_at(fd, dir, "a"));
	file_close(&fd);
}

static void closes_once(void **state)
{
	int fd = openat(dir, ".", O_RDONLY | O_CLOEXEC);
	int copy = fd;

	(void)state;
	errno = EBUSY;
	file_close(&fd);
	assert_int_equal(fd, -1);
	assert_int_equal(fcntl(copy, F_GETFD), -1);
	errno = EBUSY;
	file_close(&fd);
	assert_int_equal(errno, EBUSY);
}

#define test_in_directory(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test_in_directory(writes_on_after_signals),
	    test_in_directory(write_errors_are_told),
	    test_in_directory(reads_up_to_the_maximum),
	    test_in_directory(reads_many_chunks),
	    test_in_directory(reads_at_offsets),
	    test_in_directory(syncs),
	    test_in_directory(makes_directories),
	    test_in_directory(makes_relative_directories),
	    test_in_directory(refuses_what_is_no_directory),
	    test_in_directory(replaces),
	    test_in_directory(replaces_after_a_stop),
	    test_in_directory(failed_replacing_leaves_the_old),
	    test_in_directory(replacing_in_pieces),
	    test_in_directory(replacing_follows_no_symlink),
	    test_in_directory(replacing_bounds_the_name),
	    test_in_directory(replacers_do_not_mix),
	    test_in_directory(renames_without_replacing),
	    test_in_directory(renames_across_directories),
	    test_in_directory(knows_its_own_name),
	    test_in_directory(closes_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
