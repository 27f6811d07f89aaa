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

/* A mailbox that was renamed on one side; by rename_find. Zero for all others. */
struct box_rename {
	const char *from;     /* its journal still has this name; NULL: it was not renamed */
	size_t turn;          /* so many others are to be renamed before it */
	bool away;            /* another box has what was here; what else is here waits a run */
	struct error refused; /* it keeps two names, and stays even under them; by rename_apply */
};

/* What the survey is to look at, and has seen. */
struct box_survey {
	bool torn;        /* the journal was cut back in reading it ahead; by channel_list */
	bool retried;     /* its refusals are forgotten */
	bool scan[SIDES]; /* that side may have changed */
	bool done;        /* but a surprise takes that back, for a second pass */
	bool seen[SIDES]; /* the snapshot of that side is whole */
	bool healed;      /* files of a stopped run were found in place */
	/* Pairs of a journal that was reset, by name; in the box's arena. */
	struct pair *former;
	size_t former_len;
};

/* One mailbox on both sides. */
struct box {
	/* Which it is: by channel_list; rename_find and rename_apply make one of two names. */
	const char *name;           /* for people and for the journal: the local one */
	const char *at[SIDES];      /* what each side calls it now, */
	const char *wanted[SIDES];  /* and what it is to call it: another name by rule B5 only */
	bool exists[SIDES];         /* by now: what is made and deleted counts */
	unsigned attributes;        /* of enum mailbox_attribute, as the server tells */
	struct stamp listed[SIDES]; /* as LIST told */
	bool has_journal;           /* when the run began */
	bool allowed;               /* the user allowed its deletions */
	struct box_rename renamed;
	struct arena arena; /* of what lives as long as the box */

	/* Whether anything is to be done: by choose_boxes. */
	bool active;       /* surveyed, planned, applied, confirmed; false once that cannot be */
	bool consulted;    /* not active, but its journal is loaded for rule V3 */
	enum rule rule;    /* RULE_NONE, or of one that a side lacks; channel_plan settles which */
	enum side missing; /* with a rule: that side */
	struct journal *journal; /* loaded where active or consulted; closed again where not */

	/*
	 * How both sides are, of an active box: by channel_survey. channel_apply gives the messages
	 * back; channel_confirm takes them anew where it looks.
	 */
	struct box_survey survey;
	struct snapshot sides[SIDES];
	struct match_result match; /* what is new on both sides and the same */

	/* What is to be done: by channel_plan. Once it is, verdicts and figures are left. */
	struct plan plan;
	struct plan late; /* keywords of what channel_apply copied to the server: sync/push.h */

	/* What was done: by channel_apply. */
	struct tally tally;
	bool wrote[SIDES]; /* something was changed there */
	bool room_told;    /* in this run, by the survey or later: for which flags there is room */
	struct own_changes own;
	atomic_bool full; /* no more messages are to be fetched into it in this run, */
	atomic_bool shut; /* and those on their way cannot be put into its directory either */

	/* What comes of it: any step may say so, and box_fail; channel_confirm draws the line. */
	bool undone; /* not all was done: the head stays where it was */
	bool rescan; /* but says nothing of the local side: pairs of files changed that did not */
	bool over;   /* the mailbox is gone on both sides: so goes its journal */
	bool even;   /* nothing was to be done; or confirmed, and committed */
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
/* Forgets all pairs: their UIDs were another mailbox's, in whose place there is a new one. */
void box_forget_pairs(struct box *box);
/* The journal row of a copy to side that came to rest. */
void box_put_copy(struct box *box, enum side side, const struct pair *pair);

#endif
