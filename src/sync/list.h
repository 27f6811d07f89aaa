// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which mailboxes there are: both sides' lists and the journals' names, made into boxes. A box has
 * its local name; what the server calls it the user's map tells.
 */
#ifndef SYNC_LIST_H
#define SYNC_LIST_H

#include "sync/channel.h"

/*
 * The special use that a mailbox of this name would serve on the server, if none does yet; or 0.
 * After channel_list.
 */
unsigned list_use_of_name(const struct channel *channel, const char *remote);

#endif
