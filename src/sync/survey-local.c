// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/survey.h"

#include "base/alloc.h"
#include "sync/reset.h"

#include <stdlib.h>

/* What the former pairs know of files that are unpaired now. */
static void recall_former(struct box *box)
{
	struct snapshot *local = &box->sides[LOCAL];

	for (size_t i = 0; box->survey.former_len && i < local->fresh_len; i++) {
		struct fresh_message *fresh = &local->fresh[i];
		const struct pair *former = reset_former(box, fresh->state.key.name);
		if (!former)
			continue;
		fresh->former = !fresh->ghost && !former->gone;
		fresh->base = former->flags;
		fresh->state.identity = pair_identity(former);
	}
}

/*
 * Files that a stopped run was about to put in place: those that are there are pairs, unless the
 * name is another message's; of the rest nothing is there to remember. True where the journal
 * changed, and the snapshot is to be made anew.
 */
static bool heal_publishing(struct box *box)
{
	bool healed = false;
	size_t len;

	for (size_t i = 0; i < (journal_notes(box->journal, &len), len);) {
		const struct journal_note note = journal_notes(box->journal, &len)[i];
		if (note.kind != JOURNAL_PUBLISHING) {
			i++;
			continue;
		}
		const struct message_key key = {.name = note.name};
		const struct pair *known = journal_pair_of_name(box->journal, note.name);
		bool is_other = known && known->uid != note.uid;
		if (snapshot_find(&box->sides[LOCAL], &key) && !is_other) {
			const struct pair pair =
			    pair_of(note.uid, note.name, note.flags, &note.identity);
			journal_put(box->journal, &pair);
			healed = true;
		} else {
			journal_end_note(box->journal, JOURNAL_PUBLISHING, note.uid, NULL);
		}
	}
	return healed;
}

void survey_end_refusals(struct box *box, enum side side)
{
	size_t len;

	for (size_t i = 0; i < (journal_notes(box->journal, &len), len);) {
		const struct journal_note *note = &journal_notes(box->journal, &len)[i];
		const struct message_key key = {.uid = note->uid, .name = note->name};
		if (note->kind == JOURNAL_REFUSED && note->side == side &&
		    !snapshot_find(&box->sides[side], &key)) {
			char *name = note->name ? arena_strdup(&box->arena, note->name) : NULL;
			journal_end_note(box->journal, JOURNAL_REFUSED, key.uid, name);
		} else {
			i++;
		}
	}
}

void survey_end_removals(struct box *box)
{
	size_t len, index;

	for (size_t i = 0; i < (journal_notes(box->journal, &len), len);) {
		const struct journal_note note = journal_notes(box->journal, &len)[i];
		if (note.kind == JOURNAL_REMOVING &&
		    (!journal_find_uid(box->journal, note.uid, &index) ||
		     box->sides[REMOTE].known[index].present))
			journal_end_note(box->journal, JOURNAL_REMOVING, note.uid, NULL);
		else
			i++;
	}
}

/* Takes in one scan of the local side. -1: the box has failed. */
static int scan_local(struct channel *channel, struct box *box)
{
	struct store *store = channel->setup.stores[LOCAL];
	const struct request request = {.kind = REQUEST_SCAN, .mailbox = box->at[LOCAL]};
	struct snapshot *snapshot = &box->sides[LOCAL];
	struct answer answer;
	struct error err;
	int rc;

	snapshot_free(snapshot);
	snapshot_begin(snapshot, LOCAL, box->journal);
	snapshot->stamp = box->listed[LOCAL];
	if (!box->exists[LOCAL])
		snapshot_complete(snapshot);
	if (!box->survey.scan[LOCAL])
		return 0;
	rc = store_submit(store, &request, &err);
	while (!rc && (rc = store_next(store, &answer, &err)) == 1) {
		rc = 0;
		if (answer.kind == ANSWER_MESSAGE) {
			snapshot_see(snapshot, box->journal, &box->arena, &answer.message);
		} else if (answer.kind == ANSWER_DONE && answer.error.kind != ERROR_NONE) {
			err = answer.error;
			rc = -1;
		} else if (answer.kind == ANSWER_DONE) {
			snapshot_complete(snapshot);
			snapshot->stamp = answer.stamp;
			snapshot_take_room(snapshot, &answer.permanent);
			snapshot_take_letters(snapshot, &box->arena, answer.letters);
		}
	}
	if (rc)
		box_fail(box, &err);
	snapshot_end(snapshot);
	return rc;
}

/*
 * A file that the scan missed is held to be gone only where a look-up by its name misses it too:
 * mail programs rename while we read. What is found after all is there as it was; the next run
 * looks again. A look-up that failed is evidence of nothing.
 */
static int confirm_missing(struct channel *channel, struct box *box)
{
	struct store *store = channel->setup.stores[LOCAL];
	struct request request = {.kind = REQUEST_IDENTIFY, .mailbox = box->at[LOCAL]};
	struct snapshot *snapshot = &box->sides[LOCAL];
	const struct pair *pairs = journal_pairs(box->journal, &request.count);
	struct message_key *keys = xcalloc(request.count + 1, sizeof(*keys));
	struct answer answer;
	struct error err;
	size_t missing = 0, index;
	int rc = 0;

	for (size_t i = 0; i < request.count; i++)
		if (snapshot_lacks(snapshot, pairs, i))
			keys[missing++].name = pairs[i].name;
	request.keys = keys;
	request.count = missing;
	if (missing)
		rc = store_submit(store, &request, &err);
	while (missing && !rc && (rc = store_next(store, &answer, &err)) == 1) {
		rc = 0;
		if (answer.kind == ANSWER_DONE && answer.error.kind != ERROR_NONE) {
			err = answer.error;
			rc = -1;
		}
		if (answer.kind != ANSWER_MESSAGE ||
		    !journal_find_name(box->journal, answer.message.key.name, &index))
			continue;
		snapshot->known[index] =
		    (struct presence){.flags = pairs[index].flags, .present = true};
		box->undone = true;
	}
	if (rc)
		box_fail(box, &err);
	free(keys);
	return rc;
}

void survey_local(struct channel *channel, struct box *box)
{
	bool failed = scan_local(channel, box);

	if (!failed && box->survey.scan[LOCAL] && heal_publishing(box)) {
		box->survey.healed = true;
		failed = scan_local(channel, box);
	}
	if (!failed && box->survey.scan[LOCAL])
		failed = confirm_missing(channel, box);
	if (failed) {
		box->active = false;
		return;
	}
	box->survey.seen[LOCAL] = true;
	if (box->survey.scan[LOCAL] || !box->exists[LOCAL])
		survey_end_refusals(box, LOCAL);
	snapshot_remember(&box->sides[LOCAL], box->journal, &box->arena,
			  box->listed[REMOTE].uidvalidity);
	recall_former(box);
}
