// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/channel.h"

#include "sync/guard.h"
#include "sync/planner.h"

#include <string.h>

/* The plan of one box: the mailbox itself, its messages, and what the guard says to that. */
static void plan_box(struct channel *channel, struct box *box)
{
	const struct policy *policy = &channel->setup.policy;
	const char *trash = channel->trash[REMOTE];
	struct planner_input input = {
	    .policy = policy,
	    .sides = {&box->sides[LOCAL], &box->sides[REMOTE]},
	    .matches = box->match.matches,
	    .matches_len = box->match.len,
	    .is_trash = box->attributes & MAILBOX_TRASH || !strcmp(box->name, trash),
	    .is_junk = (box->attributes & MAILBOX_JUNK) != 0,
	};

	input.pairs = journal_pairs(box->journal, &input.pairs_len);
	input.notes = journal_notes(box->journal, &input.notes_len);
	box->plan.arena = &box->arena;
	box->plan.refused = 0;
	if (box->rule == RULE_B1_CREATE)
		plan_add(&box->plan, OP_CREATE, box->missing, RULE_B1_CREATE);
	planner_messages(&input, &box->plan);
	if (box->rule == RULE_B3_GONE && !box->allowed)
		guard_block_gone(&input, box->missing, &box->plan);
	else
		guard_check(&input, box->allowed, &box->plan);
}

/* Operations outlive the journal's rows: their names move into the box's arena. */
static void keep_names(struct box *box)
{
	for (size_t i = 0; i < box->plan.len; i++)
		if (box->plan.ops[i].name)
			box->plan.ops[i].name = arena_strdup(&box->arena, box->plan.ops[i].name);
}

/* A mailbox that is gone takes no new messages: what would be copied into it is left alone. */
static void drop_copies(struct box *box)
{
	for (size_t i = 0; i < box->plan.len; i++) {
		struct op *op = &box->plan.ops[i];
		if (op->side == box->missing && (op->kind == OP_COPY || op->kind == OP_FLAG))
			op->blocked = true;
	}
}

void channel_plan(struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		if (!box->active)
			continue;
		plan_box(channel, box);
		if (box->rule == RULE_B3_GONE)
			drop_copies(box);
		keep_names(box);
	}
}
