// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Inside of the memory store: what a side holds (store-memory-side.c, store-memory-mailbox.c); how
 * sessions (store-memory.c, store-memory-draft.c) look at it (store-memory-look.c) and change it
 * (store-memory-change.c), and users do (store-memory-user.c).
 */
#ifndef STORE_STORE_MEMORY_INNER_H
#define STORE_STORE_MEMORY_INNER_H

#include "base/arena.h"
#include "base/buf.h"
#include "store/store-memory.h"

/* How a message stands, now or on the disk. */
struct message_standing {
	bool present;
	struct flags flags;
};

/* A message that is or was there: it stays in its mailbox's list for ever. */
struct held_message {
	struct memory_message message; /* its state's flags are not kept: see now */
	struct message_standing now;
	struct message_standing durable; /* what a power cut leaves for certain */
	bool content_durable;
	bool taken;      /* its own user took it away */
	bool foreign;    /* a user put it there: its mailbox must be settled for it to last */
	uint32_t fate;   /* what shares it survives a power cut together: both ends of a move */
	uint64_t modseq; /* of its last change; of its expunge, once gone */
};

struct held_mailbox {
	const char *name;
	const char *durable_name; /* the same pointer but while a rename is not durable */
	uint32_t fate;            /* of that rename: mailboxes that share it survive together */
	unsigned attributes;
	bool present;
	bool durable;
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint64_t modseq;
	int64_t changed; /* the directory's mtime */
	uint64_t id;     /* remote: MAILBOXID */
	uint64_t inode;  /* local */
	struct held_message **messages;
	size_t len, cap;
};

struct memory {
	enum side side;
	struct memory_abilities abilities;
	struct arena arena;
	struct held_mailbox **mailboxes;
	size_t len, cap;
	const char **subscribed; /* names, be there such mailboxes or not */
	size_t subscribed_len, subscribed_cap;
	const char **used; /* names that mailboxes had at any time */
	size_t used_len, used_cap;
	uint32_t serial; /* of names, UIDVALIDITYs and ids */
	uint64_t changes, bodies;
	int64_t clock; /* grows with every change */
	struct memory_stop *stop;
	const char *shut;
	void (*watcher)(void *context);
	void *context;
};

/* The mailbox of that name, or NULL. */
struct held_mailbox *memory_find(const struct memory *memory, const char *name);
struct held_mailbox *memory_make(struct memory *memory, const char *name, unsigned attributes);
/* It is gone, durably. */
void memory_unmake(struct held_mailbox *mailbox);
/*
 * Renames a mailbox and all below it; how they are called on the disk stays. 0, or why nothing was
 * done: ENOENT, EEXIST, or EINVAL where one of them is INBOX or the new name is below the old one.
 */
int memory_rename_all(struct memory *memory, const char *from, const char *to);
/* All renames become durable. */
void memory_settle_names(struct memory *memory);
/* What becomes of renames in a power cut. */
void memory_cut_names(struct memory *memory, uint64_t seed);
void memory_set_subscribed(struct memory *memory, const char *name, bool subscribed);
/* The mailbox's attributes, with MAILBOX_SUBSCRIBED. */
unsigned memory_attributes(const struct memory *memory, const struct held_mailbox *mailbox);
/* An email_id that was never given before; 0 where the side has none. */
uint64_t memory_new_email_id(struct memory *memory);
/* The message of that key that is there, or NULL. */
struct held_message *memory_find_message(const struct held_mailbox *mailbox,
					 const struct message_key *key);
/*
 * Adds a message, its content borrowed from the arena. name is NULL where the side is to choose (it
 * does so on the remote side in any case, and where another message has that name).
 */
struct held_message *memory_add(struct memory *memory, struct held_mailbox *mailbox,
				const struct memory_message *message, const char *name,
				struct flags flags, int64_t date);
/* Changes how a message stands; how many mod-sequences that took. */
uint32_t memory_change(struct memory *memory, struct held_mailbox *mailbox,
		       struct held_message *held, const struct message_standing *to);
/* All of a source. */
int memory_read(struct source *source, struct buf *out, struct error *err);
/* Everything of a message that can be known, with its key and flags as they are. */
struct memory_message memory_show(const struct held_message *held);
/* Fills the content's identity; the date stays. */
void memory_identify(const char *content, size_t len, struct identity *identity);
/* A name that was never given before. */
const char *memory_unique_name(struct memory *memory);
struct stamp memory_stamp(const struct memory *memory, const struct held_mailbox *mailbox);
/* Whether what has that fate survives a power cut of that seed; seed 0: nothing does. */
bool memory_survives(uint64_t seed, uint32_t fate);
/* Everything becomes as durable as it is; what is foreign, in that mailbox (or NULL) only. */
void memory_settle(struct memory *memory, const struct held_mailbox *settled);
/* One step of a store: the watcher is called. False: the side is broken, and it is not made. */
bool memory_step(struct memory *memory);

/* A session. */
struct store_memory {
	struct store store;
	struct memory *memory;
	struct request *queue;
	size_t first, len, cap; /* requests from first on wait */
	struct answer *answers; /* of the request that was carried out last */
	size_t told, answers_len, answers_cap;
	struct uidset vanished; /* that one of them points to */
	struct draft *drafts;
	bool over; /* broken, and what was on its way has arrived or not */
};

/* One request while it is carried out. */
struct job {
	struct store_memory *store;
	struct memory *memory;
	const struct request *request;
	struct held_mailbox *mailbox; /* NULL where there is none */
	struct answer done;
};

/* One more answer to the request; its kind is the caller's. */
struct answer *job_tell(struct job *job, enum answer_kind kind);
/* The message of one of the request's keys, or NULL. */
struct held_message *job_find_key(const struct job *job, size_t index);
/*
 * store-memory-look.c, store-memory-change.c: the request of that kind, its answers told but for
 * the last, which is job->done. False: the side broke in its midst.
 */
void job_list(struct job *job);
void job_scan(struct job *job);
void job_identify(struct job *job);
bool job_fetch(struct job *job);
bool job_create(struct job *job);
bool job_delete(struct job *job);
bool job_rename(struct job *job);
bool job_subscribe(struct job *job);
bool job_append(struct job *job);
bool job_date(struct job *job);
bool job_change(struct job *job); /* FLAG, REMOVE, MOVE, COPY */
bool job_settle(struct job *job);
bool job_publish(struct job *job);

int memory_open_draft(struct store *store, const char *mailbox, struct draft **draft,
		      struct error *err);
int memory_link_draft(struct store *store, const char *mailbox, const char *from,
		      const struct message_key *key, int64_t date, struct draft **draft,
		      struct error *err);
int memory_write_draft(struct draft *draft, const char *bytes, size_t len, struct error *err);
int memory_finish_draft(struct draft *draft, struct identity *identity, const char **name,
			struct error *err);
void memory_drop_draft(struct draft *draft);
/* Puts a finished draft in place. */
void memory_publish(struct draft *draft, struct flags flags, int64_t date, struct error *err);
/* The contents of finished drafts become durable. */
void memory_settle_drafts(struct store_memory *store);
void memory_drop_drafts(struct store_memory *store);
int memory_open_source(struct store *store, const char *mailbox, const struct message_key *key,
		       struct identity *identity, struct source **source, struct error *err);

#endif
