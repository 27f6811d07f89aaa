// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/channel.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/guard.h"
#include "sync/planner.h"

#include <stdlib.h>
#include <string.h>

/* What the planner is to know of one box. */
static struct planner_input input_of(const struct channel *channel, const struct box *box)
{
	struct planner_input input = {
	    .policy = &channel->setup.policy,
	    .is_trash = !strcmp(box->at[REMOTE], channel->trash[REMOTE]),
	    .is_junk = box->attributes & MAILBOX_JUNK && strcmp(box->name, "INBOX") != 0,
	};

	if (!box->active)
		return input;
	input.sides[LOCAL] = &box->sides[LOCAL];
	input.sides[REMOTE] = &box->sides[REMOTE];
	input.matches = box->match.matches;
	input.matches_len = box->match.len;
	input.pairs = journal_pairs(box->journal, &input.pairs_len);
	input.notes = journal_notes(box->journal, &input.notes_len);
	input.former = box->survey.former;
	input.former_len = box->survey.former_len;
	return input;
}

/*
 * How a side holds the pairs of a mailbox that could not be looked at; NULL: nobody knows. Where
 * nothing changed there, it was not to be looked at.
 */
static const struct presence *held_unseen(struct box *box, enum side side, size_t pairs_len)
{
	struct snapshot *snapshot = &box->sides[side];
	bool changed = box->survey.scan[side] || !box->exists[side];

	if (!box->survey.seen[side] && changed)
		return NULL;
	if (!box->survey.seen[side]) {
		snapshot_free(snapshot);
		snapshot_begin(snapshot, side, box->journal);
	}
	return snapshot->known_len == pairs_len ? snapshot->known : NULL;
}

/* What the planner is to know of one that could not be looked at, but for its journal. */
static struct planner_unseen unseen_of(struct box *box)
{
	struct planner_unseen unseen = {0};

	if (box->survey.former && box->error.kind == ERROR_IO)
		return (struct planner_unseen){
		    .pairs = box->survey.former, .len = box->survey.former_len, .is_reset = true};
	unseen.pairs = journal_pairs(box->journal, &unseen.len);
	for (enum side side = LOCAL; side < SIDES; side++)
		unseen.held[side] = held_unseen(box, side, unseen.len);
	return unseen;
}

/* Messages that rule M9 leaves and that were not looked at again, for their side is as it was. */
static size_t count_refused_at_rest(const struct box *box, const struct planner_input *input)
{
	size_t count = 0;

	for (size_t i = 0; i < input->notes_len; i++) {
		const struct journal_note *note = &input->notes[i];
		count += note->kind == JOURNAL_REFUSED && !box->survey.scan[note->side] &&
			 input->policy->change[other_side(note->side)] & CHANGE_NEW;
	}
	return count;
}

/* The plan of one box by itself: the mailbox, then its messages. */
static void plan_box(struct box *box, const struct planner_input *input)
{
	box->plan.refused = count_refused_at_rest(box, input);
	if (box->rule == RULE_B1_CREATE)
		plan_add(&box->plan, OP_CREATE, box->missing, RULE_B1_CREATE);
	for (enum side side = LOCAL; side < SIDES; side++) {
		if (!strcmp(box->at[side], box->wanted[side]))
			continue;
		struct op *op = plan_add(&box->plan, OP_RENAME, side, RULE_B5_RENAME);
		op->name = box->at[side];
		op->there.name = box->wanted[side];
	}
	planner_messages(input, &box->plan);
}

/*
 * A mailbox that is gone, of a side that deletes nothing: for what is new in it, it is made again
 * here. On the server it would be another one, and all that was kept here would be sent to it.
 */
static enum rule plan_awaited(struct box *box)
{
	struct error err;

	if (box->missing == LOCAL)
		return RULE_B1_CREATE;
	error_set(&err, ERROR_REFUSED, SCOPE_MAILBOX,
		  "mailbox %s: it is gone from the server, and what is new in it here waits: make it "
		  "there again, or leave it out by \"mailboxes\"",
		  text_show(box->name));
	box_fail(box, &err);
	return RULE_B3_GONE;
}

/*
 * A mailbox that is gone on one side only: what becomes of it, now that its messages are planned.
 */
static void plan_gone(struct box *box, const struct planner_input *input)
{
	if (box->rule == RULE_B3_GONE && planner_is_awaited(input, box->missing))
		box->rule = plan_awaited(box);
	else if (box->rule == RULE_B3_GONE && !strcmp(box->name, "INBOX"))
		box->rule = planner_inbox_gone(input->policy, box->missing, &box->plan);
	else if (box->rule == RULE_B4_DELETE && !box->over)
		box->rule = planner_mailbox_gone(input, box->missing, &box->plan);
	else
		return;
	if (box->rule == RULE_B4_DELETE)
		plan_add(&box->plan, OP_DELETE, other_side(box->missing), RULE_B4_DELETE);
	else if (box->rule == RULE_B1_CREATE)
		plan_add(&box->plan, OP_CREATE, box->missing, RULE_B1_CREATE);
}

/* True where INBOX is gone on a side: nobody deletes that, so the side is not what it was. */
static bool is_doubtful(const struct channel *channel, enum side side)
{
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		if (!strcmp(box->name, "INBOX") && box->journal && journal_head(box->journal)->even)
			return !box->exists[side];
	}
	return false;
}

/* True where the user is to be asked about a mailbox that is gone: one that was empty may go. */
static bool asks_about_gone(const struct channel *channel, const struct box *box)
{
	const enum side holder = other_side(box->missing);

	if (box->allowed || box->over)
		return false;
	if (box->rule != RULE_B4_DELETE)
		return box->rule == RULE_B3_GONE;
	return plan_count_removals(&box->plan, holder) || is_doubtful(channel, box->missing);
}

/* What the guard says to it. */
static void guard_box(const struct channel *channel, struct box *box,
		      const struct planner_input *input)
{
	if (asks_about_gone(channel, box))
		guard_block_gone(input, box->missing, &box->plan);
	else
		guard_check(input, box->allowed, &box->plan);
}

/* True where a mailbox that is gone on that side would have to take something there. */
static bool is_gone_on(const struct box *box, enum side side)
{
	return (box->rule == RULE_B3_GONE || box->rule == RULE_B4_DELETE) && box->missing == side;
}

/* A mailbox that is gone takes no messages: what would go into it is left where it is. */
static void block_arrivals(const struct channel *channel, struct box *box)
{
	bool stays = false;

	for (size_t i = 0; i < box->plan.len; i++) {
		struct op *op = &box->plan.ops[i];
		if (op->kind == OP_MOVE)
			op->blocked |= is_gone_on(&channel->boxes[op->target], op->side);
		else if (op->kind == OP_COPY || op->kind == OP_CLONE || op->kind == OP_FLAG)
			op->blocked |= is_gone_on(box, op->side);
		stays |= op->blocked;
	}
	for (size_t i = 0; i < box->plan.len; i++)
		if (box->plan.ops[i].kind == OP_DELETE)
			box->plan.ops[i].blocked |= stays;
}

/* True where the disk failed: what a mailbox holds may be known in the next run. */
static bool has_failed_disk(const struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++)
		if (channel->boxes[i].error.kind == ERROR_IO)
			return true;
	return false;
}

/*
 * A mailbox whose journal was reset, and some of whose messages are nowhere to be seen: they may
 * have moved to one that the disk did not give. As long as its journal stays as it is, the next run
 * can tell; so the mailbox is left out of this one.
 */
static void keep_astray(struct channel *channel)
{
	bool failed = has_failed_disk(channel);

	for (size_t i = 0; i < channel->len && failed; i++) {
		struct box *box = &channel->boxes[i];
		if (!box->active || !box->plan.astray)
			continue;
		log_warn("%s: mailbox %s waits for the next run: %zu of its messages may be in a "
			 "mailbox that could not be looked at",
			 channel->setup.name, text_show(box->name), box->plan.astray);
		box->active = false;
		box->undone = true;
		channel->held_back[LOCAL] = channel->held_back[REMOTE] = true;
	}
}

/* What is gone may have moved to where the survey did not look: nothing is removed for it. */
static void withhold(struct plan *plan, enum side side)
{
	for (size_t i = 0; i < plan->len; i++) {
		struct op *op = &plan->ops[i];
		bool removes = op_removes(op, side);
		bool deletes = op->kind == OP_DELETE && op->side == side;
		if (op->blocked || !(removes || deletes))
			continue;
		op->blocked = true;
		plan->withheld[side] |= removes;
	}
}

/*
 * True where mailboxes could not be looked at, or were not, for others were named; or where nobody
 * knows what they hold.
 */
static bool is_partial(const struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		if (box->error.kind != ERROR_NONE ||
		    (box->has_journal && !box->active && !box->consulted))
			return true;
	}
	for (size_t i = 0; i < channel->left_out_len; i++)
		if (channel->left_out[i].unnamed)
			return true;
	return false;
}

void channel_plan(struct channel *channel)
{
	struct planner_box *boxes = xcalloc(channel->len + 1, sizeof(*boxes));

	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		boxes[i].plan = &box->plan;
		if (box->consulted)
			boxes[i].input.pairs =
			    journal_pairs(box->journal, &boxes[i].input.pairs_len);
		if (box->error.kind != ERROR_NONE && !box->active && box->journal) {
			boxes[i].input = input_of(channel, box);
			boxes[i].unseen = unseen_of(box);
		}
		if (!box->active)
			continue;
		boxes[i].input = input_of(channel, box);
		plan_box(box, &boxes[i].input);
	}
	planner_moves(boxes, channel->len, is_partial(channel));
	planner_copies(&channel->setup.policy, boxes, channel->len);
	keep_astray(channel);
	for (size_t i = 0; i < channel->len; i++)
		if (channel->boxes[i].active)
			plan_gone(&channel->boxes[i], &boxes[i].input);
	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		if (!box->active)
			continue;
		guard_box(channel, box, &boxes[i].input);
		block_arrivals(channel, box);
	}
	guard_block_departures(boxes, channel->len);
	for (size_t i = 0; i < channel->len; i++)
		for (enum side side = LOCAL; side < SIDES && channel->boxes[i].active; side++)
			if (!strcmp(channel->boxes[i].at[side], channel->trash[side]))
				planner_trash(boxes, channel->len, i, side);
	for (size_t i = 0; i < channel->len; i++)
		for (enum side side = LOCAL; side < SIDES; side++)
			if (channel->boxes[i].active && channel->held_back[side])
				withhold(&channel->boxes[i].plan, side);
	free(boxes);
}
