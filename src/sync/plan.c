// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/plan.h"

#include "base/alloc.h"
#include "base/array.h"

#include <stdlib.h>

static const struct {
	const char *name;
	const char *text;
} rules[] = {
    [RULE_NONE] = {"-", "nothing to decide"},
    [RULE_M1_FORGET] = {"M1", "gone on both sides"},
    [RULE_M2_DELETE] = {"M2", "deleted on the other side"},
    [RULE_M3_KEEP] = {"M3", "deleted on the other side, kept here as configured"},
    [RULE_M4_FLAGS] = {"M4", "flags changed on the other side"},
    [RULE_M5_AGREE] = {"M5", "both sides changed alike"},
    [RULE_M6_PAIR] = {"M6", "both sides hold it already"},
    [RULE_M7_COPY] = {"M7", "new on the other side"},
    [RULE_M8_LEAVE] = {"M8", "new, but not to be copied as configured"},
    [RULE_M9_REFUSED] = {"M9", "refused by the other side before"},
    [RULE_V1_MOVE] = {"V1", "moved on the other side"},
    [RULE_V2_RENAME] = {"V2", "the same message under another name or UID"},
    [RULE_V3_COPY] = {"V3", "copied from another mailbox on the other side"},
    [RULE_V4_BOTH] = {"V4", "moved to different mailboxes on both sides: both keep it"},
    [RULE_V5_TRASH] = {"V5", "moved to the trash on the other side"},
    [RULE_B1_CREATE] = {"B1", "the mailbox is new on the other side"},
    [RULE_B2_LEAVE] = {"B2", "the mailbox is not to be created as configured"},
    [RULE_B3_GONE] = {"B3", "the mailbox is gone on the other side"},
    [RULE_B4_DELETE] = {"B4", "the mailbox was deleted on the other side"},
    [RULE_B5_RENAME] = {"B5", "the mailbox was renamed on the other side"},
};

static const char *const op_names[OP_KINDS] = {
    [OP_NONE] = "none", [OP_FORGET] = "forget", [OP_AGREE] = "agree",   [OP_PAIR] = "pair",
    [OP_FLAG] = "flag", [OP_COPY] = "copy",     [OP_REMOVE] = "remove", [OP_TRASH] = "trash",
    [OP_CLONE] = "clone",
    [OP_MOVE] = "move", [OP_CREATE] = "create", [OP_DELETE] = "delete",
    [OP_RENAME] = "rename",
};

const char *rule_name(enum rule rule)
{
	return rules[rule].name;
}

const char *rule_text(enum rule rule)
{
	return rules[rule].text;
}

const char *op_name(enum op_kind kind)
{
	return op_names[kind];
}

const char *guard_reason_text(enum guard_reason reason)
{
	static const char *const texts[] = {
	    [GUARD_FINE] = "nothing",
	    [GUARD_EMPTIED] = "it looks emptied",
	    [GUARD_MANY] = "more than the configuration allows (safety: deletions)",
	    [GUARD_GONE] = "the mailbox itself is gone",
	};

	return texts[reason];
}

/* The new operation is all zeros but for what is given. */
struct op *plan_add(struct plan *plan, enum op_kind kind, enum side side, enum rule rule)
{
	struct op *op = array_push(plan->ops, plan->len, plan->cap);

	*op = (struct op){.kind = kind, .side = side, .rule = rule};
	return op;
}

/* Size and date alone, which is what a server tells unasked, take no room of their own. */
void plan_identify(struct plan *plan, struct op *op, const struct identity *identity)
{
	struct identity *rest = NULL;

	if (identity->has_message_id || identity->has_digest || identity->message_id ||
	    identity->email_id) {
		rest = arena_alloc(&plan->arena, sizeof(*rest));
		*rest = *identity;
	}
	op->identity = (struct op_identity){identity->size, identity->date, rest};
}

struct identity plan_identity(const struct op *op)
{
	if (op->identity.rest)
		return *op->identity.rest;
	return (struct identity){.size = op->identity.size, .date = op->identity.date};
}

size_t plan_count(const struct plan *plan, enum op_kind kind, enum side side)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->len; i++)
		count +=
		    plan->ops[i].kind == kind && plan->ops[i].side == side && !plan->ops[i].blocked;
	return count;
}

size_t plan_count_removals(const struct plan *plan, enum side side)
{
	return plan_count(plan, OP_REMOVE, side) + plan_count(plan, OP_TRASH, side);
}

bool op_is_stray(const struct op *op)
{
	return op->kind == OP_MOVE && (op->side == LOCAL ? !op->uid : !op->name);
}

bool op_removes(const struct op *op, enum side side)
{
	return (op->kind == OP_REMOVE || op->kind == OP_TRASH) && op->side == side;
}

/* The memory goes, too: a first run has nothing but copies. */
void plan_drop_copies(struct plan *plan, enum side side)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->len; i++) {
		const struct op *op = &plan->ops[i];
		if (op->kind != OP_COPY || op->side != side || op->blocked)
			plan->ops[kept++] = *op;
	}
	plan->len = plan->cap = kept;
	plan->ops = xreallocarray(plan->ops, kept ? kept : 1, sizeof(*plan->ops));
}

void plan_free(struct plan *plan)
{
	free(plan->ops);
	arena_free(&plan->arena);
	plan->ops = NULL;
	plan->len = plan->cap = 0;
}
