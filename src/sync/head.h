// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The journal's head, as far as a channel gives it its meaning: how both sides stood when they were
 * last even, and on what terms they were kept so. Where nothing of that is another now, a mailbox
 * need not be looked at.
 */
#ifndef SYNC_HEAD_H
#define SYNC_HEAD_H

#include "journal/journal.h"
#include "sync/channel.h"

/* How a side stood when both were last even. */
struct stamp head_stamp(const struct journal_head *head, enum side side);
/*
 * On what terms a mailbox is kept even, as the number that the head remembers: what the channel
 * allows, and what the server calls it where that is another name. Never 0.
 */
uint32_t head_terms(const struct channel *channel, const struct box *box);
/*
 * True where the journal is of another mailbox of the server, which "map" gave this one's name
 * before: that this one is not there says nothing then.
 */
bool head_is_of_another(const struct channel *channel, const struct box *box);
/* The head for a box that is even. */
struct journal_head head_of(const struct channel *channel, const struct box *box);

#endif
