// SPDX-License-Identifier: GPL-3.0-or-later
/* The life of a journal: open, load, change, commit, again. */

#include "journal-fixture.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* All of it comes back, by both orders and both keys. */
static void test_round_trip(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct journal_head head = fixture_head(4);
	const struct pair *pairs;
	int64_t before = clock_wall_ns() / 1000000000;
	size_t count, index;

	(void)state;
	for (uint32_t uid = 300; uid >= 1; uid--)
		fixture_put(journal, uid);
	for (uint32_t n = 1; n < 50; n++) {
		struct journal_note note =
		    fixture_note((enum journal_note_kind)(n % (JOURNAL_REFUSED + 1)), 1000 + n);

		journal_note(journal, &note);
	}
	fixture_commit(journal, &head);
	assert_in_range(journal_head(journal)->when, before, before + 60);
	assert_int_equal(journal_head(journal)->pairs, 300);
	assert_int_equal(journal_head(journal)->notes, 49);
	fixture_expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);

	journal = fixture_open(dir, "INBOX"); /* the head alone */
	assert_int_equal(journal_head(journal)->uidvalidity, head.uidvalidity);
	assert_int_equal(journal_head(journal)->pairs, 300);
	assert_true(journal_head(journal)->even);
	assert_int_equal(journal_load(journal, NULL), 0);
	assert_int_equal(journal_load(journal, NULL), 0);
	pairs = journal_pairs(journal, &count);
	assert_int_equal(count, 300);
	for (uint32_t uid = 1; uid <= 300; uid++) {
		assert_int_equal(pairs[uid - 1].uid, uid);
		assert_true(journal_find_uid(journal, uid, &index));
		assert_int_equal(index, uid - 1);
		assert_true(journal_find_name(journal, pairs[uid - 1].name, &index));
		assert_int_equal(index, uid - 1);
		assert_ptr_equal(journal_pair_of_uid(journal, uid), &pairs[index]);
		assert_ptr_equal(journal_pair_of_name(journal, pairs[index].name), &pairs[index]);
	}
	assert_false(journal_find_uid(journal, 301, &index));
	assert_false(journal_find_name(journal, "", &index));
	assert_null(journal_pair_of_uid(journal, 301));
	assert_null(journal_pair_of_name(journal, "x"));
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* Uncommitted changes are seen at once and gone with the journal. */
static void test_close_drops(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	size_t index, count;
	long size;

	(void)state;
	fixture_put(journal, 1);
	fixture_commit(journal, NULL);
	size = fixture_size("INBOX.journal");
	fixture_put(journal, 2);
	journal_forget(journal, 1);
	assert_true(journal_find_uid(journal, 2, &index));
	assert_false(journal_find_uid(journal, 1, &index));
	journal_close(&journal);
	journal_close(&journal);
	assert_int_equal(fixture_size("INBOX.journal"), size);
	journal = fixture_load(dir, "INBOX");
	journal_pairs(journal, &count);
	assert_int_equal(count, 1);
	assert_true(journal_find_uid(journal, 1, &index));
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* Odd names of mailboxes and of files come back byte by byte, and each record is one line. */
static void test_odd_names(void **state)
{
	static const char *const names[] = {"-",
					    "?",
					    " ",
					    "%",
					    "%20",
					    "a b",
					    "a\nc 1 2 3\n",
					    "\xff\xfe",
					    "ünïcode",
					    "\x01\x7f",
					    "p 1 - - - - - - - x",
					    "c"};
	struct journal_dir *dir = fixture_open_dir(true);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct journal *journal = fixture_load(dir, names[i]);
		struct buf text;
		size_t lines = 0;

		for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
			struct pair pair = {.uid = (uint32_t)n + 1, .name = names[n]};
			struct journal_note note = {
			    .kind = JOURNAL_REFUSED, .name = names[n], .text = names[n]};

			journal_put(journal, &pair);
			journal_note(journal, &note);
		}
		fixture_commit(journal, NULL);
		fixture_expect_on_disk(dir, names[i], journal);
		journal_close(&journal);
		journal = fixture_load(dir, names[i]);
		for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
			assert_string_equal(journal_pair_of_uid(journal, (uint32_t)n + 1)->name,
					    names[n]);
		journal_close(&journal);
		if (strcmp(names[i], "c") != 0)
			continue;
		buf_init(&text, 1 << 20);
		fixture_read("c.journal", &text);
		for (size_t k = 0; k < text.len; k++)
			lines += text.data[k] == '\n';
		assert_int_equal(lines, 2 + 2 * sizeof(names) / sizeof(names[0]));
		buf_free(&text);
	}
	journal_dir_close(&dir);
}

/* NULL keeps the head; its counts and time are those of the commit all the same. */
static void test_null_head(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal_head head = fixture_head(6);
	struct journal *journal = fixture_load(dir, "INBOX");

	(void)state;
	head.pairs = 77; /* not the caller's to say */
	fixture_put(journal, 1);
	fixture_commit(journal, &head);
	fixture_put(journal, 2);
	fixture_commit(journal, NULL);
	assert_int_equal(journal_head(journal)->uidnext, head.uidnext);
	assert_int_equal(journal_head(journal)->pairs, 2);
	assert_true(journal_head(journal)->even);
	fixture_expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* A change of flags alone is a short record. */
static void test_flags_are_short(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct pair pair = fixture_pair(5);
	struct buf text;

	(void)state;
	journal_put(journal, &pair);
	fixture_commit(journal, NULL);
	pair.flags.bits = FLAG_SEEN | FLAG_ANSWERED;
	journal_put(journal, &pair);
	fixture_commit(journal, NULL);
	fixture_expect_on_disk(dir, "INBOX", journal);
	buf_init(&text, 65536);
	fixture_read("INBOX.journal", &text);
	assert_non_null(strstr(text.data, "\nf 5 RS\nc 2 "));
	buf_free(&text);
	journal_close(&journal);
	journal_dir_close(&dir);
}

static void test_reset(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	size_t count;

	(void)state;
	for (uint32_t n = 1; n <= 20; n++) {
		struct journal_note note =
		    fixture_note((enum journal_note_kind)(n % (JOURNAL_REFUSED + 1)), 50 + n);

		fixture_put(journal, n);
		journal_note(journal, &note);
	}
	fixture_commit(journal, NULL);
	journal_reset(journal);
	fixture_put(journal, 7);
	fixture_commit(journal, NULL);
	journal_pairs(journal, &count);
	assert_int_equal(count, 1);
	assert_int_equal(journal_head(journal)->pairs, 1);
	fixture_expect_on_disk(dir, "INBOX", journal);
	fixture_reset_calls();
	journal_reset(journal);
	fixture_commit(journal, NULL);
	journal_reset(journal);
	fixture_commit(journal, NULL);
	assert_int_equal(fixture_fdatasync.count, 1);
	fixture_expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* Keywords of pairs and notes, and those that a side refused, come back, compacted or not. */
static void test_keywords(void **state)
{
	uint32_t work = keywords_of("Work", 4), both = keywords_union(work, keywords_of("a,b", 3));
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct pair pair = fixture_pair(1);
	struct journal_note note = fixture_note(JOURNAL_APPENDING, 2);

	(void)state;
	pair.flags.keywords = both;
	journal_put(journal, &pair);
	note.flags.keywords = work;
	journal_note(journal, &note);
	journal_refuse_keywords(journal, REMOTE, work);
	journal_refuse_keywords(journal, REMOTE, both);
	fixture_commit(journal, NULL);
	long size = fixture_size("INBOX.journal");
	/* What is known already is not written again. */
	journal_put(journal, &pair);
	journal_refuse_keywords(journal, REMOTE, work);
	journal_refuse_keywords(journal, LOCAL, 0);
	journal_refuse_keywords(journal, LOCAL, KEYWORDS_UNKNOWN);
	fixture_commit(journal, NULL);
	assert_int_equal(fixture_size("INBOX.journal"), size);
	for (uint32_t i = 0; i < 3000; i++) {
		pair.flags.keywords = i % 2 ? work : both;
		journal_put(journal, &pair);
		fixture_commit(journal, NULL);
	}
	assert_in_range(fixture_size("INBOX.journal"), 1, 140000);
	journal_close(&journal);
	journal = fixture_load(dir, "INBOX");
	assert_int_equal(journal_pair_of_uid(journal, 1)->flags.keywords, work);
	assert_int_equal(journal_notes(journal, &(size_t){0})[0].flags.keywords, work);
	assert_int_equal(journal_refused_keywords(journal, REMOTE), both);
	assert_int_equal(journal_refused_keywords(journal, LOCAL), 0);
	journal_reset(journal);
	assert_int_equal(journal_refused_keywords(journal, REMOTE), 0);
	journal_refuse_keywords(journal, LOCAL, work);
	fixture_commit(journal, NULL);
	journal_close(&journal);
	journal = fixture_load(dir, "INBOX");
	assert_int_equal(journal_refused_keywords(journal, REMOTE), 0);
	assert_int_equal(journal_refused_keywords(journal, LOCAL), work);
	journal_reset(journal); /* there is nothing else to forget */
	fixture_commit(journal, NULL);
	journal_close(&journal);
	journal = fixture_load(dir, "INBOX");
	assert_int_equal(journal_refused_keywords(journal, LOCAL), 0);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* A reader beside a writer: it sees what was committed when it looked. */
static void test_reader_beside_writer(void **state)
{
	struct journal_dir *writer = fixture_open_dir(true);
	struct journal *journal = fixture_load(writer, "INBOX");
	struct journal_dir *reader = fixture_open_dir(false);
	struct journal *seen;

	(void)state;
	fixture_put(journal, 1);
	fixture_commit(journal, NULL);
	seen = fixture_open(reader, "INBOX");
	assert_int_equal(journal_head(seen)->pairs, 1);
	fixture_put(journal, 2);
	fixture_commit(journal, NULL);
	assert_int_equal(journal_load(seen, NULL),
			 0); /* head and rows of one and the same commit */
	fixture_expect_same(journal, seen);
	journal_close(&seen);
	journal_close(&journal);
	journal_dir_close(&reader);
	journal_dir_close(&writer);
}

/* No descriptor stays open: as many journals as there are mailboxes. */
static void test_no_descriptors(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journals[100];
	int before = dup(0), after;
	char name[16];

	(void)state;
	close(before);
	for (int i = 0; i < 200; i++) { /* those made, and then those loaded from their files */
		snprintf(name, sizeof(name), "m%d", i % 100);
		if (i >= 100)
			journal_close(&journals[i % 100]);
		journals[i % 100] = fixture_load(dir, name);
		fixture_put(journals[i % 100], 1 + (uint32_t)i);
		fixture_commit(journals[i % 100], NULL);
	}
	after = dup(0);
	close(after);
	assert_int_equal(after, before);
	for (int i = 0; i < 100; i++)
		journal_close(&journals[i]);
	journal_dir_close(&dir);
}

/* Far above what it takes, but far below what a mistake in the order of growth would. */
static void test_load_10000(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct timespec start, end;
	size_t count;
	double seconds;

	(void)state;
	for (uint32_t uid = 1; uid <= 10000; uid++)
		fixture_put(journal, uid);
	fixture_commit(journal, NULL);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	for (int i = 0; i < 10; i++) {
		struct journal *again = fixture_load(dir, "INBOX");

		journal_pairs(again, &count);
		assert_int_equal(count, 10000);
		journal_close(&again);
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	print_message("10 loads of 10,000 rows: %.0f ms\n", seconds * 1000);
	assert_true(seconds < 5);
	fixture_expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/*
 * What the server has room for comes back, compacted or not, until the UIDs mean nothing any more.
 */
static void test_room(void **state)
{
	const struct flag_room some = {.bits = FLAG_SEEN, .keywords = keywords_of("Work", 4)};
	const struct flag_room any = {
	    .bits = FLAG_SEEN, .any_keyword = true, .keywords = some.keywords};
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct pair pair = fixture_pair(1);

	(void)state;
	assert_true(flag_room_equal(journal_room(journal), &FLAG_ROOM_ALL));
	journal_put(journal, &pair);
	fixture_commit(journal, NULL);
	long size = fixture_size("INBOX.journal");
	journal_set_room(journal, &FLAG_ROOM_ALL);
	fixture_commit(journal, NULL);
	assert_int_equal(fixture_size("INBOX.journal"), size);
	journal_set_room(journal, &some);
	for (uint32_t i = 0; i < 3000; i++) {
		pair.flags.bits = i % 2 ? FLAG_SEEN : 0;
		journal_put(journal, &pair);
		fixture_commit(journal, NULL);
	}
	assert_in_range(fixture_size("INBOX.journal"), 1, 140000);
	journal_close(&journal);
	journal = fixture_load(dir, "INBOX");
	assert_true(flag_room_equal(journal_room(journal), &some));
	journal_set_room(journal, &any); /* where all are taken none is named */
	assert_true(journal_room(journal)->any_keyword);
	assert_int_equal(journal_room(journal)->keywords, 0);
	fixture_commit(journal, NULL);
	journal_close(&journal);
	journal = fixture_load(dir, "INBOX");
	assert_int_equal(journal_room(journal)->bits, FLAG_SEEN);
	journal_reset(journal);
	assert_true(flag_room_equal(journal_room(journal), &FLAG_ROOM_ALL));
	fixture_commit(journal, NULL);
	journal_close(&journal);
	journal_dir_close(&dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_round_trip), TEST(test_close_drops),          TEST(test_odd_names),
	    TEST(test_null_head),  TEST(test_flags_are_short),      TEST(test_reset),
	    TEST(test_keywords),   TEST(test_reader_beside_writer), TEST(test_no_descriptors),
	    TEST(test_load_10000), TEST(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
