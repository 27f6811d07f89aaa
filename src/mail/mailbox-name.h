// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One name for one mailbox, whatever the server's separator or the disk's layout: UTF-8 components
 * joined by '/', as the user writes them. INBOX is always written so.
 *
 * A component that itself holds a '/' (the server's separator being another) has it as "%2F"; a
 * '%' that would read as one of the two escapes is "%25"; so "100%" stays "100%". Bytes that are
 * no UTF-8, NUL, and names past the bounds have no such name: the caller leaves that mailbox out
 * and says so.
 *
 * Wire names are modified UTF-7 (RFC 3501 section 5.1.3), or UTF-8 after ENABLE UTF8=ACCEPT.
 * Who lists a mailbox keeps the server's own bytes beside the name: only new names are encoded.
 */
#ifndef MAIL_MAILBOX_NAME_H
#define MAIL_MAILBOX_NAME_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define MAILBOX_NAME_MAX 2048     /* bytes of a whole name */
#define MAILBOX_COMPONENT_MAX 512 /* bytes of one component */

/* How a server names its mailboxes. */
struct mailbox_naming {
	char delimiter;   /* 0: no hierarchy */
	bool utf8;        /* UTF8=ACCEPT is enabled: wire names are UTF-8 */
	char prefix[256]; /* the personal namespace's, on the wire, e.g. "INBOX." or "" */
};

/* Appends the name of a wire name to out. -1 (SCOPE_MAILBOX) where it has none; the text says why. */
int mailbox_name_from_wire(const struct mailbox_naming *naming, const char *wire, size_t len,
			   struct buf *out, struct error *err);
/* Appends the wire form of a name: for CREATE. -1 where this server cannot hold such a name. */
int mailbox_name_to_wire(const struct mailbox_naming *naming, const char *name, struct buf *out,
			 struct error *err);
/* 0 where name is one (UTF-8, no NUL or control, no empty component, within bounds), else -1. */
int mailbox_name_check(const char *name, size_t len, struct error *err);
bool mailbox_name_is_inbox(const char *name);

/* Appends modified UTF-7 of UTF-8 text; -1 where the text is no UTF-8. */
int utf7_encode(const char *text, size_t len, struct buf *out);
/* Appends UTF-8 of modified UTF-7; -1 where malformed (bad base64, lone surrogate, 8 bit, ...). */
int utf7_decode(const char *text, size_t len, struct buf *out);
/* True for well-formed UTF-8: no overlong forms, no surrogates, at most U+10FFFF. */
bool utf8_is_valid(const char *text, size_t len);

/*
 * True where the patterns take the mailbox in: first to last, each that matches decides anew, one
 * with a leading '!' takes away. '*' matches anything, '%' anything but '/'. INBOX matches in any
 * case. No pattern at all takes all.
 */
bool mailbox_patterns_match(const char *const *patterns, size_t count, const char *name);

#endif
