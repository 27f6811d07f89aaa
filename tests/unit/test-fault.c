// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Fault points and failing calls: this program runs itself again and stops at each point. A build
 * without
 * --enable-faults has no points, and the test says that it was skipped.
 */
#include "base/fault.h"

#ifndef EVENMAIL_FAULTS

int main(void)
{
	return 77;
}

#else

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "scratch.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 8
#define POINTS  1000

static char root[SCRATCH_PATH];
static int dir;

static int setup(void **state)
{
	(void)state;
	if (scratch_make(root, sizeof(root), "fault") < 0)
		return -1;
	dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"count", "state", ".state.tmp", "from", "to"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlinkat(dir, names[i], 0);
	file_close(&dir);
	return rmdir(root);
}

/* Runs this program again to do work, to be stopped at a point or (0) not; 0 or the signal. */
static int run(const char *work, int stop_at)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		char *count = xasprintf("%s/count", root);
		char *number = xasprintf("%d", stop_at);

		setenv("EVENMAIL_STOP_COUNT", count, 1);
		if (stop_at > 0) {
			setenv("EVENMAIL_STOP_AT", number, 1);
			close(STDERR_FILENO);
		}
		execl("/proc/self/exe", "test-fault", work, root, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	assert_int_equal(WEXITSTATUS(status), 0);
	return 0;
}

/* True where the file is there and holds exactly text. */
static bool holds(const char *name, const char *text)
{
	char content[64];
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return false;
	len = read(fd, content, sizeof(content));
	file_close(&fd);
	return len == (ssize_t)strlen(text) && memcmp(content, text, (size_t)len) == 0;
}

static bool exists(const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The number of points that the last run passed. */
static int counted(void)
{
	FILE *file = fdopen(openat(dir, "count", O_RDONLY | O_CLOEXEC), "r");
	int number = -1;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &number), 1);
	fclose(file);
	return number;
}

static void no_point_is_counted_too(void **state)
{
	(void)state;
	assert_int_equal(run("nothing", 0), 0);
	assert_true(holds("count", "0\n"));
	assert_int_equal(run("nothing", 1), 0);
}

static void threads_are_counted_together(void **state)
{
	(void)state;
	assert_int_equal(run("threads", 0), 0);
	assert_int_equal(counted(), THREADS * POINTS);
	assert_int_equal(run("threads", THREADS * POINTS), SIGKILL);
	assert_int_equal(run("threads", THREADS * POINTS + 1), 0);
}

/* Wherever it is stopped, the old or the new content is there; the next run ends as if nothing was.
 */
static void replacing_survives_every_stop(void **state)
{
	int points;
	int kept = 0;

	(void)state;
	assert_int_equal(run("replace", 0), 0);
	points = counted();
	/* before create, cut, write, in its midst, before sync, rename, directory sync */
	assert_int_equal(points, 7);
	for (int at = 1; at <= points; at++) {
		assert_int_equal(file_replace(dir, "state", "old", 3, NULL), 0);
		assert_int_equal(run("replace", at), SIGKILL);
		assert_true(holds("state", at <= 6 ? "old" : "new"));
		kept += exists(".state.tmp");
		assert_int_equal(run("replace", 0), 0);
		assert_true(holds("state", "new"));
		assert_false(exists(".state.tmp"));
	}
	assert_int_equal(kept, 5); /* it was stopped in the midst indeed */
	assert_int_equal(run("replace", points + 1), 0);
}

/* Each call fails once, in each way that it can. */
static void replacing_survives_every_failure(void **state)
{
	static const char *const ways[] = {"EIO", "ENOSPC", "EROFS", "EMFILE", "ENOSPC+", "EIO+"};
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct fault_plan plan = {.with = ways[i]};
		bool struck = true;

		for (plan.at = 1; struck; plan.at++) {
			struct error err = {0};

			assert_int_equal(file_replace(dir, "state", "old", 3, NULL), 0);
			fault_arm(&plan);
			int rc = file_replace(dir, "state", "new", 3, &err);
			struck = *fault_struck() != '\0';
			fault_arm(&(struct fault_plan){0});
			assert_true(holds("state", "old") || holds("state", "new"));
			assert_true(rc < 0 || holds("state", "new"));
			assert_true(rc == 0 || (struck && strstr(err.text, "state") != NULL));
			failures += rc < 0;
		}
	}
	assert_true(failures > 20);
}

/* What the system interrupts or does in part is done in the end, and nobody hears of it. */
static void interruptions_are_not_seen(void **state)
{
	static const char *const ways[] = {"EINTR", "short"};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct fault_plan plan = {.with = ways[i]};

		for (plan.at = 1; plan.at < 20; plan.at++) {
			fault_arm(&plan);
			assert_int_equal(file_replace(dir, "state", "new", 3, NULL), 0);
			assert_true(*fault_struck() != '\0' || fault_counted() < plan.at);
			fault_arm(&(struct fault_plan){0});
			assert_true(holds("state", "new"));
		}
	}
}

/* Only what has that text in its path fails. */
static void failures_keep_to_their_place(void **state)
{
	struct fault_plan plan = {.at = 1, .with = "ENOSPC+", .where = "elsewhere"};

	(void)state;
	fault_arm(&plan);
	assert_int_equal(file_replace(dir, "state", "new", 3, NULL), 0);
	assert_int_equal(fault_counted(), 0);
	plan.where = "state";
	fault_arm(&plan);
	assert_int_equal(file_replace(dir, "state", "new", 3, NULL), -1);
	assert_non_null(strstr(fault_struck(), "/.state.tmp"));
	fault_arm(&(struct fault_plan){0});
}

/* Has a sync fail and tries it again; the exit status. */
static int sync_again(const char *with, const char *name, int flags, bool anew)
{
	const struct fault_plan plan = {.at = 1, .with = with};
	int fd = openat(dir, name, flags | O_CLOEXEC, 0600);

	fault_arm(&plan);
	if (fd < 0 || fsync(fd) == 0)
		return 1;
	if (anew) {
		file_close(&fd);
		fd = openat(dir, name, flags | O_CLOEXEC, 0600);
	}
	close(STDERR_FILENO);
	return fsync(fd) < 0 || fdatasync(fd) < 0;
}

/* FAULTS 7: who syncs a file again after that has failed, and takes it for synced, is stopped. */
static void no_sync_is_tried_again(void **state)
{
	static const struct {
		const char *with;
		const char *name;
		int flags;
		bool anew;
		int status;
	} cases[] = {{"EIO", "state", O_RDWR | O_CREAT, false, 70},
		     {"ENOSPC", "state", O_RDWR | O_CREAT, false, 70},
		     {"EIO", "state", O_RDWR | O_CREAT, true, 0},
		     {"EINTR", "state", O_RDWR | O_CREAT, false, 0},
		     {"EIO", ".", O_RDONLY | O_DIRECTORY, false, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		pid_t child = fork();
		int status;

		if (child == 0)
			_exit(sync_again(cases[i].with, cases[i].name, cases[i].flags,
					 cases[i].anew));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), cases[i].status);
	}
}

static void renaming_survives_every_stop(void **state)
{
	(void)state;
	assert_int_equal(file_replace(dir, "from", "mail", 4, NULL), 0);
	assert_int_equal(run("rename", 0), 0);
	assert_int_equal(counted(), 1);
	unlinkat(dir, "to", 0);
	assert_int_equal(file_replace(dir, "from", "mail", 4, NULL), 0);
	assert_int_equal(run("rename", 1), SIGKILL);
	assert_true(holds("from", "mail"));
	assert_false(exists("to"));
	assert_int_equal(run("rename", 2), 0);
	assert_true(holds("to", "mail"));
}

static void *pass_points(void *context)
{
	for (int i = 0; i < POINTS; i++)
		fault_point("test");
	return context;
}

/* What run() asks for; the exit status. */
static int work_on(const char *work, const char *path)
{
	pthread_t threads[THREADS];
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (strcmp(work, "replace") == 0)
		return file_replace(fd, "state", "new", 3, NULL) < 0;
	if (strcmp(work, "rename") == 0)
		return file_rename_new(fd, "from", fd, "to") < 0;
	if (strcmp(work, "threads") != 0)
		return 0;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, pass_points, NULL) != 0)
			return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(no_point_is_counted_too, setup, teardown),
	    cmocka_unit_test_setup_teardown(threads_are_counted_together, setup, teardown),
	    cmocka_unit_test_setup_teardown(replacing_survives_every_stop, setup, teardown),
	    cmocka_unit_test_setup_teardown(replacing_survives_every_failure, setup, teardown),
	    cmocka_unit_test_setup_teardown(interruptions_are_not_seen, setup, teardown),
	    cmocka_unit_test_setup_teardown(failures_keep_to_their_place, setup, teardown),
	    cmocka_unit_test_setup_teardown(no_sync_is_tried_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(renaming_survives_every_stop, setup, teardown),
	};

	if (argc == 3)
		return work_on(argv[1], argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
