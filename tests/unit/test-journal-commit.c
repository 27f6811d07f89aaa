// SPDX-License-Identifier: GPL-3.0-or-later
/* What a commit writes and syncs, and when the file is made anew; and calls that fail meanwhile. */

#include "journal-fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One fdatasync a commit; one fsync of the directory when the file is made; none for nothing. */
static void test_syncs(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal_head head = fixture_head(2);
	struct journal *journal = fixture_load(dir, "INBOX");

	(void)state;
	fixture_reset_calls();
	fixture_put(journal, 1);
	fixture_commit(journal, NULL);
	assert_int_equal(fixture_fdatasync.count, 1);
	assert_int_equal(fixture_fsync.count, 1);
	assert_int_equal(fixture_write.count, 1);
	for (uint32_t n = 2; n < 10; n++) {
		fixture_reset_calls();
		for (uint32_t i = 0; i < n; i++)
			fixture_put(journal, n * 100 + i);
		fixture_commit(journal, n % 2 == 0 ? &head : NULL);
		assert_int_equal(fixture_fdatasync.count, 1);
		assert_int_equal(fixture_fsync.count, 0);
		assert_int_equal(fixture_write.count, 1);
	}
	fixture_reset_calls();
	fixture_put(journal, 100); /* not there: a change; then back: none that matters */
	journal_forget(journal, 100);
	journal_end_note(journal, JOURNAL_MOVING, 5, NULL);
	journal_forget(journal, 4000000000u);
	fixture_commit(journal, &head);
	assert_int_equal(fixture_fdatasync.count, 1);
	fixture_reset_calls();
	fixture_put(journal, 101);
	fixture_commit(journal, &head);
	fixture_reset_calls();
	fixture_put(journal, 101); /* as it is */
	journal_end_note(journal, JOURNAL_MOVING, 5, "x");
	journal_forget(journal, 4000000000u);
	fixture_commit(journal, &head);
	fixture_commit(journal, NULL);
	assert_int_equal(fixture_fdatasync.count + fixture_fsync.count + fixture_write.count, 0);
	journal_close(&journal);
	fixture_reset_calls();
	journal = fixture_open(dir, "INBOX"); /* an unchanged mailbox: nothing written */
	journal_close(&journal);
	assert_int_equal(fixture_fdatasync.count + fixture_fsync.count + fixture_write.count, 0);
	fixture_expect_on_disk(dir, "INBOX", journal = fixture_load(dir, "INBOX"));
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* Changes the n-th field of a head that the caller sets; false where there is no such field. */
static bool change_head(struct journal_head *head, int n)
{
	switch (n) {
	case 0: head->uidvalidity++; return true;
	case 1: head->uidnext++; return true;
	case 2: head->highestmodseq++; return true;
	case 3: head->remote_messages++; return true;
	case 4: head->mailbox_id++; return true;
	case 5: head->cur_ns++; return true;
	case 6: head->new_ns++; return true;
	case 7: head->inode++; return true;
	case 8: head->policy++; return true;
	case 9: head->even = !head->even; return true;
	default: return false;
	}
}

/* A head that differs in one field is a change, and so is a keyword; what was known is none. */
static void test_small_changes(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct journal_note note = fixture_note(JOURNAL_MOVING, 3);
	struct journal_head head = {0};

	(void)state;
	fixture_reset_calls();
	for (int n = 0; change_head(&head, n); n++) {
		fixture_commit(journal, &head);
		fixture_commit(journal, &head);
		assert_int_equal(fixture_fdatasync.count, n + 1);
		fixture_expect_on_disk(dir, "INBOX", journal);
	}
	journal_note(journal, &note);
	fixture_commit(journal, NULL);
	fixture_reset_calls();
	journal_note(journal, &note);
	fixture_commit(journal, NULL);
	assert_int_equal(fixture_write.count, 0);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* Small files are left alone; large ones are made anew when they hold twice what they need. */
static void test_compaction(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct journal_note note = fixture_note(JOURNAL_REFUSED, 2);
	long largest = 0, last = 0;
	int compactions = 0;

	(void)state;
	fixture_put(journal, 1);
	journal_note(journal, &note);
	for (uint32_t n = 0; n < 3000; n++) {
		struct pair pair = fixture_pair(2 + n % 50);
		long size;

		pair.size = n;
		journal_put(journal, &pair);
		fixture_reset_calls();
		fixture_commit(journal, NULL);
		size = fixture_size("INBOX.journal");
		assert_int_equal(fixture_fsync.count, n == 0 || size < last ? 1 : 0);
		assert_int_equal(fixture_fdatasync.count, size < last ? 2 : 1);
		compactions += size < last;
		largest = size > largest ? size : largest;
		last = size;
	}
	assert_in_range(largest, 64 * 1024 - 400, 64 * 1024 + 400);
	assert_in_range(compactions, 5, 50);
	fixture_expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal = fixture_load(dir, "INBOX"); /* and goes on after it */
	fixture_put(journal, 9000);
	fixture_commit(journal, NULL);
	fixture_expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/*
 * A large journal that needs all it holds is not written anew; one that lost its rows is, in
 * several pieces.
 */
static void test_compaction_of_large(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	long size;

	(void)state;
	for (uint32_t uid = 1; uid <= 6000; uid++)
		fixture_put(journal, uid);
	fixture_commit(journal, NULL);
	size = fixture_size("INBOX.journal");
	assert_true(size > 600000);
	fixture_reset_calls();
	fixture_put(journal, 6001);
	fixture_commit(journal, NULL);
	assert_int_equal(fixture_fdatasync.count, 1);
	for (uint32_t uid = 1; uid <= 4500; uid++)
		journal_forget(journal, uid);
	fixture_commit(journal, NULL);
	journal_close(&journal);
	journal = fixture_load(dir, "INBOX");
	fixture_put(journal, 6002);
	fixture_commit(journal, NULL);
	assert_true(fixture_size("INBOX.journal") < size / 2);
	fixture_expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* A first pull leaves a note beside each pair: they go when it is over, and not before. */
static void test_compaction_at_the_end(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	const struct journal_head head = {.uidvalidity = 7, .uidnext = 3002, .even = true};
	const struct journal_head uneven = {.uidvalidity = 7, .uidnext = 3001};
	long size;

	(void)state;
	for (uint32_t uid = 1; uid <= 1000; uid++) {
		struct journal_note note = fixture_note(JOURNAL_PUBLISHING, uid);

		journal_note(journal, &note);
	}
	fixture_commit(journal, NULL);
	for (uint32_t uid = 1; uid <= 1000; uid++)
		fixture_put(journal, uid);
	fixture_reset_calls();
	fixture_commit(journal, &uneven);
	size = fixture_size("INBOX.journal");
	assert_int_equal(fixture_fdatasync.count, 1);
	fixture_commit(journal, &head);
	assert_int_equal(fixture_fdatasync.count, 3);
	assert_true(fixture_size("INBOX.journal") < size / 3 * 2);
	fixture_expect_on_disk(dir, "INBOX", journal);
	fixture_reset_calls();
	fixture_put(journal, 1001);
	fixture_commit(journal, &uneven);
	fixture_commit(journal, &head);
	assert_int_equal(fixture_fdatasync.count, 2);
	fixture_expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* What holds notes alone is made anew like any other. */
static void test_compaction_of_notes(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	long largest = 0;

	(void)state;
	for (uint32_t n = 0; n < 1500; n++) {
		struct journal_note note = fixture_note(JOURNAL_REFUSED, 1 + n % 20);

		note.floor = n;
		journal_note(journal, &note);
		fixture_commit(journal, NULL);
		if (fixture_size("INBOX.journal") > largest)
			largest = fixture_size("INBOX.journal");
	}
	assert_in_range(largest, 60 * 1024, 70 * 1024);
	fixture_expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* FAULTS 3, 4, 7: a failed write or sync: told, cut back, closed, and the state before it stays. */
static void test_failing_append(void **state)
{
	struct fixture_call *const calls[] = {&fixture_write, &fixture_write, &fixture_fdatasync};
	const int errors[] = {ENOSPC, ENOSPC, EIO};
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct error err;

	(void)state;
	fixture_put(journal, 1);
	fixture_commit(journal, NULL);
	for (int i = 0; i < 3; i++) {
		struct journal *before = fixture_load(dir, "INBOX");
		long size = fixture_size("INBOX.journal");

		fixture_put(journal, 2);
		fixture_reset_calls();
		calls[i]->fail_after = i == 1 ? 1 : 0; /* 1: half is written first */
		calls[i]->error = errors[i];
		assert_int_equal(journal_commit(journal, NULL, &err), -1);
		assert_int_equal(err.kind, ERROR_IO);
		assert_int_equal(err.sys, errors[i]);
		assert_int_equal(err.scope, SCOPE_MAILBOX);
		assert_non_null(strstr(err.text, "INBOX.journal"));
		assert_int_equal(fixture_fdatasync.count, i == 2 ? 1 : 0); /* never tried again */
		assert_int_equal(fixture_size("INBOX.journal"), size);
		fixture_reset_calls();
		fixture_put(journal, 3);
		assert_int_equal(journal_commit(journal, NULL, &err), -1);
		assert_non_null(strstr(err.text, "takes no more"));
		assert_int_equal(fixture_write.count + fixture_fdatasync.count, 0);
		journal_close(&journal);
		journal = fixture_load(dir, "INBOX");
		fixture_expect_same(before, journal);
		journal_close(&before);
	}
	journal_close(&journal);
	journal_dir_close(&dir);
	assert_int_equal(fixture_warnings, 0);
}

/* Where even cutting back fails, the next run finds a torn tail, or a whole transaction. */
static void test_failing_cut(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct journal *before;
	struct error err;

	(void)state;
	fixture_put(journal, 1);
	fixture_commit(journal, NULL);
	before = fixture_load(dir, "INBOX");
	fixture_put(journal, 2);
	fixture_write.fail_after = 1;
	fixture_ftruncate.fail_after = 0;
	assert_int_equal(journal_commit(journal, NULL, &err), -1);
	assert_int_equal(err.sys, EIO);
	assert_int_equal(fixture_warnings, 1);
	journal_close(&journal);
	fixture_reset_calls();
	fixture_ftruncate.fail_after =
	    0; /* nor at opening: told, and nothing is appended behind it */
	assert_int_equal(journal_open(dir, "INBOX", &journal, &err), -1);
	assert_null(journal);
	fixture_reset_calls();
	fixture_fdatasync.fail_after = 0;
	assert_int_equal(journal_open(dir, "INBOX", &journal, &err), -1);
	fixture_reset_calls();
	journal = fixture_load(dir, "INBOX");
	fixture_expect_same(before, journal);
	journal_close(&before);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* The first commit makes the file: it is there whole, or not at all. */
static void test_failing_creation(void **state)
{
	struct fixture_call *const calls[] = {&fixture_write, &fixture_write, &fixture_fdatasync};
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal;
	struct error err;

	(void)state;
	for (int i = 0; i < 3; i++) {
		journal = fixture_load(dir, "INBOX");
		fixture_put(journal, 1);
		calls[i]->fail_after = i == 1 ? 1 : 0;
		assert_int_equal(journal_commit(journal, NULL, &err), -1);
		assert_int_equal(journal_commit(journal, NULL, &err), -1);
		assert_int_equal(fixture_size("INBOX.journal"), -1);
		assert_int_equal(fixture_size(".INBOX.journal.tmp"), -1);
		fixture_reset_calls();
		journal_close(&journal);
	}
	journal = fixture_load(dir, "INBOX");
	fixture_put(journal, 1);
	fixture_fsync.fail_after = 0; /* the directory: renamed, but who knows */
	assert_int_equal(journal_commit(journal, NULL, &err), -1);
	fixture_reset_calls();
	journal_close(&journal);
	journal = fixture_load(dir, "INBOX");
	assert_int_equal(journal_head(journal)->pairs, 1);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* Compaction that fails does no harm: what was committed is, and the next commit works. */
static void test_failing_compaction(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	bool failed = false;

	(void)state;
	for (uint32_t n = 0; n < 1500; n++) {
		struct pair pair = fixture_pair(1);

		pair.size = n;
		journal_put(journal, &pair);
		fixture_reset_calls();
		fixture_fdatasync.fail_after = 1; /* the second of a commit is compaction's */
		if (n == 0)
			fixture_reset_calls();
		fixture_commit(journal, NULL);
		failed |= fixture_fdatasync.fail_after < 0 && n > 0;
	}
	assert_true(failed);
	assert_true(fixture_warnings > 0);
	assert_true(fixture_size("INBOX.journal") > 64 * 1024);
	fixture_reset_calls();
	fixture_expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* A large journal that lost most of its rows and gets a new one: its commit makes it anew. */
static struct journal *open_to_compact(struct journal_dir *dir)
{
	struct journal *journal = fixture_load(dir, "INBOX");

	for (uint32_t uid = 1; uid <= 6000; uid++)
		fixture_put(journal, uid);
	fixture_commit(journal, NULL);
	for (uint32_t uid = 1; uid <= 4500; uid++)
		journal_forget(journal, uid);
	fixture_commit(journal, NULL);
	journal_close(&journal);
	journal = fixture_load(dir, "INBOX");
	fixture_put(journal, 6001);
	return journal;
}

/* FAULTS 4: in any of several pieces, or before the first: the old file serves on. */
static void test_failing_compaction_of_large(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	char in_the_way[256];

	(void)state;
	snprintf(in_the_way, sizeof(in_the_way), "%s/.INBOX.journal.tmp", fixture_state);
	for (int i = 0; i < 4; i++) {
		struct journal *journal = open_to_compact(dir);
		long size = fixture_size("INBOX.journal");

		fixture_reset_calls();
		fixture_warnings = 0;
		if (i < 3)
			fixture_write.fail_after = 2 + i; /* in the midst of a piece */
		else
			assert_int_equal(mkdir(in_the_way, 0700), 0);
		fixture_commit(journal, NULL);
		assert_int_equal(fixture_warnings, 1);
		assert_true(fixture_size("INBOX.journal") > size);
		fixture_expect_on_disk(dir, "INBOX", journal);
		fixture_reset_calls();
		fixture_put(journal, 9000);
		fixture_commit(journal, NULL);
		fixture_expect_on_disk(dir, "INBOX", journal);
		journal_close(&journal);
		assert_int_equal(journal_remove(dir, "INBOX", NULL), 0);
	}
	assert_int_equal(rmdir(in_the_way), 0);
	journal_dir_close(&dir);
}

/*
 * FAULTS 7: a new file whose name could not be synced may be gone after a power cut, and with it
 * what is appended to it: nothing is.
 */
static void test_unsynced_compaction(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = open_to_compact(dir);
	struct error err;
	long size;

	(void)state;
	fixture_reset_calls();
	fixture_fsync.fail_after = 0;
	fixture_commit(journal, NULL);
	assert_int_equal(fixture_warnings, 1);
	size = fixture_size("INBOX.journal");
	fixture_reset_calls();
	fixture_put(journal, 9000);
	assert_int_equal(journal_commit(journal, NULL, &err), -1);
	assert_non_null(strstr(err.text, "takes no more"));
	assert_int_equal(fixture_write.count + fixture_fsync.count + fixture_fdatasync.count, 0);
	assert_int_equal(fixture_size("INBOX.journal"), size);
	journal_close(&journal);
	journal = fixture_load(dir, "INBOX");
	assert_int_equal(journal_head(journal)->pairs, 1501);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* What another program does to the file between two commits is found, not written over. */
static void test_changed_meanwhile(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	char path[256], moved[256];
	struct buf text;

	(void)state;
	snprintf(path, sizeof(path), "%s/INBOX.journal", fixture_state);
	snprintf(moved, sizeof(moved), "%s/moved", fixture_state);
	for (int i = 0; i < 3; i++) {
		struct journal *journal = fixture_load(dir, "INBOX");
		struct error err;

		fixture_put(journal, 1);
		fixture_commit(journal, NULL);
		buf_init(&text, 65536);
		fixture_read("INBOX.journal", &text);
		if (i == 0)
			fixture_write_file("INBOX.journal", "grown", 5);
		else
			assert_int_equal(rename(path, moved), 0);
		if (i == 1) /* the same bytes, but another file */
			fixture_write_file("INBOX.journal", text.data, text.len);
		fixture_put(journal, 2);
		assert_int_equal(journal_commit(journal, NULL, &err), -1);
		assert_int_equal(err.kind, ERROR_IO);
		assert_int_equal(fixture_size("INBOX.journal"), i == 0   ? 5
								: i == 1 ? (long)text.len
									 : -1);
		journal_close(&journal);
		assert_int_equal(journal_remove(dir, "INBOX", NULL), 0);
		buf_free(&text);
	}
	journal_dir_close(&dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_syncs),
	    TEST(test_small_changes),
	    TEST(test_compaction),
	    TEST(test_compaction_of_large),
	    TEST(test_compaction_at_the_end),
	    TEST(test_compaction_of_notes),
	    TEST(test_failing_append),
	    TEST(test_failing_cut),
	    TEST(test_failing_creation),
	    TEST(test_failing_compaction),
	    TEST(test_failing_compaction_of_large),
	    TEST(test_unsynced_compaction),
	    TEST(test_changed_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
