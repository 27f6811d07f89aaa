// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * UIDs that a server gave twice. One that was restored from a backup and has taken as much new mail
 * since as it had lost looks like one that went on: UIDVALIDITY is the same, and neither UIDNEXT
 * nor HIGHESTMODSEQ are below ours. But a UID that we know is another message's now: what is new
 * under it would never come, and a deletion of the message that had it before would expunge the new
 * one.
 *
 * What was used again is at the top of what we know, so each scan tells size and date of the last
 * few. Some servers' sizes are not to be relied upon, and some keep no date that they are given:
 * where they do not agree with the journal, the Message-ID decides.
 */
#ifndef SYNC_REUSE_H
#define SYNC_REUSE_H

#include "sync/channel.h"

/*
 * Resets surveyed boxes whose UIDs the server gave to other messages; they are to be surveyed once
 * more. One flight, and none where no scan left a doubt.
 */
int reuse_reset(struct channel *channel, struct error *err);

#endif
