// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/consult.h"

#include "base/array.h"
#include "base/order.h"

#include <stdlib.h>

/* A byte of a journal is read so many times faster than one of a message is sent. */
#define CONSULT_GAIN 16

/* How much of what is new on a side would be sent, as far as its size is known. */
static uint64_t count_new(const struct channel *channel, enum side side)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		for (size_t k = 0; box->active && k < box->sides[side].fresh_len; k++) {
			const struct fresh_message *fresh = &box->sides[side].fresh[k];
			if (!fresh->ghost && fresh->state.identity.size != SIZE_UNKNOWN)
				bytes += fresh->state.identity.size;
		}
	}
	return bytes;
}

/* True for a mailbox that is as the journal has it. */
static bool is_unchanged(const struct box *box)
{
	return !box->active && box->even && box->has_journal;
}

/* Opens the journals of unchanged mailboxes; how many bytes they hold. */
static uint64_t open_journals(struct channel *channel)
{
	uint64_t bytes = 0;
	struct error err;

	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		if (is_unchanged(box) &&
		    !journal_open(channel->setup.journals, box->name, &box->journal, &err))
			bytes += journal_size(box->journal);
	}
	return bytes;
}

/* One that cannot be read is not looked into: the next change in its mailbox tells why. */
static void load_journals(struct channel *channel, bool worthwhile)
{
	struct error err;

	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		if (!is_unchanged(box) || !box->journal)
			continue;
		if (worthwhile && !journal_load(box->journal, &err))
			box->consulted = true;
		else
			journal_close(&box->journal);
	}
}

/* True where a message was about to be sent that has no file any more: it may be elsewhere. */
static bool has_ghost(const struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		for (size_t k = 0; box->active && k < box->sides[LOCAL].fresh_len; k++)
			if (box->sides[LOCAL].fresh[k].ghost)
				return true;
	}
	return false;
}

void consult_journals(struct channel *channel)
{
	uint64_t new = count_new(channel, LOCAL) + count_new(channel, REMOTE);
	bool ghost = has_ghost(channel);

	if (new || ghost) {
		uint64_t bytes = open_journals(channel);
		load_journals(channel, ghost || bytes / CONSULT_GAIN <= new);
	}
}

/* What size and date tell of a message on the server, and the message. */
struct dated {
	uint64_t size;
	int64_t date;
	struct fresh_message *fresh;
};

static int compare_dated(const void *a, const void *b)
{
	const struct dated *x = a, *y = b;
	int order = order_u64(x->size, y->size);

	return order ? order : order_i64(x->date, y->date);
}

/* New messages on the server, sorted. */
static struct dated *list_dated(const struct channel *channel, size_t *len)
{
	struct dated *list = NULL;
	size_t cap = 0;

	*len = 0;
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		for (size_t k = 0; box->active && k < box->sides[REMOTE].fresh_len; k++) {
			struct fresh_message *fresh = &box->sides[REMOTE].fresh[k];
			const struct identity *identity = &fresh->state.identity;
			*array_push(list, *len, cap) =
			    (struct dated){identity->size, identity->date, fresh};
		}
	}
	if (*len)
		qsort(list, *len, sizeof(*list), compare_dated);
	return list;
}

/* Marks those of that size and date that no id of the server's own tells from the pair. */
static void mark_dated(struct dated *list, size_t len, const struct pair *pair)
{
	const struct dated wanted = {.size = pair->size, .date = pair->date};
	struct dated *found = bsearch(&wanted, list, len, sizeof(*list), compare_dated);

	if (!found || !pair->message_id)
		return;
	while (found > list && !compare_dated(found - 1, &wanted))
		found--;
	for (; found < list + len && !compare_dated(found, &wanted); found++)
		found->fresh->wanted |= !pair->email_id || !found->fresh->state.identity.email_id;
}

void consult_dates(struct channel *channel)
{
	size_t len, pairs_len;
	struct dated *list = channel->setup.policy.link ? list_dated(channel, &len) : NULL;

	for (size_t i = 0; list && i + 1 < len; i++)
		if (!compare_dated(&list[i], &list[i + 1]) &&
		    !list[i].fresh->state.identity.email_id)
			list[i].fresh->wanted = list[i + 1].fresh->wanted = true;
	for (size_t i = 0; list && i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		if (!box->active && !box->consulted)
			continue;
		const struct pair *pairs = journal_pairs(box->journal, &pairs_len);
		for (size_t k = 0; k < pairs_len; k++)
			mark_dated(list, len, &pairs[k]);
	}
	free(list);
}
