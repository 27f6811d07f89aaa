// SPDX-License-Identifier: GPL-3.0-or-later
/* Modified UTF-7 and UTF-8: tables, what is refused, and all code points there and back. */
#include "mail/utf7.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *utf8;
	const char *utf7;
} pairs[] = {
    {"", ""},
    {"INBOX", "INBOX"},
    {" !%/.~\\\"", " !%/.~\\\""},
    {"&", "&-"},
    {"&&", "&-&-"},
    {"R&D", "R&-D"},
    {"\xc3\xa9t\xc3\xa9", "&AOk-t&AOk-"},
    {"\xc3\xa9&", "&AOk-&-"},
    {"&\xc3\xa9", "&-&AOk-"},
    {"\xc3\xa9&\xc3\xa9", "&AOk-&-&AOk-"},
    {"Entw\xc3\xbcrfe", "Entw&APw-rfe"},
    {"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
     "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
    {"\xf0\x9f\x98\x80", "&2D3eAA-"},
    {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "&2ADcANv,3,8-"},
    {"\xef\xbf\xbf", "&,,8-"},
    {"\r\n", "&AA0ACg-"},
    {"\x7f", "&AH8-"},
};

static void test_pairs(void **unused)
{
	struct buf out;

	(void)unused;
	buf_init(&out, 200);
	for (size_t i = 0; i < COUNT(pairs); i++) {
		buf_reset(&out);
		assert_int_equal(utf7_encode(pairs[i].utf8, strlen(pairs[i].utf8), &out), 0);
		assert_string_equal(out.data, pairs[i].utf7);
		buf_reset(&out);
		assert_int_equal(utf7_decode(pairs[i].utf7, strlen(pairs[i].utf7), &out), 0);
		assert_string_equal(out.data, pairs[i].utf8);
	}
	buf_free(&out);
}

static void test_nul(void **unused)
{
	struct buf out;

	(void)unused;
	buf_init(&out, 200);
	assert_int_equal(utf7_encode("a\0b", 3, &out), 0);
	assert_string_equal(out.data, "a&AAA-b");
	buf_reset(&out);
	assert_int_equal(utf7_decode("a&AAA-b", 7, &out), 0);
	assert_int_equal(out.len, 3);
	assert_memory_equal(out.data, "a\0b", 3);
	assert_int_equal(utf7_decode("a\0b", 3, &out), -1);
	assert_int_equal(utf7_decode("&A\0k-", 5, &out), -1);
	buf_free(&out);
}

/* What decodes to nothing, by itself and behind a good start that must be taken back. */
static void test_decode_refused(void **unused)
{
	static const char *const rows[] = {
	    "&",          /* no shift */
	    "R&D",        /* shift without end */
	    "&AOk",       /* the same */
	    "&AOk/a",     /* '/' is no digit */
	    "&AO-",       /* a unit lacks bits */
	    "&A-",        /* no unit */
	    "&AOl-",      /* spare bits set */
	    "&AOkA-",     /* a digit too many */
	    "&AOkAA-",    /* two of them */
	    "&AGE-",      /* printable ASCII */
	    "&ACY-",      /* '&' itself */
	    "&AC8-",      /* '/' */
	    "&ACA-",      /* the blank, the first that is printable */
	    "&AH4-",      /* '~', the last */
	    "&2D0-",      /* high surrogate alone */
	    "&3gA-",      /* low surrogate alone */
	    "&2D0A6Q-",   /* high, then no surrogate */
	    "&2D3YPQ-",   /* high, high */
	    "&3gDYPQ-",   /* low, high */
	    "&AOk-&AOk-", /* two shifts where one does */
	    "a\nb",       /* a control */
	    "\x7f",       /* DEL */
	    "\xc3\xa9",   /* 8 bit */
	    "&A\xc3k-",   /* 8 bit in a shift */
	    "& -",        /* no digit */
	    "&=-",        /* no digit */
	};
	struct buf out;

	(void)unused;
	buf_init(&out, 200);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[64];

		snprintf(text, sizeof(text), "b&AOk-c%s", rows[i]);
		if (utf7_decode(rows[i], strlen(rows[i]), &out) != -1)
			fail_msg("taken: %s", rows[i]);
		assert_int_equal(out.len, 0);
		buf_puts(&out, "kept");
		assert_int_equal(utf7_decode(text, strlen(text), &out), -1);
		assert_string_equal(out.data, "kept");
		buf_reset(&out);
	}
	buf_free(&out);
}

static void test_utf8(void **unused)
{
	static const struct {
		const char *text;
		bool valid;
	} rows[] = {
	    {"", true},
	    {"a\x7f", true},
	    {"\xc2\x80", true},
	    {"\xdf\xbf", true},
	    {"\xe0\xa0\x80", true},
	    {"\xed\x9f\xbf", true},
	    {"\xee\x80\x80", true},
	    {"\xf0\x90\x80\x80", true},
	    {"\xf4\x8f\xbf\xbf", true},
	    {"\x80", false},             /* goes on, without a start */
	    {"\xc0\x80", false},         /* overlong NUL */
	    {"\xc1\xbf", false},         /* overlong */
	    {"\xe0\x9f\xbf", false},     /* overlong */
	    {"\xf0\x8f\xbf\xbf", false}, /* overlong */
	    {"\xed\xa0\x80", false},     /* surrogate */
	    {"\xed\xbf\xbf", false},     /* surrogate */
	    {"\xf4\x90\x80\x80", false}, /* past U+10FFFF */
	    {"\xf5\x80\x80\x80", false},
	    {"\xff", false},
	    {"\xc3", false}, /* cut */
	    {"\xe2\x82", false},
	    {"\xf0\x9f\x98", false},
	    {"\xc3\x61", false}, /* does not go on */
	    {"\xc3\xc3", false},
	    {"\xe2\x28\xa1", false},
	};
	struct buf out;

	(void)unused;
	buf_init(&out, 200);
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i].text);

		if (utf8_is_valid(rows[i].text, len) != rows[i].valid)
			fail_msg("row %zu", i);
		assert_int_equal(utf7_encode(rows[i].text, len, &out), rows[i].valid ? 0 : -1);
		if (!rows[i].valid)
			assert_int_equal(out.len, 0);
		buf_reset(&out);
	}
	assert_true(utf8_is_valid("\0", 1));
	buf_free(&out);
}

/* A code point in UTF-8 by the table of RFC 3629; returns its length. */
static size_t write_utf8(uint32_t point, char *out)
{
	static const struct {
		uint32_t last;
		unsigned first_byte;
	} forms[] = {{0x7f, 0}, {0x7ff, 0xc0}, {0xffff, 0xe0}, {0x10ffff, 0xf0}};
	size_t more = 0;

	while (point > forms[more].last)
		more++;
	out[0] = (char)(forms[more].first_byte | point >> (6 * more));
	for (size_t i = 1; i <= more; i++)
		out[i] = (char)(0x80 | (point >> (6 * (more - i)) & 0x3f));
	return more + 1;
}

/* Every code point, alone and with others around it, so that it stands at each place of a shift. */
static void test_every_point(void **unused)
{
	static const char *const around[][2] = {
	    {"", ""}, {"a", "&"}, {"\xc3\xa9", "-"}, {"\xf0\x9f\x98\x80\xc3\xa9", "\xc3\xa9"}};
	struct buf wire, back;

	(void)unused;
	buf_init(&wire, 200);
	buf_init(&back, 200);
	assert_int_equal(utf8_read("", 0, &(uint32_t){0}), 0);
	for (uint32_t point = 0; point <= 0x10ffff; point++) {
		char text[32], *end = text;
		const char *const *sides = around[point % COUNT(around)];
		uint32_t read = 0;
		size_t size;

		if (point >= 0xd800 && point <= 0xdfff)
			continue;
		end = stpcpy(end, sides[0]);
		size = write_utf8(point, end);
		assert_int_equal(utf8_read(end, size, &read), size);
		assert_int_equal(read, point);
		end = stpcpy(end + size, sides[1]);
		buf_reset(&wire);
		buf_reset(&back);
		assert_int_equal(utf7_encode(text, (size_t)(end - text), &wire), 0);
		assert_int_equal(utf7_decode(wire.data, wire.len, &back), 0);
		assert_int_equal(back.len, end - text);
		assert_memory_equal(back.data, text, back.len);
	}
	buf_free(&back);
	buf_free(&wire);
}

/* Every wire text of six bytes that decodes is what its text encodes to: strict means one. */
static void test_decoding_is_one_to_one(void **unused)
{
	static const char alphabet[] = "&-AOkg,8";
	struct buf text, wire;
	unsigned taken = 0;

	(void)unused;
	buf_init(&text, 200);
	buf_init(&wire, 200);
	for (unsigned number = 0; number < 1u << 18; number++) {
		char bytes[6];

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = alphabet[number >> (3 * i) & 7];
		buf_reset(&text);
		buf_reset(&wire);
		if (utf7_decode(bytes, sizeof(bytes), &text) == -1)
			continue;
		taken++;
		assert_int_equal(utf7_encode(text.data, text.len, &wire), 0);
		assert_int_equal(wire.len, sizeof(bytes));
		assert_memory_equal(wire.data, bytes, sizeof(bytes));
	}
	assert_in_range(taken, 1000, (1u << 18) - 1000);
	buf_free(&wire);
	buf_free(&text);
}

static void test_full(void **unused)
{
	struct buf out;

	(void)unused;
	buf_init(&out, 5);
	assert_int_equal(utf7_encode("\xc3\xa9", 2, &out), 0);
	assert_false(out.full);
	assert_int_equal(utf7_encode("a", 1, &out), 0);
	assert_true(out.full);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pairs),          cmocka_unit_test(test_nul),
	    cmocka_unit_test(test_decode_refused), cmocka_unit_test(test_utf8),
	    cmocka_unit_test(test_every_point),    cmocka_unit_test(test_decoding_is_one_to_one),
	    cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
