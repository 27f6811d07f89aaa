// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Delivery: a message's bytes, in CRLF form, become a file in tmp, then in new or cur.
 *
 *	open -> write ... -> finish -> (made durable) -> publish -> close
 *
 * The file holds LF for CRLF, or, where the message has a bare CR or LF, the bytes as they came;
 * its name says which (mail/eol.h). Nothing is seen under new or cur before publish, and nothing
 * that is there is ever replaced. A delivery may hold its descriptor from open to close; the
 * mailbox is asked for at each step, so it need not stay open meanwhile.
 */
#ifndef MAILDIR_DELIVER_H
#define MAILDIR_DELIVER_H

#include "base/error.h"
#include "mail/flags.h"
#include "mail/identity.h"
#include "maildir/mailbox.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct maildir_delivery;

/* Begins a file in tmp. -1: SCOPE_MAILBOX. */
int maildir_deliver_open(struct maildir_mailbox *mailbox, struct maildir_delivery **delivery,
			 struct error *err);
int maildir_deliver_write(struct maildir_delivery *delivery, const char *bytes, size_t len,
			  struct error *err);
/* Ends the content and fills size, Message-ID and digest. */
int maildir_deliver_finish(struct maildir_delivery *delivery, struct identity *identity,
			   struct error *err);
/* The unique name that a finished one has. */
const char *maildir_deliver_name(const struct maildir_delivery *delivery);

/* Makes a finished one's content durable; opens it anew where its descriptor was let go. */
int maildir_deliver_sync(struct maildir_delivery *delivery, struct maildir_mailbox *mailbox,
			 struct error *err);
/* Lets go of a finished one's descriptor. */
void maildir_deliver_rest(struct maildir_delivery *delivery);
/* The file system that it is on. */
dev_t maildir_deliver_device(const struct maildir_delivery *delivery);

/*
 * Puts it in place: in new where it has no flags, else in cur. The mtime is date, unless unknown.
 * Keywords that have no letter (maildir_keywords_claim) are left out.
 */
int maildir_deliver_publish(struct maildir_delivery *delivery, struct maildir_mailbox *mailbox,
			    struct flags flags, int64_t date, struct error *err);
/* Frees it; removes its file from tmp where it was not published. mailbox NULL: the file stays. */
void maildir_deliver_close(struct maildir_delivery **delivery, struct maildir_mailbox *mailbox);

/*
 * Removes from tmp what earlier runs of this host left there: files of our own naming whose
 * process is gone, or that are older than 36 hours.
 */
void maildir_deliver_sweep(struct maildir_mailbox *mailbox);

#endif
