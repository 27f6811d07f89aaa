// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/unnamed.h"

#include "sync/head.h"
#include "sync/identify.h"

#include <string.h>

/* Whether the disk holds a file in a mailbox that its journal does not know. */
static bool has_new_files(struct channel *channel, const struct left_out *left,
			  struct journal *journal)
{
	struct store *store = channel->setup.stores[LOCAL];
	const struct request request = {.kind = REQUEST_SCAN, .mailbox = left->name};
	struct stamp then = head_stamp(journal_head(journal), LOCAL);
	struct answer answer;
	struct error err;
	bool found = false;
	size_t index;
	int rc;

	if (stamp_unchanged(LOCAL, &then, &left->listed))
		return false;
	if (journal_load(journal, &err) || store_submit(store, &request, &err))
		return true;
	while ((rc = store_next(store, &answer, &err)) == 1) {
		if (answer.kind == ANSWER_MESSAGE)
			found |= !journal_find_name(journal, answer.message.key.name, &index);
		found |= answer.error.kind != ERROR_NONE;
	}
	return found || rc;
}

/* Whether a mailbox has got messages since it was even; without a journal, whether it has any. */
static bool has_gained(struct channel *channel, const struct left_out *left,
		       struct journal *journal)
{
	const struct journal_head *head = journal_head(journal);
	const struct stamp *now = &left->listed;

	if (left->side == LOCAL)
		return has_new_files(channel, left, journal);
	return !now->uidnext || (now->messages && (now->uidvalidity != head->uidvalidity ||
						   now->uidnext != head->uidnext));
}

/* Whether the user has mailboxes kept even that were not named this time. */
static bool has_others(const struct channel *channel)
{
	bool found = false;

	for (size_t i = 0; i < channel->left_out_len && !found; i++) {
		const struct left_out *left = &channel->left_out[i];
		struct journal *journal;
		struct error err;
		if (!left->unnamed)
			continue;
		if (journal_open(channel->setup.journals, left->unnamed, &journal, &err))
			return true;
		found = journal_head(journal)->even;
		journal_close(&journal);
	}
	return found;
}

/* The first unnamed mailbox of that side that has something new, or NULL. */
static const char *find_gained(struct channel *channel, enum side side)
{
	for (size_t i = 0; i < channel->left_out_len; i++) {
		const struct left_out *left = &channel->left_out[i];
		struct journal *journal;
		struct error err;
		if (!left->unnamed || left->side != side ||
		    !strcmp(left->name, channel->trash[side]))
			continue;
		bool found = journal_open(channel->setup.journals, left->unnamed, &journal, &err) ||
			     has_gained(channel, left, journal);
		journal_close(&journal);
		if (found)
			return left->unnamed;
	}
	return NULL;
}

void unnamed_hold_back(struct channel *channel)
{
	if (!channel->setup.only_len || channel->setup.allow_deletions)
		return;
	for (enum side side = LOCAL; side < SIDES; side++) {
		if (!(channel->setup.policy.change[other_side(side)] & CHANGE_NEW) ||
		    !identify_may_have_moved(channel, side) || !has_others(channel))
			continue;
		channel->gained[side] = find_gained(channel, side);
		channel->held_back[other_side(side)] |= channel->gained[side] != NULL;
	}
}
