// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A hash table of numbers in 4 bytes each: indexes of an array whose owner has the keys and their
 * hashes. For tables of 100,000 rows, where base/map.h would take 32 bytes a slot.
 *
 *	for (size_t at = slots_begin(&slots, hash); (slot = slots_next(&slots, &at)) != NULL;)
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
	size_t cap;
	size_t used;  /* those gone included */
};

/*
 * Empties the table and makes it large enough for count indexes and a third more, so that filling
 * it anew whenever it is full costs a few times what filling it once does.
 */
void slots_reset(struct slots *slots, size_t count);
/* True where one more would fill it past three quarters: it is to be reset and filled anew. */
bool slots_are_full(const struct slots *slots);
/* Adds an index; the table is not full. */
void slots_add(struct slots *slots, uint32_t hash, size_t index);
void slots_free(struct slots *slots);

/* Where the slots are that a hash leads to; all of its bits are to be as good as random. */
static inline size_t slots_begin(const struct slots *slots, uint32_t hash)
{
	return (size_t)((uint64_t)hash * slots->cap >> 32);
}

/* The next slot of those, NULL at their end. */
static inline uint32_t *slots_next(const struct slots *slots, size_t *at)
{
	while (slots->cap != 0) {
		uint32_t *slot = &slots->at[*at];

		*at = *at + 1 < slots->cap ? *at + 1 : 0;
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

/* Has a slot hold another index. */
static inline void slots_set(uint32_t *slot, size_t index)
{
	*slot = (uint32_t)index + 1;
}

/* Takes the index out that a slot holds. */
static inline void slots_remove(uint32_t *slot)
{
	*slot = SLOT_GONE;
}

#endif
