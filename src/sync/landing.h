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

/*
 * What is known of a message before it comes. A first run has one for every message, for as long as
 * it takes.
 */
struct copy {
	int64_t date;
	uint64_t email_id;
	struct flags flags;
	uint32_t uid;
	uint32_t size; /* UINT32_MAX: not known, or more than any body has */
};

_Static_assert(sizeof(struct copy) <= 32, "a copy on its way costs at most 32 bytes");

/* That of an operation, COPY or CLONE to the local side. */
struct copy copy_of(const struct op *op);
/* Its size, or SIZE_UNKNOWN. */
uint64_t copy_size(const struct copy *copy);

/* A message that is not in place yet. */
struct landing {
	struct box *box;
	struct copy copy;
	bool cloned; /* from another mailbox of the disk */
	struct draft *draft;
	const char *name;
	struct identity identity;
};

/* Ends the draft of box, copy and draft: fills name and identity. -1: the draft is dropped. */
int landing_finish(struct store *local, struct landing *landing, struct error *err);
/*
 * Brings a batch to rest; its drafts are gone afterwards. Takes the channel's lock for what lanes
 * share. -1: the disk failed, every box of the batch is held back, and what was not put in place is
 * dropped.
 */
int landing_land(struct channel *channel, struct store *local, const struct landing *list,
		 size_t len, struct error *err);

#endif
