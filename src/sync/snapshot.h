// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What one side of a mailbox holds now, complete: a store's delta and the journal put together, so
 * that the planner sees only "present" or "absent" and never "unchanged".
 *
 * known lies beside the journal's pairs, index by index; fresh is what the journal does not know.
 */
#ifndef SYNC_SNAPSHOT_H
#define SYNC_SNAPSHOT_H

#include "base/arena.h"
#include "base/error.h"
#include "journal/journal.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>

/* How one side holds a pair: 8 bytes for each that the journal knows. */
struct presence {
	struct flags flags;
	bool present;
	bool seen; /* by the scan; of a complete one, what was not seen is absent */
};

_Static_assert(sizeof(struct presence) <= 8, "a pair costs 8 bytes a snapshot");

/* A message that the journal does not know. */
struct fresh_message {
	struct message_state state;
	struct flags base; /* what was agreed on before, where the journal remembers (else none) */
	uint32_t floor;    /* what came of the note has at least this UID; see snapshot_floor */
	bool wanted;       /* its Message-ID, for it may be a copy of another */
	bool begun;        /* an APPEND of it, or a move of it to here, was begun before */
	bool former;       /* both sides had it until the journal was reset */
	bool moved;        /* the file of a pair of another mailbox, whose message is there yet */
	bool ghost;        /* not there any more; an APPEND of it was begun before */
};

struct snapshot {
	enum side side;
	struct stamp stamp;         /* how the mailbox stood when the scan began */
	struct flag_room permanent; /* the flags that this side can keep */
	const struct flags *letters; /* local: what each means in its files; NULL: not known */
	bool doubled;               /* a scan told of one pair twice */
	struct presence *known;     /* one for each of the journal's pairs */
	size_t known_len;
	struct uidset doubtful; /* known, but of another size or date: see sync/reuse.h */
	struct fresh_message *fresh;
	size_t fresh_len;
	size_t fresh_cap;
};

/*
 * Makes the snapshot of a side that did not change since the journal's head: every pair present
 * with the flags agreed on (but those marked as gone), nothing fresh, room for flags as the server
 * told last. Also the start of a delta.
 */
void snapshot_begin(struct snapshot *snapshot, enum side side, const struct journal *journal);
/* Takes in one message of a scan; strings are copied into arena. */
void snapshot_see(struct snapshot *snapshot, const struct journal *journal, struct arena *arena,
		  const struct message_state *message);
/*
 * Takes in what a scan of the remote side says is gone, be it that it told of it before; UIDs that
 * nobody knows mean nothing.
 */
void snapshot_vanish(struct snapshot *snapshot, const struct journal *journal,
		     const struct uidset *uids);
/* Takes over what letters mean, as its scan told; copied into arena. NULL is fine. */
void snapshot_take_letters(struct snapshot *snapshot, struct arena *arena,
			   const struct flags *letters);
/* Takes over what flags the side can keep, as its scan told. */
void snapshot_take_room(struct snapshot *snapshot, const struct flag_room *room);
/*
 * The scan listed every message: what was not seen is absent. Also for a mailbox that is not there.
 */
void snapshot_complete(struct snapshot *snapshot);
/* Sorts fresh by key: by UID, or by name. Before all of the following. */
void snapshot_end(struct snapshot *snapshot);
/*
 * Takes in what the journal's APPENDING notes remember: the base of those whose file is there, a
 * ghost for each whose file is gone; its name is copied into arena. A note of another UIDVALIDITY
 * than this one (0: not known) makes no ghost: what it was about to append is in no mailbox of
 * today. Local side only.
 */
void snapshot_remember(struct snapshot *snapshot, const struct journal *journal,
		       struct arena *arena, uint32_t uidvalidity);
/* The fresh message of that key, or NULL; after snapshot_end. */
struct fresh_message *snapshot_find(const struct snapshot *snapshot, const struct message_key *key);
/*
 * The lowest UID that the other half of a fresh file can have: of a ghost, and of one that is to be
 * moved on the server, it is what came of the note; an equal message before that is another one.
 */
uint32_t snapshot_floor(const struct fresh_message *fresh);
/* Adds what an identification found to the fresh message of that key. */
void snapshot_identify(struct snapshot *snapshot, const struct message_state *message);
/* True where the side does not hold a pair that it should. */
bool snapshot_lacks(const struct snapshot *snapshot, const struct pair *pairs, size_t index);
/* Frees the messages; how the mailbox stood and what the side can keep stays. */
void snapshot_shed(struct snapshot *snapshot);
void snapshot_free(struct snapshot *snapshot);

#endif
