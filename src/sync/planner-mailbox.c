// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/planner.h"

/*
 * B3: a mailbox that the journal holds pairs of is gone on one side. That may be a deletion, a
 * disk that is not mounted or a server that lost it; nothing follows from it without the user.
 *
 * B1: a mailbox that only one side has and the journal does not know is new there: it is created
 * on the other, if mailboxes may be created there. B2: else it is left out, with its messages.
 *
 * A name that holds no messages on the server (\Noselect) is no mailbox to keep even.
 */
enum rule planner_mailbox(const struct policy *policy, const struct planner_mailbox *mailbox,
			  enum side *missing)
{
	bool remote = mailbox->exists[REMOTE] && mailbox->selectable;

	*missing = mailbox->exists[LOCAL] ? REMOTE : LOCAL;
	if (mailbox->exists[LOCAL] && remote)
		return RULE_NONE;
	if (mailbox->exists[REMOTE] && !mailbox->selectable)
		return RULE_B2_LEAVE;
	if (mailbox->journaled)
		return RULE_B3_GONE;
	if (!mailbox->exists[LOCAL] && !remote)
		return RULE_B2_LEAVE;
	return policy->change[*missing] & CHANGE_MAILBOXES ? RULE_B1_CREATE : RULE_B2_LEAVE;
}
