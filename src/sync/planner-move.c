// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/planner-inner.h"

#include <stdlib.h>

/* Adds the change of a message's flags on one side, where there is one. */
static void add_flag(struct plan *plan, enum side side, const struct flags_verdict *verdict,
		     uint32_t uid, const char *name, enum rule rule)
{
	if (flags_are_none(verdict->add[side]) && flags_are_none(verdict->remove[side]))
		return;
	struct op *op = plan_add(plan, OP_FLAG, side, rule);
	op->uid = uid;
	op->name = name;
	op->add = verdict->add[side];
	op->remove = verdict->remove[side];
}

void planner_add_changes(struct plan *plan, const struct flags_verdict *verdict, enum rule rule,
			 uint32_t uid, const char *name, struct flags base)
{
	for (enum side side = LOCAL; side < SIDES; side++)
		add_flag(plan, side, verdict, uid, name, rule);
	if (flags_equal(verdict->agreed, base))
		return;
	struct op *agree = plan_add(plan, OP_AGREE, LOCAL, rule);
	agree->uid = uid;
	agree->name = name;
	agree->flags = verdict->agreed;
}

/* How the flags merge of a message whose two ends these are. */
static struct flags_verdict merge_ends(const struct planner_box *boxes, const struct end *from,
				       const struct end *to, enum side side)
{
	const struct planner_input *input = &boxes[from->box].input;
	const enum side there = other_side(side);
	struct flags_case flags = {.policy = input->policy, .base = input->pairs[from->pair].flags};

	flags.have[side] = input->sides[side]->known[from->pair].flags;
	flags.permanent[side] = input->sides[side]->permanent;
	flags.have[there] = boxes[to->box].plan->ops[to->op].flags;
	flags.permanent[there] = boxes[to->box].input.sides[there]->permanent;
	const struct flags read = flags.have[there];
	if (side == LOCAL || !planner_letters_came_along(input->sides[LOCAL]->letters,
							 boxes[to->box].input.sides[LOCAL]->letters,
							 flags.base.keywords, read.keywords))
		return planner_flags(&flags);
	/* It has the keywords that it had; the letters for them are the new place's. */
	flags.have[LOCAL].keywords = flags.base.keywords;
	struct flags_verdict verdict = planner_flags(&flags);
	const struct flags end =
	    flags_union(flags_minus(flags.have[LOCAL], verdict.remove[LOCAL]), verdict.add[LOCAL]);
	verdict.add[LOCAL] = flags_minus(end, read);
	verdict.remove[LOCAL] = flags_minus(read, end);
	return verdict;
}

/*
 * V1: a message that left one mailbox and appeared in another on the same side was moved there, so
 * it is moved on the other side: nothing is sent, its date stays, and at no instant is there none
 * of it. Its flags merge against what was agreed on where it came from.
 */
static void rule_v1_move(struct planner_box *boxes, const struct end *from, const struct end *to,
			 enum side side)
{
	const struct pair *pair = &boxes[from->box].input.pairs[from->pair];
	const struct flags_verdict verdict = merge_ends(boxes, from, to, side);
	struct plan *source = boxes[from->box].plan, *target = boxes[to->box].plan;
	struct op *arrival = &target->ops[to->op], *move = &source->ops[from->op];
	const struct message_key there = {.uid = arrival->uid, .name = arrival->name};

	move->kind = OP_MOVE;
	move->rule = RULE_V1_MOVE;
	move->target = (uint32_t)to->box;
	move->there = there;
	move->flags = verdict.agreed;
	plan_identify(source, move, &from->identity);
	move->redate = side == REMOTE && arrival->identity.date != from->identity.date;
	arrival->kind = OP_NONE;
	add_flag(source, side, &verdict, pair->uid, pair->name, RULE_V1_MOVE);
	add_flag(target, other_side(side), &verdict, there.uid, there.name, RULE_V1_MOVE);
}

/*
 * V2: a message that is gone and new in the same mailbox has only another name there, or another
 * UID: it is the same pair under it, and nothing is done on the other side.
 */
static void rule_v2_rename(struct planner_box *boxes, const struct end *from, const struct end *to,
			   enum side side)
{
	const struct pair *pair = &boxes[from->box].input.pairs[from->pair];
	const struct flags_verdict verdict = merge_ends(boxes, from, to, side);
	struct plan *plan = boxes[from->box].plan;
	struct op *arrival = &plan->ops[to->op], *repair = &plan->ops[from->op];
	uint32_t uid = arrival->uid ? arrival->uid : pair->uid;
	const char *name = arrival->name ? arrival->name : pair->name;

	repair->kind = OP_PAIR;
	repair->rule = RULE_V2_RENAME;
	repair->uid = uid;
	repair->name = name;
	repair->flags = pair->flags;
	plan_identify(plan, repair, &from->identity);
	arrival->kind = OP_NONE;
	planner_add_changes(plan, &verdict, RULE_V2_RENAME, uid, name, pair->flags);
}

/*
 * V1 of a message that may have left a mailbox that could not be looked at: it waits. Were it
 * copied, it would look like one that was copied and then deleted, once that mailbox can be looked
 * at: the trash would get what was only moved.
 */
static void wait_for_run(struct plan *plan, size_t copy)
{
	plan->ops[copy].blocked = true;
	plan->waiting++;
}

/*
 * The two are one message. V1 of a file that is back in a mailbox that it was moved out of before a
 * run broke: if that cannot be looked at on the server, what the server moved for it waits, too, or
 * it would be removed and sent anew.
 */
static void join(struct planner_box *boxes, struct end *from, struct end *to, enum side side)
{
	from->taken = to->taken = true;
	if (to->op == NO_OP)
		boxes[from->box].plan->ops[from->op].blocked = true;
	else if (from->op == NO_OP)
		wait_for_run(boxes[to->box].plan, to->op);
	else if (boxes[to->box].plan->ops[to->op].kind == OP_PAIR)
		planner_end_move(&boxes[from->box].plan->ops[from->op]);
	else if (from->box == to->box)
		rule_v2_rename(boxes, from, to, side);
	else
		rule_v1_move(boxes, from, to, side);
}

/* Takes out the arrivals that became moves. */
static void drop_none(struct plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->len; i++)
		if (plan->ops[i].kind != OP_NONE)
			plan->ops[kept++] = plan->ops[i];
	plan->len = kept;
}

/* Counts the strays that have no other half. */
static void count_astray(const struct planner_box *boxes, const struct end_list *strays)
{
	for (size_t i = 0; i < strays->len; i++)
		boxes[strays->ends[i].box].plan->astray += !strays->ends[i].taken;
}

/* All moves on one side, what is left to do of those that are there, and what may be one. */
static void plan_side(struct planner_box *boxes, size_t len, enum side side)
{
	struct end_list gone = {0}, strays = {0}, unseen = {0}, new = {0}, found = {0}, kept = {0};

	planner_collect_departures(boxes, len, side, &gone);
	planner_collect_unseen(boxes, len, side, &unseen);
	planner_collect_strays(boxes, len, side, &strays);
	if (gone.len || unseen.len || strays.len)
		planner_collect_new(boxes, len, side, planner_is_arrival, &new);
	if (gone.len)
		planner_collect_new(boxes, len, side, planner_is_found, &found);
	if (gone.len && side == REMOTE)
		planner_collect_kept(boxes, len, &kept);
	planner_match(boxes, &gone, &new, side, join);
	planner_match(boxes, &strays, &new, side, planner_follow);
	count_astray(boxes, &strays);
	planner_match(boxes, &gone, &found, side, join);
	planner_match(boxes, &unseen, &new, side, join);
	if (kept.len)
		planner_match_names(boxes, &gone, &kept, side, join);
	free(gone.ends);
	free(strays.ends);
	free(unseen.ends);
	free(new.ends);
	free(found.ends);
	free(kept.ends);
}

void planner_moves(struct planner_box *boxes, size_t len, bool partial)
{
	planner_halves(boxes, len, partial);
	for (enum side side = LOCAL; side < SIDES; side++)
		plan_side(boxes, len, side);
	planner_end_moves(boxes, len);
	for (size_t i = 0; i < len; i++)
		drop_none(boxes[i].plan);
}
