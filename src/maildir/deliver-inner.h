// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the parts of a delivery share: how it is begun and ended (deliver.c), content that comes in
 * pieces (deliver-write.c), content that another file has (deliver-copy.c).
 */
#ifndef MAILDIR_DELIVER_INNER_H
#define MAILDIR_DELIVER_INNER_H

#include "maildir/deliver.h"

#define DELIVER_CHUNK ((size_t)64 * 1024) /* is read or written at once */

struct maildir_delivery {
	int fd;
	dev_t device;
	bool linked; /* fd is read only, and no byte of it is ours */
	bool raw;    /* linked or copied: as the other's name had it */
	bool published;
	uint64_t disk_size;
	uint64_t wire_size;
	int64_t date;          /* its mtime, where it was set; or unknown */
	struct intake *intake; /* NULL once finished, and where nothing is written */
	char *file;            /* in tmp */
	char *unique;          /* with its sizes; NULL before it is finished */
};

/* Fills err from errno and says which file it is about. -1 */
int delivery_fail(const struct maildir_delivery *delivery, const char *what, struct error *err);
/* Chooses a name for a file in tmp, which is not made yet; NULL where there is no tmp. */
struct maildir_delivery *delivery_begin(struct maildir_mailbox *mailbox, struct error *err);
/*
 * Makes it, empty. Nobody else may read mail on its way, and nothing that is there is written to.
 */
int delivery_make_file(struct maildir_delivery *delivery, struct maildir_mailbox *mailbox,
		       struct error *err);

/* deliver-write.c: for what comes through maildir_deliver_write. */
struct intake *intake_open(void);
/* Ends what was written: fills identity but for its date, and frees the intake. */
int intake_finish(struct maildir_delivery *delivery, struct identity *identity, struct error *err);
/* Frees it; where there is none, nothing. */
void intake_close(struct maildir_delivery *delivery);

#endif
