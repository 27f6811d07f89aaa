// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A message's flags, as a value: the system flags of RFC 9051 section 2.3.2 and $Forwarded, which
 * Maildir calls D F P R S T. \Recent is no flag of ours: it is the server's and ends by itself.
 *
 * Flags merge three ways, each by itself: what one side changed since the base goes to the other.
 */
#ifndef MAIL_FLAGS_H
#define MAIL_FLAGS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum flag {
	FLAG_DRAFT = 1u << 0,     /* \Draft      D */
	FLAG_FLAGGED = 1u << 1,   /* \Flagged    F */
	FLAG_FORWARDED = 1u << 2, /* $Forwarded  P (passed) */
	FLAG_ANSWERED = 1u << 3,  /* \Answered   R (replied) */
	FLAG_SEEN = 1u << 4,      /* \Seen       S */
	FLAG_DELETED = 1u << 5,   /* \Deleted    T (trashed) */
};

#define FLAG_ALL 0x3fu

struct flags {
	uint32_t bits; /* of enum flag */
};

bool flags_equal(struct flags a, struct flags b);
/* In a, not in b. */
struct flags flags_minus(struct flags a, struct flags b);
struct flags flags_union(struct flags a, struct flags b);
/* What both sides should have: per flag the side that differs from base wins. */
struct flags flags_merge(struct flags base, struct flags local, struct flags remote);

/* Longest text of flags_letters, its NUL counted. */
#define FLAGS_LETTERS_MAX 8
/* "FS", in ASCII order as Maildir wants; "" for none. */
void flags_letters(struct flags flags, char out[FLAGS_LETTERS_MAX]);
/* Reads letters; those that are no flag of ours are left out and *others says that there were some. */
struct flags flags_from_letters(const char *letters, size_t len, bool *others);
/* Appends "\Flagged \Seen", space between, in the order of the bits. */
void flags_to_imap(struct flags flags, struct buf *out);
/* The flag that an IMAP flag atom names (in any case), or none (0 bits) where it is none of ours. */
struct flags flag_from_imap(const char *atom, size_t len);

#endif
