// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/guard.h"

/* Blocks every deletion on side, for reason. */
static void block(struct plan *plan, enum side side, enum guard_reason reason)
{
	plan->verdict[side].reason = reason;
	for (size_t i = 0; i < plan->len; i++)
		if (op_removes(&plan->ops[i], side) || plan->ops[i].kind == OP_DELETE)
			plan->ops[i].blocked = true;
}

/*
 * How many of the journal's pairs a side should hold, and how many it does. What moved elsewhere,
 * and will on the other side, is looked for no more.
 */
static size_t count_held(const struct planner_input *input, enum side side,
			 const struct plan *plan, size_t *expected)
{
	size_t held = 0, moved = plan_count(plan, OP_MOVE, other_side(side));

	*expected = 0;
	for (size_t i = 0; i < input->pairs_len; i++) {
		if (!pair_is_expected(&input->pairs[i], side))
			continue;
		(*expected)++;
		held += input->sides[side]->known[i].present;
	}
	*expected -= moved;
	return held;
}

/* What is gone on both sides is no part of what a deletion is one of so many of. */
static size_t count_left(const struct planner_input *input)
{
	size_t count = 0;

	for (size_t i = 0; i < input->pairs_len; i++)
		count += input->sides[LOCAL]->known[i].present ||
			 input->sides[REMOTE]->known[i].present;
	return count;
}

/* Counts what would be deleted on side into the verdict. */
static struct guard_verdict *count_deletions(const struct planner_input *input, enum side side,
					     struct plan *plan)
{
	struct guard_verdict *verdict = &plan->verdict[side];

	*verdict = (struct guard_verdict){.held = count_left(input)};
	for (size_t i = 0; i < plan->len; i++)
		verdict->deletions += op_removes(&plan->ops[i], side);
	return verdict;
}

/* A number of deletions past both bounds. */
static bool is_many(const struct policy *policy, const struct guard_verdict *verdict)
{
	return policy->safety_percent <= 100 && verdict->deletions > policy->safety_count &&
	       verdict->deletions * 100 > verdict->held * policy->safety_percent;
}

void guard_check(const struct planner_input *input, bool allowed, struct plan *plan)
{
	for (enum side side = LOCAL; side < SIDES; side++) {
		const struct guard_verdict *verdict = count_deletions(input, side, plan);
		size_t expected, held = count_held(input, other_side(side), plan, &expected);
		if (!verdict->deletions || allowed || input->is_trash || input->is_junk)
			continue;
		if (!held && expected > 1)
			block(plan, side, GUARD_EMPTIED);
		else if (is_many(input->policy, verdict))
			block(plan, side, GUARD_MANY);
	}
}

void guard_block_gone(const struct planner_input *input, enum side gone, struct plan *plan)
{
	enum side side = other_side(gone);

	if (count_deletions(input, side, plan)->deletions || plan_count(plan, OP_DELETE, side))
		block(plan, side, GUARD_GONE);
}
