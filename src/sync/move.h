// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Carries moves out, and copies within the server. What is about to arrive in a mailbox is noted in
 * its journal first, in the same words as an upload or a delivery, so that a stopped run heals as
 * one of those does: the message is found by its note in the new mailbox, and its pair in the old
 * one is gone on both sides. A copy's pair has the flags of its original until those that it is to
 * have are set, with the keywords of what was pushed: see sync/push.h.
 */
#ifndef SYNC_MOVE_H
#define SYNC_MOVE_H

#include "sync/channel.h"

/*
 * Moves on side of what is no pair any more, for the journal was reset. Before anything is
 * committed: until then the old journals tell where it belongs, and a run that is stopped leaves
 * the next one to find that out again. What the flags of a message that was moved on the server are
 * to be is left to the next run.
 */
int move_apply_strays(struct channel *channel, enum side side, struct error *err);
/* Moves on side. */
int move_apply(struct channel *channel, enum side side, struct error *err);
/* Copies within the server, before anything in their originals' mailboxes changes. */
int move_apply_copies(struct channel *channel, struct error *err);

#endif
