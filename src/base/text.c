// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SHOW_MAX    200
#define TEXT_RING        16
#define TEXT_ESCAPE_MAX  16 /* bytes that one character takes at most, all of it escaped */
#define TEXT_NEAREST_MAX 64

/* Where one byte of a sequence may lie. */
static bool text_is_between(char byte, unsigned low, unsigned high)
{
	unsigned char value = (unsigned char)byte;

	return value >= low && value <= high;
}

/*
 * The table of RFC 3629 section 4: what may come second depends on the first byte, so that
 * overlong forms, surrogates and what is above U+10FFFF are refused.
 */
size_t text_utf8_width(const char *bytes, size_t len)
{
	static const struct {
		unsigned char first_low, first_high, second_low, second_high, width;
	} forms[] = {
	    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
	    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
	    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
	};

	if (len == 0)
		return 0;
	if (text_is_between(bytes[0], 0, 0x7F))
		return 1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (!text_is_between(bytes[0], forms[i].first_low, forms[i].first_high))
			continue;
		if (len < forms[i].width ||
		    !text_is_between(bytes[1], forms[i].second_low, forms[i].second_high))
			return 0;
		for (size_t j = 2; j < forms[i].width; j++)
			if (!text_is_between(bytes[j], 0x80, 0xBF))
				return 0;
		return forms[i].width;
	}
	return 0;
}

/*
 * Controls act on a terminal; line and paragraph separators and the marks that turn the direction
 * of writing (U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069) make it show what is not there.
 */
bool text_is_harmless(const char *bytes, size_t width)
{
	if (width == 1)
		return text_is_between(bytes[0], 0x20, 0x7E);
	if (width == 2)
		return bytes[0] != '\xC2' || !text_is_between(bytes[1], 0x80, 0x9F);
	if (width == 3 && bytes[0] == '\xE2' && bytes[1] == '\x80')
		return !text_is_between(bytes[2], 0x8E, 0x8F) &&
		       !text_is_between(bytes[2], 0xA8, 0xAE);
	if (width == 3 && bytes[0] == '\xE2' && bytes[1] == '\x81')
		return !text_is_between(bytes[2], 0xA6, 0xA9);
	return width > 0;
}

/* Writes one character, escaped where need be, to out; returns its width and *out_len. */
static size_t text_escape_char(const char *bytes, size_t len, char out[TEXT_ESCAPE_MAX],
			       size_t *out_len)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t width = text_utf8_width(bytes, len);

	if (text_is_harmless(bytes, width)) {
		memcpy(out, bytes, width);
		*out_len = width;
		return width;
	}
	width = width > 0 ? width : 1;
	*out_len = 0;
	for (size_t i = 0; i < width; i++) {
		out[(*out_len)++] = '\\';
		out[(*out_len)++] = 'x';
		out[(*out_len)++] = hex[(unsigned char)bytes[i] >> 4];
		out[(*out_len)++] = hex[(unsigned char)bytes[i] & 15];
	}
	return width;
}

/* A character that would reach past max is left to the "...". */
void text_escape(struct buf *out, const char *bytes, size_t len, size_t max)
{
	char escaped[TEXT_ESCAPE_MAX];
	size_t escaped_len;

	for (size_t i = 0; i < len;) {
		size_t width = text_escape_char(bytes + i, len - i, escaped, &escaped_len);

		if (width > max - i) {
			buf_puts(out, "...");
			return;
		}
		buf_append(out, escaped, escaped_len);
		i += width;
	}
}

/* Hands out the buffers of this thread in turn. */
static char *text_next_buffer(size_t *size)
{
	static _Thread_local char ring[TEXT_RING][4 * TEXT_SHOW_MAX + sizeof("...")];
	static _Thread_local unsigned turn;

	*size = sizeof(ring[0]);
	return ring[turn++ % TEXT_RING];
}

/* Escapes for a message. */
const char *text_show(const char *text)
{
	size_t size;
	char *shown = text_next_buffer(&size);
	struct buf out;

	buf_init(&out, size - 1);
	text_escape(&out, text, strnlen(text, TEXT_SHOW_MAX + 4), TEXT_SHOW_MAX);
	memcpy(shown, out.data, out.len + 1);
	buf_free(&out);
	return shown;
}

/* Rounds to one decimal, and to the next unit where that makes 1000.0. */
const char *text_size(uint64_t bytes)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
	size_t size;
	char *shown = text_next_buffer(&size);
	uint64_t tenth = 100; /* a tenth of the unit, in bytes */
	uint64_t tenths = 0;

	if (bytes < 1000) {
		snprintf(shown, size, "%" PRIu64 " B", bytes);
		return shown;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++, tenth *= 1000) {
		tenths = bytes / tenth + (bytes % tenth >= tenth / 2);
		if (tenths < 10000) {
			snprintf(shown, size, "%" PRIu64 ".%u %s", tenths / 10,
				 (unsigned)(tenths % 10), units[i]);
			break;
		}
	}
	return shown;
}

/* The least of what a step of text_distance() can come from. */
static unsigned text_least(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

/*
 * How many letters must be put in, left out, changed or swapped with their neighbour to make b of
 * a, case aside. Three rows of the table suffice: a swap looks back two.
 */
static unsigned text_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][TEXT_NEAREST_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *above = rows[(i + 2) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			int x = tolower((unsigned char)a[i - 1]);
			int y = tolower((unsigned char)b[j - 1]);

			row[j] = text_least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]) &&
			    rows[(i + 1) % 3][j - 2] + 1 < row[j])
				row[j] = rows[(i + 1) % 3][j - 2] + 1;
		}
	}
	return rows[a_len % 3][b_len];
}

/* Near is at most one mistake in three letters; of equals the first in the list wins. */
const char *text_nearest(const char *word, const char *const *list)
{
	size_t len = strnlen(word, TEXT_NEAREST_MAX + 1);
	const char *nearest = NULL;
	unsigned least = 0;

	if (len > TEXT_NEAREST_MAX)
		return NULL;
	for (; *list != NULL; list++) {
		size_t other = strnlen(*list, TEXT_NEAREST_MAX + 1);
		unsigned distance;

		if (other > TEXT_NEAREST_MAX)
			continue;
		distance = text_distance(word, len, *list, other);
		if (3 * (size_t)distance > (len > other ? len : other))
			continue;
		if (nearest == NULL || distance < least) {
			nearest = *list;
			least = distance;
		}
	}
	return nearest;
}
