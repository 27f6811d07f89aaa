// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Carries plans out, in the order in which a stop at any instant loses nothing: mailboxes are
 * made, pairs noted, flags set, content copied and made durable; only then, and only where nothing
 * failed to be added, is anything removed.
 */
#include "sync/channel.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"
#include "sync/delete.h"
#include "sync/flag-room.h"
#include "sync/flight.h"
#include "sync/hold-back.h"
#include "sync/link.h"
#include "sync/move.h"
#include "sync/pull.h"
#include "sync/push.h"
#include "sync/rename.h"
#include "sync/subscribe.h"
#include "sync/trash.h"
#include "sync/uses.h"

#include <stdlib.h>

/* Commits the open transaction without moving the head. -1: the box has failed. */
static int commit(struct box *box)
{
	struct error err;

	if (!box_commit(box, &err))
		return 0;
	box_fail(box, &err);
	box->active = false;
	return -1;
}

/* Submits the creation of a box's mailbox where the plan says so. */
static int submit_create(struct channel *channel, size_t index, enum side side, struct error *err)
{
	struct box *box = &channel->boxes[index];
	const struct request request = {
	    .kind = REQUEST_CREATE,
	    .ticket = index,
	    .mailbox = box->at[side],
	    .special_use = side == REMOTE ? uses_of_name(channel, box->at[REMOTE]) : 0};

	if (!box->active || !plan_count(&box->plan, OP_CREATE, side))
		return 0;
	return store_submit(channel->setup.stores[side], &request, err);
}

/* The mailbox was there, though not listed: what it holds was not held against the other side. */
static void leave_for_next_run(struct channel *channel, struct box *box, enum side side,
			       uint32_t messages)
{
	struct error err;

	error_set(&err, ERROR_REFUSED, SCOPE_MAILBOX,
		  "mailbox %s: the %s side did not list it, but has it, with %u messages; nothing "
		  "was done in it, the next run looks again",
		  text_show(box->name), side_name(side), messages);
	hold_back(channel, box, side, &err);
	box->active = false;
}

/*
 * The mailbox cannot be made. What waits for it may be gone from another one; where nothing does,
 * nothing else has to wait.
 */
static void leave_missing(struct channel *channel, struct box *box, enum side side,
			  const struct error *err)
{
	if (plan_count(&box->plan, OP_COPY, side) || plan_count(&box->plan, OP_CLONE, side))
		hold_back(channel, box, side, err);
	else
		box_fail(box, err);
	box->active = false;
}

/* Makes the missing mailboxes of one side: one flight. */
static int create_mailboxes(struct channel *channel, enum side side, struct error *err)
{
	struct answer answer;
	int rc = 0;

	for (size_t i = 0; i < channel->len && !rc; i++)
		rc = submit_create(channel, i, side, err);
	while (!rc && (rc = store_next(channel->setup.stores[side], &answer, err)) == 1) {
		struct box *box = &channel->boxes[answer.ticket];
		rc = 0;
		if (answer.kind != ANSWER_DONE)
			continue;
		if (answer.error.kind != ERROR_NONE) {
			leave_missing(channel, box, side, &answer.error);
			continue;
		}
		box->exists[side] = box->wrote[side] = true;
		if (side == REMOTE)
			box_forget_pairs(box);
		if (answer.stamp.messages)
			leave_for_next_run(channel, box, side, answer.stamp.messages);
		else
			box->tally.created[side]++;
		if (side == REMOTE)
			subscribe_wish(channel, box->at[REMOTE], true);
	}
	return rc;
}

/*
 * Journals the pairs that were found: nothing is sent for them, and no refusal of them holds any
 * more.
 */
static void note_pairs(struct box *box)
{
	for (size_t i = 0; i < box->plan.len; i++) {
		const struct op *op = &box->plan.ops[i];
		if (op->kind != OP_PAIR)
			continue;
		const struct identity identity = plan_identity(op);
		const struct pair pair = pair_of(op->uid, op->name, op->flags, &identity);
		journal_put(box->journal, &pair);
		journal_end_note(box->journal, JOURNAL_REFUSED, op->uid, op->name);
		box->tally.paired++;
	}
}

/*
 * The keywords of what was just copied to the server. A run that is stopped before finds them in
 * the next one as set on the local side only, for the pairs were journaled without them.
 */
static int apply_late(struct channel *channel, struct error *err)
{
	struct flight flight = {.channel = channel, .side = REMOTE, .kind = OP_FLAG, .late = true};

	if (flight_run(&flight, err))
		return -1;
	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		if (box->active && box->error.kind == ERROR_NONE)
			box_note_agreed(box, &box->late);
	}
	return 0;
}

/* Operations of one kind on one side. */
static int apply_batches(struct channel *channel, enum op_kind kind, enum side side,
			 struct error *err)
{
	struct flight flight = {.channel = channel, .side = side, .kind = kind};

	return flight_run(&flight, err);
}

/* True where any active box has such an operation. */
static bool any_planned(const struct channel *channel, enum op_kind kind, enum side side)
{
	for (size_t i = 0; i < channel->len; i++)
		if (channel->boxes[i].active && plan_count(&channel->boxes[i].plan, kind, side))
			return true;
	return false;
}

/* Makes sure that there is a mailbox to move to; where there can be none, nothing is moved. */
static int make_trash(struct channel *channel, enum side side, struct error *err)
{
	const struct request request = {.kind = REQUEST_CREATE,
					.mailbox = channel->trash[side],
					.special_use =
					    side == REMOTE ? MAILBOX_TRASH & ~channel->uses : 0};
	struct answer answer;

	if (!any_planned(channel, OP_TRASH, side))
		return 0;
	if (!store_do(channel->setup.stores[side], &request, &answer, err))
		return 0;
	return trash_fail(channel, side, err);
}

/* What is gone from the disk is gone durably before the journal forgets it. */
static int settle_local(struct channel *channel, struct error *err)
{
	return store_settle(channel->setup.stores[LOCAL], NULL, err);
}

/* Removals on one side. */
static int remove_on(struct channel *channel, enum side side, struct error *err)
{
	if (channel->held_back[side]) {
		hold_back_tell(channel, side);
		return 0;
	}
	if (!hold_back_concerns(channel, side))
		return 0;
	if (make_trash(channel, side, err) || (side == REMOTE && trash_prepare(channel, err)) ||
	    apply_batches(channel, OP_TRASH, side, err) ||
	    apply_batches(channel, OP_REMOVE, side, err))
		return -1;
	return side == LOCAL ? settle_local(channel, err) : 0;
}

/* Commits every box; what failed to be written has failed. */
static void commit_all(struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++)
		if (channel->boxes[i].active)
			commit(&channel->boxes[i]);
}

/* Notes what is about to be removed from the server. */
static void note_removals(const struct channel *channel)
{
	for (size_t i = 0; i < channel->len && !channel->held_back[REMOTE]; i++) {
		struct box *box = &channel->boxes[i];
		for (size_t k = 0; box->active && k < box->plan.len; k++) {
			const struct op *op = &box->plan.ops[k];
			if (op_removes(op, REMOTE) && !op->blocked)
				box_note_removal(box, op->uid);
		}
	}
}

/*
 * Flags on both sides: the server is at work on its own while files get theirs. What is on its way
 * there is awaited in any case, for the answers are nobody else's.
 */
static int apply_flags(struct channel *channel, struct error *err)
{
	struct flight remote = {.channel = channel, .side = REMOTE, .kind = OP_FLAG};
	struct error there;
	int begun = flight_begin(&remote, err);
	int rc = begun;

	if (!rc)
		rc = apply_batches(channel, OP_FLAG, LOCAL, err);
	if (!rc && any_planned(channel, OP_FLAG, LOCAL))
		rc = settle_local(channel, err);
	if (flight_end(&remote, begun, &there) && !rc) {
		*err = there;
		rc = -1;
	}
	return rc;
}

/* Flags on both sides, and pairs that are forgotten. */
static int apply_known(struct channel *channel, struct error *err)
{
	if (apply_flags(channel, err))
		return -1;
	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		if (!box->active || box->error.kind != ERROR_NONE)
			continue;
		box_note_agreed(box, &box->plan);
		for (size_t k = 0; k < box->plan.len; k++)
			if (box->plan.ops[k].kind == OP_FORGET)
				journal_forget(box->journal, box->plan.ops[k].uid);
	}
	return 0;
}

/*
 * A file that is new although the journal has it in a pair: that is forgotten before it is sent, or
 * after a stop the next run would not hold the file against what the server has of it by then.
 */
static void forget_again(struct box *box)
{
	bool any = false;

	for (size_t i = 0; i < box->plan.len; i++) {
		const struct op *op = &box->plan.ops[i];
		if (op->kind != OP_FORGET || op->rule != RULE_M7_COPY)
			continue;
		journal_forget(box->journal, op->uid);
		any = true;
	}
	if (any)
		commit(box);
}

/*
 * Before anything else is done: a journal that was reset must not be committed without the pairs
 * that take its place, be the run ever so short.
 */
static void note_found(struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		if (!channel->boxes[i].active)
			continue;
		note_pairs(&channel->boxes[i]);
		forget_again(&channel->boxes[i]);
	}
}

/*
 * Keeps what was done by a run that breaks off, but never more than is durable: where the disk
 * fails the journal stays as it was committed last, and the next run heals the rest by its notes.
 */
static void commit_broken(struct channel *channel)
{
	struct error ignored;

	if (!settle_local(channel, &ignored))
		commit_all(channel);
}

/* Makes what is missing, and sees to what has lost its pair, while the old journals stand. */
static int apply_first(struct channel *channel, struct error *err)
{
	bool done = !rename_apply(channel, err) && !subscribe_apply(channel, err);

	if (done) {
		note_found(channel);
		done = !create_mailboxes(channel, LOCAL, err) &&
		       !create_mailboxes(channel, REMOTE, err) &&
		       !move_apply_strays(channel, LOCAL, err) &&
		       !move_apply_strays(channel, REMOTE, err);
	}
	hold_back_strays(channel);
	return done ? 0 : -1;
}

/* What is blocked stays undone; a move does at both ends. What only waits is said. */
static void note_blocked(struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		if (box->plan.waiting)
			log_warn("%s: mailbox %s: %zu of its new messages wait for the next run: "
				 "they may have come from a mailbox that could not be looked at",
				 channel->setup.name, text_show(box->name), box->plan.waiting);
		for (size_t k = 0; k < box->plan.len; k++) {
			const struct op *op = &box->plan.ops[k];
			box->undone |= op->blocked;
			if (op->kind == OP_MOVE)
				channel->boxes[op->target].undone |= op->blocked;
		}
	}
}

/* True where what follows from the plan rests on how the local side was found. */
static bool relies_on_local(const struct box *box)
{
	for (size_t i = 0; i < box->plan.len; i++) {
		const struct op *op = &box->plan.ops[i];
		if (op->kind == OP_FORGET || op->kind == OP_AGREE || op->kind == OP_PAIR ||
		    (op->side == REMOTE && op->kind != OP_CREATE && op->kind != OP_RENAME))
			return true;
	}
	return box->survey.healed;
}

/*
 * Marks the boxes whose local side the plans rest on; also those that a file came to which is now
 * to be moved on the server.
 */
static void mark_relied(const struct channel *channel, bool *relied)
{
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		if (!box->active)
			continue;
		relied[i] |= relies_on_local(box);
		for (size_t k = 0; k < box->plan.len; k++)
			if (box->plan.ops[k].kind == OP_MOVE && box->plan.ops[k].side == REMOTE)
				relied[box->plan.ops[k].target] = true;
	}
}

/* One whose directory went, or has another name by now, is left to the next run. */
static int settle_box(struct channel *channel, struct box *box, struct error *err)
{
	if (!store_settle(channel->setup.stores[LOCAL], box->at[LOCAL], err))
		return 0;
	if (err->scope >= SCOPE_STORE)
		return -1;
	for (enum side side = LOCAL; side < SIDES; side++)
		hold_back(channel, box, side, err);
	box->active = false;
	return 0;
}

/*
 * What a stopped run or a mail program changed in the local directories becomes durable before the
 * journal or the server learns of it. Otherwise a power cut could take it back after both sides
 * were even, and that would look like a change by the user: a file that perished would be deleted
 * on the server, one that came back copied there.
 */
static int settle_found(struct channel *channel, struct error *err)
{
	bool *relied = xcalloc(channel->len + 1, sizeof(*relied));
	int rc = 0;

	mark_relied(channel, relied);
	for (size_t i = 0; i < channel->len && !rc; i++)
		if (channel->boxes[i].active && channel->boxes[i].exists[LOCAL] && relied[i])
			rc = settle_box(channel, &channel->boxes[i], err);
	free(relied);
	return rc;
}

/* What the plans were made of: all of every message that any side holds. */
static void shed_surveys(struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		snapshot_shed(&box->sides[LOCAL]);
		snapshot_shed(&box->sides[REMOTE]);
		match_free(&box->match);
	}
}

/* What is done. The verdicts and figures stay. */
static void shed_plans(struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		plan_free(&channel->boxes[i].plan);
		plan_free(&channel->boxes[i].late);
	}
}

int channel_apply(struct channel *channel, struct error *err)
{
	shed_surveys(channel);
	note_blocked(channel);
	if (settle_found(channel, err))
		return -1;
	if (apply_first(channel, err) || flag_room_learn(channel, err) ||
	    subscribe_apply(channel, err) || move_apply_copies(channel, err) ||
	    link_apply(channel, false, err) || apply_known(channel, err) ||
	    move_apply(channel, REMOTE, err) || move_apply(channel, LOCAL, err) ||
	    push_apply(channel, err) || apply_late(channel, err) || pull_apply(channel, err) ||
	    link_apply(channel, true, err) || stop_check(err))
		goto broken;
	note_removals(channel);
	commit_all(channel);
	if (remove_on(channel, REMOTE, err) || remove_on(channel, LOCAL, err))
		goto broken;
	commit_all(channel);
	if (delete_apply(channel, REMOTE, err) || delete_apply(channel, LOCAL, err) ||
	    subscribe_apply(channel, err))
		goto broken;
	rename_fail_refused(channel);
	shed_plans(channel);
	return 0;
broken:
	commit_broken(channel);
	return -1;
}
