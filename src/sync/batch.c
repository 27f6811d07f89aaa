// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/batch.h"

#include "base/alloc.h"
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

/* Orders operations by their change, then by UID or name. */
static int compare_ops(const void *a, const void *b)
{
	const struct op *x = *(const struct op *const *)a, *y = *(const struct op *const *)b;

	if (x->add.bits != y->add.bits)
		return x->add.bits < y->add.bits ? -1 : 1;
	if (x->remove.bits != y->remove.bits)
		return x->remove.bits < y->remove.bits ? -1 : 1;
	if (x->add.keywords != y->add.keywords)
		return x->add.keywords < y->add.keywords ? -1 : 1;
	if (x->remove.keywords != y->remove.keywords)
		return x->remove.keywords < y->remove.keywords ? -1 : 1;
	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return x->name && y->name ? strcmp(x->name, y->name) : 0;
}

/* Begins a new batch where the change differs from the last one's. */
static struct batch *batch_for(struct batch_list *list, const struct op *op)
{
	struct batch *last = list->len ? &list->batches[list->len - 1] : NULL;

	if (last && flags_equal(last->add, op->add) && flags_equal(last->remove, op->remove))
		return last;
	last = array_push(list->batches, list->len, list->cap);
	*last = (struct batch){.add = op->add, .remove = op->remove};
	return last;
}

void batch_build(const struct plan *plan, enum op_kind kind, enum side side, struct batch_list *out)
{
	size_t count = plan_count(plan, kind, side), len = 0;
	const struct op **ops = xcalloc(count + 1, sizeof(*ops));

	*out = (struct batch_list){.keys = xcalloc(count + 1, sizeof(*out->keys))};
	for (size_t i = 0; i < plan->len; i++) {
		const struct op *op = &plan->ops[i];
		if (op->kind == kind && op->side == side && !op->blocked)
			ops[len++] = op;
	}
	qsort(ops, len, sizeof(*ops), compare_ops);
	for (size_t i = 0; i < len; i++) {
		struct batch *batch = batch_for(out, ops[i]);
		if (!batch->count)
			batch->keys = &out->keys[i];
		out->keys[i] = side == REMOTE ? (struct message_key){.uid = ops[i]->uid}
					      : (struct message_key){.name = ops[i]->name};
		batch->count++;
	}
	free(ops);
}

void batch_free(struct batch_list *list)
{
	free(list->batches);
	free(list->keys);
	free(list->agreed);
	*list = (struct batch_list){0};
}
