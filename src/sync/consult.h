// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What is new in a mailbox may be a copy of what both sides hold in another one, which did not
 * change. Its journal is loaded, so that rule V3 may find that, where that costs less than sending
 * the message. They are loaded also where a message that a stopped run was sending has no file any
 * more: what is found on the server may be it, or the one of another mailbox.
 */
#ifndef SYNC_CONSULT_H
#define SYNC_CONSULT_H

#include "sync/channel.h"

/* Loads the journals of mailboxes that did not change: consulted of each. */
void consult_journals(struct channel *channel);
/* Marks what is new on the server and may be a copy, as far as size and date tell. */
void consult_dates(struct channel *channel);

#endif
