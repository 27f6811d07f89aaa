// SPDX-License-Identifier: GPL-3.0-or-later
/* What the parts of the Maildir store share: its state, its opened mailboxes and its drafts. */
#ifndef STORE_STORE_MAILDIR_INNER_H
#define STORE_STORE_MAILDIR_INNER_H

#include "base/arena.h"
#include "maildir/content.h"
#include "maildir/deliver.h"
#include "maildir/glance.h"
#include "maildir/mailbox.h"
#include "maildir/scan.h"
#include "store/store-maildir.h"

#define MAILBOXES_MAX   16 /* opened at once, three descriptors each, and one for a watch */
#define SYNC_SINGLY_MAX 8  /* drafts; above it the file system is synced as a whole */
#define BODY_CHUNK      ((size_t)64 * 1024)

/* A mailbox that is kept open. */
struct cached {
	struct maildir_mailbox *mailbox;
	uint64_t used; /* when, in uses of the store */
	bool swept;
};

struct draft {
	struct store_maildir *store;
	char *mailbox;
	struct maildir_delivery *delivery;
	bool finished;
	bool settled;
	bool failed; /* to be made durable: never tried again */
	struct draft *prev, *next;
};

/* How far the first request of the queue has come. */
struct progress {
	bool started;
	size_t index; /* of keys, or of what is listed */
	struct error error;
	struct arena arena; /* LIST */
	struct maildir_listing *listing;
	size_t count;
	struct maildir_scan *scan;       /* SCAN */
	struct maildir_glance *glance;   /* SCAN, where it is one */
	struct maildir_content *content; /* FETCH */
	uint32_t refused_keywords;
	size_t kept; /* REMOVE */
};

struct store_maildir {
	struct store store;
	struct maildir_tree *tree;
	bool may_write;
	int root;     /* for syncfs, of our own: each open file is told of an error once */
	dev_t device; /* 0: none that syncfs would do for */
	struct cached cache[MAILBOXES_MAX];
	size_t slots;       /* so many of them are used: 2, for a MOVE, and as descriptors allow */
	size_t resting_max; /* so many finished drafts may keep theirs */
	uint64_t uses;
	struct request *queue;
	size_t first, len, cap;
	struct progress progress;
	struct draft *drafts;
	size_t resting;               /* finished drafts that keep their descriptors */
	struct error directory_error; /* of a mailbox closed since the last SETTLE */
	struct store_maildir_figures figures;
	char name[MAILDIR_FILE_SIZE]; /* of the present answer */
	char body[BODY_CHUNK];
};

/* store-maildir.c: says that a message is not there, with ENOENT. -1 */
int report_gone(const char *mailbox, const char *name, struct error *err);
/* Keeps the first error of a request; true where the request cannot go on after it. */
bool note_error(struct progress *progress, const struct error *error);

/*
 * store-maildir-scan.c, store-maildir-fetch.c: the next answer of a request of that kind. 1, or 0
 * where it has ended, be it by an error, which is in store->progress then.
 */
int step_list(struct store_maildir *store, struct answer *answer);
int step_scan(struct store_maildir *store, const struct request *request, struct answer *answer);
int step_glance(struct store_maildir *store, const struct request *request, struct answer *answer);
int step_identify(struct store_maildir *store, const struct request *request,
		  struct answer *answer);
int step_fetch(struct store_maildir *store, const struct request *request, struct answer *answer);
/* The one answer of a STATUS. */
void step_status(struct store_maildir *store, const struct request *request, struct answer *answer);
/* The part of the table that opens a message for an upload. */
int source_open(struct store *store, const char *mailbox, const struct message_key *key,
		struct identity *identity, struct source **source, struct error *err);

/* store-maildir-cache.c: the opened mailbox of that name, valid until 15 others were asked for. */
struct maildir_mailbox *cache_get(struct store_maildir *store, const char *name, struct error *err);
/* The same if it is open, else NULL. */
struct maildir_mailbox *cache_peek(struct store_maildir *store, const char *name);
/* Opens it anew: the directory of that name may be another by now. */
struct maildir_mailbox *cache_reopen(struct store_maildir *store, const char *name,
				     struct error *err);
/* Closes it and all below it, for their directories are about to go. */
void cache_drop(struct store_maildir *store, const char *name);
/* Forgets the scans of all but the two mailboxes, and that theirs are fresh. */
void cache_begin(struct store_maildir *store, const char *name, const char *target);
/* Makes every directory durable that changed since the last time. -1: SCOPE_STORE. */
int cache_settle(struct store_maildir *store, struct error *err);
void cache_close(struct store_maildir *store);

/* store-maildir-draft.c: finds out whether the tree's file system can be synced as a whole. */
void draft_find_file_system(struct store_maildir *store);
/* The part of the table that deals with drafts. */
int draft_open(struct store *store, const char *mailbox, struct draft **draft, struct error *err);
int draft_link(struct store *store, const char *mailbox, const char *from,
	       const struct message_key *key, int64_t date, struct draft **draft,
	       struct error *err);
int draft_write(struct draft *draft, const char *bytes, size_t len, struct error *err);
int draft_finish(struct draft *draft, struct identity *identity, const char **name,
		 struct error *err);
void draft_drop(struct draft *draft);
/* Makes all finished drafts durable. -1: SCOPE_MESSAGE, some failed. */
int draft_settle_all(struct store_maildir *store, struct error *err);
/* *left_out: the keywords for which the mailbox has no letter. */
int draft_publish(struct draft *draft, const struct request *request, uint32_t *left_out,
		  struct error *err);

#endif
