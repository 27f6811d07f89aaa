// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/slots.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A table of the same size is used again. */
void slots_reset(struct slots *slots, size_t count)
{
	size_t cap = SLOTS_MIN + count + count / 4 * 3;

	if (cap != slots->cap) {
		free(slots->at);
		slots->at = xcalloc(cap, sizeof(*slots->at));
	} else {
		memset(slots->at, 0, cap * sizeof(*slots->at));
	}
	slots->cap = cap;
	slots->used = 0;
}

/* One without room is full. */
bool slots_are_full(const struct slots *slots)
{
	return (slots->used + 1) * 4 > slots->cap * 3;
}

/* Takes the first free slot of those that the hash leads to. */
void slots_add(struct slots *slots, uint32_t hash, size_t index)
{
	size_t i = slots_begin(slots, hash);

	assert(index <= SLOTS_INDEX_MAX);
	while (slots->at[i] != SLOT_FREE)
		i = i + 1 < slots->cap ? i + 1 : 0;
	slots->at[i] = (uint32_t)index + 1;
	slots->used++;
}

/* It is empty then. */
void slots_free(struct slots *slots)
{
	free(slots->at);
	*slots = (struct slots){0};
}
