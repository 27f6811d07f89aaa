// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Moving to the server's trash where a move is a copy and a removal (no MOVE): a run that was
 * stopped between the two must not copy again. So what is about to be moved is noted before; and
 * what a note says was begun is looked for in the trash first.
 */
#ifndef SYNC_TRASH_H
#define SYNC_TRASH_H

#include "sync/channel.h"

/* What was to move to the trash on side stays. 0, or -1 where the error ends more than that. */
int trash_fail(struct channel *channel, enum side side, const struct error *err);
/* Before anything moves to the server's trash where that is not one step. */
int trash_prepare(struct channel *channel, struct error *err);

#endif
