// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The copies to one side of all boxes, shared out among lanes.
 *
 * A lane stays with a box as long as there is something left of it, then takes one that no lane is
 * at, and only then a part of one that others are at: mailboxes are opened as seldom as can be, and
 * a single huge one is still carried by all. Portions are large first and small in the end, so that
 * the lanes come to their ends together.
 *
 * Any lane may take, end and give back at any time: that has a lock of its own, so that no lane
 * waits for another's commit only to ask for more.
 */
#ifndef SYNC_SHARE_H
#define SYNC_SHARE_H

#include "sync/channel.h"
#include "sync/landing.h"
#include "sync/lane.h"

/*
 * What a message costs beside its bytes, in bytes: the server's and the disk's work for a small one
 * takes as long as that many more would.
 */
#define SHARE_MESSAGE ((uint64_t)16 << 10)
#define SHARE_GUESS   ((uint64_t)64 << 10) /* bytes of a message of which nothing is known */

/* The copies of one box. */
struct share {
	struct box *box;
	const struct op **ops; /* to REMOTE */
	struct copy *copies;   /* to LOCAL: what no lane has taken, descending by UID; in no plan */
	size_t len;
	size_t next;     /* the first that no lane has taken */
	unsigned takers; /* portions that are under way */
};

/* A part of one box's copies, which one lane has: to REMOTE those from first on. */
struct portion {
	struct share *share;
	size_t first;
	size_t count;
	uint64_t cost;
	struct copy *copies;      /* to LOCAL: ascending by UID, 0 in one that has come */
	struct message_key *keys; /* to LOCAL: what they are fetched by */
	uint64_t *sizes;          /* to LOCAL: beside keys */
	struct portion *link;     /* for its owner's list */
};

struct shares {
	struct channel *channel;
	pthread_mutex_t lock; /* while there are lanes: of all that follows */
	enum side side;
	struct share *list; /* those of active boxes that have any */
	size_t len;
	uint64_t left;            /* what is not taken costs */
	uint64_t pays;            /* so much more pays for another lane */
	unsigned lanes;           /* that may take, the main one with them */
	struct portion *returned; /* by lanes that are lost */
};

/* Collects the copies to side; those to LOCAL leave their plans. */
void shares_open(struct shares *shares, struct channel *channel, enum side side);
/*
 * Where there is anything to do, has work called on the main lane, and where it is enough, on
 * others, too. Where these left something undone the main lane is called for again.
 */
void shares_run(struct shares *shares, void (*work)(void *context, struct lane *lane),
		void *context);
/*
 * The next portion for a lane that was at last (or NULL) and has work of this cost in hand; NULL
 * where there is none, or none for now because the lane has enough.
 */
struct portion *shares_take(struct shares *shares, const struct share *last, uint64_t held);
/* What one message costs. */
uint64_t share_cost(uint64_t size);
/* The lane is done with the portion. */
void shares_end(struct shares *shares, struct portion *portion);
/* Gives back what of the portion has not come. */
void shares_return(struct shares *shares, struct portion *portion);
/* Gives all back to the system, what the lanes had with it. */
void shares_close(struct shares *shares);

#endif
