// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the server's mailboxes are for (RFC 6154): the user's map may name a mailbox by its use, and
 * the trash is found by it. Where the server gives no attribute, names that clients commonly use
 * decide.
 */
#ifndef SYNC_USES_H
#define SYNC_USES_H

#include "sync/list.h"

/*
 * Of the server's list: which mailbox each use of the map is, in channel->names, and what both
 * sides call the trash.
 */
void uses_resolve(struct channel *channel, const struct list_entry *entries, size_t len);
/* The use that a mailbox of this name would serve on the server, if none does yet; or 0. */
unsigned uses_of_name(const struct channel *channel, const char *remote);

#endif
