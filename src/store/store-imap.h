// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The remote side: an IMAP session as a store. Chooses the cheapest way the server has for each
 * request (the table "How a remote snapshot is taken" of evenmail(1)) and holds what the server
 * says against itself: a scan is complete only where its rows equal EXISTS, VANISHED counts only
 * where the numbers fit, a body only where it came whole for a UID that was asked.
 */
#ifndef STORE_STORE_IMAP_H
#define STORE_STORE_IMAP_H

#include "imap/session.h"
#include "store/store.h"

/* Connects and logs in. -1 as imap_open. config is borrowed while that lasts. */
int store_imap_open(const struct imap_config *config, struct store **store, struct error *err);
/*
 * Another store on the account of that one, for another thread: it knows the mailboxes as the model
 * does at this moment, and has no session before store_imap_connect.
 */
struct store *store_imap_twin(const struct store *model);
/* Connects and logs in a twin. -1 as imap_open: only store_close is left. */
int store_imap_connect(struct store *twin, const struct imap_config *config, struct error *err);
/* The session below, for check's report. */
const struct imap_session *store_imap_session(const struct store *store);

#endif
