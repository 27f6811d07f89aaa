// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The content of a message's file, in CRLF form.
 *
 * Opening reads the file whole, once, for its identity. Messages up to CONTENT_KEPT_MAX bytes are
 * kept in memory from that reading, so what is given out later is what was identified; a larger
 * one is read a second time, which fails if the file is not the same any more.
 */
#ifndef MAILDIR_CONTENT_H
#define MAILDIR_CONTENT_H

#include "base/error.h"
#include "mail/flags.h"
#include "mail/identity.h"
#include "maildir/mailbox.h"

#include <stdbool.h>
#include <stddef.h>

#define CONTENT_KEPT_MAX ((size_t)1024 * 1024)

struct maildir_content;

/*
 * Opens a message. Where readable is false only its identity is wanted. 1; 0 where there is no
 * such message; -1: SCOPE_MESSAGE, or SCOPE_MAILBOX from a scan.
 */
int maildir_content_open(struct maildir_mailbox *mailbox, const char *unique, bool readable,
			 struct maildir_content **content, struct error *err);
/*
 * Whether the file of a message that was agreed on holds other bytes by now: 1, 0, or -1 as above.
 * One of the agreed date is not read; one that is gone, or of no known digest, is no other.
 */
int maildir_content_is_other(struct maildir_mailbox *mailbox, const char *unique,
			     const struct identity *agreed, struct error *err);
/* All of it: size, date (the file's mtime), Message-ID and digest. */
const struct identity *maildir_content_identity(const struct maildir_content *content);
/* Whether one of its bytes is NUL. */
bool maildir_content_has_nul(const struct maildir_content *content);
/* The flags that the file's name had when it was opened. */
struct flags maildir_content_flags(const struct maildir_content *content);
/* The next byte that is read is the first again. */
void maildir_content_rewind(struct maildir_content *content);
/* Up to len bytes; *got 0 is the end. -1: SCOPE_MESSAGE, the file changed or cannot be read. */
int maildir_content_read(struct maildir_content *content, char *out, size_t len, size_t *got,
			 struct error *err);
/*
 * Reads an open file, which stays the caller's, for the identity of a message and the bytes that it
 * takes on disk. raw: it holds the message byte by byte. label: what errors call it.
 */
int maildir_content_identify(int fd, bool raw, const char *label, struct identity *identity,
			     uint64_t *disk_size, struct error *err);
/* NULL is fine. */
void maildir_content_close(struct maildir_content **content);

#endif
