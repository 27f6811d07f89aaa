// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail/utf7.h"

#include "mail/ascii.h"

#include <string.h>

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* Bits on their way between 16 bit units and base64 digits. */
struct bits {
	uint32_t value;
	unsigned count;
};

/* How many bytes the form with this first byte has, and the smallest code point that needs it. */
static size_t utf8_form(unsigned char first, uint32_t *least)
{
	if (first < 0x80) {
		*least = 0;
		return 1;
	}
	if (first >= 0xc2 && first < 0xe0) {
		*least = 0x80;
		return 2;
	}
	if (first >= 0xe0 && first < 0xf0) {
		*least = 0x800;
		return 3;
	}
	if (first >= 0xf0 && first < 0xf5) {
		*least = 0x10000;
		return 4;
	}
	return 0;
}

/* Reads one code point. */
size_t utf8_read(const char *text, size_t len, uint32_t *point)
{
	static const unsigned char first_mask[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t least = 0;
	size_t size = len ? utf8_form((unsigned char)*text, &least) : 0;

	if (!size || size > len)
		return 0;
	*point = (unsigned char)*text & first_mask[size];
	for (size_t i = 1; i < size; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (*point < least || *point > 0x10ffff || (*point >= 0xd800 && *point <= 0xdfff))
		return 0;
	return size;
}

/* Whether all of it reads. */
bool utf8_is_valid(const char *text, size_t len)
{
	uint32_t point;

	while (len) {
		size_t size = utf8_read(text, len, &point);

		if (!size)
			return false;
		text += size;
		len -= size;
	}
	return true;
}

/* Appends one code point. */
static void utf8_write(uint32_t point, struct buf *out)
{
	char bytes[4];
	size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	static const unsigned char first_bits[5] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = size - 1; i > 0; i--) {
		bytes[i] = (char)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	bytes[0] = (char)(first_bits[size] | point);
	buf_append(out, bytes, size);
}

/* Appends the base64 digits of one more 16 bit unit. */
static void encode_unit(struct bits *bits, uint32_t unit, struct buf *out)
{
	bits->value = bits->value << 16 | unit;
	bits->count += 16;
	while (bits->count >= 6) {
		bits->count -= 6;
		buf_putc(out, base64[bits->value >> bits->count & 0x3f]);
	}
}

/* Appends the base64 digits of a code point that is no printable ASCII. */
static void encode_point(struct bits *bits, uint32_t point, struct buf *out)
{
	if (point >= 0x10000) {
		encode_unit(bits, 0xd800 + ((point - 0x10000) >> 10), out);
		point = 0xdc00 + ((point - 0x10000) & 0x3ff);
	}
	encode_unit(bits, point, out);
}

/* Ends a shift: the last digit is filled up with zeros. */
static void encode_shift_end(struct bits *bits, struct buf *out)
{
	if (bits->count)
		buf_putc(out, base64[bits->value << (6 - bits->count) & 0x3f]);
	buf_putc(out, '-');
	*bits = (struct bits){0};
}

/* UTF-8 to modified UTF-7. */
int utf7_encode(const char *text, size_t len, struct buf *out)
{
	struct bits bits = {0};
	bool shifted = false;

	if (!utf8_is_valid(text, len))
		return -1;
	while (len) {
		uint32_t point = 0;
		size_t size = utf8_read(text, len, &point);
		bool plain = size == 1 && ascii_is_printable(*text);

		if (plain && shifted)
			encode_shift_end(&bits, out);
		if (!plain && !shifted)
			buf_putc(out, '&');
		shifted = !plain;
		if (shifted)
			encode_point(&bits, point, out);
		else
			buf_puts(out, *text == '&' ? "&-" : (char[]){*text, '\0'});
		text += size;
		len -= size;
	}
	if (shifted)
		encode_shift_end(&bits, out);
	return 0;
}

/* Appends the code point that a 16 bit unit completes; *high is a surrogate that waits, or 0. */
static int decode_unit(uint32_t unit, uint32_t *high, struct buf *out)
{
	bool low = unit >= 0xdc00 && unit <= 0xdfff;

	if (low != (*high != 0))
		return -1;
	if (low) {
		utf8_write(0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00), out);
		*high = 0;
	} else if (unit >= 0xd800 && unit <= 0xdbff) {
		*high = unit;
	} else if (unit >= ' ' && unit <= '~') {
		return -1;
	} else {
		utf8_write(unit, out);
	}
	return 0;
}

/* Decodes a shift from behind its '&' to behind its '-'; returns the bytes used, 0 if malformed. */
static size_t decode_shift(const char *text, size_t len, struct buf *out)
{
	struct bits bits = {0};
	uint32_t high = 0;
	size_t i;

	for (i = 0; i < len && text[i] != '-'; i++) {
		const char *digit = text[i] ? strchr(base64, text[i]) : NULL;

		if (!digit)
			return 0;
		bits.value = bits.value << 6 | (uint32_t)(digit - base64);
		bits.count += 6;
		if (bits.count < 16)
			continue;
		bits.count -= 16;
		if (decode_unit(bits.value >> bits.count & 0xffff, &high, out) == -1)
			return 0;
	}
	/* Six spare bits would be a digit too many. */
	if (i == 0 || i == len || high || bits.count >= 6 || bits.value & ((1u << bits.count) - 1))
		return 0;
	if (i + 2 < len && text[i + 1] == '&' && text[i + 2] != '-')
		return 0;
	return i + 1;
}

/* Brings out back to its first len bytes. */
static void cut(struct buf *out, size_t len)
{
	if (out->len == len)
		return;
	out->len = len;
	out->data[len] = '\0';
}

/* Modified UTF-7 to UTF-8. */
int utf7_decode(const char *text, size_t len, struct buf *out)
{
	size_t start = out->len;
	size_t used;

	for (size_t i = 0; i < len; i += used) {
		used = 1;
		if (text[i] != '&') {
			if (!ascii_is_printable(text[i]))
				goto malformed;
			buf_putc(out, text[i]);
		} else if (len - i > 1 && text[i + 1] == '-') {
			buf_putc(out, '&');
			used = 2;
		} else {
			used = decode_shift(text + i + 1, len - i - 1, out);
			if (!used)
				goto malformed;
			used++;
		}
	}
	return 0;
malformed:
	cut(out, start);
	return -1;
}
