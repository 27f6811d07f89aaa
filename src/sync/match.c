// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/match.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/order.h"

#include <stdlib.h>
#include <string.h>

/* A message of either side, in the order in which equals lie side by side. */
struct candidate {
	const struct fresh_message *message;
	size_t index;
	enum side side;
	bool taken;
};

/* Size, then Message-ID: within a group both are equal. */
static int compare_group(const struct candidate *a, const struct candidate *b)
{
	const struct identity *x = &a->message->state.identity, *y = &b->message->state.identity;
	int order = order_u64(x->size, y->size);

	return order ? order : order_u64(x->message_id, y->message_id);
}

/*
 * Within a group: date, side, what was a pair before what was none, and at last the place, so that
 * the order of input does not matter.
 */
static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	const struct identity *p = &x->message->state.identity, *q = &y->message->state.identity;
	int order = compare_group(x, y);

	if (!order)
		order = order_i64(p->date, q->date);
	if (!order)
		order = (int)x->side - (int)y->side;
	if (!order)
		order = (int)y->message->former - (int)x->message->former;
	if (!order)
		order = order_u64(x->index, y->index);
	return order;
}

/* Makes a pair of the two. */
static void take(struct candidate *local, struct candidate *remote, struct match_result *out)
{
	struct match match;

	match.index[LOCAL] = local->index;
	match.index[REMOTE] = remote->index;
	*array_push(out->matches, out->len, out->cap) = match;
	local->taken = remote->taken = true;
}

/* How many of side in [from, to) are not taken. */
static size_t count_free(const struct candidate *list, size_t from, size_t to, enum side side)
{
	size_t count = 0;

	for (size_t i = from; i < to; i++)
		count += list[i].side == side && !list[i].taken;
	return count;
}

/* True where every local message in [from, to) that is free has the same digest. */
static bool is_one_content(const struct candidate *list, size_t from, size_t to)
{
	const struct identity *first = NULL;

	for (size_t i = from; i < to; i++) {
		const struct identity *identity = &list[i].message->state.identity;
		if (list[i].side != LOCAL || list[i].taken)
			continue;
		if (!identity->has_digest)
			return false;
		if (first && !digest_equal(&first->digest, &identity->digest))
			return false;
		first = identity;
	}
	return true;
}

/* Orders candidates by digest, then side. */
static int compare_digests(const void *a, const void *b)
{
	const struct candidate *x = *(struct candidate *const *)a;
	const struct candidate *y = *(struct candidate *const *)b;
	int order = memcmp(&x->message->state.identity.digest, &y->message->state.identity.digest,
			   sizeof(struct digest));

	return order ? order : (x > y) - (x < y);
}

/* The local messages in the order in which they choose. */
enum turn {
	TURN_BEGUN, /* a file that is to be moved, and what came of that */
	TURN_FILE,
	TURN_GHOST, /* has no need of a partner */
	TURNS,
};

static enum turn turn_of(const struct fresh_message *local)
{
	return local->ghost ? TURN_GHOST : snapshot_floor(local) ? TURN_BEGUN : TURN_FILE;
}

/* True for a remote message that is free and no older than floor. */
static bool is_free_remote(const struct candidate *candidate, uint32_t floor)
{
	return candidate->side == REMOTE && !candidate->taken &&
	       candidate->message->state.key.uid >= floor;
}

/* Each takes the first that it can be: where something was begun, nothing that was there before. */
static void take_turn(struct candidate **list, size_t len, enum turn turn, struct match_result *out)
{
	size_t remote = 0;

	for (size_t i = 0; i < len; i++) {
		if (list[i]->side != LOCAL || list[i]->taken || turn_of(list[i]->message) != turn)
			continue;
		/* Those without a floor never leave one out, so they need not begin anew. */
		if (turn != TURN_FILE)
			remote = 0;
		while (remote < len &&
		       !is_free_remote(list[remote], snapshot_floor(list[i]->message)))
			remote++;
		if (remote < len)
			take(list[i], list[remote], out);
	}
}

/* Pairs candidates that are known to be equal, as many as both sides have. */
static void take_all(struct candidate **list, size_t len, struct match_result *out)
{
	for (enum turn turn = TURN_BEGUN; turn < TURNS; turn++)
		take_turn(list, len, turn, out);
}

/* Pairs what is certain by the digest, in [from, to). */
static void match_digests(struct candidate *list, size_t from, size_t to, struct match_result *out)
{
	struct candidate **known = xcalloc(to - from, sizeof(*known));
	size_t len = 0, start = 0;

	for (size_t i = from; i < to; i++)
		if (list[i].message->state.identity.has_digest)
			known[len++] = &list[i];
	qsort(known, len, sizeof(*known), compare_digests);
	for (size_t i = 1; i <= len; i++) {
		if (i < len && digest_equal(&known[i]->message->state.identity.digest,
					    &known[start]->message->state.identity.digest))
			continue;
		take_all(&known[start], i - start, out);
		start = i;
	}
	free(known);
}

/*
 * Pairs within [from, to), where size and Message-ID are equal (and the date, in one run of it): as
 * many as both sides have, if there is only one content they can have. A remote message whose
 * digest is known and has found no partner by it is another message, however alike.
 */
static void match_equal(struct candidate *list, size_t from, size_t to, struct match_result *out)
{
	struct candidate **all;
	size_t len = 0;

	if (!is_one_content(list, from, to))
		return;
	all = xcalloc(to - from, sizeof(*all));
	for (size_t i = from; i < to; i++)
		if (list[i].side == LOCAL || !list[i].message->state.identity.has_digest)
			all[len++] = &list[i];
	take_all(all, len, out);
	free(all);
}

/* Within a group of equal size and Message-ID: the runs of equal date. */
static void match_dates(struct candidate *list, size_t from, size_t to, struct match_result *out)
{
	size_t start = from;

	for (size_t i = from + 1; i <= to; i++) {
		if (i < to && list[i].message->state.identity.date ==
				  list[start].message->state.identity.date)
			continue;
		match_equal(list, start, i, out);
		start = i;
	}
}

/* Every remote message in [from, to) of at least that size whose digest is not known yet. */
static void ask_digests(const struct candidate *list, size_t from, size_t to, uint64_t least,
			struct match_result *out)
{
	for (size_t i = from; i < to; i++) {
		const struct identity *identity = &list[i].message->state.identity;
		if (list[i].side == REMOTE && !list[i].taken && !identity->has_digest &&
		    identity->size >= least)
			*array_push(out->undecided, out->undecided_len, out->undecided_cap) =
			    list[i].index;
	}
}

/*
 * One group of equal size and Message-ID. What is known for certain goes first; then, for messages
 * that have a Message-ID, equal dates and at last a single one on each side; what is left on both
 * sides is undecided until its digests are known.
 */
static void match_group(struct candidate *list, size_t from, size_t to, struct match_result *out)
{
	match_digests(list, from, to, out);
	if (list[from].message->state.identity.message_id) {
		match_dates(list, from, to, out);
		match_equal(list, from, to, out);
	}
	if (count_free(list, from, to, LOCAL) && count_free(list, from, to, REMOTE))
		ask_digests(list, from, to, 0, out);
}

/* Message-ID, then the place. */
static int compare_ids(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order = order_u64(x->message->state.identity.message_id,
			      y->message->state.identity.message_id);

	if (!order)
		order = (int)x->side - (int)y->side;
	return order ? order : order_u64(x->index, y->index);
}

/*
 * What is left has no partner of its size. The size that a server tells may not be the message's
 * (Exchange guesses, others lie or tell none), so those of one Message-ID are held against each
 * other by their digests alone; and those without one, of which the server tells no size either.
 */
static void match_ids(struct candidate *list, size_t len, struct match_result *out)
{
	size_t start = 0;

	qsort(list, len, sizeof(*list), compare_ids);
	for (size_t i = 1; i <= len; i++) {
		uint64_t id = list[start].message->state.identity.message_id;
		if (i < len && list[i].message->state.identity.message_id == id)
			continue;
		if (count_free(list, start, i, LOCAL) && count_free(list, start, i, REMOTE)) {
			match_digests(list, start, i, out);
			if (count_free(list, start, i, LOCAL))
				ask_digests(list, start, i, id ? 0 : SIZE_UNKNOWN, out);
		}
		start = i;
	}
}

/* True for what has its partner in another mailbox, and no move of it was begun. */
static bool is_elsewhere(const struct fresh_message *message)
{
	return message->moved && !message->begun;
}

/* Puts the messages of one side into the list; a file has a size, or cannot be read. */
static size_t collect(struct candidate *list, size_t len, const struct fresh_message *messages,
		      size_t count, enum side side)
{
	for (size_t i = 0; i < count; i++)
		if ((side == REMOTE || messages[i].state.identity.size != SIZE_UNKNOWN) &&
		    !is_elsewhere(&messages[i]))
			list[len++] = (struct candidate){&messages[i], i, side, false};
	return len;
}

static int compare_indexes(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x > y) - (x < y);
}

/* Each index once: two ways may have asked for it. Returns how many are left. */
static size_t drop_doubles(size_t *sorted, size_t len)
{
	size_t left = 0;

	for (size_t i = 0; i < len; i++)
		if (!left || sorted[left - 1] != sorted[i])
			sorted[left++] = sorted[i];
	return left;
}

void match_find(const struct fresh_message *local, size_t local_len,
		const struct fresh_message *remote, size_t remote_len, struct match_result *out)
{
	struct candidate *list = xcalloc(local_len + remote_len + 1, sizeof(*list));
	size_t len = collect(list, 0, local, local_len, LOCAL);
	size_t start = 0;

	*out = (struct match_result){0};
	len = collect(list, len, remote, remote_len, REMOTE);
	qsort(list, len, sizeof(*list), compare_candidates);
	for (size_t i = 1; i <= len; i++) {
		if (i < len && !compare_group(&list[start], &list[i]))
			continue;
		match_group(list, start, i, out);
		start = i;
	}
	match_ids(list, len, out);
	if (out->undecided_len)
		qsort(out->undecided, out->undecided_len, sizeof(*out->undecided), compare_indexes);
	out->undecided_len = drop_doubles(out->undecided, out->undecided_len);
	free(list);
}

void match_free(struct match_result *result)
{
	free(result->matches);
	free(result->undecided);
	*result = (struct match_result){0};
}
