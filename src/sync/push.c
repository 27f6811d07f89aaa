// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Content from the disk to the server. A window of messages is read, noted in the journal as about
 * to be appended, and only then handed to the store, which pipelines them; as answers come in the
 * window is filled again. So a run that is stopped at any instant leaves either no copy or one that
 * the next run finds by its note.
 *
 * Keywords follow in a STORE of their own once the UIDs are known: a server that refuses a message
 * for a keyword (Zimbra) would have the content sent twice, or not at all.
 */
#include "sync/channel.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"

#include <errno.h>

#define PUSH_WINDOW 64          /* messages on their way */
#define PUSH_BYTES  (16u << 20) /* and their bytes, but at least one message */

/* One message on its way. */
struct parcel {
	struct box *box; /* NULL: the slot is free */
	const struct op *op;
	struct source *source; /* until it is submitted */
	struct identity identity;
};

struct push {
	struct channel *channel;
	struct parcel parcels[PUSH_WINDOW];
	size_t in_flight;
	uint64_t bytes;
	size_t box; /* where the next message comes from */
	size_t op;
};

/* The next planned copy to the server, or NULL. */
static const struct op *next_copy(struct push *push, struct box **box)
{
	for (; push->box < push->channel->len; push->box++, push->op = 0) {
		*box = &push->channel->boxes[push->box];
		while ((*box)->active && push->op < (*box)->plan.len) {
			const struct op *op = &(*box)->plan.ops[push->op++];
			if (op->kind == OP_COPY && op->side == REMOTE && !op->blocked)
				return op;
		}
	}
	return NULL;
}

/* Notes that the message is about to be appended. */
static void note_intent(struct parcel *parcel)
{
	const struct stamp *stamp = &parcel->box->sides[REMOTE].stamp;
	const struct journal_note note = {
	    .kind = JOURNAL_APPENDING,
	    .side = REMOTE,
	    .name = parcel->op->name,
	    .uidvalidity = stamp->uidvalidity,
	    .floor = stamp->uidnext ? stamp->uidnext : 1,
	    .flags = {parcel->op->flags.bits},
	    .identity = parcel->identity,
	};

	journal_note(parcel->box->journal, &note);
}

/*
 * Opens one message into a free slot. A file that is gone by now is no fault: the next run sees
 * what became of it.
 */
static void load_parcel(struct push *push, struct box *box, const struct op *op)
{
	const struct message_key key = {.name = op->name};
	struct parcel *parcel = push->parcels;
	struct error err;

	while (parcel->box)
		parcel++;
	if (store_open_source(push->channel->setup.stores[LOCAL], box->at[LOCAL], &key,
			      &parcel->identity, &parcel->source, &err)) {
		if (err.sys != ENOENT)
			hold_back(push->channel, box, REMOTE, &err);
		box->undone = true;
		return;
	}
	parcel->box = box;
	parcel->op = op;
	note_intent(parcel);
	push->in_flight++;
	push->bytes += parcel->identity.size;
}

/* Hands a loaded message to the store. */
static int submit_parcel(struct push *push, struct parcel *parcel, struct error *err)
{
	const struct request request = {
	    .kind = REQUEST_APPEND,
	    .ticket = (uint64_t)(parcel - push->parcels),
	    .mailbox = parcel->box->at[REMOTE],
	    .source = parcel->source,
	    .flags = {parcel->op->flags.bits},
	    .date = parcel->identity.date,
	};

	parcel->source = NULL;
	return store_submit(push->channel->setup.stores[REMOTE], &request, err);
}

/* Frees a slot. */
static void release_parcel(struct push *push, struct parcel *parcel)
{
	if (parcel->source)
		parcel->source->close(parcel->source);
	push->in_flight--;
	push->bytes -= parcel->identity.size;
	*parcel = (struct parcel){0};
}

/* Makes the intents of all loaded messages durable, then sends those of boxes that could. */
static int send_loaded(struct push *push, struct error *err)
{
	for (size_t i = 0; i < PUSH_WINDOW; i++) {
		struct parcel *parcel = &push->parcels[i];
		struct error why;
		if (!parcel->source)
			continue;
		if (box_commit(parcel->box, &why)) {
			hold_back(push->channel, parcel->box, REMOTE, &why);
			parcel->box->active = false;
			release_parcel(push, parcel);
		}
	}
	for (size_t i = 0; i < PUSH_WINDOW; i++)
		if (push->parcels[i].source && submit_parcel(push, &push->parcels[i], err))
			return -1;
	return 0;
}

/* Fills the window once it is half empty. */
static int fill(struct push *push, struct error *err)
{
	const struct op *op;
	struct box *box;
	bool loaded = false;

	if (push->in_flight > PUSH_WINDOW / 2 || push->bytes > PUSH_BYTES / 2)
		return 0;
	while (push->in_flight < PUSH_WINDOW && push->bytes < PUSH_BYTES &&
	       (op = next_copy(push, &box))) {
		load_parcel(push, box, op);
		loaded = true;
	}
	return loaded ? send_loaded(push, err) : 0;
}

/*
 * The server would not take the message. It is remembered with the reason, so that it is not tried
 * again in every run; an error that is not about the message itself leaves it to the next run.
 */
static void note_refused(struct push *push, struct parcel *parcel, const struct error *why)
{
	struct box *box = parcel->box;

	journal_end_note(box->journal, JOURNAL_APPENDING, 0, parcel->op->name);
	if (why->kind == ERROR_REFUSED && why->scope == SCOPE_MESSAGE)
		journal_note(box->journal, &(struct journal_note){.kind = JOURNAL_REFUSED,
								  .side = LOCAL,
								  .name = parcel->op->name,
								  .identity = parcel->identity,
								  .text = why->text});
	hold_back(push->channel, box, REMOTE, why);
}

/* A pair without its keywords, which are to follow. */
static void put_taken(const struct parcel *parcel, uint32_t uid)
{
	struct box *box = parcel->box;
	struct op sent = *parcel->op;
	const struct flags none = {0}, late = {.keywords = sent.flags.keywords};

	sent.flags.keywords = 0;
	box_put_copy(box, &sent, &parcel->identity, uid, parcel->op->name);
	if (!late.keywords)
		return;
	struct flags add = flags_reach(none, late, &box->sides[REMOTE].permanent);
	if (add.keywords) {
		struct op *op = plan_add(&box->late, OP_FLAG, REMOTE, parcel->op->rule);
		op->uid = uid;
		op->name = parcel->op->name;
		op->add = add;
	}
	struct op *op = plan_add(&box->late, OP_AGREE, REMOTE, parcel->op->rule);
	op->uid = uid;
	op->name = parcel->op->name;
	op->flags = parcel->op->flags;
}

/*
 * The server took it. Without a UID (no UIDPLUS) the note stays until channel_confirm finds the
 * message. A UID that is another file's already (a server that folds equal messages into one)
 * makes no second pair.
 */
static void note_taken(struct push *push, struct parcel *parcel, const struct answer *answer)
{
	struct box *box = parcel->box;
	uint32_t expected = box->sides[REMOTE].stamp.uidvalidity;

	box->wrote[REMOTE] = true;
	if (!expected) /* a mailbox that this run made: its first UID tells */
		box->sides[REMOTE].stamp.uidvalidity = answer->uidvalidity;
	if (!answer->created.uid || (expected && answer->uidvalidity != expected)) {
		box->lost_append = true;
		return;
	}
	if (journal_pair_of_uid(box->journal, answer->created.uid)) {
		struct error why;
		error_set(&why, ERROR_REFUSED, SCOPE_MESSAGE,
			  "the server keeps one copy only: it holds the same message as UID %u",
			  answer->created.uid);
		note_refused(push, parcel, &why);
		return;
	}
	put_taken(parcel, answer->created.uid);
	if (push->channel->setup.progress)
		push->channel->setup.progress->moved(push->channel->setup.progress, REMOTE,
						     parcel->identity.size);
}

/* Takes in the end of one APPEND. */
static void end_parcel(struct push *push, const struct answer *answer)
{
	struct parcel *parcel = &push->parcels[answer->ticket];

	if (answer->error.kind != ERROR_NONE)
		note_refused(push, parcel, &answer->error);
	else
		note_taken(push, parcel, answer);
	release_parcel(push, parcel);
}

int apply_push(struct channel *channel, struct error *err)
{
	struct push push = {.channel = channel};
	struct answer answer;
	int rc;

	while (!(rc = fill(&push, err)) && push.in_flight) {
		rc = store_next(channel->setup.stores[REMOTE], &answer, err);
		if (rc != 1)
			break;
		if (answer.kind == ANSWER_DONE)
			end_parcel(&push, &answer);
		if (stop_requested())
			push.box = channel->len;
	}
	for (size_t i = 0; i < PUSH_WINDOW; i++)
		if (push.parcels[i].box)
			release_parcel(&push, &push.parcels[i]);
	return rc;
}
