// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a message costs in memory, in bytes that are counted: README's "Growth" names these figures.
 * Names are counted apart, and room that is left in the last piece of an arena.
 */
#include "maildir-fixture.h"
#include "memory.h"

#include "journal/rows.h"
#include "maildir/scan.h"
#include "sync/snapshot.h"

#include <stdio.h>
#include <string.h>

#define MANY         100000
#define NAME_BYTES   32 /* of the name below, its NUL counted */
#define PIECE        ((size_t)1 << 20)
#define PAIR_BYTES   98
#define SIDE_BYTES   8 /* of a pair, in each side's snapshot */
#define FILE_BYTES   31
#define HEADER_BYTES 8192 /* of all else that there is one of, at most */

/* The pair of a UID, with a name in there. */
static struct pair named_pair(uint32_t uid, char name[NAME_BYTES])
{
	assert_int_equal(snprintf(name, NAME_BYTES, "%010u.M123456P789Q123.host", uid),
			 NAME_BYTES - 1);
	return (struct pair){.uid = uid, .name = name};
}

static void pairs_cost_little(void **state)
{
	struct rows *rows = rows_open();
	size_t before = memory_held(), held;
	char name[NAME_BYTES];

	(void)state;
	rows_expect(rows, MANY);
	for (uint32_t uid = 1; uid <= MANY; uid++) {
		const struct pair pair = named_pair(uid, name);

		rows_put(rows, &pair);
	}
	held = memory_held() - before;
	assert_in_range(held, (PAIR_BYTES + NAME_BYTES) * MANY,
			(PAIR_BYTES + NAME_BYTES) * MANY + PIECE + HEADER_BYTES);
	rows_close(&rows);
	assert_true(memory_held() < before);
}

/* What a stopped run or the batches of a pull noted is not paid for when it is over. */
static void notes_that_ended_cost_nothing(void **state)
{
	const uint32_t many = 1000;
	struct rows *rows = rows_open();
	size_t before = memory_held();
	char name[NAME_BYTES];

	(void)state;
	for (uint32_t n = 1; n <= many; n++) {
		const struct pair pair = named_pair(n, name);

		assert_true(rows_note(rows, &(struct journal_note){.kind = JOURNAL_PUBLISHING,
								   .uid = pair.uid,
								   .name = pair.name}));
	}
	assert_true(memory_held() - before >= many * sizeof(struct journal_note));
	for (uint32_t n = 1; n <= many; n++)
		assert_true(rows_end_note(rows, JOURNAL_PUBLISHING, n, NULL));
	assert_int_equal(memory_held(), before);
	rows_close(&rows);
}

/* How a side holds what the journal knows costs no more than that. */
static void sides_cost_little(void **state)
{
	struct fixture *fixture = *state;
	struct journal_dir *dir;
	struct journal *journal;
	struct snapshot snapshot;
	struct error err;
	size_t before, held, count;
	char name[NAME_BYTES];

	assert_int_equal(journal_dir_open(fixture_path(fixture, "state"), true, &dir, &err), 0);
	assert_int_equal(journal_open(dir, "INBOX", &journal, &err), 0);
	assert_int_equal(journal_load(journal, &err), 0);
	for (uint32_t uid = 1; uid <= MANY / 10; uid++) {
		const struct pair pair = named_pair(uid, name);

		journal_put(journal, &pair);
	}
	journal_pairs(journal, &count);
	before = memory_held();
	snapshot_begin(&snapshot, LOCAL, journal);
	held = memory_held() - before;
	assert_in_range(held, SIDE_BYTES * count, SIDE_BYTES * count + HEADER_BYTES);
	snapshot_free(&snapshot);
	assert_int_equal(memory_held(), before);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* Of what a directory gives, only the names of messages are kept. */
static void files_cost_little(void **state)
{
	const size_t many = 3000, each = FILE_BYTES + sizeof("name-of-some-length.0000:2,S");
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	struct error err;
	size_t before, held;
	char file[64];

	fixture_create(fixture, "m");
	for (unsigned i = 0; i < many; i++) {
		snprintf(file, sizeof(file), "m/cur/name-of-some-length.%04u:2,S", i);
		fixture_put(fixture, file, "b", 1);
		snprintf(file, sizeof(file), "m/cur/.no-message-but-a-long-name.%04u", i);
		if (i % 8 == 0)
			fixture_put(fixture, file, "b", 1);
	}
	fixture_age(fixture, "m");
	assert_int_equal(maildir_mailbox_open(fixture->tree, "m", true, &mailbox, &err), 0);
	before = memory_held();
	assert_int_equal(maildir_scan_take(mailbox, &mailbox->scan, &err), 0);
	held = memory_held() - before;
	assert_int_equal(mailbox->scan->count, many);
	assert_in_range(held, many * each, many * each + HEADER_BYTES);
	maildir_mailbox_close(&mailbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pairs_cost_little),
	    cmocka_unit_test(notes_that_ended_cost_nothing),
	    cmocka_unit_test_setup_teardown(sides_cost_little, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(files_cost_little, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
