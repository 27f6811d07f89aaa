// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What holds of plans whatever the planner is given: every field of pairs, messages, notes and
 * policies is drawn for itself, so that most of these situations never arise from a store.
 */
#include "planner-run.h"
#include "sync/planner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SITUATIONS 40000
#define BOXES_MAX  3
#define UIDS       9 /* and as many names */
#define EACH_MAX   4 /* pairs, and fresh messages on a side */

static const char *const names[UIDS + 1] = {"n0", "n1", "n2", "n3", "n4",
					    "n5", "n6", "n7", "n8", "n9"};

/* One mailbox: what the planner's input points to. */
struct any_box {
	struct pair pairs[EACH_MAX];
	struct snapshot sides[SIDES];
	struct presence known[SIDES][EACH_MAX];
	struct fresh_message fresh[SIDES][EACH_MAX];
	struct match matches[EACH_MAX];
	struct journal_note notes[2];
	struct plan plan;
};

struct any {
	struct policy policy;
	struct any_box boxes[BOXES_MAX];
	struct planner_box list[BOXES_MAX];
	size_t len;
};

static bool any_bool(uint64_t *seed)
{
	return run_random(seed, 2);
}

static struct flags any_flags(uint64_t *seed)
{
	return (struct flags){run_random(seed, 2) ? FLAG_SEEN : 0,
			      run_random(seed, 8) ? run_random(seed, 3) : KEYWORDS_UNKNOWN};
}

/* Few different values, so that many are equal. */
static struct identity any_identity(uint64_t *seed)
{
	struct identity identity = {
	    .size = run_random(seed, 5) ? run_random(seed, 2) : SIZE_UNKNOWN,
	    .date = run_random(seed, 5) ? run_random(seed, 2) : DATE_UNKNOWN,
	    .message_id = run_random(seed, 3),
	    .email_id = run_random(seed, 3),
	    .has_digest = any_bool(seed)};

	identity.has_message_id = identity.message_id || any_bool(seed);
	if (identity.has_digest)
		identity.digest.bytes[0] = (uint8_t)run_random(seed, 3);
	return identity;
}

static struct policy any_policy(uint64_t *seed)
{
	struct policy policy = {.safety_percent = run_random(seed, 120), .link = any_bool(seed)};

	for (enum side side = LOCAL; side < SIDES; side++) {
		policy.change[side] = run_random(seed, 3) ? CHANGE_ALL : run_random(seed, 16);
		policy.deletion[side] = (enum policy_deletion)run_random(seed, 3);
	}
	return policy;
}

/* Pairs of ascending UIDs, and how the sides hold them. */
static size_t any_pairs(uint64_t *seed, struct any_box *box)
{
	size_t len = 0;

	for (uint32_t uid = 1; uid <= UIDS && len < EACH_MAX; uid++) {
		if (run_random(seed, 3))
			continue;
		const struct identity identity = any_identity(seed);
		box->pairs[len] = pair_of(uid, names[uid], any_flags(seed), &identity);
		box->pairs[len].gone = run_random(seed, 3) ? 0 : run_random(seed, 3);
		for (enum side side = LOCAL; side < SIDES; side++)
			box->known[side][len] = (struct presence){.flags = any_flags(seed),
								  .present = any_bool(seed)};
		len++;
	}
	return len;
}

static bool is_paired(const struct any_box *box, size_t len, uint32_t id)
{
	for (size_t i = 0; i < len; i++)
		if (box->pairs[i].uid == id)
			return true;
	return false;
}

/* Messages that no pair has. */
static void any_fresh(uint64_t *seed, struct any_box *box, enum side side, size_t pairs_len)
{
	size_t len = 0;

	for (uint32_t id = 1; id <= UIDS && len < EACH_MAX; id++) {
		if (is_paired(box, pairs_len, id) || run_random(seed, 3))
			continue;
		struct fresh_message *message = &box->fresh[side][len++];
		*message = (struct fresh_message){.state.flags = any_flags(seed),
						  .state.identity = any_identity(seed),
						  .base = any_flags(seed),
						  .floor = run_random(seed, UIDS)};
		if (side == REMOTE)
			message->state.key.uid = id;
		else
			message->state.key.name = names[id];
		message->ghost = side == LOCAL && !run_random(seed, 4);
	}
	box->sides[side] = (struct snapshot){.side = side,
					     .known = box->known[side],
					     .known_len = pairs_len,
					     .fresh = box->fresh[side],
					     .fresh_len = len};
	box->sides[side].permanent =
	    (struct flag_room){.bits = any_bool(seed) ? FLAG_ALL : FLAG_SEEN,
			       .any_keyword = any_bool(seed),
			       .mute = any_bool(seed)};
}

/* The first messages of both sides are one each, or the first here is the last there. */
static size_t any_matches(uint64_t *seed, struct any_box *box)
{
	size_t local = box->sides[LOCAL].fresh_len, remote = box->sides[REMOTE].fresh_len;
	size_t len = run_random(seed, (uint32_t)(local < remote ? local : remote) + 1);
	bool turned = any_bool(seed);

	for (size_t i = 0; i < len; i++)
		box->matches[i] = (struct match){{i, turned ? remote - 1 - i : i}};
	return len;
}

static size_t any_notes(uint64_t *seed, struct any_box *box)
{
	size_t len = run_random(seed, 3);

	for (size_t i = 0; i < len; i++) {
		enum side side = any_bool(seed) ? REMOTE : LOCAL;
		uint32_t id = 1 + run_random(seed, UIDS);
		box->notes[i] = (struct journal_note){
		    .kind = (enum journal_note_kind)run_random(seed, JOURNAL_REFUSED + 1),
		    .side = side,
		    .identity = any_identity(seed),
		    .uid = side == REMOTE ? id : 0,
		    .name = side == LOCAL && run_random(seed, 4) ? names[id] : NULL};
	}
	return len;
}

static void any_situation(uint64_t seed, struct any *any)
{
	*any = (struct any){.policy = any_policy(&seed), .len = 1 + run_random(&seed, BOXES_MAX)};
	for (size_t i = 0; i < any->len; i++) {
		struct any_box *box = &any->boxes[i];
		struct planner_input *input = &any->list[i].input;
		*input = (struct planner_input){.policy = &any->policy, .pairs = box->pairs};
		input->pairs_len = any_pairs(&seed, box);
		any->list[i].plan = &box->plan;
		if (!run_random(&seed, 6))
			continue;
		for (enum side side = LOCAL; side < SIDES; side++) {
			any_fresh(&seed, box, side, input->pairs_len);
			input->sides[side] = &box->sides[side];
		}
		input->matches = box->matches;
		input->matches_len = any_matches(&seed, box);
		input->notes = box->notes;
		input->notes_len = any_notes(&seed, box);
		input->is_trash = !run_random(&seed, 4);
	}
}

/* Stops some of it, as the guard and mailboxes that are gone do. */
static void block_any(struct any *any)
{
	for (size_t i = 0; i < any->len; i++) {
		struct plan *plan = any->list[i].plan;
		for (size_t k = 0; k < plan->len; k++)
			plan->ops[k].blocked = (plan->ops[k].uid + i + k) % 5 == 0;
	}
}

/* As sync/decide.c has it done. */
static void plan_any(struct any *any)
{
	for (size_t i = 0; i < any->len; i++)
		if (any->list[i].input.sides[LOCAL])
			planner_messages(&any->list[i].input, any->list[i].plan);
	planner_moves(any->list, any->len, any->len % 2);
	planner_copies(&any->policy, any->list, any->len);
	block_any(any);
	for (size_t i = 0; i < any->len; i++)
		for (enum side side = LOCAL; side < SIDES && any->list[i].input.is_trash; side++)
			planner_trash(any->list, any->len, i, side);
}

static void free_any(struct any *any)
{
	for (size_t i = 0; i < any->len; i++)
		plan_free(&any->boxes[i].plan);
}

/* What is taken from a side is gone on the other one, and the journal knew it on both. */
static void check_removal(const struct any_box *box, size_t pairs_len, const struct op *op)
{
	for (size_t i = 0; i < pairs_len; i++)
		if (box->pairs[i].uid == op->uid) {
			assert_true(box->known[op->side][i].present);
			assert_false(box->known[other_side(op->side)][i].present);
			return;
		}
	/* An upload that was begun, and its file is gone. */
	assert_int_equal(op->side, REMOTE);
	for (size_t i = 0; i < box->sides[LOCAL].fresh_len; i++)
		if (!strcmp(box->fresh[LOCAL][i].state.key.name, op->name)) {
			assert_true(box->fresh[LOCAL][i].ghost);
			return;
		}
	fail_msg("it takes away what nobody deleted");
}

/* Nothing that the user does not allow, and nothing that is not there. */
static void check_op(const struct any *any, size_t index, const struct op *op)
{
	unsigned change = any->policy.change[op->side];
	size_t pairs_len = any->list[index].input.pairs_len;

	switch (op->kind) {
	case OP_REMOVE:
	case OP_TRASH:
		assert_true(change & CHANGE_DELETIONS);
		check_removal(&any->boxes[index], pairs_len, op);
		break;
	case OP_MOVE:
		check_removal(&any->boxes[index], pairs_len, op);
		assert_true(op->target < any->len);
		break;
	case OP_CLONE: assert_true(op->target < any->len); /* fall through */
	case OP_COPY: assert_true(change & CHANGE_NEW); break;
	case OP_FLAG: assert_true(change & (CHANGE_FLAGS | CHANGE_NEW)); break;
	default: assert_int_not_equal(op->kind, OP_NONE);
	}
}

/* Has each mailbox's plan looked at, in every situation. */
static void check_plans(void (*check)(const struct any *any, size_t index))
{
	for (uint64_t seed = 1; seed <= SITUATIONS; seed++) {
		struct any any;
		any_situation(seed, &any);
		plan_any(&any);
		for (size_t i = 0; i < any.len; i++)
			check(&any, i);
		free_any(&any);
	}
}

static void check_ops(const struct any *any, size_t index)
{
	const struct plan *plan = &any->boxes[index].plan;

	for (size_t i = 0; i < plan->len; i++)
		check_op(any, index, &plan->ops[i]);
}

static void takes_nothing_that_nobody_deleted(void **state)
{
	(void)state;
	check_plans(check_ops);
}

/* Of each message one thing becomes on a side. */
static void check_once(const struct any *any, size_t index)
{
	const struct plan *plan = &any->boxes[index].plan;
	unsigned taken[SIDES][UIDS + 1] = {0};

	for (size_t i = 0; i < plan->len; i++) {
		const struct op *op = &plan->ops[i];
		if (op->kind == OP_REMOVE || op->kind == OP_TRASH || op->kind == OP_MOVE)
			assert_int_equal(++taken[op->side][op->uid], 1);
	}
}

static void does_one_thing_with_each(void **state)
{
	(void)state;
	check_plans(check_once);
}

/* How many of a kind, by a rule unless RULE_NONE, are to be done on a side. */
static size_t count_ops(const struct plan *plan, enum op_kind kind, enum side side, enum rule rule)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->len; i++) {
		const struct op *op = &plan->ops[i];
		count += op->kind == kind && op->side == side && !op->blocked &&
			 (rule == RULE_NONE || op->rule == rule);
	}
	return count;
}

/* For each message that is removed since it is in the trash, one comes to a trash. */
static void removes_no_more_than_comes_to_the_trash(void **state)
{
	size_t seen = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SITUATIONS; seed++) {
		struct any any;
		any_situation(seed, &any);
		plan_any(&any);
		for (enum side side = LOCAL; side < SIDES; side++) {
			size_t removed = 0, come = 0;
			for (size_t i = 0; i < any.len; i++) {
				const struct plan *plan = any.list[i].plan;
				removed += count_ops(plan, OP_REMOVE, side, RULE_V5_TRASH);
				if (any.list[i].input.is_trash)
					come += count_ops(plan, OP_COPY, side, RULE_NONE);
			}
			assert_true(removed <= come);
			seen += removed;
		}
		free_any(&any);
	}
	assert_true(seen > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_nothing_that_nobody_deleted),
	    cmocka_unit_test(does_one_thing_with_each),
	    cmocka_unit_test(removes_no_more_than_comes_to_the_trash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
