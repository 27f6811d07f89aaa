// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Sets of keywords (RFC 9051 section 2.3.2), as values: a set is a number, 0 is the empty one, and
 * equal sets are equal numbers, so that a message's flags stay a plain value compared by ==.
 *
 * Behind the numbers is one table of the process, which all threads share and which only grows: the
 * third global that is allowed beside the log and the stop. Sets owned by somebody would make every
 * struct that holds flags own memory, in every layer, for what is a handful of words in practice.
 *
 * Keywords are compared in any case; the spelling that was seen first stays. A keyword beyond
 * KEYWORDS_MAX is left alone with a warning: it is in no set. A set beyond the bounds is
 * KEYWORDS_UNKNOWN, and so is whatever is made of that one: nothing may be concluded from it.
 */
#ifndef MAIL_KEYWORDS_H
#define MAIL_KEYWORDS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYWORD_BYTES_MAX 255
#define KEYWORDS_MAX      4096  /* different ones in a process */
#define KEYWORDS_SETS_MAX 65536 /* different sets */
#define KEYWORDS_SET_MAX  1024  /* keywords in a set */
#define KEYWORDS_BITS     24    /* of a set's number */
#define KEYWORDS_UNKNOWN  ((UINT32_C(1) << KEYWORDS_BITS) - 1)

_Static_assert(KEYWORDS_SETS_MAX < KEYWORDS_UNKNOWN, "each set has a number of its own");

/* Whether it can be a keyword: an IMAP atom that begins with no backslash, not too long. */
bool keywords_is_name(const char *name, size_t len);
/* The set of that one keyword; 0 where it can be none, or the table is full. */
uint32_t keywords_of(const char *name, size_t len);

uint32_t keywords_union(uint32_t a, uint32_t b);
/* In a, not in b. */
uint32_t keywords_minus(uint32_t a, uint32_t b);
uint32_t keywords_intersect(uint32_t a, uint32_t b);
/* In one of the two. */
uint32_t keywords_differ(uint32_t a, uint32_t b);
/* What both sides should have: per keyword the side that differs from base wins. */
uint32_t keywords_merge(uint32_t base, uint32_t local, uint32_t remote);

/* How many there are, none in KEYWORDS_UNKNOWN; and each, in the order of their folded names. */
size_t keywords_count(uint32_t set);
const char *keywords_name(uint32_t set, size_t index);

/* Whether the bounds were met, so that what was read may lack keywords. */
bool keywords_left_out(void);

/* Appends before and the name for each. */
void keywords_put(struct buf *out, uint32_t set, const char *before);
/*
 * Reads what keywords_put() with that one character wrote; false where it could not have written
 * that. Keywords that find no room in the table are left out.
 */
bool keywords_from_text(const char *text, size_t len, char before, uint32_t *set);

#endif
