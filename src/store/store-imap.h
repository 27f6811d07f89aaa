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

/* Connects and logs in. -1 as imap_open. config is borrowed until the store is closed. */
int store_imap_open(const struct imap_config *config, struct store **store, struct error *err);
/* The session below, for check's report. */
const struct imap_session *store_imap_session(const struct store *store);

#endif
