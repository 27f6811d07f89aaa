// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/channel.h"

#include "base/alloc.h"
#include "sync/guard.h"
#include "sync/planner.h"

#include <stdlib.h>
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

/* True where a copy into the trash is the very message that is to be moved there. */
static bool is_same(const struct op *copy, const struct pair *pair)
{
	const struct identity *identity = &copy->identity;

	if (identity->has_digest)
		return digest_equal(&identity->digest, &pair->digest);
	if (copy->side == REMOTE)
		return !strcmp(copy->name, pair->name);
	return identity->size == pair->size && identity->date == pair->date &&
	       (!identity->has_message_id || identity->message_id == pair->message_id);
}

/* A copy into the trash that no deletion was paired with yet and that is this message, or NULL. */
static struct op *find_copy(struct plan *trash, const bool *used, enum side side,
			    const struct pair *pair)
{
	for (size_t i = 0; i < trash->len; i++) {
		struct op *op = &trash->ops[i];
		if (op->kind == OP_COPY && op->side == side && !op->blocked && !used[i] &&
		    is_same(op, pair))
			return op;
	}
	return NULL;
}

/*
 * What a user moved to the trash comes there as a new message: moving it there on the other side
 * too would make it two.
 */
static void pair_with_trash(struct channel *channel, struct box *trash, enum side side)
{
	bool *used = xcalloc(trash->plan.len + 1, sizeof(*used));

	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		for (size_t k = 0; box->active && k < box->plan.len; k++) {
			struct op *op = &box->plan.ops[k];
			const struct pair *pair;
			struct op *copy;
			if (op->kind != OP_TRASH || op->side != side || op->blocked)
				continue;
			pair = journal_pair_of_uid(box->journal, op->uid);
			copy = pair ? find_copy(&trash->plan, used, side, pair) : NULL;
			if (!copy)
				continue;
			used[copy - trash->plan.ops] = true;
			op->kind = OP_REMOVE;
		}
	}
	free(used);
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
	for (size_t i = 0; i < channel->len; i++)
		for (enum side side = LOCAL; side < SIDES && channel->boxes[i].active; side++)
			if (!strcmp(channel->boxes[i].name, channel->trash[side]))
				pair_with_trash(channel, &channel->boxes[i], side);
}
