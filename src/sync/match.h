// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Pairs messages that no journal pairs: the first run on two filled sides, a lost journal, a
 * changed UIDVALIDITY, an APPEND whose answer was lost. Pure.
 *
 * Two messages are the same where size and Message-ID agree and, among several that do, the date.
 * What is still ambiguous (or has no Message-ID) is decided by the digest, and so is what has a
 * partner by its Message-ID but of another size, for servers tell wrong ones, or none; match_find
 * says of which remote messages the digest is needed, and is called again once they are known.
 * Copies are multisets: k on one side and n on the other make min(k, n) pairs. A file that is the
 * half of a pair elsewhere has its partner already, and is left to rule V1; where its move was
 * begun, what came of that is its partner (snapshot_floor).
 */
#ifndef SYNC_MATCH_H
#define SYNC_MATCH_H

#include "sync/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

struct match {
	size_t index[SIDES]; /* into the two arrays given */
};

struct match_result {
	struct match *matches; /* freed by match_free */
	size_t len;
	size_t cap;
	size_t *undecided; /* indexes of remote messages whose digest would decide, ascending */
	size_t undecided_len;
	size_t undecided_cap;
};

/* The local messages have all of their identity, the remote ones at least a Message-ID. */
void match_find(const struct fresh_message *local, size_t local_len,
		const struct fresh_message *remote, size_t remote_len, struct match_result *out);
void match_free(struct match_result *result);

#endif
