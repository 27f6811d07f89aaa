// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Deletes mailboxes, after all else: those that are empty by now, the deeper ones first. A stop
 * between this and the end of the journal leaves a mailbox that is gone on both sides, which the
 * next run forgets.
 */
#ifndef SYNC_DELETE_H
#define SYNC_DELETE_H

#include "sync/channel.h"

/* The last step on side. Where that is held back, the mailboxes stay for the next run. */
int delete_apply(struct channel *channel, enum side side, struct error *err);

#endif
