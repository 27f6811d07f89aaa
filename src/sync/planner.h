// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Decides. Pure: snapshots and journal in, plan out; no I/O, no clock, no order of input that
 * matters, but that pairs ascend by UID (V1 and V2 search them) and that among equals the first one
 * counts. Only plan.h says what may come out, only planner*.c says when.
 */
#ifndef SYNC_PLANNER_H
#define SYNC_PLANNER_H

#include "journal/journal.h"
#include "mail/policy.h"
#include "sync/match.h"
#include "sync/plan.h"
#include "sync/snapshot.h"

/* All that is known of one mailbox on both sides. */
struct planner_input {
	const struct policy *policy;
	const struct pair *pairs; /* ascending by UID, as journal_pairs has them */
	size_t pairs_len;
	const struct journal_note *notes;
	size_t notes_len;
	const struct snapshot *sides[SIDES]; /* both NULL: as the pairs have it, only for rule V3 */
	const struct match *matches; /* of the fresh messages */
	size_t matches_len;
	bool is_trash; /* deletions here expunge, and none are too many */
	bool is_junk;  /* none are too many */
	const struct pair *former; /* what the pairs were until the journal was reset; or NULL */
	size_t former_len;
};

/* Appends the messages' operations: rules M1 to M9. */
void planner_messages(const struct planner_input *input, struct plan *plan);

/*
 * Whether a pair and what appeared are one message for certain: its bytes, or the server's id, or
 * all that a server tells of it.
 */
bool planner_is_one_message(const struct identity *pair, const struct identity *found);

#define PLANNER_NEVER SIZE_MAX
/*
 * Which of the messages that are fresh on a side, and not done there, are what that side lost of a
 * pair before: of each pair the index, or PLANNER_NEVER; the caller's to free. They are done then.
 * NULL: none is.
 */
size_t *planner_again(const struct planner_input *input, bool *const done[SIDES]);

/* The pair of that UID, or NULL. */
const struct pair *planner_pair(const struct planner_input *input, uint32_t uid);

/*
 * What both sides held in a mailbox that could not be looked at, or not at all of it. Of its input
 * only policy and is_trash are filled.
 */
struct planner_unseen {
	const struct pair *pairs;
	size_t len;
	const struct presence *held[SIDES]; /* how a side holds them; NULL: nobody knows */
	bool is_reset; /* its journal means nothing any more: these were the pairs */
};

/* One mailbox in the pass over all of them. */
struct planner_box {
	struct planner_input input;
	struct plan *plan;
	struct planner_unseen unseen; /* none where it could be looked at */
};

/*
 * Turns what left one mailbox and appeared in another (or in the same one, under another name or
 * UID) into one move: rules V1 and V2, over the plans of all mailboxes that planner_messages has
 * filled, and before the guard looks at them. partial: there are mailboxes that were not looked
 * at, and something may have left them. Where that is known of, and what is deleted goes to the
 * trash, a copy waits, blocked and counted in its plan.
 */
void planner_moves(struct planner_box *boxes, size_t len, bool partial);
/*
 * Turns what would be sent although the side holds it in another mailbox into copies on that side:
 * rules V3 and V4, after the moves. Mailboxes of which only the pairs are known are only looked
 * into.
 */
void planner_copies(const struct policy *policy, struct planner_box *boxes, size_t len);
/*
 * Has what would go to the trash of side removed where it comes there as a copy anyway: rule V5,
 * after the guard. trash is the index of the trash's box.
 */
void planner_trash(const struct planner_box *boxes, size_t len, size_t trash, enum side side);

/* One message's flags on both sides, and what came of them. */
struct flags_case {
	const struct policy *policy;
	struct flags base;
	struct flags have[SIDES];
	struct flag_room permanent[SIDES];
};
struct flags_verdict {
	struct flags add[SIDES];
	struct flags remove[SIDES];
	struct flags agreed; /* what the journal will hold */
};
/*
 * Whether a file that has the keywords "read" by the table of the mailbox that it came to, has the
 * letters that it had where it came from, where "agreed" was agreed on. Tables may be NULL.
 */
bool planner_letters_came_along(const struct flags *from, const struct flags *to, uint32_t agreed,
				uint32_t read);
/* Merges three ways, within what the policy allows and each side can keep. */
struct flags_verdict planner_flags(const struct flags_case *flags);

/* What the two sides and the journal say of a mailbox as such. */
struct planner_mailbox {
	bool exists[SIDES];
	bool selectable; /* on the remote side, where it exists there */
	bool journaled;  /* both sides had it when they were last even, or have pairs */
	bool has_pairs;
	bool is_inbox;
};

/*
 * The verdict on a mailbox: rules B1 to B4, RULE_NONE where both sides have it. *missing is the
 * side that lacks it.
 */
enum rule planner_mailbox(const struct policy *policy, const struct planner_mailbox *mailbox,
			  enum side *missing);

/* A mailbox's name as LIST and the journals tell of it, where renames are looked for. */
struct planner_name {
	const char *name;
	const char *at[SIDES];
	bool exists[SIDES];      /* and may hold messages */
	bool occupies[SIDES];    /* the name is taken, be it by a mailbox or not */
	bool left_out;           /* the channel does not take it in */
	struct stamp listed[SIDES];
	const struct journal_head *head; /* NULL: it has no journal, so it is new */
	const struct planner_name *met;  /* that of the server's mailbox, by planner_meet */
};

/* What a look into the new mailbox found of the messages that the journal knows of the old one. */
struct planner_likeness {
	size_t expected; /* that it should hold, were none deleted */
	size_t found;
	size_t others; /* under the UID of one another message was found */
};

/* That one mailbox may go by another name now, on one side or on both. */
struct planner_rename {
	size_t from, to;       /* indices of names */
	bool renamed[SIDES];   /* where it has the new name already */
	bool sure[SIDES];      /* an id that stays with the mailbox says so */
	bool was_empty;        /* the server holds nothing under the old name */
	struct planner_likeness alike[SIDES]; /* of the sides where it was renamed; the caller's */
	bool refuted, contested;
};

/* Whether to look into it at all; false where the two cannot be what is asked. */
typedef bool planner_may_be(const struct policy *policy, const struct planner_name *from,
			    const struct planner_name *to, struct planner_rename *out);
/* One mailbox, renamed on one side, or on both alike. */
planner_may_be planner_may_be_renamed;
/*
 * The new name may be what one side calls a mailbox that the other side calls otherwise: it is gone
 * on both. Of such halves renamed[] tells the side.
 */
planner_may_be planner_may_be_half;
/*
 * Where both halves of one mailbox were found for certain, by a look into both, the old name stands
 * for the server's from now on, as if only the local side had renamed it: the local name wins.
 */
void planner_meet(struct planner_name *names, size_t names_len, struct planner_rename *halves,
		  size_t len);
/*
 * Of those that were looked into, leaves the ones that stand, in the order in which they are to be
 * carried out: rule B5.
 */
void planner_renames(const struct planner_name *names, size_t names_len,
		     struct planner_rename *list, size_t *len);

/*
 * What becomes of a mailbox of rule B4 that is gone on one side only, once its messages are planned
 * and moves found: B4 where nothing would stay behind, else B1 or B3.
 */
enum rule planner_mailbox_gone(const struct planner_input *input, enum side missing,
			       const struct plan *plan);
/*
 * True where a mailbox of rule B3 need not be asked about, for the side that has it deletes nothing,
 * and holds something new that is to come to the side that lacks it.
 */
bool planner_is_awaited(const struct planner_input *input, enum side missing);
/* The same of an INBOX of rule B3: B1 where all that is gone with it was moved, else B3. */
enum rule planner_inbox_gone(const struct policy *policy, enum side missing,
			     const struct plan *plan);

#endif
