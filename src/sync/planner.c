// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/planner.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* One pair, as the rules M1 to M5 look at it. */
struct case_of_pair {
	uint32_t uid;
	const char *name;
	struct flags base; /* agreed on */
	unsigned gone;     /* known to be gone, bits 1 << side */
	struct presence held[SIDES];
};

/*
 * M1: what both users (or one user, twice) removed is even already. Nothing is deleted by this
 * rule; a pair that stayed would keep a later message of the same UID or name from being seen.
 */
static void rule_m1_forget(const struct case_of_pair *pair, struct plan *plan)
{
	struct op *op = plan_add(plan, OP_FORGET, LOCAL, RULE_M1_FORGET);

	op->uid = pair->uid;
	op->name = pair->name;
}

/*
 * M3: a deletion that this side is not to follow. The journal remembers the gap, so that the
 * message is neither copied back as new nor counted as missing in a later delta. That holds when
 * deletions are followed later on: what was kept once is an archive that no setting should empty.
 */
static void rule_m3_keep(const struct case_of_pair *pair, enum side gone, struct plan *plan)
{
	if (pair->gone & 1u << gone)
		return;
	struct op *op = plan_add(plan, OP_AGREE, gone, RULE_M3_KEEP);
	op->uid = pair->uid;
	op->name = pair->name;
	op->flags = pair->base;
	op->gone = 1u << gone;
}

/*
 * M2: one side's user deleted what both sides held, so it goes on the other, whatever became of
 * its flags there: a deletion outweighs a change of flags, or mail read on the way to the bin
 * would come back. In the trash itself "trash" means to expunge.
 */
static void rule_m2_delete(const struct planner_input *input, const struct case_of_pair *pair,
			   enum side gone, struct plan *plan)
{
	enum side side = other_side(gone);

	if (!policy_deletes(input->policy, side) || pair->gone & 1u << gone) {
		rule_m3_keep(pair, gone, plan);
		return;
	}
	bool to_trash = input->policy->deletion[side] == DELETION_TRASH && !input->is_trash;
	enum op_kind kind = to_trash ? OP_TRASH : OP_REMOVE;
	struct op *op = plan_add(plan, kind, side, RULE_M2_DELETE);
	op->uid = pair->uid;
	op->name = pair->name;
}

/*
 * What the journal holds afterwards: per flag what both sides end with, or else what it held: so
 * what two of the three have.
 */
static struct flags flags_agreed(struct flags base, struct flags local, struct flags remote)
{
	return flags_union(flags_intersect(local, remote),
			   flags_intersect(base, flags_union(local, remote)));
}

/*
 * Those of what was agreed on that wait on one side, for the other has lost them together with its
 * room for them. Whether a user took them away there, and when, nobody can tell: as agreed they
 * would count as taken away once there is room again, so they are to go there anew. end: what both
 * sides will have.
 */
static struct flags flags_waiting(const struct flags_case *it, const struct flags end[SIDES])
{
	const struct flags local = flags_lost(it->base, end[LOCAL], &it->permanent[LOCAL]);
	const struct flags remote = flags_lost(it->base, end[REMOTE], &it->permanent[REMOTE]);

	return flags_union(flags_intersect(local, end[REMOTE]),
			   flags_intersect(remote, end[LOCAL]));
}

/* Reckons what both sides shall have: target, from what is heard of them. */
static struct flags merge_heard(const struct flags_case *flags, struct flags heard[SIDES])
{
	for (enum side side = LOCAL; side < SIDES; side++)
		heard[side] = flags_heard(flags->base, flags->have[side], &flags->permanent[side]);
	return flags_merge(flags->base, heard[LOCAL], heard[REMOTE]);
}

struct flags_verdict planner_flags(const struct flags_case *flags)
{
	struct flags_case it = *flags;
	struct flags_verdict verdict = {0};
	struct flags heard[SIDES], end[SIDES], final[SIDES], target = merge_heard(&it, heard);
	bool unknown = target.keywords == KEYWORDS_UNKNOWN;

	/* Keywords too many to be known (mail/keywords.h) stay as they are on both sides. */
	if (unknown) {
		it.base.keywords = it.have[LOCAL].keywords = it.have[REMOTE].keywords = 0;
		target = merge_heard(&it, heard);
	}
	for (enum side side = LOCAL; side < SIDES; side++) {
		end[side] = it.have[side];
		final[side] = heard[side];
		if (!(it.policy->change[side] & CHANGE_FLAGS))
			continue;
		end[side] = flags_reach(it.have[side], target, &it.permanent[side]);
		/*
		 * What cannot be taken from a side stays: it is not new there in the next run. What
		 * cannot come to it was not agreed on: or it would count as removed there as soon
		 * as there is room for it.
		 */
		final[side] = flags_settled(it.base, end[side], &it.permanent[side]);
		verdict.add[side] = flags_minus(end[side], it.have[side]);
		verdict.remove[side] = flags_minus(it.have[side], end[side]);
	}
	verdict.agreed = flags_minus(flags_agreed(it.base, final[LOCAL], final[REMOTE]),
				     flags_waiting(&it, end));
	if (unknown)
		verdict.agreed.keywords = flags->base.keywords;
	return verdict;
}

/*
 * M4: each flag by itself follows the side that changed it since both agreed. A flag has two
 * values, so two sides that both changed it changed it alike: there is no conflict to lose.
 * M5: where nothing is to be done on either side, only the journal learns what both hold now.
 */
static void rule_m4_flags(const struct planner_input *input, const struct case_of_pair *pair,
			  struct plan *plan)
{
	/* nearly all pairs in nearly all runs */
	if (!pair->gone && flags_equal(pair->base, pair->held[LOCAL].flags) &&
	    flags_equal(pair->base, pair->held[REMOTE].flags))
		return;
	const struct flags_case flags = {
	    .policy = input->policy,
	    .base = pair->base,
	    .have = {pair->held[LOCAL].flags, pair->held[REMOTE].flags},
	    .permanent = {input->sides[LOCAL]->permanent, input->sides[REMOTE]->permanent},
	};
	const struct flags_verdict verdict = planner_flags(&flags);
	enum rule rule = RULE_M5_AGREE;

	for (enum side side = LOCAL; side < SIDES; side++) {
		if (flags_are_none(verdict.add[side]) && flags_are_none(verdict.remove[side]))
			continue;
		rule = RULE_M4_FLAGS;
		struct op *op = plan_add(plan, OP_FLAG, side, rule);
		op->uid = pair->uid;
		op->name = pair->name;
		op->add = verdict.add[side];
		op->remove = verdict.remove[side];
	}
	if (flags_equal(verdict.agreed, pair->base) && !pair->gone)
		return;
	struct op *op = plan_add(plan, OP_AGREE, LOCAL, rule);
	op->uid = pair->uid;
	op->name = pair->name;
	op->flags = verdict.agreed;
}

/*
 * M7 of a file that is back: a run was removing its message from the server, for the file was gone,
 * and was stopped before the journal knew. So nobody on the server deleted it, and the file is new.
 */
static void rule_m7_again(const struct planner_input *input, const struct case_of_pair *pair,
			  size_t index, struct plan *plan)
{
	const struct identity identity = pair_identity(&input->pairs[index]);
	struct op *forget = plan_add(plan, OP_FORGET, LOCAL, RULE_M7_COPY);

	forget->uid = pair->uid;
	forget->name = pair->name;
	if (!(input->policy->change[REMOTE] & CHANGE_NEW))
		return;
	struct op *copy = plan_add(plan, OP_COPY, REMOTE, RULE_M7_COPY);
	copy->name = pair->name;
	copy->flags = flags_known(pair->held[LOCAL].flags);
	plan_identify(plan, copy, &identity);
}

/* Rules M1 to M5: which one applies depends on who still holds the message. */
static void plan_pair(const struct planner_input *input, const struct case_of_pair *pair,
		      struct plan *plan)
{
	bool local = pair->held[LOCAL].present, remote = pair->held[REMOTE].present;

	if (local && remote)
		rule_m4_flags(input, pair, plan);
	else if (!local && !remote)
		rule_m1_forget(pair, plan);
	else
		rule_m2_delete(input, pair, local ? REMOTE : LOCAL, plan);
}

/*
 * M6: the same message, new on both sides: a first run on two filled sides, a healed journal, an
 * APPEND whose answer was lost. From here on it is a pair, so M1 to M5 follow at once. Without a
 * base every flag that one side has counts as set there. A ghost was here, was sent, and has been
 * deleted since.
 */
static void rule_m6_pair(const struct planner_input *input, const struct fresh_message *local,
			 const struct fresh_message *remote, struct plan *plan)
{
	struct case_of_pair pair = {
	    .uid = remote->state.key.uid,
	    .name = local->state.key.name,
	    .base = local->base,
	    .held[LOCAL] = {.flags = local->state.flags, .present = !local->ghost},
	    .held[REMOTE] = {.flags = remote->state.flags, .present = true},
	};
	struct identity identity = local->state.identity;
	struct op *op = plan_add(plan, OP_PAIR, LOCAL, RULE_M6_PAIR);

	op->uid = pair.uid;
	op->name = pair.name;
	op->flags = pair.base;
	identity.date = remote->state.identity.date;
	identity.email_id = remote->state.identity.email_id;
	plan_identify(plan, op, &identity);
	plan_pair(input, &pair, plan);
}

/* Whether a refused file is this one: of the same name, and not changed since. */
static bool is_same_file(const struct journal_note *note, const struct message_state *state)
{
	const struct identity *then = &note->identity, *now = &state->identity;

	return note->name && !strcmp(note->name, state->key.name) &&
	       (!then->has_digest || !now->has_digest || digest_equal(&then->digest, &now->digest));
}

/*
 * M9: the other side refused this very message before (the same UID, or the same file with the same
 * bytes). Trying again would fail again, in every run; it is reported instead until it changes.
 */
static bool rule_m9_refused(const struct planner_input *input, enum side from,
			    const struct fresh_message *message)
{
	for (size_t i = 0; i < input->notes_len; i++) {
		const struct journal_note *note = &input->notes[i];
		if (note->kind != JOURNAL_REFUSED || note->side != from)
			continue;
		if (from == REMOTE ? note->uid == message->state.key.uid
				   : is_same_file(note, &message->state))
			return true;
	}
	return false;
}

/*
 * M7: new on one side and nowhere on the other: copied, with its flags and its date.
 * M8: unless the user does not want new messages there; then nothing is noted, and the message
 * stays new until that changes.
 */
static void rule_m7_copy(const struct planner_input *input, enum side from,
			 const struct fresh_message *message, struct plan *plan)
{
	enum side to = other_side(from);

	if (message->ghost || !(input->policy->change[to] & CHANGE_NEW))
		return;
	if (rule_m9_refused(input, from, message)) {
		plan->refused++;
		return;
	}
	struct op *op = plan_add(plan, OP_COPY, to, RULE_M7_COPY);
	op->uid = message->state.key.uid;
	op->name = message->state.key.name;
	op->flags = flags_known(message->state.flags);
	plan_identify(plan, op, &message->state.identity);
}

/*
 * V2 of what one side keeps though the other lost it: there it is back, under another name or UID.
 * As a new message it would come to where it is kept a second time.
 */
static void rule_v2_again(const struct planner_input *input, const struct case_of_pair *lost,
			  size_t index, size_t again, struct plan *plan)
{
	const enum side side = lost->held[LOCAL].present ? REMOTE : LOCAL;
	const struct message_state *found = &input->sides[side]->fresh[again].state;
	const struct identity identity = pair_identity(&input->pairs[index]);
	struct case_of_pair pair = *lost;
	const size_t before = plan->len;

	if (side == REMOTE)
		pair.uid = found->key.uid;
	else
		pair.name = found->key.name;
	pair.gone = 0;
	pair.held[side] = (struct presence){.flags = found->flags, .present = true};
	struct op *op = plan_add(plan, OP_PAIR, LOCAL, RULE_V2_RENAME);
	op->uid = pair.uid;
	op->name = pair.name;
	op->flags = pair.base;
	plan_identify(plan, op, &identity);
	rule_m4_flags(input, &pair, plan);
	for (size_t i = before; i < plan->len; i++)
		plan->ops[i].rule = RULE_V2_RENAME;
}

/* The UIDs that a run was about to remove from the server. */
static struct uidset list_removing(const struct planner_input *input)
{
	struct uidset uids = {0};

	for (size_t i = 0; i < input->notes_len; i++)
		if (input->notes[i].kind == JOURNAL_REMOVING)
			uidset_add(&uids, input->notes[i].uid);
	return uids;
}

/* The pairs that the journal knows; again, or NULL, says which are whole once more. */
static void plan_pairs(const struct planner_input *input, const size_t *again, struct plan *plan)
{
	struct uidset removing = list_removing(input);

	for (size_t i = 0; i < input->pairs_len; i++) {
		struct case_of_pair pair = {
		    .uid = input->pairs[i].uid,
		    .name = input->pairs[i].name,
		    .base = input->pairs[i].flags,
		    .gone = input->pairs[i].gone,
		    .held[LOCAL] = input->sides[LOCAL]->known[i],
		    .held[REMOTE] = input->sides[REMOTE]->known[i],
		};
		if (again && again[i] != PLANNER_NEVER)
			rule_v2_again(input, &pair, i, again[i], plan);
		else if (pair.held[LOCAL].present && !pair.held[REMOTE].present &&
			 uidset_has(&removing, pair.uid))
			rule_m7_again(input, &pair, i, plan);
		else
			plan_pair(input, &pair, plan);
	}
	uidset_free(&removing);
}

/* One side of a match. */
static const struct fresh_message *fresh_of(const struct planner_input *input, size_t match,
					    enum side side)
{
	return &input->sides[side]->fresh[input->matches[match].index[side]];
}

/* Nothing is older than what made it. */
static bool is_possible(const struct fresh_message *local, const struct fresh_message *remote)
{
	return remote->state.key.uid >= snapshot_floor(local);
}

/* Marks what sync/match.h has paired. */
static void mark_matches(const struct planner_input *input, bool *const done[SIDES])
{
	for (size_t i = 0; i < input->matches_len; i++)
		for (enum side side = LOCAL; side < SIDES; side++)
			done[side][input->matches[i].index[side]] =
			    is_possible(fresh_of(input, i, LOCAL), fresh_of(input, i, REMOTE));
}

/* What the journal does not know: first what matches, then what is left of each side. */
static void plan_fresh(const struct planner_input *input, bool *const done[SIDES],
		       struct plan *plan)
{
	for (size_t i = 0; i < input->matches_len; i++)
		if (done[LOCAL][input->matches[i].index[LOCAL]])
			rule_m6_pair(input, fresh_of(input, i, LOCAL), fresh_of(input, i, REMOTE),
				     plan);
	for (enum side side = LOCAL; side < SIDES; side++)
		for (size_t i = 0; i < input->sides[side]->fresh_len; i++)
			if (!done[side][i])
				rule_m7_copy(input, side, &input->sides[side]->fresh[i], plan);
}

void planner_messages(const struct planner_input *input, struct plan *plan)
{
	bool *done[SIDES];
	size_t *again;

	for (enum side side = LOCAL; side < SIDES; side++)
		done[side] = xcalloc(input->sides[side]->fresh_len + 1, sizeof(bool));
	mark_matches(input, done);
	again = planner_again(input, done);
	plan_pairs(input, again, plan);
	plan_fresh(input, done, plan);
	free(again);
	free(done[LOCAL]);
	free(done[REMOTE]);
}
