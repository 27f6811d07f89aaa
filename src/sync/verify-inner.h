// SPDX-License-Identifier: GPL-3.0-or-later
/* What the parts of a verification share. */
#ifndef SYNC_VERIFY_INNER_H
#define SYNC_VERIFY_INNER_H

#include "sync/verify.h"

/* What was found out of one message on one side. */
struct held {
	struct identity identity;
	bool known; /* identity is; of a file: it was read */
};

struct verification {
	struct channel *channel;
	const struct box *box;
	const struct verify_how *how;
	struct verify_result *result;
	struct journal *journal; /* loaded */
	const struct pair *pairs;
	size_t len;
	bool looked[SIDES]; /* the side was listed, and the journal's keys mean something there */
	struct snapshot sides[SIDES];
	bool unread; /* some file cannot be read: one that the list missed may be there */
	unsigned asked; /* of so many single files it was asked why */
	struct held *held[SIDES]; /* beside the pairs */
	struct held *fresh;       /* beside sides[LOCAL].fresh */
};

/* verify-bodies.c: downloads every paired message and compares. -1: the session is broken. */
int verify_bodies(struct verification *it, struct error *err);
/* verify-repair.c: mends what can be proved. -1: the session is broken. */
int verify_repair(struct verification *it, struct error *err);

/* Adds a finding of a pair, with its text. */
struct finding *verify_add_pair(struct verification *it, enum finding_kind kind, enum side side,
				size_t pair, const char *text);

#endif
