// SPDX-License-Identifier: GPL-3.0-or-later
#include "journal/escape.h"

#include "mail/utf7.h"

#include <string.h>

/* Length of the UTF-8 sequence that text begins with; 0 where it is none or a control (C1). */
static size_t escape_utf8_len(const char *text, size_t len)
{
	unsigned char lead = (unsigned char)text[0];
	size_t need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;

	if (need == 0 || need > len || !utf8_is_valid(text, need))
		return 0;
	if (lead == 0xc2 && (unsigned char)text[1] < 0xa0)
		return 0;
	return need;
}

/* Whether an ASCII character stays as it is. */
static bool escape_is_safe(enum escape_set set, char c)
{
	if (set == ESCAPE_WORD)
		return c > ' ' && c < 0x7f && c != '%';
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       memchr("._+=@-", c, strlen("._+=@-")) != NULL;
}

/* Takes safe stretches whole: most names are one. */
void escape_put(struct buf *out, enum escape_set set, const char *text, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t start = 0;
	size_t at = 0;

	while (at < len) {
		size_t utf8 = (text[at] & 0x80) != 0 ? escape_utf8_len(text + at, len - at) : 0;

		if (utf8 > 0 || escape_is_safe(set, text[at])) {
			at += utf8 > 0 ? utf8 : 1;
			continue;
		}
		buf_append(out, text + start, at - start);
		buf_append(out,
			   (const char[]){'%', digits[(unsigned char)text[at] >> 4],
					  digits[(unsigned char)text[at] & 15]},
			   3);
		start = ++at;
	}
	buf_append(out, text + start, len - start);
}

/* The value of a capital hexadecimal digit, or -1. */
static int escape_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What holds no '%' is left as it is, but terminated. */
int escape_undo(char *text, size_t len, size_t *out_len)
{
	char *in = memchr(text, '%', len);
	char *end = text + len;
	char *out = in != NULL ? in : end;

	while (in != NULL && in < end) {
		int high, low;

		if (*in != '%') {
			*out++ = *in++;
			continue;
		}
		if (end - in < 3)
			return -1;
		high = escape_digit(in[1]);
		low = escape_digit(in[2]);
		if (high < 0 || low < 0 || high + low == 0)
			return -1;
		*out++ = (char)(high << 4 | low);
		in += 3;
	}
	*out = '\0';
	*out_len = (size_t)(out - text);
	return 0;
}

/* Where to cut without leaving half a character. */
size_t escape_char_len(const char *text, size_t len)
{
	size_t utf8;

	if (text[0] == '%')
		return len < 3 ? len : 3;
	utf8 = (text[0] & 0x80) != 0 ? escape_utf8_len(text, len) : 0;
	return utf8 > 0 ? utf8 : 1;
}
