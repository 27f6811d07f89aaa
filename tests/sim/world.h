// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The two sides, their journals in a directory, and what is known of every message that users ever
 * delivered: enough to tell what must have become of it.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "history.h"

#include <limits.h>

/* Names that mailboxes have or had; the first three are always known. */
#define NAMES_MAX   40
#define WORLD_INBOX 0
#define WORLD_WORK  1
#define WORLD_TRASH 2

/*
 * A message's copies under one mailbox's name, since both sides were last even. A renamed mailbox
 * counts as its messages moved.
 */
struct copies {
	unsigned settled; /* on each side, then */
	unsigned delivered[SIDES];
	unsigned deleted[SIDES];
	bool swept; /* deleted with the mailbox, which a run may have been about to fill */
	unsigned came[SIDES]; /* moved here by a user */
	unsigned left[SIDES]; /* and moved away */
	unsigned perished; /* in a power cut, for which nobody but the mail program is to blame;
			      or brought back where a run was about to remove it */
	unsigned expected; /* see struct world's lead */
	unsigned have[SIDES];
};

/* A content that users delivered, once or more often. */
struct token {
	char *content;
	size_t len;
	int64_t date;
	struct copies copies[NAMES_MAX];
	/*
	 * The flags of one that was delivered once and never copied. touched: those that users
	 * changed since both sides were even, value: what they made of them. late: changed when a
	 * run had been there already; blurred: changed again after a run that broke, so that what
	 * became of the first change cannot be told.
	 */
	bool single;
	bool based;
	struct flags base;
	uint32_t touched[SIDES], late, stale, blurred;
	struct flags value[SIDES];
	bool moved[SIDES];
	bool nameless; /* it has no Message-ID */
	bool again;    /* its user brought a file of it back */
	bool sent;     /* a run may have sent it to the server, which told no id then */
	bool partial;  /* the local side had more of it when both were even: the server took not all
			*/
};

struct world {
	const struct history *history;
	struct memory *sides[SIDES];
	char path[PATH_MAX]; /* of the journals */
	char *names[NAMES_MAX];
	size_t names_len;
	struct token *tokens;
	size_t len, cap;
	bool ran;      /* a run has been there since both were even */
	bool broke;    /* and broke */
	bool running;  /* a run is there */
	bool breaking; /* and will break */
	bool reset;    /* UIDs or journals were lost since */
	bool renumbered; /* the UIDs were, but messages are found again */
	bool renamed;  /* users renamed mailboxes since */
	/*
	 * Since both were even users acted on one side only, and no more once a run had been there:
	 * the end must be as they left it, which is what was noted before the run.
	 */
	bool acted[SIDES];
	bool late;
	bool led;
	enum side lead;
	bool expected[NAMES_MAX]; /* that there is such a mailbox */
	bool used[NAMES_MAX];     /* the server had one there that a run may have seen */
	bool ever[NAMES_MAX];     /* the server had one there at any time */
	bool razed[NAMES_MAX];    /* users deleted one there since both were even */
	bool halved[NAMES_MAX];   /* the server alone had one there when the last run began */
	bool plain;      /* all that they did was to rename */
	uint64_t bodies; /* that were transferred by then */
	uint64_t owed;   /* that may have to be, for what users did since */
	uint64_t spared; /* and that need not be, as long as the UIDs are known */
	uint64_t busy; /* the seed of users at work, or 0 */
	unsigned busy_left;
	const struct step *amid; /* what is to be done in the midst of the run, or NULL */
	uint32_t amid_left;
	FILE *trace;       /* told what is done, or NULL */
	char failure[512]; /* the first thing that is wrong, or "" */
};

/* What one run did. */
struct run_result {
	bool whole;       /* no step of it failed */
	bool even;        /* and it left nothing undone */
	bool asks;        /* about a mailbox that is gone: until then nothing is added there (B3) */
	uint64_t changes; /* on both sides */
	uint64_t syncs;   /* of the journal: each ends a durable write */
	char error[256];
};

void world_open(struct world *world, const struct history *history, const char *directory);
void world_close(struct world *world);
/* A user's step, on what there is now (user.c). */
void world_use(struct world *world, const struct step *step);
/* The same, or the server's own; it is told to the trace (play.c). */
void world_act(struct world *world, const struct step *step);
/* One run of the whole engine; step NULL: nothing breaks it and nobody is at work. */
void world_run(struct world *world, const struct step *step, struct run_result *result);
/* The journals are gone. */
void world_lose_journals(struct world *world);
/* How many copies of a token a mailbox of a side holds. */
unsigned world_copies(const struct world *world, enum side side, size_t name,
		      const struct token *token);
/* Counts what every mailbox of a side holds into the tokens' have. */
void world_count(struct world *world, enum side side);
/* The index of a mailbox's name; NAMES_MAX where it is new and there is no room for it. */
size_t world_name(struct world *world, const char *name);
/* Takes in the names that runs gave, where they took a user's rename further. */
void world_learn_names(struct world *world);
/* A content that nobody has seen before. */
struct token *world_new_token(struct world *world);
/* True where a mailbox is left out, for the server has its name for those below only (rule B2). */
bool world_is_left(const struct world *world, const char *name);
/* True where a side's user deleted one of it, from whichever mailbox it was in by then. */
bool world_is_deleted(const struct world *world, const struct token *token, enum side side);
/* True for one that a small server refuses. */
bool world_is_refused(const struct world *world, const struct token *token);
/* Before a run, and if it is the first since both were even: what must come of it. */
void world_foresee(struct world *world);
/* The bodies that were transferred so far, both ways. */
uint64_t world_bodies(const struct world *world);
/* The token of a message, or NULL where nobody ever delivered that. */
struct token *world_token(const struct world *world, const struct memory_message *message);
/* Notes the first failure. */
void world_fail(struct world *world, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Looks whether all is as it must be now that both sides are even (check.c), and starts anew. */
void world_check(struct world *world);
/* The journals' part of it (check-journal.c). */
void world_check_journals(struct world *world);

/*
 * Carries a whole history out; false and the failure where something was wrong. What is done is
 * told to trace, unless NULL.
 */
bool history_run(const struct history *history, const char *directory, FILE *trace,
		 char failure[512]);

#endif
