// SPDX-License-Identifier: GPL-3.0-or-later
/* Patterns: a table, and all short ones against a plain recursive matcher. */
#include "mail/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_single(void **unused)
{
	static const struct {
		const char *pattern;
		const char *name;
		bool matches;
	} rows[] = {
	    {"*", "a", true},
	    {"*", "a/b/c", true},
	    {"%", "a", true},
	    {"%", "a/b", false},
	    {"%/%", "a/b", true},
	    {"%/%", "a/b/c", false},
	    {"%/*", "a/b/c", true},
	    {"a", "a", true},
	    {"a", "A", false},
	    {"a", "ab", false},
	    {"ab", "a", false},
	    {"", "a", false},
	    {"Archive/20*", "Archive/2024", true},
	    {"Archive/20*", "Archive/2024/May", true},
	    {"Archive/20*", "Archive/19", false},
	    {"Archive/20%", "Archive/2024/May", false},
	    {"*x", "axbx", true},
	    {"*a*b", "xaxxb/ab", true},
	    {"*a%b", "a/xab", true},
	    {"*a%b/c", "ab/ab/c", true},
	    {"%a%b", "xaab", true},
	    {"%a%b", "xa/b", false},
	    {"*%b/%", "a/b/b/c", true},
	    {"100%", "100%", true},
	    {"a%2Fb", "a%2Fb", true},
	    {"\xc3\xa9*", "\xc3\xa9t\xc3\xa9", true},
	    {"inbox", "INBOX", true},
	    {"InBox", "inbox", true},
	    {"in*", "INBOX", true},
	    {"in%x", "INBOX", true},
	    {"inbox/a", "INBOX/a", true},
	    {"inbox/A", "INBOX/a", false},
	    {"inbox", "INBOX/a", false},
	    {"inboxes", "INBOXES", false},
	    {"a/inbox", "a/INBOX", false},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool matches = mailbox_patterns_match(&rows[i].pattern, 1, rows[i].name);

		if (matches != rows[i].matches)
			fail_msg("%s on %s: %d", rows[i].pattern, rows[i].name, matches);
	}
}

static void test_lists(void **unused)
{
	static const struct {
		const char *patterns[4];
		const char *name;
		bool taken;
	} rows[] = {
	    {{NULL}, "a", true},
	    {{"*", "!Junk"}, "Junk", false},
	    {{"*", "!Junk"}, "Sent", true},
	    {{"*", "!Junk"}, "Junk/a", true},
	    {{"!Junk"}, "Junk", false},
	    {{"!Junk"}, "Sent", true},
	    {{"!Junk", "Junk"}, "Junk", true},
	    {{"Sent", "!Junk"}, "a", false},
	    {{"Sent", "!Junk"}, "Sent", true},
	    {{"*", "!Archive/*", "Archive/20*"}, "Archive/19", false},
	    {{"*", "!Archive/*", "Archive/20*"}, "Archive/20", true},
	    {{"*", "!Archive/*", "Archive/20*"}, "b", true},
	    {{"*", "!*"}, "a", false},
	    {{"*", "!inbox"}, "INBOX", false},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t count = 0;

		while (count < COUNT(rows[i].patterns) && rows[i].patterns[count])
			count++;
		if (mailbox_patterns_match(rows[i].patterns, count, rows[i].name) != rows[i].taken)
			fail_msg("row %zu", i);
	}
	assert_true(mailbox_patterns_match(NULL, 0, "a"));
}

/* A mailbox is meant where more than wildcards took it in. */
static void test_named(void **unused)
{
	static const struct {
		const char *patterns[3];
		const char *name;
		bool named;
	} rows[] = {
	    {{NULL}, "Shared/a", false},
	    {{"*"}, "Shared/a", false},
	    {{"%/a"}, "Shared/a", false},
	    {{"!Junk"}, "Shared/a", false},
	    {{"!Shared/a"}, "Shared/a", false},
	    {{"*", "Shared/*"}, "Shared/a", true},
	    {{"*", "Shared/*"}, "Sent", false},
	    {{"Shared/*", "*"}, "Shared/a", false},
	    {{"Shared/*", "!Shared/a"}, "Shared/a", false},
	    {{"Shared/a"}, "Shared/a", true},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t count = 0;

		while (count < COUNT(rows[i].patterns) && rows[i].patterns[count])
			count++;
		if (mailbox_patterns_name(rows[i].patterns, count, rows[i].name) != rows[i].named)
			fail_msg("row %zu", i);
	}
}

/* The meaning of a pattern, told in the plainest way. */
static bool plain_match(const char *pattern, const char *name)
{
	if (!*pattern)
		return !*name;
	if (*pattern != '*' && *pattern != '%')
		return *pattern == *name && plain_match(pattern + 1, name + 1);
	if (plain_match(pattern + 1, name))
		return true;
	return *name && (*pattern == '*' || *name != '/') && plain_match(pattern, name + 1);
}

/* The number-th word over an alphabet, shortest first. */
static void nth_word(unsigned number, const char *alphabet, char *out)
{
	unsigned base = (unsigned)strlen(alphabet);

	for (; number; number = (number - 1) / base)
		*out++ = alphabet[(number - 1) % base];
	*out = '\0';
}

/* All patterns of up to 5 bytes on all names of up to 6. */
static void test_against_plain(void **unused)
{
	(void)unused;
	for (unsigned i = 1; i <= 5 + 25 + 125 + 625 + 3125; i++) {
		char pattern[8];
		const char *patterns[1] = {pattern};

		nth_word(i, "ab/*%", pattern);
		for (unsigned j = 1; j <= 3 + 9 + 27 + 81 + 243 + 729; j++) {
			char name[8];

			nth_word(j, "ab/", name);
			if (mailbox_patterns_match(patterns, 1, name) != plain_match(pattern, name))
				fail_msg("%s on %s", pattern, name);
		}
	}
}

/* A pattern that makes a recursive matcher take for ever. */
static void test_is_never_slow(void **unused)
{
	static const char *const patterns[] = {"*a*a*a*a*a*a*a*a*a*a*a*a%a%a%a%a%a%a%b"};
	char name[2049];

	(void)unused;
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_false(mailbox_patterns_match(patterns, 1, name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_single),
	    cmocka_unit_test(test_lists),
	    cmocka_unit_test(test_named),
	    cmocka_unit_test(test_against_plain),
	    cmocka_unit_test(test_is_never_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
