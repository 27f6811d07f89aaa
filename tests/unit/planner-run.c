// SPDX-License-Identifier: GPL-3.0-or-later
#include "planner-run.h"

#include "base/alloc.h"
#include "base/array.h"
#include "sync/guard.h"
#include "sync/planner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* All that the planner is given of one mailbox. */
struct inputs {
	struct arena arena;
	const struct planner_case *it;
	size_t *order; /* of the rows */
	size_t len;
	struct pair *pairs;
	struct snapshot sides[SIDES];
	struct match *matches;
	struct journal_note *notes;
	struct pair *former;
	size_t pairs_len, matches_len, notes_len, former_len;
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
	for (size_t i = len; *seed && i > 1; i--) {
		size_t other = run_random(seed, (uint32_t)i), kept = order[i - 1];
		order[i - 1] = order[other];
		order[other] = kept;
	}
}

/* What a row's message is known by, all of it. Of one of its own the sides differ in the date, so
 * that it is seen whose identity an operation carries. */
static struct identity identity_whole(const struct planner_case *it, const struct case_row *row,
				      enum side side)
{
	struct identity whole = {.has_message_id = true, .has_digest = true};
	uint32_t part[CASE_PARTS];

	for (unsigned i = 0; i < CASE_PARTS; i++) {
		char whose = row->letter ? it->parts[row->letter - 'A'][i] : '\0';
		if (i == CASE_EMAIL && !whose)
			whose = '-';
		part[i] = 100 * (uint32_t)(whose ? whose : row->letter);
		if (!row->letter)
			part[i] = 100000 + 100 * ((uint32_t)row->box * 1000 + row->id);
		if (whose == '-')
			part[i] = 0;
	}
	whole.size = part[CASE_SIZE];
	whole.date = part[CASE_DATE] + (row->letter ? 0 : side);
	whole.message_id = part[CASE_ID];
	whole.email_id = part[CASE_EMAIL];
	memcpy(whole.digest.bytes, &part[CASE_DIGEST], sizeof(part[CASE_DIGEST]));
	return whole;
}

/* What a side tells of it: only files are read, and only a server has ids. */
static struct identity identity_of(const struct planner_case *it, const struct case_row *row,
				   enum side side)
{
	struct identity identity = identity_whole(it, row, side);

	if (side == LOCAL) {
		identity.email_id = 0;
		return identity;
	}
	identity.has_digest = false;
	identity.digest = (struct digest){0};
	return identity;
}

/* A row as a journal's pair. */
static struct pair pair_of_row(struct inputs *in, const struct case_row *row)
{
	const struct identity whole = identity_whole(in->it, row, REMOTE);

	return (struct pair){.uid = row->id,
			     .flags = row->base,
			     .gone = row->gone,
			     .name = arena_printf(&in->arena, "m%u", row->id),
			     .size = whole.size,
			     .date = whole.date,
			     .message_id = whole.message_id,
			     .email_id = whole.email_id,
			     .digest = whole.digest};
}

/* One row that the journal held before it was reset. */
static void add_former(struct inputs *in, const struct case_row *row)
{
	struct pair *former = &in->former[in->former_len++];

	*former = pair_of_row(in, row);
	former->flags = row->sides[LOCAL].remembered;
	former->gone = row->sides[LOCAL].gone;
}

/* One row that the journal holds. */
static void add_pair(struct inputs *in, const struct case_row *row)
{
	in->pairs[in->pairs_len] = pair_of_row(in, row);
	for (enum side side = LOCAL; side < SIDES; side++)
		in->sides[side].known[in->pairs_len] =
		    (struct presence){.flags = row->sides[side].flags,
				      .present = row->sides[side].there,
				      .seen = row->sides[side].there};
	if (row->removing)
		in->notes[in->notes_len++] =
		    (struct journal_note){.kind = JOURNAL_REMOVING, .side = REMOTE, .uid = row->id};
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

	if (row->sides[LOCAL].former)
		add_former(in, row);
	for (enum side side = LOCAL; side < SIDES; side++) {
		const struct case_side *held = &row->sides[side];
		struct snapshot *snapshot = &in->sides[side];
		if (!held->there)
			continue;
		struct fresh_message *fresh = &snapshot->fresh[snapshot->fresh_len];
		index[side] = snapshot->fresh_len++;
		fresh->state.flags = held->flags;
		fresh->state.identity = held->former ? identity_whole(in->it, row, REMOTE)
						     : identity_of(in->it, row, side);
		fresh->base = held->remembered;
		fresh->floor = held->floor;
		fresh->ghost = held->ghost;
		fresh->former = held->former && !held->gone;
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

/*
 * Makes the inputs of one mailbox: pairs as a journal gives them, all else in an order of its own.
 */
static void make_inputs(const struct planner_case *it, size_t box, uint64_t *seed,
			struct inputs *in)
{
	*in = (struct inputs){.it = it,
			      .order = xcalloc(it->len + 1, sizeof(*in->order)),
			      .pairs = xcalloc(it->len + 1, sizeof(*in->pairs)),
			      .matches = xcalloc(it->len + 1, sizeof(*in->matches)),
			      .notes = xcalloc(4 * it->len + 1, sizeof(*in->notes)),
			      .former = xcalloc(it->len + 1, sizeof(*in->former))};
	for (enum side side = LOCAL; side < SIDES; side++)
		in->sides[side] = (struct snapshot){
		    .side = side,
		    .permanent = it->permanent[side],
		    .known = xcalloc(it->len + 1, sizeof(*in->sides[side].known)),
		    .fresh = xcalloc(it->len + 1, sizeof(*in->sides[side].fresh)),
		};
	for (size_t i = 0; i < it->len; i++)
		if (it->rows[i].box == box && it->rows[i].paired)
			add_pair(in, &it->rows[i]);
		else if (it->rows[i].box == box)
			in->order[in->len++] = i;
	shuffle(in->order, in->len, seed);
	for (size_t i = 0; i < in->len; i++)
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
	free(in->former);
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

/* The row of that id in a mailbox, or NULL. */
static const struct case_row *find_row(const struct planner_case *it, size_t box, uint32_t id)
{
	for (size_t i = 0; i < it->len; i++)
		if (it->rows[i].box == box && it->rows[i].id == id)
			return &it->rows[i];
	return NULL;
}

/* The rows that an operation is about: one, or with V2 the one that is left, and as what it is to
 * be found. */
struct op_rows {
	const struct case_row *row;
	const struct case_row *as; /* or NULL */
};

static uint32_t id_of_name(const char *name)
{
	return (uint32_t)strtoul(name + 1, NULL, 10);
}

/* By its UID and its name. */
static struct op_rows rows_of(const struct planner_case *it, size_t box, const struct op *op)
{
	uint32_t uid = op->uid ? op->uid : id_of_name(op->name);
	uint32_t name = op->name ? id_of_name(op->name) : uid;
	const struct case_row *of_uid = find_row(it, box, uid);
	const struct case_row *of_name = find_row(it, box, name);

	if (!of_uid || !of_name)
		fail_msg("%s: an operation on message %u, m%u, which is in no row", it->title, uid,
			 name);
	if (of_uid == of_name)
		return (struct op_rows){.row = of_uid};
	/* The key that is new is that of the side where it arrived. */
	assert_int_equal(op->rule, RULE_V2_RENAME);
	/* Half of a move that was cut short is a pair, too: its file counts as new. */
	assert_true(of_uid->paired || of_name->paired);
	const struct op_rows rows = of_uid->paired ? (struct op_rows){of_uid, of_name}
						   : (struct op_rows){of_name, of_uid};
	assert_true(rows.as->sides[of_uid->paired ? LOCAL : REMOTE].there);
	return rows;
}

/* What a move arrives as, or what is copied. */
static const struct case_row *there_row(const struct planner_case *it, const struct op *op,
					const size_t *order)
{
	uint32_t id = op->there.name ? id_of_name(op->there.name) : op->there.uid;
	const struct case_row *there = find_row(it, order[op->target], id);
	/* What is copied may be on its way itself: then it has the other side's key. */
	bool by_name = (op->side == LOCAL) == (op->kind == OP_CLONE);
	bool awaited = op->kind == OP_CLONE && op->side == LOCAL && !op->there.name;
	enum side side = awaited || !by_name ? REMOTE : LOCAL;

	if (!there || !there->sides[side].there || (side == LOCAL) != (op->there.name != NULL))
		fail_msg("%s: a move to, or a copy of, message %u, which is not there", it->title,
			 id);
	return there;
}

/* " -> Work/7 FS", " <- Work/7 FS had S redate": the other end. */
static const char *end_text(const struct planner_case *it, const struct op *op,
			    const size_t *order, struct arena *arena)
{
	const char *had = "";

	if (op->kind != OP_MOVE && op->kind != OP_CLONE)
		return "";
	if (op->kind == OP_CLONE && !flags_equal(op->had, op->flags))
		had = arena_printf(arena, " had %s", flags_text(arena, op->had));
	return arena_printf(arena, " %s %s %s%s%s", op->kind == OP_MOVE ? "->" : "<-",
			    case_row_name(it, there_row(it, op, order), arena),
			    flags_text(arena, op->flags), had,
			    op->redate ? " redate" : "");
}

/* What is to be done, in words. */
static const char *deed_text(const struct op *op, struct arena *arena)
{
	switch (op->kind) {
	case OP_FORGET: return "";
	case OP_PAIR: return arena_printf(arena, " %s", flags_text(arena, op->flags));
	case OP_AGREE:
		return arena_printf(arena, " %s%s%s", flags_text(arena, op->flags),
				    op->gone & 1u << LOCAL ? "!L" : "",
				    op->gone & 1u << REMOTE ? "!R" : "");
	case OP_COPY:
		return arena_printf(arena, " %s %s", side_name(op->side),
				    flags_text(arena, op->flags));
	case OP_FLAG:
		return arena_printf(arena, " %s%s%s", side_name(op->side),
				    change_text(arena, "+", op->add),
				    change_text(arena, "-", op->remove));
	default: return arena_printf(arena, " %s", side_name(op->side));
	}
}

/* One operation as a line. */
static char *op_text(const struct planner_case *it, const struct op *op,
		     const struct op_rows *rows, const size_t *order, struct arena *arena)
{
	const char *as = "";

	if (rows->as)
		as = arena_printf(arena, " as %u", rows->as->id);
	return arena_printf(arena, "%s: %s %s%s%s%s%s", case_row_name(it, rows->row, arena),
			    rule_name(op->rule), op_name(op->kind), deed_text(op, arena),
			    end_text(it, op, order, arena), as,
			    op->blocked ? " blocked" : "");
}

/* What is not in its line: which message, and what is known of it. */
static void check_op(const struct planner_case *it, const struct op_rows *rows,
		     const struct op *op, const size_t *order)
{
	const struct case_row *row = rows->row;
	/* Flags where a move arrives: the other side's key is not known yet. */
	bool arrives = op->kind == OP_FLAG && op->rule == RULE_V1_MOVE && !(op->uid && op->name);
	struct identity expected = {0};

	bool comes = op->kind == OP_COPY || op->kind == OP_CLONE;
	if (comes || arrives)
		assert_true((op->side == LOCAL) == comes ? op->uid > 0 : op->name != NULL);
	else if (op->kind == OP_MOVE && row->sides[LOCAL].former)
		assert_true(op->side == LOCAL ? !op->uid && op->name : op->uid && !op->name);
	else
		assert_true(op->uid && op->name);
	/* A pair has the server's date, which no later run can change. */
	if (op->kind == OP_COPY && (op->rule == RULE_V1_MOVE || row->removing))
		expected = identity_whole(it, row, REMOTE);
	else if (op->kind == OP_COPY && op->side == REMOTE && row->sides[LOCAL].former)
		expected = identity_whole(it, row, REMOTE);
	else if (op->kind == OP_COPY)
		expected = identity_of(it, row, other_side(op->side));
	else if (op->kind == OP_CLONE && op->side == LOCAL)
		expected = identity_of(it, row, REMOTE);
	else if (op->kind == OP_CLONE)
		expected = identity_whole(it, there_row(it, op, order), REMOTE);
	else if (op->kind == OP_PAIR || op->kind == OP_MOVE)
		expected = identity_whole(it, row, REMOTE);
	else
		return;
	const struct identity identity = plan_identity(op);
	assert_int_equal(op->identity.size, expected.size);
	assert_int_equal(op->identity.date, expected.date);
	assert_int_equal(identity.size, expected.size);
	assert_int_equal(identity.date, expected.date);
	assert_int_equal(identity.message_id, expected.message_id);
	assert_int_equal(identity.email_id, expected.email_id);
	assert_int_equal(identity.has_digest, expected.has_digest);
	assert_memory_equal(&identity.digest, &expected.digest, sizeof(expected.digest));
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

/* Takes one mailbox's plan down in lines. */
static void tell_plan(const struct planner_case *it, const size_t *order, size_t box,
		      struct plan *plan, struct planner_run *run)
{
	for (size_t i = 0; i < plan->len; i++) {
		struct op *op = &plan->ops[i];
		const struct op_rows rows = rows_of(it, box, op);
		check_op(it, &rows, op, order);
		check_order(plan, i);
		*array_push(run->lines, run->len, run->cap) =
		    op_text(it, op, &rows, order, &run->arena);
		if (op->name)
			op->name = arena_strdup(&run->arena, op->name);
	}
}

/* A mailbox that is gone on one side, and what becomes of it. */
static void tell_gone(const struct case_box *box, enum rule rule, struct planner_run *run)
{
	*array_push(run->lines, run->len, run->cap) =
	    arena_printf(&run->arena, "%s: %s", box->name, rule_name(rule));
}

/* All that the planner does, in the order in which sync/decide.c has it done. */
static void run_planner(const struct planner_case *it, const size_t *order,
			struct planner_box *boxes, struct planner_run *run)
{
	for (size_t i = 0; i < it->boxes_len; i++)
		if (!it->boxes[order[i]].is_consulted && !it->boxes[order[i]].is_unseen)
			planner_messages(&boxes[i].input, boxes[i].plan);
	planner_moves(boxes, it->boxes_len, it->partial);
	planner_copies(&it->policy, boxes, it->boxes_len);
	for (size_t i = 0; i < it->boxes_len; i++) {
		const struct case_box *box = &it->boxes[order[i]];
		if (box->is_gone)
			tell_gone(box,
				  planner_mailbox_gone(&boxes[i].input, box->gone, boxes[i].plan),
				  run);
		if (it->guarded)
			guard_check(&boxes[i].input, false, boxes[i].plan);
	}
	for (size_t i = 0; i < it->boxes_len; i++)
		for (enum side side = LOCAL; side < SIDES && boxes[i].input.is_trash; side++)
			planner_trash(boxes, it->boxes_len, i, side);
}

/* What the planner is given of one mailbox. */
static struct planner_input input_of(const struct planner_case *it, size_t box,
				     const struct inputs *in)
{
	if (it->boxes[box].is_consulted)
		return (struct planner_input){.pairs = in->pairs, .pairs_len = in->pairs_len};
	if (it->boxes[box].is_unseen)
		return (struct planner_input){.policy = &it->policy,
					      .is_trash = it->boxes[box].is_trash};
	return (struct planner_input){
	    .policy = &it->policy,
	    .pairs = in->pairs,
	    .pairs_len = in->pairs_len,
	    .notes = in->notes,
	    .notes_len = in->notes_len,
	    .sides = {&in->sides[LOCAL], &in->sides[REMOTE]},
	    .matches = in->matches,
	    .matches_len = in->matches_len,
	    .former = in->former,
	    .former_len = in->former_len,
	    .is_trash = it->boxes[box].is_trash,
	    .is_junk = it->boxes[box].is_junk,
	};
}

/* And of one that could not be looked at. */
static struct planner_unseen unseen_of(const struct planner_case *it, size_t box,
				       const struct inputs *in)
{
	struct planner_unseen unseen = {
	    .pairs = in->pairs, .len = in->pairs_len, .is_reset = it->boxes[box].is_reset};

	if (!it->boxes[box].is_unseen)
		return (struct planner_unseen){0};
	for (enum side side = LOCAL; side < SIDES && it->boxes[box].is_held; side++)
		unseen.held[side] = in->sides[side].known;
	return unseen;
}

void planner_run(const struct planner_case *it, uint64_t seed, struct planner_run *run)
{
	struct inputs *in = xcalloc(CASE_BOXES_MAX, sizeof(*in));
	struct planner_box boxes[CASE_BOXES_MAX];
	size_t order[CASE_BOXES_MAX];

	*run = (struct planner_run){.inputs = in};
	for (size_t i = 0; i < it->boxes_len; i++)
		order[i] = i;
	if (!it->ordered)
		shuffle(order, it->boxes_len, &seed);
	for (size_t i = 0; i < it->boxes_len; i++) {
		make_inputs(it, order[i], &seed, &in[i]);
		boxes[i] = (struct planner_box){.input = input_of(it, order[i], &in[i]),
						.plan = &run->plans[order[i]],
						.unseen = unseen_of(it, order[i], &in[i])};
	}
	run_planner(it, order, boxes, run);
	for (size_t i = 0; i < it->boxes_len; i++)
		tell_plan(it, order, order[i], boxes[i].plan, run);
	if (run->len)
		qsort(run->lines, run->len, sizeof(*run->lines), compare_lines);
}

void planner_run_free(struct planner_run *run)
{
	for (size_t i = 0; i < CASE_BOXES_MAX; i++) {
		plan_free(&run->plans[i]);
		free_inputs(&run->inputs[i]);
	}
	free(run->inputs);
	free(run->lines);
	arena_free(&run->arena);
}

char **case_lines(const struct planner_case *it, struct arena *arena, size_t *len)
{
	char **lines = NULL;
	size_t cap = 0;

	*len = 0;
	for (size_t i = 0; i < it->boxes_len; i++)
		if (it->boxes[i].is_gone)
			*array_push(lines, *len, cap) =
			    arena_printf(arena, "%s: %s", it->boxes[i].name,
					 rule_name(it->boxes[i].rule));
	for (size_t i = 0; i < it->len; i++)
		for (size_t k = 0; k < it->rows[i].expected_len; k++)
			*array_push(lines, *len, cap) =
			    arena_printf(arena, "%s: %s", case_row_name(it, &it->rows[i], arena),
					 it->rows[i].expected[k]);
	if (*len)
		qsort(lines, *len, sizeof(*lines), compare_lines);
	return lines;
}
