// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a mailbox of the server is for (RFC 6154): the same bits as in enum mailbox_attribute of
 * store/store.h.
 */
#ifndef MAIL_SPECIAL_USE_H
#define MAIL_SPECIAL_USE_H

#include <stddef.h>

enum special_use {
	SPECIAL_USE_ALL = 1u << 1,
	SPECIAL_USE_ARCHIVE = 1u << 2,
	SPECIAL_USE_DRAFTS = 1u << 3,
	SPECIAL_USE_FLAGGED = 1u << 4,
	SPECIAL_USE_JUNK = 1u << 5,
	SPECIAL_USE_SENT = 1u << 6,
	SPECIAL_USE_TRASH = 1u << 7,
};

/* The use of a word, as "\Sent" in any case; 0 where it is none. */
unsigned special_use_of(const char *word);
/* The word of one use. */
const char *special_use_word(unsigned use);
/* All words, as "\All, \Archive, ...". */
extern const char special_use_words[];

#endif
