// SPDX-License-Identifier: GPL-3.0-or-later
/* Letters of protocols: ASCII whatever the locale, where strcasecmp(3) would ask it. */
#ifndef MAIL_ASCII_H
#define MAIL_ASCII_H

#include <stdbool.h>
#include <stddef.h>

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool ascii_is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

static inline bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Whether the len bytes are the terminated word, in any case. */
static inline bool ascii_is_word(const char *bytes, size_t len, const char *word)
{
	size_t i = 0;

	while (i < len && word[i] && ascii_lower(bytes[i]) == ascii_lower(word[i]))
		i++;
	return i == len && !word[i];
}

#endif
