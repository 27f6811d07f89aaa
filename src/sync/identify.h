// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Pairs what is new on both sides of a mailbox (first run on two filled sides, lost journal, new
 * UIDVALIDITY, an APPEND of unknown end). Files are read, the server is asked for Message-IDs, and
 * only where those leave doubt are messages downloaded to be hashed.
 */
#ifndef SYNC_IDENTIFY_H
#define SYNC_IDENTIFY_H

#include "sync/channel.h"

/* Pairs what is new on both sides of the active boxes, as far as it is the same; match of each. */
int identify_fresh(struct channel *channel, struct error *err);
/*
 * True where something left a mailbox of that side, so that what is new there may have come from
 * it.
 */
bool identify_may_have_moved(const struct channel *channel, enum side side);

#endif
