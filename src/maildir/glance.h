// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A look at a mailbox at rest, in as little memory as a piece of its directories: for who only
 * compares what it holds with what is known.
 *
 * Nobody is held up meanwhile. That the directories' times were trusted before and are the same
 * afterwards proves that nothing changed between the pieces; where they are not, what was told says
 * nothing, and a scan (maildir/scan.h) tells. Two files with one unique name are both told.
 */
#ifndef MAILDIR_GLANCE_H
#define MAILDIR_GLANCE_H

#include "base/error.h"
#include "maildir/mailbox.h"
#include "maildir/scan.h"

#include <stdbool.h>
#include <stdint.h>

struct maildir_glance {
	struct maildir_mailbox *mailbox;
	struct dirents piece;
	size_t at;            /* in it */
	enum maildir_dir dir; /* that it is of */
	bool begun;           /* so is the directory */
	int64_t cur_ns;       /* mtimes before */
	int64_t new_ns;
};

/* -1: SCOPE_MAILBOX. */
int maildir_glance_open(struct maildir_mailbox *mailbox, struct maildir_glance **glance,
			struct error *err);
/*
 * 1 and the next file, valid until the next call. 0 at the end: *rest says whether all of it is how
 * the mailbox stood at the beginning. -1: SCOPE_MAILBOX.
 */
int maildir_glance_next(struct maildir_glance *glance, struct maildir_entry *entry, bool *rest,
			struct error *err);
/* NULL is fine. */
void maildir_glance_close(struct maildir_glance **glance);

#endif
