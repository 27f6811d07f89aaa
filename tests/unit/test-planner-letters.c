// SPDX-License-Identifier: GPL-3.0-or-later
/* Rule V1 of a file that took the letters of its keywords to a mailbox where they are others. */
#include "sync/planner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The set of the keywords that are called by these letters. */
static uint32_t set_of(const char *names)
{
	uint32_t set = 0;

	for (; *names; names++)
		set = keywords_union(set, keywords_of(names, 1));
	return set;
}

/* A table: the n-th letter means the n-th keyword, '-' none. */
static void write_letters(const char *names, struct flags letters[KEYWORD_LETTERS])
{
	memset(letters, 0, KEYWORD_LETTERS * sizeof(*letters));
	for (size_t i = 0; names[i]; i++)
		if (names[i] != '-')
			letters[i].keywords = keywords_of(&names[i], 1);
}

static const struct {
	const char *from, *to; /* tables; NULL: not known */
	const char *agreed, *read;
	bool came_along;
} cases[] = {
    {"J", "X", "J", "X", true},
    {"JW", "XYW", "JW", "XY", true},
    {"J", "J", "J", "J", true},
    {"J", "X", "", "", true},
    {"JW", "-W", "JW", "W", true},   /* the first letter means nothing there */
    {"J", "XJ", "J", "J", false},    /* who moved it knew the letters */
    {"JW", "XY", "JW", "X", false},  /* or took one off */
    {"J", "X", "", "X", false},      /* or gave it one */
    {NULL, "X", "J", "X", false},
    {"J", NULL, "J", "", false},
};

static void tells_whether_letters_came_along(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flags from[KEYWORD_LETTERS], to[KEYWORD_LETTERS];

		print_message("case %zu\n", i);
		write_letters(cases[i].from ? cases[i].from : "", from);
		write_letters(cases[i].to ? cases[i].to : "", to);
		assert_int_equal(planner_letters_came_along(
				     cases[i].from ? from : NULL, cases[i].to ? to : NULL,
				     set_of(cases[i].agreed), set_of(cases[i].read)),
				 cases[i].came_along);
	}
}

/* The one operation of a kind. */
static const struct op *find_op(const struct plan *plan, enum op_kind kind)
{
	const struct op *found = NULL;

	for (size_t i = 0; i < plan->len; i++)
		if (plan->ops[i].kind == kind) {
			assert_null(found);
			found = &plan->ops[i];
		}
	assert_non_null(found);
	return found;
}

/* Junk on its way to where its letter says Todo: it stays junk on both sides. */
static void keeps_the_keywords_of_what_moved(void **state)
{
	static const struct policy policy = {
	    .change = {CHANGE_ALL, CHANGE_ALL},
	};
	struct flags letters[SIDES][KEYWORD_LETTERS];
	struct presence known[SIDES] = {
	    [REMOTE] = {.flags = {.keywords = keywords_of("J", 1)}, .present = true}};
	struct pair pair = {.uid = 7, .name = "m", .size = 9, .flags = known[REMOTE].flags};
	struct fresh_message fresh = {.state = {.key = {.name = "m"},
						.flags = {.keywords = keywords_of("T", 1)},
						.identity = pair_identity(&pair)}};
	struct snapshot inbox[SIDES], work[SIDES];
	struct plan plans[2] = {0};
	struct planner_box boxes[2] = {{.plan = &plans[0]}, {.plan = &plans[1]}};

	(void)state;
	write_letters("J", letters[0]);
	write_letters("T", letters[1]);
	for (enum side side = LOCAL; side < SIDES; side++) {
		inbox[side] = (struct snapshot){.side = side, .permanent = FLAG_ROOM_ALL,
						.known = &known[side], .known_len = 1};
		work[side] = (struct snapshot){.side = side, .permanent = FLAG_ROOM_ALL};
		boxes[0].input.sides[side] = &inbox[side];
		boxes[1].input.sides[side] = &work[side];
	}
	inbox[LOCAL].letters = letters[0];
	work[LOCAL].letters = letters[1];
	work[LOCAL].fresh = &fresh;
	work[LOCAL].fresh_len = 1;
	boxes[0].input.pairs = &pair;
	boxes[0].input.pairs_len = 1;
	for (size_t i = 0; i < 2; i++) {
		boxes[i].input.policy = &policy;
		planner_messages(&boxes[i].input, &plans[i]);
	}
	planner_moves(boxes, 2, false);
	assert_int_equal(plans[0].len, 1);
	assert_int_equal(find_op(&plans[0], OP_MOVE)->flags.keywords, keywords_of("J", 1));
	assert_int_equal(find_op(&plans[1], OP_FLAG)->side, LOCAL);
	assert_int_equal(find_op(&plans[1], OP_FLAG)->add.keywords, keywords_of("J", 1));
	assert_int_equal(find_op(&plans[1], OP_FLAG)->remove.keywords, keywords_of("T", 1));
	plan_free(&plans[0]);
	plan_free(&plans[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tells_whether_letters_came_along),
	    cmocka_unit_test(keeps_the_keywords_of_what_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
