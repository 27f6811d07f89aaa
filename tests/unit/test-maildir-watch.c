// SPDX-License-Identifier: GPL-3.0-or-later
/* Who changed a mailbox since it was scanned: we alone, or somebody else, too (FAULTS 12). */
#include "maildir-fixture.h"

#include "maildir/message.h"
#include "maildir/scan.h"
#include "maildir/watch.h"

#include <time.h>

#define PAST 1000
#define MANY 3000 /* renames, more than are read at once */

/* A mailbox of two messages, scanned, and the scan told. */
struct scene {
	struct fixture *fixture;
	struct maildir_mailbox *mailbox;
};

/* Sets a directory's time: one that is past is trusted, one to come is not. */
static void set_time(const struct scene *scene, const char *dir, time_t seconds)
{
	const struct timespec times[2] = {{.tv_sec = seconds, .tv_nsec = 1},
					  {.tv_sec = seconds, .tv_nsec = 1}};

	assert_int_equal(utimensat(AT_FDCWD, fixture_path(scene->fixture, dir), times, 0), 0);
}

/* Scans, and says that somebody was told. */
static void scan(const struct scene *scene)
{
	struct error err = {0};

	maildir_mailbox_forget(scene->mailbox);
	if (maildir_scan_take(scene->mailbox, &scene->mailbox->scan, &err) < 0)
		fail_msg("%s", err.text);
	scene->mailbox->told = true;
}

static struct scene open_scene(void **state)
{
	struct scene scene = {.fixture = *state};
	struct error err = {0};

	fixture_create(scene.fixture, "m");
	fixture_put(scene.fixture, "m/cur/a:2,S", "a", 1);
	fixture_put(scene.fixture, "m/new/b", "b", 1);
	set_time(&scene, "m/cur", PAST);
	set_time(&scene, "m/new", PAST);
	if (maildir_mailbox_open(scene.fixture->tree, "m", true, &scene.mailbox, &err) < 0)
		fail_msg("%s", err.text);
	scan(&scene);
	maildir_watch_begin(scene.mailbox);
	return scene;
}

/* Not every file system can be watched: such a machine has nothing to test. */
static bool is_watched(const struct scene *scene)
{
	return scene->mailbox->watch != NULL;
}

static void flag(const struct scene *scene, const char *name, uint32_t bits)
{
	struct error err = {0};
	const struct flags add = {bits}, remove = {FLAG_ALL & ~bits};

	assert_int_equal(maildir_message_flag(scene->mailbox, name, add, remove, &err), 1);
}

/* Renames below the mailbox behind our back. */
static void rename_there(const struct scene *scene, const char *from, const char *to)
{
	char *old = strdup(fixture_path(scene->fixture, from));

	assert_int_equal(rename(old, fixture_path(scene->fixture, to)), 0);
	free(old);
}

/* Our own renames, however many, are no news; not even from new to cur. */
static void knows_its_own(void **state)
{
	struct scene scene = open_scene(state);

	if (is_watched(&scene)) {
		assert_true(maildir_watch_is_alone(scene.mailbox));
		for (unsigned i = 0; i < MANY; i++)
			flag(&scene, "a", i % 2 ? FLAG_SEEN : FLAG_FLAGGED);
		flag(&scene, "b", FLAG_SEEN);
		assert_true(maildir_watch_is_alone(scene.mailbox));
		flag(&scene, "b", FLAG_ANSWERED);
		maildir_watch_begin(scene.mailbox); /* it goes on */
		assert_true(maildir_watch_is_alone(scene.mailbox));
	}
	maildir_mailbox_close(&scene.mailbox);
}

/* One change by somebody else, whatever it is, and be it undone again. */
static void sees_others(void **state)
{
	struct scene scene = open_scene(state);

	for (int what = 0; is_watched(&scene) && what < 6; what++) {
		flag(&scene, "a", FLAG_SEEN | FLAG_FLAGGED);
		switch (what) {
		case 0: rename_there(&scene, "m/cur/a:2,FS", "m/cur/a:2,F"); break;
		case 1: rename_there(&scene, "m/new/b", "m/cur/b:2,"); break;
		case 2: fixture_put(scene.fixture, "m/new/c", "c", 1); break;
		case 3: assert_int_equal(unlink(fixture_path(scene.fixture, "m/new/c")), 0); break;
		case 4:
			rename_there(&scene, "m/cur/b:2,", "m/cur/b:2,R");
			rename_there(&scene, "m/cur/b:2,R", "m/cur/b:2,");
			break;
		case 5: rename_there(&scene, "m/cur/b:2,", "m/tmp/b"); break;
		}
		flag(&scene, "a", FLAG_SEEN);
		assert_false(maildir_watch_is_alone(scene.mailbox));
		assert_false(maildir_watch_is_alone(scene.mailbox));
		set_time(&scene, "m/cur", PAST);
		set_time(&scene, "m/new", PAST);
		scan(&scene);
		maildir_watch_begin(scene.mailbox);
		assert_non_null(scene.mailbox->watch);
	}
	maildir_mailbox_close(&scene.mailbox);
}

/* More than the kernel keeps: what was lost may have been anything. */
static void notices_what_it_missed(void **state)
{
	struct scene scene = open_scene(state);

	for (int i = 0; is_watched(&scene) && i < 20000; i++)
		rename_there(&scene, i % 2 ? "m/cur/x" : "m/cur/a:2,S",
			     i % 2 ? "m/cur/a:2,S" : "m/cur/x");
	assert_false(maildir_watch_is_alone(scene.mailbox));
	maildir_mailbox_close(&scene.mailbox);
}

/* A name that leads to another mailbox, or to other directories in it. */
static void sees_that_it_was_replaced(void **state)
{
	for (int what = 0; what < 3; what++) {
		struct scene scene = open_scene(state);
		bool watched = is_watched(&scene);

		if (what == 0)
			rename_there(&scene, "m", "old");
		else if (what == 1)
			rename_there(&scene, "m/new", "m/old");
		else
			rename_there(&scene, "m/cur", "m/old");
		if (what == 0)
			fixture_create(scene.fixture, "m");
		else if (what == 1)
			assert_int_equal(mkdir(fixture_path(scene.fixture, "m/new"), 0700), 0);
		else
			assert_int_equal(mkdir(fixture_path(scene.fixture, "m/cur"), 0700), 0);
		assert_true(!watched || scene.mailbox->watch);
		assert_false(maildir_watch_is_alone(scene.mailbox));
		maildir_mailbox_close(&scene.mailbox);
		nftw(fixture_path(scene.fixture, "m"), fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
	}
}

/* What may have changed before the watch, or is not what was told, is no beginning. */
static void begins_where_all_is_known(void **state)
{
	struct scene scene = open_scene(state);

	maildir_watch_end(scene.mailbox);
	maildir_watch_end(scene.mailbox);
	assert_false(maildir_watch_is_alone(scene.mailbox));
	maildir_watch_note(scene.mailbox, MAILDIR_CUR, "a", MAILDIR_CUR, "b");
	rename_there(&scene, "m/cur/a:2,S", "m/cur/a:2,F");
	maildir_watch_begin(scene.mailbox);
	assert_null(scene.mailbox->watch); /* it changed since the scan */
	set_time(&scene, "m/cur", PAST);
	scan(&scene);
	scene.mailbox->told = false;
	maildir_watch_begin(scene.mailbox);
	assert_null(scene.mailbox->watch);
	set_time(&scene, "m/cur", time(NULL) + 3600);
	scan(&scene);
	maildir_watch_begin(scene.mailbox);
	assert_null(scene.mailbox->watch); /* its time says nothing */
	maildir_mailbox_forget(scene.mailbox);
	maildir_watch_begin(scene.mailbox);
	assert_null(scene.mailbox->watch);
	maildir_mailbox_close(&scene.mailbox);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(knows_its_own),
	    TEST(sees_others),
	    TEST(notices_what_it_missed),
	    TEST(sees_that_it_was_replaced),
	    TEST(begins_where_all_is_known),
	};

	return cmocka_run_group_tests_name("maildir-watch", tests, NULL, NULL);
}
