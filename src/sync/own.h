// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What this run changed on the server in one mailbox, as far as the server told; with it, how the
 * mailbox must stand if nobody else did. sync/push.c, sync/move.c and sync/flight.c note it as the
 * answers come in, sync/confirm.c asks.
 */
#ifndef SYNC_OWN_H
#define SYNC_OWN_H

#include "base/uidset.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero at first. */
struct own_changes {
	uint32_t added;   /* messages under a UID that is known, */
	uint32_t top_uid; /* the highest of them */
	uint32_t removed;
	uint64_t steps;   /* mod-sequences that surely were taken */
	struct flags sent; /* that came along with messages, and may have found no room */
	bool others;      /* somebody else was at work, or may have been */
	bool came;        /* messages of other mailboxes were moved here */
	bool left;        /* messages of this one were moved elsewhere */
	bool lost_append; /* the UID of one that was added is still to be found */
	struct uidset gone; /* what the server said that it removed */
	/* How the mailbox stood behind the last of them, where the server told that with it. */
	struct stamp stood;
};

/* A message came to be on the server under that UID. */
void own_note_added(struct own_changes *own, uint32_t uid);
/* So many went there by one request, which is done. */
void own_note_done(struct own_changes *own, const struct answer *answer, size_t removed);
/*
 * How the server's side must stand by now if nobody else changed it; false where that is not known.
 */
bool own_expect(const struct own_changes *own, const struct stamp *before, struct stamp *now);

#endif
