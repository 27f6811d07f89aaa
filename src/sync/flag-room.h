// SPDX-License-Identifier: GPL-3.0-or-later
/* For which flags the sides have room, and what is agreed on of those for which they have none. */
#ifndef SYNC_FLAG_ROOM_H
#define SYNC_FLAG_ROOM_H

#include "sync/channel.h"

/*
 * Takes over for which flags the server has room by now. True where it had not for all before and
 * that is another room: files may have flags that waited for it.
 */
bool box_take_room(const struct channel *channel, struct box *box, const struct flag_room *room);
/* Those of the flags that the server has room for in the box's mailbox. */
struct flags box_flags_there(const struct box *box, struct flags flags);
/*
 * Whether the server's mailbox may not keep these flags of a message that is sent there, or moved:
 * nothing has told of its room in this run, and only the end will.
 */
bool box_may_drop_flags(const struct box *box, struct flags flags);
/* Such a message went there. */
void box_note_flags_sent(struct box *box, struct flags flags);
/* Whether the room has to be told before it is known whether they were kept; */
bool box_wants_room(const struct box *box);
/* and whether they all were, with that room. */
bool box_kept_flags(const struct box *box, const struct flag_room *room);
/*
 * A side would not keep these keywords: it is journaled, said once, and nothing more is made of it.
 */
void box_refuse_keywords(struct box *box, enum side side, uint32_t keywords);
/*
 * Journals what both sides agree on now that their flags are set. What the server turned out to
 * have no room for is as agreed before.
 */
void box_note_agreed(struct box *box, const struct plan *plan);
/*
 * What a mailbox that the server just made keeps of flags only its opening tells. It is not looked
 * at otherwise: what others put there meanwhile, the end of the run finds.
 */
int flag_room_learn(struct channel *channel, struct error *err);

#endif
