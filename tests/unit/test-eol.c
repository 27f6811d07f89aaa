// SPDX-License-Identifier: GPL-3.0-or-later
/* Line endings: every cut of every short text, what is raw, and the way back. */
#include "mail/eol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TEXT_MAX 64

/* A message as the two functions see it. */
struct text {
	char bytes[TEXT_MAX];
	size_t len;
};

/* Stores wire as deliver does, in parts cut where the bits of cuts say: to a clean or a raw file.
 */
static void store(const struct text *wire, unsigned cuts, struct text *file, bool *raw)
{
	struct eol_unwire state = {0};
	size_t start = 0;

	file->len = 0;
	for (size_t i = 1; i <= wire->len; i++) {
		if (i < wire->len && !(cuts >> (i - 1) & 1))
			continue;
		file->len +=
		    eol_unwire(&state, wire->bytes + start, i - start, file->bytes + file->len);
		if (state.raw)
			break;
		start = i;
	}
	eol_unwire_end(&state);
	*raw = state.raw;
	if (state.raw) {
		struct text clean = *file;
		struct eol_wire back = {0};

		file->len = eol_wire(&back, clean.bytes, clean.len, file->bytes);
		if (state.pending_cr)
			file->bytes[file->len++] = '\r';
		memcpy(file->bytes + file->len, wire->bytes + start, wire->len - start);
		file->len += wire->len - start;
	}
}

/* Reads a file as upload does, in parts. */
static void load(const struct text *file, unsigned cuts, struct text *wire)
{
	struct eol_wire state = {0};
	size_t start = 0;

	wire->len = 0;
	for (size_t i = 1; i <= file->len; i++) {
		if (i < file->len && !(cuts >> (i - 1) & 1))
			continue;
		wire->len +=
		    eol_wire(&state, file->bytes + start, i - start, wire->bytes + wire->len);
		start = i;
	}
}

/* Whether CR and LF come only as CRLF, told another way. */
static bool is_clean(const struct text *wire)
{
	for (size_t i = 0; i < wire->len; i++) {
		bool lf_next = i + 1 < wire->len && wire->bytes[i + 1] == '\n';
		bool cr_before = i > 0 && wire->bytes[i - 1] == '\r';

		if (wire->bytes[i] == '\r' && !lf_next)
			return false;
		if (wire->bytes[i] == '\n' && !cr_before)
			return false;
	}
	return true;
}

/* The number-th text of len bytes over CR, LF, x and NUL. */
static struct text nth_text(unsigned number, size_t len)
{
	struct text text = {.len = len};

	for (size_t i = 0; i < len; i++, number /= 4)
		text.bytes[i] = "\r\nx"[number % 4];
	return text;
}

static void assert_text_equal(const struct text *a, const struct text *b)
{
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->bytes, b->bytes, a->len);
}

/* Every text of up to 6 bytes, stored in every cut and read back in every cut. */
static void test_every_text_in_every_cut(void **unused)
{
	(void)unused;
	for (size_t len = 0; len <= 6; len++) {
		for (unsigned number = 0; number < 1u << (2 * len); number++) {
			struct text wire = nth_text(number, len), file, back;
			bool raw;

			for (unsigned cuts = 0; cuts < (len ? 1u << (len - 1) : 1); cuts++) {
				store(&wire, cuts, &file, &raw);
				assert_int_equal(raw, !is_clean(&wire));
				if (raw) {
					assert_text_equal(&file, &wire);
				} else {
					assert_null(memchr(file.bytes, '\r', file.len));
					load(&file, cuts, &back);
					assert_text_equal(&back, &wire);
				}
			}
		}
	}
}

/* Every file of up to 6 bytes reads the same in every cut. */
static void test_every_file_in_every_cut(void **unused)
{
	(void)unused;
	for (size_t len = 1; len <= 6; len++) {
		for (unsigned number = 0; number < 1u << (2 * len); number++) {
			struct text file = nth_text(number, len), whole, parts;

			load(&file, 0, &whole);
			for (unsigned cuts = 1; cuts < 1u << (len - 1); cuts++) {
				load(&file, cuts, &parts);
				assert_text_equal(&parts, &whole);
			}
		}
	}
}

static void test_unwire_table(void **unused)
{
	static const struct {
		const char *wire;
		const char *file; /* NULL: raw */
	} rows[] = {
	    {"", ""},
	    {"a", "a"},
	    {"\r\n", "\n"},
	    {"a\r\nb\r\n", "a\nb\n"},
	    {"\r\n\r\n", "\n\n"},
	    {"a\r\nb", "a\nb"},
	    {"a\n", NULL},
	    {"a\r", NULL},
	    {"\ra", NULL},
	    {"\r\r\n", NULL},
	    {"\r\n\n", NULL},
	    {"\n\r", NULL},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct eol_unwire state = {0};
		char out[TEXT_MAX];
		size_t len = eol_unwire(&state, rows[i].wire, strlen(rows[i].wire), out);

		eol_unwire_end(&state);
		assert_int_equal(state.raw, rows[i].file == NULL);
		if (!rows[i].file)
			continue;
		assert_int_equal(len, strlen(rows[i].file));
		assert_memory_equal(out, rows[i].file, len);
	}
}

static void test_wire_table(void **unused)
{
	static const char *const rows[][2] = {
	    {"", ""},
	    {"a\nb\n", "a\r\nb\r\n"},
	    {"\n\n", "\r\n\r\n"},
	    {"a\r\nb\n", "a\r\nb\r\n"},
	    {"a\rb\n", "a\rb\r\n"},
	    {"\r\r\n\n", "\r\r\n\r\n"},
	    {"\r", "\r"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct eol_wire state = {0};
		char out[TEXT_MAX];
		size_t len = eol_wire(&state, rows[i][0], strlen(rows[i][0]), out);

		assert_int_equal(len, strlen(rows[i][1]));
		assert_memory_equal(out, rows[i][1], len);
	}
}

/* Where raw begins: the calls before hold, and the waiting CR is still told. */
static void test_raw_leaves_the_state(void **unused)
{
	struct eol_unwire state = {0};
	char out[TEXT_MAX];

	(void)unused;
	assert_int_equal(eol_unwire(&state, "ab\r", 3, out), 2);
	assert_true(state.pending_cr);
	assert_false(state.raw);
	assert_int_equal(eol_unwire(&state, "cd\r\n", 4, out), 0);
	assert_true(state.raw);
	assert_true(state.pending_cr);
	assert_int_equal(eol_unwire(&state, "e\r\n", 3, out), 0);
	assert_true(state.raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_text_in_every_cut),
	    cmocka_unit_test(test_every_file_in_every_cut),
	    cmocka_unit_test(test_unwire_table),
	    cmocka_unit_test(test_wire_table),
	    cmocka_unit_test(test_raw_leaves_the_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
