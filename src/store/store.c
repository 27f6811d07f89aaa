// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/store.h"

/* A directory of another inode is another one; an inode that was not told says nothing. */
static bool is_same_directory(const struct stamp *then, const struct stamp *now)
{
	return !then->inode || !now->inode || then->inode == now->inode;
}

bool stamp_unchanged(enum side side, const struct stamp *then, const struct stamp *now)
{
	if (side == LOCAL)
		return now->cur_ns && now->new_ns && then->cur_ns == now->cur_ns &&
		       then->new_ns == now->new_ns && is_same_directory(then, now);
	return now->modseq && then->modseq == now->modseq &&
	       then->uidvalidity == now->uidvalidity && then->uidnext == now->uidnext &&
	       then->messages == now->messages;
}

void store_close(struct store **store)
{
	if (!*store)
		return;
	(*store)->ops->close(*store);
	*store = NULL;
}
