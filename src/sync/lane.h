// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Lanes: pairs of sessions, each served by a thread of its own, that carry content side by side.
 *
 * A channel's steps run on the main lane, which is the caller's thread: lists, scans, flags, moves
 * and removals are pipelined there in a few round trips, and more connections would only add their
 * logins. What costs time and the server's work is content, in sync/pull.c and sync/push.c. Both
 * share it out in portions (sync/share.h), and where there is enough of it they have other lanes
 * take portions too. The main lane alone can do all of it, and does where no other comes to be:
 * with one lane everything happens in one thread, in the order of the mailboxes.
 *
 * A lane works with its own two stores and its own portions. All else is the channel's, and is
 * touched while channel->lock is held: boxes with their journals and tallies, what is held back,
 * the progress that is told. The lock is held over the commit of a journal, so that one batch is
 * committed as one, and never while a lane waits for the server, reads or writes a message, or
 * syncs the file system; so nothing takes it that is done for each message as it arrives. What a
 * lane puts into a journal is durable on the disk by then; so it does no harm that another lane's
 * commit may take it along.
 *
 * A lane whose session breaks is lost, and the run goes on: its portions go back and others fetch
 * them, and what may or may not have been uploaded is left to the next run, which finds it by its
 * note. Where the main lane's session breaks, or the disk fails, all lanes stop and the run ends.
 *
 * sync/ makes no threads; run/lanes.h does.
 */
#ifndef SYNC_LANE_H
#define SYNC_LANE_H

#include "store/store.h"

#include <stdbool.h>

struct lane {
	struct store *stores[SIDES];
	bool extra; /* not the main one: the run goes on without it */
	bool lost;  /* set by the work: the session is of no use any more */
};

/* Who has other lanes than the main one. */
struct lanes {
	unsigned max; /* how many there can be at most; not 0 */
	/*
	 * Has work called with each of up to count lanes, in threads, as soon as their sessions
	 * stand: at once, later or never.
	 */
	void (*begin)(struct lanes *lanes, unsigned count,
		      void (*work)(void *context, struct lane *lane), void *context);
	/* Waits until all calls have returned; none is made any more. */
	void (*end)(struct lanes *lanes);
};

#endif
