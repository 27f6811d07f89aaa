// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What was left in a mailbox's tmp: no message, for a delivery ends by leaving it.
 *
 * Files of our own naming are litter once their process is gone; those of other programs 36 hours
 * after they were last touched, as maildir(5) has it.
 */
#ifndef MAILDIR_LITTER_H
#define MAILDIR_LITTER_H

#include "base/arena.h"
#include "base/error.h"
#include "maildir/mailbox.h"

#include <stddef.h>
#include <stdint.h>

struct maildir_litter {
	const char *file; /* its name in tmp */
	uint64_t size;
	int64_t since; /* seconds since the epoch: when it was begun or last touched */
};

/*
 * Removes from tmp what earlier runs of this host left there: files of our own naming whose
 * process is gone, or that were begun more than 36 hours ago.
 */
void maildir_litter_sweep(struct maildir_mailbox *mailbox);
/* Lists what is litter at the time now (seconds since the epoch), whoever left it, into arena. */
int maildir_litter_list(const struct maildir_mailbox *mailbox, int64_t now, struct arena *arena,
			struct maildir_litter **litter, size_t *count, struct error *err);
/* Removes one; that it is gone is fine. */
int maildir_litter_remove(const struct maildir_mailbox *mailbox, const char *file,
			  struct error *err);

#endif
