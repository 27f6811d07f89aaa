// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/channel.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/digest.h"
#include "sync/planner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A server that was left alone has done by then what it had been told, or will never do it. */
#define LINGER_S  60
#define LINGER_MS 1000 /* as long as it is given at least, since this run began */

struct stamp head_stamp(const struct journal_head *head, enum side side)
{
	if (side == LOCAL)
		return (struct stamp){
		    .cur_ns = head->cur_ns, .new_ns = head->new_ns, .inode = head->inode};
	return (struct stamp){.uidvalidity = head->uidvalidity,
			      .uidnext = head->uidnext,
			      .messages = head->remote_messages,
			      .modseq = head->highestmodseq,
			      .mailbox_id = head->mailbox_id};
}

/* The bits of box_terms that tell the server's name. */
#define TERMS_NAME 0xffffe000u

uint32_t box_terms(const struct channel *channel, const struct box *box)
{
	const struct policy *policy = &channel->setup.policy;
	const char *remote = box->wanted[REMOTE];
	uint32_t name = strcmp(box->name, remote) != 0
			    ? (uint32_t)digest_hash_id(remote, strlen(remote)) & TERMS_NAME
			    : 0;

	return name | 1u << 12 | (unsigned)policy->deletion[REMOTE] << 10 |
	       (unsigned)policy->deletion[LOCAL] << 8 | policy->change[REMOTE] << 4 |
	       policy->change[LOCAL];
}

/* True where a deletion on that side could happen at all. */
static bool may_delete(const struct policy *policy, enum side side)
{
	return policy->change[side] & CHANGE_DELETIONS && policy->deletion[side] != DELETION_KEEP;
}

/*
 * True where a refusal says nothing about this run: the user wants all tried again, or it was about
 * a limit on the size of messages that is another one now.
 */
static bool is_forgotten(const struct channel *channel, const struct journal_note *note)
{
	uint64_t limit = channel->setup.stores[REMOTE]->message_max;

	if (note->kind != JOURNAL_REFUSED)
		return false;
	return channel->setup.retry_refused ||
	       (note->floor && (!limit || note->identity.size <= limit));
}

/*
 * Forgets what was refused and may be tried again, so that no rule sees it; true where there was
 * any.
 */
static bool forget_refusals(const struct channel *channel, struct box *box)
{
	bool found = false;
	size_t len;

	for (size_t i = 0; i < (journal_notes(box->journal, &len), len);) {
		const struct journal_note *note = &journal_notes(box->journal, &len)[i];
		if (!is_forgotten(channel, note)) {
			i++;
			continue;
		}
		uint32_t uid = note->uid;
		char *name = note->name ? arena_strdup(&box->arena, note->name) : NULL;
		journal_end_note(box->journal, JOURNAL_REFUSED, uid, name);
		found = true;
	}
	return found;
}

/*
 * Intents that a stopped run left make both sides worth a look, changed or not. The notes are in
 * the journal's body, so it is loaded where the head counts any.
 */
static int choose_by_notes(const struct channel *channel, struct box *box,
			   struct error *err)
{
	size_t len;

	if (!journal_head(box->journal)->notes)
		return 0;
	if (journal_load(box->journal, err))
		return -1;
	box->retried = forget_refusals(channel, box);
	if (box->retried)
		box->scan[LOCAL] = box->scan[REMOTE] = true;
	const struct journal_note *notes = journal_notes(box->journal, &len);
	for (size_t i = 0; i < len; i++) {
		if (notes[i].kind == JOURNAL_REFUSED)
			box->plan.refused++;
		else
			box->scan[LOCAL] = box->scan[REMOTE] = true;
	}
	return 0;
}

/*
 * True where the journal is of another mailbox of the server, which "map" gave this one's name
 * before: that this one is not there says nothing then.
 */
static bool is_of_another(const struct channel *channel, const struct box *box)
{
	const struct journal_head *head = journal_head(box->journal);

	return !box->old_name && head->policy && (box->exists[LOCAL] || box->exists[REMOTE]) &&
	       (head->policy ^ box_terms(channel, box)) & TERMS_NAME;
}

/* What the mailbox's existence on either side means; false where nothing is to be done. */
static bool choose_by_existence(const struct channel *channel, struct box *box)
{
	const struct journal_head *head = journal_head(box->journal);
	bool known = !is_of_another(channel, box);
	/*
	 * Of a mailbox that is nowhere, what a stopped run was about to do is to be forgotten, too.
	 */
	bool noted = head->notes && !box->exists[LOCAL] && !box->exists[REMOTE];
	const struct planner_mailbox mailbox = {
	    .exists = {box->exists[LOCAL], box->exists[REMOTE]},
	    .selectable = !(box->attributes & MAILBOX_NOSELECT),
	    .journaled = known && (head->even || head->pairs || noted),
	    .has_pairs = known && head->pairs > 0,
	    .is_inbox = !strcmp(box->name, "INBOX"),
	};

	box->rule = planner_mailbox(&channel->setup.policy, &mailbox, &box->missing);
	box->exists[REMOTE] &= mailbox.selectable;
	box->over = !box->exists[LOCAL] && !box->exists[REMOTE] && box->rule == RULE_B4_DELETE;
	if (box->rule == RULE_B2_LEAVE)
		return false;
	if (box->rule != RULE_B3_GONE)
		return true;
	return may_delete(&channel->setup.policy, other_side(box->missing));
}

/* True where every message of the mailbox is to be looked at, whatever is known of it. */
static bool is_looked_into(const struct channel *channel, const struct box *box)
{
	const char *name = channel->setup.look_into;

	return name && (!strcmp(name, box->name) ||
			(box->old_name && !strcmp(name, box->old_name)));
}

/*
 * True where what changed since is not enough to know: another policy may want what was left alone;
 * a mailbox that is to be deleted may hold what the journal never had; to the journal of one that
 * was renamed, a run that did not see it may have added what was in its place; and what was refused
 * did not change since.
 */
static bool wants_all(const struct channel *channel, const struct box *box)
{
	return journal_head(box->journal)->policy != box_terms(channel, box) ||
	       box->rule == RULE_B4_DELETE || box->old_name || box->retried ||
	       is_looked_into(channel, box);
}

/*
 * Decides by one box's journal whether, and on which sides, it is to be looked at. -1: the journal
 * cannot be read. One that was cut back in reading says nothing of how the sides stood.
 */
static int choose(const struct channel *channel, struct box *box, struct error *err)
{
	if (!box->journal && journal_open(channel->setup.journals, box->name, &box->journal, err))
		return -1;
	const struct journal_head *head = journal_head(box->journal);
	uint64_t size = journal_size(box->journal);
	box->active = choose_by_existence(channel, box);
	if (!box->active)
		return 0;
	for (enum side side = LOCAL; side < SIDES; side++) {
		struct stamp then = head_stamp(head, side);
		box->scan[side] = box->exists[side] &&
				  (wants_all(channel, box) ||
				   !stamp_unchanged(side, &then, &box->listed[side]));
	}
	if (choose_by_notes(channel, box, err))
		return -1;
	for (enum side side = LOCAL; side < SIDES; side++)
		box->scan[side] &= box->exists[side];
	box->even = !box->scan[LOCAL] && !box->scan[REMOTE] && box->rule == RULE_NONE &&
		    !box->old_name;
	if (!box->even && journal_load(box->journal, err))
		return -1;
	/* What has no room there may have it by now, and only who opens the mailbox is told. */
	box->scan[REMOTE] |= !box->even && box->exists[REMOTE] &&
			     !flag_room_equal(journal_room(box->journal), &FLAG_ROOM_ALL);
	for (enum side side = LOCAL; side < SIDES; side++)
		box->scan[side] |= box->exists[side] &&
				   (box->torn || journal_size(box->journal) != size);
	box->active = !box->even;
	return 0;
}

/*
 * Sets a damaged journal aside: without one the messages of both sides are matched as in a first
 * run, and nothing is deleted. False where that is no remedy, or none that this run may take.
 */
static bool set_aside(const struct channel *channel, struct box *box, struct error *err)
{
	if (err->sys != EBADMSG || box->old_name ||
	    !journal_dir_is_exclusive(channel->setup.journals))
		return false;
	log_info("%s", err->text);
	journal_close(&box->journal);
	if (journal_set_aside(channel->setup.journals, box->name, err))
		return false;
	log_warn("%s: mailbox %s: its journal was damaged and is set aside; its messages are "
		 "matched anew, none is deleted or doubled",
		 channel->setup.name, text_show(box->name));
	box->has_journal = false;
	return true;
}

/* The same for a box whose journal may be damaged. */
static void choose_box(const struct channel *channel, struct box *box)
{
	struct error err = {0};

	if (box->replaced || box->error.kind != ERROR_NONE)
		return;
	int rc = choose(channel, box, &err);
	if (rc && set_aside(channel, box, &err))
		rc = choose(channel, box, &err);
	if (!rc)
		return;
	box->active = false;
	box_fail(box, &err);
}

/* Whether the run before broke off a moment ago with something on its way to the server. */
static bool is_in_doubt(const struct box *box)
{
	size_t len;

	if (!box->active || !journal_head(box->journal)->notes ||
	    clock_wall_ns() / 1000000000 - journal_head(box->journal)->when > LINGER_S)
		return false;
	const struct journal_note *notes = journal_notes(box->journal, &len);
	for (size_t i = 0; i < len; i++)
		if (notes[i].kind == JOURNAL_APPENDING ||
		    notes[i].kind == JOURNAL_REMOVING ||
		    (notes[i].kind == JOURNAL_MOVING && notes[i].side == REMOTE))
			return true;
	return false;
}

/*
 * A server may still be at work on what a run that broke off had sent. What has not come to be when
 * the mailbox is looked at would be sent again, and come to be twice.
 */
static void await_server(const struct channel *channel)
{
	for (size_t i = 0; i < channel->len && channel->setup.stores[REMOTE]->lingers; i++)
		if (is_in_doubt(&channel->boxes[i])) {
			clock_sleep_ms((unsigned)fault_bound("EVENMAIL_LINGER_MS", LINGER_MS));
			return;
		}
}

/* Opens the boxes' journals and decides which boxes are worked on. */
static void choose_boxes(struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		choose_box(channel, box);
		if (!box->active)
			journal_close(&box->journal);
	}
	await_server(channel);
}

/*
 * Pairs are forgotten, but what they say of the files is kept: identities need not be read again,
 * and flags still merge against what was agreed on.
 */
void box_reset(const struct channel *channel, struct box *box, const char *why)
{
	size_t len;
	const struct pair *pairs = journal_pairs(box->journal, &len);

	log_warn("%s: mailbox %s: %s; its %zu messages are matched anew, none is deleted or "
		 "doubled",
		 channel->setup.name, text_show(box->name), why, len);
	box->former = arena_alloc(&box->arena, (len + 1) * sizeof(*box->former));
	box->former_len = len;
	for (size_t i = 0; i < len; i++) {
		box->former[i] = pairs[i];
		box->former[i].name = arena_strdup(&box->arena, pairs[i].name);
	}
	qsort(box->former, len, sizeof(*box->former), pair_compare_names);
	journal_reset(box->journal);
	for (enum side side = LOCAL; side < SIDES; side++)
		box->scan[side] = box->exists[side];
}

/* Why the journal's UIDs cannot be trusted against this stamp, or NULL where they can. */
static const char *distrust(const struct journal_head *head, const struct stamp *now)
{
	if (!head->uidvalidity || !now->uidvalidity)
		return NULL;
	if (head->uidvalidity != now->uidvalidity)
		return "the server gave it a new UIDVALIDITY";
	if (now->uidnext && now->uidnext < head->uidnext)
		return "the server's UIDNEXT went back (restored from a backup?)";
	if (now->modseq && now->modseq < head->highestmodseq)
		return "the server's HIGHESTMODSEQ went back (restored from a backup?)";
	return NULL;
}

/* Resets the box where the stamp says so; true where it did. */
static bool reset_if_distrusted(const struct channel *channel, struct box *box,
				const struct stamp *now)
{
	const struct journal_head *head = journal_head(box->journal);
	const char *why = box->former ? NULL : distrust(head, now);

	if (!box->former && is_of_another(channel, box))
		why = "\"map\" names another mailbox of the server for it";

	if (why)
		box_reset(channel, box, why);
	return why != NULL;
}

/* True where the journal remembers messages that the server would not give: only a list tells
 * whether they are still there. */
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
		if (!box->active || !box->scan[REMOTE] || !now->uidnext)
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
		if (!box->active || box->surveyed)
			continue;
		const struct journal_head *head = journal_head(box->journal);
		fresh += box->sides[LOCAL].fresh_len;
		fresh += now->uidnext > head->uidnext ? now->uidnext - head->uidnext : 0;
		bytes += box->scan[LOCAL] ? STORED_BYTES * count_flagged(box) : 0;
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
		identify || box->sides[LOCAL].fresh_len > 0 || is_looked_into(channel, box),
	    .must_be_complete = box->former || has_refused(box) || wants_all(channel, box),
	    .verify_known = true,
	};

	if (box->former)
		request.base = (struct stamp){0};
	box_known_uids(box, known);
	return store_submit(channel->setup.stores[REMOTE], &request, err);
}

/*
 * The end of one remote scan; a surprise in the UIDVALIDITY, or in what flags there is room for,
 * leaves the box to a second pass.
 */
static void end_remote(const struct channel *channel, struct box *box,
		       const struct answer *answer)
{
	struct snapshot *snapshot = &box->sides[REMOTE];

	box->surveyed = true;
	if (answer->error.kind != ERROR_NONE) {
		box_fail(box, &answer->error);
		box->active = false;
		return;
	}
	if (reset_if_distrusted(channel, box, &answer->stamp)) {
		box->surveyed = false;
		return;
	}
	if (answer->complete)
		snapshot_complete(snapshot);
	if (box_take_room(channel, box, &answer->permanent) && !box->scan[LOCAL] &&
	    box->exists[LOCAL]) {
		box->scan[LOCAL] = true;
		box->surveyed = false;
		return;
	}
	snapshot->stamp = answer->stamp;
	snapshot_end(snapshot);
	box->seen[REMOTE] = true;
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
		if (!box->active || box->surveyed)
			continue;
		snapshot_free(&box->sides[REMOTE]);
		snapshot_begin(&box->sides[REMOTE], REMOTE, box->journal);
		box->sides[REMOTE].stamp = box->listed[REMOTE];
		if (!box->exists[REMOTE])
			snapshot_complete(&box->sides[REMOTE]);
		if (box->scan[REMOTE])
			rc = submit_remote(channel, i, &known[i], identify, err);
		else
			box->surveyed = box->seen[REMOTE] = true;
	}
	if (!rc)
		rc = collect_remote(channel, err);
	for (size_t i = 0; i < channel->len; i++)
		uidset_free(&known[i]);
	free(known);
	return rc;
}

/* True where LIST tells that the server's mailbox is empty, or got nothing since the head. */
static bool gained_nothing(const struct box *box)
{
	const struct journal_head *head = box->journal ? journal_head(box->journal) : NULL;
	const struct stamp *now = &box->listed[REMOTE];

	if (!now->uidnext)
		return false;
	return !now->messages || (head && now->uidnext == head->uidnext &&
				  now->uidvalidity == head->uidvalidity);
}

/* True where a mailbox may hold on that side what the other side has not got yet. */
static bool may_have_gained(const struct box *box, enum side side)
{
	const struct snapshot *snapshot = &box->sides[side];

	if (!box->exists[side])
		return false;
	if (!box->seen[side])
		return side == LOCAL || !gained_nothing(box);
	for (size_t i = 0; i < snapshot->fresh_len; i++)
		if (!snapshot->fresh[i].ghost)
			return true;
	return false;
}

/*
 * What is gone from one mailbox may have moved to another. Where that could not be looked at, its
 * message is not removed from the other side before it can be added there.
 */
static void hold_back_moved(struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		for (enum side side = LOCAL; side < SIDES && box->error.kind != ERROR_NONE; side++)
			if (channel->setup.policy.change[other_side(side)] & CHANGE_NEW &&
			    may_have_gained(box, side))
				channel->held_back[other_side(side)] = true;
	}
}

int channel_survey(struct channel *channel, struct error *err)
{
	if (rename_find(channel, err))
		return -1;
	choose_boxes(channel);
	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		if (box->active && (box->exists[REMOTE] || is_of_another(channel, box)))
			reset_if_distrusted(channel, box, &box->listed[REMOTE]);
	}
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < channel->len; i++)
			if (channel->boxes[i].active && !channel->boxes[i].surveyed)
				survey_local(channel, &channel->boxes[i]);
		if (survey_remote(channel, err) || survey_reuse(channel, err))
			return -1;
	}
	if (identify_fresh(channel, err))
		return -1;
	hold_back_moved(channel);
	hold_back_unnamed(channel);
	return 0;
}
