// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/proof.h"

#define PROOF_TICKET (UINT64_C(1) << 63) /* and the box's index: no other ticket has that bit */

int proof_submit(const struct channel *channel, size_t index, struct error *err)
{
	const struct box *box = &channel->boxes[index];
	const struct request request = {.kind = REQUEST_STATUS,
					.ticket = PROOF_TICKET | index,
					.mailbox = box->at[REMOTE],
					.at_once = true};

	if (!box->active || box->undone || box->own.others || !box->sides[REMOTE].stamp.modseq)
		return 0;
	return store_submit(channel->setup.stores[REMOTE], &request, err);
}

bool proof_take(struct channel *channel, const struct answer *answer)
{
	if (!(answer->ticket & PROOF_TICKET))
		return false;
	if (answer->kind == ANSWER_DONE && answer->error.kind == ERROR_NONE)
		channel->boxes[answer->ticket & ~PROOF_TICKET].own.stood = answer->stamp;
	return true;
}
