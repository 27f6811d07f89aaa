// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/landing.h"

#include "sync/flag-room.h"
#include "sync/hold-back.h"

#include <errno.h>

struct copy copy_of(const struct op *op)
{
	return (struct copy){.date = op->identity.date,
			     .email_id = plan_identity(op).email_id,
			     .flags = op->flags,
			     .uid = op->uid,
			     .size = op->identity.size < UINT32_MAX ? (uint32_t)op->identity.size
								    : UINT32_MAX};
}

uint64_t copy_size(const struct copy *copy)
{
	return copy->size == UINT32_MAX ? SIZE_UNKNOWN : copy->size;
}

bool landing_is_full(const struct error *err)
{
	return err->sys == ENOSPC || err->sys == EDQUOT || err->sys == EFBIG;
}

void landing_shut(struct channel *channel, struct box *box, const struct error *err)
{
	if (landing_is_full(err))
		box_fail(box, err);
	else
		hold_back(channel, box, LOCAL, err);
	box->full |= err->sys != EFBIG;
	box->shut |= err->sys != EFBIG;
}

int landing_finish(struct store *local, struct landing *landing, struct error *err)
{
	/* What only the server tells. */
	landing->identity.date = landing->copy.date;
	if (store_finish_draft(local, landing->draft, &landing->identity, &landing->name, err)) {
		store_drop_draft(local, landing->draft);
		return -1;
	}
	landing->identity.email_id = landing->copy.email_id;
	return 0;
}

/* Notes that the message is about to be put in place. */
static void note_intent(const struct landing *landing)
{
	const struct journal_note note = {
	    .kind = JOURNAL_PUBLISHING,
	    .side = LOCAL,
	    .uid = landing->copy.uid,
	    .name = landing->name,
	    .flags = landing->copy.flags,
	    .identity = landing->identity,
	};

	journal_note(landing->box->journal, &note);
}

/* Commits the journals of a batch: its intents, and the pairs of the batch before. */
static int commit_intents(struct channel *channel, const struct landing *list, size_t len,
			  struct error *err)
{
	int rc = 0;

	pthread_mutex_lock(&channel->lock);
	for (size_t i = 0; i < len; i++) {
		note_intent(&list[i]);
		list[i].box->wrote[LOCAL] = true;
	}
	for (size_t i = 0; i < len && !rc; i++)
		if (!i || list[i].box != list[i - 1].box)
			rc = box_commit(list[i].box, err);
	pthread_mutex_unlock(&channel->lock);
	return rc;
}

/* Puts one message in place. */
static int publish(struct channel *channel, struct store *local, const struct landing *landing,
		   struct error *err)
{
	const struct request request = {
	    .kind = REQUEST_PUBLISH,
	    .mailbox = landing->box->at[LOCAL],
	    .draft = landing->draft,
	    .flags = landing->copy.flags,
	    .date = landing->copy.date,
	};
	struct answer answer;

	if (store_do(local, &request, &answer, err))
		return -1;
	if (!answer.refused_keywords)
		return 0;
	pthread_mutex_lock(&channel->lock);
	box_refuse_keywords(landing->box, LOCAL, answer.refused_keywords);
	pthread_mutex_unlock(&channel->lock);
	return 0;
}

/* The pair of a message that is durable and in place. */
static void note_landed(struct channel *channel, const struct landing *landing)
{
	struct progress *progress = channel->setup.progress;
	const struct pair pair = pair_of(landing->copy.uid, landing->name, landing->copy.flags,
					 &landing->identity);

	if (landing->cloned) {
		journal_put(landing->box->journal, &pair);
		landing->box->tally.cloned[LOCAL]++;
		return;
	}
	box_put_copy(landing->box, LOCAL, &pair);
	if (progress)
		progress->moved(progress, LOCAL, pair.size);
}

/* Puts one message in place, unless its mailbox is the only thing that takes none. */
static int publish_or_leave(struct channel *channel, struct store *local, struct landing *landing,
			    struct error *err)
{
	landing->left = atomic_load(&landing->box->shut);
	if (landing->left || !publish(channel, local, landing, err))
		return 0;
	if (err->scope > SCOPE_MAILBOX)
		return -1;
	landing->left = true;
	pthread_mutex_lock(&channel->lock);
	landing_shut(channel, landing->box, err);
	pthread_mutex_unlock(&channel->lock);
	return 0;
}

/* From the first barrier to the last. */
static int put_in_place(struct channel *channel, struct store *local, struct landing *list,
			size_t len, struct error *err)
{
	if (store_settle(local, NULL, err) || commit_intents(channel, list, len, err))
		return -1;
	for (size_t i = 0; i < len; i++)
		if (publish_or_leave(channel, local, &list[i], err))
			return -1;
	return store_settle(local, NULL, err);
}

int landing_land(struct channel *channel, struct store *local, struct landing *list, size_t len,
		 struct error *err)
{
	int rc = len ? put_in_place(channel, local, list, len, err) : 0;

	pthread_mutex_lock(&channel->lock);
	for (size_t i = 0; i < len; i++) {
		if (rc)
			hold_back(channel, list[i].box, LOCAL, err);
		else if (!list[i].left)
			note_landed(channel, &list[i]);
	}
	pthread_mutex_unlock(&channel->lock);
	for (size_t i = 0; i < len; i++)
		store_drop_draft(local, list[i].draft);
	return rc;
}
