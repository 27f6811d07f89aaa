// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The plan: what will be done, on which side, to which message, by which rule. Values only; the
 * planner makes them, the guard blocks some, apply carries them out, cmd/ prints them.
 */
#ifndef SYNC_PLAN_H
#define SYNC_PLAN_H

#include "base/arena.h"
#include "mail/policy.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The rules, under the numbers that the manual, the tests and --json use. Messages (M), moves
 * between mailboxes (V) and mailboxes (B); sync/planner*.c say why each is right.
 */
enum rule {
	RULE_NONE,
	RULE_M1_FORGET,  /* gone on both sides: the pair is forgotten */
	RULE_M2_DELETE,  /* gone on one side: it goes on the other */
	RULE_M3_KEEP,    /* gone on one side, and the other keeps it: nothing, for ever */
	RULE_M4_FLAGS,   /* on both sides: each flag follows the side that changed it */
	RULE_M5_AGREE,   /* both sides changed alike: only the journal learns it */
	RULE_M6_PAIR,    /* new on both sides and the same message: paired, nothing is sent */
	RULE_M7_COPY,    /* new on one side: copied to the other */
	RULE_M8_LEAVE,   /* new on one side, and not wanted on the other: left alone */
	RULE_M9_REFUSED, /* new on one side, and the other would not take it before: left, reported
			  */
	RULE_V1_MOVE,    /* gone from one mailbox and new in another: moved on the other side too */
	RULE_V2_RENAME,  /* gone and new in one mailbox: the same pair under another name or UID */
	RULE_V3_COPY,    /* new in one mailbox, and the other side holds it in another: copied there
			  */
	RULE_V4_BOTH,    /* moved to different places on both sides: both places keep it */
	RULE_V5_TRASH,  /* deleted here, and new in the trash: removed, for it comes there anyway */
	RULE_B1_CREATE, /* a mailbox on one side only, new: created on the other */
	RULE_B2_LEAVE,  /* a mailbox on one side only, and not to be created: left alone */
	RULE_B3_GONE,   /* a mailbox that the journal knows is gone on one side, and not to be
			   deleted on the other: a question for the user */
	RULE_B4_DELETE, /* a mailbox that the journal knows is gone on one side: deleted on the
			   other; gone on both: forgotten */
	RULE_B5_RENAME, /* a mailbox was renamed on one side: so it is on the other */
};

/* "M2", "B1", ... */
const char *rule_name(enum rule rule);
/* The rule in a sentence. */
const char *rule_text(enum rule rule);

enum op_kind {
	OP_NONE,   /* nothing: in no finished plan */
	OP_FORGET, /* drop the pair from the journal */
	OP_AGREE,  /* the journal takes flags (and gone) over; follows the FLAGs of the same pair */
	OP_PAIR,   /* a journal row for uid and name */
	OP_FLAG,   /* on side: add and remove flags */
	OP_COPY,   /* to side: the message comes from the other side */
	OP_MOVE,   /* on side: to the mailbox of another plan */
	OP_CLONE,  /* to side: from the mailbox of another plan on the same side */
	OP_REMOVE, /* on side: expunge or unlink */
	OP_TRASH,  /* on side: move to the trash */
	OP_CREATE, /* on side: the mailbox */
	OP_RENAME, /* on side: the mailbox called name; there.name is what it is to be called */
	OP_DELETE, /* on side: the mailbox, once nothing is in it */
	OP_KINDS,
};

const char *op_name(enum op_kind kind);

/* What is known of an operation's message: plan_identity tells all of it. */
struct op_identity {
	uint64_t size;
	int64_t date;
	const struct identity *rest; /* all of it, in the plan's arena; NULL: there is no more */
};

/*
 * One operation. uid and name are those that are known; names are those of the journal's pairs,
 * which stay as long as it is open, or live in the plan's arena.
 */
struct op {
	enum op_kind kind : 8;
	enum side side : 8; /* where something changes */
	enum rule rule : 8;
	unsigned gone : 2; /* AGREE: bits 1 << side of the sides that do not hold it any more */
	bool blocked : 1;  /* it is not to be done after all */
	bool redate : 1; /* MOVE, CLONE on the remote side: the file's date is not the message's */
	uint32_t uid;
	struct flags flags; /* PAIR, AGREE, COPY, CLONE, MOVE: what the journal will hold */
	uint32_t target; /* the plan whose mailbox it goes to (MOVE) or comes from (CLONE): index */
	const char *name;
	struct op_identity identity; /* PAIR, COPY, CLONE, MOVE: as far as it is known */
	union {
		struct { /* FLAG */
			struct flags add;
			struct flags remove;
		};
		struct {                  /* MOVE, CLONE, RENAME */
			struct flags had; /* CLONE: those of what is copied, which come along */
			/*
			 * MOVE: how the other side holds it in that mailbox; CLONE: how this side
			 * holds what is copied in that mailbox
			 */
			struct message_key there;
		};
	};
};

/* A first run has one for every message: what few of them have lies elsewhere. */
_Static_assert(sizeof(struct op) <= 72, "an operation costs at most 72 bytes");

/* Why the guard blocks the deletions on one side of one mailbox. */
enum guard_reason {
	GUARD_FINE,
	GUARD_EMPTIED, /* the side that others follow holds nothing of what it held */
	GUARD_MANY,    /* more than the policy allows */
	GUARD_GONE,    /* the mailbox itself is gone on the side that others follow */
};

/* "it looks emptied", ...: of the side that the deletions follow. */
const char *guard_reason_text(enum guard_reason reason);

struct guard_verdict {
	enum guard_reason reason;
	size_t deletions; /* that would have happened */
	size_t held;      /* pairs that any side has yet */
};

/* The plan of one mailbox. */
struct plan {
	struct arena arena;
	struct op *ops;
	size_t len;
	size_t cap;
	struct guard_verdict
	    verdict[SIDES]; /* indexed by the side where deletions were to happen */
	size_t refused;     /* messages left by M9 */
	size_t waiting;     /* copies that wait by V1 */
	size_t astray;      /* strays (sync/planner-follow.c) whose other half is nowhere */
	/* By side: what was to be removed there is blocked, for it may have moved out of sight. */
	bool withheld[SIDES];
};

struct op *plan_add(struct plan *plan, enum op_kind kind, enum side side, enum rule rule);
/* Notes what is known of the operation's message. */
void plan_identify(struct plan *plan, struct op *op, const struct identity *identity);
/* What is known of it. */
struct identity plan_identity(const struct op *op);
/* How many of that kind on that side are to be done (blocked ones not counted). */
size_t plan_count(const struct plan *plan, enum op_kind kind, enum side side);
/* How many messages are to be taken away on that side, for good or to the trash. */
size_t plan_count_removals(const struct plan *plan, enum side side);
/* True for what takes a message away on that side because the other side lacks it. */
bool op_removes(const struct op *op, enum side side);
/* True for the move of a message that has no pair any more, and so its own side's key only. */
bool op_is_stray(const struct op *op);
/* Takes out the copies to side that are to be done: somebody else has them. */
void plan_drop_copies(struct plan *plan, enum side side);
void plan_free(struct plan *plan);

#endif
