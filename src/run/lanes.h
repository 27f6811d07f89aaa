// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The lanes of sync/lane.h as threads. Each has a session with the server and a local store on the
 * channel's tree, both its own; its thread opens them, waits for work, and closes them.
 *
 * Nothing is opened before there is work that pays for a login: a run with little to do has one
 * connection and one thread. The threads log in side by side while the main lane works already. A
 * lane that the server refuses ("too many connections") is done without, for good and not as an
 * error; so is one whose session broke. A login that is still under way when the run ends is
 * broken off, which takes a second at most.
 *
 * Of what the process shares the log, the stop, the table of keywords and the stop points of tests
 * guard themselves; the tree's descriptors are only read; all else is sync/lane.h's. Signals are
 * left to the main thread.
 */
#ifndef RUN_LANES_H
#define RUN_LANES_H

#include "maildir/tree.h"
#include "run/keeper.h"
#include "sync/lane.h"

/* Borrowed until lanes_close. */
struct lanes_setup {
	const char *name; /* the channel's, for messages */
	unsigned max;     /* beside the main lane; not 0 */
	struct keeper *keeper;
	struct maildir_tree *tree;
	const struct store *remote; /* the main lane's: what it knows of mailboxes is passed on */
};

struct lanes *lanes_open(const struct lanes_setup *setup);
/* Waits until every thread has ended. NULL is fine. */
void lanes_close(struct lanes **lanes);

#endif
