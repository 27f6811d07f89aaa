// SPDX-License-Identifier: GPL-3.0-or-later
/* The two sides of a channel. Two-sided data is an array indexed by this. */
#ifndef MAIL_SIDE_H
#define MAIL_SIDE_H

enum side {
	LOCAL,  /* the Maildir */
	REMOTE, /* the IMAP account */
};

#define SIDES 2

static inline enum side other_side(enum side side)
{
	return side == LOCAL ? REMOTE : LOCAL;
}

/* "local" or "remote". */
static inline const char *side_name(enum side side)
{
	return side == LOCAL ? "local" : "remote";
}

#endif
