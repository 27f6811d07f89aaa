// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Content from the server to the disk, in batches with few barriers: bodies are written to
 * temporary files as they arrive; a full batch is synced at once, noted in the journal as about to
 * be put in place, put in place, and its directories synced. The pairs of one batch are committed
 * with the notes of the next. A run that is stopped leaves temporary files, or files that their
 * notes explain.
 */
#include "sync/channel.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"

#include <stdlib.h>

#define PULL_BATCH       1000        /* messages in a batch */
#define PULL_BATCH_BYTES (32u << 20) /* and their bytes, about */
#define PULL_BATCH_MS    5000        /* and the time that a stop may cost, about */

/* A message that has arrived and is not in place yet. */
struct landing {
	struct box *box;
	const struct op *op;
	struct draft *draft;
	const char *name;
	struct identity identity;
};

/* What is fetched for one box. */
struct order {
	const struct op **ops; /* ascending by UID; NULL once it has landed */
	struct message_key *keys;
	uint64_t *sizes;
	size_t len;
};

struct pull {
	struct channel *channel;
	struct order *orders; /* one a box */
	struct draft *draft;  /* the message that is arriving, or NULL */
	struct landing landings[PULL_BATCH];
	size_t len;
	uint64_t bytes;
	int64_t began; /* when the batch's first message landed */
};

static int compare_uids(const void *a, const void *b)
{
	const struct op *x = *(const struct op *const *)a, *y = *(const struct op *const *)b;

	return (x->uid > y->uid) - (x->uid < y->uid);
}

/* Collects what is to be fetched for one box. */
static void build_order(const struct box *box, struct order *order)
{
	size_t count = plan_count(&box->plan, OP_COPY, LOCAL);

	order->ops = xcalloc(count + 1, sizeof(*order->ops));
	order->keys = xcalloc(count + 1, sizeof(*order->keys));
	order->sizes = xcalloc(count + 1, sizeof(*order->sizes));
	for (size_t i = 0; i < box->plan.len; i++) {
		const struct op *op = &box->plan.ops[i];
		if (op->kind == OP_COPY && op->side == LOCAL && !op->blocked)
			order->ops[order->len++] = op;
	}
	qsort(order->ops, order->len, sizeof(*order->ops), compare_uids);
	for (size_t i = 0; i < order->len; i++) {
		order->keys[i] = (struct message_key){.uid = order->ops[i]->uid};
		order->sizes[i] = order->ops[i]->identity.size;
	}
}

/* Asks for the content of every box: one flight, which the store cuts into pieces. */
static int submit_orders(struct pull *pull, struct error *err)
{
	for (size_t i = 0; i < pull->channel->len; i++) {
		struct box *box = &pull->channel->boxes[i];
		struct order *order = &pull->orders[i];
		if (!box->active)
			continue;
		build_order(box, order);
		const struct request request = {
		    .kind = REQUEST_FETCH,
		    .ticket = i,
		    .mailbox = box->at[REMOTE],
		    .keys = order->keys,
		    .count = order->len,
		    .sizes = order->sizes,
		    .uidvalidity = box->sides[REMOTE].stamp.uidvalidity,
		};
		if (order->len && store_submit(pull->channel->setup.stores[REMOTE], &request, err))
			return -1;
	}
	return 0;
}

/* A local request that concerns no box alone. */
static int settle(struct pull *pull, struct error *err)
{
	const struct request request = {.kind = REQUEST_SETTLE};
	struct answer answer;

	return store_do(pull->channel->setup.stores[LOCAL], &request, &answer, err);
}

/* Notes that the message is about to be put in place. */
static void note_intent(const struct landing *landing)
{
	const struct journal_note note = {
	    .kind = JOURNAL_PUBLISHING,
	    .side = LOCAL,
	    .uid = landing->op->uid,
	    .name = landing->name,
	    .flags = landing->op->flags,
	    .identity = landing->identity,
	};

	journal_note(landing->box->journal, &note);
}

/* Commits the journals of a batch: its intents, and the pairs of the batch before. */
static int commit_landings(struct pull *pull, struct error *err)
{
	for (size_t i = 0; i < pull->len; i++)
		note_intent(&pull->landings[i]);
	for (size_t i = 0; i < pull->len; i++) {
		struct box *box = pull->landings[i].box;
		if (i && box == pull->landings[i - 1].box)
			continue;
		if (box_commit(box, err)) {
			hold_back(pull->channel, box, LOCAL, err);
			return -1;
		}
	}
	return 0;
}

/* Puts one message in place. */
static int publish(struct pull *pull, const struct landing *landing, struct error *err)
{
	const struct request request = {
	    .kind = REQUEST_PUBLISH,
	    .mailbox = landing->box->at[LOCAL],
	    .draft = landing->draft,
	    .flags = landing->op->flags,
	    .date = landing->op->identity.date,
	};
	struct answer answer;

	if (store_do(pull->channel->setup.stores[LOCAL], &request, &answer, err)) {
		hold_back(pull->channel, landing->box, LOCAL, err);
		return -1;
	}
	landing->box->wrote[LOCAL] = true;
	box_refuse_keywords(landing->box, LOCAL, answer.refused_keywords);
	return 0;
}

/* After the batch is durable and in place: its pairs. */
static void note_landed(struct pull *pull)
{
	for (size_t i = 0; i < pull->len; i++) {
		struct landing *landing = &pull->landings[i];
		struct identity identity = landing->identity;
		identity.date = landing->op->identity.date;
		box_put_copy(landing->box, landing->op, &identity, landing->op->uid, landing->name);
		if (pull->channel->setup.progress)
			pull->channel->setup.progress->moved(pull->channel->setup.progress, LOCAL,
							     identity.size);
	}
}

/* Brings a batch to rest. -1: the disk failed; what was not put in place is dropped. */
static int land(struct pull *pull, struct error *err)
{
	int rc = -1;

	if (!pull->len)
		return 0;
	if (settle(pull, err) || commit_landings(pull, err))
		goto out;
	for (size_t i = 0; i < pull->len; i++)
		if (publish(pull, &pull->landings[i], err))
			goto out;
	if (settle(pull, err))
		goto out;
	note_landed(pull);
	rc = 0;
out:
	for (size_t i = 0; i < pull->len; i++) {
		if (rc)
			hold_back(pull->channel, pull->landings[i].box, LOCAL, err);
		store_drop_draft(pull->channel->setup.stores[LOCAL], pull->landings[i].draft);
	}
	pull->len = 0;
	pull->bytes = 0;
	return rc;
}

/* A piece of the message that is arriving. */
static int take_body(struct pull *pull, const struct answer *answer, struct error *err)
{
	struct box *box = &pull->channel->boxes[answer->ticket];
	struct store *local = pull->channel->setup.stores[LOCAL];

	if (!pull->draft && store_open_draft(local, box->at[LOCAL], &pull->draft, err))
		goto failed;
	if (!store_write_draft(local, pull->draft, answer->data, answer->len, err))
		return 0;
failed:
	hold_back(pull->channel, box, LOCAL, err);
	return -1;
}

/* The operation that a UID of a box was fetched for, taken from the order; NULL where none was. */
static const struct op *claim(struct order *order, uint32_t uid)
{
	size_t low = 0, high = order->len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (order->keys[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == order->len || order->keys[low].uid != uid)
		return NULL;
	const struct op *op = order->ops[low];
	order->ops[low] = NULL;
	return op;
}

/* The end of a message: it joins the batch, or is dropped where nobody asked for it. */
static int end_body(struct pull *pull, const struct answer *answer, struct error *err)
{
	struct store *local = pull->channel->setup.stores[LOCAL];
	struct box *box = &pull->channel->boxes[answer->ticket];
	const struct op *op = claim(&pull->orders[answer->ticket], answer->message.key.uid);
	struct landing *landing = &pull->landings[pull->len];
	struct draft *draft = pull->draft;

	pull->draft = NULL;
	if (!op || !draft) {
		store_drop_draft(local, draft);
		return 0;
	}
	*landing = (struct landing){.box = box, .op = op, .draft = draft};
	if (store_finish_draft(local, draft, &landing->identity, &landing->name, err)) {
		store_drop_draft(local, draft);
		hold_back(pull->channel, box, LOCAL, err);
		return -1;
	}
	landing->identity.date = op->identity.date;
	if (!pull->len++)
		pull->began = clock_ms();
	pull->bytes += landing->identity.size;
	if (pull->len < PULL_BATCH && pull->bytes < PULL_BATCH_BYTES &&
	    clock_ms() - pull->began < PULL_BATCH_MS)
		return 0;
	return land(pull, err);
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
 * The end of a box's fetch. What did not come and was not refused for good is asked for again by
 * the next run, or is gone by now, which the next run sees.
 */
static void end_order(struct pull *pull, const struct answer *answer)
{
	struct box *box = &pull->channel->boxes[answer->ticket];
	const struct order *order = &pull->orders[answer->ticket];

	if (answer->error.kind != ERROR_NONE)
		hold_back(pull->channel, box, LOCAL, &answer->error);
	for (size_t i = 0; i < order->len; i++)
		if (order->ops[i]) {
			box->undone = true;
			if (answer->refused && uidset_has(answer->refused, order->keys[i].uid))
				note_refused(box, order->keys[i].uid, &answer->error);
		}
}

/* One answer of the server. */
static int take_answer(struct pull *pull, const struct answer *answer, struct error *err)
{
	switch (answer->kind) {
	case ANSWER_BODY: return take_body(pull, answer, err);
	case ANSWER_BODY_END: return end_body(pull, answer, err);
	case ANSWER_DONE: end_order(pull, answer); return 0;
	default: return 0;
	}
}

int apply_pull(struct channel *channel, struct error *err)
{
	struct pull *pull = xcalloc(1, sizeof(*pull));
	struct answer answer;
	struct error landed;
	int rc;

	pull->channel = channel;
	pull->orders = xcalloc(channel->len + 1, sizeof(*pull->orders));
	rc = submit_orders(pull, err);
	while (!rc && (rc = store_next(channel->setup.stores[REMOTE], &answer, err)) == 1) {
		rc = take_answer(pull, &answer, err);
		if (!rc && stop_check(err))
			rc = -1;
	}
	store_drop_draft(channel->setup.stores[LOCAL], pull->draft);
	if (land(pull, rc ? &landed : err) && !rc)
		rc = -1;
	for (size_t i = 0; i < channel->len; i++) {
		free(pull->orders[i].ops);
		free(pull->orders[i].keys);
		free(pull->orders[i].sizes);
	}
	free(pull->orders);
	free(pull);
	return rc;
}
