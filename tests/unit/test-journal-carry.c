// SPDX-License-Identifier: GPL-3.0-or-later
/* A journal that becomes that of another mailbox: what is committed comes along, once. */

#include "journal-fixture.h"

#include "journal/record.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAIRS 40u
#define STEPS 4 /* before and after the rename, before and after the removal */

int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);

/* Steps until the process is killed; 0: never. */
static int steps_left;

static void step(void)
{
	if (steps_left > 0 && --steps_left == 0)
		raise(SIGKILL);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int rc;

	step();
	rc = __real_renameat(from_dir, from, to_dir, to);
	step();
	return rc;
}

int __wrap_unlinkat(int dir, const char *name, int flags)
{
	int rc;

	step();
	rc = __real_unlinkat(dir, name, flags);
	step();
	return rc;
}

/* All that a journal holds, as text. */
static struct buf dump(const struct journal *journal)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	fixture_dump(journal, &out);
	return out;
}

/* Asserts that the journal of this mailbox holds on the disk what was dumped. */
static void expect_held(struct journal_dir *dir, const char *mailbox, const struct buf *expected)
{
	struct journal *journal = fixture_load(dir, mailbox);
	struct buf held = dump(journal);

	assert_string_equal(held.data, expected->data);
	buf_free(&held);
	journal_close(&journal);
}

/* A committed journal of several transactions with pairs, every kind of note, and refusals. */
static struct journal *make(struct journal_dir *dir, const char *mailbox)
{
	struct journal *journal = fixture_load(dir, mailbox);
	struct journal_head head = fixture_head(8);

	for (uint32_t n = 1; n <= PAIRS; n++) {
		struct pair pair = fixture_pair(n);
		struct journal_note note =
		    fixture_note((enum journal_note_kind)(n % (JOURNAL_REFUSED + 1)), 100 + n);

		journal_put(journal, &pair);
		journal_note(journal, &note);
		if (n % 8 == 0)
			fixture_commit(journal, &head);
	}
	journal_refuse_keywords(journal, REMOTE, keywords_of("Work", 4));
	fixture_commit(journal, NULL);
	return journal;
}

/* Leaves changes of each kind uncommitted. */
static void change(struct journal *journal)
{
	struct pair pair = fixture_pair(PAIRS + 1);
	struct journal_note note = fixture_note(JOURNAL_APPENDING, 999);

	journal_put(journal, &pair);
	journal_forget(journal, 1);
	pair = fixture_pair(2);
	pair.flags.bits ^= FLAG_SEEN;
	journal_put(journal, &pair);
	journal_note(journal, &note);
}

/* Carries, and shows why not where it failed. */
static void carry(struct journal *journal, const char *mailbox)
{
	struct error err = {0};

	if (journal_carry(journal, mailbox, &err) < 0)
		print_error("%s\n", err.text);
	assert_string_equal(err.text, "");
}

/* The open transaction stays open: closing drops it, committing makes it last. */
static void test_open_transaction(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);

	(void)state;
	for (int commits = 0; commits < 2; commits++) {
		struct journal *journal = make(dir, "Work");
		struct buf before = dump(journal), after;

		change(journal);
		carry(journal, "Arbeit/é");
		assert_int_equal(fixture_size("Work.journal"), -1);
		assert_int_equal(fixture_size("Arbeit%2Fé.journal"), journal_size(journal));
		expect_held(dir, "Arbeit/é", &before);
		assert_non_null(journal_pair_of_uid(journal, PAIRS + 1));
		if (commits)
			fixture_commit(journal, NULL);
		after = dump(journal);
		expect_held(dir, "Arbeit/é", commits ? &after : &before);
		assert_int_equal(fixture_size("Work.journal"), -1);
		buf_free(&before);
		buf_free(&after);
		journal_close(&journal);
		assert_int_equal(journal_remove(dir, "Arbeit/é", NULL), 0);
	}
	journal_dir_close(&dir);
}

/* To its own name, to another and back; unloaded; and then as if it had always been there. */
static void test_to_and_fro(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = make(dir, "a");
	struct buf before = dump(journal);
	uint64_t size = journal_size(journal);

	(void)state;
	fixture_reset_calls();
	carry(journal, "a");
	assert_int_equal(fixture_write.count + fixture_fsync.count, 0);
	carry(journal, "b");
	assert_true(journal_size(journal) < size); /* compacted */
	assert_int_equal(fixture_fdatasync.count, 1);
	assert_int_equal(fixture_fsync.count, 2);
	carry(journal, "a");
	carry(journal, "c");
	journal_close(&journal);
	journal = fixture_open(dir, "c");
	carry(journal, "a");
	assert_int_equal(journal_load(journal, NULL), 0);
	expect_held(dir, "a", &before);
	change(journal);
	fixture_commit(journal, NULL);
	journal_close(&journal);
	assert_int_equal(fixture_size("b.journal"), -1);
	assert_int_equal(fixture_size("c.journal"), -1);
	buf_free(&before);
	journal_dir_close(&dir);
}

/* What was never committed has no file, and makes it under the new name. */
/* Whatever the order in which pairs came: done once more, it makes the same bytes. */
static void test_in_order(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "a");
	struct buf file;
	const char *at;

	(void)state;
	for (uint32_t uid = 9; uid > 0; uid--)
		fixture_put(journal, uid);
	fixture_commit(journal, NULL);
	carry(journal, "b");
	journal_close(&journal);
	buf_init(&file, 1 << 20);
	fixture_read("b.journal", &file);
	at = file.data;
	for (unsigned uid = 1; uid <= 9; uid++) {
		at = strstr(at, "\np ");
		assert_non_null(at);
		assert_int_equal(at[3] - '0', uid);
		at += 3;
	}
	buf_free(&file);
	journal_dir_close(&dir);
}

static void test_without_file(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "a");
	struct error err;
	struct buf held;

	(void)state;
	assert_int_equal(journal_size(journal), 0);
	change(journal);
	fixture_write_file("b.journal", "", 0);
	assert_int_equal(journal_carry(journal, "b", &err), -1);
	assert_int_equal(err.sys, EEXIST);
	assert_int_equal(journal_remove(dir, "b", NULL), 0);
	carry(journal, "b");
	assert_int_equal(fixture_size("b.journal"), -1);
	fixture_commit(journal, NULL);
	held = dump(journal);
	expect_held(dir, "b", &held);
	assert_int_equal(fixture_size("a.journal"), -1);
	buf_free(&held);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* A run that was stopped between the two steps left both: doing it again finishes. */
static void test_again(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = make(dir, "a");
	struct buf before = dump(journal), file, after;

	(void)state;
	buf_init(&file, 1 << 20);
	fixture_read("a.journal", &file);
	carry(journal, "b");
	journal_close(&journal);
	fixture_write_file("a.journal", file.data, file.len);
	journal = fixture_load(dir, "a");
	change(journal);
	fixture_reset_calls();
	carry(journal, "b");
	assert_int_equal(fixture_write.count, 0);
	assert_int_equal(fixture_fsync.count, 2);
	assert_int_equal(fixture_size("a.journal"), -1);
	expect_held(dir, "b", &before);
	fixture_commit(journal, NULL);
	after = dump(journal);
	expect_held(dir, "b", &after);
	journal_close(&journal);
	buf_free(&before);
	buf_free(&after);
	buf_free(&file);
	journal_dir_close(&dir);
}

/* The new name's file may not last before the directory is synced: the old one stays. */
static void test_again_unsynced(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = make(dir, "a");
	struct buf before = dump(journal), file;
	struct error err;

	(void)state;
	buf_init(&file, 1 << 20);
	fixture_read("a.journal", &file);
	carry(journal, "b");
	journal_close(&journal);
	fixture_write_file("a.journal", file.data, file.len);
	journal = fixture_load(dir, "a");
	fixture_fsync.fail_after = 0;
	assert_int_equal(journal_carry(journal, "b", &err), -1);
	assert_int_equal(err.sys, EIO);
	journal_close(&journal);
	expect_held(dir, "a", &before);
	expect_held(dir, "b", &before);
	buf_free(&before);
	buf_free(&file);
	journal_dir_close(&dir);
}

/* What is as long but says something else is another's. */
static void test_taken_by_as_long(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = make(dir, "a");
	struct error err;
	struct buf file;
	char *last;

	(void)state;
	carry(journal, "b"); /* compacted, as the file will be that is compared */
	buf_init(&file, 1 << 20);
	fixture_read("b.journal", &file);
	carry(journal, "a");
	last = &file.data[file.len - 2];
	*last = *last == '0' ? '1' : '0';
	fixture_write_file("b.journal", file.data, file.len);
	assert_int_equal(journal_carry(journal, "b", &err), -1);
	assert_int_equal(err.sys, EEXIST);
	assert_int_equal(fixture_size("b.journal"), file.len);
	assert_int_equal(fixture_size("a.journal"), journal_size(journal));
	journal_close(&journal);
	buf_free(&file);
	journal_dir_close(&dir);
}

/* Another journal under that name: both stay as they are, and the handle serves on. */
static void test_taken(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *other = make(dir, "b");
	struct journal *journal = make(dir, "a");
	struct buf before = dump(journal), theirs;
	struct error err;

	(void)state;
	change(other);
	fixture_commit(other, NULL);
	theirs = dump(other);
	journal_close(&other);
	assert_int_equal(journal_carry(journal, "b", &err), -1);
	assert_int_equal(err.sys, EEXIST);
	assert_int_equal(err.kind, ERROR_IO);
	assert_int_equal(err.scope, SCOPE_MAILBOX);
	assert_non_null(strstr(err.text, "a.journal: cannot be carried over to b: b.journal: "));
	assert_int_equal(journal_carry(journal, "b", NULL), -1);
	expect_held(dir, "a", &before);
	expect_held(dir, "b", &theirs);
	change(journal);
	fixture_commit(journal, NULL);
	assert_int_equal(journal_remove(dir, "b", NULL), 0);
	carry(journal, "b");
	buf_free(&theirs);
	theirs = dump(journal);
	expect_held(dir, "b", &theirs);
	journal_close(&journal);
	buf_free(&before);
	buf_free(&theirs);
	journal_dir_close(&dir);
}

/* FAULTS 3, 4, 7: each write and sync fails once; nothing is lost, and the next run finishes. */
static void test_failing(void **state)
{
	struct fixture_call *const calls[] = {&fixture_write, &fixture_write, &fixture_fdatasync,
					      &fixture_fsync, &fixture_fsync};
	const int after[] = {0, 1, 0, 0, 1}; /* a write's 1: half of it; fsync's: the removal's */
	struct journal_dir *dir = fixture_open_dir(true);
	struct error err;

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct journal *journal = make(dir, "a");
		struct buf before = dump(journal);
		long size;

		change(journal);
		fixture_reset_calls();
		calls[i]->fail_after = after[i];
		assert_int_equal(journal_carry(journal, "b", &err), -1);
		assert_int_equal(err.kind, ERROR_IO);
		assert_int_equal(err.sys, EIO);
		fixture_reset_calls();
		assert_int_equal(journal_carry(journal, "b", &err), -1);
		assert_int_equal(journal_commit(journal, NULL, &err), -1);
		assert_non_null(strstr(err.text, "takes no more"));
		assert_int_equal(fixture_write.count, 0);
		journal_close(&journal);
		size = fixture_size("a.journal");
		assert_int_equal(size < 0, i == 4);
		assert_int_equal(fixture_size("b.journal") < 0, i < 3);
		journal = fixture_load(dir, size < 0 ? "b" : "a");
		carry(journal, "b");
		expect_held(dir, "b", &before);
		assert_int_equal(fixture_size("a.journal"), -1);
		journal_close(&journal);
		buf_free(&before);
		assert_int_equal(journal_remove(dir, "b", NULL), 0);
	}
	journal_dir_close(&dir);
}

/* A stop at each step: the journal is there whole, under one name or both, and the next run ends as
 * an unbroken one does. */
static void test_stopped(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);

	(void)state;
	for (int n = 1; n <= STEPS; n++) {
		struct journal *journal = make(dir, "a");
		struct buf before = dump(journal);
		pid_t child = fork();
		int status;

		if (child == 0) {
			steps_left = n;
			change(journal);
			journal_carry(journal, "b", NULL);
			_exit(0);
		}
		journal_close(&journal);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(fixture_size("a.journal") >= 0, n < STEPS);
		assert_int_equal(fixture_size("b.journal") >= 0, n > 1);
		expect_held(dir, n < STEPS ? "a" : "b", &before);
		journal = fixture_load(dir, n < STEPS ? "a" : "b");
		carry(journal, "b");
		expect_held(dir, "b", &before);
		assert_int_equal(fixture_size("a.journal"), -1);
		assert_int_equal(fixture_size(".b.journal.tmp"), -1);
		journal_close(&journal);
		buf_free(&before);
		assert_int_equal(journal_remove(dir, "b", NULL), 0);
	}
	journal_dir_close(&dir);
}

/*
 * The file of a journal of so many transactions: the last adds a pair whose name makes it this long
 * (0: as short as can be). It is written in place.
 */
static size_t write_file(uint64_t transactions, size_t size)
{
	const struct record_owner owner = {"a", "", ""};
	const struct journal_head none = {0};
	struct journal_head head = {.pairs = 1};
	size_t start = 0, name;
	struct buf file, commit;

	buf_init(&file, 1 << 20);
	buf_init(&commit, 4096);
	record_put_first(&file, &owner);
	for (uint64_t n = 1; n < transactions; n++, start = file.len)
		record_put_commit(&file, start, n, &none);
	record_put_commit(&commit, 0, transactions, &head);
	buf_puts(&file, "p 1 - - - - - - - n");
	for (name = file.len + 1 + commit.len; name < size; name++)
		buf_putc(&file, 'n');
	buf_putc(&file, '\n');
	record_put_commit(&file, start, transactions, &head);
	fixture_write_file("a.journal", file.data, file.len);
	size = file.len;
	buf_free(&file);
	buf_free(&commit);
	return size;
}

/* Neither another file of the same length nor, in its place, another history is what was read. */
static void test_as_long_meanwhile(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	size_t size = write_file(3, 0);
	struct journal *journal;
	char path[256], moved[256];
	struct error err;

	(void)state;
	snprintf(path, sizeof(path), "%s/a.journal", fixture_state);
	snprintf(moved, sizeof(moved), "%s/moved", fixture_state);
	for (int renamed = 0; renamed < 2; renamed++) {
		journal = fixture_load(dir, "a");
		assert_int_equal(journal_size(journal), size);
		if (renamed)
			assert_int_equal(rename(path, moved), 0);
		assert_int_equal(write_file(2, size), size);
		assert_int_equal(journal_carry(journal, "b", &err), -1);
		assert_non_null(strstr(err.text, "another program"));
		assert_int_equal(fixture_size("a.journal"), size);
		assert_int_equal(fixture_size("b.journal"), -1);
		journal_close(&journal);
	}
	journal_dir_close(&dir);
}

/* A file that is not the one that was read is not carried anywhere. */
static void test_changed_meanwhile(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = make(dir, "a");
	struct journal *second = fixture_load(dir, "a");
	struct error err;
	char longest[2050];

	(void)state;
	change(second);
	fixture_commit(second, NULL);
	journal_close(&second);
	assert_int_equal(journal_carry(journal, "b", &err), -1);
	assert_non_null(strstr(err.text, "another program"));
	journal_close(&journal);
	journal = fixture_load(dir, "a");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[2049] = '\0';
	assert_int_equal(journal_carry(journal, longest, &err), -1);
	assert_non_null(strstr(err.text, "too long"));
	journal_close(&journal);
	assert_true(fixture_size("a.journal") > 0);
	assert_int_equal(fixture_size("b.journal"), -1);
	journal_dir_close(&dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_open_transaction),  TEST(test_to_and_fro),
	    TEST(test_without_file),      TEST(test_again),
	    TEST(test_again_unsynced),    TEST(test_taken),
	    TEST(test_taken_by_as_long),  TEST(test_failing),
	    TEST(test_stopped),           TEST(test_as_long_meanwhile),
	    TEST(test_changed_meanwhile), TEST(test_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
