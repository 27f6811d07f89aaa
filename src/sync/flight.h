// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The operations of one kind of all boxes on one side, in as few requests as there are changes, and
 * all of them on their way at once.
 */
#ifndef SYNC_FLIGHT_H
#define SYNC_FLIGHT_H

#include "sync/channel.h"

struct asked;
struct batch_list;

/* Zero beyond what says which operations they are. */
struct flight {
	struct channel *channel;
	enum side side;
	enum op_kind kind;        /* FLAG, TRASH, REMOVE */
	bool late;                /* those of the boxes' late plans */
	struct batch_list *lists; /* one a box */
	struct asked *asked;      /* by ticket */
	size_t len, cap;
};

/* Sends them out, as far as that side takes them unawaited. -1: its session is broken. */
int flight_begin(struct flight *flight, struct error *err);
/*
 * Takes the answers, unless rc, which flight_begin returned, says that there will be none; frees
 * all in any case. What was done is in the journals and tallies. rc; -1: the session is broken.
 */
int flight_end(struct flight *flight, int rc, struct error *err);
/* Both. */
int flight_run(struct flight *flight, struct error *err);

#endif
