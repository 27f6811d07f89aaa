// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * FAULTS 8: a journal of any bytes is read or refused; what was read, written and read again is the
 * same. The input is a journal as it stands where its first byte is even. Where it is odd, each of
 * its lines "c PAIRS NOTES" becomes a commit that fits the lines before it, so that what lies
 * behind the checksums is reached.
 */
#include "fuzz.h"
#include "journal/record.h"
#include "journal/replay.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT_MAX (4u << 20)
#define JOURNAL_PIECE 128 /* so that lines lie across pieces */

/* Copies the lines, with commits that fit. */
static void journal_seal(const char *bytes, size_t len, struct buf *out)
{
	struct journal_head head = {.uidvalidity = 1, .uidnext = 100, .policy = 1};
	uint64_t sequence = 0;
	size_t start = 0;

	for (const char *at = bytes, *end = bytes + len, *next; at < end; at = next) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		next = newline ? newline + 1 : end;
		if (end - at >= 5 && at[0] == 'c' && newline == at + 5) {
			head.pairs = (uint8_t)at[2] - '0';
			head.notes = (uint8_t)at[4] - '0';
			record_put_commit(out, start, ++sequence, &head);
			start = out->len;
		} else {
			buf_append(out, at, (size_t)(next - at));
		}
	}
}

/* Reads what is in text, into rows of their own. */
static struct rows *journal_replay(struct buf *text, struct replay *replay)
{
	static int fd = -1;
	struct rows *rows = rows_open();

	if (fd < 0)
		fd = memfd_create("journal", MFD_CLOEXEC);
	FUZZ_CHECK(pwrite(fd, text->data, text->len, 0) == (ssize_t)text->len);
	FUZZ_CHECK(replay_file(fd, text->len, JOURNAL_PIECE, rows, replay, NULL) == 0);
	FUZZ_CHECK(replay->end <= text->len && replay->size == text->len);
	FUZZ_CHECK(!replay->damaged || (replay->reason && replay->line));
	return rows;
}

/* Writes all rows as one transaction. */
static void journal_write(struct rows *rows, struct journal_head head, struct buf *out)
{
	size_t count, notes;
	const struct pair *pairs = rows_pairs(rows, &count);
	const struct journal_note *note = rows_notes(rows, &notes);

	buf_puts(out, RECORD_MAGIC "INBOX a t\n");
	for (size_t i = 0; i < count; i++) {
		FUZZ_CHECK(pairs[i].uid && (i == 0 || pairs[i].uid > pairs[i - 1].uid));
		record_put_pair(out, &pairs[i]);
	}
	for (size_t i = 0; i < notes; i++)
		record_put_note(out, &note[i]);
	for (enum side side = LOCAL; side < SIDES; side++)
		if (rows_refused(rows, side))
			record_put_refused(out, side, rows_refused(rows, side));
	if (!flag_room_equal(rows_room(rows), &FLAG_ROOM_ALL))
		record_put_room(out, rows_room(rows));
	head.pairs = count;
	head.notes = notes;
	record_put_commit(out, 0, 1, &head);
}

/* Writes, reads and writes again: twice the same, and nothing is lost on the way. */
static void journal_return(struct rows *rows, const struct journal_head *head)
{
	struct buf once, twice;
	struct replay replay;

	buf_init(&once, TEXT_MAX);
	buf_init(&twice, TEXT_MAX);
	journal_write(rows, *head, &once);
	struct rows *again = journal_replay(&once, &replay);

	FUZZ_CHECK(!replay.damaged && replay.end == once.len && replay.sequence == 1);
	journal_write(again, replay.head, &twice);
	FUZZ_CHECK(once.len == twice.len && !memcmp(once.data, twice.data, once.len));
	rows_close(&again);
	buf_free(&once);
	buf_free(&twice);
}

/* The head that the tail tells is that of the whole file. */
static void journal_check_tail(struct buf *text, const struct replay *whole)
{
	struct replay tail;
	struct buf line;

	if (whole->damaged || !whole->sequence || whole->end < text->len)
		return;
	FUZZ_CHECK(replay_tail(text->data, text->len, true, &tail));
	buf_init(&line, 2 * RECORD_COMMIT_MAX);
	record_put_commit(&line, 0, tail.sequence, &tail.head);
	size_t len = line.len;

	record_put_commit(&line, len, whole->sequence, &whole->head);
	FUZZ_CHECK(line.len == 2 * len && !memcmp(line.data, line.data + len, len));
	buf_free(&line);
}

/* Whether keywords that found no room in the process may have been left out of the rows. */
static bool journal_is_poorer(const struct buf *text)
{
	return keywords_left_out() && memchr(text->data, '*', text->len);
}

/* Reads the input and what it comes to. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct replay replay, tail;
	struct buf text;

	if (size < 2)
		return -1;
	buf_init(&text, TEXT_MAX);
	if (data[0] & 1)
		journal_seal((const char *)data + 1, size - 1, &text);
	else
		buf_append(&text, data + 1, size - 1);
	struct rows *rows = journal_replay(&text, &replay);

	replay_tail(text.data, text.len, data[0] & 2, &tail);
	journal_check_tail(&text, &replay);
	if (!replay.damaged && !journal_is_poorer(&text))
		journal_return(rows, &replay.head);
	rows_close(&rows);
	buf_free(&text);
	return 0;
}
