// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a channel's user allows: plain values that the configuration fills and the planner reads.
 */
#ifndef MAIL_POLICY_H
#define MAIL_POLICY_H

#include "mail/side.h"

#include <stdbool.h>

/* What may change on a side; as bits. */
enum policy_change {
	CHANGE_NEW = 1u << 0,
	CHANGE_FLAGS = 1u << 1,
	CHANGE_DELETIONS = 1u << 2,
	CHANGE_MAILBOXES = 1u << 3,
};

#define CHANGE_ALL 0xfu

/* What becomes of a message on a side when the other side's user deleted it. */
enum policy_deletion {
	DELETION_EXPUNGE,
	DELETION_TRASH,
	DELETION_KEEP,
};

struct policy {
	unsigned change[SIDES]; /* of enum policy_change: [LOCAL] is pull, [REMOTE] is push */
	enum policy_deletion deletion[SIDES];
	/*
	 * More deletions than both of a mailbox are refused; percent > 100: never refused by
	 * number.
	 */
	unsigned safety_percent;
	unsigned safety_count;
	bool subscriptions; /* what is created, renamed or deleted on the server: subscribed so */
	bool link;          /* a message in several mailboxes is downloaded once */
};

/* True where deletions of the other side's user are followed on that side at all. */
static inline bool policy_deletes(const struct policy *policy, enum side side)
{
	return policy->change[side] & CHANGE_DELETIONS && policy->deletion[side] != DELETION_KEEP;
}

/* Percent and count where the user says nothing. */
#define POLICY_SAFETY_PERCENT 50
#define POLICY_SAFETY_COUNT   20

#endif
