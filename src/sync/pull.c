// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/pull.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"
#include "sync/hold-back.h"
#include "sync/landing.h"
#include "sync/share.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define PULL_BATCH       1250        /* messages in a batch */
#define PULL_BATCH_BYTES (32u << 20) /* and their bytes, about */
#define BLOCK            4096        /* of a file system, about */
#define SPARE            (1u << 20)  /* bytes that are left free, for the journal and others */
#define PULL_BATCH_MS    5000        /* and the time that a stop may cost, about */

/* What all lanes share. */
struct pull {
	struct channel *channel;
	struct shares shares;
	atomic_bool over; /* one failed for all: nothing more is to be begun */
	int rc;
	struct error *err;
};

/* What one lane has in hand. */
struct haul {
	struct pull *pull;
	struct lane *lane;
	struct portion *portions; /* asked for, the oldest first */
	struct portion **end;
	const struct share *last; /* where the latest of them is */
	uint64_t held;            /* what they cost */
	struct draft *draft;      /* the message that is arriving, or NULL */
	bool skipping;            /* it is let go by */
	struct landing landings[PULL_BATCH];
	size_t len;
	uint64_t bytes;
	int64_t began; /* when the batch's first message landed */
	bool fatal;    /* what went wrong is not the session */
};

static void lock(struct haul *haul)
{
	pthread_mutex_lock(&haul->pull->channel->lock);
}

static void unlock(struct haul *haul)
{
	pthread_mutex_unlock(&haul->pull->channel->lock);
}

/* Something could not be put on the disk. */
static int fail(struct haul *haul, struct box *box, const struct error *err)
{
	lock(haul);
	hold_back(haul->pull->channel, box, LOCAL, err);
	unlock(haul);
	haul->fatal = true;
	return -1;
}

/* Nothing more can be put into one mailbox. */
static void shut(struct haul *haul, struct box *box, const struct error *err)
{
	lock(haul);
	landing_shut(haul->pull->channel, box, err);
	unlock(haul);
}

/* Lets the message go by that is arriving. */
static void skip(struct haul *haul, struct box *box, const struct error *err)
{
	shut(haul, box, err);
	haul->skipping = true;
	store_drop_draft(haul->lane->stores[LOCAL], haul->draft);
	haul->draft = NULL;
}

/* What a message takes on the disk, about. */
static uint64_t space_of(const struct copy *copy)
{
	uint64_t size = copy_size(copy);

	return BLOCK + (size == SIZE_UNKNOWN ? SHARE_GUESS : size);
}

/* Says that a message finds no room. */
static void fill_up(struct haul *haul, struct box *box, const struct copy *copy,
		    const struct room *room, bool inodes)
{
	struct error err;

	if (!inodes)
		error_set(&err, ERROR_IO, SCOPE_MAILBOX,
			  "mailbox %s: no room for message UID %u, %s: where it is to go %s are "
			  "free, and %s are left free; make room, the next run goes on",
			  text_show(box->name), copy->uid, text_size(space_of(copy)),
			  text_size(room->bytes), text_size(SPARE));
	else
		error_set(&err, ERROR_IO, SCOPE_MAILBOX,
			  "mailbox %s: no room for message UID %u: where it is to go no more files "
			  "can be made (inodes); remove files, the next run goes on",
			  text_show(box->name), copy->uid);
	err.sys = ENOSPC;
	lock(haul);
	box_fail(box, &err);
	box->full = true;
	unlock(haul);
}

/*
 * How many messages of a portion find room, by what is free now and what this lane has asked for
 * and not got yet. Where it is not all of them the box is full.
 */
static size_t fit_portion(struct haul *haul, const struct portion *portion)
{
	const struct share *share = portion->share;
	struct room room;
	struct error err;
	uint64_t taken = haul->held;
	size_t count = 0;

	if (atomic_load(&share->box->full))
		return 0;
	if (store_room(haul->lane->stores[LOCAL], share->box->at[LOCAL], &room, &err)) {
		shut(haul, share->box, &err);
		return 0;
	}
	while (count < portion->count) {
		const struct copy *copy = &portion->copies[count];
		taken += space_of(copy);
		if (count >= room.messages || room.bytes < SPARE || taken > room.bytes - SPARE) {
			fill_up(haul, share->box, copy, &room, count >= room.messages);
			break;
		}
		count++;
	}
	return count;
}

/* Takes the lane's next portion; NULL where it has enough. *fits: so many of it are to be had. */
static struct portion *take_portion(struct haul *haul, size_t *fits)
{
	struct portion *portion;

	for (;;) {
		portion = shares_take(&haul->pull->shares, haul->last, haul->held);
		if (!portion)
			return NULL;
		*fits = fit_portion(haul, portion);
		if (*fits)
			break;
		lock(haul);
		portion->share->box->undone = true;
		unlock(haul);
		shares_end(&haul->pull->shares, portion);
	}
	portion->link = NULL;
	*haul->end = portion;
	haul->end = &portion->link;
	haul->last = portion->share;
	haul->held += portion->cost;
	return portion;
}

/* Asks for content as long as the lane wants more: one flight, which the store cuts into pieces. */
static int submit_portions(struct haul *haul, struct error *err)
{
	struct portion *portion;
	size_t fits;

	while ((portion = take_portion(haul, &fits))) {
		const struct share *share = portion->share;
		const struct request request = {
		    .kind = REQUEST_FETCH,
		    .ticket = (uintptr_t)portion,
		    .mailbox = share->box->at[REMOTE],
		    .keys = portion->keys,
		    .count = fits,
		    .sizes = portion->sizes,
		    .uidvalidity = share->box->sides[REMOTE].stamp.uidvalidity,
		};
		if (store_submit(haul->lane->stores[REMOTE], &request, err))
			return -1;
	}
	return 0;
}

/* Brings a batch to rest. */
static int land(struct haul *haul, struct error *err)
{
	int rc = landing_land(haul->pull->channel, haul->lane->stores[LOCAL], haul->landings,
			      haul->len, err);

	haul->fatal |= rc != 0;
	haul->len = 0;
	haul->bytes = 0;
	return rc;
}

/* A piece of the message that is arriving. */
static int take_body(struct haul *haul, const struct answer *answer, struct error *err)
{
	const struct portion *portion = (const struct portion *)(uintptr_t)answer->ticket;
	struct box *box = portion->share->box;
	struct store *local = haul->lane->stores[LOCAL];

	haul->skipping |= !haul->draft && atomic_load(&box->shut);
	if (haul->skipping)
		return 0;
	if (!haul->draft && store_open_draft(local, box->at[LOCAL], &haul->draft, err)) {
		skip(haul, box, err);
		return 0;
	}
	if (!store_write_draft(local, haul->draft, answer->data, answer->len, err))
		return 0;
	if (!landing_is_full(err))
		return fail(haul, box, err);
	skip(haul, box, err);
	return 0;
}

/* The copy that a UID was fetched for, taken from the portion; false where none was. */
static bool claim(struct haul *haul, const struct portion *portion, uint32_t uid,
		  struct copy *claimed)
{
	size_t low = 0, high = portion->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (portion->keys[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	struct copy *copy = &portion->copies[low];
	if (!uid || low == portion->count || copy->uid != uid)
		return false;
	*claimed = *copy;
	copy->uid = 0;
	haul->held -= share_cost(copy_size(copy));
	return true;
}

/* The end of a message: it joins the batch, or is dropped where nobody asked for it. */
static int end_body(struct haul *haul, const struct answer *answer, struct error *err)
{
	struct store *local = haul->lane->stores[LOCAL];
	const struct portion *portion = (const struct portion *)(uintptr_t)answer->ticket;
	struct landing *landing = &haul->landings[haul->len];
	struct draft *draft = haul->draft;

	if (haul->skipping) {
		haul->skipping = false;
		return 0;
	}
	*landing = (struct landing){.box = portion->share->box, .draft = draft};
	haul->draft = NULL;
	if (!claim(haul, portion, answer->message.key.uid, &landing->copy) || !draft) {
		store_drop_draft(local, draft);
		return 0;
	}
	if (landing_finish(local, landing, err)) {
		if (!landing_is_full(err))
			return fail(haul, landing->box, err);
		shut(haul, landing->box, err);
		return 0;
	}
	if (!haul->len++)
		haul->began = clock_ms();
	haul->bytes += landing->identity.size;
	if (haul->len < PULL_BATCH && haul->bytes < PULL_BATCH_BYTES &&
	    clock_ms() - haul->began < PULL_BATCH_MS)
		return 0;
	return land(haul, err);
}

/* The server would not give a message: remembered, so that it holds nothing back in every run. */
static void note_refused(struct box *box, uint32_t uid, const struct error *why)
{
	journal_note(box->journal, &(struct journal_note){
				       .kind = JOURNAL_REFUSED,
				       .side = REMOTE,
				       .uid = uid,
				       .identity = {.size = SIZE_UNKNOWN, .date = DATE_UNKNOWN},
				       .text = why->text});
}

/*
 * What did not come and was not refused for good is asked for again by the next run, or is gone by
 * now, which the next run sees.
 */
static void note_missing(struct haul *haul, const struct portion *portion,
			 const struct answer *answer)
{
	const struct copy *copies = portion->copies;
	struct box *box = portion->share->box;

	if (answer->error.kind != ERROR_NONE)
		hold_back(haul->pull->channel, box, LOCAL, &answer->error);
	for (size_t i = 0; i < portion->count; i++) {
		if (!copies[i].uid)
			continue;
		haul->held -= share_cost(copy_size(&copies[i]));
		box->undone = true;
		if (answer->refused && uidset_has(answer->refused, copies[i].uid))
			note_refused(box, copies[i].uid, &answer->error);
	}
}

/*
 * The end of a portion. A lane in which a mailbox as a whole cannot be read is of no use: what the
 * main one says of it counts.
 */
static int end_portion(struct haul *haul, const struct answer *answer, struct error *err)
{
	struct portion *portion = haul->portions;

	assert((uintptr_t)portion == answer->ticket);
	if (haul->lane->extra && answer->error.kind != ERROR_NONE &&
	    answer->error.scope != SCOPE_MESSAGE) {
		*err = answer->error;
		return -1;
	}
	haul->portions = portion->link;
	if (!haul->portions)
		haul->end = &haul->portions;
	lock(haul);
	note_missing(haul, portion, answer);
	unlock(haul);
	shares_end(&haul->pull->shares, portion);
	return 0;
}

/* One answer of the server. */
static int take_answer(struct haul *haul, const struct answer *answer, struct error *err)
{
	switch (answer->kind) {
	case ANSWER_BODY: return take_body(haul, answer, err);
	case ANSWER_BODY_END: return end_body(haul, answer, err);
	case ANSWER_DONE: return end_portion(haul, answer, err);
	default: return 0;
	}
}

/* Fetches and lands until there is nothing more to take. */
static int haul_all(struct haul *haul, struct error *err)
{
	struct answer answer;
	int rc;

	while (!(rc = submit_portions(haul, err)) &&
	       (rc = store_next(haul->lane->stores[REMOTE], &answer, err)) == 1) {
		rc = take_answer(haul, &answer, err);
		if (rc || stop_check(err) || atomic_load(&haul->pull->over))
			return -1;
	}
	return rc;
}

/* Others may take what the lane has not brought home; whether the run ends, too, is decided. */
static void end_haul(struct haul *haul, int rc, const struct error *err)
{
	struct pull *pull = haul->pull;

	lock(haul);
	while (haul->portions) {
		struct portion *portion = haul->portions;
		haul->portions = portion->link;
		shares_return(&pull->shares, portion);
	}
	haul->lane->lost = rc;
	if (rc && !pull->rc && haul->lane->extra && !haul->fatal && err->kind != ERROR_STOPPED) {
		log_info("%s: one of several connections is given up: %s",
			 pull->channel->setup.name, err->text);
	} else if (rc && !pull->rc) {
		pull->rc = -1;
		*pull->err = *err;
		atomic_store(&pull->over, true);
	}
	unlock(haul);
}

/* One lane's part, from its first portion to its last. */
static void haul_in_lane(void *context, struct lane *lane)
{
	struct pull *pull = context;
	struct haul *haul;
	struct error err = {0}, landed;
	int rc;

	if (atomic_load(&pull->over))
		return;
	haul = xcalloc(1, sizeof(*haul));
	haul->pull = pull;
	haul->lane = lane;
	haul->end = &haul->portions;
	rc = haul_all(haul, &err);
	store_drop_draft(lane->stores[LOCAL], haul->draft);
	if (land(haul, &landed)) {
		if (!rc || lane->extra)
			err = landed;
		rc = -1;
	}
	end_haul(haul, rc, &err);
	free(haul);
}

int pull_apply(struct channel *channel, struct error *err)
{
	struct pull pull = {.channel = channel, .err = err};

	shares_open(&pull.shares, channel, LOCAL);
	shares_run(&pull.shares, haul_in_lane, &pull);
	shares_close(&pull.shares);
	return pull.rc;
}
