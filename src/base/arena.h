// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Memory that lives and dies together: what a snapshot or a plan holds comes from its arena.
 * Chunks double up to 1 MiB; larger requests get a chunk of their own. Memory is aligned for any
 * type. Allocation never fails (see base/alloc.h).
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

/* All zeros is an empty arena. */
struct arena {
	struct arena_chunk *chunks;
	size_t used; /* bytes handed out, for figures and tests */
};

/* size zeroed bytes. */
void *arena_alloc(struct arena *arena, size_t size);
/* A terminated copy; the len bytes may hold NUL. */
char *arena_strndup(struct arena *arena, const char *bytes, size_t len);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Frees all; the arena is empty and may be used again. */
void arena_free(struct arena *arena);

#endif
