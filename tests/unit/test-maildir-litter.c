// SPDX-License-Identifier: GPL-3.0-or-later
/* What is left in tmp, and what takes the place of a damaged message. */
#include "maildir-fixture.h"

#include "maildir/deliver.h"
#include "maildir/keep.h"
#include "maildir/litter.h"
#include "maildir/message.h"

#include <errno.h>
#include <sys/wait.h>
#include <time.h>

#define HOUR 3600

static struct maildir_mailbox *open_mailbox(struct fixture *fixture, bool may_write)
{
	struct maildir_mailbox *mailbox;

	fixture_create(fixture, "m");
	assert_int_equal(maildir_mailbox_open(fixture->tree, "m", may_write, &mailbox, NULL), 0);
	return mailbox;
}

/* The names that are litter at a time, with a blank after each. */
static const char *list_at(const struct maildir_mailbox *mailbox, int64_t now)
{
	static char names[1024];
	struct arena arena = {0};
	struct maildir_litter *litter;
	struct error err = {0};
	size_t count;

	names[0] = '\0';
	if (maildir_litter_list(mailbox, now, &arena, &litter, &count, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < count; i++) {
		strcat(names, litter[i].file);
		strcat(names, " ");
	}
	arena_free(&arena);
	return names;
}

/* Those of other programs: 36 hours after both of their times; nothing is made or changed. */
static void others_litter_after_36_hours(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox = open_mailbox(fixture, false);
	const struct timespec old[2] = {{1000000000, 0}, {1000000000, 0}};
	const int64_t now = time(NULL);

	assert_string_equal(list_at(mailbox, now), "");
	fixture_put(fixture, "m/tmp/1.other", "x", 1);
	assert_int_equal(mkdir(fixture_path(fixture, "m/tmp/dir"), 0700), 0);
	/* One that copies with the original's mtime may be at it: the ctime tells. */
	assert_int_equal(utimensat(AT_FDCWD, fixture_path(fixture, "m/tmp/1.other"), old, 0), 0);
	assert_string_equal(list_at(mailbox, now), "");
	assert_string_equal(list_at(mailbox, now + 35 * HOUR), "");
	assert_string_equal(list_at(mailbox, now + 37 * HOUR), "1.other ");
	assert_int_equal(maildir_litter_remove(mailbox, "1.other", NULL), 0);
	assert_false(fixture_has(fixture, "m/tmp/1.other"));
	assert_int_equal(maildir_litter_remove(mailbox, "1.other", NULL), 0);
	assert_int_equal(maildir_litter_remove(mailbox, "dir", NULL), -1);
	assert_int_equal(rmdir(fixture_path(fixture, "m/tmp/dir")), 0);
	assert_int_equal(rmdir(fixture_path(fixture, "m/tmp")), 0);
	assert_string_equal(list_at(mailbox, now), "");
	assert_int_equal(maildir_litter_remove(mailbox, "1.other", NULL), 0);
	assert_false(fixture_has(fixture, "m/tmp"));
	maildir_mailbox_close(&mailbox);
}

/* Leaves a file of our own naming whose process is gone; its name goes to name. */
static void leave_own(struct fixture *fixture, struct maildir_mailbox *mailbox, char *name)
{
	struct maildir_delivery *delivery;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct maildir_namer namer;
		char own[MAILDIR_FILE_SIZE], below[MAILDIR_FILE_SIZE + 8];

		maildir_namer_init(&namer);
		maildir_namer_make(&namer, own);
		snprintf(below, sizeof(below), "m/tmp/%s", own);
		fixture_put(fixture, below, "x", 1);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(fixture_count(fixture, "m/tmp", name), 1);
	/* and one that is being written */
	assert_int_equal(maildir_deliver_open(mailbox, &delivery, NULL), 0);
	maildir_deliver_close(&delivery, NULL);
	assert_int_equal(fixture_count(fixture, "m/tmp", NULL), 2);
}

/*
 * Our own are litter once their process is gone, or begun 36 hours ago; the sweep takes no others.
 */
static void own_litter_goes_with_its_process(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox = open_mailbox(fixture, true);
	char name[MAILDIR_FILE_SIZE], want[MAILDIR_FILE_SIZE + 1];

	leave_own(fixture, mailbox, name);
	snprintf(want, sizeof(want), "%s ", name);
	assert_string_equal(list_at(mailbox, time(NULL)), want);
	fixture_put(fixture, "m/tmp/1.other", "x", 1);
	maildir_litter_sweep(mailbox);
	assert_int_equal(fixture_count(fixture, "m/tmp", NULL), 2);
	assert_true(fixture_has(fixture, "m/tmp/1.other"));
	maildir_mailbox_close(&mailbox);
}

/* A finished delivery of these bytes. */
static struct maildir_delivery *prepare(struct maildir_mailbox *mailbox, const char *bytes)
{
	struct maildir_delivery *delivery;
	struct identity identity;

	assert_int_equal(maildir_deliver_open(mailbox, &delivery, NULL), 0);
	assert_int_equal(maildir_deliver_write(delivery, bytes, strlen(bytes), NULL), 0);
	assert_int_equal(maildir_deliver_finish(delivery, &identity, NULL), 0);
	assert_int_equal(maildir_deliver_sync(delivery, mailbox, NULL), 0);
	return delivery;
}

/* What a file below the mailbox holds. */
static void expect(const struct fixture *fixture, const char *below, const char *want)
{
	char bytes[64];
	size_t len = fixture_get(fixture, below, bytes, sizeof(bytes) - 1);

	bytes[len] = '\0';
	assert_string_equal(bytes, want);
}

/* The old file is kept; name and flags are those that the message has by now. */
static void replaces_and_keeps(void **state)
{
	struct fixture *fixture = *state;
	bool tree = maildir_tree_layout(fixture->tree) == MAILDIR_LAYOUT_TREE;
	const char *home = tree ? "m" : ".m";
	struct maildir_mailbox *mailbox = open_mailbox(fixture, true);
	struct maildir_delivery *delivery = prepare(mailbox, "good\r\n");
	char below[256];
	struct stat st;

	snprintf(below, sizeof(below), "%s/new/1.a", home);
	fixture_put(fixture, below, "bad\n", 4);
	snprintf(below, sizeof(below), "%s/cur/2.b:2,FS", home);
	fixture_put(fixture, below, "worse\n", 6);
	assert_int_equal(maildir_deliver_replace(delivery, mailbox, "2.b", 1234567890, NULL), 0);
	maildir_deliver_close(&delivery, mailbox);
	expect(fixture, below, "good\n");
	assert_int_equal(stat(fixture_path(fixture, below), &st), 0);
	assert_int_equal(st.st_mtime, 1234567890);
	assert_true(mailbox->dirty[MAILDIR_CUR]);
	snprintf(below, sizeof(below), "%s/%s" MAILDIR_KEPT "/2.b:2,FS", home, tree ? "." : "");
	expect(fixture, below, "worse\n");
	snprintf(below, sizeof(below), "%s/new/1.a", home);
	expect(fixture, below, "bad\n");
	snprintf(below, sizeof(below), "%s/tmp", home);
	assert_int_equal(fixture_count(fixture, below, NULL), 0);
	/* It is no mailbox. */
	struct arena arena = {0};
	struct maildir_listing *listing;
	size_t count;
	assert_int_equal(maildir_tree_list(fixture->tree, &arena, &listing, &count, NULL), 0);
	assert_int_equal(count, 1);
	arena_free(&arena);
	maildir_mailbox_close(&mailbox);
}

/* Where it cannot be done nothing is changed. */
static void replaces_nothing_else(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox = open_mailbox(fixture, true);
	struct maildir_delivery *delivery = prepare(mailbox, "good\r\n");
	struct error err = {0};

	assert_int_equal(maildir_deliver_replace(delivery, mailbox, "1.a", 1, &err), -1);
	assert_int_equal(err.sys, ENOENT);
	/* A name that says S=W would have LF for LF: the message would be another one. */
	fixture_put(fixture, "m/cur/1.a,S=5,W=5:2,", "12345", 5);
	assert_int_equal(maildir_deliver_replace(delivery, mailbox, "1.a,S=5,W=5", 1, &err), -1);
	assert_int_equal(err.sys, EINVAL);
	expect(fixture, "m/cur/1.a,S=5,W=5:2,", "12345");
	maildir_deliver_close(&delivery, mailbox);
	assert_int_equal(fixture_count(fixture, "m/tmp", NULL), 0);
	maildir_mailbox_close(&mailbox);
}

/* What was kept before stays; one that a stopped run has kept already is not kept twice. */
static void keeps_each(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox = open_mailbox(fixture, true);
	struct maildir_delivery *delivery;

	fixture_put(fixture, "m/cur/2.b:2,", "bad 0\n", 6);
	for (int i = 1; i < 4; i++) {
		delivery = prepare(mailbox, "good\r\n");
		assert_int_equal(maildir_deliver_replace(delivery, mailbox, "2.b", 1, NULL), 0);
		maildir_deliver_close(&delivery, mailbox);
		expect(fixture, "m/cur/2.b:2,", "good\n");
		char bad[] = "bad 0\n";
		bad[4] = (char)('0' + i);
		fixture_put(fixture, "m/cur/2.b:2,", bad, 6);
	}
	assert_int_equal(fixture_count(fixture, "m/." MAILDIR_KEPT, NULL), 3);
	expect(fixture, "m/." MAILDIR_KEPT "/2.b:2,", "bad 0\n");
	expect(fixture, "m/." MAILDIR_KEPT "/2.b:2,~1", "bad 1\n");
	expect(fixture, "m/." MAILDIR_KEPT "/2.b:2,~2", "bad 2\n");
	char from[PATH_MAX];
	snprintf(from, sizeof(from), "%s", fixture_path(fixture, "m/cur/2.b:2,"));
	assert_int_equal(link(from, fixture_path(fixture, "m/." MAILDIR_KEPT "/2.b:2,~3")), 0);
	delivery = prepare(mailbox, "good\r\n");
	assert_int_equal(maildir_deliver_replace(delivery, mailbox, "2.b", 1, NULL), 0);
	maildir_deliver_close(&delivery, mailbox);
	assert_int_equal(fixture_count(fixture, "m/." MAILDIR_KEPT, NULL), 4);
	maildir_mailbox_close(&mailbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(others_litter_after_36_hours, fixture_setup,
					    fixture_teardown),
	    cmocka_unit_test_setup_teardown(own_litter_goes_with_its_process, fixture_setup,
					    fixture_teardown),
	    cmocka_unit_test_setup_teardown(replaces_and_keeps, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(replaces_and_keeps, fixture_setup_plusplus,
					    fixture_teardown),
	    cmocka_unit_test_setup_teardown(replaces_nothing_else, fixture_setup,
					    fixture_teardown),
	    cmocka_unit_test_setup_teardown(keeps_each, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
