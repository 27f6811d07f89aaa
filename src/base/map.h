// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A hash map from byte strings to numbers (usually indexes of an array). Keys are borrowed: they
 * must outlive the map. The hash is seeded per process, so nobody outside can make it slow.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct map_slot;

/* All zeros is an empty map. */
struct map {
	struct map_slot *slots;
	size_t len;
	size_t cap; /* a power of two, or 0 */
};

/* Puts or replaces; true where the key was new. */
bool map_put(struct map *map, const char *key, size_t len, size_t value);
/* True and *value where the key is there. */
bool map_get(const struct map *map, const char *key, size_t len, size_t *value);
/* True where the key was there. */
bool map_remove(struct map *map, const char *key, size_t len);
void map_free(struct map *map);
/* The seeded hash by itself, for tables of other shapes. */
unsigned long long map_hash(const void *bytes, size_t len);

#endif
