// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Growing arrays: a pointer, a length and a capacity, side by side in their owner.
 *
 *	struct row *rows; size_t len, cap;
 *	*array_push(rows, len, cap) = (struct row){...};
 *
 * Growth doubles; the new member is not cleared. Freed with free().
 */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>

/* Makes room for at least need members of size bytes; returns the (moved) array. */
void *array_grow(void *array, size_t *cap, size_t need, size_t size);

/* The same for no more than need: where it is known how many there will be. */
void *array_reserve(void *array, size_t *cap, size_t need, size_t size);

#define array_push(array, len, cap)                                                                \
	((array) = array_grow((array), &(cap), (len) + 1, sizeof(*(array))), &(array)[(len)++])

#endif
