// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which of several ways a server makes possible, and which is used: the table "How a remote
 * snapshot is taken" of evenmail(1), and what goes the other way.
 */
#ifndef CMD_CHECK_WAYS_H
#define CMD_CHECK_WAYS_H

#include "base/buf.h"
#include "imap/session.h"

#include <stdbool.h>

/* What a way is needed for. */
enum way_purpose {
	WAY_CHANGES,
	WAY_SNAPSHOT,
	WAY_UPLOAD,
	WAY_NEW_UIDS,
	WAY_DELETIONS,
	WAY_TRASH,
	WAY_NAMES,
	WAY_PURPOSES,
};

struct way {
	const char *key;  /* of the purpose, in --json: "snapshot" */
	const char *used; /* the extension's name, or what stands in for it: "QRESYNC" */
	const char *text; /* what that means */
};

/* capabilities are those that may be used; qresync, whether it was enabled. */
struct way way_choose(enum way_purpose purpose, unsigned capabilities, bool qresync);
/* Whether the line is compressed: by what is wanted, offered, and in force by now. */
struct way way_compress(enum imap_compress wanted, unsigned capabilities, bool compressed);

/*
 * Appends what a server says of itself, from its answer to ID (RFC 2971): ("name" "Dovecot"
 * "version" "2.3") is "Dovecot, version 2.3". What is no such list is appended as it is. Nothing is
 * escaped.
 */
void way_put_server(struct buf *out, const char *id);

#endif
