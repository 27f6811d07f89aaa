// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/head.h"

#include "mail/digest.h"

#include <string.h>

struct stamp head_stamp(const struct journal_head *head, enum side side)
{
	if (side == LOCAL)
		return (struct stamp){
		    .cur_ns = head->cur_ns, .new_ns = head->new_ns, .inode = head->inode};
	return (struct stamp){.uidvalidity = head->uidvalidity,
			      .uidnext = head->uidnext,
			      .messages = head->remote_messages,
			      .modseq = head->highestmodseq,
			      .mailbox_id = head->mailbox_id};
}

/* The bits of head_terms that tell the server's name. */
#define TERMS_NAME 0xffffe000u

uint32_t head_terms(const struct channel *channel, const struct box *box)
{
	const struct policy *policy = &channel->setup.policy;
	const char *remote = box->wanted[REMOTE];
	uint32_t name = strcmp(box->name, remote) != 0
			    ? (uint32_t)digest_hash_id(remote, strlen(remote)) & TERMS_NAME
			    : 0;

	return name | 1u << 12 | (unsigned)policy->deletion[REMOTE] << 10 |
	       (unsigned)policy->deletion[LOCAL] << 8 | policy->change[REMOTE] << 4 |
	       policy->change[LOCAL];
}

bool head_is_of_another(const struct channel *channel, const struct box *box)
{
	const struct journal_head *head = journal_head(box->journal);

	return !box->renamed.from && head->policy && (box->exists[LOCAL] || box->exists[REMOTE]) &&
	       (head->policy ^ head_terms(channel, box)) & TERMS_NAME;
}

struct journal_head head_of(const struct channel *channel, const struct box *box)
{
	const struct stamp *local = &box->sides[LOCAL].stamp, *remote = &box->sides[REMOTE].stamp;

	return (struct journal_head){
	    .uidvalidity = remote->uidvalidity,
	    .uidnext = remote->uidnext,
	    .highestmodseq = remote->modseq,
	    .remote_messages = remote->messages,
	    .mailbox_id = remote->mailbox_id ? remote->mailbox_id : box->listed[REMOTE].mailbox_id,
	    .cur_ns = local->cur_ns,
	    .new_ns = local->new_ns,
	    .inode = local->inode,
	    .policy = head_terms(channel, box),
	    .even = true};
}
