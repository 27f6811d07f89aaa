// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/planner.h"

#include "base/alloc.h"
#include "mail/digest.h"

#include <stdlib.h>

/*
 * True where a copy into the trash is the message of a pair. It is known by less than V1 asks for:
 * what has no Message-ID is known by size and date, for at worst a message that was deleted is in
 * the trash no more.
 */
static bool is_in_trash(const struct op *copy, const struct pair *pair)
{
	const struct identity found = plan_identity(copy);

	if (found.has_digest)
		return digest_equal(&found.digest, &pair->digest);
	if (found.email_id && pair->email_id)
		return found.email_id == pair->email_id;
	return found.size == pair->size && found.date == pair->date &&
	       found.message_id == pair->message_id;
}

/* A copy into the trash that no deletion has taken yet, and that is this message; or its len. */
static size_t find_in_trash(const struct plan *trash, const bool *taken, enum side side,
			    const struct pair *pair)
{
	size_t i = 0;

	while (i < trash->len &&
	       (trash->ops[i].kind != OP_COPY || trash->ops[i].side != side ||
		trash->ops[i].blocked || taken[i] || !is_in_trash(&trash->ops[i], pair)))
		i++;
	return i;
}

/* One mailbox's part of V5. */
static void remove_what_is_in_trash(const struct planner_box *box, const struct plan *trash,
				    bool *taken, enum side side)
{
	for (size_t i = 0; i < box->plan->len; i++) {
		struct op *op = &box->plan->ops[i];
		if (op->kind != OP_TRASH || op->side != side || op->blocked)
			continue;
		const struct pair *pair = planner_pair(&box->input, op->uid);
		size_t copy = pair ? find_in_trash(trash, taken, side, pair) : trash->len;
		if (copy == trash->len)
			continue;
		taken[copy] = true;
		op->kind = OP_REMOVE;
		op->rule = RULE_V5_TRASH;
	}
}

/*
 * V5: what a user moved to the trash comes there as a new message, and may have been too little
 * known to be seen as a move (V1). It is copied to the trash of the other side then; to move it
 * there as a deletion, too, would make it two, so where it was it is only removed.
 */
void planner_trash(const struct planner_box *boxes, size_t len, size_t trash, enum side side)
{
	const struct plan *plan = boxes[trash].plan;
	bool *taken = xcalloc(plan->len + 1, sizeof(*taken));

	for (size_t i = 0; i < len; i++)
		remove_what_is_in_trash(&boxes[i], plan, taken, side);
	free(taken);
}
