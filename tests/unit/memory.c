// SPDX-License-Identifier: GPL-3.0-or-later
#include "memory.h"

#include <malloc.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);

static size_t held;

/* Counts what was allocated. */
static void *take(void *memory)
{
	held += malloc_usable_size(memory);
	return memory;
}

void *__wrap_malloc(size_t size)
{
	return take(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return take(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
	held -= malloc_usable_size(old);
	return take(__real_realloc(old, size));
}

void __wrap_free(void *memory)
{
	held -= malloc_usable_size(memory);
	__real_free(memory);
}

size_t memory_held(void)
{
	return held;
}
