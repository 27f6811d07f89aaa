// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/arena.h"

#include "base/alloc.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_FIRST_CHUNK 4096
#define ARENA_LAST_CHUNK  (1024 * 1024)

/* The first of the list is the one that still serves; its data are zeroed beyond used. */
struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	size_t used;
	alignas(max_align_t) unsigned char data[];
};

/* Rounds up so that what follows is aligned for any type; too large counts as having no memory. */
static size_t arena_round(size_t size)
{
	size_t mask = alignof(max_align_t) - 1;

	if (size > SIZE_MAX / 2)
		size = SIZE_MAX / 2;
	return size > 0 ? (size + mask) & ~mask : mask + 1;
}

/* Makes a chunk of size bytes, not yet in any list. */
static struct arena_chunk *arena_new_chunk(size_t size)
{
	size_t rounded = arena_round(size);
	struct arena_chunk *chunk = xcalloc(1, sizeof(*chunk) + rounded);

	chunk->size = rounded;
	return chunk;
}

/*
 * Finds the chunk that serves size bytes. A request too large to share goes behind the first
 * chunk, so that the room left there is not lost.
 */
static struct arena_chunk *arena_chunk_for(struct arena *arena, size_t size)
{
	struct arena_chunk *first = arena->chunks;
	struct arena_chunk *chunk;
	size_t next = ARENA_FIRST_CHUNK;

	if (first != NULL && size <= first->size - first->used)
		return first;
	if (first != NULL)
		next = first->size < ARENA_LAST_CHUNK ? first->size * 2 : ARENA_LAST_CHUNK;
	if (first != NULL && size > next) {
		chunk = arena_new_chunk(size);
		chunk->next = first->next;
		first->next = chunk;
		return chunk;
	}
	while (next < size && next < ARENA_LAST_CHUNK)
		next *= 2;
	chunk = arena_new_chunk(next > size ? next : size);
	chunk->next = first;
	arena->chunks = chunk;
	return chunk;
}

/* Rounds up what the first chunk has given, behind which anything may lie then. */
static void arena_align(struct arena *arena)
{
	struct arena_chunk *first = arena->chunks;

	if (first != NULL)
		first->used = first->used > 0 ? arena_round(first->used) : 0;
}

/* Takes size bytes from the chunk that serves so many. */
static void *arena_take(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena_chunk_for(arena, size);
	void *memory = chunk->data + chunk->used;

	chunk->used += size;
	return memory;
}

/* Hands out size zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size)
{
	arena_align(arena);
	arena->used += size;
	return arena_take(arena, arena_round(size));
}

/* Copies len bytes and terminates them; characters lie close to each other. */
char *arena_strndup(struct arena *arena, const char *bytes, size_t len)
{
	char *copy;

	if (len > SIZE_MAX / 4) /* as much as there is no memory for */
		return arena_alloc(arena, SIZE_MAX);
	arena->used += len + 1;
	copy = arena_take(arena, len + 1);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

/* Copies a string. */
char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

/* Formats into the arena. */
char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	char *text;
	char *copy;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		return arena_alloc(arena, SIZE_MAX);
	copy = arena_strndup(arena, text, (size_t)len);
	free(text);
	return copy;
}

/* Frees every chunk. */
void arena_free(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks;

	while (chunk != NULL) {
		struct arena_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
	*arena = (struct arena){0};
}
