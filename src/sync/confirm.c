// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The end of a run: do both sides hold what the journal says? Where they do, its head learns how
 * they stand, so that the next run need not look; where they do not (somebody was at work
 * meanwhile, or something failed) the head stays, and the next run looks again.
 */
#include "sync/channel.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "sync/flag-room.h"
#include "sync/head.h"
#include "sync/planner.h"
#include "sync/survey.h"

#include <stdlib.h>

/* True where only the journal is to learn something: of flags that found no room. */
static bool is_journal_only(const struct plan *plan)
{
	for (size_t i = 0; i < plan->len; i++)
		if (plan->ops[i].rule != RULE_M5_AGREE)
			return false;
	return true;
}

/*
 * True where the planner would have nothing to do about a snapshot, the other side being as the
 * journal has it, but what the journal alone is to learn: that it learns at once. What the policy
 * leaves alone is no reason to look again.
 */
static bool learn_agreed(const struct channel *channel, struct box *box,
			 const struct snapshot *snapshot)
{
	enum side side = snapshot->side;
	struct planner_input input = {.policy = &channel->setup.policy};
	struct plan plan = {0};
	struct snapshot other;

	snapshot_begin(&other, other_side(side), box->journal);
	input.pairs = journal_pairs(box->journal, &input.pairs_len);
	input.notes = journal_notes(box->journal, &input.notes_len);
	input.sides[side] = snapshot;
	input.sides[other_side(side)] = &other;
	planner_messages(&input, &plan);
	bool agreed = is_journal_only(&plan);
	if (agreed)
		box_note_agreed(box, &plan);
	plan_free(&plan);
	snapshot_free(&other);
	return agreed;
}

/* Journals that a message appended without a known UID is this one. */
static void put_found(struct box *box, const struct fresh_message *local,
		      const struct fresh_message *remote)
{
	struct pair pair = pair_of(remote->state.key.uid,
				   arena_strdup(&box->arena, local->state.key.name),
				   local->state.flags, &local->state.identity);

	pair.date = remote->state.identity.date;
	pair.email_id = remote->state.identity.email_id;
	box_put_copy(box, REMOTE, &pair);
}

/*
 * Finds what was appended to a server that does not tell UIDs, among what is new there. What stays
 * in doubt keeps its note, and the next run decides it by the digest.
 */
static void find_appended(struct box *box, struct snapshot *remote)
{
	struct snapshot notes = {.side = LOCAL};
	struct match_result match;
	size_t kept = 0;

	snapshot_remember(&notes, box->journal, &box->arena, remote->stamp.uidvalidity);
	match_find(notes.fresh, notes.fresh_len, remote->fresh, remote->fresh_len, &match);
	for (size_t i = 0; i < match.len; i++) {
		struct fresh_message *found = &remote->fresh[match.matches[i].index[REMOTE]];
		const struct fresh_message *note = &notes.fresh[match.matches[i].index[LOCAL]];
		if (found->state.key.uid < note->floor)
			continue;
		put_found(box, note, found);
		found->ghost = true;
	}
	for (size_t i = 0; i < remote->fresh_len; i++)
		if (!remote->fresh[i].ghost)
			remote->fresh[kept++] = remote->fresh[i];
	remote->fresh_len = kept;
	match_free(&match);
	snapshot_free(&notes);
}

/*
 * A server may say OK and remove nothing, as Dovecot does where the account has no right to. What
 * is still there the journal has forgotten by now: the next run brings it back.
 */
static void tell_kept(struct box *box, const struct snapshot *remote)
{
	struct error err;
	size_t kept = 0;

	for (size_t i = 0; i < remote->fresh_len; i++)
		kept += uidset_has(&box->own.gone, remote->fresh[i].state.key.uid);
	if (!kept)
		return;
	error_set(&err, ERROR_REFUSED, SCOPE_MAILBOX,
		  "mailbox %s: the server still has %zu messages of which it said that they were "
		  "removed; the account may not do that, and they come back",
		  text_show(box->name), kept);
	box_fail(box, &err);
}

/* What is asked of one box's remote side. */
struct remote_look {
	bool wanted;
	bool proving;   /* only whether our own changes explain how it stands: no rows */
	bool opening;   /* that by a SELECT, which tells what it has room for; else by a STATUS */
	bool explained; /* they do */
	struct stamp before;   /* they were made */
	struct stamp expected; /* where proving: how it must stand by now */
	struct uidset known;
};

/* Whether a mailbox stands as it must if nobody but us changed it. */
static bool is_explained(const struct remote_look *look, const struct stamp *now)
{
	const struct stamp *expected = &look->expected;

	return now->uidvalidity == expected->uidvalidity && now->uidnext == expected->uidnext &&
	       now->messages == expected->messages && now->modseq == expected->modseq;
}

/*
 * Whether to ask how a mailbox stands could explain it: not where more was changed already than we
 * changed, for mod-sequences only grow.
 */
static bool can_be_explained(const struct own_changes *own, const struct stamp *expected)
{
	return own->stood.modseq <= expected->modseq;
}

/*
 * The end of one remote look. One at a mailbox with new UIDs says nothing of the journal's: with
 * its stamp the journal's pairs would be committed as if they were that mailbox's.
 */
static void end_remote(const struct channel *channel, struct box *box, const struct answer *answer,
		       struct remote_look *look)
{
	struct snapshot *snapshot = &box->sides[REMOTE];
	uint32_t expected = journal_head(box->journal)->uidvalidity;

	if (answer->error.kind != ERROR_NONE) {
		box_fail(box, &answer->error);
		return;
	}
	look->explained = look->proving && is_explained(look, &answer->stamp) &&
			  (!look->opening || box_kept_flags(box, &answer->permanent));
	if (look->proving && !look->explained) {
		look->wanted = true;
		return;
	}
	if (expected && expected != answer->stamp.uidvalidity) {
		box->undone = true;
		return;
	}
	snapshot->stamp = answer->stamp;
	if (answer->complete)
		snapshot_complete(snapshot);
	if ((!look->proving || look->opening) && box_take_room(channel, box, &answer->permanent))
		box->undone = box->rescan = true;
	snapshot_end(snapshot);
	tell_kept(box, snapshot);
	if (box->own.lost_append)
		find_appended(box, snapshot);
	box->undone |= box->own.lost_append || !learn_agreed(channel, box, snapshot);
}

/*
 * Asks how the remote side differs from what it was before the run's own changes; or, proving, only
 * how it stands, unless that is known and as it must be, and all that is to be known.
 */
static int look_at_box(struct channel *channel, size_t index, struct remote_look *look,
		       struct error *err)
{
	struct box *box = &channel->boxes[index];
	const struct request status = {
	    .kind = REQUEST_STATUS,
	    .ticket = index,
	    .mailbox = box->at[REMOTE],
	    .want_room = look->opening};
	const struct request scan = {
	    .kind = REQUEST_SCAN,
	    .ticket = index,
	    .mailbox = box->at[REMOTE],
	    .base = look->before,
	    .known = &look->known,
	    .want_identity = box->own.lost_append,
	};
	struct answer proven;

	look->wanted = false;
	snapshot_free(&box->sides[REMOTE]);
	snapshot_begin(&box->sides[REMOTE], REMOTE, box->journal);
	if (look->proving && !look->opening && is_explained(look, &box->own.stood)) {
		answer_begin(&proven, index, box->at[REMOTE]);
		proven.stamp = box->own.stood;
		end_remote(channel, box, &proven, look);
		return 0;
	}
	if (!look->proving)
		box_known_uids(box, &look->known);
	return store_submit(channel->setup.stores[REMOTE], look->proving ? &status : &scan, err);
}

/* Looks at every box where that is wanted: one flight. */
static int look_at_remote(struct channel *channel, struct remote_look *looks, struct error *err)
{
	struct answer answer;
	int rc = 0;

	for (size_t i = 0; i < channel->len && !rc; i++)
		if (looks[i].wanted)
			rc = look_at_box(channel, i, &looks[i], err);
	while (!rc && (rc = store_next(channel->setup.stores[REMOTE], &answer, err)) == 1) {
		struct box *box = &channel->boxes[answer.ticket];
		struct snapshot *snapshot = &box->sides[REMOTE];
		rc = 0;
		if (answer.kind == ANSWER_MESSAGE)
			snapshot_see(snapshot, box->journal, &box->arena, &answer.message);
		else if (answer.kind == ANSWER_VANISHED)
			snapshot_vanish(snapshot, box->journal, answer.uids);
		else if (answer.kind == ANSWER_DONE)
			end_remote(channel, box, &answer, &looks[answer.ticket]);
	}
	return rc;
}

/*
 * What was moved took along the flags that it had just then. Where somebody else was at work in a
 * mailbox that something left, those may be other ones than were seen there, and only a look at
 * where it came to tells.
 */
static void end_proving(const struct channel *channel, struct remote_look *looks)
{
	bool doubt = false;

	for (size_t i = 0; i < channel->len; i++)
		doubt |= channel->boxes[i].own.left && !looks[i].explained;
	for (size_t i = 0; i < channel->len; i++) {
		looks[i].wanted |= doubt && channel->boxes[i].own.came && looks[i].explained;
		looks[i].proving = false;
	}
}

/*
 * Looks at the remote side of every box that this run changed there. Where our own changes explain
 * how it stands, nothing is told of messages; where they do not, it is asked what is different.
 */
static int confirm_remote(struct channel *channel, struct error *err)
{
	struct remote_look *looks = xcalloc(channel->len + 1, sizeof(*looks));
	int rc;

	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		struct remote_look *look = &looks[i];
		look->before = box->sides[REMOTE].stamp;
		look->wanted = box->active && box->exists[REMOTE] && box->wrote[REMOTE] &&
			       (!box->undone || box->own.lost_append);
		look->proving = own_expect(&box->own, &look->before, &look->expected) &&
				can_be_explained(&box->own, &look->expected);
		look->opening = box_wants_room(box);
	}
	rc = look_at_remote(channel, looks, err);
	end_proving(channel, looks);
	if (!rc)
		rc = look_at_remote(channel, looks, err);
	for (size_t i = 0; i < channel->len; i++)
		uidset_free(&looks[i].known);
	free(looks);
	return rc;
}

/* What a look at a local side was worth. */
struct local_look {
	bool complete; /* what was told is how it stands */
	bool own_only; /* nothing had to be told: only our own flags changed since the survey */
};

/* Takes in what the local side of one box holds. */
static int look_at_local(struct channel *channel, struct box *box, bool glance,
			 struct local_look *look, struct error *err)
{
	struct store *store = channel->setup.stores[LOCAL];
	const struct request request = {
	    .kind = REQUEST_SCAN, .mailbox = box->at[LOCAL], .glance = glance};
	struct snapshot *snapshot = &box->sides[LOCAL];
	struct answer answer;
	int rc;

	snapshot_free(snapshot);
	snapshot_begin(snapshot, LOCAL, box->journal);
	rc = store_submit(store, &request, err);
	while (!rc && (rc = store_next(store, &answer, err)) == 1) {
		rc = 0;
		if (answer.kind == ANSWER_MESSAGE) {
			snapshot_see(snapshot, box->journal, &box->arena, &answer.message);
		} else if (answer.kind == ANSWER_DONE) {
			look->own_only = answer.own_only;
			look->complete = answer.complete && !snapshot->doubled;
			snapshot->stamp = answer.stamp;
			if (!look->own_only) {
				snapshot_complete(snapshot);
				snapshot_take_room(snapshot, &answer.permanent);
			}
			if (answer.error.kind != ERROR_NONE)
				box_fail(box, &answer.error);
		}
	}
	snapshot_end(snapshot);
	return rc;
}

/*
 * Looks at the local side of one box: by a glance, for a mailbox of 100,000 need not be held in
 * memory to see that it is as the journal says. Where somebody is at work in it, or two files have
 * one name, a scan tells; where it is known that nobody was, it is as the survey saw it and we left
 * it.
 */
static int confirm_local(struct channel *channel, struct box *box, struct error *err)
{
	struct local_look look = {0};

	if (look_at_local(channel, box, true, &look, err))
		return -1;
	if (look.own_only)
		return 0;
	if (!look.complete && box->error.kind == ERROR_NONE &&
	    look_at_local(channel, box, false, &look, err))
		return -1;
	if (box->error.kind == ERROR_NONE)
		survey_end_refusals(box, LOCAL);
	if (!learn_agreed(channel, box, &box->sides[LOCAL]))
		box->undone = true;
	return 0;
}

/* Whether a look at the local side could tell more: it was changed, or its times were too young. */
static bool wants_look(const struct box *box)
{
	const struct stamp *stamp = &box->sides[LOCAL].stamp;

	return box->active && !box->undone && box->exists[LOCAL] &&
	       (box->wrote[LOCAL] || !stamp->cur_ns || !stamp->new_ns);
}

/*
 * Whether the directories changed so lately that their times say nothing. What fails, the look
 * tells.
 */
static bool is_young(const struct channel *channel, const struct box *box)
{
	const struct request request = {.kind = REQUEST_STATUS, .mailbox = box->at[LOCAL]};
	struct answer answer;
	struct error err;

	return !store_do(channel->setup.stores[LOCAL], &request, &answer, &err) &&
	       (!answer.stamp.cur_ns || !answer.stamp.new_ns);
}

/*
 * The boxes whose files this run, or somebody just before it, changed: wait once, look once. Where
 * the server took its time since, there is nothing to wait for.
 */
static int confirm_locals(struct channel *channel, struct error *err)
{
	bool waited = false;

	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		if (!wants_look(box))
			continue;
		if (!waited && is_young(channel, box)) {
			clock_sleep_ms(STAMP_SETTLES_MS);
			waited = true;
		}
		if (confirm_local(channel, box, err))
			return -1;
	}
	return 0;
}

/*
 * A mailbox whose messages all went, after the user allowed it or on both sides, has nothing left
 * to remember.
 */
static bool is_over(const struct box *box)
{
	size_t len;

	journal_pairs(box->journal, &len);
	return box->over || (box->rule == RULE_B3_GONE && !len);
}

/*
 * Commits one box: with a new head where it is even, with the old one where it is not. Of a mailbox
 * that one side lacks the old one stays too: its UIDVALIDITY tells whether it comes back as it was.
 * A directory that comes back is read, whatever its times: what it held counts as gone by then.
 */
static void finish_box(struct channel *channel, struct box *box)
{
	const struct journal_head head = head_of(channel, box);
	struct error err;

	if (is_over(box)) {
		if (journal_remove(channel->setup.journals, box->name, &err))
			box_fail(box, &err);
		box->even = !box->exists[LOCAL] && !box->exists[REMOTE] && !box->undone;
		return;
	}
	bool stays = box->undone || box->rule == RULE_B3_GONE;
	box->rescan |= box->rule == RULE_B3_GONE && box->missing == LOCAL &&
		       journal_head(box->journal)->cur_ns;
	if (stays ? box_commit(box, &err) : journal_commit(box->journal, &head, &err))
		box_fail(box, &err);
	box->even = !box->undone;
}

/* Intents that came to nothing: both sides have been seen, and they explain nothing there. */
static void end_intents(struct box *box)
{
	size_t len;

	for (size_t i = 0; i < (journal_notes(box->journal, &len), len);) {
		const struct journal_note note = journal_notes(box->journal, &len)[i];
		if (note.kind == JOURNAL_REFUSED)
			i++;
		else
			journal_end_note(box->journal, note.kind, note.uid, note.name);
	}
}

int channel_confirm(struct channel *channel, struct error *err)
{
	int rc = confirm_remote(channel, err) ? -1 : confirm_locals(channel, err);

	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		if (!box->active)
			continue;
		if (rc)
			box->undone = true;
		else if (!box->undone)
			end_intents(box);
		finish_box(channel, box);
	}
	return rc;
}
