// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A journal is read in pieces of any size, and what comes of it is the same; a read that fails, or
 * that finds the file shorter than it was, ends in an error or in what was committed by then.
 */
#include "base/buf.h"
#include "journal/record.h"
#include "journal/replay.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define PAIRS   40u
#define COMMITS 3u

/* The file, where its commits end, and what its rows are after each. */
static struct buf text;
static size_t ends[COMMITS + 1];
static struct buf states[COMMITS + 1];
static int file;

/* How many reads go well before one fails, or finds nothing any more; -1: all. */
static struct {
	int left;
	bool fails; /* else the file ends there, from then on */
} plan = {.left = -1};

ssize_t __real_pread(int fd, void *bytes, size_t len, off_t at);
ssize_t __wrap_pread(int fd, void *bytes, size_t len, off_t at);

ssize_t __wrap_pread(int fd, void *bytes, size_t len, off_t at)
{
	if (plan.left == 0) {
		errno = EIO;
		return plan.fails ? -1 : 0;
	}
	plan.left -= plan.left > 0;
	return __real_pread(fd, bytes, len, at);
}

/* Appends a record for each pair. */
static void dump(struct rows *rows, struct buf *out)
{
	size_t count;
	const struct pair *pairs = rows_pairs(rows, &count);

	for (size_t i = 0; i < count; i++)
		record_put_pair(out, &pairs[i]);
}

/* A name of another length for each UID. */
static struct pair make_pair(uint32_t uid)
{
	static char name[PAIRS + 16];

	memset(name, 'n', sizeof(name));
	snprintf(name + uid, sizeof(name) - uid, "%u", uid);
	return (struct pair){.uid = uid, .name = name, .size = uid, .date = 7};
}

/* Closes the transaction that began at the end of the one before. */
static void commit(struct rows *rows, uint64_t number)
{
	const struct journal_head head = {.uidnext = PAIRS, .pairs = rows_count(rows)};

	record_put_commit(&text, ends[number - 1], number, &head);
	ends[number] = text.len;
	dump(rows, &states[number]);
}

/* A long transaction, two short ones, and a tail that is torn. */
static int make_file(void **state)
{
	struct rows *rows = rows_open();

	(void)state;
	buf_init(&text, 1 << 20);
	for (size_t i = 0; i <= COMMITS; i++)
		buf_init(&states[i], 1 << 20);
	buf_puts(&text, RECORD_MAGIC "INBOX a t\n");
	for (uint32_t uid = 1; uid <= PAIRS; uid++) {
		struct pair pair = make_pair(uid);
		rows_put(rows, &pair);
		record_put_pair(&text, &pair);
	}
	commit(rows, 1);
	rows_flag(rows, 7, (struct flags){FLAG_SEEN, 0});
	record_put_flags(&text, 7, (struct flags){FLAG_SEEN, 0});
	commit(rows, 2);
	rows_forget(rows, 9);
	record_put_forget(&text, 9);
	commit(rows, 3);
	record_put_forget(&text, 10);
	buf_puts(&text, "d 1");
	file = memfd_create("journal", MFD_CLOEXEC);
	rows_close(&rows);
	return write(file, text.data, text.len) == (ssize_t)text.len ? 0 : -1;
}

static int drop_file(void **state)
{
	(void)state;
	buf_free(&text);
	for (size_t i = 0; i <= COMMITS; i++)
		buf_free(&states[i]);
	return close(file);
}

/* Reads the file; what was read is what was committed by then. */
static int read_file(size_t piece, bool want_rows, struct replay *replay, struct error *err)
{
	struct rows *rows = rows_open();
	struct buf found;
	int rc = replay_file(file, text.len, piece, want_rows ? rows : NULL, replay, err);

	buf_init(&found, 1 << 20);
	dump(rows, &found);
	if (!rc && !replay->damaged) {
		assert_true(replay->sequence <= COMMITS);
		assert_int_equal(replay->end, ends[replay->sequence]);
		if (want_rows)
			assert_true(found.len == states[replay->sequence].len &&
				    memcmp(found.data, states[replay->sequence].data,
					   found.len) == 0);
	}
	buf_free(&found);
	rows_close(&rows);
	return rc;
}

static const size_t pieces[] = {1, 2, 7, 64, 100, 500, 1000, 4000, 1 << 16};

static void pieces_make_no_difference(void **state)
{
	struct replay replay;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(pieces) / sizeof(*pieces); i++) {
		assert_int_equal(read_file(pieces[i / 2], i % 2, &replay, NULL), 0);
		assert_false(replay.damaged);
		assert_true(replay.sequence == COMMITS && replay.size == text.len);
		assert_int_equal(replay.put_pairs, i % 2 ? PAIRS : 0);
	}
}

/* From the first read to the last. */
static void each_read_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		int failed = 0, rc = -1;

		for (int left = 0; rc < 0; left++) {
			struct replay replay;
			struct error err = {0};

			plan.left = left;
			plan.fails = true;
			rc = read_file(pieces[i], true, &replay, &err);
			failed += rc < 0;
			assert_int_equal(err.sys, rc < 0 ? EIO : 0);
		}
		assert_true(failed > 0);
		plan.left = -1;
	}
}

/* The second look at a transaction may find less than the first. */
static void the_file_shrinks(void **state)
{
	size_t damaged = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct replay replay = {0};

		for (int left = 0; replay.size < text.len; left++) {
			plan.left = left;
			plan.fails = false;
			assert_int_equal(read_file(pieces[i], true, &replay, NULL), 0);
			assert_true(!replay.damaged || replay.size < text.len);
			damaged += replay.damaged;
		}
		assert_int_equal(replay.sequence, COMMITS);
		plan.left = -1;
	}
	assert_true(damaged > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pieces_make_no_difference),
	    cmocka_unit_test(each_read_fails),
	    cmocka_unit_test(the_file_shrinks),
	};

	return cmocka_run_group_tests_name("journal-replay", tests, make_file, drop_file);
}
