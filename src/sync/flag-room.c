// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/flag-room.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>

bool box_take_room(const struct channel *channel, struct box *box, const struct flag_room *room)
{
	const struct flag_room before = *journal_room(box->journal);

	/* Who only looks opens mailboxes in which nothing can be changed. */
	if (!journal_dir_is_exclusive(channel->setup.journals))
		return false;
	box->room_told = true;
	journal_set_room(box->journal, room);
	snapshot_take_room(&box->sides[REMOTE], journal_room(box->journal));
	return !flag_room_equal(&before, &FLAG_ROOM_ALL) &&
	       !flag_room_equal(&before, journal_room(box->journal));
}

struct flags box_flags_there(const struct box *box, struct flags flags)
{
	return flags_reach((struct flags){0}, flags, &box->sides[REMOTE].permanent);
}

bool box_may_drop_flags(const struct box *box, struct flags flags)
{
	return !box->room_told && !flags_are_none(flags);
}

void box_note_flags_sent(struct box *box, struct flags flags)
{
	if (box_may_drop_flags(box, flags))
		box->own.sent = flags_union(box->own.sent, flags);
}

bool box_wants_room(const struct box *box)
{
	return !flags_are_none(box->own.sent);
}

bool box_kept_flags(const struct box *box, const struct flag_room *room)
{
	const struct flags kept = flags_reach((struct flags){0}, box->own.sent, room);

	return flags_equal(kept, box->own.sent);
}

void box_refuse_keywords(struct box *box, enum side side, uint32_t keywords)
{
	uint32_t fresh = keywords_minus(keywords, journal_refused_keywords(box->journal, side));
	size_t count = keywords_count(fresh);

	journal_refuse_keywords(box->journal, side, fresh);
	if (count)
		log_warn("mailbox %s: the %s side has no room for the keyword %s%s: the other side "
			 "keeps it",
			 text_show(box->name), side_name(side), text_show(keywords_name(fresh, 0)),
			 count > 1 ? " and others" : "");
}

/* What could not be changed of a message's flags, for the server had no room for it after all. */
static struct flags unsettled(const struct box *box, const struct op *flag)
{
	const struct flags none = {0}, all = flags_union(flag->add, flag->remove);

	if (flag->side == LOCAL)
		return none;
	return flags_minus(all, box_flags_there(box, all));
}

void box_note_agreed(struct box *box, const struct plan *plan)
{
	struct flags left = {0};
	uint32_t uid = 0;

	for (size_t i = 0; i < plan->len; i++) {
		const struct op *op = &plan->ops[i];
		const struct pair *known;
		if (op->uid != uid)
			left = (struct flags){0};
		uid = op->uid;
		if (op->kind == OP_FLAG)
			left = flags_union(left, unsettled(box, op));
		if (op->kind != OP_AGREE || !(known = journal_pair_of_uid(box->journal, op->uid)))
			continue;
		struct pair pair = *known;
		pair.flags = flags_union(flags_minus(op->flags, left),
					 flags_intersect(pair.flags, left));
		pair.gone = op->gone;
		journal_put(box->journal, &pair);
	}
}

/*
 * Marks the mailboxes that the server is to have made and to which messages with flags are to come.
 */
static void mark_flagged(const struct channel *channel, bool *wanted)
{
	for (size_t i = 0; i < channel->len; i++)
		for (size_t k = 0; k < channel->boxes[i].plan.len; k++) {
			const struct op *op = &channel->boxes[i].plan.ops[k];
			bool comes = op->kind == OP_COPY || op->kind == OP_CLONE;
			if (op->side == REMOTE && (comes || op->kind == OP_MOVE) &&
			    !flags_are_none(op->flags))
				wanted[comes ? i : op->target] = true;
		}
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		wanted[i] &= box->active && plan_count(&box->plan, OP_CREATE, REMOTE);
	}
}

int flag_room_learn(struct channel *channel, struct error *err)
{
	bool *wanted = xcalloc(channel->len + 1, sizeof(*wanted));
	struct answer answer;
	int rc = 0;

	mark_flagged(channel, wanted);
	for (size_t i = 0; i < channel->len && !rc; i++) {
		const struct request request = {.kind = REQUEST_SCAN,
						.ticket = i,
						.mailbox = channel->boxes[i].at[REMOTE]};
		if (wanted[i])
			rc = store_submit(channel->setup.stores[REMOTE], &request, err);
	}
	while (!rc && (rc = store_next(channel->setup.stores[REMOTE], &answer, err)) == 1) {
		rc = 0;
		if (answer.kind == ANSWER_DONE && answer.error.kind == ERROR_NONE)
			box_take_room(channel, &channel->boxes[answer.ticket], &answer.permanent);
	}
	free(wanted);
	return rc;
}
