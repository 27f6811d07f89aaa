// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The last step of what comes to the disk, be it from the server (sync/pull.c) or from another
 * mailbox of the disk (sync/link.c): messages that lie in temporary files are put in place in
 * batches with few barriers. A batch is synced at once, noted in the journals as about to be put in
 * place, put in place, and its directories synced. Its pairs are committed with the notes of the
 * next. A run that is stopped leaves temporary files, or files that their notes explain.
 */
#ifndef SYNC_LANDING_H
#define SYNC_LANDING_H

#include "sync/channel.h"

/* A message that is not in place yet. */
struct landing {
	struct box *box;
	const struct op *op; /* COPY or CLONE to the local side */
	struct draft *draft;
	const char *name;
	struct identity identity;
};

/* Ends the draft of box, op and draft: fills name and identity. -1: the draft is dropped. */
int landing_finish(struct store *local, struct landing *landing, struct error *err);
/*
 * Brings a batch to rest; its drafts are gone afterwards. Takes the channel's lock for what lanes
 * share. -1: the disk failed, every box of the batch is held back, and what was not put in place is
 * dropped.
 */
int landing_land(struct channel *channel, struct store *local, const struct landing *list,
		 size_t len, struct error *err);

#endif
