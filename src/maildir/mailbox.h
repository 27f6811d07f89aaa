// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One mailbox, opened: descriptors of its directories, which of them changed since they were last
 * made durable, and what the last scan saw.
 *
 * A mailbox opened without may_write is never changed, not even to repair what a scan finds.
 */
#ifndef MAILDIR_MAILBOX_H
#define MAILDIR_MAILBOX_H

#include "base/error.h"
#include "maildir/keywords.h"
#include "maildir/tree.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/stat.h>

enum maildir_dir {
	MAILDIR_CUR,
	MAILDIR_NEW,
	MAILDIR_TMP,
};

#define MAILDIR_DIRS 3

struct maildir_scan;
struct maildir_watch;

struct maildir_mailbox {
	struct maildir_tree *tree; /* borrowed */
	char *name;
	bool may_write;
	uint64_t inode; /* of the directory that cur and new are in */
	int fds[MAILDIR_DIRS]; /* tmp is -1 until the first delivery */
	dev_t device;          /* of files that are made in tmp; 0 until the first */
	bool dirty[MAILDIR_DIRS];
	struct maildir_keywords keywords;
	struct maildir_scan *scan; /* how names were found last (maildir/scan.h), or NULL */
	bool fresh;                /* scan is of the caller's present request */
	bool told;                 /* scan is what the store's user was told */
	struct maildir_watch *watch; /* who changes it (maildir/watch.h), or NULL */
};

/* -1: SCOPE_MAILBOX; err->sys is ENOENT where there is no such mailbox. */
int maildir_mailbox_open(struct maildir_tree *tree, const char *name, bool may_write,
			 struct maildir_mailbox **mailbox, struct error *err);
/* Opens the directory that cur and new are in. -1 or a descriptor. */
int maildir_mailbox_open_home(const struct maildir_mailbox *mailbox, struct error *err);
/* Opens tmp, making it where it is missing. */
int maildir_mailbox_open_tmp(struct maildir_mailbox *mailbox, struct error *err);
/* Looks whether its directories may be written. -1: the text says which may not, and why. */
int maildir_mailbox_check(struct maildir_mailbox *mailbox, struct error *err);
/*
 * Makes every changed directory durable, counting in *syncs. After an error that directory is not
 * tried again: nobody knows what of it is on disk.
 */
int maildir_mailbox_sync(struct maildir_mailbox *mailbox, uint64_t *syncs, struct error *err);
/* Forgets what the last scan saw. */
void maildir_mailbox_forget(struct maildir_mailbox *mailbox);
/* Closes without syncing. NULL is fine. */
void maildir_mailbox_close(struct maildir_mailbox **mailbox);

/*
 * When cur and new last changed, in nanoseconds; 0 for a time so young that a later change could
 * leave it as it is: 20 ms, or two seconds where the file system seems to keep whole seconds.
 */
int maildir_mailbox_stamp(const struct maildir_mailbox *mailbox, int64_t *cur_ns, int64_t *new_ns,
			  struct error *err);
/* The same rule for one directory at the time now_ns (base/clock.h). */
int64_t maildir_stamp_trusted(const struct stat *st, int64_t now_ns);

#endif
