// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * When nothing is removed on a side: what is gone from a mailbox of the other may have moved, and
 * its only copy must not go before it can come to where it is now. So a side is held back for the
 * rest of the run, in all mailboxes, where
 *
 *	a mailbox could not be looked at that may have something new	hold_back_moved
 *	one that the command line left out has something new	sync/unnamed.h
 *	one was renamed over another, which the next run sees	sync/rename.h
 *	something could not be added	hold_back
 *	what a reset journal had could not follow its other half	hold_back_strays
 *
 * sync/decide.c blocks the removals in the plans, and sync/apply.c does not carry out those that
 * were planned before; the next run goes on.
 */
#ifndef SYNC_HOLD_BACK_H
#define SYNC_HOLD_BACK_H

#include "sync/channel.h"

/*
 * Something could not be added on side: the box has failed, and nothing is removed there in this
 * run.
 */
void hold_back(struct channel *channel, struct box *box, enum side side, const struct error *err);
/*
 * After the survey: what is gone from one mailbox may have moved to another. Where that could not
 * be looked at, its message is not removed from the other side before it can be added there.
 */
void hold_back_moved(struct channel *channel);
/*
 * Strays (sync/move.h) that are still to be moved: both mailboxes are left out of the rest of this
 * run, so that their journals stay as they are. What would come to them may be what is gone
 * elsewhere, so nothing is removed.
 */
void hold_back_strays(struct channel *channel);
/* True where any active box's plan removes something on side, or would. */
bool hold_back_concerns(const struct channel *channel, enum side side);
/*
 * Where side is held back, says so, and of each box from which something was to be removed. Also
 * for who plans and does not apply.
 */
void hold_back_tell(struct channel *channel, enum side side);

#endif
