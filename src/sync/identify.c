// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/identify.h"

#include "base/alloc.h"
#include "base/array.h"
#include "sync/consult.h"
#include "sync/reset.h"

#include <stdlib.h>

/* A list of keys for one request of one box. */
struct key_list {
	struct message_key *keys;
	size_t len, cap;
};

/* True where there is something to pair. */
static bool has_both(const struct box *box)
{
	return box->active && box->sides[LOCAL].fresh_len && box->sides[REMOTE].fresh_len;
}

/* True where the side should hold something of the journal's that it does not. */
static bool has_departure(const struct box *box, enum side side)
{
	size_t len;
	const struct pair *pairs = journal_pairs(box->journal, &len);

	for (size_t i = 0; i < len; i++)
		if (snapshot_lacks(&box->sides[side], pairs, i))
			return true;
	return false;
}

bool identify_may_have_moved(const struct channel *channel, enum side side)
{
	for (size_t i = 0; i < channel->len; i++)
		if (channel->boxes[i].active && (channel->boxes[i].survey.former_len ||
						 has_departure(&channel->boxes[i], side)))
			return true;
	return false;
}

/* True where what is new may have left a mailbox that could not be looked at, and waits then. */
static bool may_wait(const struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++)
		if (channel->boxes[i].error.kind != ERROR_NONE && channel->boxes[i].journal)
			return channel->setup.policy.deletion[LOCAL] == DELETION_TRASH;
	return false;
}

/* True where a new file may be a copy of one that both sides hold. */
static bool has_journals(const struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++)
		if (channel->boxes[i].has_journal)
			return true;
	return false;
}

/* Submits kind for the keys of a box, if any; the keys live in the box's arena. */
static int submit_keys(struct channel *channel, enum side side, enum request_kind kind,
		       size_t index, struct key_list *list, struct error *err)
{
	struct box *box = &channel->boxes[index];
	const struct request request = {.kind = kind,
					.ticket = index,
					.mailbox = box->at[side],
					.uidvalidity = box->sides[REMOTE].stamp.uidvalidity,
					.keys = list->keys,
					.count = list->len};

	return list->len ? store_submit(channel->setup.stores[side], &request, err) : 0;
}

/* Files whose content has not been read yet. */
static void list_local(const struct box *box, bool all, struct key_list *list)
{
	for (size_t i = 0; (all || has_both(box)) && i < box->sides[LOCAL].fresh_len; i++) {
		const struct fresh_message *fresh = &box->sides[LOCAL].fresh[i];
		if (!fresh->ghost && !fresh->state.identity.has_digest)
			*array_push(list->keys, list->len, list->cap) = fresh->state.key;
	}
}

/* Messages on the server whose Message-ID has not been asked for yet. */
static void list_remote(const struct box *box, bool all, struct key_list *list)
{
	all |= has_both(box);
	for (size_t i = 0; i < box->sides[REMOTE].fresh_len; i++) {
		const struct fresh_message *fresh = &box->sides[REMOTE].fresh[i];
		if (!fresh->state.identity.has_message_id && (all || fresh->wanted))
			*array_push(list->keys, list->len, list->cap) = fresh->state.key;
	}
}

/* Messages on the server that only their digest can pair. */
static void list_undecided(const struct box *box, bool all, struct key_list *list)
{
	(void)all;
	for (size_t i = 0; i < box->match.undecided_len; i++)
		*array_push(list->keys, list->len, list->cap) =
		    box->sides[REMOTE].fresh[box->match.undecided[i]].state.key;
}

/*
 * Takes in one answer. Of a body, the digest is all that is kept. A box whose messages could not
 * be told apart is left out of this run: copying would double what is here already.
 */
static void take_answer(struct channel *channel, enum side side, const struct answer *answer,
			struct digest_stream *digest)
{
	struct box *box = &channel->boxes[answer->ticket];
	struct fresh_message *fresh;
	struct digest found;

	switch (answer->kind) {
	case ANSWER_MESSAGE: snapshot_identify(&box->sides[side], &answer->message); break;
	case ANSWER_BODY: digest_update(digest, answer->data, answer->len); break;
	case ANSWER_BODY_END:
		digest_finish(digest, &found);
		fresh = snapshot_find(&box->sides[side], &answer->message.key);
		if (fresh) {
			fresh->state.identity.digest = found;
			fresh->state.identity.has_digest = true;
		}
		break;
	case ANSWER_DONE:
		if (answer->error.kind != ERROR_NONE) {
			box_fail(box, &answer->error);
			box->active = false;
		}
		break;
	default: break;
	}
}

/*
 * One flight: asks kind of side for what list() finds in each box; all: also where nothing is to be
 * paired.
 */
static int ask(struct channel *channel, enum side side, enum request_kind kind, bool all,
	       void (*list)(const struct box *, bool, struct key_list *), struct error *err)
{
	struct digest_stream *digest = digest_open();
	struct key_list *lists = xcalloc(channel->len + 1, sizeof(*lists));
	struct answer answer;
	int rc = 0;

	for (size_t i = 0; i < channel->len && !rc; i++) {
		if (!channel->boxes[i].active)
			continue;
		list(&channel->boxes[i], all, &lists[i]);
		rc = submit_keys(channel, side, kind, i, &lists[i], err);
	}
	while (!rc && (rc = store_next(channel->setup.stores[side], &answer, err)) == 1) {
		take_answer(channel, side, &answer, digest);
		rc = 0;
	}
	for (size_t i = 0; i < channel->len; i++)
		free(lists[i].keys);
	free(lists);
	digest_close(&digest);
	return rc;
}

/* True where files may have left a mailbox, also one that could not be looked at. */
static bool may_miss_files(const struct box *box)
{
	return box->active ? has_departure(box, LOCAL)
			   : box->error.kind != ERROR_NONE && box->journal;
}

/*
 * True where that file is of a pair of this mailbox that has its other half there yet, as far as
 * that could be seen.
 */
static bool is_missed(const struct box *box, const char *name)
{
	const struct snapshot *local = &box->sides[LOCAL], *remote = &box->sides[REMOTE];
	size_t len, index;
	const struct pair *pairs = journal_pairs(box->journal, &len);

	return journal_find_name(box->journal, name, &index) &&
	       (!box->survey.seen[LOCAL] || snapshot_lacks(local, pairs, index)) &&
	       (!box->survey.seen[REMOTE] || remote->known[index].present);
}

/*
 * Marks files that left another mailbox, under their names, while their messages are there yet: an
 * equal message that is new beside one of them is another copy, and to pair the two would have the
 * first one deleted, but for what came of the move where that was begun already (snapshot_floor). A
 * file that was a pair here until the journal was reset came from nowhere.
 */
static void mark_moved(struct channel *channel)
{
	for (size_t from = 0; from < channel->len; from++) {
		const struct box *left = &channel->boxes[from];
		if (!may_miss_files(left))
			continue;
		for (size_t i = 0; i < channel->len; i++) {
			struct box *box = &channel->boxes[i];
			struct snapshot *local = &box->sides[LOCAL];
			for (size_t k = 0; i != from && has_both(box) && k < local->fresh_len; k++)
				if (!local->fresh[k].ghost &&
				    !reset_former(box, local->fresh[k].state.key.name))
					local->fresh[k].moved |=
					    is_missed(left, local->fresh[k].state.key.name);
		}
	}
}

/* Pairs by what is known so far; true where a digest is wanted somewhere. */
static bool match_boxes(struct channel *channel)
{
	bool undecided = false;

	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		if (!has_both(box))
			continue;
		match_free(&box->match);
		match_find(box->sides[LOCAL].fresh, box->sides[LOCAL].fresh_len,
			   box->sides[REMOTE].fresh, box->sides[REMOTE].fresh_len, &box->match);
		undecided |= box->match.undecided_len > 0;
	}
	return undecided;
}

int identify_fresh(struct channel *channel, struct error *err)
{
	bool all = identify_may_have_moved(channel, LOCAL) || has_journals(channel);

	if (ask(channel, LOCAL, REQUEST_IDENTIFY, all, list_local, err))
		return -1;
	consult_journals(channel);
	consult_dates(channel);
	all = identify_may_have_moved(channel, REMOTE) || may_wait(channel);
	if (ask(channel, REMOTE, REQUEST_IDENTIFY, all, list_remote, err))
		return -1;
	mark_moved(channel);
	if (!match_boxes(channel))
		return 0;
	if (ask(channel, REMOTE, REQUEST_FETCH, false, list_undecided, err))
		return -1;
	match_boxes(channel);
	return 0;
}
