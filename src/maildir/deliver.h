// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Delivery: a message's bytes, in CRLF form, become a file in tmp, then in new or cur.
 *
 *	open -> write ... -> finish -> (made durable) -> publish -> close
 *	link -> finish -> (made durable, where it is a copy) -> publish -> close
 *
 * The file holds LF for CRLF, or, where the message has a bare CR or LF, the bytes as they came;
 * its name says which (mail/eol.h). Nothing is seen under new or cur before publish, and nothing
 * that is there is ever replaced. A delivery may hold its descriptor from open to close; the
 * mailbox is asked for at each step, so it need not stay open meanwhile.
 *
 * One that is linked shares content, mode and date with the message that it was made from; names,
 * and so flags and keywords, are each one's own: nothing that is renamed or removed later concerns
 * the other. Only a program that writes into a message's file, which none may, changes both.
 */
#ifndef MAILDIR_DELIVER_H
#define MAILDIR_DELIVER_H

#include "base/error.h"
#include "mail/flags.h"
#include "mail/identity.h"
#include "maildir/mailbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct maildir_delivery;

/* Begins a file in tmp. -1: SCOPE_MAILBOX. */
int maildir_deliver_open(struct maildir_mailbox *mailbox, struct maildir_delivery **delivery,
			 struct error *err);
int maildir_deliver_write(struct maildir_delivery *delivery, const char *bytes, size_t len,
			  struct error *err);
/*
 * Begins with the content of a message of another mailbox or the same one, whatever its file is
 * called by now: as a second link to that file where its date is this one and a link can be made,
 * else as a copy byte by byte. Neither takes writes. 1; 0 where there is no such message; -1:
 * SCOPE_MESSAGE, or SCOPE_MAILBOX from a scan or from tmp.
 */
int maildir_deliver_link(struct maildir_mailbox *mailbox, struct maildir_mailbox *from,
			 const char *unique, int64_t date, struct maildir_delivery **delivery,
			 struct error *err);
/* Whether it is a link: there is no content to be made durable. */
bool maildir_deliver_is_linked(const struct maildir_delivery *delivery);
/*
 * Ends the content and fills size, Message-ID and digest. The date is given, or DATE_UNKNOWN: the
 * mtime that it gets by now, to be made durable with the content.
 */
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
 * Puts it in place: in new where it has no flags, else in cur. The mtime is date, unless unknown;
 * that of a link is the other's as well and stays as it is.
 * Keywords that have no letter (maildir_keywords_claim) are left out.
 */
int maildir_deliver_publish(struct maildir_delivery *delivery, struct maildir_mailbox *mailbox,
			    struct flags flags, int64_t date, struct error *err);
/*
 * Puts it in the place of the message of that unique name, whatever its file is called by now: the
 * two files change places at one instant, so that name and flags stay. The old one is kept
 * (maildir/keep.h). -1: nothing is changed; sys is ENOENT where there is no such message, EINVAL
 * where the file system cannot exchange files, or where the name would have the content read
 * otherwise than it is.
 */
int maildir_deliver_replace(struct maildir_delivery *delivery, struct maildir_mailbox *mailbox,
			    const char *unique, int64_t date, struct error *err);
/*
 * Carries a file over from another file system: a durable copy of its bytes and its times, under
 * the name file in cur or new. The original stays. -1 with sys ENOENT: it has another name by now;
 * EEXIST: this name is taken.
 */
int maildir_deliver_carry(struct maildir_mailbox *mailbox, int from_dir, const char *from,
			  enum maildir_dir dir, const char *file, struct error *err);
/* Frees it; removes its file from tmp where it was not published. mailbox NULL: the file stays. */
void maildir_deliver_close(struct maildir_delivery **delivery, struct maildir_mailbox *mailbox);

#endif
