// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Either side of a channel in memory, for tests and the simulator: deterministic, and able to break
 * at any step.
 *
 * A struct memory is what the side holds; it outlives the stores (sessions) that are opened on it.
 * Its users work on it through memory_deliver() and its like, also while a store is at work: a
 * watcher is called before each step of a store.
 *
 * The local side forgets: what a store changed there, or a user delivered, survives
 * memory_power_cut() for certain only after a REQUEST_SETTLE, as on a disk; but a REQUEST_RENAME or
 * REQUEST_DELETE that was answered is durable. What else users change is durable at once, and so is
 * everything on the remote side.
 *
 * Sides that break together share a struct memory_stop. Each change that a store makes, and each
 * message that it fetches, is one step; the step at which a stop falls due is not made, and from
 * then on every call on every store that shares it fails.
 */
#ifndef STORE_STORE_MEMORY_H
#define STORE_STORE_MEMORY_H

#include "store/store.h"

/* What a side can do. All zero is the poorest server there is. */
struct memory_abilities {
	bool uidplus;         /* the answer to an APPEND tells the UID */
	bool condstore;       /* MODSEQ: stamps can be trusted, and scans may be deltas */
	bool qresync;         /* deltas tell what vanished without asking for all UIDs */
	bool atomic_move;     /* else a move is a copy and a removal, two steps */
	bool object_ids;      /* remote: mailboxes and messages have ids (RFC 8474) */
	bool same_validity;   /* remote: names that are new have all the same UIDVALIDITY */
	bool lists_parents;   /* remote: names above mailboxes are listed (\Noselect) */
	bool stamps;          /* local: directory times are old enough to be trusted */
	bool inodes;          /* local: directories have inodes, which are used again */
	uint64_t append_max;  /* larger messages are refused; 0: none */
	struct flags lacking; /* flags that it cannot keep */
};

/* When a line or a process breaks; shared by the sides that break together. */
struct memory_stop {
	bool armed;
	uint64_t left;    /* steps that are still made */
	unsigned unheard; /* steps that are made after those, of which no answer comes */
	bool broken;
};

/* One message as a side holds it; pointers live as long as the side. */
struct memory_message {
	struct message_state state; /* identity with all that can be known */
	const char *content;
	size_t len;
};

struct memory;

struct memory *memory_new(enum side side, const struct memory_abilities *abilities);
/* After all its stores. */
void memory_free(struct memory **memory);
/* A session. */
struct store *store_memory_open(struct memory *memory);

/* NULL: it never breaks. Borrowed. */
void memory_set_stop(struct memory *memory, struct memory_stop *stop);
/* A mailbox that cannot be opened: what is asked of it fails; or NULL. Borrowed. */
void memory_shut(struct memory *memory, const char *mailbox);
/* Called before each step of a store; what it does there is the users' doing. */
void memory_set_watcher(struct memory *memory, void (*watcher)(void *context), void *context);
/*
 * One step towards the stop, of something else that breaks with the sides (a journal). False: it
 * is broken, and the step is not to be made.
 */
bool memory_stop_step(struct memory_stop *stop);
/* Changes that stores have made so far. */
uint64_t memory_changes(const struct memory *memory);
/* Messages whose content stores have fetched from it or appended to it so far. */
uint64_t memory_bodies(const struct memory *memory);
/*
 * The local side after a power cut: each change that was not settled is there or not as the seed
 * decides (0: none is), and a message whose content was not settled is empty.
 */
void memory_power_cut(struct memory *memory, uint64_t seed);

/* What users do. Mailboxes are made as they are named; keys that are not there mean nothing. */
void memory_create(struct memory *memory, const char *mailbox, unsigned attributes);
void memory_destroy(struct memory *memory, const char *mailbox);
/* With all below it; false where REQUEST_RENAME would be refused. */
bool memory_rename(struct memory *memory, const char *from, const char *to);
struct message_key memory_deliver(struct memory *memory, const char *mailbox, const void *content,
				  size_t len, struct flags flags, int64_t date);
/* The same content, flags and date once more. */
struct message_key memory_copy(struct memory *memory, const char *mailbox,
			       const struct message_key *key, const char *target);
/* Under the same unique name and email_id, or as a new message of the same content and date. */
struct message_key memory_move(struct memory *memory, const char *mailbox,
			       const struct message_key *key, const char *target, bool same);
void memory_flag(struct memory *memory, const char *mailbox, const struct message_key *key,
		 struct flags add, struct flags remove);
void memory_expunge(struct memory *memory, const char *mailbox, const struct message_key *key);
/*
 * Local: the index-th of what its user took away from the mailbox, modulo how many those are, is
 * there again under its name, with these flags. What it is; without content where there is none.
 */
struct memory_message memory_restore(struct memory *memory, const char *mailbox, size_t index,
				     struct flags flags);
/* Remote: a new UIDVALIDITY, and other UIDs. */
void memory_renumber(struct memory *memory, const char *mailbox);

/* The name of the index-th mailbox, in the order in which they were made; NULL past the last. */
const char *memory_name(const struct memory *memory, size_t index);
bool memory_has(const struct memory *memory, const char *mailbox);
/* How many messages there are; 0 where there is no such mailbox. */
size_t memory_count(const struct memory *memory, const char *mailbox);
/* The index-th of them, in the order in which they came. */
struct memory_message memory_get(const struct memory *memory, const char *mailbox, size_t index);

#endif
