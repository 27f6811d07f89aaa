// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/channel.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void channel_open(struct channel *channel, const struct channel_setup *setup)
{
	*channel = (struct channel){.setup = *setup, .lock = PTHREAD_MUTEX_INITIALIZER};
}

/* Frees what one box holds; an open transaction of its journal is dropped. */
static void box_free(struct box *box)
{
	journal_close(&box->journal);
	for (enum side side = LOCAL; side < SIDES; side++)
		snapshot_free(&box->sides[side]);
	match_free(&box->match);
	plan_free(&box->plan);
	plan_free(&box->late);
	arena_free(&box->arena);
}

void channel_close(struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++)
		box_free(&channel->boxes[i]);
	free(channel->boxes);
	free(channel->left_out);
	free(channel->wishes);
	arena_free(&channel->arena);
	*channel = (struct channel){0};
}

void box_fail(struct box *box, const struct error *err)
{
	box->undone = true;
	if (box->error.kind == ERROR_NONE)
		box->error = *err;
}

/*
 * UIDs mean something under one UIDVALIDITY only. A head of another one, or of a server that went
 * back in time, says nothing of the pairs that are there now: it is begun anew with just that.
 */
int box_commit(struct box *box, struct error *err)
{
	const struct journal_head *head = journal_head(box->journal);
	const struct journal_head begun = {.uidvalidity = box->sides[REMOTE].stamp.uidvalidity};
	bool stands = !begun.uidvalidity ||
		      (head->uidvalidity == begun.uidvalidity && !(box->former && head->uidnext));

	struct journal_head next = stands ? *head : begun;
	if (box->rescan)
		next.cur_ns = next.new_ns = 0;
	return journal_commit(box->journal, stands && !box->rescan ? NULL : &next, err);
}

void box_known_uids(const struct box *box, struct uidset *out)
{
	size_t len;
	const struct pair *pairs = journal_pairs(box->journal, &len);

	for (size_t i = 0; i < len; i++)
		if (pair_is_expected(&pairs[i], REMOTE))
			uidset_add(out, pairs[i].uid);
}
