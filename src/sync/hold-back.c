// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/hold-back.h"

#include "base/log.h"
#include "base/text.h"

void hold_back(struct channel *channel, struct box *box, enum side side, const struct error *err)
{
	channel->held_back[side] = true;
	box_fail(box, err);
}

/* True where LIST tells that the server's mailbox is empty, or got nothing since the head. */
static bool gained_nothing(const struct box *box)
{
	const struct journal_head *head = box->journal ? journal_head(box->journal) : NULL;
	const struct stamp *now = &box->listed[REMOTE];

	if (!now->uidnext)
		return false;
	return !now->messages ||
	       (head && now->uidnext == head->uidnext && now->uidvalidity == head->uidvalidity);
}

/* True where a mailbox may hold on that side what the other side has not got yet. */
static bool may_have_gained(const struct box *box, enum side side)
{
	const struct snapshot *snapshot = &box->sides[side];

	if (!box->exists[side])
		return false;
	if (!box->survey.seen[side])
		return side == LOCAL || !gained_nothing(box);
	for (size_t i = 0; i < snapshot->fresh_len; i++)
		if (!snapshot->fresh[i].ghost)
			return true;
	return false;
}

void hold_back_moved(struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		for (enum side side = LOCAL; side < SIDES && box->error.kind != ERROR_NONE; side++)
			if (channel->setup.policy.change[other_side(side)] & CHANGE_NEW &&
			    may_have_gained(box, side))
				channel->held_back[other_side(side)] = true;
	}
}

void hold_back_strays(struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		for (size_t k = 0; k < box->plan.len; k++) {
			const struct op *op = &box->plan.ops[k];
			if (!op_is_stray(op) || op->blocked)
				continue;
			box->active = channel->boxes[op->target].active = false;
			channel->held_back[LOCAL] = channel->held_back[REMOTE] = true;
		}
	}
}

/* True where the plan removes anything on side, or would. */
static bool removes(const struct box *box, enum side side)
{
	return box->plan.withheld[side] || plan_count_removals(&box->plan, side);
}

bool hold_back_concerns(const struct channel *channel, enum side side)
{
	for (size_t i = 0; i < channel->len; i++)
		if (channel->boxes[i].active && removes(&channel->boxes[i], side))
			return true;
	return false;
}

/*
 * Says that nothing is removed; aloud where a box failed, for its error alone does not tell that.
 * Else the next run goes on by itself.
 */
static void tell_held_back(const struct channel *channel, enum side side)
{
	enum log_level level = LOG_LEVEL_INFO;

	for (size_t i = 0; i < channel->len; i++)
		if (channel->boxes[i].error.kind != ERROR_NONE)
			level = LOG_LEVEL_WARN;
	log_line(level,
		 "%s: nothing is removed on the %s side in this run, for not all that is new on "
		 "the other could be copied to it: what is gone may have moved",
		 channel->setup.name, side_name(side));
}

/* Of a run that names mailboxes: says where what is gone may be, and that the box is not even. */
static void tell_gained(const struct channel *channel, struct box *box, enum side side)
{
	const char *gained = channel->gained[other_side(side)];
	struct error err;

	if (!gained)
		return;
	error_set(
	    &err, ERROR_REFUSED, SCOPE_MAILBOX,
	    "mailbox %s: nothing is removed on the %s side: what is gone may have moved to %s, "
	    "which was not named and has something new (\"evenmail sync %s\" looks there too, "
	    "--allow-deletions removes it all the same)",
	    text_show(box->name), side_name(side), text_show(gained), channel->setup.name);
	box_fail(box, &err);
}

void hold_back_tell(struct channel *channel, enum side side)
{
	if (!channel->held_back[side] || !hold_back_concerns(channel, side))
		return;
	if (!channel->gained[other_side(side)])
		tell_held_back(channel, side);
	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		if (!removes(box, side))
			continue;
		box->undone = true;
		tell_gained(channel, box, side);
	}
}
