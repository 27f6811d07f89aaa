// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A set of UIDs (RFC 9051 sequence-set: 1 to 2^32-1, 0 is no UID) as ascending, disjoint, merged
 * ranges: 100,000 consecutive UIDs cost eight bytes.
 */
#ifndef BASE_UIDSET_H
#define BASE_UIDSET_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uid_range {
	uint32_t first;
	uint32_t last; /* included */
};

/* All zeros is the empty set. */
struct uidset {
	struct uid_range *ranges;
	size_t len;
	size_t cap;
};

/* Adds one UID (0 is ignored); ascending order costs O(1) each, any order is right. */
void uidset_add(struct uidset *set, uint32_t uid);
/* Adds both ends and all between, in either order; a 0 at an end counts as 1, 0:0 as nothing. */
void uidset_add_range(struct uidset *set, uint32_t first, uint32_t last);
bool uidset_has(const struct uidset *set, uint32_t uid);
/* How many UIDs, not ranges. */
uint64_t uidset_count(const struct uidset *set);
/*
 * The smallest member above uid, or 0: "for (u = uidset_after(s, 0); u; u = uidset_after(s, u))".
 */
uint32_t uidset_after(const struct uidset *set, uint32_t uid);
/*
 * Adds what "1,3:5,9:7" says (ranges in either order, as servers write them; '*' is refused). 0, or
 * -1 with the set unchanged where it is malformed, names UID 0, or has more than max_ranges ranges.
 */
int uidset_parse(struct uidset *set, const char *text, size_t len, size_t max_ranges);
/*
 * Appends "1,3:5" to out, stopping before the text would grow past max_len bytes; *next is the
 * index of the first range left out, so that a long set goes out as several short ones:
 *	for (size_t i = 0; i < set.len;) { buf_reset(&b); uidset_format(&set, &i, 900, &b); ... }
 * At least one range is written each time.
 */
void uidset_format(const struct uidset *set, size_t *next, size_t max_len, struct buf *out);
void uidset_clear(struct uidset *set);
void uidset_free(struct uidset *set);

#endif
