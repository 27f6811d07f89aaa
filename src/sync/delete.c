// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/delete.h"

#include "base/log.h"
#include "base/text.h"
#include "mail/mailbox-name.h"
#include "sync/subscribe.h"

#include <errno.h>

/* True where nothing speaks against it any more. */
static bool is_due(const struct box *box, enum side side)
{
	return box->active && !box->undone && box->error.kind == ERROR_NONE &&
	       plan_count(&box->plan, OP_DELETE, side);
}

/* True where the mailbox has others below it on that side. */
static bool has_children(const struct channel *channel, const struct box *box, enum side side)
{
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *other = &channel->boxes[i];
		if (other->exists[side] && mailbox_name_is_below(other->at[side], box->at[side]))
			return true;
	}
	return false;
}

/*
 * One request has ended. Something may have come into the mailbox meanwhile, also from this run's
 * own deletions where it is the trash: the next run sees to it. Some servers keep a mailbox as long
 * as there are others below it.
 */
static void end_deletion(struct channel *channel, struct box *box, enum side side,
			 const struct answer *answer)
{
	if (answer->error.kind == ERROR_NONE) {
		box->exists[side] = false;
		box->over = true;
		box->tally.deleted[side]++;
		if (side == REMOTE)
			subscribe_wish(channel, box->at[REMOTE], false);
		return;
	}
	box->undone = true;
	if (answer->error.sys == ENOTEMPTY)
		log_info("mailbox %s: it stays, for something is in it by now",
			 text_show(box->name));
	else if (answer->error.kind == ERROR_REFUSED && !answer->error.sys &&
		 has_children(channel, box, side))
		log_info("mailbox %s: it stays as long as there are others below it: %s",
			 text_show(box->name), answer->error.text);
	else
		box_fail(box, &answer->error);
}

int delete_apply(struct channel *channel, enum side side, struct error *err)
{
	struct store *store = channel->setup.stores[side];
	struct answer answer;
	int rc = 0;

	for (size_t i = channel->len; i-- > 0 && !rc;) {
		struct box *box = &channel->boxes[i];
		const struct request request = {
		    .kind = REQUEST_DELETE, .ticket = i, .mailbox = box->at[side]};
		if (!is_due(box, side))
			continue;
		if (channel->held_back[side])
			box->undone = true;
		else
			rc = store_submit(store, &request, err);
	}
	while (!rc && (rc = store_next(store, &answer, err)) == 1) {
		rc = 0;
		if (answer.kind == ANSWER_DONE)
			end_deletion(channel, &channel->boxes[answer.ticket], side, &answer);
	}
	return rc;
}
