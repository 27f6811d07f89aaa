// SPDX-License-Identifier: GPL-3.0-or-later
/* How a mailbox must stand after one's own changes, and where that is not known. */
#include "sync/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
	struct stamp before;
	struct own_changes own;
	bool known;
	struct stamp now;
} cases[] = {
    /* Flags; what came; what went; all of it. */
    {{7, 11, 10, 3, 0, 0, 0, 0}, {.steps = 2}, true, {7, 11, 10, 5, 0, 0, 0, 0}},
    {{7, 11, 10, 3, 0, 0, 0, 0},
     {.added = 3, .top_uid = 13, .steps = 1},
     true,
     {7, 14, 13, 4, 0, 0, 0, 0}},
    {{7, 11, 10, 3, 0, 0, 0, 0}, {.removed = 10, .steps = 1}, true, {7, 11, 0, 4, 0, 0, 0, 0}},
    {{7, 1, 0, 1, 0, 0, 0, 0},
     {.added = 1, .top_uid = 1, .removed = 1, .steps = 2},
     true,
     {7, 2, 0, 3, 0, 0, 0, 0}},
    /* The server tells too little. */
    {{0, 11, 10, 3, 0, 0, 0, 0}, {.steps = 1}, false, {0}},
    {{7, 0, 10, 3, 0, 0, 0, 0}, {.steps = 1}, false, {0}},
    {{7, 11, 10, 0, 0, 0, 0, 0}, {.steps = 1}, false, {0}},
    {{7, 11, 10, 3, 0, 0, 0, 0}, {.removed = 1}, false, {0}},
    {{7, 11, 10, 3, 0, 0, 0, 0}, {.steps = 1, .lost_append = true}, false, {0}},
    /* Somebody else: seen, by a UID in between, by one that is too high or too low. */
    {{7, 11, 10, 3, 0, 0, 0, 0}, {.steps = 1, .others = true}, false, {0}},
    {{7, 11, 10, 3, 0, 0, 0, 0}, {.added = 2, .top_uid = 13, .steps = 1}, false, {0}},
    {{7, 11, 10, 3, 0, 0, 0, 0}, {.added = 1, .top_uid = 12, .steps = 1}, false, {0}},
    {{7, 11, 10, 3, 0, 0, 0, 0}, {.added = 1, .top_uid = 9, .steps = 1}, false, {0}},
    /* More went than there were. */
    {{7, 11, 10, 3, 0, 0, 0, 0}, {.removed = 11, .steps = 1}, false, {0}},
};

static void test_expect(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stamp now = {0};

		print_message("case %zu\n", i);
		assert_int_equal(own_expect(&cases[i].own, &cases[i].before, &now), cases[i].known);
		assert_int_equal(now.uidvalidity, cases[i].now.uidvalidity);
		assert_int_equal(now.uidnext, cases[i].now.uidnext);
		assert_int_equal(now.messages, cases[i].now.messages);
		assert_int_equal(now.modseq, cases[i].now.modseq);
	}
}

/* What is noted of several requests adds up. */
static void test_note(void **state)
{
	struct own_changes own = {0};

	(void)state;
	own_note_added(&own, 12);
	own_note_added(&own, 11);
	own_note_done(&own, &(struct answer){.steps = 2}, 3);
	own_note_done(&own, &(struct answer){.steps = 1, .others = true}, 1);
	own_note_done(&own, &(struct answer){.steps = 1}, 0);
	assert_int_equal(own.added, 2);
	assert_int_equal(own.top_uid, 12);
	assert_int_equal(own.removed, 4);
	assert_int_equal(own.steps, 4);
	assert_true(own.others);
}

/* How it stood last is what the last end tells that tells it. */
static void test_stood(void **state)
{
	struct answer told = {.stamp = {7, 11, 9, 5, 0, 0, 0, 0}, .steps = 2}, silent = {.steps = 0};
	struct own_changes own = {0};

	(void)state;
	own_note_done(&own, &told, 1);
	own_note_done(&own, &silent, 1);
	assert_int_equal(own.stood.modseq, 5);
	assert_int_equal(own.stood.messages, 9);
	told.stamp.modseq = 6;
	own_note_done(&own, &told, 0);
	assert_int_equal(own.stood.modseq, 6);
	assert_int_equal(own.removed, 2);
	assert_int_equal(own.steps, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_expect),
					   cmocka_unit_test(test_stood),
					   cmocka_unit_test(test_note)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
