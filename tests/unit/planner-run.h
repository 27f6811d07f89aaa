// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Runs the planner on a case (planner-case.h): makes its inputs of the rows, in an order that a
 * seed decides, and tells the plans as sorted lines "ID: RULE KIND ...", "MAILBOX/ID: ..." or
 * "MAILBOX: RULE", the operations' own fields held against the rows.
 */
#ifndef TESTS_PLANNER_RUN_H
#define TESTS_PLANNER_RUN_H

#include "planner-case.h"

struct inputs;

struct planner_run {
	struct arena arena;
	struct inputs *inputs; /* what the plans' operations point into */
	struct plan plans[CASE_BOXES_MAX]; /* of the case's mailboxes, in its order */
	char **lines; /* sorted */
	size_t len, cap;
};

/* The next of a sequence of numbers that depends on *state alone, below limit. */
uint32_t run_random(uint64_t *state, uint32_t limit);
/* Plans; seed 0 leaves the order as written. */
void planner_run(const struct planner_case *it, uint64_t seed, struct planner_run *run);
void planner_run_free(struct planner_run *run);
/* The lines that the case expects, sorted; strings are in arena, the array is freed by free(). */
char **case_lines(const struct planner_case *it, struct arena *arena, size_t *len);

#endif
