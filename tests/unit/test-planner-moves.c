// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What holds of plans over several mailboxes, tried on random situations with few different
 * messages in them, so that many are equal: whoever carries them out ends with equal sides and has
 * nothing left to plan, a message moves or is copied only to where its equal is, and each end of a
 * move is used once.
 */
#include "planner-run.h"

#include "base/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SITUATIONS 5000
#define BOXES      3
#define ROWS_MAX   5 /* of a mailbox */
#define LETTERS    4

static struct flags random_flags(uint64_t *seed)
{
	return (struct flags){run_random(seed, 2) ? FLAG_SEEN : 0, 0};
}

/* One message: a pair in any state, or new on one side. */
static struct case_row random_row(uint64_t *seed, size_t box, uint32_t id)
{
	struct case_row row = {.box = box,
			       .id = id,
			       .letter = (char)('A' + run_random(seed, LETTERS)),
			       .paired = run_random(seed, 2),
			       .base = random_flags(seed)};
	unsigned there = row.paired ? run_random(seed, 4) : 1 + run_random(seed, 2);

	for (enum side side = LOCAL; side < SIDES; side++) {
		row.sides[side].there = there & 1u << side;
		row.sides[side].floor = 1;
		if (row.sides[side].there)
			row.sides[side].flags = random_flags(seed);
	}
	return row;
}

/* All is allowed. Some servers tell ids of contents, and some messages have no Message-ID. */
static struct planner_case random_situation(uint64_t seed)
{
	struct planner_case it = case_begin("random", (int)seed, (char *)"seed");

	it.boxes_len = BOXES;
	for (unsigned i = 0; i < LETTERS; i++) {
		it.parts[i][CASE_EMAIL] = run_random(&seed, 2) ? (char)('A' + i) : '\0';
		it.parts[i][CASE_ID] = run_random(&seed, 4) ? '\0' : '-';
	}
	for (size_t box = 0; box < BOXES; box++) {
		static const char *const names[BOXES] = {"A", "B", "C"};
		uint32_t len = run_random(&seed, ROWS_MAX + 1);
		it.boxes[box].name = names[box];
		for (uint32_t id = 1; id <= len; id++)
			*array_push(it.rows, it.len, it.cap) = random_row(&seed, box, id);
	}
	return it;
}

static struct case_row *find_row(struct planner_case *it, size_t box, uint32_t id)
{
	for (size_t i = 0; i < it->len; i++)
		if (it->rows[i].box == box && it->rows[i].id == id)
			return &it->rows[i];
	fail_msg("no such row");
	return NULL;
}

static uint32_t id_of(uint32_t uid, const char *name)
{
	return uid ? uid : (uint32_t)strtoul(name + 1, NULL, 10);
}

/* A row that is over. */
static void end_row(struct case_row *row)
{
	*row = (struct case_row){.box = row->box, .id = row->id};
}

/* V2: the pair goes on under the key of what is new. */
static struct case_row *rename_pair(struct case_row *pair, struct case_row *fresh)
{
	assert_int_equal(pair->letter, fresh->letter);
	for (enum side side = LOCAL; side < SIDES; side++)
		if (!fresh->sides[side].there)
			fresh->sides[side] = pair->sides[side];
	end_row(pair);
	return fresh;
}

/* The row of an operation; of V2 the one that is a pair. */
static struct case_row *row_of(struct planner_case *it, size_t box, const struct op *op)
{
	struct case_row *of_uid = find_row(it, box, id_of(op->uid, op->name));
	struct case_row *of_name = op->name ? find_row(it, box, id_of(0, op->name)) : of_uid;

	if (of_uid == of_name)
		return of_uid;
	struct case_row *pair = of_uid->paired ? of_uid : of_name;
	if (op->kind != OP_PAIR)
		return pair;
	return rename_pair(pair, pair == of_uid ? of_name : of_uid);
}

/* The message is on side now, and a pair. */
static void arrive(struct case_row *row, const struct op *op, struct flags flags)
{
	assert_true(row->sides[other_side(op->side)].there && !row->sides[op->side].there);
	assert_false(row->paired);
	row->sides[op->side].there = row->paired = true;
	row->sides[op->side].flags = flags;
	row->base = op->flags;
}

/* Where it comes from must hold the same. */
static void check_origin(struct planner_case *it, const struct case_row *row, const struct op *op)
{
	const struct case_row *origin =
	    find_row(it, op->target, id_of(op->there.uid, op->there.name));

	assert_int_equal(origin->letter, row->letter);
	/* What is to come itself has the other side's key yet. */
	bool awaited = op->side == LOCAL && !op->there.name;
	assert_true(origin->sides[awaited ? REMOTE : op->side].there);
}

/* Carries one operation out. */
static void apply_op(struct planner_case *it, size_t box, const struct op *op)
{
	struct case_row *row = row_of(it, box, op);
	struct case_side *held = &row->sides[op->side];

	switch (op->kind) {
	case OP_FORGET:
		row->paired = false;
		row->base = (struct flags){0};
		break;
	case OP_AGREE: row->base = op->flags; break;
	case OP_PAIR:
		row->paired = true;
		row->base = op->flags;
		break;
	case OP_FLAG:
		assert_true(held->there);
		held->flags = flags_union(flags_minus(held->flags, op->remove), op->add);
		break;
	case OP_CLONE:
		check_origin(it, row, op);
		arrive(row, op, op->flags);
		break;
	case OP_COPY: arrive(row, op, op->flags); break;
	case OP_MOVE:
		assert_true(row->paired && held->there && !row->sides[other_side(op->side)].there);
		struct case_row *to =
		    find_row(it, op->target, id_of(op->there.uid, op->there.name));
		assert_int_equal(to->letter, row->letter);
		arrive(to, op, held->flags);
		end_row(row);
		break;
	default:
		assert_true(row->paired && held->there && !row->sides[other_side(op->side)].there);
		end_row(row);
	}
}

/* A pair that V1 forgets keeps what there is of it: it was half of a move that was cut short. */
static void count_restored(const struct planner_case *it, const struct planner_run *run,
			   size_t restored[LETTERS])
{
	memset(restored, 0, LETTERS * sizeof(*restored));
	for (size_t box = 0; box < it->boxes_len; box++)
		for (size_t i = 0; i < run->plans[box].len; i++) {
			const struct op *op = &run->plans[box].ops[i];
			if (op->kind == OP_FORGET && op->rule == RULE_V1_MOVE)
				for (size_t k = 0; k < it->len; k++)
					restored[it->rows[k].letter - 'A'] +=
					    it->rows[k].box == box && it->rows[k].id == op->uid;
		}
}

/* Plans and carries out, in the order of sync/apply.c; the number of operations. */
static size_t apply_plans(struct planner_case *it, size_t restored[LETTERS])
{
	static const enum op_kind order[] = {OP_FORGET, OP_CLONE, OP_PAIR, OP_FLAG,
					     OP_AGREE,  OP_MOVE,  OP_COPY, OP_REMOVE};
	struct planner_run run;
	size_t done = 0, planned = 0;

	planner_run(it, 0, &run);
	if (restored)
		count_restored(it, &run, restored);
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		for (size_t box = 0; box < it->boxes_len; box++)
			for (size_t k = 0; k < run.plans[box].len; k++)
				if (run.plans[box].ops[k].kind == order[i]) {
					apply_op(it, box, &run.plans[box].ops[k]);
					done++;
				}
	for (size_t box = 0; box < it->boxes_len; box++)
		planned += run.plans[box].len;
	assert_int_equal(done, planned);
	planner_run_free(&run);
	return done;
}

static void check_even(const struct planner_case *it)
{
	for (size_t i = 0; i < it->len; i++) {
		const struct case_row *row = &it->rows[i];
		assert_int_equal(row->sides[LOCAL].there, row->sides[REMOTE].there);
		assert_int_equal(row->sides[LOCAL].there, row->paired);
		assert_true(flags_equal(row->sides[LOCAL].flags, row->sides[REMOTE].flags));
		assert_true(flags_equal(row->sides[LOCAL].flags, row->base));
	}
}

static void makes_the_sides_equal(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SITUATIONS; seed++) {
		struct planner_case it = random_situation(seed);
		apply_plans(&it, NULL);
		check_even(&it);
		if (apply_plans(&it, NULL))
			fail_msg("seed %u: a second plan is not empty", (unsigned)seed);
		free(it.rows);
	}
}

/* How many of each message a user put somewhere, or left, on either side. */
static void count_kept(const struct planner_case *it, size_t counts[LETTERS])
{
	memset(counts, 0, LETTERS * sizeof(*counts));
	for (size_t i = 0; i < it->len; i++) {
		const struct case_row *row = &it->rows[i];
		bool both = row->sides[LOCAL].there && row->sides[REMOTE].there;
		bool one = row->sides[LOCAL].there || row->sides[REMOTE].there;
		if (both || (one && !row->paired))
			counts[row->letter - 'A']++;
	}
}

/* What nobody deleted is there afterwards, as often as before. */
static void keeps_what_nobody_deleted(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SITUATIONS; seed++) {
		struct planner_case it = random_situation(seed);
		size_t before[LETTERS], after[LETTERS], restored[LETTERS];
		count_kept(&it, before);
		apply_plans(&it, restored);
		count_kept(&it, after);
		for (size_t i = 0; i < LETTERS; i++)
			assert_int_equal(before[i] + restored[i], after[i]);
		free(it.rows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(makes_the_sides_equal),
	    cmocka_unit_test(keeps_what_nobody_deleted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
