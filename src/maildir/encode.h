// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Mailbox names as paths below a tree's root, reversibly: every name has one path, and a path that
 * this encoding would not have made has no name.
 *
 * A '/' within a component is "%2F", as in the name itself (mail/mailbox-name.h). As %XX go: '%'
 * before two hexadecimal digits, controls, and what the layout cannot hold: in
 * "tree" a leading '.' or '~' and the components cur, new, tmp and dovecot-keywords*; in
 * "maildir++" every '.', and the first byte of a mailbox whose directory would be the tree's
 * marker.
 */
#ifndef MAILDIR_ENCODE_H
#define MAILDIR_ENCODE_H

#include "base/buf.h"
#include "base/error.h"

#include <stddef.h>

enum maildir_layout {
	MAILDIR_LAYOUT_TREE,
	MAILDIR_LAYOUT_PLUSPLUS,
};

#define MAILDIR_MARKER    ".evenmail" /* in a tree's root; see maildir/tree.h */
#define MAILDIR_ENTRY_MAX 255         /* bytes of one directory entry */
#define MAILDIR_PATH_MAX  4095

/*
 * Appends the path of a mailbox ("." is the root itself) to out, which must take
 * MAILDIR_PATH_MAX bytes. -1 (SCOPE_MAILBOX) where name is none, or too long for the file system.
 */
int maildir_encode(enum maildir_layout layout, const char *name, struct buf *out,
		   struct error *err);

/*
 * Appends the name that the directory entry has in the mailbox parent ("" at the root; always ""
 * in maildir++, where an entry is a whole name). -1 where it has none.
 */
int maildir_decode(enum maildir_layout layout, const char *parent, const char *entry,
		   struct buf *out);

#endif
