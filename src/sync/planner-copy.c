// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/planner.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/order.h"
#include "mail/digest.h"

#include <stdlib.h>
#include <string.h>

/* A message that is to come to a side from the other one. */
struct arrival {
	size_t box;
	struct plan *plan; /* the box's */
	struct op *op;     /* of which an id is known at least */
};

struct arrival_list {
	struct arrival *list;
	size_t len, cap;
};

/* A message that the side holds, or will hold, in the mailbox of a plan. */
struct origin {
	size_t box;
	struct message_key key; /* on that side */
	struct flags flags;     /* as it has them there */
	struct identity identity;
};

/* By the server's own id of a message's content. */
static int compare_email_ids(const struct identity *a, const struct identity *b)
{
	return order_u64(a->email_id, b->email_id);
}

/* A way to know a message again, how arrivals lie in its order, and whether an identity has it. */
struct way {
	int (*compare)(const struct identity *a, const struct identity *b);
	int (*sort)(const void *a, const void *b);
	bool (*serves)(const struct identity *identity);
};

static bool has_digest(const struct identity *identity)
{
	return identity->has_digest && digest_is_known(&identity->digest);
}

static bool has_email_id(const struct identity *identity)
{
	return identity->email_id != 0;
}

static bool has_details(const struct identity *identity)
{
	return identity->message_id && identity->size != SIZE_UNKNOWN &&
	       identity->date != DATE_UNKNOWN;
}

/* By the way's order, then by mailbox and key. */
static int compare_arrivals(const struct arrival *a, const struct arrival *b,
			    int (*compare)(const struct identity *a, const struct identity *b))
{
	int order = compare(a->op->identity.rest, b->op->identity.rest);

	if (!order)
		order = order_u64(a->box, b->box);
	if (order)
		return order;
	return a->op->uid ? order_u64(a->op->uid, b->op->uid) : strcmp(a->op->name, b->op->name);
}

static int sort_by_digest(const void *a, const void *b)
{
	return compare_arrivals(a, b, identity_compare_bytes);
}

static int sort_by_email_id(const void *a, const void *b)
{
	return compare_arrivals(a, b, compare_email_ids);
}

static int sort_by_details(const void *a, const void *b)
{
	return compare_arrivals(a, b, identity_compare_details);
}

static const struct way by_digest = {identity_compare_bytes, sort_by_digest, has_digest};
static const struct way by_email_id = {compare_email_ids, sort_by_email_id, has_email_id};
static const struct way by_details = {identity_compare_details, sort_by_details, has_details};

/* True where two that the way serves are the same by it, and nothing else speaks against it. */
static bool is_same(const struct way *way, const struct identity *a, const struct identity *b)
{
	return !way->compare(a, b) &&
	       (!a->email_id || !b->email_id || a->email_id == b->email_id) &&
	       (!has_digest(a) || !has_digest(b) || digest_equal(&a->digest, &b->digest));
}

/* What is to be copied to side and serves that way, sorted by it, then by mailbox and key. */
static void collect_arrivals(const struct planner_box *boxes, size_t len, enum side side,
			     const struct way *way, struct arrival_list *out)
{
	for (size_t i = 0; i < len; i++)
		for (size_t k = 0; k < boxes[i].plan->len; k++) {
			struct op *op = &boxes[i].plan->ops[k];
			if (op->kind == OP_COPY && op->side == side && !op->blocked &&
			    op->identity.rest && way->serves(op->identity.rest))
				*array_push(out->list, out->len, out->cap) =
				    (struct arrival){i, boxes[i].plan, op};
		}
	if (out->len)
		qsort(out->list, out->len, sizeof(*out->list), way->sort);
}

/* The first arrival that is this message, or NULL; those that are follow each other. */
static struct arrival *find_arrival(const struct arrival_list *arrivals, const struct way *way,
				    const struct identity *identity)
{
	size_t low = 0, high = arrivals->len;

	if (!way->serves(identity))
		return NULL;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (way->compare(arrivals->list[mid].op->identity.rest, identity) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == arrivals->len || !is_same(way, arrivals->list[low].op->identity.rest, identity))
		return NULL;
	return &arrivals->list[low];
}

/* The copy comes from there instead of from the other side. */
static void clone(const struct arrival *arrival, enum rule rule, const struct origin *origin)
{
	struct op *op = arrival->op;

	op->kind = OP_CLONE;
	op->rule = rule;
	op->target = (uint32_t)origin->box;
	op->there = origin->key;
	op->had = origin->flags;
	op->redate = op->side == REMOTE && op->identity.date != origin->identity.date;
	if (op->side == REMOTE)
		plan_identify(arrival->plan, op, &origin->identity);
}

/* Every arrival that is this message. */
static void clone_all(const struct arrival_list *arrivals, const struct way *way,
		      const struct origin *origin)
{
	const struct arrival *end = arrivals->list + arrivals->len;

	for (struct arrival *at = find_arrival(arrivals, way, &origin->identity);
	     at && at < end && is_same(way, at->op->identity.rest, &origin->identity); at++)
		if (at->op->kind == OP_COPY)
			clone(at, RULE_V3_COPY, origin);
}

/* A pair as side holds it. */
static struct origin origin_of_pair(size_t box, enum side side, const struct pair *pair)
{
	return (struct origin){
	    .box = box,
	    .key = side == LOCAL ? (struct message_key){.name = pair->name}
				 : (struct message_key){.uid = pair->uid},
	    .flags = pair->flags,
	    .identity = pair_identity(pair),
	};
}

/* Holds every pair that the side has against the arrivals. */
static void clone_from_pairs(const struct planner_box *boxes, size_t len, enum side side,
			     const struct way *way, const struct arrival_list *arrivals)
{
	for (size_t i = 0; i < len; i++) {
		const struct planner_input *input = &boxes[i].input;
		const struct snapshot *held = input->sides[side];
		for (size_t k = 0; k < input->pairs_len; k++) {
			if (held ? !held->known[k].present
				 : !pair_is_expected(&input->pairs[k], side))
				continue;
			struct origin origin = origin_of_pair(i, side, &input->pairs[k]);
			if (held)
				origin.flags = held->known[k].flags;
			clone_all(arrivals, way, &origin);
		}
	}
}

/* What is new in several mailboxes comes once, and from there to the others. */
static void clone_from_first(const struct arrival_list *arrivals, const struct way *way)
{
	for (size_t i = 0, first = 0; i < arrivals->len; i++) {
		struct op *op = arrivals->list[i].op, *source = arrivals->list[first].op;
		if (!is_same(way, op->identity.rest, source->identity.rest) ||
		    source->kind != OP_COPY) {
			first = i;
			continue;
		}
		if (i == first)
			continue;
		const struct origin origin = {.box = arrivals->list[first].box,
					      .key = {.uid = source->uid},
					      .flags = source->flags,
					      .identity = *source->identity.rest};
		clone(&arrivals->list[i], RULE_V3_COPY, &origin);
	}
}

/*
 * V3: what is new in one mailbox and is held by the other side in another one was copied, so it is
 * copied there and not sent. Bytes, or the server's id, are certain; size, date and Message-ID are
 * as certain as a server without ids can be. A copy never takes the place of its original: nothing
 * else becomes of that.
 */
static void rule_v3_copy(struct planner_box *boxes, size_t len, enum side side,
			 const struct way *way)
{
	struct arrival_list arrivals = {0};

	collect_arrivals(boxes, len, side, way, &arrivals);
	if (arrivals.len)
		clone_from_pairs(boxes, len, side, way, &arrivals);
	if (side == LOCAL)
		clone_from_first(&arrivals, way);
	free(arrivals.list);
}

/* The first of the arrivals that is this message and still to be sent, or NULL. */
static struct arrival *find_sent(const struct arrival_list *arrivals, const struct way *way,
				 const struct identity *identity)
{
	const struct arrival *end = arrivals->list + arrivals->len;

	for (struct arrival *at = find_arrival(arrivals, way, identity);
	     at && at < end && is_same(way, at->op->identity.rest, identity); at++)
		if (at->op->kind == OP_COPY)
			return at;
	return NULL;
}

/*
 * Where a message went that is gone on both sides: each place takes it from the other. A file that
 * the user wants no links to is not taken, so that what goes to the disk is sent after all.
 */
static void join_places(const struct policy *policy, const struct arrival *local,
			const struct arrival *remote)
{
	/* An arrival at the remote side is a file of the local one, and the other way round. */
	const struct origin file = {.box = local->box,
				    .key = {.name = local->op->name},
				    .flags = local->op->flags,
				    .identity = *local->op->identity.rest};
	const struct origin message = {.box = remote->box,
				       .key = {.uid = remote->op->uid},
				       .flags = remote->op->flags,
				       .identity = *remote->op->identity.rest};
	struct identity identity = file.identity;

	clone(local, RULE_V4_BOTH, &message);
	identity.date = message.identity.date;
	identity.email_id = message.identity.email_id;
	plan_identify(local->plan, local->op, &identity);
	remote->op->rule = RULE_V4_BOTH;
	if (policy->link)
		clone(remote, RULE_V4_BOTH, &file);
}

/*
 * V4: a message that is gone on both sides from where both held it, and new in different mailboxes
 * on the two, was moved by both users: neither is wrong, so both places keep it.
 */
static void rule_v4_both(const struct policy *policy, struct planner_box *boxes, size_t len)
{
	struct arrival_list files = {0}, ids = {0}, details = {0};

	collect_arrivals(boxes, len, REMOTE, &by_digest, &files);
	collect_arrivals(boxes, len, LOCAL, &by_email_id, &ids);
	collect_arrivals(boxes, len, LOCAL, &by_details, &details);
	for (size_t i = 0; i < len && files.len; i++) {
		const struct planner_input *input = &boxes[i].input;
		for (size_t k = 0; k < input->pairs_len; k++) {
			const struct origin gone = origin_of_pair(i, LOCAL, &input->pairs[k]);
			if (!input->sides[LOCAL] || input->sides[LOCAL]->known[k].present ||
			    input->sides[REMOTE]->known[k].present)
				continue;
			struct arrival *file = find_sent(&files, &by_digest, &gone.identity);
			struct arrival *message = find_sent(&ids, &by_email_id, &gone.identity);
			if (!message)
				message = find_sent(&details, &by_details, &gone.identity);
			if (file && message)
				join_places(policy, file, message);
		}
	}
	free(files.list);
	free(ids.list);
	free(details.list);
}

void planner_copies(const struct policy *policy, struct planner_box *boxes, size_t len)
{
	rule_v4_both(policy, boxes, len);
	rule_v3_copy(boxes, len, REMOTE, &by_digest);
	if (!policy->link)
		return;
	rule_v3_copy(boxes, len, LOCAL, &by_email_id);
	rule_v3_copy(boxes, len, LOCAL, &by_details);
}
