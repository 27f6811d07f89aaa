// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail/keywords.h"

#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The set of the words of a text. */
static uint32_t set_of(const char *text)
{
	uint32_t set = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		set = keywords_union(set, keywords_of(text, len));
		text += len + (text[len] == ' ');
	}
	return set;
}

/* A set as text. */
static void expect(uint32_t set, const char *text)
{
	struct buf out;

	buf_init(&out, 4096);
	keywords_put(&out, set, " ");
	assert_string_equal(out.len ? out.data + 1 : "", text);
	buf_free(&out);
}

static void test_names(void **unused)
{
	char longest[KEYWORD_BYTES_MAX + 2];
	static const struct {
		const char *name;
		bool good;
	} rows[] = {
	    {"Work", true},         {"$Junk", true},     {"a", true},
	    {"[x", true},           {"a,b;c:d+e", true}, {"", false},
	    {"a b", false},         {"a(b", false},      {"a)b", false},
	    {"a{b", false},         {"a%b", false},      {"a*b", false},
	    {"a\"b", false},        {"a\\b", false},     {"\\Seen", false},
	    {"a]b", false},         {"a\nb", false},     {"a\x7f", false},
	    {"gr\xc3\xbcn", false},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(keywords_is_name(rows[i].name, strlen(rows[i].name)),
				 rows[i].good);
		assert_int_equal(keywords_of(rows[i].name, strlen(rows[i].name)) != 0,
				 rows[i].good);
	}
	memset(longest, 'x', sizeof(longest));
	assert_true(keywords_is_name(longest, KEYWORD_BYTES_MAX));
	assert_false(keywords_is_name(longest, KEYWORD_BYTES_MAX + 1));
	assert_false(keywords_is_name("a\0b", 3));
}

/* The same keywords are the same number, in whatever order and case; the first spelling stays. */
static void test_values(void **unused)
{
	(void)unused;
	assert_int_equal(set_of(""), 0);
	uint32_t first = set_of("Beta alpha");
	assert_int_equal(set_of("ALPHA beta ALPHA"), first);
	assert_int_not_equal(set_of("alpha"), set_of("beta"));
	expect(set_of("gamma BETA ALPHA"), "alpha Beta gamma");
	assert_int_equal(keywords_count(set_of("alpha beta")), 2);
	assert_string_equal(keywords_name(set_of("alpha beta"), 1), "Beta");
	assert_string_equal(keywords_name(set_of("alpha beta"), 2), "");
	assert_string_equal(keywords_name(0, 0), "");
	assert_int_equal(keywords_count(KEYWORDS_UNKNOWN), 0);
	assert_int_equal(keywords_of("\\Seen", 5), 0);
}

static void test_sets(void **unused)
{
	static const struct {
		const char *a, *b, *both, *minus, *common, *differ;
	} rows[] = {
	    {"", "", "", "", "", ""},
	    {"a", "", "a", "a", "", "a"},
	    {"", "a", "a", "", "", "a"},
	    {"a", "a", "a", "", "a", ""},
	    {"a b", "b c", "a b c", "a", "b", "a c"},
	    {"a c e", "b d", "a b c d e", "a c e", "", "a b c d e"},
	    {"a b c", "b", "a b c", "a c", "b", "a c"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint32_t a = set_of(rows[i].a), b = set_of(rows[i].b);

		assert_int_equal(keywords_union(a, b), set_of(rows[i].both));
		assert_int_equal(keywords_minus(a, b), set_of(rows[i].minus));
		assert_int_equal(keywords_intersect(a, b), set_of(rows[i].common));
		assert_int_equal(keywords_differ(a, b), set_of(rows[i].differ));
		assert_int_equal(keywords_union(b, a), keywords_union(a, b));
		assert_int_equal(keywords_intersect(b, a), keywords_intersect(a, b));
	}
}

/* Each keyword by itself: base, local, remote, merged. */
static void test_merge(void **unused)
{
	static const struct {
		const char *base, *local, *remote, *merged;
	} rows[] = {
	    {"", "a", "", "a"},   {"", "", "a", "a"},       {"", "a", "a", "a"},
	    {"a", "", "a", ""},   {"a", "a", "", ""},       {"a", "", "", ""},
	    {"a", "a", "a", "a"}, {"a b", "b", "a c", "c"}, {"", "a", "b", "a b"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(keywords_merge(set_of(rows[i].base), set_of(rows[i].local),
						set_of(rows[i].remote)),
				 set_of(rows[i].merged));
}

/* From what is not known nothing follows, but for what does not depend on it. */
static void test_unknown(void **unused)
{
	const uint32_t unknown = KEYWORDS_UNKNOWN, a = set_of("a");

	(void)unused;
	assert_int_equal(keywords_union(unknown, a), unknown);
	assert_int_equal(keywords_union(a, unknown), unknown);
	assert_int_equal(keywords_union(0, unknown), unknown);
	assert_int_equal(keywords_minus(unknown, unknown), unknown);
	assert_int_equal(keywords_minus(a, unknown), unknown);
	assert_int_equal(keywords_minus(0, unknown), 0);
	assert_int_equal(keywords_intersect(0, unknown), 0);
	assert_int_equal(keywords_intersect(a, unknown), unknown);
	assert_int_equal(keywords_differ(unknown, unknown), unknown);
	assert_int_equal(keywords_merge(a, unknown, a), unknown);
	assert_int_equal(keywords_merge(0, unknown, 0), unknown);
	assert_int_equal(keywords_merge(unknown, 0, 0), unknown);
}

static void test_text(void **unused)
{
	static const struct {
		const char *text;
		bool good;
		const char *set;
	} rows[] = {
	    {"", true, ""},       {"*a", true, "a"},   {"*a*b*c", true, "a b c"},
	    {"a", false, ""},     {"*", false, ""},    {"*a*", false, ""},
	    {"*b*a", false, ""},  {"*a*A", false, ""}, {"*a*a", false, ""},
	    {"*a b", false, ""},  {"**a", false, ""},  {"*a*ab*b", true, "a ab b"},
	    {"*ab*a", false, ""},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint32_t set;

		assert_int_equal(keywords_from_text(rows[i].text, strlen(rows[i].text), '*', &set),
				 rows[i].good);
		if (rows[i].good)
			assert_int_equal(set, set_of(rows[i].set));
	}
}

static void count_warnings(void *context, enum log_level level, const char *line)
{
	(void)line;
	*(int *)context += level == LOG_LEVEL_WARN;
}

/* Up to the bounds all is there; beyond them one warning each, and no damage. */
static void test_bounds(void **unused)
{
	int warnings = 0;
	uint32_t set = 0, first = set_of("a"), before;
	char name[16];

	(void)unused;
	log_set_sink(count_warnings, &warnings, LOG_LEVEL_WARN);
	for (unsigned i = 0; i < KEYWORDS_SET_MAX; i++) {
		snprintf(name, sizeof(name), "k%06u", i);
		set = keywords_union(set, keywords_of(name, strlen(name)));
	}
	assert_int_equal(keywords_count(set), KEYWORDS_SET_MAX);
	assert_int_equal(keywords_union(set, first), KEYWORDS_UNKNOWN);
	assert_false(keywords_left_out());
	for (unsigned i = 0; i < KEYWORDS_MAX; i++) {
		snprintf(name, sizeof(name), "k%06u", i);
		before = keywords_of(name, strlen(name));
	}
	assert_int_equal(before, 0);
	assert_int_equal(keywords_of("one more", 8), 0);
	assert_int_equal(keywords_of("another", 7), 0);
	assert_int_equal(warnings, 1);
	assert_true(keywords_left_out());
	assert_int_equal(set_of("a"), first);
	/* Sets: pairs of keywords, until there is no room. */
	for (unsigned i = 0; i < 300 && warnings == 1; i++) {
		snprintf(name, sizeof(name), "k%06u", i);
		before = keywords_of(name, strlen(name));
		for (unsigned k = i + 1; k < KEYWORDS_SET_MAX && warnings == 1; k++) {
			snprintf(name, sizeof(name), "k%06u", k);
			set = keywords_union(before, keywords_of(name, strlen(name)));
		}
	}
	assert_int_equal(warnings, 2);
	assert_int_equal(set, KEYWORDS_UNKNOWN);
	assert_int_equal(keywords_count(set_of("k000000 k000001")), 2);
	log_set_sink(NULL, NULL, LOG_LEVEL_WARN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),   cmocka_unit_test(test_values),
	    cmocka_unit_test(test_sets),    cmocka_unit_test(test_merge),
	    cmocka_unit_test(test_unknown), cmocka_unit_test(test_text),
	    cmocka_unit_test(test_bounds), /* the last: it fills the table */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
