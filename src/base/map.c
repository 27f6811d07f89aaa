// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/map.h"

#include "base/alloc.h"
#include "base/random.h"

#include <endian.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAP_FIRST_CAP 16

/* hash is never 0 in a slot that is taken. */
struct map_slot {
	uint64_t hash;
	const char *key;
	size_t len;
	size_t value;
};

/* The seed of the process: whoever does not know it cannot choose keys that collide. */
static uint64_t map_seed[3];
static pthread_once_t map_seed_once = PTHREAD_ONCE_INIT;

/* Makes the seed. */
static void map_make_seed(void)
{
	for (size_t i = 0; i < 3; i++)
		map_seed[i] = random_u64();
}

/* Both halves of a product as one word: every bit of it depends on all bits of the factors. */
static uint64_t map_fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX), high = (a >> 32) * (b >> 32);
	uint64_t one = (a >> 32) * (b & UINT32_MAX), other = (a & UINT32_MAX) * (b >> 32);
	uint64_t middle = (low >> 32) + (one & UINT32_MAX) + other;

	return (middle << 32 | (low & UINT32_MAX)) ^ (high + (one >> 32) + (middle >> 32));
#endif
}

/* Up to eight bytes as a little-endian number. */
static uint64_t map_load(const unsigned char *bytes, size_t len)
{
	uint64_t word = 0;

	if (len > 0)
		memcpy(&word, bytes, len);
	return le64toh(word);
}

/*
 * Folded products of words that are masked by the seed: who does not know it cannot tell which
 * differences cancel out. Half of each product is what came before, so that order counts; the
 * length comes last.
 */
unsigned long long map_hash(const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	uint64_t hash, word = 0;
	size_t left = len;

	pthread_once(&map_seed_once, map_make_seed);
	hash = map_seed[0];
	for (; left > 16; at += 16, left -= 16)
		hash = map_fold(map_load(at, 8) ^ map_seed[1], map_load(at + 8, 8) ^ hash);
	if (left > 8) {
		word = map_load(at, 8);
		at += 8;
		left -= 8;
	}
	hash = map_fold(map_load(at, left) ^ map_seed[1], word ^ hash);
	return map_fold(hash ^ map_seed[2], len ^ map_seed[1]);
}

/* The hash as slots keep it: 0 means free there. */
static uint64_t map_slot_hash(const char *key, size_t len)
{
	uint64_t hash = map_hash(key, len);

	return hash != 0 ? hash : 1;
}

/* The slot that holds the key, or the free one where it belongs; the map has a free one. */
static size_t map_find(const struct map *map, uint64_t hash, const char *key, size_t len)
{
	size_t mask = map->cap - 1;
	size_t at = hash & mask;

	for (; map->slots[at].hash != 0; at = (at + 1) & mask) {
		const struct map_slot *slot = &map->slots[at];

		if (slot->hash == hash && slot->len == len &&
		    (len == 0 || memcmp(slot->key, key, len) == 0))
			break;
	}
	return at;
}

/* Doubles the table. */
static void map_grow(struct map *map)
{
	struct map old = *map;

	map->cap = old.cap > 0 ? old.cap * 2 : MAP_FIRST_CAP;
	map->slots = xcalloc(map->cap, sizeof(*map->slots));
	for (size_t i = 0; i < old.cap; i++) {
		const struct map_slot *slot = &old.slots[i];

		if (slot->hash != 0)
			map->slots[map_find(map, slot->hash, slot->key, slot->len)] = *slot;
	}
	free(old.slots);
}

/* At most three quarters of the slots are taken, so that runs of taken ones stay short. */
bool map_put(struct map *map, const char *key, size_t len, size_t value)
{
	uint64_t hash = map_slot_hash(key, len);
	size_t at;

	if (map->len >= map->cap / 4 * 3)
		map_grow(map);
	at = map_find(map, hash, key, len);
	if (map->slots[at].hash != 0) {
		map->slots[at].value = value;
		return false;
	}
	map->slots[at] = (struct map_slot){.hash = hash, .key = key, .len = len, .value = value};
	map->len++;
	return true;
}

/* Looks a key up; *value stays where there is none. */
bool map_get(const struct map *map, const char *key, size_t len, size_t *value)
{
	size_t at;

	if (map->len == 0)
		return false;
	at = map_find(map, map_slot_hash(key, len), key, len);
	if (map->slots[at].hash == 0)
		return false;
	*value = map->slots[at].value;
	return true;
}

/*
 * Moves what follows back into the hole as long as it may lie there, so that searches end at the
 * first free slot and removed keys leave no marks.
 */
bool map_remove(struct map *map, const char *key, size_t len)
{
	size_t mask = map->cap - 1;
	size_t hole;

	if (map->len == 0)
		return false;
	hole = map_find(map, map_slot_hash(key, len), key, len);
	if (map->slots[hole].hash == 0)
		return false;
	for (size_t at = (hole + 1) & mask; map->slots[at].hash != 0; at = (at + 1) & mask) {
		size_t home = map->slots[at].hash & mask;

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			map->slots[hole] = map->slots[at];
			hole = at;
		}
	}
	map->slots[hole] = (struct map_slot){0};
	map->len--;
	return true;
}

/* Frees the table; the keys are not its own. */
void map_free(struct map *map)
{
	free(map->slots);
	*map = (struct map){0};
}
