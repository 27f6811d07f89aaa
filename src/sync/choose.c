// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/choose.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/head.h"
#include "sync/planner.h"

#include <errno.h>
#include <string.h>

/* A server that was left alone has done by then what it had been told, or will never do it. */
#define LINGER_S  60
#define LINGER_MS 1000 /* as long as it is given at least, since this run began */

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
static int choose_by_notes(const struct channel *channel, struct box *box, struct error *err)
{
	size_t len;

	if (!journal_head(box->journal)->notes)
		return 0;
	if (journal_load(box->journal, err))
		return -1;
	box->survey.retried = forget_refusals(channel, box);
	if (box->survey.retried)
		box->survey.scan[LOCAL] = box->survey.scan[REMOTE] = true;
	const struct journal_note *notes = journal_notes(box->journal, &len);
	for (size_t i = 0; i < len; i++) {
		if (notes[i].kind == JOURNAL_REFUSED)
			box->plan.refused++;
		else
			box->survey.scan[LOCAL] = box->survey.scan[REMOTE] = true;
	}
	return 0;
}

/* What the mailbox's existence on either side means; false where nothing is to be done. */
static bool choose_by_existence(const struct channel *channel, struct box *box)
{
	const struct journal_head *head = journal_head(box->journal);
	bool known = !head_is_of_another(channel, box);
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
	const enum side holder = other_side(box->missing);
	if (box->rule == RULE_B2_LEAVE)
		return false;
	if (box->rule != RULE_B3_GONE || policy_deletes(&channel->setup.policy, holder))
		return true;
	const struct stamp then = head_stamp(head, holder);
	return !stamp_unchanged(holder, &then, &box->listed[holder]);
}

bool choose_is_looked_into(const struct channel *channel, const struct box *box)
{
	const char *name = channel->setup.look_into;

	return name && (!strcmp(name, box->name) ||
			(box->renamed.from && !strcmp(name, box->renamed.from)));
}

bool choose_wants_all(const struct channel *channel, const struct box *box)
{
	return journal_head(box->journal)->policy != head_terms(channel, box) ||
	       box->rule == RULE_B4_DELETE || box->renamed.from || box->survey.retried ||
	       choose_is_looked_into(channel, box);
}

/*
 * Decides by one box's journal whether, and on which sides, it is to be looked at. -1: the journal
 * cannot be read. One that was cut back in reading says nothing of how the sides stood.
 */
static int choose_sides(const struct channel *channel, struct box *box, struct error *err)
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
		box->survey.scan[side] =
		    box->exists[side] && (choose_wants_all(channel, box) ||
					  !stamp_unchanged(side, &then, &box->listed[side]));
	}
	if (choose_by_notes(channel, box, err))
		return -1;
	for (enum side side = LOCAL; side < SIDES; side++)
		box->survey.scan[side] &= box->exists[side];
	box->even = !box->survey.scan[LOCAL] && !box->survey.scan[REMOTE] &&
		    box->rule == RULE_NONE && !box->renamed.from;
	if (!box->even && journal_load(box->journal, err))
		return -1;
	/* What has no room there may have it by now, and only who opens the mailbox is told. */
	box->survey.scan[REMOTE] |= !box->even && box->exists[REMOTE] &&
				    !flag_room_equal(journal_room(box->journal), &FLAG_ROOM_ALL);
	for (enum side side = LOCAL; side < SIDES; side++)
		box->survey.scan[side] |=
		    box->exists[side] && (box->survey.torn || journal_size(box->journal) != size);
	box->active = !box->even;
	return 0;
}

/*
 * Sets a damaged journal aside: without one the messages of both sides are matched as in a first
 * run, and nothing is deleted. False where that is no remedy, or none that this run may take.
 */
static bool set_aside(const struct channel *channel, struct box *box, struct error *err)
{
	if (err->sys != EBADMSG || box->renamed.from ||
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

	if (box->renamed.away || box->error.kind != ERROR_NONE)
		return;
	int rc = choose_sides(channel, box, &err);
	if (rc && set_aside(channel, box, &err))
		rc = choose_sides(channel, box, &err);
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
		if (notes[i].kind == JOURNAL_APPENDING || notes[i].kind == JOURNAL_REMOVING ||
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

void choose_boxes(struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		choose_box(channel, box);
		if (!box->active)
			journal_close(&box->journal);
	}
	await_server(channel);
}
