// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Content from the server to the disk: bodies are written to temporary files as they arrive, and
 * put in place in batches (sync/landing.h).
 *
 * A mailbox whose directory takes no more is shut: it has failed, and the others go on. Where room
 * is what lacks, that is seen before anything is asked for, as far as it can be, and what is to be
 * removed is removed all the same: that makes room.
 *
 * Each lane (sync/lane.h) has portions and batches of its own, from the request to the pairs.
 */
#ifndef SYNC_PULL_H
#define SYNC_PULL_H

#include "sync/channel.h"

/* Fetches what the plans say. */
int pull_apply(struct channel *channel, struct error *err);

#endif
