// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One name for one mailbox, whatever the server's separator or the disk's layout: UTF-8 components
 * joined by '/', as the user writes them. INBOX, alone or as the first component, is always
 * written so.
 *
 * A component that itself holds a '/' (the server's separator being another) has it as "%2F". What
 * would read so already gets one "25" more: "%2F" is "%252F", "%252F" is "%25252F". Any other '%'
 * is itself, so "100%" and "%25" stay, and every name says exactly one text. Bytes that are no
 * UTF-8, controls, and names past the bounds have no such name: the caller leaves that mailbox out
 * and says so.
 *
 * Wire names are modified UTF-7 (RFC 3501 section 5.1.3), or UTF-8 after ENABLE UTF8=ACCEPT.
 * Printable ASCII that is no modified UTF-7 (some servers leave a lone '&') is taken as it stands.
 * Who lists a mailbox keeps the server's own bytes beside the name: only new names are encoded.
 *
 * The prefix of the personal namespace is not part of a name: "INBOX.Sent" is "Sent". Two kinds
 * keep the whole: what lies outside the prefix, and a mailbox that would pass for INBOX without it
 * ("INBOX.INBOX" is "INBOX/INBOX"). Inside the prefix wire names and names are one to one; a name
 * from outside it can coincide with one from inside, which who lists them has to look for.
 */
#ifndef MAIL_MAILBOX_NAME_H
#define MAIL_MAILBOX_NAME_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define MAILBOX_NAME_MAX      2048 /* bytes of a whole name */
#define MAILBOX_COMPONENT_MAX 512  /* bytes of one component */

/* How a server names its mailboxes. */
struct mailbox_naming {
	char delimiter;   /* 0: no hierarchy */
	bool utf8;        /* UTF8=ACCEPT is enabled: wire names are UTF-8 */
	char prefix[256]; /* the personal namespace's, on the wire, e.g. "INBOX." or "" */
};

/*
 * Appends the name of a wire name to out. -1 (ERROR_PROTOCOL, SCOPE_MAILBOX) where it has none; the
 * text says why. out is then as it was.
 */
int mailbox_name_from_wire(const struct mailbox_naming *naming, const char *wire, size_t len,
			   struct buf *out, struct error *err);
/*
 * Appends the wire form of a name: for CREATE. -1 (ERROR_REFUSED, SCOPE_MAILBOX) where this server
 * cannot hold such a name. out is then as it was.
 */
int mailbox_name_to_wire(const struct mailbox_naming *naming, const char *name, struct buf *out,
			 struct error *err);
/*
 * 0 where name is one (UTF-8, no NUL or control, no empty component, within bounds), else -1
 * (ERROR_REFUSED, SCOPE_MAILBOX). "." and ".." are components like others: who makes files of
 * them encodes them.
 */
int mailbox_name_check(const char *name, size_t len, struct error *err);
bool mailbox_name_is_inbox(const char *name);
/* True where name is that of a mailbox below the one called above. */
bool mailbox_name_is_below(const char *name, const char *above);

#endif
