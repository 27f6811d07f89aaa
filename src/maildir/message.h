// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One message by its unique name, whatever its file is called by now.
 *
 * The mailbox's last scan is a hint. A name that is not in it, and a file that is not where it
 * was, make the mailbox be scanned anew (for unknown names only once a request: the caller clears
 * mailbox->fresh where one begins). So a flag is added to and removed from the letters that the
 * file has now, whatever a MUA did to it meanwhile.
 *
 * 1: done. 0: there is no such message. -1: SCOPE_MESSAGE, or SCOPE_MAILBOX from a scan.
 * Changed directories are noted in mailbox->dirty.
 */
#ifndef MAILDIR_MESSAGE_H
#define MAILDIR_MESSAGE_H

#include "base/error.h"
#include "mail/flags.h"
#include "maildir/mailbox.h"
#include "maildir/scan.h"

#include <sys/stat.h>

/* Finds it; *entry is valid until the mailbox is scanned or changed. */
int maildir_message_find(struct maildir_mailbox *mailbox, const char *unique,
			 const struct maildir_entry **entry, struct error *err);
/*
 * Opens it for reading: a regular file. A symlink, or whatever else has its name, is an error and
 * not a message that is gone. entry and st are as it was opened.
 */
int maildir_message_open(struct maildir_mailbox *mailbox, const char *unique, int *fd,
			 const struct maildir_entry **entry, struct stat *st, struct error *err);
/* Adds and removes flags; what is in new and has flags then goes to cur. */
int maildir_message_flag(struct maildir_mailbox *mailbox, const char *unique, struct flags add,
			 struct flags remove, struct error *err);
/* Gives it that modification time, seconds since the epoch. */
int maildir_message_date(struct maildir_mailbox *mailbox, const char *unique, int64_t date,
			 struct error *err);
int maildir_message_remove(struct maildir_mailbox *mailbox, const char *unique, struct error *err);
/*
 * Moves it to another mailbox of the tree, new to new and cur to cur, under its unique name; where
 * that is taken there, under a fresh one. placed takes the unique name that it has there. To
 * *left_out those of its keywords are added for which the target has no letter: the file loses
 * them.
 */
int maildir_message_move(struct maildir_mailbox *mailbox, const char *unique,
			 struct maildir_mailbox *target, char placed[MAILDIR_FILE_SIZE],
			 uint32_t *left_out, struct error *err);

#endif
