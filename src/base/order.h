// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which of two numbers comes first, as qsort wants it: below 0, 0 or above 0. A difference would
 * overflow.
 */
#ifndef BASE_ORDER_H
#define BASE_ORDER_H

#include <stdint.h>

static inline int order_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static inline int order_i64(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

#endif
