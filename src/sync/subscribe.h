// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Subscriptions on the server, where they are to follow what becomes of the mailboxes there: wished
 * for as mailboxes are made, renamed and deleted, and carried out after each of these.
 */
#ifndef SYNC_SUBSCRIBE_H
#define SYNC_SUBSCRIBE_H

#include "sync/channel.h"

/* Notes a wish, where subscriptions are to follow; its name is borrowed. */
void subscribe_wish(struct channel *channel, const char *remote, bool subscribed);
/*
 * Carries all wishes out: one flight. Mail does not depend on it, so a server that refuses is only
 * told of.
 */
int subscribe_apply(struct channel *channel, struct error *err);

#endif
