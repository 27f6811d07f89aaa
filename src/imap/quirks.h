// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What particular servers do that the standards do not say, and what is done about it: one table,
 * applied by itself from the host name, the ID answer and the capabilities, and shown by check.
 */
#ifndef IMAP_QUIRKS_H
#define IMAP_QUIRKS_H

#include <stddef.h>

/* What applies to one session: the strictest of every row that matches. */
struct imap_profile {
	unsigned capabilities_off; /* of enum imap_capability: offered, but not to be used */
	size_t line_max;           /* bytes of a command line without literals */
	unsigned visible_max;      /* messages that the server shows at the most, 0: all (Yahoo) */
	const char *notes[8];      /* for check: one line a row that matched, NULL at the end */
	size_t notes_len;
};

/* Any argument may be NULL. */
void imap_profile_choose(const char *host, const char *id, const char *capabilities,
			 struct imap_profile *out);

#endif
