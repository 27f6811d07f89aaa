// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the passes over all mailboxes share: the two ends of what may have moved, which are
 * operations that take a message away in one mailbox and that bring one to another. Of
 * planner-move.c and its neighbours only; pure.
 */
#ifndef SYNC_PLANNER_INNER_H
#define SYNC_PLANNER_INNER_H

#include "sync/planner.h"

#define NO_OP   SIZE_MAX
#define NO_PAIR SIZE_MAX

/* An operation that may be one end of a move, and what identifies its message. */
struct end {
	size_t box;
	size_t op;        /* NO_OP: in a mailbox that could not be looked at */
	size_t pair;      /* departures: the pair's index; NO_PAIR: a stray */
	size_t file;      /* strays: the index of the fresh file, or of the former pair */
	const char *name; /* its unique name, where the local side's user moved it; else NULL */
	struct identity identity;
	bool taken;
};

struct end_list {
	struct end *ends;
	size_t len, cap;
};

/* The index of the pair of that UID, or where it would be. */
size_t planner_pair_index(const struct planner_input *input, uint32_t uid);

/* What is to be deleted on side, for the other side's user took it out of its mailbox. */
void planner_collect_departures(const struct planner_box *boxes, size_t len, enum side side,
				struct end_list *out);
/*
 * What may have left, on the other side, a mailbox that could not be looked at there. It matters
 * only where the next run would have the trash get it, or cannot see any more that it has left.
 */
void planner_collect_unseen(const struct planner_box *boxes, size_t len, enum side side,
			    struct end_list *out);
/* What the local side holds yet of a mailbox that could not be looked at on the other. */
void planner_collect_kept(const struct planner_box *boxes, size_t len, struct end_list *out);
/*
 * Strays, where a journal was reset: files that were pairs, and whose messages are not in their
 * mailbox any more; or messages that were pairs, and whose files are not. What is not to be copied
 * gets an operation, of no kind so far.
 */
void planner_collect_strays(struct planner_box *boxes, size_t len, enum side side,
			    struct end_list *out);
/* What appeared, by the operations of one of these kinds. */
void planner_collect_new(const struct planner_box *boxes, size_t len, enum side side,
			 bool (*is_one)(const struct op *op, enum side side), struct end_list *out);
/* What is to be copied to side, for it appeared on the other. */
bool planner_is_arrival(const struct op *op, enum side side);
/* What is new on both sides and paired. */
bool planner_is_found(const struct op *op, enum side side);

/* By the file's name, and by the bytes: orders of pointers to ends. */
int planner_compare_names(const void *a, const void *b);
int planner_compare_digests(const void *a, const void *b);
/* Pointers to the ends of a list that are free, sorted; freed by the caller. */
struct end **planner_sort_free(struct end_list *list, int (*compare)(const void *, const void *),
			       size_t *len);

/* What becomes of two ends that are one message; what it takes is free no more. */
typedef void planner_join(struct planner_box *boxes, struct end *from, struct end *to,
			  enum side side);
/* Joins what left with what appeared, the surest first. */
void planner_match(struct planner_box *boxes, struct end_list *gone, struct end_list *new,
		   enum side side, planner_join *join);
/* The same by nothing but the names of files. */
void planner_match_names(struct planner_box *boxes, struct end_list *gone, struct end_list *new,
			 enum side side, planner_join *join);

/* Joins a stray and its other half, in another mailbox: rule V1. */
planner_join planner_follow;
/* Sees to what a run that was stopped in a move has left of it. */
void planner_halves(struct planner_box *boxes, size_t len, bool partial);
/*
 * V1 of a message that both sides hold already where it was moved to: a run that had a server move
 * it by COPY and EXPUNGE was stopped between the two. What is left of it where it was is removed:
 * the trash would get what nobody deleted.
 */
void planner_end_move(struct op *departure);
/*
 * Does that for what the journal has there already: a file of the name of one that is gone from
 * another mailbox is that one, moved.
 */
void planner_end_moves(struct planner_box *boxes, size_t len);
/* Adds what becomes of the flags of a message that will have a pair with the flags base. */
void planner_add_changes(struct plan *plan, const struct flags_verdict *verdict, enum rule rule,
			 uint32_t uid, const char *name, struct flags base);

#endif
