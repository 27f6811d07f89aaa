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
static uint64_t map_seed[2];
static pthread_once_t map_seed_once = PTHREAD_ONCE_INIT;

/* Makes the seed. */
static void map_make_seed(void)
{
	map_seed[0] = random_u64();
	map_seed[1] = random_u64();
}

/* Turns the bits of x to the left. */
static uint64_t map_rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

/* One round of SipHash over its state of four words. */
static void map_sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = map_rotate(v[1], 13) ^ v[0];
	v[3] = map_rotate(v[3], 16) ^ v[2];
	v[0] = map_rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = map_rotate(v[1], 17) ^ v[2];
	v[3] = map_rotate(v[3], 21) ^ v[0];
	v[2] = map_rotate(v[2], 32);
}

/* Up to eight bytes as a little-endian number. */
static uint64_t map_load(const unsigned char *bytes, size_t len)
{
	uint64_t word = 0;

	if (len > 0)
		memcpy(&word, bytes, len);
	return le64toh(word);
}

/* SipHash-1-3 (Aumasson and Bernstein 2012): one round a word, three at the end. */
unsigned long long map_hash(const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	uint64_t v[4] = {0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261,
			 0x7465646279746573};
	size_t left = len;

	pthread_once(&map_seed_once, map_make_seed);
	for (size_t i = 0; i < 4; i++)
		v[i] ^= map_seed[i % 2];
	for (;; at += 8, left -= 8) {
		uint64_t word =
		    left >= 8 ? map_load(at, 8) : map_load(at, left) | (uint64_t)len << 56;

		v[3] ^= word;
		map_sip_round(v);
		v[0] ^= word;
		if (left < 8)
			break;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		map_sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
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
