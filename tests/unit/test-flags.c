// SPDX-License-Identifier: GPL-3.0-or-later
/* Flags: every three-way merge, and every way in and out of text. */
#include "mail/flags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* All 8 cases of one flag: base, local, remote, merged. */
static void test_merge_table(void **unused)
{
	static const struct {
		int base, local, remote, merged;
	} rows[] = {
	    {0, 0, 0, 0}, {0, 0, 1, 1}, {0, 1, 0, 1}, {0, 1, 1, 1},
	    {1, 0, 0, 0}, {1, 0, 1, 0}, {1, 1, 0, 0}, {1, 1, 1, 1},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (uint32_t bit = FLAG_DRAFT; bit <= FLAG_DELETED; bit <<= 1) {
			struct flags merged = flags_merge((struct flags){rows[i].base ? bit : 0},
							  (struct flags){rows[i].local ? bit : 0},
							  (struct flags){rows[i].remote ? bit : 0});

			assert_int_equal(merged.bits, rows[i].merged ? bit : 0);
		}
	}
}

/* Each flag merges by itself, and the sides are alike: all triples of sets. */
static void test_merge_is_bitwise_and_symmetric(void **unused)
{
	(void)unused;
	for (uint32_t i = 0; i < 64u * 64 * 64; i++) {
		struct flags base = {i % 64}, local = {i / 64 % 64}, remote = {i / 4096};
		struct flags merged = flags_merge(base, local, remote);

		assert_true(flags_equal(merged, flags_merge(base, remote, local)));
		for (uint32_t bit = 1; bit < FLAG_ALL; bit <<= 1) {
			bool by_local = (base.bits ^ local.bits) & bit;
			uint32_t winner = by_local ? local.bits : remote.bits;

			assert_int_equal(merged.bits & bit, winner & bit);
		}
	}
}

static void test_sets(void **unused)
{
	struct flags a = {FLAG_SEEN | FLAG_DRAFT}, b = {FLAG_SEEN | FLAG_DELETED};

	(void)unused;
	assert_int_equal(flags_minus(a, b).bits, FLAG_DRAFT);
	assert_int_equal(flags_minus(b, a).bits, FLAG_DELETED);
	assert_int_equal(flags_union(a, b).bits, FLAG_SEEN | FLAG_DRAFT | FLAG_DELETED);
	assert_int_equal(flags_intersect(a, b).bits, FLAG_SEEN);
	assert_true(flags_equal(a, a));
	assert_false(flags_equal(a, b));
}

static void test_letters(void **unused)
{
	static const struct {
		uint32_t bits;
		const char *letters;
	} rows[] = {
	    {0, ""},
	    {FLAG_DRAFT, "D"},
	    {FLAG_FLAGGED, "F"},
	    {FLAG_FORWARDED, "P"},
	    {FLAG_ANSWERED, "R"},
	    {FLAG_SEEN, "S"},
	    {FLAG_DELETED, "T"},
	    {FLAG_SEEN | FLAG_FLAGGED, "FS"},
	    {FLAG_ALL, "DFPRST"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char out[FLAGS_LETTERS_MAX];
		bool others = true;

		flags_letters((struct flags){rows[i].bits}, out);
		assert_string_equal(out, rows[i].letters);
		assert_int_equal(flags_from_letters(out, strlen(out), &others).bits, rows[i].bits);
		assert_false(others);
	}
}

/* Any order, doubles, keywords' letters, and what is no flag of ours in lower case. */
static void test_letters_of_others(void **unused)
{
	static const struct {
		const char *letters;
		uint32_t bits;
		bool others;
	} rows[] = {
	    {"SF", FLAG_SEEN | FLAG_FLAGGED, false},
	    {"SS", FLAG_SEEN, false},
	    {"Sa", FLAG_SEEN, true},
	    {"abz", 0, true},
	    {"s", 0, true},
	    {"S,X", FLAG_SEEN, true},
	};
	bool others = false;

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct flags flags =
		    flags_from_letters(rows[i].letters, strlen(rows[i].letters), &others);

		assert_int_equal(flags.bits, rows[i].bits);
		assert_int_equal(others, rows[i].others);
	}
	assert_int_equal(flags_from_letters("S\0", 2, &others).bits, FLAG_SEEN);
	assert_true(others);
	assert_int_equal(flags_from_letters("ST", 1, &others).bits, FLAG_SEEN);
	assert_false(others);
}

static void test_imap(void **unused)
{
	static const struct {
		const char *atom;
		uint32_t bits;
	} rows[] = {
	    {"\\Draft", FLAG_DRAFT},
	    {"\\Flagged", FLAG_FLAGGED},
	    {"$Forwarded", FLAG_FORWARDED},
	    {"\\Answered", FLAG_ANSWERED},
	    {"\\Seen", FLAG_SEEN},
	    {"\\Deleted", FLAG_DELETED},
	    {"\\SEEN", FLAG_SEEN},
	    {"$forwarded", FLAG_FORWARDED},
	    {"\\Recent", 0},
	    {"\\See", 0},
	    {"\\Seen2", 0},
	    {"Seen", 0},
	    {"$Junk", 0},
	    {"", 0},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(flag_from_imap(rows[i].atom, strlen(rows[i].atom)).bits,
				 rows[i].bits);
	assert_int_equal(flag_from_imap("\\Seen)", 5).bits, FLAG_SEEN);
	assert_int_equal(flag_from_imap("\\Seen\0", 6).bits, 0);
}

static void test_imap_list(void **unused)
{
	struct buf out;

	(void)unused;
	buf_init(&out, 200);
	flags_to_imap((struct flags){0}, &out);
	assert_int_equal(out.len, 0);
	buf_puts(&out, "(");
	flags_to_imap((struct flags){FLAG_SEEN | FLAG_FLAGGED}, &out);
	assert_string_equal(out.data, "(\\Flagged \\Seen");
	buf_reset(&out);
	flags_to_imap((struct flags){FLAG_ALL}, &out);
	assert_string_equal(out.data, "\\Draft \\Flagged $Forwarded \\Answered \\Seen \\Deleted");
	buf_reset(&out);
	flags_to_imap(
	    (struct flags){FLAG_SEEN, keywords_union(keywords_of("b", 1), keywords_of("A", 1))},
	    &out);
	assert_string_equal(out.data, "\\Seen A b");
	buf_reset(&out);
	flags_to_imap((struct flags){0, keywords_of("b", 1)}, &out);
	assert_string_equal(out.data, "b");
	buf_free(&out);
}

/* "FS*Work": letters, and "*" before each keyword. */
static struct flags flags_of(const char *text)
{
	size_t letters = strcspn(text, "*");
	bool others;
	struct flags flags = flags_from_letters(text, letters, &others);
	uint32_t keywords;

	assert_true(keywords_from_text(text + letters, strlen(text + letters), '*', &keywords));
	flags.keywords = keywords;
	return flags;
}

static void assert_flags(struct flags flags, const char *text)
{
	assert_true(flags_equal(flags, flags_of(text)));
}

static void test_keywords_go_along(void **unused)
{
	(void)unused;
	assert_false(flags_equal(flags_of("S*a"), flags_of("S")));
	assert_flags(flags_minus(flags_of("FS*a*b"), flags_of("S*b*c")), "F*a");
	assert_flags(flags_union(flags_of("F*a"), flags_of("S*b")), "FS*a*b");
	assert_flags(flags_intersect(flags_of("FS*a*b"), flags_of("S*b*c")), "S*b");
	assert_flags(flags_intersect(flags_of("F*a"), flags_of("S*b")), "");
	assert_flags(flags_merge(flags_of("F*a"), flags_of("F*a*b"), flags_of("S")), "S*b");
	assert_flags(flags_known(flags_of("S*a")), "S*a");
	assert_flags(flags_known((struct flags){FLAG_SEEN, KEYWORDS_UNKNOWN}), "S");
	assert_flags(flag_from_imap("Work", 4), "*Work");
	assert_flags(flag_from_imap("$FORWARDED", 10), "P");
	assert_flags(flag_from_imap("\\Recent", 7), "");
}

/* What a side says, and what it can come to, by the room it has. */
static void test_room(void **unused)
{
	static const struct {
		const char *what;
		bool any, mute;
		const char *bits, *named, *refused;
		const char *base, *shown, *heard;
		const char *target, *reach;
	} rows[] = {
	    {"any", true, false, "DFPRST", "", "", "S*a*b", "F*a", "F*a", "S*b*c", "S*b*c"},
	    {"those named", false, false, "FS", "*a", "", "PS*a*b", "F", "FP*b", "PRS*a*b", "S*a"},
	    {"what is shown is heard", false, false, "FS", "", "", "", "*a", "*a", "S", "S*a"},
	    {"mute", true, true, "DFPRST", "*a", "", "*a*b", "", "*b", "*a*b*c", "*a*b*c"},
	    {"mute and full", false, true, "DFPRST", "*a", "", "*a*b", "", "*b", "*a*b*c", "*a"},
	    {"refused", true, false, "DFPRST", "*a", "*a*b", "*a*b*c", "", "*a*b", "*a*c", "*c"},
	    {"refused and shown", true, false, "DFPRST", "", "*a", "", "*a", "*a", "", "*a"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct flag_room room = {.bits = flags_of(rows[i].bits).bits,
					       .any_keyword = rows[i].any,
					       .mute = rows[i].mute,
					       .keywords = flags_of(rows[i].named).keywords,
					       .refused = flags_of(rows[i].refused).keywords};
		struct flags shown = flags_of(rows[i].shown);

		print_message("%s\n", rows[i].what);
		assert_flags(flags_heard(flags_of(rows[i].base), shown, &room), rows[i].heard);
		assert_flags(flags_reach(shown, flags_of(rows[i].target), &room), rows[i].reach);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_merge_table),
	    cmocka_unit_test(test_merge_is_bitwise_and_symmetric),
	    cmocka_unit_test(test_sets),
	    cmocka_unit_test(test_letters),
	    cmocka_unit_test(test_letters_of_others),
	    cmocka_unit_test(test_imap),
	    cmocka_unit_test(test_imap_list),
	    cmocka_unit_test(test_keywords_go_along),
	    cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
