// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/reuse.h"

#include "base/alloc.h"
#include "base/array.h"
#include "sync/reset.h"

#include <stdlib.h>

#define DOUBTS_MAX 16 /* asked for in a mailbox, so that a server's odd sizes cost no more */

/*
 * True where the UID is another message's for certain. Without a Message-ID all else must differ.
 */
static bool is_another(const struct pair *pair, const struct identity *found)
{
	if (pair->message_id && found->message_id)
		return pair->message_id != found->message_id;
	return pair->size != SIZE_UNKNOWN && found->size != pair->size &&
	       pair->date != DATE_UNKNOWN && found->date != pair->date;
}

/* The last of the doubtful UIDs of a box, ascending; freed by the caller. */
static struct message_key *list_doubtful(const struct uidset *doubtful, size_t *len)
{
	uint64_t skip = uidset_count(doubtful);
	struct message_key *keys = NULL;
	size_t cap = 0;

	*len = 0;
	skip -= skip > DOUBTS_MAX ? DOUBTS_MAX : skip;
	for (uint32_t uid = uidset_after(doubtful, 0); uid; uid = uidset_after(doubtful, uid)) {
		if (skip)
			skip--;
		else
			*array_push(keys, *len, cap) = (struct message_key){.uid = uid};
	}
	return keys;
}

/* Asks what a box's doubtful messages are, if it has any: once. */
static int submit_doubtful(struct channel *channel, size_t index, struct message_key **keys,
			   struct error *err)
{
	struct box *box = &channel->boxes[index];
	struct snapshot *snapshot = &box->sides[REMOTE];
	struct request request = {.kind = REQUEST_IDENTIFY,
				  .ticket = index,
				  .mailbox = box->at[REMOTE],
				  .uidvalidity = snapshot->stamp.uidvalidity};

	if (!box->active || !box->survey.done || !snapshot->doubtful.len)
		return 0;
	*keys = list_doubtful(&snapshot->doubtful, &request.count);
	request.keys = *keys;
	uidset_clear(&snapshot->doubtful);
	return store_submit(channel->setup.stores[REMOTE], &request, err);
}

/* One answer; a box whose doubts could not be settled is left out of this run. */
static void take_answer(struct channel *channel, const struct answer *answer)
{
	struct box *box = &channel->boxes[answer->ticket];
	const struct pair *pair;

	if (answer->kind == ANSWER_DONE && answer->error.kind != ERROR_NONE) {
		box_fail(box, &answer->error);
		box->active = false;
	}
	if (answer->kind != ANSWER_MESSAGE || !box->survey.done)
		return;
	pair = journal_pair_of_uid(box->journal, answer->message.key.uid);
	if (!pair || !is_another(pair, &answer->message.identity))
		return;
	reset_box(channel, box,
		  "the server gave UIDs to other messages (restored from a backup?)");
	box->survey.done = false;
}

int reuse_reset(struct channel *channel, struct error *err)
{
	struct message_key **keys = xcalloc(channel->len + 1, sizeof(struct message_key *));
	struct answer answer;
	int rc = 0;

	for (size_t i = 0; i < channel->len && !rc; i++)
		rc = submit_doubtful(channel, i, &keys[i], err);
	while (!rc && (rc = store_next(channel->setup.stores[REMOTE], &answer, err)) == 1) {
		take_answer(channel, &answer);
		rc = 0;
	}
	for (size_t i = 0; i < channel->len; i++)
		free(keys[i]);
	free(keys);
	return rc;
}
