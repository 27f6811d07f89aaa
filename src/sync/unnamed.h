// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where the command line names mailboxes, a message that moved from one of them to another one
 * looks like a deletion: its only copy on the other side would go before it can come to where it is
 * now. So nothing is removed as long as a mailbox that was not named has something new, and that it
 * has is no guess: on the server UIDNEXT tells, on the disk a file that the journal does not know.
 *
 * What goes to the trash is deleted all the same, and so is what the user allowed to be deleted.
 * Who never has others but the named mailboxes kept even has no journals of others, and these count
 * for nothing.
 */
#ifndef SYNC_UNNAMED_H
#define SYNC_UNNAMED_H

#include "sync/channel.h"

/* After the survey: holds sides back, and notes in channel->gained why. */
void unnamed_hold_back(struct channel *channel);

#endif
