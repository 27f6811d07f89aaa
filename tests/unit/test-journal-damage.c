// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * FAULTS 8: whatever becomes of a journal's bytes, what is read is a state that was committed, or
 * nothing is read at all.
 */

#include "figure.h"
#include "journal-fixture.h"

#include "base/alloc.h"
#include "journal/record.h"
#include "journal/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMITS   9u
#define FILE_NAME "INBOX.journal"

/* A file of several transactions, and what was committed by the end of each. */
struct sample {
	struct buf bytes;
	size_t ends[COMMITS + 1]; /* [0]: 0, no commit */
	struct buf states[COMMITS + 1];
	struct buf heads[COMMITS + 1];
};

static struct sample sample;

/* The state directory, opened to write and to read; kept, for it costs more than a journal. */
static struct journal_dir *dirs[2];

/* How many damaged files were read. */
static uint64_t files_read;

/* The changes of the n-th transaction: each kind of record is in some. */
static void change(struct journal *journal, uint32_t n)
{
	struct pair pair;
	struct journal_note note;

	for (uint32_t i = 0; i <= JOURNAL_REFUSED; i++) {
		if (i < 2) {
			pair = fixture_pair(n * 10 + i);
			journal_put(journal, &pair);
		}
		note = fixture_note((enum journal_note_kind)i, n * 10 + i);
		journal_note(journal, &note);
	}
	if (n > 1) {
		journal_forget(journal, (n - 1) * 10);
		pair = fixture_pair((n - 1) * 10 + 1);
		pair.flags.bits ^= FLAG_SEEN;
		journal_put(journal, &pair);
		note = fixture_note(JOURNAL_APPENDING, (n - 1) * 10 + 1);
		journal_end_note(journal, JOURNAL_APPENDING, 0, note.name);
	}
	if (n == COMMITS / 2)
		journal_reset(journal);
}

static int make_sample(void **state)
{
	struct journal *journal;

	if (fixture_setup(state) < 0)
		return -1;
	dirs[true] = fixture_open_dir(true);
	assert_int_equal(journal_dir_set(dirs[true], "alice@example.org", "tree", NULL), 0);
	dirs[false] = fixture_open_dir(false);
	journal = fixture_load(dirs[true], "INBOX");
	for (uint32_t n = 0; n <= COMMITS; n++) {
		struct journal_head head = fixture_head(n);

		if (n > 0) {
			change(journal, n);
			fixture_commit(journal, n % 3 == 0 ? NULL : &head);
		}
		buf_init(&sample.states[n], 1 << 20);
		buf_init(&sample.heads[n], 4096);
		fixture_dump(journal, &sample.states[n]);
		fixture_dump_head(journal_head(journal), &sample.heads[n]);
		sample.ends[n] = n > 0 ? (size_t)fixture_size(FILE_NAME) : 0;
	}
	journal_close(&journal);
	buf_init(&sample.bytes, 1 << 20);
	fixture_read(FILE_NAME, &sample.bytes);
	assert_int_equal(sample.bytes.len, sample.ends[COMMITS]);
	assert_true(sample.bytes.len > 5000); /* more than a tail */
	return 0;
}

static int drop_sample(void **state)
{
	for (uint32_t n = 0; n <= COMMITS; n++) {
		buf_free(&sample.states[n]);
		buf_free(&sample.heads[n]);
	}
	buf_free(&sample.bytes);
	journal_dir_close(&dirs[true]);
	journal_dir_close(&dirs[false]);
	return fixture_teardown(state);
}

/* The last commit that lies within the first len bytes. */
static uint32_t commit_within(size_t len)
{
	uint32_t n = COMMITS;

	while (sample.ends[n] > len)
		n--;
	return n;
}

/* A refusal says what, where, and how to go on. */
static void expect_refusal(const struct error *err)
{
	assert_int_equal(err->kind, ERROR_IO);
	assert_int_equal(err->scope, SCOPE_MAILBOX);
	assert_non_null(strstr(err->text, "/state/" FILE_NAME));
	assert_non_null(strstr(err->text, "move the file away"));
	/* What is not damaged looks like another's file. */
	assert_true(err->sys == EBADMSG || strstr(err->text, ": it belongs to ") != NULL ||
		    strstr(err->text, ": it is of another version") != NULL);
}

/*
 * Reads a file of these bytes. The number of the commit whose state it is, or -1 where it is
 * refused, at opening or loading; in between the head must be one that was committed, too.
 */
static int read_damaged(bool exclusive, const void *bytes, size_t len)
{
	struct journal *journal;
	struct error err;
	struct buf got;
	int found = -1;

	files_read++;
	fixture_write_file(FILE_NAME, bytes, len);
	if (journal_open(dirs[exclusive], "INBOX", &journal, &err) < 0) {
		assert_null(journal);
		expect_refusal(&err);
		return -1;
	}
	buf_init(&got, 1 << 20);
	fixture_dump_head(journal_head(journal), &got);
	for (uint32_t n = 0; n <= COMMITS && found < 0; n++)
		if (strcmp(sample.heads[n].data, got.data) == 0)
			found = (int)n;
	assert_in_range(found, 0, COMMITS);
	found = -1;
	buf_reset(&got);
	if (journal_load(journal, &err) < 0) {
		expect_refusal(&err);
	} else {
		fixture_dump(journal, &got);
		for (uint32_t n = 0; n <= COMMITS && found < 0; n++)
			if (strcmp(sample.states[n].data, got.data) == 0)
				found = (int)n;
		assert_in_range(found, 0, COMMITS);
	}
	buf_free(&got);
	journal_close(&journal);
	return found;
}

/* After a tail was cut back, the journal goes on from there and reads again. */
static void expect_goes_on(uint32_t n)
{
	struct journal *journal = fixture_load(dirs[true], "INBOX");
	struct buf before, after;
	struct pair pair = fixture_pair(9999);

	assert_int_equal(journal_head(journal)->uidvalidity == 0, n == 0);
	journal_put(journal, &pair);
	fixture_commit(journal, NULL);
	buf_init(&before, 1 << 20);
	buf_init(&after, 1 << 20);
	fixture_dump(journal, &before);
	journal_close(&journal);
	fixture_warnings = 0;
	journal = fixture_load(dirs[true], "INBOX");
	assert_int_equal(fixture_warnings, 0);
	fixture_dump(journal, &after);
	assert_string_equal(after.data, before.data);
	buf_free(&before);
	buf_free(&after);
	journal_close(&journal);
}

static void test_whole(void **state)
{
	(void)state;
	assert_int_equal(read_damaged(true, sample.bytes.data, sample.bytes.len), COMMITS);
	assert_int_equal(read_damaged(false, sample.bytes.data, sample.bytes.len), COMMITS);
	assert_int_equal(fixture_warnings, 0);
}

/* A torn tail is cut back to the last whole commit, told once, and never seen again. */
static void test_every_truncation(void **state)
{
	(void)state;
	for (size_t len = 0; len < sample.bytes.len; len++) {
		uint32_t n = commit_within(len);

		fixture_warnings = 0;
		assert_int_equal(read_damaged(true, sample.bytes.data, len), n);
		if (n > 0) {
			assert_int_equal(fixture_warnings, len == sample.ends[n] ? 0 : 1);
			assert_int_equal(fixture_size(FILE_NAME), sample.ends[n]);
		} else {
			assert_true(fixture_warnings >= 1);
		}
		if (len % 7 == 0)
			expect_goes_on(n);
	}
}

/* What only reads leaves the file as it is. */
static void test_truncation_read_only(void **state)
{
	(void)state;
	for (size_t len = 0; len < sample.bytes.len; len += 13) {
		assert_int_equal(read_damaged(false, sample.bytes.data, len), commit_within(len));
		assert_int_equal(fixture_size(FILE_NAME), len);
	}
}

/* As a power cut leaves it: the length is there, the blocks are not. */
static void test_every_nul_tail(void **state)
{
	char *bytes = xmalloc(sample.bytes.len);

	(void)state;
	for (size_t len = 0; len < sample.bytes.len; len++) {
		memcpy(bytes, sample.bytes.data, len);
		memset(bytes + len, 0, sample.bytes.len - len);
		assert_int_equal(read_damaged(true, bytes, sample.bytes.len), commit_within(len));
		if (len % 31 == 0)
			expect_goes_on(commit_within(len));
	}
	free(bytes);
}

/* Damage at [at, at + len): within the last transaction it is cut back, before it is refused. */
static void expect_damage(const char *bytes, size_t at)
{
	int found = read_damaged(true, bytes, sample.bytes.len);

	if (at >= sample.ends[COMMITS - 1])
		assert_int_equal(found, COMMITS - 1);
	else
		assert_int_equal(found, -1);
}

static void test_every_byte_flipped(void **state)
{
	char *bytes = xstrndup(sample.bytes.data, sample.bytes.len);

	(void)state;
	for (size_t at = 0; at < sample.bytes.len; at++) {
		const char changed[] = {(char)(bytes[at] ^ 1 << at % 8), "\0\n\xff c1"[at % 6]};

		for (size_t i = 0; i < (at % 4 == 0 ? 2 : 1); i++) {
			if (changed[i] == sample.bytes.data[at])
				continue;
			bytes[at] = changed[i];
			expect_damage(bytes, at);
		}
		bytes[at] = sample.bytes.data[at];
	}
	free(bytes);
}

static void test_every_byte_zeroed(void **state)
{
	char *bytes = xstrndup(sample.bytes.data, sample.bytes.len);

	(void)state;
	for (size_t at = 0; at < sample.bytes.len; at++) {
		bytes[at] = '\0';
		expect_damage(bytes, at);
		bytes[at] = sample.bytes.data[at];
	}
	free(bytes);
}

/* Every bit of the last transaction and of the first line. */
static void test_every_bit_flipped(void **state)
{
	char *bytes = xstrndup(sample.bytes.data, sample.bytes.len);

	(void)state;
	for (size_t at = 0; at < sample.bytes.len; at++) {
		if (at == 100)
			at = sample.ends[COMMITS - 1] - 100;
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[at] ^= (char)(1 << bit);
			expect_damage(bytes, at);
			bytes[at] ^= (char)(1 << bit);
		}
	}
	free(bytes);
}

/* A hole of NULs, as blocks that were never written leave it, the commit line being there. */
static void test_holes(void **state)
{
	char *bytes = xmalloc(sample.bytes.len);

	(void)state;
	for (size_t at = 0; at < sample.bytes.len - 64; at += 17) {
		memcpy(bytes, sample.bytes.data, sample.bytes.len);
		memset(bytes + at, 0, 64);
		expect_damage(bytes, at);
	}
	free(bytes);
}

/* The start of the line after the one that begins at at. */
static size_t next_line(size_t at)
{
	const char *newline = memchr(sample.bytes.data + at, '\n', sample.bytes.len - at);

	return (size_t)(newline - sample.bytes.data) + 1;
}

/* Reads the concatenation of pieces of the sample: nothing, or a state that was committed. */
static int read_pieces(const size_t (*pieces)[2], size_t count)
{
	struct buf bytes;
	int found;

	buf_init(&bytes, 1 << 20);
	for (size_t i = 0; i < count; i++)
		buf_append(&bytes, sample.bytes.data + pieces[i][0], pieces[i][1] - pieces[i][0]);
	found = read_damaged(true, bytes.data, bytes.len);
	buf_free(&bytes);
	return found;
}

static void test_lines_dropped_doubled_swapped(void **state)
{
	const size_t all = sample.bytes.len;
	const size_t last = sample.ends[COMMITS - 1];

	(void)state;
	for (size_t at = 0, end; at < all; at = end) {
		size_t after;
		int found;

		end = next_line(at);
		found = read_pieces((const size_t[][2]){{0, at}, {end, all}}, 2);
		assert_int_equal(found, at < last ? -1 : (int)COMMITS - 1);
		found = read_pieces((const size_t[][2]){{0, end}, {at, all}}, 2);
		assert_true(found == -1 || (at >= last && found == (int)COMMITS - 1));
		if (end == all)
			break;
		after = next_line(end);
		found = read_pieces(
		    (const size_t[][2]){{0, at}, {end, after}, {at, end}, {after, all}}, 4);
		assert_true(found == -1 || (at >= last && found == (int)COMMITS - 1));
	}
}

static void test_transactions_dropped_doubled_swapped(void **state)
{
	const size_t *ends = sample.ends;
	const size_t all = sample.bytes.len;

	(void)state;
	for (uint32_t n = 0; n < COMMITS; n++) {
		const size_t(*dropped)[2] = (const size_t[][2]){{0, ends[n]}, {ends[n + 1], all}};
		const size_t(*doubled)[2] = (const size_t[][2]){{0, ends[n + 1]}, {ends[n], all}};

		assert_int_equal(read_pieces(dropped, 2), n + 1 < COMMITS ? -1 : (int)n);
		assert_int_equal(read_pieces(doubled, 2), -1);
		if (n + 2 > COMMITS)
			continue;
		assert_int_equal(read_pieces((const size_t[][2]){{0, ends[n]},
								 {ends[n + 1], ends[n + 2]},
								 {ends[n], ends[n + 1]},
								 {ends[n + 2], all}},
					     4),
				 -1);
	}
}

/* Only the first transaction: a flip in it leaves nothing, or is refused where it is not ours. */
static void test_single_transaction(void **state)
{
	char *bytes = xstrndup(sample.bytes.data, sample.ends[1]);
	size_t first = next_line(0);

	(void)state;
	for (size_t at = 0; at < sample.ends[1]; at++) {
		bytes[at] ^= 4;
		assert_int_equal(read_damaged(true, bytes, sample.ends[1]), at < first ? -1 : 0);
		assert_int_equal(fixture_size(FILE_NAME), sample.ends[1]);
		if (at >= first && at % 11 == 0)
			expect_goes_on(0);
		bytes[at] ^= 4;
	}
	free(bytes);
}

static void test_refusal_names_the_line(void **state)
{
	char *bytes = xstrndup(sample.bytes.data, sample.bytes.len);
	struct journal *journal;
	struct error err;
	unsigned line = 1;
	char expected[32];

	(void)state;
	for (size_t i = 0; i < sample.ends[3]; i++)
		line += bytes[i] == '\n';
	bytes[sample.ends[3] + 5] ^= 1;
	fixture_write_file(FILE_NAME, bytes, sample.bytes.len);
	journal = fixture_open(dirs[true], "INBOX"); /* the tail is whole */
	assert_int_equal(journal_load(journal, &err), -1);
	snprintf(expected, sizeof(expected), "damaged at line %u:", line);
	assert_non_null(strstr(err.text, expected));
	assert_int_equal(journal_load(journal, NULL), -1); /* and stays so */
	journal_close(&journal);
	free(bytes);
}

/* What the file of these transactions is refused for, at loading; "" where it is taken. */
static const char *refusal_of(const struct buf *file)
{
	static struct error err;
	struct journal *journal;

	fixture_write_file("made.journal", file->data, file->len);
	error_clear(&err);
	journal = fixture_open(dirs[false], "made");
	journal_load(journal, &err);
	journal_close(&journal);
	return err.text;
}

/* Checksums that fit are not all: sequence, counts and records must, too. */
static void test_fitting_checksums(void **state)
{
	static const struct {
		const char *second; /* a record of the second transaction */
		uint64_t sequence;
		uint64_t pairs;
		uint64_t notes;
		const char *reason;
	} cases[] = {
	    {"f 1 S\n", 2, 1, 0, ""},
	    {"f 1 S\n", 3, 1, 0, "a wrong checksum"}, /* one is missing before it */
	    {"f 1 S\n", 1, 1, 0, "a wrong checksum"},
	    {"f 1 S\n", 2, 2, 0, "line 5: a commit whose counts"},
	    {"f 1 S\n", 2, UINT64_MAX, 0, "line 5: a commit whose counts"},
	    {"f 1 S\n", 2, 1, 1, "line 5: a commit whose counts"},
	    {"D local 1 - 0 0 - 1 2 ? - ? -\n", 2, 1, 1, ""},
	    {"D local 1 - 0 0 - 1 2 ? - ? -\n", 2, 1, 0, "line 5: a commit whose counts"},
	    {"f 2 S\n", 2, 1, 0, "line 4: a record that does not fit"},
	    {"f 1 -\n", 2, 1, 0, "line 4: a record that does not fit"},
	    {"d 2\n", 2, 1, 0, "line 4: a record that does not fit"},
	    {"k local *Work\n", 2, 1, 0, ""},
	    {"k local -\n", 2, 1, 0, "line 4: a record that does not fit"},
	    {"z\nz\n", 2, 0, 0, "line 5: a record that does not fit"},
	    {"x 1\n", 2, 1, 0, "line 4: a record that this version"},
	    {"\n", 2, 1, 0, "line 4: a record that this version"},
	};
	const struct record_owner owner = {"made", "alice@example.org", "tree"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct journal_head head = fixture_head(1);
		struct buf file;
		size_t second;

		buf_init(&file, 65536);
		record_put_first(&file, &owner);
		buf_puts(&file, "p 1 - 5 6 - - - - a%0Ab\n");
		head.pairs = 1;
		record_put_commit(&file, 0, 1, &head);
		second = file.len;
		buf_puts(&file, cases[i].second);
		head.pairs = cases[i].pairs;
		head.notes = cases[i].notes;
		record_put_commit(&file, second, cases[i].sequence, &head);
		if (cases[i].reason[0] == '\0')
			assert_string_equal(refusal_of(&file), "");
		else
			assert_non_null(strstr(refusal_of(&file), cases[i].reason));
		buf_free(&file);
	}
}

/* A tail's last line may be longer than what is read of it: then all of the file is. */
static void test_long_line_at_the_end(void **state)
{
	struct buf bytes;
	struct replay tail;

	(void)state;
	buf_init(&bytes, 1 << 20);
	buf_append(&bytes, sample.bytes.data, sample.bytes.len);
	buf_puts(&bytes, "p 77 - - - - - - - ");
	while (bytes.len < sample.bytes.len + 5000)
		buf_putc(&bytes, 'n');
	buf_putc(&bytes, '\n');
	assert_int_equal(read_damaged(true, bytes.data, bytes.len), COMMITS);
	assert_int_equal(fixture_size(FILE_NAME), sample.ends[COMMITS]);
	assert_false(replay_tail(bytes.data, 0, true, &tail)); /* nor is none a tail */
	buf_free(&bytes);
}

/* The last transaction being within the tail, its damage shows before anything is loaded. */
static void test_tail_is_verified(void **state)
{
	char *bytes = xstrndup(sample.bytes.data, sample.bytes.len);
	struct journal *journal;
	struct buf head;

	(void)state;
	bytes[sample.ends[COMMITS - 1] + 3] ^= 1;
	fixture_write_file(FILE_NAME, bytes, sample.bytes.len);
	journal = fixture_open(dirs[false], "INBOX");
	buf_init(&head, 4096);
	fixture_dump_head(journal_head(journal), &head);
	assert_string_equal(head.data, sample.heads[COMMITS - 1].data);
	buf_free(&head);
	journal_close(&journal);
	free(bytes);
}

/*
 * Keywords for which the process has no room are left out, and a record of no more than them is no
 * damage. The last test: the room is that of the process.
 */
static void test_keywords_without_room(void **state)
{
	const struct record_owner owner = {"made", "alice@example.org", "tree"};
	struct journal_head head = {.pairs = 1};
	struct journal *journal;
	struct error err;
	struct buf file;

	(void)state;
	for (int i = 0; i <= KEYWORDS_MAX; i++) {
		char name[16];

		keywords_of(name, (size_t)snprintf(name, sizeof(name), "k%d", i));
	}
	buf_init(&file, 65536);
	record_put_first(&file, &owner);
	buf_puts(&file, "p 1 S*k1 5 6 - - - - name\nf 1 S*k1*Unheard\n");
	record_put_commit(&file, 0, 1, &head);
	fixture_write_file("made.journal", file.data, file.len);
	journal = fixture_open(dirs[false], "made");
	if (journal_load(journal, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(journal_pair_of_uid(journal, 1)->flags.keywords, keywords_of("k1", 2));
	journal_close(&journal);
	buf_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_every_truncation),
	    cmocka_unit_test(test_truncation_read_only),
	    cmocka_unit_test(test_every_nul_tail),
	    cmocka_unit_test(test_every_byte_flipped),
	    cmocka_unit_test(test_every_byte_zeroed),
	    cmocka_unit_test(test_every_bit_flipped),
	    cmocka_unit_test(test_holes),
	    cmocka_unit_test(test_lines_dropped_doubled_swapped),
	    cmocka_unit_test(test_transactions_dropped_doubled_swapped),
	    cmocka_unit_test(test_single_transaction),
	    cmocka_unit_test(test_refusal_names_the_line),
	    cmocka_unit_test(test_fitting_checksums),
	    cmocka_unit_test(test_long_line_at_the_end),
	    cmocka_unit_test(test_tail_is_verified),
	    cmocka_unit_test(test_keywords_without_room),
	};

	int rc = cmocka_run_group_tests(tests, make_sample, drop_sample);

	if (rc == 0)
		figure_note("journal", files_read, "damaged files read");
	return rc;
}
