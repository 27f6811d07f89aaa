// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Copies within the disk (rules V3 and V4): a message that is new on the server and that the disk
 * holds in another mailbox becomes a link to that file.
 */
#ifndef SYNC_LINK_H
#define SYNC_LINK_H

#include "sync/channel.h"

/*
 * Before the moves and, of what was new in several mailboxes, once more after the pull (pulled).
 * What cannot be had so is left to the pull, or to the next run.
 */
int link_apply(struct channel *channel, bool pulled, struct error *err);

#endif
