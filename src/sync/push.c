// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/push.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"
#include "sync/flag-room.h"
#include "sync/hold-back.h"
#include "sync/proof.h"
#include "sync/share.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define PUSH_WINDOW 256         /* messages on their way in all lanes, in memory or open files */
#define PUSH_BYTES  (16u << 20) /* and their bytes, but at least one message */

/* One message on its way. */
struct parcel {
	struct box *box; /* NULL: the slot is free */
	const struct op *op;
	struct source *source; /* until it is submitted */
	struct identity identity;
};

/* What all lanes share. */
struct push {
	struct channel *channel;
	struct shares shares;
	atomic_bool over; /* the main lane failed: nothing more is to be begun */
	uint64_t room;    /* a message as large found the account full */
	int rc;
	struct error *err;
};

/* What one lane has in hand. */
struct courier {
	struct push *push;
	struct lane *lane;
	struct parcel parcels[PUSH_WINDOW];
	size_t window; /* the lane's part of PUSH_WINDOW */
	size_t in_flight;
	uint64_t bytes;
	bool drained; /* nothing more is to be taken */
	bool unsure;  /* their flags are to be looked at, or to be set once they are there */
	bool asked;   /* how the mailboxes stand that they come to */
	struct portion *portion;  /* where the next message comes from, or NULL */
	const struct share *last; /* where the last came from */
};

static void lock(struct courier *courier)
{
	pthread_mutex_lock(&courier->push->channel->lock);
}

static void unlock(struct courier *courier)
{
	pthread_mutex_unlock(&courier->push->channel->lock);
}

/* The next planned copy to the server, or NULL; called with the lock. */
static const struct op *next_copy(struct courier *courier, struct box **box)
{
	struct shares *shares = &courier->push->shares;

	for (;;) {
		struct portion *portion = courier->portion;
		if (!portion)
			portion = courier->portion = shares_take(shares, courier->last, 0);
		if (!portion)
			return NULL;
		courier->last = portion->share;
		*box = portion->share->box;
		if (portion->count && (*box)->active) {
			portion->count--;
			return portion->share->ops[portion->first++];
		}
		shares_end(shares, portion);
		courier->portion = NULL;
	}
}

/*
 * The account is full: nothing as large is sent any more in this run, what is smaller may fit, and
 * what is to be removed there makes room, so that it is not held back.
 */
static void fail_full(struct push *push, struct box *box, uint64_t size)
{
	struct error err;

	if (size < push->room)
		push->room = size;
	error_set(&err, ERROR_REFUSED, SCOPE_MAILBOX,
		  "mailbox %s: a message of %s was not sent, for the account is full: make room on "
		  "the server, the next run goes on",
		  text_show(box->name), text_size(size));
	box_fail(box, &err);
}

/* The flags that go with a message: those that the server has room for, but no keywords. */
static struct flags flags_sent(const struct parcel *parcel)
{
	return box_flags_there(parcel->box, (struct flags){.bits = parcel->op->flags.bits});
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
	    .flags = flags_sent(parcel),
	    .identity = parcel->identity,
	};

	journal_note(parcel->box->journal, &note);
}

/*
 * No descriptor is left for one more file: it is taken again once those on their way have ended.
 * False where there are none of these, so that nothing would come of waiting.
 */
static bool wait_for_descriptor(struct courier *courier, const struct error *err)
{
	if ((err->sys != EMFILE && err->sys != ENFILE) || !courier->in_flight)
		return false;
	courier->window = courier->in_flight;
	courier->portion->first--;
	courier->portion->count++;
	return true;
}

/*
 * Opens one message into a free slot. A file that is gone by now is no fault: the next run sees
 * what became of it. False where it is still to be taken.
 */
static bool load_parcel(struct courier *courier, struct box *box, const struct op *op)
{
	const struct message_key key = {.name = op->name};
	struct parcel *parcel = courier->parcels;
	struct error err;

	while (parcel->box)
		parcel++;
	int rc = store_open_source(courier->lane->stores[LOCAL], box->at[LOCAL], &key,
				   &parcel->identity, &parcel->source, &err);
	lock(courier);
	bool later = rc && wait_for_descriptor(courier, &err);
	if (later)
		goto out;
	if (rc) {
		if (err.sys != ENOENT)
			hold_back(courier->push->channel, box, REMOTE, &err);
		box->undone = true;
	} else if (parcel->identity.size >= courier->push->room) {
		fail_full(courier->push, box, parcel->identity.size);
		parcel->source->close(parcel->source);
		parcel->source = NULL;
	} else {
		parcel->box = box;
		parcel->op = op;
		courier->unsure |=
		    box_may_drop_flags(box, op->flags) || op->flags.keywords != 0;
		note_intent(parcel);
		courier->in_flight++;
		courier->bytes += parcel->identity.size;
	}
out:
	unlock(courier);
	return !later;
}

/* Hands a loaded message to the store. */
static int submit_parcel(struct courier *courier, struct parcel *parcel, struct error *err)
{
	const struct request request = {
	    .kind = REQUEST_APPEND,
	    .ticket = (uint64_t)(parcel - courier->parcels),
	    .mailbox = parcel->box->at[REMOTE],
	    .source = parcel->source,
	    .beside = courier->push->shares.lanes > 1,
	    .flags = flags_sent(parcel),
	    .date = parcel->identity.date,
	};

	parcel->source = NULL;
	return store_submit(courier->lane->stores[REMOTE], &request, err);
}

/* Frees a slot. */
static void release_parcel(struct courier *courier, struct parcel *parcel)
{
	if (parcel->source)
		parcel->source->close(parcel->source);
	courier->in_flight--;
	courier->bytes -= parcel->identity.size;
	*parcel = (struct parcel){0};
}

/* Makes the intents of all loaded messages durable; those of boxes that cannot are let go. */
static void commit_loaded(struct courier *courier)
{
	lock(courier);
	for (size_t i = 0; i < PUSH_WINDOW; i++) {
		struct parcel *parcel = &courier->parcels[i];
		struct error why;
		if (!parcel->source || !box_commit(parcel->box, &why))
			continue;
		hold_back(courier->push->channel, parcel->box, REMOTE, &why);
		parcel->box->active = false;
		release_parcel(courier, parcel);
	}
	unlock(courier);
}

/* Takes and opens the next message; false where there is none for now. */
static bool load_next(struct courier *courier)
{
	struct box *box;

	lock(courier);
	const struct op *op = next_copy(courier, &box);
	unlock(courier);
	courier->drained = !op;
	return op && load_parcel(courier, box, op);
}

/* Asks behind a lane's last messages, where they are the last of all. */
static int submit_proofs(struct courier *courier, struct error *err)
{
	const struct shares *shares = &courier->push->shares;
	struct channel *channel = courier->push->channel;
	int rc = 0;

	if (!courier->drained || courier->asked || courier->unsure || shares->lanes > 1)
		return 0;
	courier->asked = true;
	for (size_t i = 0; i < shares->len && !rc; i++)
		rc = proof_submit(channel, (size_t)(shares->list[i].box - channel->boxes), err);
	return rc;
}

/*
 * Fills the window once a quarter of it is empty: one commit for many, and the line is kept busy by
 * the rest meanwhile.
 */
static int fill(struct courier *courier, struct error *err)
{
	bool loaded = false;

	if (courier->in_flight > courier->window * 3 / 4 ||
	    courier->bytes > PUSH_BYTES / 4 * 3 || stop_requested() ||
	    atomic_load(&courier->push->over))
		return 0;
	while (courier->in_flight < courier->window && courier->bytes < PUSH_BYTES &&
	       load_next(courier))
		loaded = true;
	if (loaded)
		commit_loaded(courier);
	for (size_t i = 0; loaded && i < PUSH_WINDOW; i++)
		if (courier->parcels[i].source &&
		    submit_parcel(courier, &courier->parcels[i], err))
			return -1;
	return submit_proofs(courier, err);
}

/* The server's limit that a message is larger than, as far as it tells one; else 0. */
static uint32_t limit_exceeded(const struct channel *channel, uint64_t size)
{
	uint64_t limit = channel->setup.stores[REMOTE]->message_max;

	if (size <= limit)
		return 0;
	return limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
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
		journal_note(box->journal,
			     &(struct journal_note){
				 .kind = JOURNAL_REFUSED,
				 .side = LOCAL,
				 .name = parcel->op->name,
				 .floor = limit_exceeded(push->channel, parcel->identity.size),
				 .identity = parcel->identity,
				 .text = why->text});
	if (why->sys != EDQUOT) {
		hold_back(push->channel, box, REMOTE, why);
		return;
	}
	box_fail(box, why);
	fail_full(push, box, parcel->identity.size);
}

/* A pair without its keywords; those that the server has room for are to follow. */
static void put_taken(const struct parcel *parcel, uint32_t uid)
{
	struct box *box = parcel->box;
	const struct op *sent = parcel->op;
	const struct flags now = flags_sent(parcel), late = {.keywords = sent->flags.keywords};
	const struct flags add = box_flags_there(box, late);
	const struct pair pair = pair_of(uid, sent->name, now, &parcel->identity);

	box_put_copy(box, REMOTE, &pair);
	box_note_flags_sent(box, now);
	if (!add.keywords)
		return;
	struct op *op = plan_add(&box->late, OP_FLAG, REMOTE, sent->rule);
	op->uid = uid;
	op->name = sent->name;
	op->add = add;
	op = plan_add(&box->late, OP_AGREE, REMOTE, sent->rule);
	op->uid = uid;
	op->name = sent->name;
	op->flags = flags_union(now, add);
}

/*
 * Something came to the mailbox when a message was refused among others: it may be one of them
 * (servers do that), or be of another connection.
 */
static void doubt_refused(struct push *push, struct box *box)
{
	struct error err;

	error_set(&err, ERROR_REFUSED, SCOPE_MAILBOX,
		  "mailbox %s: the server refused messages that were sent together, and has got "
		  "some meanwhile; the next run finds out whether they are of these",
		  text_show(box->name));
	hold_back(push->channel, box, REMOTE, &err);
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
	if (answer->doubtful)
		doubt_refused(push, box);
	if (!expected) /* a mailbox that this run made: its first UID tells */
		box->sides[REMOTE].stamp.uidvalidity = answer->uidvalidity;
	bool known = journal_pair_of_uid(box->journal, answer->created.uid);
	if (!answer->created.uid || (expected && answer->uidvalidity != expected) ||
	    (known && box_is_made_anew(box))) {
		box->own.lost_append = true;
		return;
	}
	if (known) {
		struct error why;
		error_set(&why, ERROR_REFUSED, SCOPE_MESSAGE,
			  "the server keeps one copy only: it holds the same message as UID %u",
			  answer->created.uid);
		note_refused(push, parcel, &why);
		return;
	}
	own_note_added(&box->own, answer->created.uid);
	own_note_done(&box->own, answer, 0);
	put_taken(parcel, answer->created.uid);
	if (push->channel->setup.progress)
		push->channel->setup.progress->moved(push->channel->setup.progress, REMOTE,
						     parcel->identity.size);
}

/* Takes in the end of one APPEND. */
static void end_parcel(struct courier *courier, const struct answer *answer)
{
	struct parcel *parcel = &courier->parcels[answer->ticket];

	lock(courier);
	if (answer->error.kind != ERROR_NONE)
		note_refused(courier->push, parcel, &answer->error);
	else
		note_taken(courier->push, parcel, answer);
	unlock(courier);
	release_parcel(courier, parcel);
}

/* Takes in one answer. */
static void take_answer(struct courier *courier, const struct answer *answer)
{
	lock(courier);
	bool proof = proof_take(courier->push->channel, answer);
	unlock(courier);
	if (!proof && answer->kind == ANSWER_DONE)
		end_parcel(courier, answer);
}

/* Sends until there is nothing more to take, and all is answered. */
static int send_all(struct courier *courier, struct error *err)
{
	struct answer answer;
	int rc;

	while (!(rc = fill(courier, err)) && (courier->in_flight || courier->asked)) {
		rc = store_next(courier->lane->stores[REMOTE], &answer, err);
		if (rc != 1)
			break;
		take_answer(courier, &answer);
	}
	return rc;
}

/* A message of which a lane that is lost cannot tell whether the server has it. */
static void doubt_parcel(struct courier *courier, struct parcel *parcel)
{
	struct error err;

	error_set(&err, ERROR_UNAVAILABLE, SCOPE_MAILBOX,
		  "mailbox %s: one of several connections broke while messages were on their way; "
		  "the next run finds out which of them arrived",
		  text_show(parcel->box->name));
	hold_back(courier->push->channel, parcel->box, REMOTE, &err);
}

/* What the lane has not begun others may take; whether the run ends, too, is decided. */
static void end_courier(struct courier *courier, int rc, const struct error *err)
{
	struct push *push = courier->push;
	bool lost = rc && !push->rc && courier->lane->extra && err->kind != ERROR_STOPPED;

	courier->lane->lost = rc;
	if (courier->portion)
		shares_return(&push->shares, courier->portion);
	for (size_t i = 0; i < PUSH_WINDOW; i++) {
		struct parcel *parcel = &courier->parcels[i];
		if (!parcel->box)
			continue;
		if (lost)
			doubt_parcel(courier, parcel);
		release_parcel(courier, parcel);
	}
	if (lost) {
		log_info("%s: one of several connections is given up: %s",
			 push->channel->setup.name, err->text);
	} else if (rc && !push->rc) {
		push->rc = -1;
		*push->err = *err;
		atomic_store(&push->over, true);
	}
}

/* One lane's part, from its first message to its last. */
static void send_in_lane(void *context, struct lane *lane)
{
	struct push *push = context;
	struct courier *courier;
	struct error err = {0};

	if (atomic_load(&push->over) || stop_requested())
		return;
	courier = xcalloc(1, sizeof(*courier));
	courier->push = push;
	courier->lane = lane;
	courier->window = PUSH_WINDOW / push->shares.lanes;
	int rc = send_all(courier, &err);
	lock(courier);
	end_courier(courier, rc, &err);
	unlock(courier);
	free(courier);
}

int push_apply(struct channel *channel, struct error *err)
{
	struct push push = {.channel = channel, .room = UINT64_MAX, .err = err};

	shares_open(&push.shares, channel, REMOTE);
	shares_run(&push.shares, send_in_lane, &push);
	shares_close(&push.shares);
	return push.rc;
}
