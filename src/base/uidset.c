// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/uidset.h"

#include "base/array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The index of the first range that ends at uid or later; len where none does. */
static size_t uidset_find(const struct uidset *set, uint32_t uid)
{
	size_t low = 0;
	size_t high = set->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->ranges[middle].last < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Adds one UID. */
void uidset_add(struct uidset *set, uint32_t uid)
{
	if (uid != 0)
		uidset_add_range(set, uid, uid);
}

/* Puts ranges from `from` up to `to` into one, that [first, last] and they make together. */
static void uidset_merge(struct uidset *set, size_t from, size_t to, uint32_t first, uint32_t last)
{
	struct uid_range *into = &set->ranges[from];

	into->first = into->first < first ? into->first : first;
	into->last = set->ranges[to - 1].last > last ? set->ranges[to - 1].last : last;
	memmove(into + 1, &set->ranges[to], (set->len - to) * sizeof(*into));
	set->len -= to - from - 1;
}

/* Joins all ranges that the new one overlaps or touches; where there are none, it goes between. */
void uidset_add_range(struct uidset *set, uint32_t first, uint32_t last)
{
	uint32_t low = first < last ? first : last;
	uint32_t high = first < last ? last : first;
	size_t from, to;

	if (high == 0)
		return;
	low = low > 0 ? low : 1;
	from = set->len;
	if (set->len > 0 && set->ranges[set->len - 1].last >= low - 1)
		from = uidset_find(set, low - 1);
	for (to = from; to < set->len && set->ranges[to].first - 1 <= high; to++)
		;
	if (to > from) {
		uidset_merge(set, from, to, low, high);
		return;
	}
	set->ranges = array_grow(set->ranges, &set->cap, set->len + 1, sizeof(*set->ranges));
	memmove(&set->ranges[from + 1], &set->ranges[from],
		(set->len - from) * sizeof(*set->ranges));
	set->ranges[from] = (struct uid_range){.first = low, .last = high};
	set->len++;
}

/* True where uid is a member. */
bool uidset_has(const struct uidset *set, uint32_t uid)
{
	size_t at = uidset_find(set, uid);

	return at < set->len && set->ranges[at].first <= uid;
}

/* Counts the members. */
uint64_t uidset_count(const struct uidset *set)
{
	uint64_t count = 0;

	for (size_t i = 0; i < set->len; i++)
		count += (uint64_t)set->ranges[i].last - set->ranges[i].first + 1;
	return count;
}

/* The next member. */
uint32_t uidset_after(const struct uidset *set, uint32_t uid)
{
	size_t at;

	if (uid == UINT32_MAX)
		return 0;
	at = uidset_find(set, uid + 1);
	if (at == set->len)
		return 0;
	return set->ranges[at].first > uid ? set->ranges[at].first : uid + 1;
}

/* Reads an nz-number (RFC 9051 section 9) of 32 bits; 0 where there is none. */
static uint32_t uidset_parse_number(const char **at, const char *end)
{
	uint64_t number = 0;

	if (*at < end && **at == '0')
		return 0;
	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		number = number * 10 + (uint64_t)(**at - '0');
		if (number > UINT32_MAX)
			return 0;
	}
	return (uint32_t)number;
}

/* Reads "3", "3:5" or "5:3". */
static int uidset_parse_range(const char **at, const char *end, struct uid_range *range)
{
	uint32_t a = uidset_parse_number(at, end);
	uint32_t b = a;

	if (a != 0 && *at < end && **at == ':') {
		(*at)++;
		b = uidset_parse_number(at, end);
	}
	if (a == 0 || b == 0)
		return -1;
	*range = (struct uid_range){.first = a < b ? a : b, .last = a < b ? b : a};
	return 0;
}

/* Orders ranges by where they begin, for qsort(3). */
static int uidset_compare(const void *a, const void *b)
{
	const struct uid_range *x = a;
	const struct uid_range *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/*
 * What is read is sorted before it is added: ranges that come in falling order would otherwise each
 * move all others, and the server chooses the order.
 */
int uidset_parse(struct uidset *set, const char *text, size_t len, size_t max_ranges)
{
	const char *at = text;
	const char *end = text + len;
	struct uidset all = {0};
	size_t count = 0;
	size_t rest;

	for (;;) {
		struct uid_range range;

		if (count++ == max_ranges || uidset_parse_range(&at, end, &range) < 0)
			goto malformed;
		*array_push(all.ranges, all.len, all.cap) = range;
		if (at == end)
			break;
		if (*at++ != ',')
			goto malformed;
	}
	for (size_t i = 0; i < set->len; i++)
		*array_push(all.ranges, all.len, all.cap) = set->ranges[i];
	qsort(all.ranges, all.len, sizeof(*all.ranges), uidset_compare);
	rest = all.len;
	all.len = 0;
	for (size_t i = 0; i < rest; i++)
		uidset_add_range(&all, all.ranges[i].first, all.ranges[i].last);
	uidset_free(set);
	*set = all;
	return 0;
malformed:
	uidset_free(&all);
	return -1;
}

/* Writes ranges from *next on as long as they fit. */
void uidset_format(const struct uidset *set, size_t *next, size_t max_len, struct buf *out)
{
	size_t written = 0;

	for (; *next < set->len; (*next)++) {
		const struct uid_range *range = &set->ranges[*next];
		char text[sizeof(",4294967295:4294967295")];
		int len;

		if (range->first == range->last)
			len = snprintf(text, sizeof(text), "%s%u", written > 0 ? "," : "",
				       range->first);
		else
			len = snprintf(text, sizeof(text), "%s%u:%u", written > 0 ? "," : "",
				       range->first, range->last);
		if (written > 0 && (size_t)len > max_len - written)
			return;
		buf_append(out, text, (size_t)len);
		written += (size_t)len;
		if (written >= max_len) {
			(*next)++;
			return;
		}
	}
}

/* Empties the set for its next use. */
void uidset_clear(struct uidset *set)
{
	set->len = 0;
}

/* Frees the set; it is empty and may be used again. */
void uidset_free(struct uidset *set)
{
	free(set->ranges);
	*set = (struct uidset){0};
}
