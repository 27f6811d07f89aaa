// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Files: each call of the system is made to fail, to be interrupted or to fall short in turn. The
 * program is linked so that calls of those functions come to the fixture first.
 */
#include "file-fixture.h"

#include "base/alloc.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
	    test_in_directory(renames_without_replacing),
	    test_in_directory(renames_across_directories),
	    test_in_directory(knows_its_own_name),
	    test_in_directory(closes_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
