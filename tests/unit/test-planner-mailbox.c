// SPDX-License-Identifier: GPL-3.0-or-later
/* Rules B1 to B4: the whole truth table. What becomes of B4 once the messages are planned is in
 * tests/planner/mailboxes.case. */
#include "sync/planner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Does not matter. */
#define ANY (-1)

/* Whether mailboxes may be made and deleted on a side. */
enum allowed {
	NOTHING,
	MAKING,
	DELETING,
};

/* Read from the top: the first row that fits tells. */
static const struct {
	int local, remote, selectable, journaled, pairs, inbox;
	int pull, push; /* of enum allowed */
	enum rule rule;
	int missing; /* ANY where nobody asks */
} table[] = {
    /* Both sides have it. */
    {1, 1, 1, ANY, ANY, ANY, ANY, ANY, RULE_NONE, ANY},
    /* Nobody has it: what was known is forgotten. A name that holds no messages is no mailbox. */
    {0, 0, ANY, 1, ANY, ANY, ANY, ANY, RULE_B4_DELETE, ANY},
    {0, 1, 0, 1, ANY, ANY, ANY, ANY, RULE_B4_DELETE, ANY},
    {0, 0, ANY, 0, ANY, ANY, ANY, ANY, RULE_B2_LEAVE, ANY},
    {0, 1, 0, 0, ANY, ANY, ANY, ANY, RULE_B2_LEAVE, ANY},
    /* The journal knew it, and it may be deleted. */
    {1, ANY, ANY, 1, ANY, 0, DELETING, ANY, RULE_B4_DELETE, REMOTE},
    {0, 1, 1, 1, ANY, 0, ANY, DELETING, RULE_B4_DELETE, LOCAL},
    /* Or not, and messages are in question. */
    {1, ANY, ANY, 1, 1, ANY, ANY, ANY, RULE_B3_GONE, REMOTE},
    {0, 1, 1, 1, 1, ANY, ANY, ANY, RULE_B3_GONE, LOCAL},
    /* New on one side, or as good as new. */
    {1, ANY, ANY, ANY, ANY, ANY, ANY, NOTHING, RULE_B2_LEAVE, REMOTE},
    {1, ANY, ANY, ANY, ANY, ANY, ANY, ANY, RULE_B1_CREATE, REMOTE},
    {0, 1, 1, ANY, ANY, ANY, NOTHING, ANY, RULE_B2_LEAVE, LOCAL},
    {0, 1, 1, ANY, ANY, ANY, ANY, ANY, RULE_B1_CREATE, LOCAL},
};

#define ROWS (sizeof(table) / sizeof(*table))

static bool fits(int wanted, unsigned is)
{
	return wanted == ANY || wanted == (int)is;
}

/* One situation. */
struct situation {
	struct planner_mailbox mailbox;
	unsigned pull, push;
};

static size_t find_row(const struct situation *now)
{
	const struct planner_mailbox *mailbox = &now->mailbox;

	for (size_t i = 0; i < ROWS; i++)
		if (fits(table[i].local, mailbox->exists[LOCAL]) &&
		    fits(table[i].remote, mailbox->exists[REMOTE]) &&
		    fits(table[i].selectable, mailbox->selectable) &&
		    fits(table[i].journaled, mailbox->journaled) &&
		    fits(table[i].pairs, mailbox->has_pairs) &&
		    fits(table[i].inbox, mailbox->is_inbox) && fits(table[i].pull, now->pull) &&
		    fits(table[i].push, now->push))
			return i;
	fail_msg("no row");
	return 0;
}

/* What the policy says: all else is allowed where mailboxes are not. */
static unsigned change_of(unsigned allowed)
{
	static const unsigned changes[] = {CHANGE_ALL & ~CHANGE_MAILBOXES,
					   CHANGE_ALL & ~CHANGE_DELETIONS, CHANGE_ALL};

	return changes[allowed];
}

/* Each combination of six bits and what is allowed on both sides. */
static struct situation situation_of(unsigned bits, unsigned pull, unsigned push)
{
	return (struct situation){.mailbox = {.exists = {(bits & 1) != 0, (bits & 2) != 0},
					      .selectable = (bits & 4) != 0,
					      .journaled = (bits & 8) != 0,
					      .has_pairs = (bits & 16) != 0,
					      .is_inbox = (bits & 32) != 0},
				  .pull = pull,
				  .push = push};
}

static void check_situation(const struct situation *now, bool used[ROWS])
{
	const struct policy policy = {.change = {change_of(now->pull), change_of(now->push)}};
	enum side missing = LOCAL;
	size_t row = find_row(now);

	used[row] = true;
	assert_int_equal(planner_mailbox(&policy, &now->mailbox, &missing), table[row].rule);
	if (table[row].missing != ANY)
		assert_int_equal(missing, table[row].missing);
}

static void follows_the_table(void **state)
{
	bool used[ROWS] = {false};

	(void)state;
	for (unsigned bits = 0; bits < 64; bits++)
		for (unsigned allowed = 0; allowed < 9; allowed++) {
			const struct situation now = situation_of(bits, allowed / 3, allowed % 3);
			check_situation(&now, used);
		}
	for (size_t i = 0; i < ROWS; i++)
		assert_true(used[i]);
}

/* A side that keeps what the other deletes keeps its mailboxes too. */
static void keeps_mailboxes_with_their_messages(void **state)
{
	const struct policy policy = {.change = {CHANGE_ALL, CHANGE_ALL},
				      .deletion = {DELETION_KEEP, DELETION_TRASH}};
	struct planner_mailbox mailbox = {.selectable = true, .journaled = true, .has_pairs = true};
	enum side missing;

	(void)state;
	mailbox.exists[LOCAL] = true;
	assert_int_equal(planner_mailbox(&policy, &mailbox, &missing), RULE_B3_GONE);
	mailbox.has_pairs = false;
	assert_int_equal(planner_mailbox(&policy, &mailbox, &missing), RULE_B1_CREATE);
	mailbox.exists[LOCAL] = false;
	mailbox.exists[REMOTE] = true;
	assert_int_equal(planner_mailbox(&policy, &mailbox, &missing), RULE_B4_DELETE);
}

/* Only an INBOX that was renamed on the disk, where all of it moved, is made again unasked. */
static void makes_an_inbox_again(void **state)
{
	static const struct {
		enum side missing;
		bool may_make;
		enum op_kind kinds[2];
		bool blocked;
		enum rule rule;
	} rows[] = {
	    {LOCAL, true, {OP_MOVE, OP_MOVE}, false, RULE_B1_CREATE},
	    {LOCAL, true, {OP_MOVE, OP_COPY}, false, RULE_B1_CREATE},
	    {LOCAL, true, {OP_MOVE, OP_REMOVE}, false, RULE_B3_GONE},
	    {LOCAL, true, {OP_MOVE, OP_TRASH}, false, RULE_B3_GONE},
	    {LOCAL, true, {OP_COPY, OP_AGREE}, false, RULE_B3_GONE},
	    {LOCAL, true, {OP_MOVE, OP_MOVE}, true, RULE_B3_GONE},
	    {LOCAL, false, {OP_MOVE, OP_MOVE}, false, RULE_B3_GONE},
	    {REMOTE, true, {OP_MOVE, OP_MOVE}, false, RULE_B3_GONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct policy policy = {0};
		struct plan plan = {0};
		policy.change[rows[i].missing] = rows[i].may_make ? CHANGE_MAILBOXES : 0;
		for (size_t k = 0; k < 2; k++)
			plan_add(&plan, rows[i].kinds[k], other_side(rows[i].missing), RULE_NONE)
			    ->blocked = rows[i].blocked;
		if (planner_inbox_gone(&policy, rows[i].missing, &plan) != rows[i].rule)
			fail_msg("row %zu", i);
		plan_free(&plan);
	}
}

/* Asked of a mailbox that is gone on one side, and has this on the other. */
static void awaits_what_is_new(void **state)
{
	static const struct {
		unsigned there, here; /* what may change where it is, and where it is gone */
		enum policy_deletion deletion;
		bool fresh, ghost;
		bool awaited;
	} rows[] = {
	    {CHANGE_ALL, CHANGE_ALL, DELETION_KEEP, true, false, true},
	    {CHANGE_ALL & ~CHANGE_DELETIONS, CHANGE_ALL, DELETION_EXPUNGE, true, false, true},
	    {0, CHANGE_NEW | CHANGE_MAILBOXES, DELETION_TRASH, true, false, true},
	    {CHANGE_ALL, CHANGE_ALL, DELETION_EXPUNGE, true, false, false},
	    {CHANGE_ALL, CHANGE_ALL, DELETION_KEEP, true, true, false},
	    {CHANGE_ALL, CHANGE_ALL, DELETION_KEEP, false, false, false},
	    {0, CHANGE_NEW, DELETION_KEEP, true, false, false},
	    {0, CHANGE_MAILBOXES, DELETION_KEEP, true, false, false},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		enum side missing = i % 2 ? LOCAL : REMOTE, holder = other_side(missing);
		struct fresh_message fresh = {.ghost = rows[i / 2].ghost};
		const struct snapshot without = {0};
		const struct snapshot with = {.fresh = &fresh, .fresh_len = rows[i / 2].fresh};
		struct policy policy = {0};
		const struct planner_input input = {
		    .policy = &policy,
		    .sides = {holder == LOCAL ? &with : &without,
			      holder == LOCAL ? &without : &with},
		};
		policy.change[holder] = rows[i / 2].there;
		policy.change[missing] = rows[i / 2].here;
		policy.deletion[holder] = rows[i / 2].deletion;
		if (planner_is_awaited(&input, missing) != rows[i / 2].awaited)
			fail_msg("row %zu", i / 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(follows_the_table),
	    cmocka_unit_test(keeps_mailboxes_with_their_messages),
	    cmocka_unit_test(makes_an_inbox_again),
	    cmocka_unit_test(awaits_what_is_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
