// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * V1 where journals were reset, for the server gave mailboxes a new UIDVALIDITY: what users moved
 * since both sides were even is in no journal's mailbox any more, on one side or the other. Paired
 * anew it would be new in both places, and each side would get it in both.
 */
#include "sync/planner-inner.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

/* The key of a message of a side as bytes. */
static const char *bytes_of(enum side side, const uint32_t *uid, const char *name, size_t *len)
{
	*len = side == LOCAL ? strlen(name) : sizeof(*uid);
	return side == LOCAL ? name : (const char *)uid;
}

/*
 * True where a fresh message of a side is paired by it, or is to be copied, or had to be: those of
 * the server may have become moves of files.
 */
static bool is_fate(const struct op *op, enum side side)
{
	return op->kind == OP_PAIR || (op->kind == OP_COPY && op->side != side) ||
	       (op->kind == OP_NONE && side == REMOTE);
}

/* Which operations these are; NO_OP: none. */
static size_t *list_fates(const struct planner_box *box, enum side side)
{
	const struct snapshot *snapshot = box->input.sides[side];
	size_t *fates = xcalloc(snapshot->fresh_len + 1, sizeof(*fates));
	struct map keys = {0};
	size_t index, len;

	for (size_t i = 0; i < snapshot->fresh_len; i++) {
		const struct message_key *key = &snapshot->fresh[i].state.key;
		const char *bytes = bytes_of(side, &key->uid, key->name, &len);
		fates[i] = NO_OP;
		map_put(&keys, bytes, len, i);
	}
	for (size_t i = 0; i < box->plan->len; i++) {
		const struct op *op = &box->plan->ops[i];
		if (!is_fate(op, side))
			continue;
		const char *bytes = bytes_of(side, &op->uid, op->name, &len);
		if (map_get(&keys, bytes, len, &index))
			fates[index] = i;
	}
	map_free(&keys);
	return fates;
}

/* What has no other half in a mailbox whose journal was reset; of files, what was a pair in it. */
static void collect_unpaired(const struct planner_box *boxes, size_t index, enum side side,
			     struct end_list *out)
{
	const struct snapshot *snapshot = boxes[index].input.sides[side];
	struct plan *plan = boxes[index].plan;
	size_t *fates = list_fates(&boxes[index], side);

	for (size_t i = 0; i < snapshot->fresh_len; i++) {
		const struct fresh_message *fresh = &snapshot->fresh[i];
		size_t op = fates[i];
		if ((side == LOCAL && !fresh->former) ||
		    (op != NO_OP && plan->ops[op].kind != OP_COPY))
			continue;
		if (op == NO_OP) {
			struct op *added = plan_add(plan, OP_NONE, side, RULE_NONE);
			added->uid = fresh->state.key.uid;
			added->name = fresh->state.key.name;
			op = plan->len - 1;
		}
		*array_push(out->ends, out->len, out->cap) =
		    (struct end){.box = index,
				 .op = op,
				 .pair = NO_PAIR,
				 .file = i,
				 .identity = fresh->state.identity};
	}
	free(fates);
}

/* What were pairs in such a mailbox, and has no file there any more. */
static void collect_lost(const struct planner_box *boxes, size_t index, struct end_list *out)
{
	const struct planner_input *input = &boxes[index].input;
	const struct snapshot *local = input->sides[LOCAL];
	struct map names = {0};
	size_t ignored;

	for (size_t i = 0; i < local->fresh_len; i++) {
		const char *name = local->fresh[i].state.key.name;
		if (local->fresh[i].former)
			map_put(&names, name, strlen(name), i);
	}
	for (size_t i = 0; i < input->former_len; i++) {
		const struct pair *former = &input->former[i];
		if (!former->gone && !map_get(&names, former->name, strlen(former->name), &ignored))
			*array_push(out->ends, out->len, out->cap) =
			    (struct end){.box = index,
					 .op = NO_OP,
					 .pair = i,
					 .name = former->name,
					 .identity = pair_identity(former)};
	}
	map_free(&names);
}

/* A message of the server, and what its file was called. */
static void name_message(struct planner_box *boxes, struct end *from, struct end *to,
			 enum side side)
{
	const struct identity message = to->identity;

	(void)boxes;
	(void)side;
	if (from->box != to->box)
		return;
	from->taken = to->taken = true;
	to->name = from->name;
	to->file = from->pair;
	to->identity = from->identity;
	to->identity.date = message.date;
	to->identity.email_id = message.email_id;
}

/* Leaves the messages that have a name, and none of them taken. */
static void keep_named(struct end_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->len; i++) {
		if (!list->ends[i].taken)
			continue;
		list->ends[kept] = list->ends[i];
		list->ends[kept++].taken = false;
	}
	list->len = kept;
}

void planner_collect_strays(struct planner_box *boxes, size_t len, enum side side,
			    struct end_list *out)
{
	struct end_list lost = {0};

	for (size_t i = 0; i < len; i++) {
		if (!boxes[i].input.former_len || !policy_deletes(boxes[i].input.policy, side))
			continue;
		collect_unpaired(boxes, i, side, out);
		if (side == REMOTE)
			collect_lost(boxes, i, &lost);
	}
	if (side == REMOTE) {
		planner_match(boxes, &lost, out, LOCAL, name_message);
		keep_named(out);
	}
	free(lost.ends);
}

/* What both sides make of the flags of a file that is moved; a message's are the next run's. */
static void merge_flags(struct planner_box *boxes, const struct end *from, const struct end *to,
			const struct op *arrival)
{
	const struct planner_input *input = &boxes[to->box].input;
	const struct fresh_message *file = &boxes[from->box].input.sides[LOCAL]->fresh[from->file];
	const struct flags_case flags = {
	    .policy = input->policy,
	    .base = file->base,
	    .have = {file->state.flags, arrival->flags},
	    .permanent = {input->sides[LOCAL]->permanent, input->sides[REMOTE]->permanent},
	};
	const struct flags_verdict verdict = planner_flags(&flags);

	planner_add_changes(boxes[to->box].plan, &verdict, RULE_V1_MOVE, arrival->uid,
			    file->state.key.name, file->base);
}

void planner_follow(struct planner_box *boxes, struct end *from, struct end *to, enum side side)
{
	const struct planner_input *input = &boxes[from->box].input;
	struct plan *source = boxes[from->box].plan;
	struct op *move = &source->ops[from->op];
	const struct op arrival = boxes[to->box].plan->ops[to->op];
	struct identity identity = from->identity;

	if (from->box == to->box)
		return;
	from->taken = to->taken = true;
	if (side == LOCAL)
		identity.email_id = to->identity.email_id;
	move->kind = OP_MOVE;
	move->side = side;
	move->rule = RULE_V1_MOVE;
	move->target = (uint32_t)to->box;
	move->there = (struct message_key){.uid = arrival.uid, .name = arrival.name};
	move->redate = side == REMOTE && arrival.identity.date != identity.date;
	move->flags = side == LOCAL ? input->sides[LOCAL]->fresh[from->file].base
				    : input->former[from->file].flags;
	plan_identify(source, move, &identity);
	boxes[to->box].plan->ops[to->op].kind = OP_NONE;
	if (side == LOCAL)
		merge_flags(boxes, from, to, &arrival);
}
