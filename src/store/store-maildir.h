// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The local side: a Maildir tree as a store. Everything is done when the next answer is asked for.
 *
 * SCAN always lists every message (complete is true); identities come by IDENTIFY only, which
 * reads the files; size in SCAN is a hint from the file's name, or unknown. IDENTIFY answers for
 * those keys that are there and scans anew for the others: it is the look-up by unique name that
 * has to miss what counts as removed (see maildir/scan.h).
 *
 * FLAG and MOVE leave alone what is gone; with a single key that is an error of scope message.
 * PUBLISH of a draft that no SETTLE came before makes that draft durable first. A draft that could
 * not be made durable stays unpublishable: its PUBLISH fails. SETTLE fails with scope message where
 * that happened, with scope store where a directory could not be made durable.
 *
 * RENAME fails as maildir_tree_rename() does. A draft of a mailbox that is renamed is not published
 * any more, and mailboxes that another store of the tree has opened stay as they are until it scans
 * them: rename before anything else.
 */
#ifndef STORE_STORE_MAILDIR_H
#define STORE_STORE_MAILDIR_H

#include "maildir/tree.h"
#include "store/store.h"

/*
 * The tree is borrowed; several stores (one a lane) may share it. NULL is a tree that is not there
 * (yet): it has no mailboxes. Where may_write is false nothing on disk is changed, and requests
 * that would are refused.
 */
struct store *store_maildir_open(struct maildir_tree *tree, bool may_write);

/* What durability cost. */
struct store_maildir_figures {
	uint64_t file_syncs;
	uint64_t dir_syncs;
	uint64_t fs_syncs;
};

struct store_maildir_figures store_maildir_figures(const struct store *store);

#endif
