// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Text for people: bytes from outside made harmless, sizes and near misses.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many bytes the UTF-8 character (RFC 3629) takes that bytes begin with; 0 where it is none. */
size_t text_utf8_width(const char *bytes, size_t len);
/* Whether a terminal may show a character of that width (as above) as it is. */
bool text_is_harmless(const char *bytes, size_t width);
/*
 * Appends bytes with controls (C0, DEL, C1), invalid UTF-8 and marks that turn the direction of
 * writing as \xNN; after max bytes of input, "...".
 */
void text_escape(struct buf *out, const char *bytes, size_t len, size_t max);
/*
 * The same into one of 16 static buffers of the thread, used in turn, for messages: at most 200
 * bytes of input.
 */
const char *text_show(const char *text);
/* "1.2 MB", "812 B": decimal units, into one of the same buffers. */
const char *text_size(uint64_t bytes);
/*
 * The member of the NULL-terminated list that is nearest to word, NULL if none is near: at most one
 * letter in three wrong, case aside.
 */
const char *text_nearest(const char *word, const char *const *list);

#endif
