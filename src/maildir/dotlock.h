// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Dovecot's lock of a mailbox's keywords: the file dovecot-keywords.lock, there while it is held.
 *
 * Who finds it waits a little while. One older than two minutes is nobody's, as for Dovecot; and
 * one of an evenmail that was killed goes at once. Ours comes into place with a line in it that
 * names the running kernel (its boot id), and with flock(2) on it, which ends with the process:
 * where the line is this kernel's and the flock can be had, the holder is gone. A process id would
 * say less, for in another container it is another's.
 */
#ifndef MAILDIR_DOTLOCK_H
#define MAILDIR_DOTLOCK_H

#include "base/error.h"
#include "maildir/mailbox.h"

#include <sys/types.h>

#define MAILDIR_DOTLOCK_FILE MAILDIR_KEYWORDS_FILE ".lock"

/* Takes it; home is the directory that it is in. -1 (SCOPE_MAILBOX), or a descriptor to drop. */
int maildir_dotlock_take(struct maildir_mailbox *mailbox, int home, mode_t mode, struct error *err);
/* Removes it, unless another program did and has its own there. */
void maildir_dotlock_drop(int home, int *lock);

/* Makes an empty file in tmp that a stop leaves to the sweep (maildir/deliver.h). -1: errno. */
int maildir_dotlock_make_file(struct maildir_mailbox *mailbox, mode_t mode,
			      char file[MAILDIR_FILE_SIZE]);

#endif
