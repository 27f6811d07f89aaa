// SPDX-License-Identifier: GPL-3.0-or-later
/* Numbers that a seed decides, the same on every machine (splitmix64). */
#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

/* Any number. */
static inline uint64_t chance_next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Below limit, which is not 0. */
static inline uint32_t chance_below(uint64_t *seed, uint32_t limit)
{
	return (uint32_t)(chance_next(seed) >> 32) % limit;
}

/* True once in so many times. */
static inline bool chance_one_in(uint64_t *seed, uint32_t times)
{
	return !chance_below(seed, times);
}

#endif
