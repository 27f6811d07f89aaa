// SPDX-License-Identifier: GPL-3.0-or-later
/* Operations put together: as few batches as there are changes, keys ascending, nothing left out.
 */
#include "sync/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Adds one FLAG. */
static struct op *add_flag(struct plan *plan, enum side side, uint32_t uid, const char *name,
			   uint32_t add, uint32_t remove)
{
	struct op *op = plan_add(plan, OP_FLAG, side, RULE_M4_FLAGS);

	op->uid = uid;
	op->name = name;
	op->add.bits = add;
	op->remove.bits = remove;
	return op;
}

static void makes_nothing_of_nothing(void **state)
{
	struct plan plan = {0};
	struct batch_list list;

	(void)state;
	batch_build(&plan, OP_FLAG, REMOTE, &list);
	assert_int_equal(list.len, 0);
	batch_free(&list);
}

static void takes_only_what_is_asked_for(void **state)
{
	struct plan plan = {0};
	struct batch_list list;

	(void)state;
	add_flag(&plan, REMOTE, 1, "a", FLAG_SEEN, 0);
	add_flag(&plan, LOCAL, 2, "b", FLAG_SEEN, 0);
	add_flag(&plan, REMOTE, 3, "c", FLAG_SEEN, 0)->blocked = true;
	plan_add(&plan, OP_REMOVE, REMOTE, RULE_M2_DELETE)->uid = 4;
	batch_build(&plan, OP_FLAG, REMOTE, &list);
	assert_int_equal(list.len, 1);
	assert_int_equal(list.batches[0].count, 1);
	assert_int_equal(list.batches[0].keys[0].uid, 1);
	assert_null(list.batches[0].keys[0].name);
	batch_free(&list);
	batch_build(&plan, OP_FLAG, LOCAL, &list);
	assert_int_equal(list.len, 1);
	assert_int_equal(list.batches[0].keys[0].uid, 0);
	assert_string_equal(list.batches[0].keys[0].name, "b");
	batch_free(&list);
	batch_build(&plan, OP_REMOVE, REMOTE, &list);
	assert_int_equal(list.len, 1);
	assert_int_equal(list.batches[0].keys[0].uid, 4);
	batch_free(&list);
	plan_free(&plan);
}

/* The same change is one batch, however the messages came; another in any flag is another. */
static void groups_by_the_change(void **state)
{
	static const struct {
		uint32_t uid, add, remove;
	} ops[] = {
	    {9, FLAG_SEEN, 0}, {4, 0, FLAG_SEEN}, {2, FLAG_SEEN, 0},  {7, FLAG_SEEN, FLAG_DRAFT},
	    {5, FLAG_SEEN, 0}, {1, 0, FLAG_SEEN}, {3, FLAG_DRAFT, 0}, {8, FLAG_SEEN, FLAG_DRAFT},
	};
	static const uint32_t expected[] = {1, 4, 3, 2, 5, 9, 7, 8};
	static const size_t counts[] = {2, 1, 3, 2};
	struct plan plan = {0};
	struct batch_list list;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		add_flag(&plan, REMOTE, ops[i].uid, "name", ops[i].add, ops[i].remove);
	batch_build(&plan, OP_FLAG, REMOTE, &list);
	assert_int_equal(list.len, 4);
	size_t at = 0;
	for (size_t i = 0; i < list.len; i++) {
		assert_int_equal(list.batches[i].count, counts[i]);
		for (size_t k = 0; k < counts[i]; k++)
			assert_int_equal(list.batches[i].keys[k].uid, expected[at++]);
	}
	assert_int_equal(list.batches[0].remove.bits, FLAG_SEEN);
	assert_int_equal(list.batches[0].add.bits, 0);
	assert_int_equal(list.batches[3].add.bits, FLAG_SEEN);
	assert_int_equal(list.batches[3].remove.bits, FLAG_DRAFT);
	batch_free(&list);
	plan_free(&plan);
}

static void orders_names(void **state)
{
	struct plan plan = {0};
	struct batch_list list;

	(void)state;
	add_flag(&plan, LOCAL, 0, "c", FLAG_SEEN, 0);
	add_flag(&plan, LOCAL, 0, "a", FLAG_SEEN, 0);
	add_flag(&plan, LOCAL, 0, "b", FLAG_SEEN, 0);
	batch_build(&plan, OP_FLAG, LOCAL, &list);
	assert_int_equal(list.len, 1);
	assert_string_equal(list.batches[0].keys[0].name, "a");
	assert_string_equal(list.batches[0].keys[1].name, "b");
	assert_string_equal(list.batches[0].keys[2].name, "c");
	batch_free(&list);
	plan_free(&plan);
}

/* The highest UIDs are no negative numbers. */
static void orders_the_whole_range(void **state)
{
	struct plan plan = {0};
	struct batch_list list;

	(void)state;
	add_flag(&plan, REMOTE, UINT32_MAX, "a", FLAG_SEEN, 0);
	add_flag(&plan, REMOTE, 1, "b", FLAG_SEEN, 0);
	add_flag(&plan, REMOTE, 0x80000000u, "c", FLAG_SEEN, 0);
	batch_build(&plan, OP_FLAG, REMOTE, &list);
	assert_int_equal(list.batches[0].keys[0].uid, 1);
	assert_int_equal(list.batches[0].keys[1].uid, 0x80000000u);
	assert_int_equal(list.batches[0].keys[2].uid, UINT32_MAX);
	batch_free(&list);
	plan_free(&plan);
}

/* Every change there is, many messages of each. */
static void takes_many(void **state)
{
	struct plan plan = {0};
	struct batch_list list;
	size_t seen = 0;

	(void)state;
	for (uint32_t i = 0; i < 64 * 500; i++)
		add_flag(&plan, REMOTE, i + 1, "name", i % 64, ~i % 64);
	batch_build(&plan, OP_FLAG, REMOTE, &list);
	assert_int_equal(list.len, 64);
	for (size_t i = 0; i < list.len; i++) {
		const struct batch *batch = &list.batches[i];
		assert_int_equal(batch->count, 500);
		seen += batch->count;
		for (size_t k = 0; k < batch->count; k++) {
			assert_int_equal((batch->keys[k].uid - 1) % 64, batch->add.bits);
			if (k)
				assert_true(batch->keys[k].uid > batch->keys[k - 1].uid);
		}
	}
	assert_int_equal(seen, 64 * 500);
	batch_free(&list);
	plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(makes_nothing_of_nothing),
	    cmocka_unit_test(takes_only_what_is_asked_for),
	    cmocka_unit_test(groups_by_the_change),
	    cmocka_unit_test(orders_names),
	    cmocka_unit_test(orders_the_whole_range),
	    cmocka_unit_test(takes_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
