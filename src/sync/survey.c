// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/survey.h"

#include "base/alloc.h"
#include "sync/choose.h"
#include "sync/flag-room.h"
#include "sync/head.h"
#include "sync/hold-back.h"
#include "sync/identify.h"
#include "sync/rename.h"
#include "sync/reset.h"
#include "sync/reuse.h"
#include "sync/unnamed.h"

#include <stdlib.h>

/*
 * True where the journal remembers messages that the server would not give: only a list tells
 * whether they are still there.
 */
static bool has_refused(const struct box *box)
{
	size_t len;
	const struct journal_note *notes = journal_notes(box->journal, &len);

	for (size_t i = 0; i < len; i++)
		if (notes[i].kind == JOURNAL_REFUSED && notes[i].side == REMOTE)
			return true;
	return false;
}

/*
 * Whether LIST shows that a message left some mailbox: what is new elsewhere may be it, and its
 * identity is asked for in the same flight.
 */
static bool something_left(const struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		const struct stamp *now = &box->listed[REMOTE];
		if (!box->active || !box->survey.scan[REMOTE] || !now->uidnext)
			continue;
		const struct journal_head *head = journal_head(box->journal);
		uint64_t most = (uint64_t)head->remote_messages + now->uidnext - head->uidnext;
		if (head->uidnext && now->uidnext >= head->uidnext && now->messages < most)
			return true;
	}
	return false;
}

#define CHANGED_BYTES 65 /* of the row of a message whose flags changed there */
#define STORED_BYTES  40 /* and of the answer to our own change of them */

/* How many files have other flags than was agreed on. */
static uint64_t count_flagged(const struct box *box)
{
	const struct snapshot *snapshot = &box->sides[LOCAL];
	uint64_t count = 0;
	size_t len;
	const struct pair *pairs = journal_pairs(box->journal, &len);

	for (size_t i = 0; i < snapshot->known_len; i++)
		count += snapshot->known[i].present &&
			 !flags_equal(snapshot->known[i].flags, pairs[i].flags);
	return count;
}

/*
 * Tells the server's side how much it is about to say, as far as that is known: what files changed
 * has to be set there, and each step of HIGHESTMODSEQ is a change there, of one message or more.
 * Where many messages are new, what they hold is more than all that.
 */
static void expect_rows(const struct channel *channel)
{
	uint64_t bytes = 0, fresh = 0;

	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		const struct stamp *now = &box->listed[REMOTE];
		if (!box->active || box->survey.done)
			continue;
		const struct journal_head *head = journal_head(box->journal);
		fresh += box->sides[LOCAL].fresh_len;
		fresh += now->uidnext > head->uidnext ? now->uidnext - head->uidnext : 0;
		bytes += box->survey.scan[LOCAL] ? STORED_BYTES * count_flagged(box) : 0;
		if (head->highestmodseq && now->modseq > head->highestmodseq)
			bytes += CHANGED_BYTES * (now->modseq - head->highestmodseq < head->pairs
						      ? now->modseq - head->highestmodseq
						      : head->pairs);
	}
	if (fresh * STORED_BYTES * 10 < bytes)
		store_expect(channel->setup.stores[REMOTE], bytes);
}

/* Asks for the remote side of one box. known lives until it is answered. */
static int submit_remote(struct channel *channel, size_t index, struct uidset *known, bool identify,
			 struct error *err)
{
	struct box *box = &channel->boxes[index];
	const struct journal_head *head = journal_head(box->journal);
	struct request request = {
	    .kind = REQUEST_SCAN,
	    .ticket = index,
	    .mailbox = box->at[REMOTE],
	    .base = head_stamp(head, REMOTE),
	    .known = known,
	    .want_identity =
		identify || box->sides[LOCAL].fresh_len > 0 || choose_is_looked_into(channel, box),
	    .must_be_complete =
		box->survey.former || has_refused(box) || choose_wants_all(channel, box),
	    .verify_known = true,
	};

	if (box->survey.former)
		request.base = (struct stamp){0};
	box_known_uids(box, known);
	return store_submit(channel->setup.stores[REMOTE], &request, err);
}

/*
 * The end of one remote scan; a surprise in the UIDVALIDITY, or in what flags there is room for,
 * leaves the box to a second pass.
 */
static void end_remote(const struct channel *channel, struct box *box, const struct answer *answer)
{
	struct snapshot *snapshot = &box->sides[REMOTE];

	box->survey.done = true;
	if (answer->error.kind != ERROR_NONE) {
		box_fail(box, &answer->error);
		box->active = false;
		return;
	}
	if (reset_if_distrusted(channel, box, &answer->stamp)) {
		box->survey.done = false;
		return;
	}
	if (answer->complete)
		snapshot_complete(snapshot);
	if (box_take_room(channel, box, &answer->permanent) && !box->survey.scan[LOCAL] &&
	    box->exists[LOCAL]) {
		box->survey.scan[LOCAL] = true;
		box->survey.done = false;
		return;
	}
	snapshot->stamp = answer->stamp;
	snapshot_end(snapshot);
	box->survey.seen[REMOTE] = true;
	survey_end_removals(box);
	if (answer->complete)
		survey_end_refusals(box, REMOTE);
}

/* Takes in the answers to all remote scans. */
static int collect_remote(struct channel *channel, struct error *err)
{
	struct answer answer;
	int rc;

	while ((rc = store_next(channel->setup.stores[REMOTE], &answer, err)) == 1) {
		struct box *box = &channel->boxes[answer.ticket];
		struct snapshot *snapshot = &box->sides[REMOTE];
		if (answer.kind == ANSWER_MESSAGE)
			snapshot_see(snapshot, box->journal, &box->arena, &answer.message);
		else if (answer.kind == ANSWER_VANISHED)
			snapshot_vanish(snapshot, box->journal, answer.uids);
		else if (answer.kind == ANSWER_DONE)
			end_remote(channel, box, &answer);
	}
	return rc;
}

/* The remote side of every box that has not been surveyed: one flight. */
static int survey_remote(struct channel *channel, struct error *err)
{
	struct uidset *known = xcalloc(channel->len + 1, sizeof(*known));
	bool identify = something_left(channel);
	int rc = 0;

	expect_rows(channel);
	for (size_t i = 0; i < channel->len && !rc; i++) {
		struct box *box = &channel->boxes[i];
		if (!box->active || box->survey.done)
			continue;
		snapshot_free(&box->sides[REMOTE]);
		snapshot_begin(&box->sides[REMOTE], REMOTE, box->journal);
		box->sides[REMOTE].stamp = box->listed[REMOTE];
		if (!box->exists[REMOTE])
			snapshot_complete(&box->sides[REMOTE]);
		if (box->survey.scan[REMOTE])
			rc = submit_remote(channel, i, &known[i], identify, err);
		else
			box->survey.done = box->survey.seen[REMOTE] = true;
	}
	if (!rc)
		rc = collect_remote(channel, err);
	for (size_t i = 0; i < channel->len; i++)
		uidset_free(&known[i]);
	free(known);
	return rc;
}

/*
 * Whether something went from the local side for sure: as many files as are new may have got but
 * another name.
 */
static bool has_left(const struct box *box)
{
	const struct snapshot *local = &box->sides[LOCAL];
	size_t len, left = 0;
	const struct pair *pairs = journal_pairs(box->journal, &len);

	for (size_t i = 0; i < len; i++)
		left += snapshot_lacks(local, pairs, i);
	return left > local->fresh_len;
}

/* Where channel_apply will have something to change on the server first, as far as files tell. */
static const struct box *find_first_change(const struct channel *channel)
{
	const struct box *first = NULL;

	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		if (!box->active || !box->exists[REMOTE] || !box->survey.scan[LOCAL])
			continue;
		if (count_flagged(box))
			return box;
		if (!first && has_left(box))
			first = box;
	}
	return first;
}

/*
 * A mailbox that LIST told to be unchanged is opened ahead where files of it changed: a run that
 * reads new files and syncs directories need not wait for that, too.
 */
static int open_ahead(const struct channel *channel, struct error *err)
{
	unsigned wanted = channel->setup.policy.change[REMOTE] & (CHANGE_FLAGS | CHANGE_DELETIONS);
	const struct box *box = find_first_change(channel);

	if (!wanted || !box || box->survey.scan[REMOTE] ||
	    !journal_dir_is_exclusive(channel->setup.journals))
		return 0;
	store_prepare(channel->setup.stores[REMOTE], box->at[REMOTE]);
	return store_start(channel->setup.stores[REMOTE], err);
}

int channel_survey(struct channel *channel, struct error *err)
{
	if (rename_find(channel, err))
		return -1;
	choose_boxes(channel);
	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		if (box->active && (box->exists[REMOTE] || head_is_of_another(channel, box)))
			reset_if_distrusted(channel, box, &box->listed[REMOTE]);
	}
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < channel->len; i++)
			if (channel->boxes[i].active && !channel->boxes[i].survey.done)
				survey_local(channel, &channel->boxes[i]);
		if (survey_remote(channel, err) || reuse_reset(channel, err))
			return -1;
	}
	if (open_ahead(channel, err) || identify_fresh(channel, err))
		return -1;
	hold_back_moved(channel);
	unnamed_hold_back(channel);
	return 0;
}
