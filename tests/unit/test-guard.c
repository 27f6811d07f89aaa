// SPDX-License-Identifier: GPL-3.0-or-later
/* The guard: bounds at and past them, what looks emptied, what is exempt. */
#include "sync/guard.h"

#include "base/alloc.h"
#include "chance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A mailbox of so many pairs, of which some are gone on one side. */
struct mailbox {
	size_t pairs;
	size_t gone[SIDES]; /* missing on that side only */
	size_t both;        /* missing on both */
	size_t kept[SIDES]; /* known for long to be gone there, and kept on the other */
	enum policy_deletion deletion;
	unsigned percent, count;
	bool is_trash, is_junk, allowed;
};

static const struct mailbox usual = {.percent = POLICY_SAFETY_PERCENT,
				     .count = POLICY_SAFETY_COUNT};

/* Everything that a check needs, made of a mailbox. */
struct situation {
	struct policy policy;
	struct snapshot sides[SIDES];
	struct pair *pairs;
	struct planner_input input;
	struct plan plan;
};

/* Who lacks a pair: the first ones on the local side, then the remote, then both, then known. */
static unsigned lacking(const struct mailbox *mailbox, size_t index, unsigned *known)
{
	const size_t counts[] = {mailbox->gone[LOCAL], mailbox->gone[REMOTE], mailbox->both,
				 mailbox->kept[LOCAL], mailbox->kept[REMOTE]};
	const unsigned masks[] = {1, 2, 3, 1, 2};

	*known = 0;
	for (size_t i = 0; i < 5; i++) {
		if (index < counts[i]) {
			*known = i >= 3 ? masks[i] : 0;
			return masks[i];
		}
		index -= counts[i];
	}
	return 0;
}

/* Plans a mailbox. */
static void make(const struct mailbox *mailbox, struct situation *it)
{
	*it = (struct situation){.policy = {.change = {CHANGE_ALL, CHANGE_ALL},
					    .deletion = {mailbox->deletion, mailbox->deletion},
					    .safety_percent = mailbox->percent,
					    .safety_count = mailbox->count}};
	it->pairs = xcalloc(mailbox->pairs + 1, sizeof(*it->pairs));
	for (enum side side = LOCAL; side < SIDES; side++)
		it->sides[side] =
		    (struct snapshot){.side = side,
				      .permanent = {FLAG_ALL},
				      .known = xcalloc(mailbox->pairs + 1, sizeof(struct presence)),
				      .known_len = mailbox->pairs};
	for (size_t i = 0; i < mailbox->pairs; i++) {
		unsigned known, mask = lacking(mailbox, i, &known);
		it->pairs[i].uid = (uint32_t)i + 1;
		it->pairs[i].gone = known;
		it->pairs[i].name = "name";
		for (enum side side = LOCAL; side < SIDES; side++)
			it->sides[side].known[i].present = !(mask & 1u << side);
	}
	it->input = (struct planner_input){.policy = &it->policy,
					   .pairs = it->pairs,
					   .pairs_len = mailbox->pairs,
					   .sides = {&it->sides[LOCAL], &it->sides[REMOTE]},
					   .is_trash = mailbox->is_trash,
					   .is_junk = mailbox->is_junk};
	planner_messages(&it->input, &it->plan);
}

static void unmake(struct situation *it)
{
	for (enum side side = LOCAL; side < SIDES; side++)
		snapshot_free(&it->sides[side]);
	free(it->pairs);
	plan_free(&it->plan);
}

/* Exactly the deletions on side are blocked, or none. */
static void check_blocked(const struct situation *it, enum side side, bool blocked)
{
	for (size_t i = 0; i < it->plan.len; i++) {
		const struct op *op = &it->plan.ops[i];
		if (op->side == side && (op->kind == OP_REMOVE || op->kind == OP_TRASH))
			assert_int_equal(op->blocked, blocked);
		else if (op->kind != OP_REMOVE && op->kind != OP_TRASH)
			assert_false(op->blocked);
	}
}

/* The mailbox with its sides exchanged. */
static struct mailbox swap(struct mailbox mailbox)
{
	struct mailbox out = mailbox;

	for (enum side side = LOCAL; side < SIDES; side++) {
		out.gone[side] = mailbox.gone[other_side(side)];
		out.kept[side] = mailbox.kept[other_side(side)];
	}
	return out;
}

/* What the guard says to deletions on the remote side; the same with the sides exchanged. */
static void expect(struct mailbox mailbox, enum guard_reason reason)
{
	for (enum side side = SIDES; side-- > LOCAL;) {
		struct situation it;
		make(&mailbox, &it);
		guard_check(&it.input, mailbox.allowed, &it.plan);
		assert_int_equal(it.plan.verdict[side].reason, reason);
		assert_int_equal(it.plan.verdict[side].deletions, mailbox.gone[other_side(side)]);
		assert_int_equal(it.plan.verdict[side].held, mailbox.pairs - mailbox.both);
		check_blocked(&it, side, reason != GUARD_FINE);
		unmake(&it);
		mailbox = swap(mailbox);
	}
}

/* Both bounds must be passed: the number, and the share of what any side holds. */
static void stops_past_both_bounds(void **state)
{
	static const struct {
		size_t pairs, gone;
		unsigned percent, count;
		enum guard_reason reason;
	} rows[] = {
	    {100, 50, 50, 20, GUARD_FINE},  /* at the percentage */
	    {100, 51, 50, 20, GUARD_MANY},  /* past it */
	    {30, 20, 50, 20, GUARD_FINE},   /* at the number */
	    {30, 21, 50, 20, GUARD_MANY},   /* past it */
	    {1000, 21, 50, 20, GUARD_FINE}, /* past the number alone */
	    {41, 20, 1, 20, GUARD_FINE},    /* past the percentage alone */
	    {41, 21, 50, 20, GUARD_MANY},   /* 51.2 % */
	    {42, 21, 50, 20, GUARD_FINE},   /* 50 % */
	    {10, 1, 0, 0, GUARD_MANY},      /* nothing is allowed */
	    {100, 99, 100, 0, GUARD_FINE},  /* all but what looks emptied */
	    {100, 99, 101, 0, GUARD_FINE},  /* never by number */
	    {100, 99, 99, 0, GUARD_FINE},   /* at it */
	    {100, 99, 98, 0, GUARD_MANY},   /* past it */
	    {100, 99, 98, 99, GUARD_FINE},  /* at the number */
	    {100, 99, 98, 98, GUARD_MANY},  /* past it */
	    {3, 1, 33, 0, GUARD_MANY},      /* a third is more than 33 % */
	    {3, 1, 34, 0, GUARD_FINE},      /* and less than 34 % */
	    {100000, 50000, 50, 20, GUARD_FINE}, {100000, 50001, 50, 20, GUARD_MANY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mailbox mailbox = {.pairs = rows[i].pairs,
					  .gone[LOCAL] = rows[i].gone,
					  .percent = rows[i].percent,
					  .count = rows[i].count};
		expect(mailbox, rows[i].reason);
		mailbox.deletion = DELETION_TRASH;
		expect(mailbox, rows[i].reason);
	}
}

/* What both have lost is none of what is left: after a move whose UIDs were not told, say. */
static void counts_what_is_left(void **state)
{
	struct mailbox mailbox = usual;

	(void)state;
	mailbox.pairs = 60;
	mailbox.gone[LOCAL] = 24;
	expect(mailbox, GUARD_FINE);
	mailbox.both = 11;
	expect(mailbox, GUARD_FINE);
	mailbox.both = 13;
	expect(mailbox, GUARD_MANY);
	mailbox.both = 30;
	expect(mailbox, GUARD_MANY);
}

/* The only message may go; of two, one; but not both at once. */
static void stops_where_a_side_looks_emptied(void **state)
{
	static const struct {
		size_t pairs, gone;
		enum guard_reason reason;
	} rows[] = {
	    {1, 1, GUARD_FINE},    {2, 1, GUARD_FINE},        {2, 2, GUARD_EMPTIED},
	    {3, 3, GUARD_EMPTIED}, {100, 100, GUARD_EMPTIED}, {20, 20, GUARD_EMPTIED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mailbox mailbox = usual;
		mailbox.pairs = rows[i].pairs;
		mailbox.gone[LOCAL] = rows[i].gone;
		expect(mailbox, rows[i].reason);
		mailbox.percent = 101;
		expect(mailbox, rows[i].reason);
	}
}

/* What a side has lacked for long, kept by the other, does not count as held there. */
static void does_not_count_what_was_kept(void **state)
{
	struct mailbox mailbox = usual;

	(void)state;
	mailbox.pairs = 12;
	mailbox.kept[LOCAL] = 10;
	mailbox.gone[LOCAL] = 2;
	expect(mailbox, GUARD_EMPTIED);
	mailbox.pairs = 11;
	mailbox.gone[LOCAL] = 1;
	expect(mailbox, GUARD_FINE);
}

/* Nothing would be deleted, so nothing is an alarm. */
static void stays_quiet_where_nothing_goes(void **state)
{
	struct mailbox mailbox = usual;

	(void)state;
	expect(mailbox, GUARD_FINE);
	mailbox.pairs = mailbox.both = 100;
	expect(mailbox, GUARD_FINE);
	mailbox.both = 0;
	mailbox.kept[LOCAL] = 100;
	expect(mailbox, GUARD_FINE);
	mailbox.kept[LOCAL] = 0;
	expect(mailbox, GUARD_FINE);
}

/* Both sides lack all, but one message is left on one of them. */
static void takes_what_both_lost_for_no_alarm(void **state)
{
	struct mailbox mailbox = usual;
	struct situation it;

	(void)state;
	mailbox.pairs = 10;
	mailbox.both = 10;
	make(&mailbox, &it);
	guard_check(&it.input, false, &it.plan);
	for (enum side side = LOCAL; side < SIDES; side++)
		assert_int_equal(it.plan.verdict[side].reason, GUARD_FINE);
	assert_int_equal(it.plan.len, 10);
	check_blocked(&it, LOCAL, false);
	unmake(&it);
}

/* Of a mailbox that is gone itself, an empty one is asked about, too. */
static void asks_about_a_mailbox_that_is_gone(void **state)
{
	struct mailbox mailbox = usual;
	struct situation it;

	(void)state;
	make(&mailbox, &it);
	guard_block_gone(&it.input, LOCAL, &it.plan);
	assert_int_equal(it.plan.verdict[REMOTE].reason, GUARD_FINE);
	plan_add(&it.plan, OP_DELETE, REMOTE, RULE_B4_DELETE);
	guard_block_gone(&it.input, LOCAL, &it.plan);
	assert_int_equal(it.plan.verdict[REMOTE].reason, GUARD_GONE);
	assert_true(it.plan.ops[it.plan.len - 1].blocked);
	unmake(&it);
}

/* Each side has its own verdict. */
static void judges_each_side_by_itself(void **state)
{
	struct mailbox mailbox = usual;
	struct situation it;

	(void)state;
	mailbox.pairs = 80;
	mailbox.gone[LOCAL] = 50;
	mailbox.gone[REMOTE] = 10;
	make(&mailbox, &it);
	guard_check(&it.input, false, &it.plan);
	assert_int_equal(it.plan.verdict[REMOTE].reason, GUARD_MANY);
	assert_int_equal(it.plan.verdict[LOCAL].reason, GUARD_FINE);
	check_blocked(&it, REMOTE, true);
	check_blocked(&it, LOCAL, false);
	unmake(&it);
}

static void exempts_trash_junk_and_what_the_user_allowed(void **state)
{
	struct mailbox many = usual, emptied = usual;

	(void)state;
	many.pairs = 100;
	many.gone[LOCAL] = 90;
	emptied.pairs = emptied.gone[LOCAL] = 100;
	for (int i = 0; i < 4; i++) {
		many.is_trash = emptied.is_trash = i == 1;
		many.is_junk = emptied.is_junk = i == 2;
		many.allowed = emptied.allowed = i == 3;
		expect(many, i ? GUARD_FINE : GUARD_MANY);
		expect(emptied, i ? GUARD_FINE : GUARD_EMPTIED);
	}
}

/* A mailbox that is gone takes nothing with it, be it one message. */
static void blocks_all_where_the_mailbox_is_gone(void **state)
{
	(void)state;
	for (enum side gone = LOCAL; gone < SIDES; gone++) {
		struct mailbox mailbox = usual;
		struct situation it;
		mailbox.pairs = mailbox.gone[gone] = 1;
		mailbox.is_junk = true;
		make(&mailbox, &it);
		guard_block_gone(&it.input, gone, &it.plan);
		assert_int_equal(it.plan.verdict[other_side(gone)].reason, GUARD_GONE);
		assert_int_equal(it.plan.verdict[other_side(gone)].deletions, 1);
		assert_int_equal(it.plan.verdict[gone].reason, GUARD_FINE);
		check_blocked(&it, other_side(gone), true);
		unmake(&it);
	}
}

#define MESSAGES 60

/* One of few, much of it unknown, so that many are alike. */
static struct identity draw(uint64_t *seed)
{
	struct identity identity = {.size = SIZE_UNKNOWN, .has_digest = true};

	if (chance_one_in(seed, 2))
		identity.size = 1 + chance_below(seed, 9);
	if (chance_one_in(seed, 3))
		identity.email_id = 1 + chance_below(seed, 9);
	if (chance_one_in(seed, 2))
		identity.message_id = 1 + chance_below(seed, 9);
	if (chance_one_in(seed, 3))
		identity.digest.bytes[0] = (uint8_t)(1 + chance_below(seed, 9));
	return identity;
}

/* As guard-departures.c has it, said of two. */
static bool may_be_one(const struct identity *a, const struct identity *b)
{
	if (a->email_id && b->email_id)
		return a->email_id == b->email_id;
	if (digest_is_known(&a->digest) && digest_is_known(&b->digest))
		return digest_equal(&a->digest, &b->digest);
	if (a->message_id && b->message_id)
		return a->message_id == b->message_id;
	return a->size == SIZE_UNKNOWN || b->size == SIZE_UNKNOWN || a->size == b->size;
}

/* Two mailboxes: what goes from one, and what cannot come to the other, on one side or both. */
static unsigned check_departures(uint64_t seed)
{
	struct pair pairs[MESSAGES];
	struct identity found[MESSAGES];
	struct plan gone = {0}, waits = {0};
	struct planner_box boxes[] = {
	    {.input = {.pairs = pairs, .pairs_len = MESSAGES}, .plan = &gone}, {.plan = &waits}};
	size_t count = chance_below(&seed, 6);
	unsigned blocked = 0;

	for (uint32_t i = 0; i < MESSAGES; i++) {
		const struct identity identity = draw(&seed);
		pairs[i] = pair_of(i + 1, "name", (struct flags){0}, &identity);
		plan_add(&gone, chance_one_in(&seed, 3) ? OP_TRASH : OP_REMOVE,
			 chance_below(&seed, SIDES), RULE_M2_DELETE)
		    ->uid = i + 1;
	}
	for (size_t i = 0; i < count; i++) {
		struct op *op =
		    plan_add(&waits, OP_COPY, chance_below(&seed, SIDES), RULE_M7_COPY);
		found[i] = draw(&seed);
		plan_identify(&waits, op, &found[i]);
		op->blocked = !chance_one_in(&seed, 4);
	}
	guard_block_departures(boxes, 2);
	for (size_t i = 0; i < MESSAGES; i++) {
		const struct identity identity = pair_identity(&pairs[i]);
		bool expected = false;
		for (size_t k = 0; k < count; k++)
			expected |= waits.ops[k].blocked && waits.ops[k].side == gone.ops[i].side &&
				    may_be_one(&identity, &found[k]);
		assert_int_equal(gone.ops[i].blocked, expected);
		blocked += expected;
	}
	plan_free(&gone);
	plan_free(&waits);
	return blocked;
}

/* A removal of what the journal does not know waits for nothing. */
static void has_no_unknown_removal_wait(void **state)
{
	const struct pair pair = {.uid = 5, .name = "name", .size = SIZE_UNKNOWN};
	const struct identity nothing = {.size = SIZE_UNKNOWN};
	struct plan plan = {0};
	const struct planner_box box = {.input = {.pairs = &pair, .pairs_len = 1}, .plan = &plan};

	(void)state;
	struct op *copy = plan_add(&plan, OP_COPY, REMOTE, RULE_M7_COPY);
	plan_identify(&plan, copy, &nothing);
	copy->blocked = true;
	for (uint32_t uid = 4; uid <= 6; uid++)
		plan_add(&plan, OP_REMOVE, REMOTE, RULE_M2_DELETE)->uid = uid;
	guard_block_departures(&box, 1);
	for (size_t i = 1; i < plan.len; i++)
		assert_int_equal(plan.ops[i].blocked, plan.ops[i].uid == pair.uid);
	plan_free(&plan);
}

static void has_removals_wait_for_copies_that_wait(void **state)
{
	unsigned blocked = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 2000; seed++)
		blocked += check_departures(seed);
	assert_true(blocked > 2000 && blocked < 2000 * MESSAGES / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stops_past_both_bounds),
	    cmocka_unit_test(counts_what_is_left),
	    cmocka_unit_test(stops_where_a_side_looks_emptied),
	    cmocka_unit_test(does_not_count_what_was_kept),
	    cmocka_unit_test(stays_quiet_where_nothing_goes),
	    cmocka_unit_test(takes_what_both_lost_for_no_alarm),
	    cmocka_unit_test(asks_about_a_mailbox_that_is_gone),
	    cmocka_unit_test(judges_each_side_by_itself),
	    cmocka_unit_test(exempts_trash_junk_and_what_the_user_allowed),
	    cmocka_unit_test(blocks_all_where_the_mailbox_is_gone),
	    cmocka_unit_test(has_removals_wait_for_copies_that_wait),
	    cmocka_unit_test(has_no_unknown_removal_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
