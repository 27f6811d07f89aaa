// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Copies within the disk (rules V3 and V4): a message that is new on the server and that the disk
 * holds in another mailbox becomes a link to that file, with the barriers of a pulled batch.
 */
#include "sync/channel.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define LINK_BATCH 1000 /* messages in a batch */

/* A link that is not in place yet. */
struct link {
	struct box *box;
	struct op *op;
	struct draft *draft;
	const char *name;
	struct identity identity;
};

struct link_batch {
	struct channel *channel;
	struct link links[LINK_BATCH];
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
	static const struct digest none;
	const struct identity identity = plan_identity(op);
	const struct pair *pair =
	    journal_pair_of_name(channel->boxes[op->target].journal, name);

	if (found->size != identity.size)
		return false;
	if (pair && !digest_equal(&pair->digest, &none))
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
	struct link *link = &batch->links[batch->len];
	struct error err;

	*link = (struct link){.box = box, .op = op};
	if (!name)
		return false;
	if (!store_link_draft(store, box->at[LOCAL], channel->boxes[op->target].at[LOCAL], &key,
			      op->identity.date, &link->draft, &err) &&
	    !store_finish_draft(store, link->draft, &link->identity, &link->name, &err) &&
	    is_original(channel, op, name, &link->identity)) {
		link->identity.date = op->identity.date;
		link->identity.email_id = plan_identity(op).email_id;
		batch->len++;
		return true;
	}
	store_drop_draft(store, link->draft);
	log_info("mailbox %s: UID %u comes from the server, for the copy of it in %s could not be "
		 "used",
		 text_show(box->name), op->uid, text_show(channel->boxes[op->target].name));
	return false;
}

/* Notes what is about to be put in place, durably. */
static int commit_intents(struct link_batch *batch, struct error *err)
{
	for (size_t i = 0; i < batch->len; i++) {
		const struct link *link = &batch->links[i];
		journal_note(link->box->journal, &(struct journal_note){.kind = JOURNAL_PUBLISHING,
									 .side = LOCAL,
									 .uid = link->op->uid,
									 .name = link->name,
									 .flags = link->op->flags,
									 .identity = link->identity});
	}
	for (size_t i = 0; i < batch->len; i++) {
		if (i && batch->links[i].box == batch->links[i - 1].box)
			continue;
		if (box_commit(batch->links[i].box, err))
			return -1;
	}
	return 0;
}

/* Puts one link in place. */
static int publish(struct link_batch *batch, const struct link *link, struct error *err)
{
	const struct request request = {.kind = REQUEST_PUBLISH,
					.mailbox = link->box->at[LOCAL],
					.draft = link->draft,
					.flags = link->op->flags,
					.date = link->op->identity.date};
	struct answer answer;

	if (store_do(batch->channel->setup.stores[LOCAL], &request, &answer, err))
		return -1;
	link->box->wrote[LOCAL] = true;
	box_refuse_keywords(link->box, LOCAL, answer.refused_keywords);
	return 0;
}

/* Everything of a batch is durable and in place: its pairs. */
static void note_linked(struct link_batch *batch)
{
	for (size_t i = 0; i < batch->len; i++) {
		const struct link *link = &batch->links[i];
		const struct pair pair =
		    pair_of(link->op->uid, link->name, link->op->flags, &link->identity);
		journal_put(link->box->journal, &pair);
		link->box->tally.cloned[LOCAL]++;
	}
}

/* Brings a batch to rest. -1: the disk failed; what was not put in place is dropped. */
static int land(struct link_batch *batch, struct error *err)
{
	struct store *store = batch->channel->setup.stores[LOCAL];
	const struct request settle = {.kind = REQUEST_SETTLE};
	struct answer answer;
	int rc = 0;

	if (!batch->len)
		return 0;
	if (store_do(store, &settle, &answer, err) || commit_intents(batch, err))
		rc = -1;
	for (size_t i = 0; i < batch->len && !rc; i++)
		rc = publish(batch, &batch->links[i], err);
	if (!rc)
		rc = store_do(store, &settle, &answer, err);
	if (!rc)
		note_linked(batch);
	for (size_t i = 0; i < batch->len; i++) {
		if (rc)
			hold_back(batch->channel, batch->links[i].box, LOCAL, err);
		store_drop_draft(store, batch->links[i].draft);
	}
	batch->len = 0;
	return rc;
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

int apply_links(struct channel *channel, bool pulled, struct error *err)
{
	struct link_batch *batch = xcalloc(1, sizeof(*batch));
	int rc = 0;

	batch->channel = channel;
	for (size_t i = 0; i < channel->len && !rc; i++)
		if (channel->boxes[i].active)
			rc = link_box(batch, &channel->boxes[i], pulled, err);
	if (!rc)
		rc = land(batch, err);
	for (size_t i = 0; i < batch->len; i++)
		store_drop_draft(channel->setup.stores[LOCAL], batch->links[i].draft);
	free(batch);
	return rc;
}
