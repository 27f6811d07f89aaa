// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whether nobody but us changed a mailbox's directories: their times tell that something changed,
 * not who did it, and to read 100,000 names again only to see that takes longer than most runs.
 *
 * The kernel tells each change of a directory by name (inotify(7)), others' and ours. Where what it
 * told is just what we noted, in its order, all was ours. A watch begins in a mailbox that is as
 * the scan saw it that the store's user was told of, and is of no use where changes are made behind
 * the kernel's back (NFS, FUSE), or where there is no inotify to be had: then there is none, and
 * who wants to know reads.
 */
#ifndef MAILDIR_WATCH_H
#define MAILDIR_WATCH_H

#include "maildir/mailbox.h"

#include <stdbool.h>

/* Begins the mailbox's watch, if it can have one and has none. */
void maildir_watch_begin(struct maildir_mailbox *mailbox);
/* A file was renamed by us; without a watch nothing is noted. */
void maildir_watch_note(struct maildir_mailbox *mailbox, enum maildir_dir from_dir,
			const char *from, enum maildir_dir to_dir, const char *to);
/*
 * True where the mailbox is watched, its name leads to it still, and what was noted is all that
 * happened. Where that is not so the watch is over.
 */
bool maildir_watch_is_alone(struct maildir_mailbox *mailbox);
/* None is fine. */
void maildir_watch_end(struct maildir_mailbox *mailbox);

#endif
