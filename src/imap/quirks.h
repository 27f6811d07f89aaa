// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What particular servers do that the standards do not say, and what is done about it: one table,
 * applied by itself from the host name, the ID answer (or, as long as there is none, the greeting)
 * and the capabilities, and shown by check.
 *
 * What can be done for every server alike is not in it (see DESIGN, "Rules that cover most").
 */
#ifndef IMAP_QUIRKS_H
#define IMAP_QUIRKS_H

#include <stdbool.h>
#include <stddef.h>

#define IMAP_LINE_MAX_DEFAULT 1000
#define IMAP_NOTES_MAX        16

/* What applies to one session: the strictest of every row that matches. */
struct imap_profile {
	unsigned capabilities_off; /* of enum imap_capability: offered, but not to be used */
	size_t line_max;           /* bytes of a command line without literals */
	unsigned visible_max;      /* messages that the server shows at the most, 0: all (Yahoo) */
	bool limits_message;       /* [LIMIT] to an APPEND is about the message, and lasts */
	bool named;                /* by the ID: whose server it is, is known */
	bool ask_capability;       /* CAPABILITY must be asked for after the login, told or not */
	const char
	    *notes[IMAP_NOTES_MAX]; /* for check: one line a row that matched, NULL at the end */
	size_t notes_len;
};

/* Any of the three terminated texts may be NULL. */
void imap_profile_choose(const char *host, const char *id, const char *capabilities,
			 struct imap_profile *out);

#endif
