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

/* The files that the scan missed: those of pairs, and those that a stopped run was sending. */
static struct message_key *list_missing(const struct box *box, size_t *count)
{
	const struct snapshot *snapshot = &box->sides[LOCAL];
	size_t len, notes_len, index;
	const struct pair *pairs = journal_pairs(box->journal, &len);
	const struct journal_note *notes = journal_notes(box->journal, &notes_len);
	struct message_key *keys = xcalloc(len + notes_len + 1, sizeof(*keys));

	*count = 0;
	for (size_t i = 0; i < len; i++)
		if (snapshot_lacks(snapshot, pairs, i))
			keys[(*count)++].name = pairs[i].name;
	for (size_t i = 0; i < notes_len; i++) {
		const struct message_key key = {.name = notes[i].name};
		if (notes[i].kind == JOURNAL_APPENDING &&
		    !journal_find_name(box->journal, key.name, &index) &&
		    !snapshot_find(snapshot, &key))
			keys[(*count)++] = key;
	}
	return keys;
}

/* Takes in a file that the scan missed: a pair's is there as it was; the next run looks again. */
static void take_missed(struct box *box, const struct message_state *message)
{
	struct snapshot *snapshot = &box->sides[LOCAL];
	size_t len, index;
	const struct pair *pairs = journal_pairs(box->journal, &len);

	if (journal_find_name(box->journal, message->key.name, &index))
		snapshot->known[index] =
		    (struct presence){.flags = pairs[index].flags, .present = true};
	else
		snapshot_see(snapshot, box->journal, &box->arena, message);
	box->undone = true;
}

/*
 * A file that the scan missed is held to be gone only where a look-up by its name misses it too:
 * mail programs rename while we read. A look-up that failed is evidence of nothing; so is something
 * else in the file's place, a symlink to an equal message or a directory, which fails, too.
 */
static int confirm_missing(struct channel *channel, struct box *box)
{
	struct store *store = channel->setup.stores[LOCAL];
	struct request request = {.kind = REQUEST_IDENTIFY, .mailbox = box->at[LOCAL]};
	struct message_key *keys = list_missing(box, &request.count);
	struct answer answer;
	struct error err;
	int rc = 0;

	request.keys = keys;
	if (request.count)
		rc = store_submit(store, &request, &err);
	while (request.count && !rc && (rc = store_next(store, &answer, &err)) == 1) {
		rc = 0;
		if (answer.kind == ANSWER_DONE && answer.error.kind != ERROR_NONE) {
			err = answer.error;
			rc = -1;
		}
		if (answer.kind == ANSWER_MESSAGE)
			take_missed(box, &answer.message);
	}
	if (rc)
		box_fail(box, &err);
	if (request.count)
		snapshot_end(&box->sides[LOCAL]);
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
