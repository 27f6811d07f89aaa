// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the program under test holds of memory, counted exactly and alike under sanitizers: linked
 * with MEMORY_WRAP, every malloc, calloc, realloc and free of ours goes through here.
 */
#ifndef UNIT_MEMORY_H
#define UNIT_MEMORY_H

#include <stddef.h>

/* Bytes held now, rounding by the allocator with them. */
size_t memory_held(void);

#endif
