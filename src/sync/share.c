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

/* For qsort(): descending, so that what is taken leaves the end of the list. */
static int compare_uids(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;

	return (x->uid < y->uid) - (x->uid > y->uid);
}

uint64_t share_cost(uint64_t size)
{
	return SHARE_MESSAGE + (size == SIZE_UNKNOWN ? SHARE_GUESS
				: size < UINT32_MAX  ? size
						     : UINT32_MAX);
}

/* What one of a box's copies costs, counted from the first that is to be taken. */
static uint64_t cost_at(const struct share *share, size_t index)
{
	return share_cost(share->copies ? copy_size(&share->copies[share->len - 1 - index])
					: share->ops[index]->identity.size);
}

/* Adds an operation to those of its box. */
static void add_op(struct share *share, const struct op *op)
{
	if (share->copies)
		share->copies[share->len++] = copy_of(op);
	else
		share->ops[share->len++] = op;
}

static bool is_wanted(const struct op *op, enum side side)
{
	return op->kind == OP_COPY && op->side == side && !op->blocked;
}

/* Collects the copies of one box. */
static void add_box(struct shares *shares, struct box *box)
{
	size_t count = box->active ? plan_count(&box->plan, OP_COPY, shares->side) : 0;
	struct share *share = &shares->list[shares->len];

	if (!count)
		return;
	*share = (struct share){.box = box};
	if (shares->side == LOCAL)
		share->copies = xcalloc(count, sizeof(*share->copies));
	else
		share->ops = xcalloc(count, sizeof(*share->ops));
	for (size_t i = 0; i < box->plan.len; i++) {
		if (!is_wanted(&box->plan.ops[i], shares->side))
			continue;
		add_op(share, &box->plan.ops[i]);
		shares->left += cost_at(share, share->len - 1);
	}
	shares->len++;
	if (shares->side == REMOTE)
		return;
	qsort(share->copies, share->len, sizeof(*share->copies), compare_uids);
	plan_drop_copies(&box->plan, LOCAL);
}

void shares_open(struct shares *shares, struct channel *channel, enum side side)
{
	*shares = (struct shares){
	    .channel = channel, .lock = PTHREAD_MUTEX_INITIALIZER, .side = side, .lanes = 1};
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
	struct lane main = {
	    .stores = {channel->setup.stores[LOCAL], channel->setup.stores[REMOTE]}};
	uint64_t paid = shares->left / shares->pays;
	unsigned others = !lanes ? 0 : paid < lanes->max ? (unsigned)paid : lanes->max;

	if (!shares->len)
		return;
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

/* What portions are measured by: with one lane nobody waits for a part of any. */
static uint64_t measure(const struct shares *shares)
{
	return shares->lanes == 1 ? LANE_PAYS : shares->pays;
}

/* Moves a portion's copies from its share's: what a first run has of them shrinks as it goes on. */
static void move_copies(struct portion *portion)
{
	struct share *share = portion->share;
	size_t left = share->len - share->next;

	portion->copies = xcalloc(portion->count, sizeof(*portion->copies));
	for (size_t i = 0; i < portion->count; i++)
		portion->copies[i] = share->copies[left + portion->count - 1 - i];
	share->copies = xreallocarray(share->copies, left + 1, sizeof(*share->copies));
}

/* Cuts the next portion off. */
static struct portion *cut(struct shares *shares, struct share *share)
{
	struct portion *portion = xcalloc(1, sizeof(*portion));
	uint64_t pays = measure(shares), most = shares->left / (4 * shares->lanes);

	if (shares->lanes == 1 || most > PORTION_MAX(pays))
		most = PORTION_MAX(pays);
	if (most < PORTION_MIN(pays))
		most = PORTION_MIN(pays);
	*portion = (struct portion){.share = share, .first = share->next};
	while (share->next < share->len && portion->cost < most) {
		portion->cost += cost_at(share, share->next++);
		portion->count++;
	}
	if (share->copies)
		move_copies(portion);
	shares->left -= portion->cost;
	return portion;
}

/* What the portion is fetched by. */
static void add_keys(struct portion *portion)
{
	if (!portion->copies)
		return;
	portion->keys = xcalloc(portion->count, sizeof(*portion->keys));
	portion->sizes = xcalloc(portion->count, sizeof(*portion->sizes));
	for (size_t i = 0; i < portion->count; i++) {
		portion->keys[i].uid = portion->copies[i].uid;
		portion->sizes[i] = copy_size(&portion->copies[i]);
	}
}

static void drop_keys(struct portion *portion)
{
	free(portion->keys);
	free(portion->sizes);
	portion->keys = NULL;
	portion->sizes = NULL;
}

/* As shares_take(), but for the lock and the keys. */
static struct portion *take(struct shares *shares, const struct share *last, uint64_t held)
{
	struct portion *portion = shares->returned;
	struct share *share;

	if (held >= HELD_ENOUGH(measure(shares)) ||
	    (held && shares->lanes > 1 && held >= shares->left / shares->lanes))
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

struct portion *shares_take(struct shares *shares, const struct share *last, uint64_t held)
{
	pthread_mutex_lock(&shares->lock);
	struct portion *portion = take(shares, last, held);
	pthread_mutex_unlock(&shares->lock);
	if (portion)
		add_keys(portion);
	return portion;
}

static void free_portion(struct portion *portion)
{
	drop_keys(portion);
	free(portion->copies);
	free(portion);
}

void shares_end(struct shares *shares, struct portion *portion)
{
	pthread_mutex_lock(&shares->lock);
	portion->share->takers--;
	pthread_mutex_unlock(&shares->lock);
	free_portion(portion);
}

/* Moves what has not come together; what is to be sent lies so. */
static void squeeze(struct portion *portion)
{
	size_t kept = 0;

	portion->cost = 0;
	for (size_t i = 0; i < portion->count; i++) {
		if (!portion->copies) {
			portion->cost += cost_at(portion->share, portion->first + i);
			kept++;
		} else if (portion->copies[i].uid) {
			portion->cost += share_cost(copy_size(&portion->copies[i]));
			portion->copies[kept++] = portion->copies[i];
		}
	}
	portion->count = kept;
}

void shares_return(struct shares *shares, struct portion *portion)
{
	squeeze(portion);
	drop_keys(portion);
	if (!portion->count) {
		shares_end(shares, portion);
		return;
	}
	pthread_mutex_lock(&shares->lock);
	portion->share->takers--;
	portion->link = shares->returned;
	shares->returned = portion;
	pthread_mutex_unlock(&shares->lock);
}

void shares_close(struct shares *shares)
{
	while (shares->returned) {
		struct portion *portion = shares->returned;
		shares->returned = portion->link;
		free_portion(portion);
	}
	for (size_t i = 0; i < shares->len; i++) {
		free(shares->list[i].ops);
		free(shares->list[i].copies);
	}
	free(shares->list);
	pthread_mutex_destroy(&shares->lock);
	if (shares->lanes > 1)
		xtrim();
}
