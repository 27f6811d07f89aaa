// SPDX-License-Identifier: GPL-3.0-or-later
/* Buffers: nothing past the maximum, always terminated, secrets gone. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

void __real_free(void *memory);
void __wrap_free(void *memory);

/* The memory that must hold only zeros when it is given back, and whether it was. */
static const void *watched;
static size_t watched_len;
static int watched_result;

/* Looks at watched memory on its way out. */
void __wrap_free(void *memory)
{
	if (memory != NULL && memory == watched) {
		const unsigned char *bytes = memory;

		watched_result = 1;
		for (size_t i = 0; i < watched_len; i++)
			if (bytes[i] != 0)
				watched_result = -1;
		watched = NULL;
	}
	__real_free(memory);
}

static void watch(const struct buf *buf)
{
	watched = buf->data;
	watched_len = buf->cap;
	watched_result = 0;
}

static void assert_holds(const struct buf *buf, const char *text, bool full)
{
	assert_int_equal(buf->len, strlen(text));
	assert_string_equal(buf->data, text);
	assert_int_equal(buf->full, full);
}

static void empty_is_a_string(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 0);
	assert_holds(&buf, "", false);
	assert_int_equal(buf_append(&buf, NULL, 0), 0);
	assert_int_equal(buf_puts(&buf, ""), 0);
	assert_int_equal(buf_printf(&buf, "%s", ""), 0);
	assert_non_null(buf_reserve(&buf, 0));
	assert_holds(&buf, "", false);
	assert_int_equal(buf_putc(&buf, 'x'), -1);
	assert_holds(&buf, "", true);
	buf_free(&buf);
}

/* Each way to append takes exactly the maximum and not one byte more. */
static void maximum_holds(void **state)
{
	enum { APPEND, PUTS, PUTC, PRINTF, RESERVE, WAYS };

	(void)state;
	for (int way = 0; way < WAYS; way++) {
		for (size_t max = 1; max < 300; max++) {
			struct buf buf;
			char text[301];
			int rc = 0;
			size_t one = way == PUTC ? 1 : max;

			memset(text, 'a', sizeof(text));
			buf_init(&buf, max);
			text[max] = '\0';
			for (size_t i = 0; i < max; i += one) {
				if (way == APPEND)
					rc = buf_append(&buf, text, max);
				else if (way == PUTS)
					rc = buf_puts(&buf, text);
				else if (way == PUTC)
					rc = buf_putc(&buf, 'a');
				else if (way == PRINTF)
					rc = buf_printf(&buf, "%s", text);
				else {
					char *room = buf_reserve(&buf, max);

					assert_non_null(room);
					memset(room, 'a', max);
					buf.len += max;
				}
				assert_int_equal(rc, 0);
			}
			assert_holds(&buf, text, false);
			assert_true(buf.cap <= max + 1);
			assert_int_equal(buf_putc(&buf, 'b'), -1);
			assert_holds(&buf, text, true);

			/* from empty, one more than the maximum */
			buf_reset(&buf);
			assert_holds(&buf, "", false);
			text[max] = 'a';
			text[max + 1] = '\0';
			if (way == APPEND)
				rc = buf_append(&buf, text, max + 1);
			else if (way == PUTS)
				rc = buf_puts(&buf, text);
			else if (way == PRINTF)
				rc = buf_printf(&buf, "%s", text);
			else if (way == RESERVE)
				rc = buf_reserve(&buf, max + 1) == NULL ? -1 : 0;
			if (way != PUTC) {
				assert_int_equal(rc, -1);
				assert_holds(&buf, "", true);
			}
			buf_free(&buf);
		}
	}
}

static void full_stays(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 3);
	assert_int_equal(buf_puts(&buf, "abcd"), -1);
	assert_int_equal(buf_puts(&buf, "abc"), 0);
	assert_holds(&buf, "abc", true);
	buf_reset(&buf);
	assert_holds(&buf, "", false);
	buf_free(&buf);
	assert_holds(&buf, "", false);
	assert_int_equal(buf_puts(&buf, "abc"), 0); /* the maximum outlives buf_free() */
	assert_int_equal(buf_putc(&buf, 'd'), -1);
	buf_free(&buf);
}

static void huge_lengths_do_not_wrap(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	assert_int_equal(buf_puts(&buf, "abc"), 0);
	assert_null(buf_reserve(&buf, SIZE_MAX));
	assert_null(buf_reserve(&buf, SIZE_MAX - 2));
	assert_null(buf_reserve(&buf, 98));
	assert_non_null(buf_reserve(&buf, 97));
	assert_holds(&buf, "abc", true);
	buf_free(&buf);
	buf_init(&buf, SIZE_MAX - 1);
	assert_int_equal(buf_puts(&buf, "abc"), 0);
	assert_null(buf_reserve(&buf, SIZE_MAX));
	buf_free(&buf);
}

/* Whatever part of the room is claimed, a NUL follows. */
static void reserved_room_ends_in_nul(void **state)
{
	struct buf buf;
	char *room;

	(void)state;
	buf_init(&buf, 1000);
	for (int i = 0; i < 500; i++)
		buf_putc(&buf, 'z');
	buf_reset(&buf);
	room = buf_reserve(&buf, 100);
	assert_non_null(room);
	memcpy(room, "abc", 3);
	buf.len += 3;
	assert_holds(&buf, "abc", false);
	buf_free(&buf);
}

static void nul_bytes_count(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	assert_int_equal(buf_append(&buf, "a\0b", 3), 0);
	assert_int_equal(buf_printf(&buf, "%c%d", 0, 7), 0);
	assert_int_equal(buf.len, 5);
	assert_memory_equal(buf.data, "a\0b\0007", 6);
	buf_free(&buf);
}

/* A line that fits exactly what is left needs no second try; one byte more grows. */
static void printf_at_capacity(void **state)
{
	(void)state;
	for (int first = 0; first < 140; first++) {
		struct buf buf;
		char expected[400] = "";

		buf_init(&buf, 399);
		for (int i = 0; i < 3; i++) {
			size_t at = strlen(expected);

			memset(expected + at, 'x', (size_t)first);
			expected[at + (size_t)first] = '\0';
			if (at + (size_t)first > 399)
				break;
			assert_int_equal(buf_printf(&buf, "%s", expected + at), 0);
			assert_string_equal(buf.data, expected);
			assert_true(buf.len < buf.cap || buf.len == 0);
			if (strlen(expected) + (size_t)first > 399)
				break;
		}
		buf_free(&buf);
	}
}

/* What did not fit leaves no trace, not even in the room beyond the end. */
static void printf_too_long_changes_nothing(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 70);
	assert_int_equal(buf_puts(&buf, "abc"), 0);
	assert_int_equal(buf_printf(&buf, "%080d", 1), -1);
	assert_holds(&buf, "abc", true);
	buf_free(&buf);
}

static void cuts_what_is_there(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 6);
	buf_cut(&buf, 0); /* no memory yet */
	assert_holds(&buf, "", false);
	assert_int_equal(buf_puts(&buf, "abcdef"), 0);
	buf_cut(&buf, 6);
	buf_cut(&buf, 7);
	assert_holds(&buf, "abcdef", false);
	assert_int_equal(buf_putc(&buf, 'g'), -1);
	buf_cut(&buf, 2);
	assert_holds(&buf, "ab", true);
	assert_int_equal(buf_puts(&buf, "cd"), 0);
	assert_holds(&buf, "abcd", true);
	buf_cut(&buf, 0);
	assert_holds(&buf, "", true);
	buf_free(&buf);
}

static void secrets_are_overwritten(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 1000);
	assert_int_equal(buf_puts(&buf, "secret"), 0);
	buf_reset(&buf);
	watch(&buf);
	buf_free_secret(&buf);
	assert_int_equal(watched_result, 1);
	assert_holds(&buf, "", false);

	buf_init(&buf, 1000);
	assert_int_equal(buf_puts(&buf, "secret"), 0);
	watch(&buf);
	for (int i = 0; i < 100; i++)
		buf_putc(&buf, 'x');
	assert_int_equal(watched_result, 1); /* growing leaves nothing behind */
	assert_memory_equal(buf.data, "secretxxx", 9);
	watch(&buf);
	buf_free(&buf);
	assert_int_equal(watched_result, -1); /* the watch can see: this one is not cleared */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(empty_is_a_string),
	    cmocka_unit_test(maximum_holds),
	    cmocka_unit_test(full_stays),
	    cmocka_unit_test(huge_lengths_do_not_wrap),
	    cmocka_unit_test(reserved_room_ends_in_nul),
	    cmocka_unit_test(nul_bytes_count),
	    cmocka_unit_test(printf_at_capacity),
	    cmocka_unit_test(printf_too_long_changes_nothing),
	    cmocka_unit_test(cuts_what_is_there),
	    cmocka_unit_test(secrets_are_overwritten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
