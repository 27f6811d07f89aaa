// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Sets held against each other range by range: a server may name a range of four thousand million
 * UIDs, so nothing here walks members.
 */
#include "store/store-imap-inner.h"

/* Moves to the next pair of overlapping ranges; false where there is none left. */
static bool next_overlap(const struct uidset *a, const struct uidset *b, size_t *i, size_t *k,
			 struct uid_range *out)
{
	while (*i < a->len && *k < b->len) {
		const struct uid_range *x = &a->ranges[*i], *y = &b->ranges[*k];

		out->first = x->first > y->first ? x->first : y->first;
		out->last = x->last < y->last ? x->last : y->last;
		if (x->last < y->last)
			(*i)++;
		else
			(*k)++;
		if (out->first <= out->last)
			return true;
	}
	return false;
}

/* How many are in both. */
uint64_t uids_count_common(const struct uidset *a, const struct uidset *b)
{
	struct uid_range range;
	uint64_t count = 0;

	for (size_t i = 0, k = 0; next_overlap(a, b, &i, &k, &range);)
		count += (uint64_t)range.last - range.first + 1;
	return count;
}

/* Adds what is in both. */
void uids_add_common(const struct uidset *a, const struct uidset *b, struct uidset *out)
{
	struct uid_range range;

	for (size_t i = 0, k = 0; next_overlap(a, b, &i, &k, &range);)
		uidset_add_range(out, range.first, range.last);
}

/* Adds what of one range is in no range of b from *k on; *k moves on with rising ranges. */
static void add_range_minus(struct uid_range range, const struct uidset *b, size_t *k,
			    struct uidset *out)
{
	uint64_t from = range.first;

	while (*k < b->len && b->ranges[*k].last < from)
		(*k)++;
	for (size_t i = *k; i < b->len && b->ranges[i].first <= range.last; i++) {
		if (b->ranges[i].first > from)
			uidset_add_range(out, (uint32_t)from, b->ranges[i].first - 1);
		from = (uint64_t)b->ranges[i].last + 1;
	}
	if (from <= range.last)
		uidset_add_range(out, (uint32_t)from, range.last);
}

/* Adds what is in a only. */
void uids_add_minus(const struct uidset *a, const struct uidset *b, struct uidset *out)
{
	size_t k = 0;

	for (size_t i = 0; i < a->len; i++)
		add_range_minus(a->ranges[i], b, &k, out);
}

/* Adds a whole set. */
void uids_add_all(const struct uidset *a, struct uidset *out)
{
	for (size_t i = 0; i < a->len; i++)
		uidset_add_range(out, a->ranges[i].first, a->ranges[i].last);
}

/* The highest member, 0 where there is none. */
uint32_t uids_highest(const struct uidset *set)
{
	return set->len ? set->ranges[set->len - 1].last : 0;
}

/* The keys as a set. */
void uids_add_keys(const struct request *request, struct uidset *out)
{
	for (size_t i = 0; i < request->count; i++)
		uidset_add(out, request->keys[i].uid);
}

/* Keys ascend. */
bool uids_find_key(const struct request *request, uint32_t uid, size_t *index)
{
	size_t low = 0, high = request->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (request->keys[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	*index = low;
	return low < request->count && request->keys[low].uid == uid;
}
