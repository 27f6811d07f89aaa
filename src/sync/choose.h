// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which boxes a run works on, and at which of their sides it looks: by what LIST told, held against
 * the journals' heads. What a stopped run noted, what was refused before, another policy: each
 * makes a mailbox worth a look that did not change.
 */
#ifndef SYNC_CHOOSE_H
#define SYNC_CHOOSE_H

#include "sync/channel.h"

/*
 * Opens the boxes' journals and decides which boxes are active. A journal that cannot be read makes
 * its box fail; one that is damaged is set aside. Where a run broke off a moment ago with something
 * on its way to the server, waits until that has come to be or never will.
 */
void choose_boxes(struct channel *channel);
/* True where every message of the mailbox is to be looked at, whatever is known of it. */
bool choose_is_looked_into(const struct channel *channel, const struct box *box);
/*
 * True where what changed since is not enough to know: another policy may want what was left alone;
 * a mailbox that is to be deleted may hold what the journal never had; to the journal of one that
 * was renamed, a run that did not see it may have added what was in its place; and what was refused
 * did not change since.
 */
bool choose_wants_all(const struct channel *channel, const struct box *box);

#endif
