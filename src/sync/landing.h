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
	bool left;   /* not put in place, for its mailbox takes nothing more */
	struct draft *draft;
	const char *name;
	struct identity identity;
};

/* True where room is what lacks: on the file system, for the user, or for one file. */
bool landing_is_full(const struct error *err);
/*
 * Nothing more can be put into one mailbox. What is to be removed may make room: it is not held
 * back for want of that. Called with the channel's lock.
 */
void landing_shut(struct channel *channel, struct box *box, const struct error *err);
/* Ends the draft of box, copy and draft: fills name and identity. -1: the draft is dropped. */
int landing_finish(struct store *local, struct landing *landing, struct error *err);
/*
 * Brings a batch to rest; its drafts are gone afterwards. Takes the channel's lock for what lanes
 * share. A mailbox that takes nothing more (its user deleted it just now) is shut, and the others
 * go on. -1: the disk failed, every box of the batch is held back, and what was not put in place is
 * dropped.
 */
int landing_land(struct channel *channel, struct store *local, struct landing *list, size_t len,
		 struct error *err);

#endif
