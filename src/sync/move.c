// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Carries moves out. What is about to arrive in a mailbox is noted in its journal first, in the
 * same words as an upload or a delivery, so that a stopped run heals as one of those does: the
 * message is found by its note in the new mailbox, and its pair in the old one is gone on both
 * sides.
 */
#include "sync/channel.h"

#include "base/alloc.h"
#include "base/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One message on its way. */
struct moving {
	struct op *op;
	size_t from; /* the index of its box */
	bool done;
};

/* The messages of one request: those between the same two boxes. */
struct convoy {
	size_t first;
	size_t count;
	struct message_key *keys;
};

struct moves {
	struct channel *channel;
	enum side side;
	struct moving *list; /* sorted: from, target, key */
	size_t len, cap;
	struct convoy *convoys; /* by ticket */
	size_t convoys_len, convoys_cap;
};

/* The key of a message in the mailbox that it leaves. */
static struct message_key key_of(const struct op *op)
{
	return op->side == REMOTE ? (struct message_key){.uid = op->uid}
				  : (struct message_key){.name = op->name};
}

static int compare_moving(const void *a, const void *b)
{
	const struct moving *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->op->target != y->op->target)
		return x->op->target < y->op->target ? -1 : 1;
	if (x->op->side == LOCAL)
		return strcmp(x->op->name, y->op->name);
	return (x->op->uid > y->op->uid) - (x->op->uid < y->op->uid);
}

/* Collects the moves on one side whose two boxes are both in order. */
static void collect(struct moves *moves)
{
	struct channel *channel = moves->channel;

	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		for (size_t k = 0; box->active && k < box->plan.len; k++) {
			struct op *op = &box->plan.ops[k];
			if (op->kind != OP_MOVE || op->side != moves->side || op->blocked)
				continue;
			if (!channel->boxes[op->target].active || box->error.kind != ERROR_NONE) {
				box->undone = channel->boxes[op->target].undone = true;
				continue;
			}
			*array_push(moves->list, moves->len, moves->cap) =
			    (struct moving){.op = op, .from = i};
		}
	}
	if (moves->len)
		qsort(moves->list, moves->len, sizeof(*moves->list), compare_moving);
}

/* Notes in the mailbox where it arrives what is about to arrive. */
static void note_arrival(struct moves *moves, const struct op *op)
{
	struct box *target = &moves->channel->boxes[op->target];
	const struct stamp *stamp = &target->sides[REMOTE].stamp;
	struct journal_note note = {
	    .side = moves->side, .flags = op->flags, .identity = op->identity};

	if (moves->side == REMOTE) {
		note.kind = JOURNAL_APPENDING;
		note.name = op->there.name;
		note.uidvalidity = stamp->uidvalidity;
		note.floor = stamp->uidnext ? stamp->uidnext : 1;
	} else {
		note.kind = JOURNAL_PUBLISHING;
		note.uid = op->there.uid;
		note.name = op->name;
	}
	journal_note(target->journal, &note);
}

/* Makes the notes durable; a box whose journal cannot be written takes no part any more. */
static void commit_notes(struct moves *moves)
{
	for (size_t i = 0; i < moves->len; i++)
		note_arrival(moves, moves->list[i].op);
	for (size_t i = 0; i < moves->len; i++) {
		struct box *target = &moves->channel->boxes[moves->list[i].op->target];
		struct error err;
		if (target->active && box_commit(target, &err)) {
			box_fail(target, &err);
			target->active = false;
		}
	}
}

/* Submits the messages from first to the last one with the same two mailboxes. Returns the next. */
static size_t submit_convoy(struct moves *moves, size_t first, int *rc, struct error *err)
{
	struct channel *channel = moves->channel;
	struct box *box = &channel->boxes[moves->list[first].from];
	size_t target = moves->list[first].op->target, end = first;
	struct convoy *convoy = array_push(moves->convoys, moves->convoys_len, moves->convoys_cap);

	*convoy = (struct convoy){.first = first,
				  .keys = xcalloc(moves->len - first, sizeof(*convoy->keys))};
	for (; end < moves->len && moves->list[end].from == moves->list[first].from &&
	       moves->list[end].op->target == target;
	     end++)
		convoy->keys[convoy->count++] = key_of(moves->list[end].op);
	const struct request request = {
	    .kind = REQUEST_MOVE,
	    .ticket = moves->convoys_len - 1,
	    .mailbox = box->at[moves->side],
	    .keys = convoy->keys,
	    .count = convoy->count,
	    .uidvalidity = box->sides[REMOTE].stamp.uidvalidity,
	    .target = channel->boxes[target].at[moves->side],
	};
	if (channel->boxes[target].active)
		*rc = store_submit(channel->setup.stores[moves->side], &request, err);
	return end;
}

/* The message of a convoy that has that key in the mailbox it leaves. */
static struct moving *find_moving(struct moves *moves, const struct convoy *convoy,
				  const struct message_key *key)
{
	struct op op = {.side = moves->side, .uid = key->uid, .name = key->name};
	struct moving wanted = {.op = &op, .from = moves->list[convoy->first].from};

	op.target = moves->list[convoy->first].op->target;
	return bsearch(&wanted, &moves->list[convoy->first], convoy->count, sizeof(*moves->list),
		       compare_moving);
}

/* Whether the server speaks of the same mailbox as we: some get the answer's numbers wrong. */
static bool is_there(const struct moves *moves, const struct box *target,
		     const struct answer *answer)
{
	uint32_t expected = target->sides[REMOTE].stamp.uidvalidity;

	return moves->side == LOCAL || !expected || answer->uidvalidity == expected;
}

/* It has arrived under that key: its pair is journaled there, and forgotten where it was. */
static void note_moved(struct moves *moves, const struct convoy *convoy,
		       const struct answer *answer)
{
	struct moving *moving = find_moving(moves, convoy, &answer->message.key);
	struct box *box, *target;

	if (!moving || moving->done)
		return;
	box = &moves->channel->boxes[moving->from];
	target = &moves->channel->boxes[moving->op->target];
	const struct op *op = moving->op;
	const struct pair pair = {
	    .uid = moves->side == REMOTE ? answer->created.uid : op->there.uid,
	    .name = moves->side == REMOTE ? op->there.name : answer->created.name,
	    .flags = op->flags,
	    .size = op->identity.size,
	    .date = op->identity.date,
	    .message_id = op->identity.message_id,
	    .digest = op->identity.digest,
	};
	if (!pair.uid || journal_pair_of_uid(target->journal, pair.uid) ||
	    !is_there(moves, target, answer))
		return;
	moving->done = true;
	journal_put(target->journal, &pair);
	journal_forget(box->journal, op->uid);
	box->tally.moved[moves->side]++;
}

/*
 * The end of a request. What the server moved without saying where to is found by its note; what
 * it did not move stays where it is until the next run.
 */
static void end_convoy(struct moves *moves, const struct convoy *convoy,
		       const struct answer *answer)
{
	struct box *box = &moves->channel->boxes[moves->list[convoy->first].from];
	struct box *target = &moves->channel->boxes[moves->list[convoy->first].op->target];
	bool failed = answer->error.kind != ERROR_NONE && answer->error.sys != ENOENT;

	box->wrote[moves->side] = target->wrote[moves->side] = true;
	if (target->active)
		box_refuse_keywords(target, moves->side, answer->refused_keywords);
	if (failed)
		box_fail(box, &answer->error);
	for (size_t i = convoy->first; i < convoy->first + convoy->count; i++) {
		if (moves->list[i].done)
			continue;
		box->undone = target->undone = true;
		target->lost_append |= moves->side == REMOTE && !failed;
	}
}

/* Takes in all answers. */
static int collect_answers(struct moves *moves, struct error *err)
{
	struct store *store = moves->channel->setup.stores[moves->side];
	struct answer answer;
	int rc;

	while ((rc = store_next(store, &answer, err)) == 1) {
		const struct convoy *convoy = &moves->convoys[answer.ticket];
		if (answer.kind == ANSWER_MOVED)
			note_moved(moves, convoy, &answer);
		else if (answer.kind == ANSWER_DONE)
			end_convoy(moves, convoy, &answer);
	}
	return rc;
}

/* Commits where they arrived before where they left: a stop between leaves a pair too much, not too
 * little. */
static void commit_moves(struct moves *moves)
{
	struct channel *channel = moves->channel;

	for (int arrived = 1; arrived >= 0; arrived--)
		for (size_t i = 0; i < moves->len; i++) {
			struct box *box =
			    &channel
				 ->boxes[arrived ? moves->list[i].op->target : moves->list[i].from];
			struct error err;
			if (!box->active || !box_commit(box, &err))
				continue;
			box_fail(box, &err);
			box->active = false;
		}
}

int apply_moves(struct channel *channel, enum side side, struct error *err)
{
	struct moves moves = {.channel = channel, .side = side};
	const struct request settle = {.kind = REQUEST_SETTLE};
	struct answer answer;
	int rc = 0;

	collect(&moves);
	if (moves.len)
		commit_notes(&moves);
	for (size_t i = 0; i < moves.len && !rc;)
		i = submit_convoy(&moves, i, &rc, err);
	if (moves.len && !rc)
		rc = collect_answers(&moves, err);
	if (moves.len && !rc && side == LOCAL)
		rc = store_do(channel->setup.stores[LOCAL], &settle, &answer, err);
	if (!rc)
		commit_moves(&moves);
	for (size_t i = 0; i < moves.convoys_len; i++)
		free(moves.convoys[i].keys);
	free(moves.convoys);
	free(moves.list);
	return rc;
}
