// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A message's flags, as a value: the system flags of RFC 9051 section 2.3.2 and $Forwarded, which
 * Maildir calls D F P R S T, and a set of keywords (mail/keywords.h). \Recent is no flag of ours:
 * it is the server's and ends by itself.
 *
 * Flags merge three ways, each by itself: what one side changed since the base goes to the other.
 */
#ifndef MAIL_FLAGS_H
#define MAIL_FLAGS_H

#include "base/buf.h"
#include "mail/keywords.h"

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

#define KEYWORD_LETTERS 26 /* a to z: what a mailbox's files have for keywords */

/* Every message that is known has some, on either side: 4 bytes. */
struct flags {
	uint32_t bits : 8;                 /* of enum flag */
	uint32_t keywords : KEYWORDS_BITS; /* a set; $Forwarded is in none */
};

_Static_assert(sizeof(struct flags) == 4, "a message's flags cost 4 bytes");

/*
 * The flags that a side has room for. That it does not show one for which it never had room says
 * nothing: or the other side would lose what this one cannot hold.
 */
struct flag_room {
	uint32_t bits;
	bool any_keyword;  /* it takes every keyword, or else those named */
	bool mute;         /* but says something about those named only, by not showing them */
	uint32_t keywords; /* named: there is a letter for them, or they are in PERMANENTFLAGS */
	uint32_t refused;  /* it would not take them before: neither asked nor heard again */
};

/* Every flag. */
#define FLAG_ROOM_ALL ((struct flag_room){.bits = FLAG_ALL, .any_keyword = true})

bool flags_equal(struct flags a, struct flags b);
bool flags_are_none(struct flags flags);
/* In a, not in b. */
struct flags flags_minus(struct flags a, struct flags b);
struct flags flags_union(struct flags a, struct flags b);
/* In both. */
struct flags flags_intersect(struct flags a, struct flags b);
/* What both sides should have: per flag the side that differs from base wins. */
struct flags flags_merge(struct flags base, struct flags local, struct flags remote);
/*
 * Flags as far as the side that shows them has a say; the rest is as agreed (base). A keyword that
 * it shows is always heard.
 */
struct flags flags_heard(struct flags base, struct flags shown, const struct flag_room *room);
/* What a side that shows these can come to, of what it should have. */
struct flags flags_reach(struct flags shown, struct flags target, const struct flag_room *room);
/*
 * What counts as agreed by a side that has come to reach: of that for which it has no room, what
 * was agreed before (base), but for keywords that it shows all the same.
 */
struct flags flags_settled(struct flags base, struct flags reach, const struct flag_room *room);
/*
 * Of what was agreed on, what a side has no room for and does not show: it has not got that any
 * more. Of what it refused nothing is known.
 */
struct flags flags_lost(struct flags base, struct flags shown, const struct flag_room *room);
bool flag_room_equal(const struct flag_room *a, const struct flag_room *b);
/* The same without a set of keywords that nobody knows. */
struct flags flags_known(struct flags flags);

/* Longest text of flags_letters, its NUL counted. */
#define FLAGS_LETTERS_MAX 8
/* "FS", in ASCII order as Maildir wants; "" for none. */
void flags_letters(struct flags flags, char out[FLAGS_LETTERS_MAX]);
/*
 * Reads letters; those that are no flag of ours are left out and *others says that there were some.
 */
struct flags flags_from_letters(const char *letters, size_t len, bool *others);
/* Appends "\Flagged \Seen Work", space between, in the order of the bits, keywords behind. */
void flags_to_imap(struct flags flags, struct buf *out);
/*
 * The flag or keyword that an IMAP flag atom names (in any case), or none where it is none of ours.
 */
struct flags flag_from_imap(const char *atom, size_t len);

#endif
