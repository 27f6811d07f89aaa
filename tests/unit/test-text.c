// SPDX-License-Identifier: GPL-3.0-or-later
/* Escaping, sizes and near misses. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/text.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes code as UTF-8 would, also what UTF-8 forbids, in width bytes. */
static void encode(char *out, uint32_t code, size_t width)
{
	static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};

	for (size_t i = width; i-- > 1; code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3F));
	out[0] = (char)(marks[width] | code);
}

/* Each code point in each width: valid only the shortest, and no surrogate. */
static void every_code_point_has_one_form(void **state)
{
	(void)state;
	for (uint32_t code = 0; code < 0x200000; code++) {
		size_t shortest = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
		bool valid = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);

		for (size_t width = shortest; width <= 4; width++) {
			char bytes[5] = "";
			size_t found;

			encode(bytes, code, width);
			found = text_utf8_width(bytes, width);
			if (found != (width == shortest && valid ? width : 0))
				fail_msg("U+%04X in %zu bytes: %zu", code, width, found);
			if (width > 1 && text_utf8_width(bytes, width - 1) != 0)
				fail_msg("U+%04X cut short", code);
		}
	}
}

static void other_bytes_are_no_utf8(void **state)
{
	(void)state;
	assert_int_equal(text_utf8_width("", 0), 0);
	assert_int_equal(text_utf8_width("ab", 2), 1);
	assert_int_equal(text_utf8_width("\x80", 1), 0);
	assert_int_equal(text_utf8_width("\xBF", 1), 0);
	assert_int_equal(text_utf8_width("\xF8\x88\x80\x80\x80", 5), 0);
	assert_int_equal(text_utf8_width("\xFE", 1), 0);
	assert_int_equal(text_utf8_width("\xFF", 1), 0);
	assert_int_equal(text_utf8_width("\xC3\xC3", 2), 0);
	assert_int_equal(text_utf8_width("\xE2\x82\x41", 3), 0);
	assert_int_equal(text_utf8_width("\xF0\x9F\x98\x41", 4), 0);
}

static void escapes(void **state)
{
	static const struct {
		const char *bytes;
		size_t len, max;
		const char *text;
	} cases[] = {
	    {"", 0, 10, ""},
	    {"", 0, 0, ""},
	    {"plain ~", 7, 10, "plain ~"},
	    {"\0\x1f\x20\x7e\x7f", 5, 10, "\\x00\\x1F ~\\x7F"},
	    {"a\r\nb", 4, 10, "a\\x0D\\x0Ab"},
	    {"\x1b[31m", 5, 10, "\\x1B[31m"},
	    {"\xC2\x80\xC2\x9F\xC2\xA0", 6, 10, "\\xC2\\x80\\xC2\\x9F\xC2\xA0"},
	    {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9, 10, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
	    {"\xC3", 1, 10, "\\xC3"},
	    {"\xC3x", 2, 10, "\\xC3x"},
	    {"\xED\xA0\x80", 3, 10, "\\xED\\xA0\\x80"},
	    {"\xC0\x80", 2, 10, "\\xC0\\x80"},
	    /* U+200D, E, F, U+2010, U+2027, 8, E, F, U+2065, 6, 9, U+206A */
	    {"\xE2\x80\x8D\xE2\x80\x8E\xE2\x80\x8F\xE2\x80\x90", 12, 20,
	     "\xE2\x80\x8D\\xE2\\x80\\x8E\\xE2\\x80\\x8F\xE2\x80\x90"},
	    {"\xE2\x80\xA7\xE2\x80\xA8\xE2\x80\xAE\xE2\x80\xAF", 12, 20,
	     "\xE2\x80\xA7\\xE2\\x80\\xA8\\xE2\\x80\\xAE\xE2\x80\xAF"},
	    {"\xE2\x81\xA5\xE2\x81\xA6\xE2\x81\xA9\xE2\x81\xAA", 12, 20,
	     "\xE2\x81\xA5\\xE2\\x81\\xA6\\xE2\\x81\\xA9\xE2\x81\xAA"},
	    {"abc", 3, 3, "abc"},
	    {"abcd", 4, 3, "abc..."},
	    {"abc", 3, 0, "..."},
	    {"ab\xC3\xA9", 4, 4, "ab\xC3\xA9"},
	    {"ab\xC3\xA9", 4, 3, "ab..."},
	    {"ab\xC3\xA9x", 5, 4, "ab\xC3\xA9..."},
	    {"ab\n\n", 4, 3, "ab\\x0A..."},
	    {"abc", 3, SIZE_MAX, "abc"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;

		buf_init(&out, 1000);
		buf_puts(&out, "> ");
		text_escape(&out, cases[i].bytes, cases[i].len, cases[i].max);
		assert_string_equal(out.data + 2, cases[i].text);
		buf_free(&out);
	}
}

/* Whatever goes in, what comes out is valid and without controls. */
static void nothing_harmful_passes(void **state)
{
	(void)state;
	srandom(20240503);
	for (int round = 0; round < 20000; round++) {
		char bytes[40];
		struct buf out;

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = random() % 2 ? (char)(random() % 256)
						: "\xE2\x80\xC2\x9b"[random() % 4];
		buf_init(&out, 1000);
		text_escape(&out, bytes, sizeof(bytes), sizeof(bytes));
		assert_false(out.full);
		for (size_t i = 0; i < out.len;) {
			size_t width = text_utf8_width(out.data + i, out.len - i);

			assert_true(width > 0);
			assert_true(width > 1 || (out.data[i] >= 0x20 && out.data[i] < 0x7f));
			assert_false(width == 2 && out.data[i] == '\xC2' &&
				     (unsigned char)out.data[i + 1] < 0xA0);
			i += width;
		}
		buf_free(&out);
	}
}

static void shows_at_most_200_bytes(void **state)
{
	char text[300];
	char expected[900];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[200] = '\0';
	assert_string_equal(text_show(text), text);
	text[200] = 'a';
	text[201] = '\0';
	snprintf(expected, sizeof(expected), "%.200s...", text);
	assert_string_equal(text_show(text), expected);
	/* a character that ends at 200, and one that would end at 201 */
	memcpy(text + 198, "\xC3\xA9", 3);
	assert_string_equal(text_show(text), text);
	memcpy(text + 199, "\xC3\xA9", 3);
	text[198] = 'a';
	snprintf(expected, sizeof(expected), "%.199s...", text);
	assert_string_equal(text_show(text), expected);
	/* wide ones that would end beyond 200 are seen as what they are, and left out whole */
	for (size_t at = 197; at < 200; at++) {
		memset(text, 'a', at);
		memcpy(text + at, "\xF0\x9F\x98\x80", 5);
		snprintf(expected, sizeof(expected), "%.*s...", (int)at, text);
		assert_string_equal(text_show(text), expected);
	}
	/* all escaped: the longest that can come out */
	memset(text, '\x01', 201);
	text[201] = '\0';
	for (int i = 0; i < 200; i++)
		memcpy(expected + 4 * i, "\\x01", 4);
	memcpy(expected + 800, "...", 4);
	assert_string_equal(text_show(text), expected);
	assert_string_equal(text_show(""), "");
}

/* One message may show many things at once. */
static void shown_texts_live_side_by_side(void **state)
{
	const char *shown[16];
	char text[32];

	(void)state;
	for (int i = 0; i < 16; i++) {
		snprintf(text, sizeof(text), "text %d", i);
		shown[i] = i % 4 == 3 ? text_size((uint64_t)i) : text_show(text);
	}
	for (int i = 0; i < 16; i++) {
		snprintf(text, sizeof(text), i % 4 == 3 ? "%d B" : "text %d", i);
		assert_string_equal(shown[i], text);
	}
}

static void *show_in_thread(void *context)
{
	for (int i = 0; i < 100; i++)
		text_show("other");
	(void)context;
	return NULL;
}

static void shown_texts_are_of_the_thread(void **state)
{
	const char *mine = text_show("mine");
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, show_in_thread, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_string_equal(mine, "mine");
}

static void sizes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
	    {0, "0 B"},
	    {812, "812 B"},
	    {999, "999 B"},
	    {1000, "1.0 kB"},
	    {1049, "1.0 kB"},
	    {1050, "1.1 kB"},
	    {1234567, "1.2 MB"},
	    {999949, "999.9 kB"},
	    {999950, "1.0 MB"},
	    {999999, "1.0 MB"},
	    {1000000, "1.0 MB"},
	    {999949999, "999.9 MB"},
	    {999950000, "1.0 GB"},
	    {1500000000000, "1.5 TB"},
	    {2500000000000000, "2.5 PB"},
	    {UINT64_C(1000000000000000000), "1.0 EB"},
	    {UINT64_MAX, "18.4 EB"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(text_size(cases[i].bytes), cases[i].text);
}

static void nearest(void **state)
{
	static const char *const keys[] = {"host", "port", "tls",  "user", "password-command",
					   "path", "ab",   "hose", NULL};
	static const struct {
		const char *word, *key;
	} cases[] = {
	    {"host", "host"},
	    {"Host", "host"},
	    {"hots", "host"}, /* swapped neighbours are one mistake */
	    {"hst", "host"},
	    {"hosts", "host"},
	    {"hsot", "host"},
	    {"hosk", "host"}, /* as near as hose: the first wins */
	    {"hosee", "hose"},
	    {"prot", "port"},
	    {"tsl", "tls"},
	    {"usr", "user"},
	    {"pasword-comand", "password-command"},
	    {"PASSWORD_COMMAND", "password-command"},
	    {"passwordcommand", "password-command"},
	    {"passwd-cmd", NULL}, /* six of sixteen */
	    {"abc", "ab"},
	    {"ac", NULL}, /* one of two */
	    {"hoxx", NULL},
	    {"", NULL},
	    {"x", NULL},
	    {"xyz", NULL},
	};
	static const char *const none[] = {NULL};
	char word[130];
	const char *long_list[] = {word, NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *key = text_nearest(cases[i].word, keys);

		if (cases[i].key == NULL ? key != NULL
					 : key == NULL || strcmp(key, cases[i].key) != 0)
			fail_msg("%s: %s", cases[i].word, key != NULL ? key : "none");
	}
	assert_null(text_nearest("host", none));
	memset(word, 'a', 64);
	word[64] = '\0';
	assert_ptr_equal(text_nearest(word, long_list), word);
	memset(word, 'a', 65);
	word[65] = '\0';
	assert_null(text_nearest(word, long_list));
	assert_null(text_nearest(word, keys));
	assert_null(text_nearest("aaa", long_list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_code_point_has_one_form),
	    cmocka_unit_test(other_bytes_are_no_utf8),
	    cmocka_unit_test(escapes),
	    cmocka_unit_test(nothing_harmful_passes),
	    cmocka_unit_test(shows_at_most_200_bytes),
	    cmocka_unit_test(shown_texts_live_side_by_side),
	    cmocka_unit_test(shown_texts_are_of_the_thread),
	    cmocka_unit_test(sizes),
	    cmocka_unit_test(nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
