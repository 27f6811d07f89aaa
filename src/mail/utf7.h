// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * UTF-8, and the modified UTF-7 that IMAP names mailboxes in (RFC 3501 section 5.1.3).
 *
 * Both conversions are strict, hence each other's inverse: printable ASCII stands for itself only,
 * shifts end in '-' and never follow each other, spare bits are zero. Where a conversion fails out
 * is as it was; where out has no room its full says so, as always.
 */
#ifndef MAIL_UTF7_H
#define MAIL_UTF7_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends modified UTF-7 of UTF-8 text; -1 where the text is no UTF-8. */
int utf7_encode(const char *text, size_t len, struct buf *out);
/* Appends UTF-8 of modified UTF-7; -1 where malformed (bad base64, lone surrogate, 8 bit, ...). */
int utf7_decode(const char *text, size_t len, struct buf *out);
/* True for well-formed UTF-8: no overlong forms, no surrogates, at most U+10FFFF. */
bool utf8_is_valid(const char *text, size_t len);
/* Reads one code point; returns the bytes that it takes, 0 where malformed or len is 0. */
size_t utf8_read(const char *text, size_t len, uint32_t *point);

#endif
