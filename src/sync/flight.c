// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/flight.h"

#include "base/alloc.h"
#include "base/array.h"
#include "sync/batch.h"
#include "sync/flag-room.h"

#include <errno.h>
#include <stdlib.h>

/* What was asked of a box in one request. */
struct asked {
	struct box *box;
	const struct batch *batch;
};

/* The request of one batch. */
static struct request batch_request(const struct flight *flight, const struct box *box,
				    const struct batch *batch)
{
	enum op_kind kind = flight->kind;

	return (struct request){
	    .kind = kind == OP_FLAG    ? REQUEST_FLAG
		    : kind == OP_TRASH ? REQUEST_MOVE
				       : REQUEST_REMOVE,
	    .ticket = flight->len,
	    .mailbox = box->at[flight->side],
	    .keys = batch->keys,
	    .count = batch->count,
	    .uidvalidity = box->sides[REMOTE].stamp.uidvalidity,
	    .add = batch->add,
	    .remove = batch->remove,
	    .agreed = flight->lists[box - flight->channel->boxes].agreed,
	    .target = kind == OP_TRASH ? flight->channel->trash[flight->side] : NULL,
	};
}

/* What the files that are to be removed held when both sides were even. */
static struct identity *recall_agreed(const struct box *box, const struct batch *batch)
{
	struct identity *agreed = xcalloc(batch->count, sizeof(*agreed));

	for (size_t i = 0; i < batch->count; i++) {
		const struct pair *pair =
		    journal_pair_of_name(box->journal, batch->keys[i].name);
		if (pair)
			agreed[i] = pair_identity(pair);
	}
	return agreed;
}

/* Submits the operations of one box. */
static int submit_batches(struct flight *flight, size_t index, struct error *err)
{
	struct box *box = &flight->channel->boxes[index];
	struct batch_list *list = &flight->lists[index];

	if (!box->active)
		return 0;
	batch_build(flight->late ? &box->late : &box->plan, flight->kind, flight->side, list);
	if (flight->kind == OP_REMOVE && flight->side == LOCAL && list->len)
		list->agreed = recall_agreed(box, &list->batches[0]);
	for (size_t i = 0; i < list->len; i++) {
		const struct request request = batch_request(flight, box, &list->batches[i]);
		*array_push(flight->asked, flight->len, flight->cap) =
		    (struct asked){box, &list->batches[i]};
		if (store_submit(flight->channel->setup.stores[flight->side], &request, err))
			return -1;
	}
	return 0;
}

/* Removed: the pair is forgotten, but for what the store says it left. */
static void note_removed(const struct asked *asked, const struct answer *answer, enum side side)
{
	struct box *box = asked->box;

	for (size_t i = 0; i < asked->batch->count; i++) {
		const struct message_key *key = &asked->batch->keys[i];
		const struct pair *pair = side == LOCAL
					      ? journal_pair_of_name(box->journal, key->name)
					      : journal_pair_of_uid(box->journal, key->uid);
		if (side == REMOTE && answer->refused && uidset_has(answer->refused, key->uid)) {
			box->undone = true;
			continue;
		}
		if (side == REMOTE)
			uidset_add(&box->own.gone, key->uid);
		if (!pair)
			continue;
		journal_forget(box->journal, pair->uid);
		box->tally.removed[side]++;
	}
}

/* What a request took in its mailbox, on the server. */
static void note_own(const struct flight *flight, const struct asked *asked,
		     const struct answer *answer)
{
	size_t removed = flight->kind == OP_FLAG ? 0 : asked->batch->count;

	if (removed && answer->refused)
		removed -= (size_t)uidset_count(answer->refused);
	own_note_done(&asked->box->own, answer, removed);
}

/* One request has ended. */
static void end_batch(const struct flight *flight, const struct answer *answer)
{
	const struct asked *asked = &flight->asked[answer->ticket];
	struct box *box = asked->box;

	box->wrote[flight->side] = true;
	if (flight->side == REMOTE)
		note_own(flight, asked, answer);
	if (flight->kind == OP_FLAG) /* the trash has no pairs of what goes there */
		box_refuse_keywords(box, flight->side, answer->refused_keywords);
	if (answer->error.kind != ERROR_NONE && answer->error.sys == ENOENT) {
		box->undone = true; /* gone meanwhile: the next run sees what became of it */
		return;
	}
	if (answer->error.kind != ERROR_NONE) {
		box_fail(box, &answer->error);
		return;
	}
	if (flight->kind == OP_FLAG && flight->side == REMOTE)
		box->rescan |= box_take_room(flight->channel, box, &answer->permanent);
	if (flight->kind == OP_FLAG && !flight->late)
		box->tally.flagged[flight->side] += asked->batch->count;
	else if (flight->kind != OP_FLAG)
		note_removed(asked, answer, flight->side);
	box->tally.removed[flight->side] -= answer->kept;
	box->rescan |= answer->kept > 0;
}

int flight_begin(struct flight *flight, struct error *err)
{
	struct channel *channel = flight->channel;
	int rc = 0;

	flight->lists = xcalloc(channel->len + 1, sizeof(*flight->lists));
	for (size_t i = 0; i < channel->len && !rc; i++)
		rc = submit_batches(flight, i, err);
	return rc ? rc : store_start(channel->setup.stores[flight->side], err);
}

int flight_end(struct flight *flight, int rc, struct error *err)
{
	struct channel *channel = flight->channel;
	struct answer answer;

	while (!rc && (rc = store_next(channel->setup.stores[flight->side], &answer, err)) == 1) {
		if (answer.kind == ANSWER_DONE)
			end_batch(flight, &answer);
		rc = 0;
	}
	for (size_t i = 0; i < channel->len; i++)
		batch_free(&flight->lists[i]);
	free(flight->lists);
	free(flight->asked);
	return rc;
}

int flight_run(struct flight *flight, struct error *err)
{
	return flight_end(flight, flight_begin(flight, err), err);
}
