// SPDX-License-Identifier: GPL-3.0-or-later
/* Arenas: aligned, zeroed, disjoint memory around every chunk border. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* Fills what was handed out and looks later whether anything else wrote there. */
static void memory_is_ones_own(void **state)
{
	static const size_t sizes[] = {0,    1,    7,    8,     15,      16,      17,      100,
				       4095, 4096, 4097, 65536, 1048575, 1048576, 1048577, 3000000};
	enum { COUNT = 400 };
	static unsigned char *memory[COUNT];
	static size_t size[COUNT];
	struct arena arena = {0};
	size_t total = 0;

	(void)state;
	srandom(20240504);
	for (size_t i = 0; i < COUNT; i++) {
		/* mostly small ones, so that large ones come amidst half-used chunks */
		size[i] = sizes[(size_t)random() % (random() % 20 == 0 ? 16 : 9)];
		memory[i] = arena_alloc(&arena, size[i]);
		assert_non_null(memory[i]);
		assert_int_equal((uintptr_t)memory[i] % alignof(max_align_t), 0);
		for (size_t j = 0; j < size[i]; j++)
			if (memory[i][j] != 0)
				fail_msg("not zeroed");
		memset(memory[i], (int)(i % 255 + 1), size[i]);
		total += size[i];
		assert_int_equal(arena.used, total);
	}
	for (size_t i = 0; i < COUNT; i++)
		for (size_t j = 0; j < size[i]; j++)
			if (memory[i][j] != i % 255 + 1)
				fail_msg("overwritten");
	arena_free(&arena);
	assert_int_equal(arena.used, 0);
	assert_null(arena.chunks);
	arena_free(&arena);
	assert_non_null(arena_alloc(&arena, 1)); /* may be used again */
	arena_free(&arena);
}

/* Chunks filled to the last byte; no pointer is kept, so that a lost chunk is seen as a leak. */
static void chunks_fill_up(void **state)
{
	(void)state;
	for (size_t size = 16; size <= 128; size *= 2) {
		struct arena arena = {0};

		for (int i = 0; i < 20000; i++)
			memset(arena_alloc(&arena, size), 0xFF, size);
		assert_int_equal(arena.used, 20000 * size);
		arena_free(&arena);
	}
}

/* A large request must not throw away the room that the current chunk still has. */
static void large_ones_leave_the_chunk_alone(void **state)
{
	struct arena arena = {0};
	char *before = arena_alloc(&arena, 16);
	char *after;

	(void)state;
	arena_alloc(&arena, 5000000);
	after = arena_alloc(&arena, 16);
	assert_ptr_equal(after, before + 16);
	arena_free(&arena);
}

static void copies_text(void **state)
{
	struct arena arena = {0};
	char *copy = arena_strndup(&arena, "a\0bc", 3);

	(void)state;
	assert_memory_equal(copy, "a\0b", 4);
	assert_string_equal(arena_strndup(&arena, "abc", 0), "");
	assert_string_equal(arena_strndup(&arena, NULL, 0), "");
	assert_string_equal(arena_strdup(&arena, ""), "");
	assert_string_equal(arena_strdup(&arena, "mailbox"), "mailbox");
	assert_string_equal(arena_printf(&arena, "%s/%d", "a", 7), "a/7");
	assert_int_equal(strlen(arena_printf(&arena, "%100000d", 1)), 100000);
	assert_memory_equal(copy, "a\0b", 4);
	assert_int_equal(arena.used, 4 + 1 + 1 + 1 + 8 + 4 + 100001);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_is_ones_own),
	    cmocka_unit_test(chunks_fill_up),
	    cmocka_unit_test(large_ones_leave_the_chunk_alone),
	    cmocka_unit_test(copies_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
