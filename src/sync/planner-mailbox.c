// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/planner.h"

/* True where mailboxes may be deleted on that side. */
static bool may_delete(const struct policy *policy, enum side side)
{
	return policy->change[side] & CHANGE_MAILBOXES && policy_deletes(policy, side);
}

/*
 * B4: a mailbox that both sides had is gone on one: its user deleted it, so it is deleted on the
 * other, if that is allowed. Gone on both, it is forgotten, or a later one of that name would be
 * taken for it. INBOX is always there: it cannot be deleted.
 *
 * B3: where that is not allowed, but messages may be deleted there, it is a question to the user.
 *
 * B1: a mailbox that only one side has and the journal does not know is new there: it is created
 * on the other, if mailboxes may be created there. B2: else it is left out, with its messages. So
 * it goes with a known one that holds nothing and that B4 may not delete.
 *
 * A name that holds no messages on the server (\Noselect) is no mailbox to keep even; for a local
 * mailbox of that name it is made one.
 */
enum rule planner_mailbox(const struct policy *policy, const struct planner_mailbox *mailbox,
			  enum side *missing)
{
	bool remote = mailbox->exists[REMOTE] && mailbox->selectable;
	enum side holder = mailbox->exists[LOCAL] ? LOCAL : REMOTE;

	*missing = other_side(holder);
	if (mailbox->exists[LOCAL] && remote)
		return RULE_NONE;
	if (!mailbox->exists[LOCAL] && !remote)
		return mailbox->journaled ? RULE_B4_DELETE : RULE_B2_LEAVE;
	if (mailbox->journaled && !mailbox->is_inbox && may_delete(policy, holder))
		return RULE_B4_DELETE;
	if (mailbox->journaled && mailbox->has_pairs)
		return RULE_B3_GONE;
	return policy->change[*missing] & CHANGE_MAILBOXES ? RULE_B1_CREATE : RULE_B2_LEAVE;
}

/* How many messages that the journal knows a side holds. */
static size_t count_known(const struct snapshot *snapshot)
{
	size_t count = 0;

	for (size_t i = 0; i < snapshot->known_len; i++)
		count += snapshot->known[i].present;
	return count;
}

/* How many others. */
static size_t count_fresh(const struct snapshot *snapshot)
{
	size_t count = 0;

	for (size_t i = 0; i < snapshot->fresh_len; i++)
		count += !snapshot->fresh[i].ghost;
	return count;
}

/* How many of them leave by this plan. */
static size_t count_leaving(const struct plan *plan, enum side side)
{
	return plan_count_removals(plan, side) + plan_count(plan, OP_MOVE, side);
}

/*
 * B4 holds only where nothing stays behind: whatever the journal does not know (new mail, what was
 * refused or kept before) was never on the side that deleted, so nobody there decided about it.
 * Then the mailbox stays, and is made again where it is gone (B1); but not as long as messages of
 * it are still to be deleted, which the user is asked about first (B3). Moves ask nothing: of two
 * mailboxes that each side has one of, with moves between them, the local one must be made, or they
 * wait for each other. (On the server, new UIDs could be those of pairs that are still there; what
 * both sides lost is there no more.)
 */
enum rule planner_mailbox_gone(const struct planner_input *input, enum side missing,
			       const struct plan *plan)
{
	const enum side holder = other_side(missing);
	const size_t known = count_known(input->sides[holder]);

	if (known + count_fresh(input->sides[holder]) == count_leaving(plan, holder))
		return RULE_B4_DELETE;
	if (input->policy->change[missing] & CHANGE_MAILBOXES &&
	    (!known || (missing == LOCAL && !plan_count_removals(plan, holder))))
		return RULE_B1_CREATE;
	return RULE_B3_GONE;
}

/*
 * A local INBOX that was renamed leaves none, but there is always one. Where nothing of it is to be
 * deleted on the server nobody need be asked, and it is made again (B1): what comes into it would
 * wait for that. That INBOX is gone with messages is a question all the same (B3).
 */
enum rule planner_inbox_gone(const struct policy *policy, enum side missing,
			     const struct plan *plan)
{
	const enum side holder = other_side(missing);

	if (missing == LOCAL && policy->change[missing] & CHANGE_MAILBOXES &&
	    plan_count(plan, OP_MOVE, holder) && !plan_count_removals(plan, holder))
		return RULE_B1_CREATE;
	return RULE_B3_GONE;
}

/*
 * B3 where nothing is to be deleted, for that side does not follow deletions: there is no question.
 * What is new there was never on the other side, so nobody there decided about it, and it is to
 * come there as to any mailbox.
 */
bool planner_is_awaited(const struct planner_input *input, enum side missing)
{
	const unsigned both = CHANGE_NEW | CHANGE_MAILBOXES;
	const enum side holder = other_side(missing);
	const struct policy *policy = input->policy;

	if (policy_deletes(policy, holder))
		return false;
	return (policy->change[missing] & both) == both && count_fresh(input->sides[holder]);
}
