// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/planner-inner.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/order.h"

#include <stdlib.h>
#include <string.h>

size_t planner_pair_index(const struct planner_input *input, uint32_t uid)
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
	size_t index = planner_pair_index(input, uid);

	return index < input->pairs_len && input->pairs[index].uid == uid ? &input->pairs[index]
									  : NULL;
}

void planner_collect_departures(const struct planner_box *boxes, size_t len, enum side side,
				struct end_list *out)
{
	for (size_t i = 0; i < len; i++) {
		const struct planner_input *input = &boxes[i].input;
		const struct plan *plan = boxes[i].plan;
		for (size_t k = 0; k < plan->len; k++) {
			const struct op *op = &plan->ops[k];
			size_t pair = planner_pair_index(input, op->uid);
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

void planner_collect_unseen(const struct planner_box *boxes, size_t len, enum side side,
			    struct end_list *out)
{
	for (size_t i = 0; i < len; i++) {
		const struct planner_unseen *unseen = &boxes[i].unseen;
		const struct presence *held = unseen->held[other_side(side)];
		if (!unseen->len || (!unseen->is_reset && !goes_to_trash(&boxes[i].input, side)))
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

void planner_collect_kept(const struct planner_box *boxes, size_t len, struct end_list *out)
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

bool planner_is_arrival(const struct op *op, enum side side)
{
	return op->kind == OP_COPY && op->side == side;
}

bool planner_is_found(const struct op *op, enum side side)
{
	(void)side;
	return op->kind == OP_PAIR && op->rule == RULE_M6_PAIR;
}

void planner_collect_new(const struct planner_box *boxes, size_t len, enum side side,
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

int planner_compare_names(const void *a, const void *b)
{
	return strcmp((*(struct end *const *)a)->name, (*(struct end *const *)b)->name);
}

int planner_compare_digests(const void *a, const void *b)
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
	int order = planner_compare_digests(a, b);

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

struct end **planner_sort_free(struct end_list *list, int (*compare)(const void *, const void *),
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

/* Pairs departures and arrivals that compare as equal, and are surely the same message. */
static void match_ends(struct planner_box *boxes, struct end_list *departures,
		       struct end_list *arrivals, enum side side, planner_join *join,
		       int (*compare)(const void *, const void *))
{
	size_t from_len, to_len, from = 0, to = 0;
	struct end **gone = planner_sort_free(departures, compare, &from_len);
	struct end **new = planner_sort_free(arrivals, compare, &to_len);

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

void planner_match(struct planner_box *boxes, struct end_list *gone, struct end_list *new,
		   enum side side, planner_join *join)
{
	if (side == REMOTE) {
		match_ends(boxes, gone, new, side, join, planner_compare_names);
		match_ends(boxes, gone, new, side, join, compare_digests_and_boxes);
		match_ends(boxes, gone, new, side, join, planner_compare_digests);
	} else {
		match_ends(boxes, gone, new, side, join, compare_email_ids_and_boxes);
		match_ends(boxes, gone, new, side, join, compare_email_ids);
		match_ends(boxes, gone, new, side, join, compare_messages_and_boxes);
		match_ends(boxes, gone, new, side, join, compare_messages);
	}
}

void planner_match_names(struct planner_box *boxes, struct end_list *gone, struct end_list *new,
			 enum side side, planner_join *join)
{
	match_ends(boxes, gone, new, side, join, planner_compare_names);
}
