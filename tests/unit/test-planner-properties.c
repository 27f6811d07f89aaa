// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What holds of every plan, tried on random situations: who carries it out has nothing left to
 * plan, what is allowed on both sides makes them equal, the sides are treated alike, no plan
 * deletes what the journal does not show to have been on both sides, and each flag is decided by
 * itself.
 */
#include "planner-run.h"

#include "base/alloc.h"
#include "base/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SITUATIONS 3000
#define ROWS_MAX   30

/* Any of four keywords. */
static uint32_t random_keywords(uint64_t *seed)
{
	static const char *const names[] = {"Work", "$Junk", "later", "NonJunk"};
	uint32_t set = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!run_random(seed, 3))
			set = keywords_union(set, keywords_of(names[i], strlen(names[i])));
	return set;
}

static struct flags random_flags(uint64_t *seed)
{
	return (struct flags){run_random(seed, FLAG_ALL + 1), random_keywords(seed)};
}

/* Any way in which a side can be short of room. */
static struct flag_room random_room(uint64_t *seed)
{
	return (struct flag_room){.bits = run_random(seed, FLAG_ALL + 1),
				  .any_keyword = run_random(seed, 2),
				  .mute = run_random(seed, 2),
				  .keywords = random_keywords(seed),
				  .refused = run_random(seed, 2) ? random_keywords(seed) : 0};
}

/* One message in any state in which it can be. */
static struct case_row random_row(uint64_t *seed, uint32_t id)
{
	struct case_row row = {.id = id, .paired = run_random(seed, 3) > 0};
	unsigned there = run_random(seed, row.paired ? 6 : 3) + !row.paired;

	/* 0: on neither side; 1, 2: on one; from 3 on: on both. */
	for (enum side side = LOCAL; side < SIDES; side++) {
		struct case_side *held = &row.sides[side];
		held->there = there >= 3 || there == 1u + side;
		held->floor = 1;
		if (held->there)
			held->flags = random_flags(seed);
		if (there == 1u + side && !row.paired)
			held->refused = !run_random(seed, 4);
	}
	if (row.paired) {
		row.base = random_flags(seed);
		if (!run_random(seed, 4))
			row.gone = 1u << run_random(seed, 2);
	}
	return row;
}

/* A situation; its rows are freed by free_situation. */
static struct planner_case random_situation(uint64_t seed, bool all_allowed)
{
	struct planner_case it = case_begin("random", (int)seed, (char *)"seed");
	size_t len = 1 + run_random(&seed, ROWS_MAX);

	for (enum side side = LOCAL; side < SIDES; side++) {
		if (all_allowed)
			continue;
		it.policy.change[side] = run_random(&seed, CHANGE_ALL + 1);
		it.policy.deletion[side] = run_random(&seed, 3);
		if (!run_random(&seed, 2))
			it.permanent[side] = random_room(&seed);
	}
	it.boxes[0].is_trash = !run_random(&seed, 4);
	for (size_t i = 0; i < len; i++)
		*array_push(it.rows, it.len, it.cap) = random_row(&seed, (uint32_t)i + 1);
	/* A side does not show what it cannot keep. */
	for (size_t i = 0; i < it.len; i++)
		for (enum side side = LOCAL; side < SIDES; side++)
			it.rows[i].sides[side].flags.bits &= it.permanent[side].bits;
	return it;
}

static struct case_row *row_of(struct planner_case *it, const struct op *op)
{
	uint32_t id = op->uid ? op->uid : (uint32_t)strtoul(op->name + 1, NULL, 10);

	assert_in_range(id, 1, it->len);
	return &it->rows[id - 1];
}

/* A row that is over. */
static void end_row(struct case_row *row)
{
	*row = (struct case_row){.id = row->id};
}

/* Carries one operation out. */
static void apply_op(struct planner_case *it, const struct op *op)
{
	struct case_row *row = row_of(it, op);
	struct case_side *held = &row->sides[op->side];

	switch (op->kind) {
	case OP_FORGET:
		assert_false(row->sides[LOCAL].there || row->sides[REMOTE].there);
		end_row(row);
		break;
	case OP_AGREE:
		row->base = op->flags;
		row->gone = op->gone;
		break;
	case OP_PAIR:
		row->paired = true;
		row->base = op->flags;
		break;
	case OP_FLAG:
		assert_true(held->there);
		assert_true(flags_equal(
		    op->add, flags_reach((struct flags){0}, op->add, &it->permanent[op->side])));
		assert_true(it->policy.change[op->side] & CHANGE_FLAGS);
		held->flags = flags_union(flags_minus(held->flags, op->remove), op->add);
		break;
	case OP_COPY:
		assert_false(held->there || row->paired);
		assert_true(it->policy.change[op->side] & CHANGE_NEW);
		held->there = row->paired = true;
		held->flags = flags_reach((struct flags){0}, op->flags, &it->permanent[op->side]);
		row->base = held->flags;
		break;
	default:
		/* Nothing goes that was not on both sides, or that nobody removed. */
		assert_true(row->paired && held->there && !row->sides[other_side(op->side)].there);
		assert_true(it->policy.change[op->side] & CHANGE_DELETIONS);
		assert_int_not_equal(it->policy.deletion[op->side], DELETION_KEEP);
		assert_int_equal(op->kind == OP_TRASH,
				 it->policy.deletion[op->side] == DELETION_TRASH &&
				     !it->boxes[0].is_trash);
		end_row(row);
	}
}

/* Plans and carries out; the number of operations. */
static size_t apply_plan(struct planner_case *it)
{
	struct planner_run run;
	size_t len;

	planner_run(it, 0, &run);
	len = run.plans[0].len;
	for (size_t i = 0; i < len; i++)
		apply_op(it, &run.plans[0].ops[i]);
	planner_run_free(&run);
	return len;
}

/* Whatever is allowed: the second plan is empty. */
static void leaves_nothing_to_plan(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SITUATIONS; seed++) {
		struct planner_case it = random_situation(seed, false);
		apply_plan(&it);
		if (apply_plan(&it))
			fail_msg("seed %llu: a second plan is not empty", (unsigned long long)seed);
		free(it.rows);
	}
}

/* Where all is allowed both sides end equal, and the journal knows it. */
static void makes_the_sides_equal(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SITUATIONS; seed++) {
		struct planner_case it = random_situation(seed, true);
		for (size_t i = 0; i < it.len; i++) {
			it.rows[i].gone = 0;
			it.rows[i].sides[LOCAL].refused = it.rows[i].sides[REMOTE].refused = false;
		}
		apply_plan(&it);
		for (size_t i = 0; i < it.len; i++) {
			const struct case_row *row = &it.rows[i];
			assert_int_equal(row->sides[LOCAL].there, row->sides[REMOTE].there);
			assert_int_equal(row->sides[LOCAL].there, row->paired);
			assert_true(flags_equal(row->sides[LOCAL].flags, row->sides[REMOTE].flags));
			assert_true(flags_equal(row->sides[LOCAL].flags, row->base));
		}
		free(it.rows);
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sides exchanged before planning, or operations after it: the same. */
static void treats_the_sides_alike(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SITUATIONS; seed++) {
		struct planner_case it = random_situation(seed, false);
		struct arena arena = {0};
		struct planner_case swapped = case_swap(&it, &arena);
		struct planner_run one, two;
		planner_run(&it, 0, &one);
		planner_run(&swapped, seed, &two);
		assert_int_equal(one.len, two.len);
		assert_int_equal(one.plans[0].refused, two.plans[0].refused);
		for (size_t i = 0; i < one.len; i++)
			one.lines[i] = case_swap_text(one.lines[i], &arena);
		if (one.len)
			qsort(one.lines, one.len, sizeof(*one.lines), compare_lines);
		for (size_t i = 0; i < one.len; i++)
			assert_string_equal(one.lines[i], two.lines[i]);
		planner_run_free(&one);
		planner_run_free(&two);
		arena_free(&arena);
		free(it.rows);
	}
}

/* One flag of one message, as whole numbers: what is done to it on each side, and the journal. */
struct bit_plan {
	int change[SIDES]; /* 1: set, -1: cleared */
	bool base;
};

/* The three-way merge of one flag, from first principles. */
static struct bit_plan plan_bit(const struct planner_case *it, const struct case_row *row,
				uint32_t flag)
{
	struct bit_plan out = {.base = row->base.bits & flag};
	bool end[SIDES], merged = out.base;

	for (enum side side = LOCAL; side < SIDES; side++) {
		end[side] = row->sides[side].flags.bits & flag;
		if (!(it->permanent[side].bits & flag))
			end[side] = out.base;
		if (end[side] != out.base)
			merged = end[side];
	}
	for (enum side side = LOCAL; side < SIDES; side++) {
		if (!(it->policy.change[side] & CHANGE_FLAGS))
			continue;
		if (it->permanent[side].bits & flag && end[side] != merged)
			out.change[side] = merged ? 1 : -1;
		/* Where there is no room for it, it stays as agreed. */
		end[side] = it->permanent[side].bits & flag ? merged : row->base.bits & flag;
	}
	if (end[LOCAL] == end[REMOTE])
		out.base = end[LOCAL];
	/* What was lost with the room for it is not agreed any more where the other side has it. */
	for (enum side side = LOCAL; side < SIDES; side++)
		out.base &= it->permanent[side].bits & flag || row->sides[side].flags.bits & flag ||
			    !(row->sides[other_side(side)].flags.bits & flag);
	return out;
}

/* Nothing that a side has no room for is asked of it, and no keyword goes that nobody took away. */
static void check_keywords(const struct planner_case *it, const struct case_row *row,
			   const struct op *flag[SIDES], uint32_t base)
{
	for (enum side side = LOCAL; side < SIDES; side++) {
		const struct case_side *held = &row->sides[side],
				       *other = &row->sides[other_side(side)];
		if (!flag[side])
			continue;
		assert_int_equal(
		    keywords_intersect(flag[side]->add.keywords, it->permanent[side].refused), 0);
		assert_int_equal(keywords_minus(flag[side]->remove.keywords, held->flags.keywords),
				 0);
		/* What goes was agreed on, and the other side no longer shows it. */
		assert_int_equal(keywords_minus(flag[side]->remove.keywords, row->base.keywords),
				 0);
		assert_int_equal(
		    keywords_intersect(flag[side]->remove.keywords, other->flags.keywords), 0);
	}
	/* What both show is agreed on; what the journal forgets one of them does not show. */
	uint32_t both =
	    keywords_intersect(row->sides[LOCAL].flags.keywords, row->sides[REMOTE].flags.keywords);
	assert_int_equal(keywords_minus(both, base), 0);
}

/* The operations of one row, held against its flags one by one. */
static void check_flags(const struct planner_case *it, const struct case_row *row,
			const struct planner_run *run)
{
	const struct op *flag[SIDES] = {NULL}, *agree = NULL;

	for (size_t i = 0; i < run->plans[0].len; i++) {
		const struct op *op = &run->plans[0].ops[i];
		if (op->uid == row->id && op->kind == OP_FLAG)
			flag[op->side] = op;
		else if (op->uid == row->id && op->kind == OP_AGREE)
			agree = op;
	}
	for (uint32_t bit = 1; bit <= FLAG_ALL; bit <<= 1) {
		struct bit_plan expected = plan_bit(it, row, bit);
		for (enum side side = LOCAL; side < SIDES; side++) {
			bool add = flag[side] && flag[side]->add.bits & bit;
			bool remove = flag[side] && flag[side]->remove.bits & bit;
			assert_int_equal(add - remove, expected.change[side]);
			assert_false(add && remove);
		}
		bool base = (agree ? agree->flags.bits : row->base.bits) & bit;
		assert_int_equal(base, expected.base);
	}
	check_keywords(it, row, flag, agree ? agree->flags.keywords : row->base.keywords);
}

static void decides_each_flag_by_itself(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SITUATIONS; seed++) {
		struct planner_case it = random_situation(seed, false);
		struct planner_run run;
		planner_run(&it, 0, &run);
		for (size_t i = 0; i < it.len; i++)
			if (it.rows[i].paired && it.rows[i].sides[LOCAL].there &&
			    it.rows[i].sides[REMOTE].there)
				check_flags(&it, &it.rows[i], &run);
		planner_run_free(&run);
		free(it.rows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(leaves_nothing_to_plan),
	    cmocka_unit_test(makes_the_sides_equal),
	    cmocka_unit_test(treats_the_sides_alike),
	    cmocka_unit_test(decides_each_flag_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
