// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How a mailbox of the server stands once messages came to it, asked in the flight that brings them
 * there: where that is what they come to, channel_confirm need not ask again, and a round trip is
 * saved. A server that is still at work on them (RFC 9051 section 5.5) tells figures of before;
 * those prove nothing, and channel_confirm asks as if nobody had. Of the mailbox that is open every
 * change tells by itself: see sync/own.h.
 */
#ifndef SYNC_PROOF_H
#define SYNC_PROOF_H

#include "sync/channel.h"

/*
 * Asks of the box of that index, unless nothing can be proved of it; the ticket is no other
 * request's. -1: the session is broken.
 */
int proof_submit(const struct channel *channel, size_t index, struct error *err);
/* Takes in the answer to that; false where it is one to something else. */
bool proof_take(struct channel *channel, const struct answer *answer);

#endif
