// SPDX-License-Identifier: GPL-3.0-or-later
/* Lines of a journal, to text and back. */

#include "journal-fixture.h"

#include "base/alloc.h"
#include "journal/record.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Parses a copy of text (with a newline or not) and frees it: strings are not looked at. */
static int parse(const char *text, struct record *record)
{
	char *copy = xstrdup(text);
	int rc = record_parse(copy, strcspn(copy, "\n"), record);

	free(copy);
	return rc;
}

static void test_pair_text(void **state)
{
	struct pair pair = {.uid = 4294967295u,
			    .flags = {FLAG_SEEN | FLAG_FLAGGED},
			    .size = SIZE_UNKNOWN - 1,
			    .date = -9223372036854775807,
			    .message_id = 0xabc,
			    .email_id = 0xdef,
			    .name = "1.M2P3.host,S=4 %"};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	record_put_pair(&out, &pair);
	assert_string_equal(out.data, "p 4294967295 FS 4611686018427387902 -9223372036854775807 "
				      "0000000000000abc 0000000000000def - - "
				      "1.M2P3.host,S=4%20%25\n");
	buf_reset(&out);
	memset(pair.digest.bytes, 0x5a, sizeof(pair.digest.bytes));
	pair = (struct pair){.uid = 1,
			     .size = SIZE_UNKNOWN,
			     .date = DATE_UNKNOWN,
			     .gone = 1u << REMOTE,
			     .digest = pair.digest,
			     .name = "-"};
	record_put_pair(&out, &pair);
	assert_string_equal(out.data, "p 1 - - - - - 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
				      "5a5a5a5a5a5a5a5a5a remote %2D\n");
	buf_free(&out);
}

/* All flags, every value of gone, present and absent fields. */
static void test_pair_round_trip(void **state)
{
	struct buf line, before, after;

	(void)state;
	for (uint32_t uid = 1; uid < 500; uid++) {
		struct pair pair = fixture_pair(uid);
		struct record record;

		buf_init(&line, 4096);
		buf_init(&before, 4096);
		buf_init(&after, 4096);
		if (uid % 7 == 0)
			pair.size = SIZE_UNKNOWN;
		if (uid % 11 == 0)
			pair.date = DATE_UNKNOWN;
		fixture_dump_pair(&pair, &before);
		record_put_pair(&line, &pair);
		assert_int_equal(record_parse(line.data, line.len - 1, &record), 0);
		assert_int_equal(record.kind, RECORD_PAIR);
		fixture_dump_pair(&record.pair, &after);
		assert_string_equal(after.data, before.data);
		buf_free(&line);
		buf_free(&before);
		buf_free(&after);
	}
}

static void test_note_round_trip(void **state)
{
	struct buf line, before, after;

	(void)state;
	for (uint32_t n = 1; n < 400; n++) {
		struct journal_note note =
		    fixture_note((enum journal_note_kind)(n % (JOURNAL_REFUSED + 1)), n);
		struct record record;

		buf_init(&line, 4096);
		buf_init(&before, 4096);
		buf_init(&after, 4096);
		fixture_dump_note(&note, &before);
		record_put_note(&line, &note);
		assert_int_equal(line.data[0], RECORD_NOTES[note.kind]);
		assert_ptr_equal(memchr(line.data, '\n', line.len), line.data + line.len - 1);
		assert_int_equal(record_parse(line.data, line.len - 1, &record), 0);
		assert_int_equal(record.kind, RECORD_NOTE);
		fixture_dump_note(&record.note, &after);
		assert_string_equal(after.data, before.data);
		buf_free(&line);
		buf_free(&before);
		buf_free(&after);
	}
}

/* "S*Work" as flags. */
static struct flags flags_from_text(const char *text)
{
	size_t letters = strcspn(text, "*");
	bool others;
	struct flags flags = flags_from_letters(text, letters, &others);
	uint32_t keywords;

	assert_true(keywords_from_text(text + letters, strlen(text + letters), '*', &keywords));
	flags.keywords = keywords;
	return flags;
}

static void test_small_records(void **state)
{
	struct record record;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	record_put_flags(&out, 7, (struct flags){FLAG_ALL});
	record_put_forget(&out, 8);
	record_put_end_note(&out, JOURNAL_APPENDING, 0, "a b");
	record_put_end_note(&out, JOURNAL_REFUSED, 9, NULL);
	record_put_reset(&out);
	record_put_flags(&out, 7, flags_from_text("S*$Junk*a,b*Work"));
	record_put_flags(&out, 7, flags_from_text("*Work"));
	record_put_flags(&out, 7, (struct flags){.keywords = KEYWORDS_UNKNOWN});
	record_put_refused(&out, LOCAL, flags_from_text("*Work").keywords);
	record_put_room(&out, &(struct flag_room){.bits = FLAG_FLAGGED | FLAG_SEEN,
						  .keywords = flags_from_text("*Work").keywords});
	record_put_room(&out, &FLAG_ROOM_ALL);
	assert_string_equal(out.data, "f 7 DFPRST\nd 8\ne A 0 a%20b\ne R 9 -\nz\n"
				      "f 7 S*$Junk*a,b*Work\nf 7 *Work\nf 7 -\nk local *Work\n"
				      "r FS*Work named\nr DFPRST any\n");
	buf_free(&out);
	assert_int_equal(parse("f 7 DFPRST", &record), 0);
	assert_int_equal(record.kind, RECORD_FLAGS);
	assert_int_equal(record.pair.flags.bits, FLAG_ALL);
	assert_int_equal(parse("f 7 S*$Junk*a,b*Work", &record), 0);
	assert_true(flags_equal(record.pair.flags, flags_from_text("S*$Junk*a,b*Work")));
	assert_int_equal(parse("f 7 *work", &record), 0);
	assert_true(flags_equal(record.pair.flags, flags_from_text("*Work")));
	assert_int_equal(parse("k remote *Later*Work", &record), 0);
	assert_int_equal(record.kind, RECORD_REFUSED);
	assert_int_equal(record.note.side, REMOTE);
	assert_int_equal(record.note.flags.keywords, flags_from_text("*Later*Work").keywords);
	assert_int_equal(parse("r - any", &record), 0);
	assert_int_equal(record.kind, RECORD_ROOM);
	assert_int_equal(record.room.bits, 0);
	assert_true(record.room.any_keyword);
	assert_int_equal(parse("r FS*Work named", &record), 0);
	assert_int_equal(record.room.bits, FLAG_FLAGGED | FLAG_SEEN);
	assert_false(record.room.any_keyword);
	assert_int_equal(record.room.keywords, flags_from_text("*Work").keywords);
	assert_int_equal(parse("r *Work any", &record), -1);
	assert_int_equal(parse("r S all", &record), -1);
	assert_int_equal(parse("r S", &record), -1);
	assert_int_equal(parse("f 7 S*", &record), -1);
	assert_int_equal(parse("f 7 -*Work", &record), -1);
	assert_int_equal(parse("f 7 S*b*a", &record), -1);
	assert_int_equal(parse("f 7 S*a*a", &record), -1);
	assert_int_equal(parse("k both *a", &record), -1);
	assert_int_equal(parse("k local", &record), -1);
	assert_int_equal(parse("d 4294967295", &record), 0);
	assert_int_equal(record.kind, RECORD_FORGET);
	assert_int_equal(record.pair.uid, UINT32_MAX);
	assert_int_equal(parse("e R 9 -", &record), 0);
	assert_int_equal(record.kind, RECORD_END_NOTE);
	assert_int_equal(record.note.kind, JOURNAL_REFUSED);
	assert_null(record.note.name);
	assert_int_equal(parse("z", &record), 0);
	assert_int_equal(record.kind, RECORD_RESET);
}

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Each differs from a good line in one thing. */
static void test_malformed(void **state)
{
	static const char *const good[] = {
	    "p 1 FS 10 20 0123456789abcdef - " HEX64 " - name",
	    "p 1 FS 10 20 - - - both name",
	    "p 1 - - -1 - - - - name",
	    "p 1 - - - - fedcba9876543210 - - name",
	    "P local 1 name 0 0 - 1 2 ? - ? -",
	    "R local 0 name 0 0 - 1 2 - - " HEX64 " reason",
	};
	static const char *const bad[] = {
	    "",
	    " ",
	    "p",
	    "p ",
	    "q 1",
	    "pp 1 FS",
	    "z ",
	    "z 1",
	    "zz",
	    "d",
	    "d 0",
	    "d 01",
	    "d +1",
	    "d -1",
	    "d 4294967296",
	    "d 1 ",
	    "d  1",
	    "d 1 2",
	    "d 1x",
	    "d 99999999999999999999",
	    "d 184467440737095516150",
	    "f 1",
	    "f 0 S",
	    "f 1 SF",
	    "f 1 SS",
	    "f 1 X",
	    "f 1 ",
	    "f 1 S S",
	    "f 1 s",
	    "e A 0 -",
	    "e X 1 -",
	    "e AA 1 -",
	    "e A 1",
	    "e A 1 a b",
	    "e A 1 %",
	    "e A 1 %2f",
	    "p 0 FS 10 20 - - - - name",
	    "p 1 SF 10 20 - - - - name",
	    "p 1 FS 010 20 - - - - name",
	    "p 1 FS 4611686018427387903 20 - - - - name",
	    "p 1 FS 18446744073709551616 20 - - - - name",
	    "p 1 FS 10 -0 - - - - name",
	    "p 1 FS 10 9223372036854775808 - - - - name",
	    "p 1 FS 10 20 0 - - - name",
	    "p 1 FS 10 20 0123456789abcdeF - - - name",
	    "p 1 FS 10 20 ? - - - name",
	    "p 1 FS 10 20 0000000000000000 - - - name",
	    "p 1 FS 10 20 - 0 - - name",
	    "p 1 FS 10 20 - 0000000000000000 - - name",
	    "p 1 FS 10 20 - ? - - name",
	    "p 1 FS 10 20 - - 00 - name",
	    "p 1 FS 10 20 - - - name",
	    "p 1 FS 10 20 - - - - -",
	    "p 1 FS 10 20 - - - -",
	    "p 1 FS 10 20 - - - - ",
	    "p 1 FS 10 20 - - - - a b",
	    "p 1 FS 10 20 - - - - a\tb",
	    "p 1 FS 10 20 - - - - a\x7f",
	    "p 1 FS 10 20 - - - - abcdefg\x7fijklmnopqrst",
	    "p 1 FS 10 20 - - - - abcdefgh\x1fjklmnopqrst",
	    "p 1 FS 10 20 - - - - abcdefghijklmno\x01",
	    "p 1 FS 10 20 - - - nowhere name",
	    "p 1 FS 10 20 - - -  name",
	    "P nowhere 1 name 0 0 - 1 2 ? - ? -",
	    "P local 0 - 0 0 - 1 2 ? - ? -",
	    "P local 1 name 0 0 - 1 2 ? - -",
	    "P local 1 name 0 0 - 1 2 ? - - -",
	    "P local 1 name 0 0 - 1 2 ? ? ? -",
	    "P local 1 name 0 0 - 1 2 ? ? -",
	    "P local 1 name 0 0 - 1 2 ? - ? - -",
	    "X local 1 name 0 0 - 1 2 ? - ? -",
	    "PP local 1 name 0 0 - 1 2 ? - ? -",
	};
	struct record record;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(parse(good[i], &record), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i], &record) == 0)
			fail_msg("taken: %s", bad[i]);
	for (int letter = 0; letter < 256; letter++) {
		char line[] = "? local 1 name 0 0 - 1 2 ? - ? -";

		line[0] = (char)letter;
		assert_int_equal(record_parse(line, sizeof(line) - 1, &record),
				 memchr(RECORD_NOTES, letter, strlen(RECORD_NOTES)) != NULL ? 0
											    : -1);
	}
}

static void test_commit_round_trip(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 200; n++) {
		struct journal_head head = fixture_head(n);
		struct record_commit commit;
		struct buf out, before, after;
		const char *line;

		buf_init(&out, 4096);
		buf_init(&before, 4096);
		buf_init(&after, 4096);
		head.when = n;
		head.pairs = UINT64_MAX;
		buf_puts(&out, "before\nd 1\n");
		record_put_commit(&out, 7, n + 1, &head);
		line = out.data + 11;
		assert_int_equal(record_parse_commit(line, out.len - 12, &commit), 0);
		assert_int_equal(commit.sequence, n + 1);
		assert_int_equal(commit.head.when, n);
		assert_int_equal(commit.crc,
				 crc32(0, (const Bytef *)out.data + 7, (uInt)(4 + commit.covered)));
		fixture_dump_head(&head, &before);
		fixture_dump_head(&commit.head, &after);
		assert_string_equal(after.data, before.data);
		buf_free(&out);
		buf_free(&before);
		buf_free(&after);
	}
}

/* The line's own crc: no change of one bit passes, wherever it is. */
static void test_commit_damaged(void **state)
{
	struct journal_head head = fixture_head(3);
	struct record_commit commit;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	record_put_commit(&out, 0, 5, &head);
	for (size_t i = 0; i < (out.len - 1) * 8; i++) {
		out.data[i / 8] ^= (char)(1 << i % 8);
		assert_int_equal(record_parse_commit(out.data, out.len - 1, &commit), -1);
		out.data[i / 8] ^= (char)(1 << i % 8);
	}
	for (size_t len = 0; len < out.len - 1; len++)
		assert_int_equal(record_parse_commit(out.data, len, &commit), -1);
	assert_int_equal(record_parse_commit(out.data, out.len - 1, &commit), 0);
	buf_free(&out);
}

/* The largest numbers there are fit the bound that the tail's reader relies on. */
static void test_commit_longest(void **state)
{
	struct journal_head head = {UINT32_MAX, UINT32_MAX, UINT64_MAX, UINT32_MAX, UINT64_MAX,
				    -INT64_MAX, -INT64_MAX, UINT64_MAX, -INT64_MAX, UINT64_MAX,
				    UINT64_MAX, UINT32_MAX, false};
	struct record_commit commit;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	record_put_commit(&out, 0, UINT64_MAX, &head);
	assert_in_range(out.len, 200, RECORD_COMMIT_MAX);
	assert_int_equal(record_parse_commit(out.data, out.len - 1, &commit), 0);
	assert_int_equal(commit.head.policy, UINT32_MAX);
	while (out.len < 4000)
		buf_putc(&out, '1');
	for (size_t len = RECORD_COMMIT_MAX - 1; len < 4000; len++)
		assert_int_equal(record_parse_commit(out.data, len, &commit), -1);
	buf_free(&out);
}

static void test_first_line(void **state)
{
	static const char *const names[] = {"INBOX", "a b/c%", "-", "é\n", "\xff"};
	struct record_owner owner;
	char other[] = "evenmail-journal 2 INBOX - -";
	char short_of_one[] = "evenmail-journal 1 INBOX -";
	char nameless[] = "evenmail-journal 1 - - -";
	char begun[] = "evenmail-journal 1";

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct record_owner in = {names[i], i % 2 == 0 ? "" : names[i], "tree"};
		struct buf out;

		buf_init(&out, RECORD_FIRST_MAX);
		record_put_first(&out, &in);
		assert_int_equal(record_parse_first(out.data, out.len - 1, &owner), 0);
		assert_string_equal(owner.mailbox, in.mailbox);
		assert_string_equal(owner.account, in.account);
		assert_string_equal(owner.tree, "tree");
		buf_free(&out);
	}
	assert_int_equal(record_parse_first(other, strlen(other), &owner), -1);
	assert_int_equal(record_parse_first(short_of_one, strlen(short_of_one), &owner), -1);
	assert_int_equal(record_parse_first(nameless, strlen(nameless), &owner), -1);
	assert_int_equal(record_parse_first(begun, strlen(begun), &owner), -1);
}

static void test_channel_line(void **state)
{
	struct record_owner in = {NULL, "alice@imap.example.org", "-"};
	struct record_owner owner;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	record_put_channel(&out, &in);
	assert_memory_equal(out.data, "evenmail-channel 1 alice@imap.example.org %2D ", 46);
	for (size_t i = 0; i < (out.len - 1) * 8; i++) {
		char *copy = xstrndup(out.data, out.len);

		copy[i / 8] ^= (char)(1 << i % 8);
		assert_int_equal(record_parse_channel(copy, out.len - 1, &owner), -1);
		free(copy);
	}
	assert_int_equal(record_parse_channel(out.data, out.len - 1, &owner), 0);
	assert_string_equal(owner.account, in.account);
	assert_string_equal(owner.tree, "-");
	for (size_t len = 0; len < out.len - 1; len++) {
		char *copy = xstrndup(out.data, len);

		assert_int_equal(record_parse_channel(copy, len, &owner), -1);
		free(copy);
	}
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pair_text),       cmocka_unit_test(test_pair_round_trip),
	    cmocka_unit_test(test_note_round_trip), cmocka_unit_test(test_small_records),
	    cmocka_unit_test(test_malformed),       cmocka_unit_test(test_commit_round_trip),
	    cmocka_unit_test(test_commit_damaged),  cmocka_unit_test(test_commit_longest),
	    cmocka_unit_test(test_first_line),      cmocka_unit_test(test_channel_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
