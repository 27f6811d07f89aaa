// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A channel at work: the mailboxes of both sides as pairs ("boxes"), and what is known, planned
 * and done of each.
 *
 *	channel_list      which mailboxes there are on each side, and in the journals (list.c)
 *	channel_survey    which of them were renamed or may have changed; snapshots of those, held
 *	                  against their journals, what is new paired (survey.c)
 *	channel_plan      the rules and the guard: a plan for each box; nothing was changed so far
 *	                  (decide.c)
 *	channel_apply     carries the plans out: first all that adds, then all that removes
 *	                  (apply.c)
 *	channel_confirm   looks whether both sides are as agreed, and commits the journals' heads
 *	                  (confirm.c)
 *
 * These files read as the order of things; what they call stands in a file of its own name, with
 * its manual in the header beside.
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
#include "sync/box.h"
#include "sync/lane.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#endif
