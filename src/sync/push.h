// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Content from the disk to the server. A window of messages is read, noted in the journal as about
 * to be appended, and only then handed to the store, which pipelines them; as answers come in the
 * window is filled again. So a run that is stopped at any instant leaves either no copy or one that
 * the next run finds by its note.
 *
 * Keywords follow in a STORE of their own once the UIDs are known: a server that refuses a message
 * for a keyword (Zimbra) would have the content sent twice, or not at all.
 *
 * Each lane (sync/lane.h) has a window of its own. What was on its way in a lane that is lost is in
 * doubt: nothing is removed on the server in this run, and the next finds out by the notes.
 */
#ifndef SYNC_PUSH_H
#define SYNC_PUSH_H

#include "sync/channel.h"

/* Uploads what the plans say. The keywords are in the boxes' late plans then. */
int push_apply(struct channel *channel, struct error *err);

#endif
