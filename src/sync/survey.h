// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The remote side of a survey: one flight over all boxes that are active and were not surveyed. It
 * is asked for in two steps, and the local sides are surveyed in between: the server lists what
 * changed in its mailboxes while we read directories.
 */
#ifndef SYNC_SURVEY_H
#define SYNC_SURVEY_H

#include "sync/channel.h"

/* Zero beyond its channel. */
struct inquiry {
	struct channel *channel;
	struct uidset *known; /* by box: what was asked with, until it is answered */
	bool *begun;          /* by box */
	bool identify;        /* what is new may have left another mailbox */
	size_t count;         /* boxes that were begun */
};

/* Asks for what can be asked without knowing the local side. -1: the session is broken. */
int inquiry_begin(struct inquiry *inquiry, struct error *err);
/*
 * Asks for the rest and takes the answers, unless rc, which inquiry_begin returned, says that there
 * will be none; frees all in any case. rc; -1: the session is broken.
 */
int inquiry_end(struct inquiry *inquiry, int rc, struct error *err);

/* True where every message of the mailbox is to be looked at, whatever is known of it. */
bool survey_looks_into(const struct channel *channel, const struct box *box);
/* True where what changed since is not enough to know. */
bool survey_wants_all(const struct channel *channel, const struct box *box);
/* Resets the box where the stamp says so; true where it did. */
bool survey_reset_if_distrusted(const struct channel *channel, struct box *box,
				const struct stamp *now);

#endif
