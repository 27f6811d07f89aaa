// SPDX-License-Identifier: GPL-3.0-or-later
#include "planner-run.h"

#include "base/alloc.h"
#include "base/array.h"
#include "sync/planner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* All that the planner is given of one case. */
struct inputs {
	struct arena arena;
	size_t *order; /* of the rows */
	struct pair *pairs;
	struct snapshot sides[SIDES];
	struct match *matches;
	struct journal_note *notes;
	size_t pairs_len, matches_len, notes_len;
};

/* Numbers by splitmix64: the same everywhere, so that a seed tells a run. */
uint32_t run_random(uint64_t *state, uint32_t limit)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) >> 32) % limit;
}

/* Puts indexes into an order that the seed decides. */
static void shuffle(size_t *order, size_t len, uint64_t *seed)
{
	for (size_t i = 0; i < len; i++)
		order[i] = i;
	for (size_t i = len; *seed && i > 1; i--) {
		size_t other = run_random(seed, (uint32_t)i), kept = order[i - 1];
		order[i - 1] = order[other];
		order[other] = kept;
	}
}

/* What identifies a row's message on a side; the sides differ in the date, so that it is seen whose
 * identity an operation carries. */
static struct identity identity_of(const struct case_row *row, enum side side)
{
	return (struct identity){.size = 1000 + row->id,
				 .date = (int64_t)row->id * 10 + side,
				 .message_id = row->id + 7,
				 .has_message_id = true};
}

/* One row that the journal holds. */
static void add_pair(struct inputs *in, const struct case_row *row)
{
	in->pairs[in->pairs_len] = (struct pair){.uid = row->id,
						 .flags = row->base,
						 .gone = row->gone,
						 .name = arena_printf(&in->arena, "m%u", row->id)};
	for (enum side side = LOCAL; side < SIDES; side++)
		in->sides[side].known[in->pairs_len] =
		    (struct presence){.flags = row->sides[side].flags,
				      .present = row->sides[side].there,
				      .seen = row->sides[side].there};
	in->pairs_len++;
}

/* A refusal that is noted of a message, and one that is noted of a message of the other side that
 * happens to be called the same. */
static void add_notes(struct inputs *in, const struct case_row *row, enum side side)
{
	for (enum side of = LOCAL; of < SIDES; of++) {
		if (of == side && !row->sides[side].refused)
			continue;
		struct journal_note *note = &in->notes[in->notes_len++];
		*note = (struct journal_note){.kind = JOURNAL_REFUSED, .side = of};
		if (of == REMOTE)
			note->uid = row->id;
		else
			note->name = arena_printf(&in->arena, "m%u", row->id);
	}
}

/* One row that the journal does not hold. */
static void add_fresh(struct inputs *in, const struct case_row *row)
{
	size_t index[SIDES] = {0};

	for (enum side side = LOCAL; side < SIDES; side++) {
		const struct case_side *held = &row->sides[side];
		struct snapshot *snapshot = &in->sides[side];
		if (!held->there)
			continue;
		struct fresh_message *fresh = &snapshot->fresh[snapshot->fresh_len];
		index[side] = snapshot->fresh_len++;
		fresh->state.flags = held->flags;
		fresh->state.identity = identity_of(row, side);
		fresh->base = held->remembered;
		fresh->floor = held->floor;
		fresh->ghost = held->ghost;
		if (side == REMOTE)
			fresh->state.key.uid = row->id;
		else
			fresh->state.key.name = arena_printf(&in->arena, "m%u", row->id);
		if (!row->sides[other_side(side)].there)
			add_notes(in, row, side);
	}
	if (row->sides[LOCAL].there && row->sides[REMOTE].there) {
		struct match *match = &in->matches[in->matches_len++];
		match->index[LOCAL] = index[LOCAL];
		match->index[REMOTE] = index[REMOTE];
	}
}

/* Makes the inputs; each kind in an order of its own. */
static void make_inputs(const struct planner_case *it, uint64_t seed, struct inputs *in)
{
	*in = (struct inputs){.order = xcalloc(it->len + 1, sizeof(*in->order)),
			      .pairs = xcalloc(it->len + 1, sizeof(*in->pairs)),
			      .matches = xcalloc(it->len + 1, sizeof(*in->matches)),
			      .notes = xcalloc(4 * it->len + 1, sizeof(*in->notes))};
	for (enum side side = LOCAL; side < SIDES; side++)
		in->sides[side] = (struct snapshot){
		    .side = side,
		    .permanent = it->permanent[side],
		    .known = xcalloc(it->len + 1, sizeof(*in->sides[side].known)),
		    .fresh = xcalloc(it->len + 1, sizeof(*in->sides[side].fresh)),
		};
	shuffle(in->order, it->len, &seed);
	for (size_t i = 0; i < it->len; i++)
		if (it->rows[in->order[i]].paired)
			add_pair(in, &it->rows[in->order[i]]);
	shuffle(in->order, it->len, &seed);
	for (size_t i = 0; i < it->len; i++)
		if (!it->rows[in->order[i]].paired)
			add_fresh(in, &it->rows[in->order[i]]);
	in->sides[LOCAL].known_len = in->sides[REMOTE].known_len = in->pairs_len;
}

static void free_inputs(struct inputs *in)
{
	for (enum side side = LOCAL; side < SIDES; side++)
		snapshot_free(&in->sides[side]);
	free(in->order);
	free(in->pairs);
	free(in->matches);
	free(in->notes);
	arena_free(&in->arena);
}

/* "FS*Work", or "." for none. */
static const char *flags_text(struct arena *arena, struct flags flags)
{
	char letters[FLAGS_LETTERS_MAX];
	const char *text;

	flags_letters(flags, letters);
	text = letters;
	for (size_t i = 0; i < keywords_count(flags.keywords); i++)
		text = arena_printf(arena, "%s*%s", text, keywords_name(flags.keywords, i));
	return *text ? arena_strdup(arena, text) : ".";
}

/* " +FS*Work", or "" for none. */
static const char *change_text(struct arena *arena, const char *sign, struct flags flags)
{
	const struct flags none = {0};

	return flags_equal(flags, none)
		   ? ""
		   : arena_printf(arena, " %s%s", sign, flags_text(arena, flags));
}

/* One operation as a line, without its row. */
static char *op_text(const struct op *op, struct arena *arena)
{
	const char *rule = rule_name(op->rule), *name = op_name(op->kind);

	switch (op->kind) {
	case OP_FORGET: return arena_printf(arena, "%s %s", rule, name);
	case OP_AGREE:
		return arena_printf(arena, "%s %s %s%s%s", rule, name, flags_text(arena, op->flags),
				    op->gone & 1u << LOCAL ? "!L" : "",
				    op->gone & 1u << REMOTE ? "!R" : "");
	case OP_PAIR:
		return arena_printf(arena, "%s %s %s", rule, name, flags_text(arena, op->flags));
	case OP_COPY:
		return arena_printf(arena, "%s %s %s %s", rule, name, side_name(op->side),
				    flags_text(arena, op->flags));
	case OP_FLAG:
		return arena_printf(arena, "%s %s %s%s%s", rule, name, side_name(op->side),
				    change_text(arena, "+", op->add),
				    change_text(arena, "-", op->remove));
	default: return arena_printf(arena, "%s %s %s", rule, name, side_name(op->side));
	}
}

/* The row that an operation is about, by its UID or else its name. */
static const struct case_row *row_of(const struct planner_case *it, const struct op *op)
{
	uint32_t id = op->uid ? op->uid : (uint32_t)strtoul(op->name + 1, NULL, 10);

	for (size_t i = 0; i < it->len; i++)
		if (it->rows[i].id == id)
			return &it->rows[i];
	fail_msg("%s: an operation on message %u, which is in no row", it->title, id);
	return NULL;
}

/* What is not in its line: which message, and what is known of it. */
static void check_op(const struct case_row *row, const struct op *op)
{
	char name[16];

	snprintf(name, sizeof(name), "m%u", row->id);
	assert_false(op->blocked);
	if (op->kind != OP_COPY || op->side == LOCAL)
		assert_int_equal(op->uid, row->id);
	if (op->kind != OP_COPY || op->side == REMOTE)
		assert_string_equal(op->name, name);
	if (op->kind != OP_COPY && op->kind != OP_PAIR)
		return;
	/* A pair has the server's date, which no later run can change. */
	enum side of = op->kind == OP_PAIR ? REMOTE : other_side(op->side);
	struct identity expected = identity_of(row, of);
	assert_memory_equal(&op->identity, &expected, sizeof(expected));
}

/*
 * The order that apply relies on: a pair is made before anything else is done to it, and the
 * journal agrees on flags after they were set.
 */
static void check_order(const struct plan *plan, size_t index)
{
	const struct op *op = &plan->ops[index];

	for (size_t i = index + 1; i < plan->len; i++) {
		const struct op *later = &plan->ops[i];
		if (!op->uid || later->uid != op->uid)
			continue;
		assert_int_not_equal(later->kind, OP_PAIR);
		if (op->kind == OP_AGREE)
			assert_int_not_equal(later->kind, OP_FLAG);
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void planner_run(const struct planner_case *it, uint64_t seed, struct planner_run *run)
{
	struct inputs in;

	*run = (struct planner_run){0};
	run->plan.arena = &run->arena;
	make_inputs(it, seed, &in);
	const struct planner_input input = {
	    .policy = &it->policy,
	    .pairs = in.pairs,
	    .pairs_len = in.pairs_len,
	    .notes = in.notes,
	    .notes_len = in.notes_len,
	    .sides = {&in.sides[LOCAL], &in.sides[REMOTE]},
	    .matches = in.matches,
	    .matches_len = in.matches_len,
	    .is_trash = it->is_trash,
	    .is_junk = it->is_junk,
	};
	planner_messages(&input, &run->plan);
	for (size_t i = 0; i < run->plan.len; i++) {
		struct op *op = &run->plan.ops[i];
		const struct case_row *row = row_of(it, op);
		if (op->name)
			op->name = arena_strdup(&run->arena, op->name);
		check_op(row, op);
		check_order(&run->plan, i);
		*array_push(run->lines, run->len, run->cap) =
		    arena_printf(&run->arena, "%u: %s", row->id, op_text(op, &run->arena));
	}
	if (run->len)
		qsort(run->lines, run->len, sizeof(*run->lines), compare_lines);
	free_inputs(&in);
}

void planner_run_free(struct planner_run *run)
{
	plan_free(&run->plan);
	free(run->lines);
	arena_free(&run->arena);
}

char **case_lines(const struct planner_case *it, struct arena *arena, size_t *len)
{
	char **lines = NULL;
	size_t cap = 0;

	*len = 0;
	for (size_t i = 0; i < it->len; i++)
		for (size_t k = 0; k < it->rows[i].expected_len; k++)
			*array_push(lines, *len, cap) =
			    arena_printf(arena, "%u: %s", it->rows[i].id, it->rows[i].expected[k]);
	if (*len)
		qsort(lines, *len, sizeof(*lines), compare_lines);
	return lines;
}
