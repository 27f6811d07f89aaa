// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A hash table of numbers in 4 bytes each: indexes of an array whose owner has the keys and their
 * hashes. For tables of 100,000 rows, where base/map.h would take 32 bytes a slot.
 *
 *	for (size_t at = hash; (slot = slots_next(&slots, &at)) != NULL;)
 *		if (rows[slots_index(slot)] is what is looked for)
 *			...
 */
#ifndef BASE_SLOTS_H
#define BASE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOT_FREE 0u
#define SLOT_GONE UINT32_MAX
#define SLOTS_MIN 64u
#define SLOTS_INDEX_MAX ((size_t)UINT32_MAX - 2)

/* All zeros is an empty table. */
struct slots {
	uint32_t *at; /* an index plus 1 */
	size_t cap;   /* a power of two, or 0 */
	size_t used;  /* those gone included */
};

/* Empties the table and makes it large enough for count indexes at half load. */
void slots_reset(struct slots *slots, size_t count);
/* True where one more would fill it past three quarters: it is to be reset and filled anew. */
bool slots_are_full(const struct slots *slots);
/* Adds an index; the table is not full. */
void slots_add(struct slots *slots, uint32_t hash, size_t index);
void slots_free(struct slots *slots);

/* The next slot of those that a hash leads to, NULL at their end; *at begins as the hash. */
static inline uint32_t *slots_next(const struct slots *slots, size_t *at)
{
	while (slots->cap != 0) {
		uint32_t *slot = &slots->at[(*at)++ & (slots->cap - 1)];

		if (*slot == SLOT_FREE)
			break;
		if (*slot != SLOT_GONE)
			return slot;
	}
	return NULL;
}

static inline size_t slots_index(const uint32_t *slot)
{
	return *slot - 1;
}

/* Takes the index out that a slot holds. */
static inline void slots_remove(uint32_t *slot)
{
	*slot = SLOT_GONE;
}

#endif
