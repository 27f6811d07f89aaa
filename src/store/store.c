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

int store_do(struct store *store, const struct request *request, struct answer *answer,
	     struct error *err)
{
	int rc;

	if (store_submit(store, request, err))
		return -1;
	while ((rc = store_next(store, answer, err)) == 1)
		if (answer->kind == ANSWER_DONE)
			break;
	if (rc != 1)
		return rc ? -1 : error_set(err, ERROR_INTERNAL, SCOPE_FATAL, "a request was lost");
	if (answer->error.kind != ERROR_NONE) {
		*err = answer->error;
		return -1;
	}
	return 0;
}

int store_settle(struct store *store, const char *mailbox, struct error *err)
{
	const struct request request = {.kind = REQUEST_SETTLE, .mailbox = mailbox};
	struct answer answer;

	return store_do(store, &request, &answer, err);
}

void store_close(struct store **store)
{
	if (!*store)
		return;
	(*store)->ops->close(*store);
	*store = NULL;
}
