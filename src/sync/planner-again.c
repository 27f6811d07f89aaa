// SPDX-License-Identifier: GPL-3.0-or-later
/* Rule V2 of what one side keeps though the other lost it: there it may be back. */
#include "sync/planner.h"

#include "base/alloc.h"
#include "base/order.h"

#include <stdlib.h>
#include <string.h>

/* By what both sides tell of a message before its bytes are read. */
static int compare_identities(const struct identity *a, const struct identity *b)
{
	int order = order_u64(a->size, b->size);

	return order ? order : order_u64(a->message_id, b->message_id);
}

/* Equal ones by their key: each run pairs the same. */
static int compare_fresh(const void *a, const void *b)
{
	const struct message_state *x = &(*(const struct fresh_message *const *)a)->state;
	const struct message_state *y = &(*(const struct fresh_message *const *)b)->state;
	int order = compare_identities(&x->identity, &y->identity);

	if (order)
		return order;
	return x->key.name ? strcmp(x->key.name, y->key.name) : order_u64(x->key.uid, y->key.uid);
}

/* What is new on a side and nobody's yet, sorted. */
static const struct fresh_message **sort_fresh(const struct snapshot *snapshot, const bool *done,
					       size_t *len)
{
	const struct fresh_message **sorted = xcalloc(snapshot->fresh_len + 1, sizeof(*sorted));

	*len = 0;
	for (size_t i = 0; i < snapshot->fresh_len; i++)
		if (!done[i] && !snapshot->fresh[i].ghost)
			sorted[(*len)++] = &snapshot->fresh[i];
	qsort(sorted, *len, sizeof(*sorted), compare_fresh);
	return sorted;
}

/* Where those begin that may be the message. */
static size_t find_first(const struct fresh_message *const *sorted, size_t len,
			 const struct identity *identity)
{
	size_t low = 0, high = len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (compare_identities(&sorted[mid]->state.identity, identity) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The index of a message that is a pair's other half, or PLANNER_NEVER. */
static size_t find_again(const struct snapshot *snapshot, const struct fresh_message *const *sorted,
			 size_t len, const struct pair *pair, const bool *done)
{
	const struct identity identity = pair_identity(pair);

	for (size_t i = find_first(sorted, len, &identity);
	     i < len && !compare_identities(&sorted[i]->state.identity, &identity); i++) {
		size_t index = (size_t)(sorted[i] - snapshot->fresh);
		if (!done[index] && planner_is_one_message(&identity, &sorted[i]->state.identity))
			return index;
	}
	return PLANNER_NEVER;
}

/* Whether the other side keeps a pair that this side lacks, and will go on keeping it. */
static bool is_kept(const struct planner_input *input, size_t index, enum side gone)
{
	const enum side side = other_side(gone);

	return input->sides[side]->known[index].present &&
	       !input->sides[gone]->known[index].present &&
	       (input->pairs[index].gone & 1u << gone || !policy_deletes(input->policy, side));
}

/* A list of so many that are none. */
static size_t *never_again(size_t len)
{
	size_t *again = xcalloc(len, sizeof(*again));

	for (size_t i = 0; i < len; i++)
		again[i] = PLANNER_NEVER;
	return again;
}

size_t *planner_again(const struct planner_input *input, bool *const done[SIDES])
{
	size_t *again = NULL, len, found;

	for (enum side gone = LOCAL; gone < SIDES; gone++) {
		const struct snapshot *snapshot = input->sides[gone];
		const struct fresh_message **sorted = sort_fresh(snapshot, done[gone], &len);
		for (size_t i = 0; len && i < input->pairs_len; i++) {
			if (!is_kept(input, i, gone))
				continue;
			found = find_again(snapshot, sorted, len, &input->pairs[i], done[gone]);
			if (found == PLANNER_NEVER)
				continue;
			if (!again)
				again = never_again(input->pairs_len);
			again[i] = found;
			done[gone][found] = true;
		}
		free(sorted);
	}
	return again;
}
