// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A mailbox on both sides, and all that a run comes to know of it and does with it. channel_list
 * makes boxes, each of the channel's steps adds what it finds, and cmd/ reads them between the
 * steps and after the last. While there are lanes a box is touched under the channel's lock
 * (sync/lane.h).
 */
#ifndef SYNC_BOX_H
#define SYNC_BOX_H

#include "base/arena.h"
#include "base/error.h"
#include "journal/journal.h"
#include "store/store.h"
#include "sync/match.h"
#include "sync/own.h"
#include "sync/plan.h"
#include "sync/snapshot.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was done, for people; by the side that changed. */
struct tally {
	size_t created[SIDES];
	size_t renamed[SIDES];
	size_t deleted[SIDES];
	size_t copied[SIDES];
	size_t cloned[SIDES]; /* copied from another mailbox of the same side */
	size_t flagged[SIDES];
	size_t moved[SIDES];
	size_t removed[SIDES];
	size_t paired;
	uint64_t bytes[SIDES]; /* of what was copied */
};

/* One mailbox on both sides. */
struct box {
	const char *name;          /* for people and for the journal: the local one */
	const char *at[SIDES];     /* what each side calls it now, */
	const char *wanted[SIDES]; /* and what it is to call it: another name by rule B5 only */
	const char *old_name;      /* renamed: its journal still has this name; else NULL */
	struct error unrenamed;    /* why it keeps two names, and stays even under them */
	struct arena arena;
	bool exists[SIDES];
	unsigned attributes;        /* of enum mailbox_attribute, as the server tells */
	struct stamp listed[SIDES]; /* as LIST told */
	bool has_journal;
	bool replaced; /* another mailbox of that name was renamed: left to the next run */
	bool allowed;  /* the user allowed its deletions */
	bool retried;  /* its refusals are forgotten */

	struct journal *journal; /* NULL where there is nothing to do, and before that is known */
	bool torn;               /* it was cut back in reading it ahead */
	enum rule rule;          /* RULE_NONE, or what became of a mailbox on one side only */
	enum side missing;       /* with a rule */
	bool scan[SIDES];        /* that side may have changed */
	bool active;             /* surveyed, planned, applied, confirmed */
	bool consulted;          /* not active, but its journal is loaded for rule V3 */
	bool surveyed;
	bool seen[SIDES]; /* the snapshot of that side is whole */

	struct snapshot sides[SIDES];
	struct pair *former; /* pairs of a journal that was reset: identities and bases by name */
	size_t former_len;
	struct match_result match;
	struct plan plan;
	struct plan late; /* keywords of what was copied to the server: see sync/push.c */

	struct tally tally;
	bool wrote[SIDES]; /* something was changed there */
	struct own_changes own;
	atomic_bool full; /* no more messages are to be fetched into it in this run, */
	atomic_bool shut; /* and those on their way cannot be put into its directory either */
	bool undone;      /* not all was done: the head stays where it was */
	bool rescan; /* but says nothing of the local side: pairs of files changed that did not */
	bool lost_append;   /* an APPEND's UID is still to be found */
	bool healed;        /* files of a stopped run were found in place */
	bool over;          /* the mailbox is gone on both sides: so goes its journal */
	bool even;          /* confirmed and committed */
	struct error error; /* the first thing that went wrong */
};

/* Frees what the box holds; an open transaction of its journal is dropped. */
void box_free(struct box *box);
/* Records that something went wrong with it: the first error stays, the head will not move. */
void box_fail(struct box *box, const struct error *err);
/* Makes what its journal was given so far durable, before it is known whether it is even. */
int box_commit(struct box *box, struct error *err);
/* The UIDs of the journal's pairs that the remote side should hold. */
void box_known_uids(const struct box *box, struct uidset *out);
/*
 * True where the server's mailbox was made by this run: what the journal has pairs for was another
 * one, and a UID that is a pair's is none of its.
 */
bool box_is_made_anew(const struct box *box);
/*
 * Notes that a message is about to be removed from the server, for its file is gone. If the run is
 * stopped before the journal forgets it, a file that somebody put back meanwhile would look like
 * what the server's user deleted.
 */
void box_note_removal(struct box *box, uint32_t uid);
/* The journal row of a copy to side that came to rest. */
void box_put_copy(struct box *box, enum side side, const struct pair *pair);

#endif
