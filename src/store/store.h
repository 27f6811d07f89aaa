// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One side of a channel, as the sync layer sees it: requests in, answers out.
 *
 * Three stores stand behind the table: IMAP (always the remote side), Maildir (always the local
 * side) and memory (either, for tests and the simulator). Requests are queued by store_submit and
 * answered through store_next; an IMAP store has many on the wire at once, a Maildir store does
 * each when it is asked for the next answer. Nothing calls back. The ANSWER_DONEs come in the order
 * of submission; what comes before them may be of a later request already (its ticket tells), but
 * nothing comes between the pieces of one body and its end. Of several FETCHes of one mailbox the
 * end tells for which it was.
 *
 *	store_submit(s, &scan_of_a); store_submit(s, &scan_of_b);
 *	while ((rc = store_next(s, &answer, err)) == 1)
 *		if (answer.kind == ANSWER_DONE) ...
 *
 * What a request points to must stay until its ANSWER_DONE. What an answer points to is valid
 * until the next store_next. A request that fails has its error in its ANSWER_DONE (scope message
 * or mailbox) and the others go on; -1 from store_next (scope store) ends the session: every
 * request without its ANSWER_DONE is in doubt.
 *
 * Content moves by streams: out of a store as ANSWER_BODY pieces (any store) or as a struct source
 * that is read when its turn comes (local sides only); into the remote side from a source, into a
 * local side through a draft.
 *
 * Content is always in CRLF form here, whatever the disk holds.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/error.h"
#include "base/uidset.h"
#include "mail/flags.h"
#include "mail/identity.h"
#include "mail/side.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A message's name on one side: the UID on the remote side, the unique name on the local side. */
struct message_key {
	uint32_t uid;     /* 0 on the local side */
	const char *name; /* NULL on the remote side */
};

/* What a side says of one message. */
struct message_state {
	struct message_key key;
	struct flags flags;
	struct identity identity; /* as far as it is known */
};

/* Special uses (RFC 6154) and what hinders a mailbox; as bits. */
enum mailbox_attribute {
	MAILBOX_NOSELECT = 1u << 0, /* it holds no messages, only names below it */
	MAILBOX_ALL = 1u << 1,
	MAILBOX_ARCHIVE = 1u << 2,
	MAILBOX_DRAFTS = 1u << 3,
	MAILBOX_FLAGGED = 1u << 4,
	MAILBOX_JUNK = 1u << 5,
	MAILBOX_SENT = 1u << 6,
	MAILBOX_TRASH = 1u << 7,
	MAILBOX_SUBSCRIBED = 1u << 8, /* the user subscribed to it; told where that was asked for */
	MAILBOX_FOREIGN = 1u << 9,    /* it is another user's, or shared */
};

/* Those of them that are special uses. */
#define MAILBOX_SPECIAL_USES 0xfeu

/*
 * How a mailbox stood: equal and trusted stamps mean that nothing changed. A remote stamp is
 * trusted where modseq is not 0; a local one where both times are not 0 (a store gives 0 for a
 * time so young that a later change could leave it as it is).
 */
struct stamp {
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint32_t messages;
	uint64_t modseq;
	uint64_t mailbox_id; /* remote: a hash of its MAILBOXID (RFC 8474); 0 where none is told */
	int64_t cur_ns; /* mtime of cur and new, nanoseconds */
	int64_t new_ns;
	uint64_t inode; /* local: of the mailbox's directory; 0 where that says nothing */
};

/*
 * So long after a change a local stamp is told, in milliseconds: its times have to lie 20 back
 * (maildir/mailbox.h), by a clock that ticks each 1 to 10, and on an idle machine late. File
 * systems of whole seconds want two of them, which is not worth waiting for.
 */
#define STAMP_SETTLES_MS 40

/* True where nothing can have changed between the two. */
bool stamp_unchanged(enum side side, const struct stamp *then, const struct stamp *now);

enum request_kind {
	REQUEST_LIST,   /* every mailbox, with its stamp where that is cheap */
	REQUEST_CREATE, /* makes the mailbox; that it is there already is no error */
	/*
	 * Deletes the mailbox if it is empty, durably; what is below it stays. That it is gone
	 * already is no error; that something is in it is one, with ENOTEMPTY.
	 */
	REQUEST_DELETE,
	/*
	 * Renames the mailbox to target, and all below it likewise, durably; names above target are
	 * made. A mailbox that is gone is an error with ENOENT, a target that exists one with
	 * EEXIST; then nothing was done. INBOX is neither.
	 */
	REQUEST_RENAME,
	REQUEST_SUBSCRIBE, /* remote: subscribes to the mailbox, or, with unsubscribe, no more */
	/*
	 * The stamp of the mailbox, which is opened for it with want_room only; 0 for what is not
	 * told. at_once: as it is while changes are on their way, behind which it would have to
	 * wait.
	 */
	REQUEST_STATUS,
	REQUEST_SCAN,     /* what the mailbox holds, or how it differs from base */
	REQUEST_IDENTIFY, /* the identities of keys; local: by reading them whole */
	REQUEST_FETCH,    /* the content of keys */
	REQUEST_APPEND, /* remote: source, flags, date -> a message; EDQUOT: the account is full */
	REQUEST_FLAG,   /* adds and removes flags of keys */
	REQUEST_DATE,   /* local: gives keys the date */
	/*
	 * Expunges or unlinks keys; those already gone are no error. A file that is not as agreed
	 * any more stays.
	 */
	REQUEST_REMOVE,
	REQUEST_MOVE,   /* moves keys to target (a mailbox that exists), flags and date kept */
	REQUEST_COPY,   /* remote: copies keys to target likewise */
	/*
	 * Local: all drafts finished and all names changed so far become durable; with a mailbox
	 * also all names in it that others changed.
	 */
	REQUEST_SETTLE,
	/*
	 * Local: puts a finished draft in place under its name, with flags and date; or in the
	 * place of the message that it replaces, whose name and flags stay, and whose file is kept
	 * aside.
	 */
	REQUEST_PUBLISH,
};

/* A stream of a message's content. */
struct source {
	uint64_t size; /* bytes in all */
	bool has_nul;  /* one of them is NUL */
	void (*rewind)(struct source *source); /* back to the first byte */
	/*
	 * Up to len bytes; *got 0 is the end. -1: the content is not what it was; what was sent is
	 * void.
	 */
	int (*read)(struct source *source, char *out, size_t len, size_t *got, struct error *err);
	void (*close)(struct source *source);
};

struct draft; /* a message on its way into a local store */

/* What can still be put into a local mailbox. */
struct room {
	uint64_t bytes;
	uint64_t messages;
};

struct request {
	enum request_kind kind;
	uint64_t ticket;     /* the caller's, comes back in the answers */
	const char *mailbox; /* its name (mail/mailbox-name.h); not for LIST; SETTLE: or NULL */

	bool at_once; /* STATUS, remote */

	bool want_subscribed; /* LIST: MAILBOX_SUBSCRIBED too, which may cost another command */

	bool want_room; /* STATUS, remote: for which flags there is room, too */

	/*
	 * SCAN: what the caller knows; all zero where nothing. Where base's UIDVALIDITY is not the
	 * mailbox's, base and known count as nothing.
	 */
	struct stamp base;
	const struct uidset *known; /* remote: UIDs that the caller holds to be there, or NULL */
	bool want_identity;         /* Message-IDs of what is not in known */
	bool must_be_complete;      /* no delta: every message is to be listed */
	/*
	 * Local, for who only compares: names are told as they are read and kept nowhere. complete
	 * is false where somebody was at work meanwhile, and all that was told says nothing then.
	 */
	bool glance; /* DONE's own_only: nothing was read at all */
	/*
	 * The newest few of known are told with size and date, changed or not: UIDs that a server
	 * used again after it was restored from a backup show there.
	 */
	bool verify_known;

	/* FETCH, IDENTIFY, FLAG, DATE, REMOVE, MOVE, COPY. */
	const struct message_key *keys; /* ascending by UID on the remote side */
	size_t count;
	const uint64_t *sizes; /* FETCH: expected sizes beside keys, for chunking; or NULL */
	const struct identity *agreed; /* REMOVE: what keys were, beside them; a Maildir only */
	uint32_t uidvalidity;  /* remote: refused where the mailbox has another; 0: not checked */
	struct flags add;      /* FLAG */
	struct flags remove;   /* FLAG */
	const char *target;    /* MOVE, COPY, RENAME */
	unsigned special_use;  /* CREATE, remote: the use that it is for, where that can be said */
	bool unsubscribe;      /* SUBSCRIBE */

	/* APPEND, PUBLISH. */
	struct source *source; /* APPEND: becomes the store's, closed by it in every case */
	bool beside;           /* APPEND: other sessions upload at the same time */
	struct draft *draft;   /* PUBLISH */
	const char *replaces;  /* PUBLISH: a unique name, or NULL; a Maildir only */
	struct flags flags;
	int64_t date; /* DATE, too */
};

enum answer_kind {
	ANSWER_MAILBOX,  /* LIST: mailbox, attributes, stamp */
	ANSWER_MESSAGE,  /* SCAN, IDENTIFY: message */
	/*
	 * SCAN: uids that are gone, for it is a delta or told of them before; may name what never
	 * was
	 */
	ANSWER_VANISHED,
	ANSWER_BODY,     /* FETCH: data; pieces of one message until ANSWER_BODY_END */
	/*
	 * FETCH: message.key and its size; what came before it is that message, whole. With uid 0
	 * on the remote side: what came before it is to be dropped, nobody asked for it.
	 */
	ANSWER_BODY_END,
	ANSWER_MOVED, /* MOVE, COPY: message.key is created in target, where the store is told */
	ANSWER_DONE,  /* the request ended; error.kind is ERROR_NONE where it succeeded */
};

struct answer {
	enum answer_kind kind;
	uint64_t ticket;
	const char *mailbox;
	unsigned attributes; /* of enum mailbox_attribute */
	/*
	 * LIST; DONE of STATUS; DONE of SCAN: how it stood when the scan began; DONE of CREATE,
	 * remote: its messages, where it was there although not listed; DONE of FLAG, REMOVE, MOVE,
	 * remote: how it stood behind that, where steps tell.
	 */
	struct stamp stamp;
	bool complete; /* DONE of SCAN: every message was listed; else only changes against base */
	bool own_only; /* DONE of a glance: since the last scan only our FLAGs changed it */
	/*
	 * DONE of SCAN, of a STATUS that wants it, and of a FLAG that succeeded, remote: the flags
	 * that it can keep
	 */
	struct flag_room permanent;
	/* DONE of SCAN, local: what each of KEYWORD_LETTERS means there, or NULL */
	const struct flags *letters;
	struct message_state message;
	const struct uidset *uids;
	const char *data;
	size_t len;
	struct message_key created; /* MOVED; DONE of APPEND: uid 0 where the server did not tell */
	uint32_t uidvalidity;       /* DONE of APPEND, MOVED: of created */
	bool doubtful; /* DONE of APPEND: it was refused with others, but may have been taken */
	size_t kept;   /* DONE of REMOVE, local: so many were not as agreed */
	/*
	 * DONE of FLAG, REMOVE, MOVE, COPY, APPEND, remote: mod-sequences that the changes took, in
	 * mailbox and in target. Never more than they did: several messages that one command
	 * changes share one (RFC 7162). And whether somebody else was seen at work in mailbox
	 * meanwhile.
	 */
	uint32_t steps, target_steps;
	bool others;
	/*
	 * DONE of FLAG, REMOVE, MOVE, COPY, remote: what was left undone; of FETCH: what would be
	 * refused another time too; or NULL
	 */
	const struct uidset *refused;
	/*
	 * DONE of FLAG, PUBLISH: what the mailbox would not keep; of MOVE, local: what target would
	 * not
	 */
	uint32_t refused_keywords;
	struct error error; /* the last member: its text is not cleared for each of many answers */
};

/* Begins an answer to the request of that ticket, of that mailbox. */
static inline void answer_begin(struct answer *answer, uint64_t ticket, const char *mailbox)
{
	memset(answer, 0, offsetof(struct answer, error));
	answer->ticket = ticket;
	answer->mailbox = mailbox;
	error_clear(&answer->error);
}

struct store;

struct store_ops {
	int (*submit)(struct store *store, const struct request *request, struct error *err);
	int (*next)(struct store *store, struct answer *answer, struct error *err);
	int (*start)(struct store *store, struct error *err); /* or NULL */
	void (*expect)(struct store *store, uint64_t bytes); /* or NULL */
	void (*prepare)(struct store *store, const char *mailbox); /* or NULL */
	int (*room)(struct store *store, const char *mailbox, struct room *room,
		    struct error *err); /* or NULL */
	/* Local sides only; NULL else. */
	int (*open_source)(struct store *store, const char *mailbox, const struct message_key *key,
			   struct identity *identity, struct source **source, struct error *err);
	int (*open_draft)(struct store *store, const char *mailbox, struct draft **draft,
			  struct error *err);
	int (*link_draft)(struct store *store, const char *mailbox, const char *from,
			  const struct message_key *key, int64_t date, struct draft **draft,
			  struct error *err);
	int (*write_draft)(struct draft *draft, const char *bytes, size_t len, struct error *err);
	int (*finish_draft)(struct draft *draft, struct identity *identity, const char **name,
			    struct error *err);
	void (*drop_draft)(struct draft *draft);
	void (*close)(struct store *store);
};

/* The head of every store. */
struct store {
	const struct store_ops *ops;
	enum side side;
	bool atomic_move; /* REQUEST_MOVE cannot be cut in half */
	bool lingers;     /* what was asked of a session that broke may yet be done for a while */
	uint64_t message_max; /* the largest message that it takes; 0: it does not tell */
};

/* Queues; -1 only where the session is broken already. */
static inline int store_submit(struct store *store, const struct request *request,
			       struct error *err)
{
	return store->ops->submit(store, request, err);
}

/* 1: an answer. 0: everything submitted is answered. -1: the session is broken. */
static inline int store_next(struct store *store, struct answer *answer, struct error *err)
{
	return store->ops->next(store, answer, err);
}

/*
 * Submits one request and takes its ANSWER_DONE; other answers are dropped. -1 also where it
 * failed.
 */
int store_do(struct store *store, const struct request *request, struct answer *answer,
	     struct error *err);

/*
 * Makes durable what was changed on the local side: by this store, and, of a mailbox that is given,
 * by anybody. -1 as above.
 */
int store_settle(struct store *store, const char *mailbox, struct error *err);

/*
 * Has a remote side begin with what is submitted, for who has something else to do before the next
 * store_next. -1 as there.
 */
static inline int store_start(struct store *store, struct error *err)
{
	return store->ops->start ? store->ops->start(store, err) : 0;
}

/*
 * Says that about so many bytes of rows are to be told in answer to what comes next, and little
 * content is to move: a line may be made ready for that. Only while everything is answered.
 */
static inline void store_expect(struct store *store, uint64_t bytes)
{
	if (store->ops->expect)
		store->ops->expect(store, bytes);
}

/*
 * Says that the mailbox is the next to be changed: a remote side may open it ahead, behind what was
 * submitted, and nobody awaits that. store_start has it begin.
 */
static inline void store_prepare(struct store *store, const char *mailbox)
{
	if (store->ops->prepare)
		store->ops->prepare(store, mailbox);
}

/*
 * What a mailbox still takes, as far as that is known; the largest numbers where it is not. -1:
 * nothing, for it may not be written (scope mailbox).
 */
static inline int store_room(struct store *store, const char *mailbox, struct room *room,
			     struct error *err)
{
	*room = (struct room){UINT64_MAX, UINT64_MAX};
	return store->ops->room ? store->ops->room(store, mailbox, room, err) : 0;
}

/*
 * Opens a message for reading and fills its identity (size, date, Message-ID and digest, by
 * reading it). -1: scope message where it is gone or unreadable, and *source is NULL.
 */
static inline int store_open_source(struct store *store, const char *mailbox,
				    const struct message_key *key, struct identity *identity,
				    struct source **source, struct error *err)
{
	return store->ops->open_source(store, mailbox, key, identity, source, err);
}

/* Begins a message; it is seen by nobody until REQUEST_PUBLISH, and gone where that never comes. */
static inline int store_open_draft(struct store *store, const char *mailbox, struct draft **draft,
				   struct error *err)
{
	return store->ops->open_draft(store, mailbox, draft, err);
}

/*
 * Begins a draft whose content is that of another local message: linked to it where both have the
 * same date and one file system, else copied. Only store_finish_draft is to follow: it fills size,
 * Message-ID and digest by reading what it holds. -1 with ENOENT: the message is gone.
 */
static inline int store_link_draft(struct store *store, const char *mailbox, const char *from,
				   const struct message_key *key, int64_t date,
				   struct draft **draft, struct error *err)
{
	return store->ops->link_draft(store, mailbox, from, key, date, draft, err);
}

static inline int store_write_draft(struct store *store, struct draft *draft, const char *bytes,
				    size_t len, struct error *err)
{
	return store->ops->write_draft(draft, bytes, len, err);
}

/*
 * Ends the content: fills identity (size, Message-ID, digest) and the unique name that it will
 * have, which lives as long as the draft. The identity's date is given: that which REQUEST_PUBLISH
 * will give it, or DATE_UNKNOWN where nobody knows yet.
 */
static inline int store_finish_draft(struct store *store, struct draft *draft,
				     struct identity *identity, const char **name,
				     struct error *err)
{
	return store->ops->finish_draft(draft, identity, name, err);
}

/* Forgets a draft, published or not (what is not published is removed). NULL is fine. */
static inline void store_drop_draft(struct store *store, struct draft *draft)
{
	if (draft)
		store->ops->drop_draft(draft);
}

/* Closes; NULL is fine. */
void store_close(struct store **store);

#endif
