// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Files that are about to be replaced, kept for their owner: under their names (with "~1" and so on
 * behind them where others were kept before) in a directory beside cur, which no layout takes for a
 * mailbox. Nobody removes them from there but the user.
 */
#ifndef MAILDIR_KEEP_H
#define MAILDIR_KEEP_H

#include "base/error.h"
#include "maildir/mailbox.h"
#include "maildir/scan.h"

#define MAILDIR_KEPT "evenmail-damaged" /* in layout "tree" with a '.' before it */

/* Gives the file a second name there, durably; one that has it already is fine. */
int maildir_keep(const struct maildir_mailbox *mailbox, const struct maildir_entry *entry,
		 struct error *err);

#endif
