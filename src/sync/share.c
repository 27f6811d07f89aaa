// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/share.h"

#include "base/alloc.h"
#include "base/fault.h"

#include <stdlib.h>

#define LANE_PAYS ((uint64_t)16 << 20) /* less is done before another lane has logged in */
/* As shares of it; what a lane holds is more than a store asks for ahead. */
#define PORTION_MAX(pays) (2 * (pays))
#define PORTION_MIN(pays) ((pays) / 8)
#define HELD_ENOUGH(pays) (3 * (pays))

static int compare_uids(const void *a, const void *b)
{
	const struct op *x = *(const struct op *const *)a, *y = *(const struct op *const *)b;

	return (x->uid > y->uid) - (x->uid < y->uid);
}

uint64_t share_cost(const struct op *op)
{
	uint64_t size = op->identity.size;

	return SHARE_MESSAGE + (size == SIZE_UNKNOWN  ? SHARE_GUESS
				: size < UINT32_MAX ? size
						    : UINT32_MAX);
}

/* What a fetch is asked by. */
static void add_keys(struct share *share)
{
	qsort(share->ops, share->len, sizeof(*share->ops), compare_uids);
	share->keys = xcalloc(share->len, sizeof(*share->keys));
	share->sizes = xcalloc(share->len, sizeof(*share->sizes));
	for (size_t i = 0; i < share->len; i++) {
		share->keys[i] = (struct message_key){.uid = share->ops[i]->uid};
		share->sizes[i] = share->ops[i]->identity.size;
	}
}

/* Collects the copies of one box. */
static void add_box(struct shares *shares, struct box *box)
{
	size_t count = box->active ? plan_count(&box->plan, OP_COPY, shares->side) : 0;
	struct share *share = &shares->list[shares->len];

	if (!count)
		return;
	*share = (struct share){.box = box, .ops = xcalloc(count, sizeof(*share->ops))};
	for (size_t i = 0; i < box->plan.len; i++) {
		const struct op *op = &box->plan.ops[i];
		if (op->kind != OP_COPY || op->side != shares->side || op->blocked)
			continue;
		share->ops[share->len++] = op;
		shares->left += share_cost(op);
	}
	if (shares->side == LOCAL)
		add_keys(share);
	shares->len++;
}

void shares_open(struct shares *shares, struct channel *channel, enum side side)
{
	*shares = (struct shares){.channel = channel, .side = side, .lanes = 1};
	shares->pays = fault_bound("EVENMAIL_LANE_PAYS", LANE_PAYS);
	shares->list = xcalloc(channel->len + 1, sizeof(*shares->list));
	for (size_t i = 0; i < channel->len; i++)
		add_box(shares, &channel->boxes[i]);
}

void shares_run(struct shares *shares, void (*work)(void *context, struct lane *lane),
		void *context)
{
	struct channel *channel = shares->channel;
	struct lanes *lanes = channel->setup.lanes;
	struct lane main = {.stores = {channel->setup.stores[LOCAL], channel->setup.stores[REMOTE]}};
	uint64_t paid = shares->left / shares->pays;
	unsigned others = !lanes ? 0 : paid < lanes->max ? (unsigned)paid : lanes->max;

	shares->lanes = 1 + others;
	if (others)
		lanes->begin(lanes, others, work, context);
	work(context, &main);
	if (!others)
		return;
	lanes->end(lanes);
	work(context, &main);
}

/* The box to take from; NULL where all is taken. */
static struct share *choose(const struct shares *shares, const struct share *last)
{
	struct share *chosen = NULL;

	for (size_t i = 0; i < shares->len; i++) {
		struct share *share = &shares->list[i];
		size_t left = share->len - share->next;
		if (!left)
			continue;
		if (share == last)
			return share;
		if (!chosen || (chosen->takers && (!share->takers ||
						   left > chosen->len - chosen->next)))
			chosen = share;
	}
	return chosen;
}

/* Cuts the next portion off. With one lane nobody waits for a part of it. */
static struct portion *cut(struct shares *shares, struct share *share)
{
	struct portion *portion = xcalloc(1, sizeof(*portion));
	uint64_t most = shares->lanes == 1 ? UINT64_MAX : shares->left / (4 * shares->lanes);

	if (shares->lanes > 1 && most > PORTION_MAX(shares->pays))
		most = PORTION_MAX(shares->pays);
	if (most < PORTION_MIN(shares->pays))
		most = PORTION_MIN(shares->pays);
	*portion = (struct portion){.share = share, .first = share->next};
	while (share->next < share->len && portion->cost < most) {
		portion->cost += share_cost(share->ops[share->next++]);
		portion->count++;
	}
	shares->left -= portion->cost;
	return portion;
}

struct portion *shares_take(struct shares *shares, const struct share *last, uint64_t held)
{
	struct portion *portion = shares->returned;
	struct share *share;

	if (shares->lanes > 1 && held &&
	    (held >= HELD_ENOUGH(shares->pays) || held >= shares->left / shares->lanes))
		return NULL;
	if (portion) {
		shares->returned = portion->link;
		portion->link = NULL;
	} else {
		share = choose(shares, last);
		if (!share)
			return NULL;
		portion = cut(shares, share);
	}
	portion->share->takers++;
	return portion;
}

void shares_end(struct portion *portion)
{
	portion->share->takers--;
	free(portion);
}

/* Moves what is left together, at the portion's end. */
static void squeeze(struct portion *portion)
{
	struct share *share = portion->share;
	size_t end = portion->first + portion->count, to = end;

	portion->cost = 0;
	for (size_t i = end; i-- > portion->first;) {
		if (!share->ops[i])
			continue;
		share->ops[--to] = share->ops[i];
		portion->cost += share_cost(share->ops[i]);
		if (!share->keys)
			continue;
		share->keys[to] = share->keys[i];
		share->sizes[to] = share->sizes[i];
	}
	portion->first = to;
	portion->count = end - to;
}

void shares_return(struct shares *shares, struct portion *portion)
{
	squeeze(portion);
	if (!portion->count) {
		shares_end(portion);
		return;
	}
	portion->share->takers--;
	portion->link = shares->returned;
	shares->returned = portion;
}

void shares_close(struct shares *shares)
{
	while (shares->returned) {
		struct portion *portion = shares->returned;
		shares->returned = portion->link;
		free(portion);
	}
	for (size_t i = 0; i < shares->len; i++) {
		free(shares->list[i].ops);
		free(shares->list[i].keys);
		free(shares->list[i].sizes);
	}
	free(shares->list);
}
