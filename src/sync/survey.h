// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The parts of channel_survey that look at one box: its local side, and what the journal remembers
 * of runs before.
 */
#ifndef SYNC_SURVEY_H
#define SYNC_SURVEY_H

#include "sync/channel.h"

/*
 * The local side of an active box, with what the journal remembers of a stopped run; where that
 * fails the box is active no more.
 */
void survey_local(struct channel *channel, struct box *box);
/* After a complete scan of a side: refusals of its messages that are gone are over. */
void survey_end_refusals(struct box *box, enum side side);
/* What was to be removed from the server, and is there: that a run was about to is over. */
void survey_end_removals(struct box *box);

#endif
