// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A channel at work: the mailboxes of both sides as pairs ("boxes"), and what is known, planned
 * and done of each.
 *
 *	channel_list      which mailboxes there are on each side, and in the journals
 *	channel_survey    which of them were renamed or may have changed; snapshots of those, held
 *	                  against their journals, what is new paired
 *	channel_plan      the rules and the guard: a plan for each box; nothing was changed so far
 *	channel_apply     carries the plans out: first all that adds, then all that removes
 *	channel_confirm   looks whether both sides are as agreed, and commits the journals' heads
 *
 * Each step works on all boxes of a lane (a pair of sessions) in as few round trips as the server
 * allows. Each returns -1 only where the lane's session is broken; what concerns one box is in
 * box->error, and the others go on. Nothing here prints: cmd/ reads the boxes between the steps.
 */
#ifndef SYNC_CHANNEL_H
#define SYNC_CHANNEL_H

#include "base/arena.h"
#include "base/error.h"
#include "journal/journal.h"
#include "mail/name-map.h"
#include "mail/policy.h"
#include "store/store.h"
#include "sync/lane.h"
#include "sync/match.h"
#include "sync/plan.h"
#include "sync/snapshot.h"

#include <pthread.h>
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

/*
 * What this run changed on the server in one mailbox, as far as the server told; with it, how the
 * mailbox must stand if nobody else did (sync/confirm.c).
 */
struct own_changes {
	uint32_t added;   /* messages under a UID that is known, */
	uint32_t top_uid; /* the highest of them */
	uint32_t removed;
	uint64_t steps; /* mod-sequences that surely were taken */
	bool others;    /* somebody else was at work, or may have been */
	bool came;      /* messages of other mailboxes were moved here */
	bool left;      /* messages of this one were moved elsewhere */
};

/* One mailbox on both sides. */
struct box {
	const char *name;      /* for people and for the journal: the local one */
	const char *at[SIDES]; /* what each side calls it now, */
	const char *wanted[SIDES]; /* and what it is to call it: another name by rule B5 only */
	const char *old_name;  /* renamed: its journal still has this name; else NULL */
	struct error unrenamed; /* why it keeps two names, and stays even under them */
	struct arena arena;
	bool exists[SIDES];
	unsigned attributes;        /* of enum mailbox_attribute, as the server tells */
	struct stamp listed[SIDES]; /* as LIST told */
	bool has_journal;
	bool replaced; /* another mailbox of that name was renamed: left to the next run */
	bool allowed;               /* the user allowed its deletions */
	bool retried;               /* its refusals are forgotten */

	struct journal *journal; /* NULL where there is nothing to do, and before that is known */
	bool torn;               /* it was cut back in reading it ahead */
	enum rule rule;          /* RULE_NONE, or what became of a mailbox on one side only */
	enum side missing;       /* with a rule */
	bool scan[SIDES];        /* that side may have changed */
	bool active;             /* surveyed, planned, applied, confirmed */
	bool consulted;             /* not active, but its journal is loaded for rule V3 */
	bool surveyed;
	bool seen[SIDES];           /* the snapshot of that side is whole */

	struct snapshot sides[SIDES];
	struct pair *former; /* pairs of a journal that was reset: identities and bases by name */
	size_t former_len;
	struct match_result match;
	struct plan plan;
	struct plan late; /* keywords of what was copied to the server: see sync/push.c */

	struct tally tally;
	bool wrote[SIDES];  /* something was changed there */
	struct own_changes own;
	atomic_bool full;   /* no more messages are to be fetched into it in this run, */
	atomic_bool shut;   /* and those on their way cannot be put into its directory either */
	bool undone;        /* not all was done: the head stays where it was */
	bool rescan; /* but says nothing of the local side: pairs of files changed that did not */
	bool lost_append;   /* an APPEND's UID is still to be found */
	bool healed;        /* files of a stopped run were found in place */
	bool over;          /* the mailbox is gone on both sides: so goes its journal */
	bool even;          /* confirmed and committed */
	struct error error; /* the first thing that went wrong */
};

/* A name that the channel does not take in, but that is there. */
struct left_out {
	const char *name;
	enum side side;
	const char *unnamed; /* its local name, where nothing but the command line leaves it out */
	struct stamp listed;
};

/* That a mailbox of the server is to be subscribed to, or no more. */
struct wish {
	const char *remote;
	bool subscribed;
};

/*
 * Told while content moves: a message of that many bytes has come to rest on side. By one lane at a
 * time.
 */
struct progress {
	void (*moved)(struct progress *progress, enum side side, uint64_t bytes);
};

/* Who the channel is; all of it borrowed until channel_close. */
struct channel_setup {
	const char *name;
	struct policy policy;
	const char *const *patterns;
	size_t patterns_len;
	struct name_map map; /* special uses not resolved */
	const char *const *only; /* names given on the command line; none: all */
	size_t only_len;
	const char *look_into; /* a mailbox to be surveyed in full, changed or not; or NULL */
	bool allow_deletions; /* of the boxes in this run */
	bool retry_refused;   /* what was refused before counts as new once more */
	struct journal_dir *journals;
	struct store *stores[SIDES];
	struct lanes *lanes;       /* beside the main one; or NULL */
	struct progress *progress; /* or NULL */
};

struct channel {
	struct channel_setup setup;
	pthread_mutex_t lock; /* while there are lanes: of all that follows (sync/lane.h) */
	struct box *boxes; /* sorted by name */
	size_t len;
	size_t cap;
	struct left_out *left_out;
	size_t left_out_len, left_out_cap;
	struct wish *wishes;
	size_t wishes_len, wishes_cap;
	struct name_map names; /* setup.map, its special uses resolved */
	unsigned uses;         /* special uses that the server has mailboxes for */
	const char *trash[SIDES]; /* the mailbox to which "trash" moves, NULL where there is none */
	/* Something could not be added there, or may be missing there: nothing is removed there. */
	bool held_back[SIDES];
	/* A mailbox that was not named and has something new on that side: that is why; or NULL. */
	const char *gained[SIDES];
	struct arena arena;
};

void channel_open(struct channel *channel, const struct channel_setup *setup);
void channel_close(struct channel *channel);

int channel_list(struct channel *channel, struct error *err);
int channel_survey(struct channel *channel, struct error *err);
void channel_plan(struct channel *channel);
int channel_apply(struct channel *channel, struct error *err);
int channel_confirm(struct channel *channel, struct error *err);

/*
 * Finds mailboxes that were renamed and makes one box of the two names of each, with the journal of
 * the old one; sync/rename.c.
 */
int rename_find(struct channel *channel, struct error *err);
/* Renames them on the other side too, and their journals. */
int apply_renames(struct channel *channel, struct error *err);
/* After all else: boxes that could not be renamed have failed. */
void fail_unrenamed(struct channel *channel);
/* Notes a wish, where subscriptions are to follow; its name is borrowed. sync/subscribe.c. */
void subscription_wish(struct channel *channel, const char *remote, bool subscribed);
/* Carries them out. */
int apply_subscriptions(struct channel *channel, struct error *err);
/* The local snapshot of an active box; where that fails the box is active no more;
 * sync/survey-local.c. */
void survey_local(struct channel *channel, struct box *box);
/*
 * Resets surveyed boxes whose UIDs the server gave to other messages; they are to be surveyed once
 * more. sync/reuse.c.
 */
int survey_reuse(struct channel *channel, struct error *err);
/*
 * The UIDs of the journal mean nothing any more: a new UIDVALIDITY, or a server that went back in
 * time. Everything of both sides is to be looked at.
 */
void box_reset(const struct channel *channel, struct box *box, const char *why);
/* After a complete scan of a side: refusals of its messages that are gone are over. */
void survey_end_refusals(struct box *box, enum side side);
/* What was to be removed from the server, and is there: that a run was about to is over. */
void survey_end_removals(struct box *box);
/* For qsort: struct pair by name. */
int pair_compare_names(const void *a, const void *b);
/* How a side stood when both were last even. */
struct stamp head_stamp(const struct journal_head *head, enum side side);
/*
 * On what terms a mailbox is kept even, as the number that the journal's head remembers: what the
 * channel allows, and what the server calls it where that is another name. Never 0.
 */
uint32_t box_terms(const struct channel *channel, const struct box *box);
/* The special use that a mailbox of this name would serve on the server, if none does yet; or 0. */
unsigned channel_use_of_name(const struct channel *channel, const char *remote);
/*
 * True where something left a mailbox of that side, so that what is new there may have come from
 * it; sync/identify.c.
 */
bool may_have_moved(const struct channel *channel, enum side side);
/*
 * What is gone from a mailbox that was named may have moved to one that was not: where one of those
 * has something new, nothing is removed; sync/unnamed.c.
 */
void hold_back_unnamed(struct channel *channel);
/*
 * For who plans and does not apply: what the plan holds back is told as channel_apply tells it;
 * sync/apply.c.
 */
void channel_tell_withheld(struct channel *channel);
/* Pairs what is new on both sides of the active boxes; sync/identify.c. */
int identify_fresh(struct channel *channel, struct error *err);
/*
 * The steps of channel_apply, each over all active boxes: mailboxes, flags and removals
 * (sync/apply.c), moves (sync/move.c), content to the server (sync/push.c), content to the disk
 * (sync/pull.c).
 */
int apply_moves(struct channel *channel, enum side side, struct error *err);
/* Copies within the server, before anything in their originals' mailboxes changes; sync/move.c. */
int apply_copies(struct channel *channel, struct error *err);
/*
 * Copies within the disk of what is there by now: before the moves and, of what was new in several
 * mailboxes, after the pull. What cannot be had so is left to the pull, or to the next run;
 * sync/link.c.
 */
int apply_links(struct channel *channel, bool pulled, struct error *err);
/*
 * Loads the journals of mailboxes that did not change, so that rule V3 may find there what is new
 * elsewhere, where that costs less than sending it; sync/consult.c.
 */
void consult_journals(struct channel *channel);
/* Marks what is new on the server and may be a copy, as far as size and date tell. */
void consult_dates(struct channel *channel);
/* The last step on side: mailboxes that are to go; sync/delete.c. */
int apply_deletions(struct channel *channel, enum side side, struct error *err);
int apply_push(struct channel *channel, struct error *err);
int apply_pull(struct channel *channel, struct error *err);
/* What was to move to the trash on side stays. 0, or -1 where the error ends more than that. */
int trash_fail(struct channel *channel, enum side side, const struct error *err);
/* Before anything moves to the server's trash where that is not one step; sync/trash.c. */
int trash_prepare(struct channel *channel, struct error *err);
/*
 * Notes that a message is about to be removed from the server, for its file is gone. If the run is
 * stopped before the journal forgets it, a file that somebody put back meanwhile would look like
 * what the server's user deleted.
 */
void box_note_removal(struct box *box, uint32_t uid);
/*
 * True where the server's mailbox was made by this run: what the journal has pairs for was another
 * one, and a UID that is a pair's is none of its.
 */
bool box_is_made_anew(const struct box *box);
/* The journal row of a copy to side that came to rest. */
void box_put_copy(struct box *box, enum side side, const struct pair *pair);
/* A message came to be on the server under that UID. */
void own_note_added(struct own_changes *own, uint32_t uid);
/* So many went there by one request, which is done. */
void own_note_done(struct own_changes *own, const struct answer *answer, size_t removed);
/*
 * How the server's side must stand by now if nobody else changed it; false where that is not known.
 */
bool own_expect(const struct own_changes *own, const struct stamp *before, struct stamp *now);
/*
 * Takes over for which flags the server has room by now. True where it had not for all before and
 * that is another room: files may have flags that waited for it.
 */
bool box_take_room(const struct channel *channel, struct box *box, const struct flag_room *room);
/* Those of the flags that the server has room for in the box's mailbox. */
struct flags box_flags_there(const struct box *box, struct flags flags);
/*
 * Journals what both sides agree on now that their flags are set. What the server turned out to
 * have no room for is as agreed before.
 */
void box_note_agreed(struct box *box, const struct plan *plan);
/*
 * What a mailbox that the server just made keeps of flags only its opening tells. It is not looked
 * at otherwise: what others put there meanwhile, the end of the run finds.
 */
int apply_rooms(struct channel *channel, struct error *err);
/*
 * A side would not keep these keywords: it is journaled, said once, and nothing more is made of it.
 */
void box_refuse_keywords(struct box *box, enum side side, uint32_t keywords);
/*
 * Something could not be added on side: the box has failed, and nothing is removed there in this
 * run.
 */
void hold_back(struct channel *channel, struct box *box, enum side side, const struct error *err);
/*
 * Makes what a box's journal was given so far durable, before it is known whether the box is even.
 */
int box_commit(struct box *box, struct error *err);
/* Records that something went wrong with a box: the first error stays, the head will not move. */
void box_fail(struct box *box, const struct error *err);
/* The UIDs of the journal's pairs that the remote side should hold. */
void box_known_uids(const struct box *box, struct uidset *out);

#endif
