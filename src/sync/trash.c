// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/trash.h"

#include "base/array.h"

#include <stdlib.h>

/* What the trash holds, as far as it may be what a stopped run copied there. */
struct trash_holding {
	struct identity *list;
	size_t len, cap;
};

int trash_fail(struct channel *channel, enum side side, const struct error *err)
{
	if (err->scope >= SCOPE_STORE)
		return -1;
	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		if (!box->active || !plan_count(&box->plan, OP_TRASH, side))
			continue;
		box_fail(box, err);
		for (size_t k = 0; k < box->plan.len; k++)
			if (box->plan.ops[k].kind == OP_TRASH && box->plan.ops[k].side == side)
				box->plan.ops[k].blocked = true;
	}
	return 0;
}

/* True where a note says that moving this message was begun before. */
static bool was_begun(const struct box *box, uint32_t uid)
{
	size_t len;
	const struct journal_note *notes = journal_notes(box->journal, &len);

	for (size_t i = 0; i < len; i++)
		if (notes[i].kind == JOURNAL_MOVING && notes[i].uid == uid)
			return true;
	return false;
}

/* True for an operation that moves to the server's trash. */
static bool moves_to_trash(const struct op *op)
{
	return op->kind == OP_TRASH && op->side == REMOTE && !op->blocked;
}

/* Lists the trash with Message-IDs. */
static int list_trash(struct channel *channel, struct trash_holding *held, struct error *err)
{
	const struct request request = {.kind = REQUEST_SCAN,
					.mailbox = channel->trash[REMOTE],
					.want_identity = true,
					.must_be_complete = true};
	struct answer answer;
	int rc;

	if (store_submit(channel->setup.stores[REMOTE], &request, err))
		return -1;
	while ((rc = store_next(channel->setup.stores[REMOTE], &answer, err)) == 1) {
		if (answer.kind == ANSWER_MESSAGE)
			*array_push(held->list, held->len, held->cap) = answer.message.identity;
		if (answer.kind == ANSWER_DONE && answer.error.kind != ERROR_NONE) {
			*err = answer.error;
			return trash_fail(channel, REMOTE, err);
		}
	}
	return rc;
}

/* True where the trash holds a message that size, date and Message-ID say is this one. */
static bool is_held(const struct trash_holding *held, const struct pair *pair)
{
	for (size_t i = 0; pair->message_id && i < held->len; i++)
		if (held->list[i].message_id == pair->message_id &&
		    held->list[i].size == pair->size && held->list[i].date == pair->date)
			return true;
	return false;
}

/* What is in the trash already needs only to be removed where it was. */
static int heal_box(struct channel *channel, struct box *box, struct trash_holding *held,
		    bool *listed, struct error *err)
{
	for (size_t i = 0; i < box->plan.len; i++) {
		struct op *op = &box->plan.ops[i];
		const struct pair *pair = journal_pair_of_uid(box->journal, op->uid);
		if (!moves_to_trash(op) || !pair || !was_begun(box, op->uid))
			continue;
		if (!*listed && list_trash(channel, held, err))
			return -1;
		*listed = true;
		if (is_held(held, pair))
			op->kind = OP_REMOVE;
	}
	return 0;
}

/* Notes what is about to be moved. */
static void note_moves(struct channel *channel, struct box *box)
{
	for (size_t i = 0; i < box->plan.len; i++) {
		const struct op *op = &box->plan.ops[i];
		if (!moves_to_trash(op))
			continue;
		journal_note(box->journal, &(struct journal_note){.kind = JOURNAL_MOVING,
								  .side = REMOTE,
								  .uid = op->uid,
								  .text = channel->trash[REMOTE]});
	}
}

int trash_prepare(struct channel *channel, struct error *err)
{
	struct trash_holding held = {0};
	bool listed = false;
	int rc = 0;

	if (channel->setup.stores[REMOTE]->atomic_move)
		return 0;
	for (size_t i = 0; i < channel->len && !rc; i++)
		if (channel->boxes[i].active)
			rc = heal_box(channel, &channel->boxes[i], &held, &listed, err);
	for (size_t i = 0; i < channel->len && !rc; i++) {
		struct box *box = &channel->boxes[i];
		struct error why;
		if (!box->active)
			continue;
		note_moves(channel, box);
		if (box_commit(box, &why)) {
			box_fail(box, &why);
			box->active = false;
		}
	}
	free(held.list);
	return rc;
}
