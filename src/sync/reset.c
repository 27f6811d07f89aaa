// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/reset.h"

#include "base/log.h"
#include "base/text.h"
#include "sync/head.h"

#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct pair *)a)->name, ((const struct pair *)b)->name);
}

void reset_box(const struct channel *channel, struct box *box, const char *why)
{
	size_t len;
	const struct pair *pairs = journal_pairs(box->journal, &len);

	log_warn("%s: mailbox %s: %s; its %zu messages are matched anew, none is deleted or "
		 "doubled",
		 channel->setup.name, text_show(box->name), why, len);
	box->survey.former = arena_alloc(&box->arena, (len + 1) * sizeof(*box->survey.former));
	box->survey.former_len = len;
	for (size_t i = 0; i < len; i++) {
		box->survey.former[i] = pairs[i];
		box->survey.former[i].name = arena_strdup(&box->arena, pairs[i].name);
	}
	qsort(box->survey.former, len, sizeof(*box->survey.former), compare_names);
	journal_reset(box->journal);
	for (enum side side = LOCAL; side < SIDES; side++)
		box->survey.scan[side] = box->exists[side];
}

const struct pair *reset_former(const struct box *box, const char *name)
{
	const struct pair wanted = {.name = name};

	return box->survey.former_len ? bsearch(&wanted, box->survey.former, box->survey.former_len,
						sizeof(*box->survey.former), compare_names)
				      : NULL;
}

/* Why the journal's UIDs cannot be trusted against this stamp, or NULL where they can. */
static const char *distrust(const struct journal_head *head, const struct stamp *now)
{
	if (!head->uidvalidity || !now->uidvalidity)
		return NULL;
	if (head->uidvalidity != now->uidvalidity)
		return "the server gave it a new UIDVALIDITY";
	if (now->uidnext && now->uidnext < head->uidnext)
		return "the server's UIDNEXT went back (restored from a backup?)";
	if (now->modseq && now->modseq < head->highestmodseq)
		return "the server's HIGHESTMODSEQ went back (restored from a backup?)";
	return NULL;
}

bool reset_if_distrusted(const struct channel *channel, struct box *box, const struct stamp *now)
{
	const struct journal_head *head = journal_head(box->journal);
	const char *why = box->survey.former ? NULL : distrust(head, now);

	if (!box->survey.former && head_is_of_another(channel, box))
		why = "\"map\" names another mailbox of the server for it";

	if (why)
		reset_box(channel, box, why);
	return why != NULL;
}
