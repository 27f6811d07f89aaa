// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/array.h"

#include "base/alloc.h"

#include <stdint.h>

#define ARRAY_FIRST_CAP 8

void *array_reserve(void *array, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return array;
	array = xreallocarray(array, need, size);
	*cap = need;
	return array;
}

/* Doubles until need fits; where doubling would overflow, exactly need is asked for. */
void *array_grow(void *array, size_t *cap, size_t need, size_t size)
{
	size_t wanted = *cap > 0 ? *cap : ARRAY_FIRST_CAP;

	if (need <= *cap)
		return array;
	while (wanted < need)
		wanted = wanted > SIZE_MAX / 2 ? need : wanted * 2;
	return array_reserve(array, cap, wanted, size);
}
