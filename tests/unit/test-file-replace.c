// SPDX-License-Identifier: GPL-3.0-or-later
/* A file that is replaced as a whole, whatever call of the system fails meanwhile. */
#include "file-fixture.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test_in_directory(replaces),
	    test_in_directory(replaces_after_a_stop),
	    test_in_directory(failed_replacing_leaves_the_old),
	    test_in_directory(replacing_in_pieces),
	    test_in_directory(replacing_follows_no_symlink),
	    test_in_directory(replacing_bounds_the_name),
	    test_in_directory(replacers_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
