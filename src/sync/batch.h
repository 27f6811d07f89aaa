// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Operations of one kind and the same change, put together: one request for many messages. Pure.
 */
#ifndef SYNC_BATCH_H
#define SYNC_BATCH_H

#include "sync/plan.h"

struct batch {
	struct flags add;
	struct flags remove;
	const struct message_key *keys; /* ascending */
	size_t count;
};

struct batch_list {
	struct batch *batches;
	size_t len;
	size_t cap;
	struct message_key *keys; /* what the batches point into */
	struct identity *agreed;  /* beside them: of files to be removed; or NULL */
};

/* The operations of kind on side that are not blocked, in as few batches as there are changes. */
void batch_build(const struct plan *plan, enum op_kind kind, enum side side,
		 struct batch_list *out);
void batch_free(struct batch_list *list);

#endif
