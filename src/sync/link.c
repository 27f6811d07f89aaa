// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/link.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"
#include "mail/digest.h"
#include "sync/landing.h"

#include <stdlib.h>

#define LINK_BATCH 1000 /* messages in a batch */

struct link_batch {
	struct channel *channel;
	struct landing landings[LINK_BATCH];
	size_t len;
};

/* The file that is copied: it has a name, or is that of a pair of its mailbox; NULL: of none. */
static const char *name_of_original(const struct channel *channel, const struct op *op)
{
	const struct pair *pair;

	if (op->there.name)
		return op->there.name;
	pair = journal_pair_of_uid(channel->boxes[op->target].journal, op->there.uid);
	return pair ? pair->name : NULL;
}

/* True where the file holds what it is to hold: names alone are not believed. */
static bool is_original(const struct channel *channel, const struct op *op, const char *name,
			const struct identity *found)
{
	const struct identity identity = plan_identity(op);
	const struct pair *pair =
	    journal_pair_of_name(channel->boxes[op->target].journal, name);

	if (found->size != identity.size)
		return false;
	if (pair && digest_is_known(&pair->digest))
		return digest_equal(&pair->digest, &found->digest);
	return found->message_id == identity.message_id || !identity.has_message_id;
}

/* Begins one link. False where the message must come from the server after all. */
static bool begin_link(struct link_batch *batch, struct box *box, struct op *op)
{
	struct channel *channel = batch->channel;
	struct store *store = channel->setup.stores[LOCAL];
	const char *name = name_of_original(channel, op);
	const struct message_key key = {.name = name};
	struct landing *landing = &batch->landings[batch->len];
	struct error err;

	*landing = (struct landing){.box = box, .copy = copy_of(op), .cloned = true};
	if (!name)
		return false;
	if (!store_link_draft(store, box->at[LOCAL], channel->boxes[op->target].at[LOCAL], &key,
			      op->identity.date, &landing->draft, &err) &&
	    !landing_finish(store, landing, &err)) {
		if (is_original(channel, op, name, &landing->identity)) {
			batch->len++;
			return true;
		}
		store_drop_draft(store, landing->draft);
	}
	log_info("mailbox %s: UID %u comes from the server, for the copy of it in %s could not be "
		 "used",
		 text_show(box->name), op->uid, text_show(channel->boxes[op->target].name));
	return false;
}

/* Brings a batch to rest. */
static int land(struct link_batch *batch, struct error *err)
{
	struct channel *channel = batch->channel;
	size_t len = batch->len;

	batch->len = 0;
	return landing_land(channel, channel->setup.stores[LOCAL], batch->landings, len, err);
}

/* True for an operation whose original is there by now. */
static bool is_due(const struct op *op, bool pulled)
{
	return op->kind == OP_CLONE && op->side == LOCAL && !op->blocked &&
	       pulled == (op->there.name == NULL);
}

/*
 * True where the original is yet to come, and its mailbox takes nothing in this run: it is gone, or
 * cannot be made.
 */
static bool is_orphan(const struct channel *channel, const struct op *op)
{
	const struct box *origin = &channel->boxes[op->target];

	return op->kind == OP_CLONE && op->side == LOCAL && !op->there.name &&
	       (!origin->active || !origin->exists[LOCAL]);
}

/* Has a message come from the server after all. */
static void send_for(struct op *op)
{
	op->kind = OP_COPY;
	op->rule = RULE_M7_COPY;
}

/* The links of one box. */
static int link_box(struct link_batch *batch, struct box *box, bool pulled, struct error *err)
{
	for (size_t i = 0; i < box->plan.len; i++) {
		struct op *op = &box->plan.ops[i];
		if (!pulled && is_orphan(batch->channel, op))
			send_for(op);
		if (!is_due(op, pulled))
			continue;
		if (!begin_link(batch, box, op)) {
			if (pulled)
				box->undone = true;
			else
				send_for(op);
		}
		if (batch->len == LINK_BATCH && (land(batch, err) || stop_check(err)))
			return -1;
	}
	return 0;
}

int link_apply(struct channel *channel, bool pulled, struct error *err)
{
	struct link_batch *batch = xmalloc(sizeof(*batch)); /* large, and empty most of the time */
	int rc = 0;

	batch->channel = channel;
	batch->len = 0;
	for (size_t i = 0; i < channel->len && !rc; i++)
		if (channel->boxes[i].active)
			rc = link_box(batch, &channel->boxes[i], pulled, err);
	if (!rc)
		rc = land(batch, err);
	for (size_t i = 0; i < batch->len; i++)
		store_drop_draft(channel->setup.stores[LOCAL], batch->landings[i].draft);
	free(batch);
	return rc;
}
