// SPDX-License-Identifier: GPL-3.0-or-later
/* A store's answers in words, as transcripts have them behind "=". */
#ifndef TESTS_STORE_IMAP_SAY_H
#define TESTS_STORE_IMAP_SAY_H

#include "base/buf.h"
#include "store/store.h"

#include <stdbool.h>

/* Puts an answer into words; false where it is a piece of a body, which is kept for their end. */
bool store_imap_say(const struct answer *answer, struct buf *out, struct buf *body);
/* A word and UIDs behind it. */
void store_imap_say_uids(struct buf *out, const char *word, const struct uidset *uids);

#endif
