// SPDX-License-Identifier: GPL-3.0-or-later
/* Pairing by identity: what is certain, what the date decides, what needs the digest, multisets. */
#include "sync/match.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define SIDE_MAX 8

/* One message: size, Message-ID (0: none), date, the letter of its content (0: digest unknown). */
struct message {
	uint64_t size, id;
	int64_t date;
	char content;
	bool former; /* it was a pair until the journal was reset */
};

/* A situation and its pairs, "01" for local 0 with remote 1; and who is undecided, "2". */
struct row {
	const char *title;
	struct message local[SIDE_MAX], remote[SIDE_MAX]; /* size 0 ends the list */
	const char *pairs[SIDE_MAX];
	const char *undecided;
};

static const struct row rows[] = {
    {"nothing", {{0}}, {{0}}, {NULL}, ""},
    {"the same", {{9, 1, 5, 'a'}}, {{9, 1, 5, 0}}, {"00"}, ""},
    {"another date: still the same, for there is no other",
     {{9, 1, 5, 'a'}},
     {{9, 1, 6, 0}},
     {"00"},
     ""},
    {"of equal files what was a pair goes first",
     {{9, 1, 5, 'a', false}, {9, 1, 5, 'a', true}},
     {{9, 1, 5, 0}},
     {"10"},
     ""},
    {"an unknown date", {{9, 1, 5, 'a'}}, {{9, 1, DATE_UNKNOWN, 0}}, {"00"}, ""},
    {"another size: undecided", {{9, 1, 5, 'a'}}, {{8, 1, 5, 0}}, {NULL}, "0"},
    {"another size, the same by digest", {{9, 1, 5, 'a'}}, {{8, 1, 5, 'a'}}, {"00"}, ""},
    {"another size and digest", {{9, 1, 5, 'a'}}, {{8, 1, 5, 'b'}}, {NULL}, ""},
    {"another size without a Message-ID", {{9, 0, 5, 'a'}}, {{8, 0, 5, 0}}, {NULL}, ""},
    {"those of the right size first, copies of others by digest",
     {{9, 1, 5, 'a'}, {9, 1, 5, 'a'}, {9, 1, 5, 'a'}},
     {{8, 1, 5, 'a'}, {9, 1, 5, 0}, {8, 1, 6, 'a'}, {7, 1, 6, 'a'}},
     {"01", "10", "22"},
     ""},
    {"an unknown size: undecided", {{9, 1, 5, 'a'}}, {{SIZE_UNKNOWN, 1, 5, 0}}, {NULL}, "0"},
    {"then the same by digest", {{9, 1, 5, 'a'}}, {{SIZE_UNKNOWN, 1, 5, 'a'}}, {"00"}, ""},
    {"neither size nor Message-ID: undecided",
     {{9, 0, 5, 'a'}, {8, 0, 5, 'b'}},
     {{7, 0, 5, 0}, {SIZE_UNKNOWN, 0, 5, 0}, {SIZE_UNKNOWN, 0, 5, 0}},
     {NULL},
     "12"},
    {"then the same by digest, or not",
     {{9, 0, 5, 'a'}, {8, 0, 5, 'b'}},
     {{SIZE_UNKNOWN, 0, 5, 'b'}, {SIZE_UNKNOWN, 0, 5, 'c'}},
     {"10"},
     ""},
    {"what has no size on the disk is equal to nothing",
     {{SIZE_UNKNOWN, 1, 5, 'a'}},
     {{SIZE_UNKNOWN, 1, 5, 'a'}},
     {NULL},
     ""},
    {"another Message-ID", {{9, 1, 5, 'a'}}, {{9, 2, 5, 0}}, {NULL}, ""},
    {"no Message-ID on one side", {{9, 1, 5, 'a'}}, {{9, 0, 5, 0}}, {NULL}, ""},
    {"no Message-ID at all: undecided", {{9, 0, 5, 'a'}}, {{9, 0, 5, 0}}, {NULL}, "0"},
    {"then the same by digest", {{9, 0, 5, 'a'}}, {{9, 0, 5, 'a'}}, {"00"}, ""},
    {"or not", {{9, 0, 5, 'a'}}, {{9, 0, 5, 'b'}}, {NULL}, ""},
    {"a digest beats a date",
     {{9, 0, 5, 'a'}, {9, 0, 6, 'b'}},
     {{9, 0, 6, 'a'}, {9, 0, 5, 'b'}},
     {"00", "11"},
     ""},
    {"the date tells two apart",
     {{9, 1, 5, 'a'}, {9, 1, 6, 'b'}},
     {{9, 1, 6, 0}, {9, 1, 5, 0}},
     {"01", "10"},
     ""},
    {"the same date, two contents: undecided",
     {{9, 1, 5, 'a'}, {9, 1, 5, 'b'}},
     {{9, 1, 5, 0}, {9, 1, 5, 0}},
     {NULL},
     "01"},
    {"then by digest, the rest stays",
     {{9, 1, 5, 'a'}, {9, 1, 5, 'b'}},
     {{9, 1, 5, 'b'}, {9, 1, 5, 'c'}},
     {"10"},
     ""},
    {"a digest that differs beats Message-ID and date",
     {{9, 1, 5, 'a'}},
     {{9, 1, 5, 'b'}},
     {NULL},
     ""},
    {"one digest is known: the others are asked for",
     {{9, 1, 5, 'a'}, {9, 1, 5, 'b'}, {9, 1, 5, 'c'}},
     {{9, 1, 5, 'b'}, {9, 1, 5, 0}},
     {"10"},
     "1"},
    {"dates that fit first, then what is left",
     {{9, 1, 5, 'a'}, {9, 1, 6, 'a'}},
     {{9, 1, 7, 0}, {9, 1, 6, 0}},
     {"00", "11"},
     ""},
    {"no dates fit, two contents: undecided",
     {{9, 1, 5, 'a'}, {9, 1, 6, 'b'}},
     {{9, 1, 7, 0}, {9, 1, 8, 0}},
     {NULL},
     "01"},
    {"three copies here, two there",
     {{9, 1, 5, 'a'}, {9, 1, 5, 'a'}, {9, 1, 5, 'a'}},
     {{9, 1, 5, 0}, {9, 1, 5, 0}},
     {"00", "11"},
     ""},
    {"one copy here, three there",
     {{9, 1, 5, 'a'}},
     {{9, 1, 5, 0}, {9, 1, 5, 0}, {9, 1, 5, 0}},
     {"00"},
     ""},
    {"copies without Message-ID, by digest",
     {{9, 0, 5, 'a'}, {9, 0, 5, 'a'}, {9, 0, 5, 'b'}},
     {{9, 0, 5, 'a'}, {9, 0, 5, 'b'}, {9, 0, 5, 'b'}},
     {"00", "21"},
     ""},
    {"a local digest that is unknown decides nothing", {{9, 1, 5, 0}}, {{9, 1, 5, 0}}, {NULL}, "0"},
    {"many at once",
     {{9, 1, 5, 'a'}, {8, 2, 5, 'b'}, {7, 3, 5, 'c'}, {6, 0, 5, 'd'}},
     {{7, 3, 5, 0}, {6, 0, 5, 0}, {9, 1, 5, 0}, {5, 4, 5, 0}},
     {"02", "20"},
     "1"},
};

/* Makes one side's messages, each put where order says. */
static size_t make_side(const struct message *from, const size_t *order, enum side side,
			struct fresh_message *out)
{
	size_t len = 0;

	while (len < SIDE_MAX && from[len].size)
		len++;
	for (size_t i = 0; i < len; i++) {
		struct identity *identity = &out[order[i] % len].state.identity;
		out[order[i] % len].state.key.uid = side == REMOTE ? (uint32_t)i + 1 : 0;
		identity->size = from[i].size;
		identity->message_id = from[i].id;
		identity->has_message_id = true;
		identity->date = from[i].date;
		out[order[i] % len].former = from[i].former;
		identity->has_digest = from[i].content;
		memset(&identity->digest, from[i].content, sizeof(identity->digest));
	}
	return len;
}

/* True where a pair of two messages (by their place in the row) is expected. */
static bool is_expected(const struct row *row, size_t local, size_t remote)
{
	for (size_t i = 0; i < SIDE_MAX && row->pairs[i]; i++)
		if (row->pairs[i][0] == (char)('0' + local) &&
		    row->pairs[i][1] == (char)('0' + remote))
			return true;
	return false;
}

/* The row as it is written. */
static void try_row(const struct row *row)
{
	static const size_t straight[SIDE_MAX] = {0, 1, 2, 3, 4, 5, 6, 7};
	struct fresh_message sides[SIDES][SIDE_MAX] = {0};
	size_t local = make_side(row->local, straight, LOCAL, sides[LOCAL]);
	size_t remote = make_side(row->remote, straight, REMOTE, sides[REMOTE]);
	struct match_result result;
	size_t expected = 0;

	match_find(sides[LOCAL], local, sides[REMOTE], remote, &result);
	while (expected < SIDE_MAX && row->pairs[expected])
		expected++;
	for (size_t i = 0; i < result.len; i++)
		if (!is_expected(row, result.matches[i].index[LOCAL],
				 result.matches[i].index[REMOTE]))
			fail_msg("%s: unexpected pair", row->title);
	if (result.len != expected || result.undecided_len != strlen(row->undecided))
		fail_msg("%s: %zu pairs, %zu undecided", row->title, result.len,
			 result.undecided_len);
	for (size_t i = 0; i < result.undecided_len; i++)
		assert_non_null(strchr(row->undecided, (char)('0' + result.undecided[i])));
	match_free(&result);
}

/* The same with the messages of both sides the other way round: the same contents are paired. */
static void try_reversed(const struct row *row)
{
	static const size_t straight[SIDE_MAX] = {0, 1, 2, 3, 4, 5, 6, 7};
	struct fresh_message sides[2][SIDES][SIDE_MAX] = {0};
	struct match_result result[2];
	size_t len[SIDES];

	for (int turn = 0; turn < 2; turn++) {
		len[LOCAL] = make_side(row->local, straight, LOCAL, sides[turn][LOCAL]);
		len[REMOTE] = make_side(row->remote, straight, REMOTE, sides[turn][REMOTE]);
	}
	for (enum side side = LOCAL; side < SIDES; side++)
		for (size_t i = 0; i < len[side]; i++)
			sides[1][side][len[side] - 1 - i] = sides[0][side][i];
	for (int turn = 0; turn < 2; turn++)
		match_find(sides[turn][LOCAL], len[LOCAL], sides[turn][REMOTE], len[REMOTE],
			   &result[turn]);
	assert_int_equal(result[0].len, result[1].len);
	assert_int_equal(result[0].undecided_len, result[1].undecided_len);
	for (size_t i = 0; i < result[0].len; i++) {
		const struct match *match = &result[0].matches[i];
		const struct identity *mine = &sides[0][LOCAL][match->index[LOCAL]].state.identity;
		bool found = false;
		for (size_t k = 0; k < result[1].len; k++)
			found |= !memcmp(
			    mine,
			    &sides[1][LOCAL][result[1].matches[k].index[LOCAL]].state.identity,
			    sizeof(*mine));
		assert_true(found);
	}
	match_free(&result[0]);
	match_free(&result[1]);
}

static void pairs_by_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		try_row(&rows[i]);
		try_reversed(&rows[i]);
	}
}

/*
 * A ghost takes nothing older than its APPEND, and nothing that a file could have. A file whose move
 * was begun takes nothing older than that, before any other.
 */
static void knows_what_came_of_what_was_begun(void **state)
{
	static const struct {
		bool moved, has_file;
		uint32_t floor;
		size_t remote;
		const char *pairs; /* local with remote; 0 is what was begun, 1 the file */
	} cases[] = {
	    {false, false, 1, 1, "00"},  {false, false, 2, 1, ""},   {false, false, 2, 2, "01"},
	    {false, true, 1, 1, "10"},   {false, true, 2, 1, "10"},  {false, true, 1, 2, "10 01"},
	    {false, true, 3, 2, "10"},   {true, false, 1, 1, "00"},  {true, false, 2, 1, ""},
	    {true, false, 2, 2, "01"},   {true, true, 1, 1, "00"},   {true, true, 2, 1, "10"},
	    {true, true, 2, 2, "01 10"}, {true, true, 1, 2, "00 11"}, {true, true, 3, 2, "10"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct message same = {9, 1, 5, 'a'}, pair[SIDE_MAX] = {same, same};
		static const size_t straight[SIDE_MAX] = {0, 1, 2, 3, 4, 5, 6, 7};
		struct fresh_message sides[SIDES][SIDE_MAX] = {0};
		struct match_result result;
		make_side(pair, straight, LOCAL, sides[LOCAL]);
		make_side(pair, straight, REMOTE, sides[REMOTE]);
		sides[LOCAL][0].ghost = !cases[i].moved;
		sides[LOCAL][0].moved = sides[LOCAL][0].begun = cases[i].moved;
		sides[LOCAL][0].floor = cases[i].floor;
		match_find(sides[LOCAL], cases[i].has_file ? 2 : 1, sides[REMOTE], cases[i].remote,
			   &result);
		assert_int_equal(result.len, (strlen(cases[i].pairs) + 1) / 3);
		for (size_t k = 0; k < result.len; k++) {
			assert_int_equal(result.matches[k].index[LOCAL],
					 cases[i].pairs[3 * k] - '0');
			assert_int_equal(result.matches[k].index[REMOTE],
					 cases[i].pairs[3 * k + 1] - '0');
		}
		match_free(&result);
	}
}

/* A file whose message is elsewhere on the server has its partner. */
static void leaves_moved_files_alone(void **state)
{
	static const size_t straight[SIDE_MAX] = {0, 1, 2, 3, 4, 5, 6, 7};
	const struct message same = {9, 1, 5, 'a'}, pair[SIDE_MAX] = {same, same};

	(void)state;
	for (int moved = 0; moved < 4; moved++) {
		struct fresh_message sides[SIDES][SIDE_MAX] = {0};
		struct match_result result;
		make_side(pair, straight, LOCAL, sides[LOCAL]);
		make_side(pair, straight, REMOTE, sides[REMOTE]);
		for (int i = 0; i < 2; i++)
			sides[LOCAL][i].moved = moved >> i & 1;
		match_find(sides[LOCAL], 2, sides[REMOTE], 2, &result);
		assert_int_equal(result.len, 2 - (moved & 1) - (moved >> 1));
		for (size_t i = 0; i < result.len; i++)
			assert_false(sides[LOCAL][result.matches[i].index[LOCAL]].moved);
		match_free(&result);
	}
}

/* k here and n there make min(k, n) pairs, none used twice. */
static void keeps_multisets(void **state)
{
	(void)state;
	for (size_t here = 0; here <= 6; here++)
		for (size_t there = 0; there <= 6; there++) {
			struct fresh_message *sides[SIDES];
			struct match_result result;
			bool used[SIDES][6] = {{false}};
			for (enum side side = LOCAL; side < SIDES; side++)
				sides[side] = xcalloc(7, sizeof(*sides[side]));
			for (size_t i = 0; i < 6; i++) {
				sides[LOCAL][i].state.identity =
				    (struct identity){.size = 9,
						      .date = (int64_t)i,
						      .message_id = 1,
						      .has_digest = true};
				sides[REMOTE][i].state.identity = (struct identity){
				    .size = 9, .date = (int64_t)(10 - i), .message_id = 1};
			}
			match_find(sides[LOCAL], here, sides[REMOTE], there, &result);
			assert_int_equal(result.len, here < there ? here : there);
			assert_int_equal(result.undecided_len, 0);
			for (size_t i = 0; i < result.len; i++)
				for (enum side side = LOCAL; side < SIDES; side++) {
					assert_false(used[side][result.matches[i].index[side]]);
					used[side][result.matches[i].index[side]] = true;
				}
			match_free(&result);
			free(sides[LOCAL]);
			free(sides[REMOTE]);
		}
}

#define MANY 100000

/* Seconds that a match of many takes; dates and digests as the caller wants them. */
static double time_many(bool same_date, bool message_id, bool digest, size_t expected,
			size_t undecided)
{
	struct fresh_message *sides[SIDES];
	struct match_result result;
	struct timespec begin, end;

	for (enum side side = LOCAL; side < SIDES; side++) {
		sides[side] = xcalloc(MANY, sizeof(*sides[side]));
		for (size_t i = 0; i < MANY; i++)
			sides[side][i].state.identity =
			    (struct identity){.size = 1000,
					      .date = same_date ? 7 : (int64_t)(i * 2 + side),
					      .message_id = message_id ? 1 : 0,
					      .has_digest = side == LOCAL || digest};
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	match_find(sides[LOCAL], MANY, sides[REMOTE], MANY, &result);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	assert_int_equal(result.len, expected);
	assert_int_equal(result.undecided_len, undecided);
	match_free(&result);
	free(sides[LOCAL]);
	free(sides[REMOTE]);
	return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
}

/* Whoever mails somebody the same message 100,000 times must not stop their mail. A quadratic match
 * takes minutes; the bound leaves a sanitizer build on a busy machine its time. */
static void stays_fast_with_many_equal_messages(void **state)
{
	(void)state;
	assert_true(time_many(true, true, false, MANY, 0) < 10);
	assert_true(time_many(false, true, false, MANY, 0) < 10);
	assert_true(time_many(true, false, true, MANY, 0) < 10);
	assert_true(time_many(true, false, false, 0, MANY) < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pairs_by_the_table),
	    cmocka_unit_test(knows_what_came_of_what_was_begun),
	    cmocka_unit_test(leaves_moved_files_alone),
	    cmocka_unit_test(keeps_multisets),
	    cmocka_unit_test(stays_fast_with_many_equal_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
