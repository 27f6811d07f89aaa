// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/planner.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/order.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NO_OP SIZE_MAX

/* An operation that may be one end of a move, and what identifies its message. */
struct end {
	size_t box;
	size_t op;        /* NO_OP: in a mailbox that could not be looked at */
	size_t pair;      /* departures: the pair's index */
	const char *name; /* its unique name, where the local side's user moved it; else NULL */
	struct identity identity;
	bool taken;
};

struct end_list {
	struct end *ends;
	size_t len, cap;
};

/* The index of the pair of that UID. */
static size_t pair_index(const struct planner_input *input, uint32_t uid)
{
	size_t low = 0, high = input->pairs_len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (input->pairs[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct pair *planner_pair(const struct planner_input *input, uint32_t uid)
{
	size_t index = pair_index(input, uid);

	return index < input->pairs_len && input->pairs[index].uid == uid ? &input->pairs[index]
									   : NULL;
}

/* What is to be deleted on side, for the other side's user took it out of its mailbox. */
static void collect_departures(const struct planner_box *boxes, size_t len, enum side side,
			       struct end_list *out)
{
	for (size_t i = 0; i < len; i++) {
		const struct planner_input *input = &boxes[i].input;
		const struct plan *plan = boxes[i].plan;
		for (size_t k = 0; k < plan->len; k++) {
			const struct op *op = &plan->ops[k];
			size_t pair = pair_index(input, op->uid);
			if (!op_removes(op, side) || pair == input->pairs_len ||
			    input->pairs[pair].uid != op->uid)
				continue;
			*array_push(out->ends, out->len, out->cap) = (struct end){
			    .box = i,
			    .op = k,
			    .pair = pair,
			    .name = side == REMOTE ? input->pairs[pair].name : NULL,
			    .identity = pair_identity(&input->pairs[pair]),
			};
		}
	}
}

/* True where what is deleted in a mailbox goes to the trash of side. */
static bool goes_to_trash(const struct planner_input *input, enum side side)
{
	return input->policy->change[side] & CHANGE_DELETIONS &&
	       input->policy->deletion[side] == DELETION_TRASH && !input->is_trash;
}

/*
 * What may have left, on the other side, a mailbox that could not be looked at there. It matters
 * only where the next run would have the trash get it.
 */
static void collect_unseen(const struct planner_box *boxes, size_t len, enum side side,
			   struct end_list *out)
{
	for (size_t i = 0; i < len; i++) {
		const struct planner_unseen *unseen = &boxes[i].unseen;
		const struct presence *held = unseen->held[other_side(side)];
		if (!unseen->len || !goes_to_trash(&boxes[i].input, side))
			continue;
		for (size_t k = 0; k < unseen->len; k++) {
			const struct pair *pair = &unseen->pairs[k];
			if (!pair_is_expected(pair, other_side(side)) || (held && held[k].present))
				continue;
			*array_push(out->ends, out->len, out->cap) = (struct end){
			    .box = i,
			    .op = NO_OP,
			    .name = side == REMOTE ? pair->name : NULL,
			    .identity = pair_identity(pair),
			};
		}
	}
}

/* What the local side holds yet of a mailbox that could not be looked at on the other. */
static void collect_kept(const struct planner_box *boxes, size_t len, struct end_list *out)
{
	for (size_t i = 0; i < len; i++) {
		const struct planner_unseen *unseen = &boxes[i].unseen;
		for (size_t k = 0; unseen->held[LOCAL] && k < unseen->len; k++)
			if (unseen->held[LOCAL][k].present)
				*array_push(out->ends, out->len, out->cap) = (struct end){
				    .box = i,
				    .op = NO_OP,
				    .name = unseen->pairs[k].name,
				    .identity = pair_identity(&unseen->pairs[k]),
				};
	}
}

/* What is to be copied to side, for it appeared on the other. */
static bool is_arrival(const struct op *op, enum side side)
{
	return op->kind == OP_COPY && op->side == side;
}

/* What is new on both sides and paired. */
static bool is_found(const struct op *op, enum side side)
{
	(void)side;
	return op->kind == OP_PAIR && op->rule == RULE_M6_PAIR;
}

/* What appeared, by the operations of one of these kinds. */
static void collect_new(const struct planner_box *boxes, size_t len, enum side side,
			bool (*is_one)(const struct op *op, enum side side), struct end_list *out)
{
	for (size_t i = 0; i < len; i++) {
		const struct plan *plan = boxes[i].plan;
		for (size_t k = 0; k < plan->len; k++) {
			const struct op *op = &plan->ops[k];
			if (!is_one(op, side))
				continue;
			*array_push(out->ends, out->len, out->cap) = (struct end){
			    .box = i, .op = k, .name = op->name, .identity = plan_identity(op)};
		}
	}
}

/* Names alone are not believed: a file of the same name may hold other bytes. */
bool planner_is_one_message(const struct identity *pair, const struct identity *found)
{
	if (pair->email_id && found->email_id)
		return pair->email_id == found->email_id;
	if (pair->size != found->size)
		return false;
	if (found->has_digest)
		return digest_equal(&pair->digest, &found->digest);
	return pair->message_id && pair->message_id == found->message_id &&
	       pair->date == found->date;
}

/* By name: for what the local side's user moved. */
static int compare_names(const void *a, const void *b)
{
	return strcmp((*(struct end *const *)a)->name, (*(struct end *const *)b)->name);
}

/* By the bytes: for what the local side's user moved. */
static int compare_digests(const void *a, const void *b)
{
	const struct identity *x = &(*(struct end *const *)a)->identity;
	const struct identity *y = &(*(struct end *const *)b)->identity;

	return identity_compare_bytes(x, y);
}

/* By the server's id of its content; those without come last. */
static int compare_email_ids(const void *a, const void *b)
{
	uint64_t x = (*(struct end *const *)a)->identity.email_id;
	uint64_t y = (*(struct end *const *)b)->identity.email_id;

	return x && y ? order_u64(x, y) : !x - !y;
}

/* By all that a server tells: for what the remote side's user moved. */
static int compare_messages(const void *a, const void *b)
{
	const struct identity *x = &(*(struct end *const *)a)->identity;
	const struct identity *y = &(*(struct end *const *)b)->identity;

	return identity_compare_details(x, y);
}

static int compare_boxes(const void *a, const void *b)
{
	return order_u64((*(struct end *const *)a)->box, (*(struct end *const *)b)->box);
}

static int compare_digests_and_boxes(const void *a, const void *b)
{
	int order = compare_digests(a, b);

	return order ? order : compare_boxes(a, b);
}

static int compare_email_ids_and_boxes(const void *a, const void *b)
{
	int order = compare_email_ids(a, b);

	return order ? order : compare_boxes(a, b);
}

static int compare_messages_and_boxes(const void *a, const void *b)
{
	int order = compare_messages(a, b);

	return order ? order : compare_boxes(a, b);
}

/* Pointers to the ends of a list that are free, sorted. */
static struct end **sort_free(struct end_list *list, int (*compare)(const void *, const void *),
			      size_t *len)
{
	struct end **sorted = xcalloc(list->len + 1, sizeof(*sorted));

	*len = 0;
	for (size_t i = 0; i < list->len; i++)
		if (!list->ends[i].taken)
			sorted[(*len)++] = &list->ends[i];
	qsort(sorted, *len, sizeof(*sorted), compare);
	return sorted;
}

/* Adds the change of a message's flags on one side, where there is one. */
static void add_flag(struct plan *plan, enum side side, const struct flags_verdict *verdict,
		     uint32_t uid, const char *name, enum rule rule)
{
	if (flags_are_none(verdict->add[side]) && flags_are_none(verdict->remove[side]))
		return;
	struct op *op = plan_add(plan, OP_FLAG, side, rule);
	op->uid = uid;
	op->name = name;
	op->add = verdict->add[side];
	op->remove = verdict->remove[side];
}

/* How the flags merge of a message whose two ends these are. */
static struct flags_verdict merge_ends(const struct planner_box *boxes, const struct end *from,
				       const struct end *to, enum side side)
{
	const struct planner_input *input = &boxes[from->box].input;
	const enum side there = other_side(side);
	struct flags_case flags = {.policy = input->policy, .base = input->pairs[from->pair].flags};

	flags.have[side] = input->sides[side]->known[from->pair].flags;
	flags.permanent[side] = input->sides[side]->permanent;
	flags.have[there] = boxes[to->box].plan->ops[to->op].flags;
	flags.permanent[there] = boxes[to->box].input.sides[there]->permanent;
	const struct flags read = flags.have[there];
	if (side == LOCAL || !planner_letters_came_along(
				 input->sides[LOCAL]->letters,
				 boxes[to->box].input.sides[LOCAL]->letters,
				 flags.base.keywords, read.keywords))
		return planner_flags(&flags);
	/* It has the keywords that it had; the letters for them are the new place's. */
	flags.have[LOCAL].keywords = flags.base.keywords;
	struct flags_verdict verdict = planner_flags(&flags);
	const struct flags end = flags_union(
	    flags_minus(flags.have[LOCAL], verdict.remove[LOCAL]), verdict.add[LOCAL]);
	verdict.add[LOCAL] = flags_minus(end, read);
	verdict.remove[LOCAL] = flags_minus(read, end);
	return verdict;
}

/*
 * V1: a message that left one mailbox and appeared in another on the same side was moved there, so
 * it is moved on the other side: nothing is sent, its date stays, and at no instant is there none
 * of it. Its flags merge against what was agreed on where it came from.
 */
static void rule_v1_move(struct planner_box *boxes, const struct end *from, const struct end *to,
			 enum side side)
{
	const struct pair *pair = &boxes[from->box].input.pairs[from->pair];
	const struct flags_verdict verdict = merge_ends(boxes, from, to, side);
	struct plan *source = boxes[from->box].plan, *target = boxes[to->box].plan;
	struct op *arrival = &target->ops[to->op], *move = &source->ops[from->op];
	const struct message_key there = {.uid = arrival->uid, .name = arrival->name};

	move->kind = OP_MOVE;
	move->rule = RULE_V1_MOVE;
	move->target = (uint32_t)to->box;
	move->there = there;
	move->flags = verdict.agreed;
	plan_identify(source, move, &from->identity);
	move->redate = side == REMOTE && arrival->identity.date != from->identity.date;
	arrival->kind = OP_NONE;
	add_flag(source, side, &verdict, pair->uid, pair->name, RULE_V1_MOVE);
	add_flag(target, other_side(side), &verdict, there.uid, there.name, RULE_V1_MOVE);
}

/*
 * V2: a message that is gone and new in the same mailbox has only another name there, or another
 * UID: it is the same pair under it, and nothing is done on the other side.
 */
static void rule_v2_rename(struct planner_box *boxes, const struct end *from, const struct end *to,
			   enum side side)
{
	const struct pair *pair = &boxes[from->box].input.pairs[from->pair];
	const struct flags_verdict verdict = merge_ends(boxes, from, to, side);
	struct plan *plan = boxes[from->box].plan;
	struct op *arrival = &plan->ops[to->op], *repair = &plan->ops[from->op];
	uint32_t uid = arrival->uid ? arrival->uid : pair->uid;
	const char *name = arrival->name ? arrival->name : pair->name;

	repair->kind = OP_PAIR;
	repair->rule = RULE_V2_RENAME;
	repair->uid = uid;
	repair->name = name;
	repair->flags = pair->flags;
	plan_identify(plan, repair, &from->identity);
	arrival->kind = OP_NONE;
	for (enum side each = LOCAL; each < SIDES; each++)
		add_flag(plan, each, &verdict, uid, name, RULE_V2_RENAME);
	if (flags_equal(verdict.agreed, pair->flags))
		return;
	struct op *agree = plan_add(plan, OP_AGREE, LOCAL, RULE_V2_RENAME);
	agree->uid = uid;
	agree->name = name;
	agree->flags = verdict.agreed;
}

/*
 * V1 of a message that both sides hold already where it was moved to: a run that had a server move
 * it by COPY and EXPUNGE was stopped between the two. What is left of it where it was is removed:
 * the trash would get what nobody deleted.
 */
static void end_move(struct op *departure)
{
	if (departure->kind != OP_TRASH)
		return;
	departure->kind = OP_REMOVE;
	departure->rule = RULE_V1_MOVE;
}

/*
 * V1 of a message that may have left a mailbox that could not be looked at: it waits. Were it
 * copied, it would look like one that was copied and then deleted, once that mailbox can be looked
 * at: the trash would get what was only moved.
 */
static void wait_for_run(struct plan *plan, size_t copy)
{
	plan->ops[copy].blocked = true;
	plan->waiting++;
}

/*
 * The two are one message. V1 of a file that is back in a mailbox that it was moved out of before a
 * run broke: if that cannot be looked at on the server, what the server moved for it waits, too, or
 * it would be removed and sent anew.
 */
static void join(struct planner_box *boxes, struct end *from, struct end *to, enum side side)
{
	from->taken = to->taken = true;
	if (to->op == NO_OP)
		boxes[from->box].plan->ops[from->op].blocked = true;
	else if (from->op == NO_OP)
		wait_for_run(boxes[to->box].plan, to->op);
	else if (boxes[to->box].plan->ops[to->op].kind == OP_PAIR)
		end_move(&boxes[from->box].plan->ops[from->op]);
	else if (from->box == to->box)
		rule_v2_rename(boxes, from, to, side);
	else
		rule_v1_move(boxes, from, to, side);
}

/* Pairs departures and arrivals that compare as equal, and are surely the same message. */
static void match_ends(struct planner_box *boxes, struct end_list *departures,
		       struct end_list *arrivals, enum side side,
		       int (*compare)(const void *, const void *))
{
	size_t from_len, to_len, from = 0, to = 0;
	struct end **gone = sort_free(departures, compare, &from_len);
	struct end **new = sort_free(arrivals, compare, &to_len);

	while (from < from_len && to < to_len) {
		struct end *departure = gone[from], *arrival = new[to];
		int order = compare(&departure, &arrival);
		if (!order && planner_is_one_message(&departure->identity, &arrival->identity))
			join(boxes, departure, arrival, side);
		from += order <= 0;
		to += order >= 0;
	}
	free(gone);
	free(new);
}

/* Takes out the arrivals that became moves. */
static void drop_none(struct plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->len; i++)
		if (plan->ops[i].kind != OP_NONE)
			plan->ops[kept++] = plan->ops[i];
	plan->len = kept;
}

/* Pairs what left with what appeared, the surest first. */
static void match_all(struct planner_box *boxes, struct end_list *gone, struct end_list *new,
		      enum side side)
{
	if (side == REMOTE) {
		match_ends(boxes, gone, new, side, compare_names);
		match_ends(boxes, gone, new, side, compare_digests_and_boxes);
		match_ends(boxes, gone, new, side, compare_digests);
	} else {
		match_ends(boxes, gone, new, side, compare_email_ids_and_boxes);
		match_ends(boxes, gone, new, side, compare_email_ids);
		match_ends(boxes, gone, new, side, compare_messages_and_boxes);
		match_ends(boxes, gone, new, side, compare_messages);
	}
}

/* All moves on one side, what is left to do of those that are there, and what may be one. */
static void plan_side(struct planner_box *boxes, size_t len, enum side side)
{
	struct end_list gone = {0}, unseen = {0}, new = {0}, found = {0}, kept = {0};

	collect_departures(boxes, len, side, &gone);
	collect_unseen(boxes, len, side, &unseen);
	if (gone.len || unseen.len)
		collect_new(boxes, len, side, is_arrival, &new);
	if (gone.len)
		collect_new(boxes, len, side, is_found, &found);
	if (gone.len && side == REMOTE)
		collect_kept(boxes, len, &kept);
	match_all(boxes, &gone, &new, side);
	match_all(boxes, &gone, &found, side);
	match_all(boxes, &unseen, &new, side);
	if (kept.len)
		match_ends(boxes, &gone, &kept, side, compare_names);
	free(kept.ends);
	free(gone.ends);
	free(unseen.ends);
	free(new.ends);
	free(found.ends);
}

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

	return bsearch(&key, halves, len, sizeof(*halves), compare_names) != NULL;
}

/* The file is new where it is. The operation becomes the journal's part of that. */
static void keep_half(const struct planner_input *input, struct plan *plan, size_t index)
{
	size_t pair = pair_index(input, plan->ops[index].uid);

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
	struct end **halves = sort_free(&list, compare_names, &halves_len);
	for (size_t i = 0; i < len && halves_len; i++)
		for (size_t k = 0; k < boxes[i].plan->len; k++) {
			const struct op *op = &boxes[i].plan->ops[k];
			if (op_removes(op, LOCAL) && is_half(halves, halves_len, op->name))
				keep_half(&boxes[i].input, boxes[i].plan, k);
		}
	free(halves);
	free(list.ends);
}

/* What the local side is to lose although the journal knows its bytes, sorted by these. */
static struct end **list_losses(const struct planner_box *boxes, size_t len, struct end_list *list,
				size_t *losses_len)
{
	collect_departures(boxes, len, LOCAL, list);
	return sort_free(list, compare_digests, losses_len);
}

/* True where a message of these bytes is among them. */
static bool is_lost(struct end **losses, size_t len, const struct op *pair)
{
	const struct end wanted = {.identity = plan_identity(pair)};
	const struct end *key = &wanted;

	return wanted.identity.has_digest &&
	       bsearch(&key, losses, len, sizeof(*losses), compare_digests) != NULL;
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

/*
 * What was about to be sent when a run was stopped, and has no file any more, is deleted on the
 * server where it is found there (a ghost of M6). But it is known by its bytes only: where the same
 * bytes are missing in another mailbox on the server, or may be in one that was not looked at,
 * somebody moved them here. They are new then, or M2 would take away what is left of them on either
 * side.
 */
static void drop_ghosts(struct planner_box *boxes, size_t len, bool partial)
{
	struct end_list list = {0};
	size_t losses_len;
	struct end **losses = list_losses(boxes, len, &list, &losses_len);

	for (size_t i = 0; i < len && (losses_len || partial); i++) {
		struct plan *plan = boxes[i].plan;
		for (size_t k = 1; k < plan->len; k++) {
			struct op *pair = &plan->ops[k - 1], *removal = &plan->ops[k];
			/* What follows a pair is about it. */
			if (pair->kind == OP_PAIR && op_removes(removal, REMOTE) &&
			    (partial || is_lost(losses, losses_len, pair)))
				drop_ghost(&boxes[i].input, plan, pair, removal);
		}
	}
	free(losses);
	free(list.ends);
}

void planner_moves(struct planner_box *boxes, size_t len, bool partial)
{
	keep_halves(boxes, len);
	drop_ghosts(boxes, len, partial);
	for (enum side side = LOCAL; side < SIDES; side++)
		plan_side(boxes, len, side);
	for (size_t i = 0; i < len; i++)
		drop_none(boxes[i].plan);
}
