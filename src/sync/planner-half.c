// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/planner-inner.h"

#include "base/array.h"
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* All removals on the server, by the name of the file that is gone. */
static void collect_halves(const struct planner_box *boxes, size_t len, struct end_list *out)
{
	for (size_t i = 0; i < len; i++)
		for (size_t k = 0; k < boxes[i].plan->len; k++)
			if (op_removes(&boxes[i].plan->ops[k], REMOTE))
				*array_push(out->ends, out->len, out->cap) = (struct end){
				    .box = i, .op = k, .name = boxes[i].plan->ops[k].name};
}

/*
 * True where the file of a removal is also what another mailbox misses: in its own one no other
 * pair has its name.
 */
static bool is_half(struct end **halves, size_t len, const char *name)
{
	const struct end wanted = {.name = name};
	const struct end *key = &wanted;

	return bsearch(&key, halves, len, sizeof(*halves), planner_compare_names) != NULL;
}

/* The file is new where it is. The operation becomes the journal's part of that. */
static void keep_half(const struct planner_input *input, struct plan *plan, size_t index)
{
	size_t pair = planner_pair_index(input, plan->ops[index].uid);

	assert(pair < input->pairs_len && input->pairs[pair].uid == plan->ops[index].uid);
	plan->ops[index].kind = OP_FORGET;
	plan->ops[index].rule = RULE_V1_MOVE;
	if (!(input->policy->change[REMOTE] & CHANGE_NEW))
		return;
	struct op *copy = plan_add(plan, OP_COPY, REMOTE, RULE_V1_MOVE);
	copy->name = input->pairs[pair].name;
	copy->flags = flags_known(input->sides[LOCAL]->known[pair].flags);
	const struct identity identity = pair_identity(&input->pairs[pair]);
	plan_identify(plan, copy, &identity);
}

/*
 * Where a run was stopped after the server moved a message and before the journals knew, the
 * mailbox that it left still has its pair and the one that it came to has it too, or the note of
 * it. If the user takes the file back meanwhile, the first one lacks the message and the second one
 * the file, and M2 would take away what each of them has: all there is. A removal here and one
 * there of the same file are no deletions; it was moved once more, as V1 then finds.
 */
static void keep_halves(struct planner_box *boxes, size_t len)
{
	struct end_list list = {0};
	size_t halves_len;

	collect_halves(boxes, len, &list);
	struct end **halves = planner_sort_free(&list, planner_compare_names, &halves_len);
	for (size_t i = 0; i < len && halves_len; i++)
		for (size_t k = 0; k < boxes[i].plan->len; k++) {
			const struct op *op = &boxes[i].plan->ops[k];
			if (op_removes(op, LOCAL) && is_half(halves, halves_len, op->name))
				keep_half(&boxes[i].input, boxes[i].plan, k);
		}
	free(halves);
	free(list.ends);
}

/* True where a message of these bytes is among them. */
static bool is_known(struct end **known, size_t len, const struct op *pair)
{
	const struct end wanted = {.identity = plan_identity(pair)};
	const struct end *key = &wanted;

	return wanted.identity.has_digest &&
	       bsearch(&key, known, len, sizeof(*known), planner_compare_digests) != NULL;
}

/* All that the journals know, sorted by its bytes. */
static struct end **list_known(const struct planner_box *boxes, size_t len, struct end_list *list,
			       size_t *known_len)
{
	for (size_t i = 0; i < len; i++)
		for (size_t k = 0; k < boxes[i].input.pairs_len; k++)
			*array_push(list->ends, list->len, list->cap) = (struct end){
			    .box = i, .identity = pair_identity(&boxes[i].input.pairs[k])};
	return planner_sort_free(list, planner_compare_digests, known_len);
}

/* The message is new where it is: nobody's half. */
static void drop_ghost(const struct planner_input *input, struct plan *plan, struct op *pair,
		       struct op *removal)
{
	pair->kind = OP_NONE;
	removal->kind = input->policy->change[LOCAL] & CHANGE_NEW ? OP_COPY : OP_NONE;
	removal->side = LOCAL;
	removal->rule = RULE_M7_COPY;
	removal->name = NULL;
	for (size_t i = 0; i < input->sides[REMOTE]->fresh_len; i++) {
		const struct message_state *state = &input->sides[REMOTE]->fresh[i].state;
		if (state->key.uid != removal->uid)
			continue;
		removal->flags = flags_known(state->flags);
		plan_identify(plan, removal, &state->identity);
	}
}

/* True for what makes a ghost a pair, only to remove its other half. */
static bool is_ghost(const struct plan *plan, size_t index)
{
	/* What follows a pair is about it. */
	return plan->ops[index].kind == OP_PAIR && index + 1 < plan->len &&
	       op_removes(&plan->ops[index + 1], REMOTE);
}

/*
 * What was about to be sent when a run was stopped, and has no file any more, is deleted on the
 * server where it is found there (a ghost of M6). But it is known by its bytes only: where another
 * mailbox has, or had, the same, or may have, because it was not looked at, somebody may have moved
 * them here, a moment ago even. They are new then, or M2 would take away what is left of them.
 */
static void drop_ghosts(struct planner_box *boxes, size_t len, bool partial)
{
	struct end_list list = {0};
	struct end **known = NULL;
	size_t known_len = 0;

	for (size_t i = 0; i < len; i++) {
		struct plan *plan = boxes[i].plan;
		for (size_t k = 0; k < plan->len; k++) {
			if (!is_ghost(plan, k))
				continue;
			if (!known)
				known = list_known(boxes, len, &list, &known_len);
			if (partial || is_known(known, known_len, &plan->ops[k]))
				drop_ghost(&boxes[i].input, plan, &plan->ops[k], &plan->ops[k + 1]);
		}
	}
	free(known);
	free(list.ends);
}

void planner_halves(struct planner_box *boxes, size_t len, bool partial)
{
	keep_halves(boxes, len);
	drop_ghosts(boxes, len, partial);
}

void planner_end_move(struct op *departure)
{
	if (departure->kind != OP_TRASH)
		return;
	departure->kind = OP_REMOVE;
	departure->rule = RULE_V1_MOVE;
}

/* What is to go to the server's trash, by the name of its file: indexes of ends. */
static void list_trashed(const struct planner_box *boxes, size_t len, struct end_list *out,
			 struct map *names)
{
	for (size_t i = 0; i < len; i++)
		for (size_t k = 0; k < boxes[i].plan->len; k++) {
			const struct op *op = &boxes[i].plan->ops[k];
			if (op->kind != OP_TRASH || op->side != REMOTE)
				continue;
			/* A ghost has none: it never was anywhere else. */
			const struct pair *pair = planner_pair(&boxes[i].input, op->uid);
			if (!pair)
				continue;
			map_put(names, pair->name, strlen(pair->name), out->len);
			*array_push(out->ends, out->len, out->cap) = (struct end){
			    .box = i, .op = k, .identity = pair_identity(pair)};
		}
}

/* Of one mailbox: what it holds on both sides. */
static void end_those_held(struct planner_box *boxes, size_t index, const struct end_list *trashed,
			   const struct map *names)
{
	const struct planner_input *input = &boxes[index].input;

	for (size_t i = 0; input->sides[LOCAL] && i < input->pairs_len; i++) {
		const struct pair *pair = &input->pairs[i];
		const struct identity identity = pair_identity(pair);
		size_t found;
		if (!input->sides[LOCAL]->known[i].present ||
		    !input->sides[REMOTE]->known[i].present ||
		    !map_get(names, pair->name, strlen(pair->name), &found))
			continue;
		const struct end *end = &trashed->ends[found];
		if (planner_is_one_message(&end->identity, &identity))
			planner_end_move(&boxes[end->box].plan->ops[end->op]);
	}
}

void planner_end_moves(struct planner_box *boxes, size_t len)
{
	struct end_list trashed = {0};
	struct map names = {0};

	list_trashed(boxes, len, &trashed, &names);
	for (size_t i = 0; i < len && trashed.len; i++)
		end_those_held(boxes, i, &trashed, &names);
	map_free(&names);
	free(trashed.ends);
}
