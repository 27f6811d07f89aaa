// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/box.h"

void box_free(struct box *box)
{
	journal_close(&box->journal);
	for (enum side side = LOCAL; side < SIDES; side++)
		snapshot_free(&box->sides[side]);
	match_free(&box->match);
	plan_free(&box->plan);
	plan_free(&box->late);
	uidset_free(&box->own.gone);
	arena_free(&box->arena);
}

void box_fail(struct box *box, const struct error *err)
{
	box->undone = true;
	if (box->error.kind == ERROR_NONE)
		box->error = *err;
}

/*
 * UIDs mean something under one UIDVALIDITY only. A head of another one, of a server that went back
 * in time, or of the mailbox that was there before this run made one, says nothing of the pairs
 * that are there now: it is begun anew with just that.
 */
int box_commit(struct box *box, struct error *err)
{
	const struct journal_head *head = journal_head(box->journal);
	const struct journal_head begun = {.uidvalidity = box->sides[REMOTE].stamp.uidvalidity};
	bool stands = !begun.uidvalidity || (head->uidvalidity == begun.uidvalidity &&
					     !(box->survey.former && head->uidnext));

	/* Made by now: the old one's pairs are forgotten. */
	stands &= !box_is_made_anew(box) || !box->exists[REMOTE] || !head->uidnext;
	struct journal_head next = stands ? *head : begun;
	/* What is forgotten of one that is not there is new where it comes back as it was. */
	bool away = !box->exists[REMOTE] && next.highestmodseq;
	if (away)
		next.highestmodseq = 0;
	if (away || box->rescan)
		next.cur_ns = next.new_ns = 0;
	return journal_commit(box->journal, stands && !box->rescan && !away ? NULL : &next, err);
}

void box_known_uids(const struct box *box, struct uidset *out)
{
	size_t len;
	const struct pair *pairs = journal_pairs(box->journal, &len);

	for (size_t i = 0; i < len; i++)
		if (pair_is_expected(&pairs[i], REMOTE))
			uidset_add(out, pairs[i].uid);
}

bool box_is_made_anew(const struct box *box)
{
	return box->rule == RULE_B1_CREATE && box->missing == REMOTE;
}

void box_note_removal(struct box *box, uint32_t uid)
{
	const struct journal_note note = {
	    .kind = JOURNAL_REMOVING,
	    .side = REMOTE,
	    .uid = uid,
	    .identity = {.size = SIZE_UNKNOWN, .date = DATE_UNKNOWN},
	};

	if (journal_pair_of_uid(box->journal, uid))
		journal_note(box->journal, &note);
}

void box_put_copy(struct box *box, enum side side, const struct pair *pair)
{
	journal_put(box->journal, pair);
	journal_end_note(box->journal, JOURNAL_REFUSED, pair->uid, pair->name);
	box->tally.copied[side]++;
	box->tally.bytes[side] += pair->size;
}

void box_forget_pairs(struct box *box)
{
	size_t len;

	while (journal_pairs(box->journal, &len), len)
		journal_forget(box->journal, journal_pairs(box->journal, &len)[len - 1].uid);
}
