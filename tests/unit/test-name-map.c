// SPDX-License-Identifier: GPL-3.0-or-later
/* Names on the other side: by hand, and whatever the map, there and back; special uses' words. */
#include "mail/name-map.h"
#include "mail/special-use.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Both NULL, or the same text. */
static void expect_name(const char *got, const char *want, const char *of)
{
	if ((got == NULL) != (want == NULL) || (got != NULL && strcmp(got, want) != 0))
		fail_msg("%s is %s, not %s", of, got != NULL ? got : "none",
			 want != NULL ? want : "none");
}

static const struct name_pair pairs[] = {
    {.local = "Sent", .remote = "[Gmail]/Sent Mail"},
    {.local = "Work", .remote = "W"},
    {.local = "Work/Out", .remote = "Gone out"},
    {.local = "a", .remote = "b"}, /* a ring */
    {.local = "b", .remote = "c"},
    {.local = "c", .remote = "a"},
    {.local = "x", .remote = "y"}, /* a chain */
    {.local = "y", .remote = "z"},
    {.local = "same", .remote = "same"},
    {.local = "Junk", .remote = NULL, .use = SPECIAL_USE_JUNK},
    {.local = "Bin", .remote = "Deleted Items", .use = SPECIAL_USE_TRASH},
};

static void test_table(void **state)
{
	static const struct {
		const char *local;
		const char *remote;
	} rows[] = {
	    {"INBOX", "INBOX"},
	    {"INBOX/Sent", "INBOX/Sent"},
	    {"Sent", "[Gmail]/Sent Mail"},
	    {"Sent/2020/a", "[Gmail]/Sent Mail/2020/a"},
	    {"Sent2020", "Sent2020"},
	    {"sent", "sent"},
	    {"[Gmail]/Drafts", "[Gmail]/Drafts"},
	    {"[Gmail]", "[Gmail]"},
	    {NULL, "Sent"}, /* covered up */
	    {NULL, "Sent/2020"},
	    {"[Gmail]/Sent Mail", NULL},
	    {"[Gmail]/Sent Mail/2020", NULL},
	    {"Work", "W"},
	    {"Work/In", "W/In"},
	    {"Work/Out", "Gone out"},
	    {"Work/Out/1", "Gone out/1"},
	    {"Work/Outer", "W/Outer"},
	    {NULL, "W/Out"},
	    {NULL, "W/Out/1"},
	    {NULL, "Work"},
	    {"W", NULL},
	    {"a", "b"},
	    {"b/1", "c/1"},
	    {"c", "a"},
	    {"x", "y"},
	    {"y", "z"},
	    {NULL, "x"},
	    {"z", NULL},
	    {"same/1", "same/1"},
	    {"Junk", "Junk"},
	    {"Bin", "Deleted Items"},
	};
	const struct name_map map = {pairs, COUNT(pairs)};
	const struct name_map none = {0};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *local = rows[i].local, *remote = rows[i].remote;

		if (local != NULL) {
			expect_name(name_map_to_remote(&map, &arena, local), remote, local);
			expect_name(name_map_to_remote(&none, &arena, local), local, local);
		}
		if (remote != NULL) {
			expect_name(name_map_to_local(&map, &arena, remote), local, remote);
			expect_name(name_map_to_local(&none, &arena, remote), remote, remote);
		}
	}
	arena_free(&arena);
}

/* What would be too long there has no name there. */
static void test_too_long(void **state)
{
	const struct name_pair pair = {.local = "s", .remote = "long"};
	const struct name_map map = {&pair, 1};
	struct arena arena = {0};
	char name[2049];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[0] = 's';
	name[1] = '/';
	name[2045] = '\0';
	assert_int_equal(strlen(name_map_to_remote(&map, &arena, name)), 2048);
	name[2045] = 'x';
	name[2046] = '\0';
	assert_null(name_map_to_remote(&map, &arena, name));
	arena_free(&arena);
}

/* The next of a sequence that is the same in every run. */
static uint32_t next(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % below;
}

#define NAMES 39u /* of one to three parts, each a, b or c */

/* The n-th of them. */
static const char *name_of(uint32_t n)
{
	static char names[NAMES][8];
	char *name = names[n];

	if (n < 3)
		snprintf(name, 8, "%c", "abc"[n]);
	else if (n < 12)
		snprintf(name, 8, "%c/%c", "abc"[(n - 3) / 3], "abc"[n % 3]);
	else
		snprintf(name, 8, "%c/%c/%c", "abc"[(n - 12) / 9], "abc"[(n - 12) / 3 % 3],
			 "abc"[n % 3]);
	return name;
}

/* Fills a map without a name twice on either side; a few of its pairs are not known. */
static size_t make_map(uint64_t *seed, struct name_pair out[6])
{
	size_t len = next(seed, 7);

	for (size_t i = 0; i < len;) {
		bool twice = false;

		out[i] = (struct name_pair){.local = name_of(next(seed, NAMES)),
					    .remote = name_of(next(seed, NAMES))};
		if (next(seed, 10) == 0)
			out[i].remote = NULL;
		for (size_t k = 0; k < i; k++)
			twice |= out[k].local == out[i].local ||
				 (out[i].remote != NULL && out[k].remote == out[i].remote);
		i += !twice;
	}
	return len;
}

/* One map: there and back is where one was; each pair's own names are one another's. */
static void check_map(const struct name_map *map, size_t *renamed, size_t *covered)
{
	struct arena arena = {0};

	for (uint32_t n = 0; n < NAMES; n++) {
		const char *name = name_of(n);
		const char *remote = name_map_to_remote(map, &arena, name);
		const char *local = name_map_to_local(map, &arena, name);

		if (remote != NULL)
			expect_name(name_map_to_local(map, &arena, remote), name, remote);
		if (local != NULL)
			expect_name(name_map_to_remote(map, &arena, local), name, local);
		*renamed += remote != NULL && strcmp(remote, name) != 0;
		*covered += remote == NULL;
	}
	for (size_t i = 0; i < map->len; i++) {
		const struct name_pair *pair = &map->pairs[i];

		if (pair->remote == NULL)
			continue;
		expect_name(name_map_to_remote(map, &arena, pair->local), pair->remote,
			    pair->local);
		expect_name(name_map_to_local(map, &arena, pair->remote), pair->local,
			    pair->remote);
	}
	arena_free(&arena);
}

static void test_there_and_back(void **state)
{
	uint64_t seed = 20261122;
	size_t renamed = 0, covered = 0;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct name_pair made[6];
		const struct name_map map = {made, make_map(&seed, made)};

		check_map(&map, &renamed, &covered);
	}
	assert_true(renamed > 3000); /* the maps are such that something happens */
	assert_true(covered > 3000);
}

static void test_special_uses(void **state)
{
	static const char *const none[] = {"",        "\\",      "Sent",      "\\Sen",
					   "\\Sentx", "\\Inbox", "\\Noselect"};
	size_t words = 0;

	(void)state;
	for (unsigned use = SPECIAL_USE_ALL; use <= SPECIAL_USE_TRASH; use <<= 1, words++) {
		assert_int_equal(special_use_of(special_use_word(use)), use);
		assert_non_null(strstr(special_use_words, special_use_word(use)));
	}
	assert_int_equal(words, 7);
	assert_int_equal(special_use_of("\\sENT"), SPECIAL_USE_SENT);
	assert_int_equal(special_use_of("\\Junk"), SPECIAL_USE_JUNK);
	for (size_t i = 0; i < COUNT(none); i++)
		assert_int_equal(special_use_of(none[i]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_too_long),
	    cmocka_unit_test(test_there_and_back),
	    cmocka_unit_test(test_special_uses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
