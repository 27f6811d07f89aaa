// SPDX-License-Identifier: GPL-3.0-or-later
/* Rules B1 to B3: the whole truth table. */
#include "sync/planner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Does not matter. */
#define ANY (-1)

/* Read from the top: the first row that fits tells. */
static const struct {
	int local, remote, selectable, journaled;
	int pull, push; /* mailboxes may be made there */
	enum rule rule;
	int missing; /* ANY where nobody asks */
} table[] = {
    /* Both sides have it. */
    {1, 1, 1, ANY, ANY, ANY, RULE_NONE, ANY},
    /* A name that holds no messages is no mailbox, whoever else has it. */
    {ANY, 1, 0, ANY, ANY, ANY, RULE_B2_LEAVE, ANY},
    /* The journal knew it. */
    {1, 0, ANY, 1, ANY, ANY, RULE_B3_GONE, REMOTE},
    {0, 1, 1, 1, ANY, ANY, RULE_B3_GONE, LOCAL},
    {0, 0, ANY, 1, ANY, ANY, RULE_B3_GONE, ANY},
    /* Nobody has it, nobody knew it. */
    {0, 0, ANY, 0, ANY, ANY, RULE_B2_LEAVE, ANY},
    /* New on one side. */
    {1, 0, ANY, 0, ANY, 1, RULE_B1_CREATE, REMOTE},
    {1, 0, ANY, 0, ANY, 0, RULE_B2_LEAVE, REMOTE},
    {0, 1, 1, 0, 1, ANY, RULE_B1_CREATE, LOCAL},
    {0, 1, 1, 0, 0, ANY, RULE_B2_LEAVE, LOCAL},
};

#define ROWS (sizeof(table) / sizeof(*table))

static bool fits(int wanted, bool is)
{
	return wanted == ANY || wanted == (int)is;
}

/* The row that tells of a situation, given as six bits. */
static size_t find_row(unsigned bits)
{
	for (size_t i = 0; i < ROWS; i++)
		if (fits(table[i].local, bits & 1) && fits(table[i].remote, bits & 2) &&
		    fits(table[i].selectable, bits & 4) && fits(table[i].journaled, bits & 8) &&
		    fits(table[i].pull, bits & 16) && fits(table[i].push, bits & 32))
			return i;
	fail_msg("no row for %u", bits);
	return 0;
}

static void follows_the_table(void **state)
{
	bool used[ROWS] = {false};

	(void)state;
	for (unsigned bits = 0; bits < 64; bits++) {
		const struct planner_mailbox mailbox = {
		    .exists = {(bits & 1) != 0, (bits & 2) != 0},
		    .selectable = (bits & 4) != 0,
		    .journaled = (bits & 8) != 0,
		};
		/* All else is allowed where mailboxes are not, and the other way round. */
		const struct policy policy = {
		    .change = {bits & 16 ? CHANGE_MAILBOXES : CHANGE_ALL & ~CHANGE_MAILBOXES,
			       bits & 32 ? CHANGE_MAILBOXES : CHANGE_ALL & ~CHANGE_MAILBOXES},
		};
		enum side missing = LOCAL;
		size_t row = find_row(bits);
		used[row] = true;
		assert_int_equal(planner_mailbox(&policy, &mailbox, &missing), table[row].rule);
		if (table[row].missing != ANY)
			assert_int_equal(missing, table[row].missing);
	}
	for (size_t i = 0; i < ROWS; i++)
		assert_true(used[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(follows_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
