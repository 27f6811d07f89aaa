// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Journals whose UIDs mean nothing any more: of another UIDVALIDITY, of a server that went back in
 * time, of another mailbox of the server. Everything of both sides is looked at then and matched
 * anew. Pairs are forgotten, but what they say of the files is kept: identities need not be read
 * again, and flags still merge against what was agreed on.
 */
#ifndef SYNC_RESET_H
#define SYNC_RESET_H

#include "sync/channel.h"

/* Makes a box's journal one of no pairs, says why, and has both sides looked at. */
void reset_box(const struct channel *channel, struct box *box, const char *why);
/* The same where the stamp says so; true where it did. Not twice. */
bool reset_if_distrusted(const struct channel *channel, struct box *box, const struct stamp *now);
/* What was the pair of the file of that name until the box was reset, or NULL. */
const struct pair *reset_former(const struct box *box, const char *name);

#endif
