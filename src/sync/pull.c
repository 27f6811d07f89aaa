// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Content from the server to the disk: bodies are written to temporary files as they arrive, and
 * put in place in batches (sync/landing.h).
 *
 * Each lane (sync/lane.h) has portions and batches of its own, from the request to the pairs.
 */
#include "sync/channel.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "sync/landing.h"
#include "sync/share.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#define PULL_BATCH       2000        /* messages in a batch */
#define PULL_BATCH_BYTES (32u << 20) /* and their bytes, about */
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

/* Takes the lane's next portion; NULL where it has enough. */
static struct portion *take_portion(struct haul *haul)
{
	lock(haul);
	struct portion *portion = shares_take(&haul->pull->shares, haul->last, haul->held);
	unlock(haul);
	if (!portion)
		return NULL;
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

	while ((portion = take_portion(haul))) {
		const struct share *share = portion->share;
		const struct request request = {
		    .kind = REQUEST_FETCH,
		    .ticket = (uintptr_t)portion,
		    .mailbox = share->box->at[REMOTE],
		    .keys = share->keys + portion->first,
		    .count = portion->count,
		    .sizes = share->sizes + portion->first,
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

	if (!haul->draft && store_open_draft(local, box->at[LOCAL], &haul->draft, err))
		return fail(haul, box, err);
	if (store_write_draft(local, haul->draft, answer->data, answer->len, err))
		return fail(haul, box, err);
	return 0;
}

/* The operation that a UID was fetched for, taken from the portion; NULL where none was. */
static const struct op *claim(struct haul *haul, const struct portion *portion, uint32_t uid)
{
	const struct share *share = portion->share;
	size_t low = portion->first, high = portion->first + portion->count, end = high;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (share->keys[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == end || share->keys[low].uid != uid || !share->ops[low])
		return NULL;
	const struct op *op = share->ops[low];
	share->ops[low] = NULL;
	haul->held -= share_cost(op);
	return op;
}

/* The end of a message: it joins the batch, or is dropped where nobody asked for it. */
static int end_body(struct haul *haul, const struct answer *answer, struct error *err)
{
	struct store *local = haul->lane->stores[LOCAL];
	const struct portion *portion = (const struct portion *)(uintptr_t)answer->ticket;
	const struct op *op = claim(haul, portion, answer->message.key.uid);
	struct landing *landing = &haul->landings[haul->len];
	struct draft *draft = haul->draft;

	haul->draft = NULL;
	if (!op || !draft) {
		store_drop_draft(local, draft);
		return 0;
	}
	*landing = (struct landing){.box = portion->share->box, .op = op, .draft = draft};
	if (landing_finish(local, landing, err))
		return fail(haul, landing->box, err);
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
	struct share *share = portion->share;
	struct box *box = share->box;

	if (answer->error.kind != ERROR_NONE)
		hold_back(haul->pull->channel, box, LOCAL, &answer->error);
	for (size_t i = portion->first; i < portion->first + portion->count; i++) {
		if (!share->ops[i])
			continue;
		haul->held -= share_cost(share->ops[i]);
		box->undone = true;
		if (answer->refused && uidset_has(answer->refused, share->keys[i].uid))
			note_refused(box, share->keys[i].uid, &answer->error);
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
	shares_end(portion);
	unlock(haul);
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

int apply_pull(struct channel *channel, struct error *err)
{
	struct pull pull = {.channel = channel, .err = err};

	shares_open(&pull.shares, channel, LOCAL);
	shares_run(&pull.shares, haul_in_lane, &pull);
	shares_close(&pull.shares);
	return pull.rc;
}
