// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The brake: deletions that look like an accident are blocked until the user says otherwise. Pure.
 *
 * Blocked, on the side where they would happen: all deletions of a mailbox that the other side
 * holds nothing of any more (if it held more than one message that did not move elsewhere), or of
 * which more go than policy->safety_percent and more than policy->safety_count, or that is gone
 * itself. Never blocked: a mailbox of rule "is_trash" or "is_junk", and whatever the user allowed.
 * Where both sides lack a message nothing would be deleted, so that is no alarm, and it is none of
 * those that a percentage is of.
 */
#ifndef SYNC_GUARD_H
#define SYNC_GUARD_H

#include "sync/planner.h"

/* Fills plan->verdict and marks the operations. allowed: the user said so for this mailbox. */
void guard_check(const struct planner_input *input, bool allowed, struct plan *plan);
/*
 * gone: the mailbox itself is gone on that side. Blocks on the other every deletion in it, if any,
 * and its own.
 */
void guard_block_gone(const struct planner_input *input, enum side gone, struct plan *plan);
/*
 * What moved to a mailbox that is gone on one side, and was not known for certain there (V1), is a
 * copy that has to wait until the user has answered, and a removal where it was: that waits for the
 * copy. Blocks each removal that may be of the same message as a blocked copy to its side, unless
 * something speaks against it.
 */
void guard_block_departures(const struct planner_box *boxes, size_t len);

#endif
