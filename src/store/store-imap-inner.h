// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the files of the IMAP store share; nobody else includes it.
 *
 * A job is one request of the caller's. Jobs stand in one list in the order of their submission;
 * one of them at a time is "sending", those before it have sent all that could be foreseen, those
 * behind it nothing. A step is one call of the session's that a job made and that is not answered
 * yet. So the mailbox in which the next command will find itself (store->wire) runs ahead of the
 * mailbox whose answers are being read (the step's selection), often by hundreds of commands.
 *
 * run() sends, take() only records: nothing is sent from within an answer. A job that finds that it
 * needs more sends it when its last step was answered, and opens its mailbox again where the wire
 * has moved on meanwhile; if it must wait for that it holds all others back, or two could take the
 * wire from each other for ever. What is found on the way is told at once, under the job's ticket;
 * the ANSWER_DONEs come in the order of submission.
 */
#ifndef STORE_STORE_IMAP_INNER_H
#define STORE_STORE_IMAP_INNER_H

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/uidset.h"
#include "imap/answer.h"
#include "imap/session.h"
#include "store/store.h"

#include <sys/queue.h>

#define STORE_WINDOW_STEPS 256 /* calls on their way; the session bounds their bytes */

/*
 * What the server tells of the mod-sequences that this session's changes take in a mailbox;
 * store-imap-trace.c.
 */
struct trace {
	struct uidset meant; /* the messages that were to change */
	uint64_t last;       /* mod-sequences only grow */
	bool gone;           /* some of those meant were told to be gone since the last step */
	uint32_t steps;      /* not reported yet */
	bool others;         /* somebody else is at work, too */
};

/* A mailbox of the account: its name here, and the server's own bytes for it. */
struct remote_mailbox {
	char *name; /* NULL: it has none */
	char *wire;
	size_t wire_len;
	char delimiter;
	unsigned attributes; /* of enum imap_attribute */
	/* As LIST told; uidnext (0: unknown) and messages count what is appended after that. */
	struct stamp stamp;
	bool thinned; /* messages were taken away after that */
	bool listed; /* by the last LIST */
	bool left_out;
	bool has_permanent; /* it was opened in this session */
	struct flag_room permanent;
	struct trace trace;
};

enum selection_state {
	SELECTION_PENDING,
	SELECTION_OPEN,
	SELECTION_FAILED,
};

/* One SELECT or EXAMINE and what it told; shared by the jobs whose commands follow it. */
struct selection {
	unsigned references;
	struct remote_mailbox *mailbox;
	enum selection_state state;
	bool began; /* something of this mailbox came: what comes now is not the last one's */
	bool bad;   /* failed with BAD */
	bool malformed; /* what was told cannot be read: it fails with error, whatever its end is */
	struct stamp stamp; /* messages: EXISTS when it was opened */
	uint32_t exists;    /* as it is now */
	struct flag_room permanent;
	struct error error;
};

enum step_kind {
	STEP_SELECT,
	STEP_LIST,
	STEP_LSUB,
	STEP_STATUS,
	STEP_ROWS,    /* every message */
	STEP_CHANGED, /* those that changed */
	STEP_NEW,     /* those from a UID on */
	STEP_SEARCH,
	STEP_DETAILS, /* what is wanted of some */
	STEP_BODY,
	STEP_STORE,
	STEP_EXPUNGE,
	STEP_COPY,
	STEP_MOVE,
	STEP_APPEND,
	STEP_CREATE,
	STEP_UNSELECT,
	STEP_DELETE,
	STEP_RENAME,
	STEP_SUBSCRIBE,
};

struct job;

struct step {
	TAILQ_ENTRY(step) link;
	unsigned tag;
	enum step_kind kind;
	struct job *job;
	struct selection *selection; /* in which it runs, or NULL */
	size_t first;                /* STEP_BODY: the keys asked for; STEP_STATUS: the mailbox;
					STEP_STORE of keywords: its number */
	size_t count;
	uint64_t bytes; /* STEP_BODY: expected */
};

TAILQ_HEAD(step_list, step);

enum job_progress {
	JOB_WAITS, /* nothing of later jobs may be sent yet */
	JOB_SENT,  /* all that can be foreseen is on its way */
	JOB_DONE,
};

struct store_imap;

/* What a kind of request does. */
struct job_kind {
	/* Called at its turn, and again whenever one of its steps was answered. */
	enum job_progress (*run)(struct store_imap *store, struct job *job);
	/* An answer to one of its steps; true where it makes *out an answer of the store's. */
	bool (*take)(struct store_imap *store, struct job *job, const struct step *step,
		     const struct imap_answer *answer, struct answer *out);
	/*
	 * Once done: true and one more answer, or false and what ANSWER_DONE tells besides. Or
	 * NULL.
	 */
	bool (*tell)(struct store_imap *store, struct job *job, struct answer *out);
	void (*free)(struct job *job); /* or NULL */
	bool changes;                  /* something on the server */
	bool quiet; /* nobody awaits its end, nor is told of it */
};

struct job {
	TAILQ_ENTRY(job) link;
	struct request request;
	const struct job_kind *kind;
	struct remote_mailbox *mailbox; /* from its turn on; NULL for LIST */
	struct selection *selection;
	size_t steps;  /* unanswered */
	bool passed;   /* the sending job is behind it */
	bool deferred; /* it is to run as soon as that can be, and no other holds the wire */
	bool done;
	struct uidset refused;
	struct error error;
	union {
		struct list_state *list;
		struct scan_state *scan;
		struct fetch_state *fetch;
		struct flag_state *flag;
		struct change_state *change;
		struct append_state *append;
		struct create_state *create;
		struct delete_state *delete;
		struct rename_state *rename;
		struct stamp *status; /* once it is sent */
		bool sent; /* SUBSCRIBE */
	};
};

TAILQ_HEAD(job_list, job);

/* The body that is arriving: one at a time. */
struct arrival {
	bool begun;
	bool unwanted;  /* nobody asked for it: none of it is handed out */
	bool handed;    /* some of it was */
	char head[512]; /* how it begins */
	size_t head_len;
};

struct store_imap {
	struct store head;
	struct imap_session *session;
	bool read_only;
	bool broken;
	struct job_list jobs;
	size_t awaited;      /* those of them that are not quiet */
	struct job *sending; /* NULL: all have been sent */
	struct job
	    *holder; /* one that was passed, needs the wire again, and waits: nobody else sends */
	size_t deferred;  /* jobs that are */
	struct job *told; /* its ANSWER_DONE was handed out; freed by the next call */
	struct step_list steps;
	size_t steps_len;
	struct selection *wire; /* where the next command finds itself, or NULL */
	struct answer held;     /* to be handed out next */
	bool has_held;
	uint64_t bodies_bytes; /* of bodies that are on their way, as expected */
	size_t bodies;
	struct arrival arrival;
	bool no_move; /* the server refused it, though offered */
	bool no_uid_expunge;
	bool no_multiappend;
	bool no_email_id;
	struct remote_mailbox **mailboxes;
	size_t len, cap;
	struct map by_name; /* of those that have one */
	struct map by_wire;
	char delimiter; /* as LIST told */
};

extern const struct job_kind list_job, create_job, delete_job, rename_job, status_job, scan_job,
    identify_job, fetch_job, append_job, flag_job, remove_job, move_job, copy_job, subscribe_job;

/* store-imap.c: a store over an open session, which becomes its own. */
struct store *store_imap_over(struct imap_session *session, bool read_only);
/* A command of the job's is on its way; selection may be NULL. */
struct step *store_add_step(struct store_imap *store, struct job *job, enum step_kind kind,
			    unsigned tag, struct selection *selection);
/* A job without steps, which waited for another's, is to be run again as soon as that can be. */
void store_wake(struct store_imap *store, struct job *job);
/* Ends a job with its error set; returns JOB_DONE. */
enum job_progress job_fail(struct job *job, enum error_kind kind, enum error_scope scope,
			   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/*
 * Fills err with what the server refused ("open it"), in which mailbox (or NULL), its words, and
 * what can be done about it.
 */
void store_describe_refusal(struct error *err, enum error_scope scope, const char *mailbox,
			    const char *what, const struct imap_answer *answer);

/* Fills err with what the server said of a mailbox that cannot be read. */
void store_describe_malformed(struct error *err, const char *mailbox,
			      const struct imap_answer *answer);

/* store-imap-trace.c: a job is about to change these messages of its mailbox. */
void trace_expect(struct job *job, const struct uidset *uids);
/* Notes what an answer to a change tells. */
void trace_take(struct job *job, const struct step *step, const struct imap_answer *answer);
/* What was noted since it was last reported goes into the end of a change. */
void trace_report(struct job *job, struct answer *out);

/* store-imap-list.c: special uses of enum mailbox_attribute as those of enum imap_attribute. */
unsigned store_uses(unsigned special_use);
/* The figures that a STATUS tells. */
struct stamp stamp_of_status(const struct imap_mailbox_status *status);
/* Takes in those of the mailbox that it names. */
void mailbox_take_status(struct store_imap *store, const struct imap_answer *answer);

/* store-imap-mailbox.c: the table of mailboxes, and the one that is open. */
struct remote_mailbox *mailbox_find_wire(struct store_imap *store, const char *wire, size_t len);
struct remote_mailbox *mailbox_add_wire(struct store_imap *store, const char *wire, size_t len);
/* Whether it is the one that an answer names. */
bool mailbox_is_named(const struct remote_mailbox *mailbox, const struct imap_answer *answer);
void mailbox_set_name(struct store_imap *store, struct remote_mailbox *mailbox, const char *name);
/*
 * The server calls it otherwise from now on: by these bytes; name: what it is called here, or NULL.
 */
void mailbox_rename(struct store_imap *store, struct remote_mailbox *mailbox, const char *wire,
		    size_t len, const char *name);
/* The mailbox of that name, listed or not; NULL with err where this server can have none. */
struct remote_mailbox *mailbox_of_name(struct store_imap *store, const char *name,
				       struct error *err);
/* The server's way of naming: as NAMESPACE tells, or LIST. */
struct mailbox_naming store_naming(const struct store_imap *store);
/* Makes the table of a store that has none that of another. */
void mailboxes_copy(struct store_imap *store, const struct store_imap *from);
void mailboxes_free(struct store_imap *store);

/*
 * Opens the job's mailbox by a command of its own; not awaited. With since it tells what changed
 * since then of the messages that were there then (QRESYNC); or NULL.
 */
void store_select(struct store_imap *store, struct job *job, const struct stamp *since);
/* Closes the mailbox that is open, by a command of the job's; not awaited. */
void store_leave(struct store_imap *store, struct job *job);
/* The next command will find itself in the job's mailbox: opens it where that is not so yet. */
void store_ensure_selected(struct store_imap *store, struct job *job);
/* Whether the next command will find itself there by what the job sent or joined before. */
bool store_is_selected(const struct store_imap *store, const struct job *job);
/* Notes what the server tells while it opens a mailbox, and of its size ever after. */
void selection_take(struct store_imap *store, const struct step *step,
		    const struct imap_answer *answer);
struct selection *selection_hold(struct selection *selection);
void selection_drop(struct selection **selection);
/* -1 and the job's error where its mailbox did not open, or is not the one that was meant. */
int job_check_selection(struct job *job);

/*
 * store-imap-fetch.c: the step that a row of this UID is for, where it came as one of a FETCH job's
 * step: another FETCH's of the same selection that asked for it, if this one did not.
 */
struct step *fetch_find_step(struct store_imap *store, struct step *step, uint32_t uid);

/*
 * store-imap-status.c: the step that a STATUS answer is for, where it came as one of a change's
 * step: another one that asked for it beside that change, if this one did not.
 */
struct step *status_find_step(struct store_imap *store, struct step *step,
			      const struct imap_answer *answer);

/* store-imap-uids.c: sets of UIDs held against each other. */
uint64_t uids_count_common(const struct uidset *a, const struct uidset *b);
/* Adds to out what is in a and not in b. */
void uids_add_minus(const struct uidset *a, const struct uidset *b, struct uidset *out);
void uids_add_common(const struct uidset *a, const struct uidset *b, struct uidset *out);
void uids_add_all(const struct uidset *a, struct uidset *out);
uint32_t uids_highest(const struct uidset *set);
/* The UIDs of a request's keys. */
void uids_add_keys(const struct request *request, struct uidset *out);
/* Where among a request's keys a UID is; false where it is not. */
bool uids_find_key(const struct request *request, uint32_t uid, size_t *index);

#endif
