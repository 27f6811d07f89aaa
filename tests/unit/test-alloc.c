// SPDX-License-Identifier: GPL-3.0-or-later
/* Memory or the end: what cannot be had ends the process with status 70. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/alloc.h"
#include "base/array.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* AddressSanitizer would end the process by itself; it reads this by name. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static volatile size_t huge = SIZE_MAX / 2 + 1;

static void *from_malloc(void)
{
	return xmalloc(huge);
}

static void *from_calloc(void)
{
	return xcalloc(huge, 1);
}

static void *from_calloc_overflow(void)
{
	return xcalloc(huge, 4);
}

static void *from_realloc(void)
{
	return xreallocarray(NULL, 1, huge);
}

/* 16 * (SIZE_MAX / 16 + 2) is 16 where nobody looks at the overflow. */
static void *from_realloc_overflow(void)
{
	return xreallocarray(NULL, huge / 8 + 1, 16);
}

static void *from_strndup(void)
{
	return xstrndup("", huge * 2 - 1);
}

static void *from_array(void)
{
	size_t cap = 0;

	return array_grow(NULL, &cap, huge / 8 + 1, 16);
}

/* Runs what must end the process and looks at how it did. */
static void assert_gives_up(void *(*function)(void))
{
	char told[8192];
	size_t len = 0;
	ssize_t some;
	int fds[2];
	int status;
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(fds[1], STDERR_FILENO);
		_exit(function() != NULL ? 0 : 1);
	}
	close(fds[1]);
	while ((some = read(fds[0], told + len, sizeof(told) - 1 - len)) > 0)
		len += (size_t)some;
	told[len] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 70);
	assert_non_null(strstr(told, "evenmail: out of memory\n"));
}

static void no_memory_ends_the_process(void **state)
{
	(void)state;
	assert_gives_up(from_malloc);
	assert_gives_up(from_calloc);
	assert_gives_up(from_calloc_overflow);
	assert_gives_up(from_realloc);
	assert_gives_up(from_realloc_overflow);
	assert_gives_up(from_strndup);
	assert_gives_up(from_array);
}

static void nothing_is_something(void **state)
{
	void *memory[] = {xmalloc(0),
			  xcalloc(0, 0),
			  xcalloc(0, 8),
			  xcalloc(8, 0),
			  xreallocarray(NULL, 0, 8),
			  xreallocarray(xmalloc(8), 8, 0)};

	(void)state;
	for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); i++) {
		assert_non_null(memory[i]);
		free(memory[i]);
	}
}

static void contents_are_right(void **state)
{
	unsigned char *zeros = xcalloc(3, 5);
	char *text;

	(void)state;
	for (int i = 0; i < 15; i++)
		assert_int_equal(zeros[i], 0);
	memset(zeros, 7, 15);
	zeros = xreallocarray(zeros, 100, 5);
	for (int i = 0; i < 15; i++)
		assert_int_equal(zeros[i], 7);
	free(zeros);
	text = xstrdup("");
	assert_string_equal(text, "");
	free(text);
	text = xstrndup("abc", 2);
	assert_string_equal(text, "ab");
	free(text);
	text = xstrndup("a\0b", 3);
	assert_memory_equal(text, "a\0b", 4);
	free(text);
	text = xstrndup(NULL, 0);
	assert_string_equal(text, "");
	free(text);
	text = xasprintf("%s-%d", "x", 12);
	assert_string_equal(text, "x-12");
	free(text);
	text = xasprintf("%5000d", 1);
	assert_int_equal(strlen(text), 5000);
	free(text);
}

static void arrays_double(void **state)
{
	uint64_t *numbers = NULL;
	size_t len = 0, cap = 0, moves = 0, seen = 0;

	(void)state;
	for (uint64_t i = 0; i < 10000; i++) {
		*array_push(numbers, len, cap) = i * i;
		assert_true(len <= cap);
		moves += cap != seen;
		seen = cap;
	}
	assert_int_equal(len, 10000);
	for (uint64_t i = 0; i < len; i++)
		assert_int_equal(numbers[i], i * i);
	assert_true(moves <= 12);
	/* enough room: nothing happens */
	assert_ptr_equal(array_grow(numbers, &cap, cap, sizeof(*numbers)), numbers);
	assert_int_equal(cap, seen);
	assert_ptr_equal(array_grow(numbers, &cap, 0, sizeof(*numbers)), numbers);
	/* one more: twice the room */
	numbers = array_grow(numbers, &cap, cap + 1, sizeof(*numbers));
	assert_int_equal(cap, 2 * seen);
	/* much more at once */
	numbers = array_grow(numbers, &cap, 5 * seen, sizeof(*numbers));
	assert_true(cap >= 5 * seen);
	assert_int_equal(numbers[9999], 9999 * 9999);
	free(numbers);
}

static void arrays_are_made_to_measure(void **state)
{
	uint64_t *numbers = NULL;
	size_t len = 0, cap = 0;

	(void)state;
	numbers = array_reserve(numbers, &cap, 1001, sizeof(*numbers));
	assert_int_equal(cap, 1001);
	for (uint64_t i = 0; i < 1001; i++)
		*array_push(numbers, len, cap) = i;
	assert_ptr_equal(array_reserve(numbers, &cap, 7, sizeof(*numbers)), numbers);
	assert_int_equal(cap, 1001);
	*array_push(numbers, len, cap) = 1001;
	assert_int_equal(cap, 2002);
	numbers = array_reserve(numbers, &cap, 2003, sizeof(*numbers));
	assert_int_equal(cap, 2003);
	assert_int_equal(numbers[1001], 1001);
	free(numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_memory_ends_the_process), cmocka_unit_test(nothing_is_something),
	    cmocka_unit_test(contents_are_right),         cmocka_unit_test(arrays_double),
	    cmocka_unit_test(arrays_are_made_to_measure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
