// SPDX-License-Identifier: GPL-3.0-or-later
/* Copies shared out among lanes: every one is given out once, near its like, and evenly. */
#include "sync/share.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB ((uint64_t)1 << 20)

struct scene {
	struct box boxes[4];
	struct channel channel;
	struct shares shares;
};

/* Boxes of so many messages of that size, to be fetched; UIDs downwards, as no plan has them. */
static void plan(struct scene *scene, const size_t *counts, uint64_t size)
{
	memset(scene, 0, sizeof(*scene));
	scene->channel.boxes = scene->boxes;
	for (size_t i = 0; i < 4 && counts[i]; i++) {
		struct box *box = &scene->boxes[scene->channel.len++];
		box->active = true;
		for (uint32_t uid = (uint32_t)counts[i]; uid > 0; uid--) {
			struct op *op = plan_add(&box->plan, OP_COPY, LOCAL, RULE_M7_COPY);
			op->uid = uid;
			op->identity.size = size;
		}
		plan_add(&box->plan, OP_COPY, LOCAL, RULE_M7_COPY)->blocked = true;
		plan_add(&box->plan, OP_COPY, REMOTE, RULE_M7_COPY);
		plan_add(&box->plan, OP_FLAG, LOCAL, RULE_M4_FLAGS);
	}
}

static void set(struct scene *scene, const size_t *counts, uint64_t size, unsigned lanes)
{
	plan(scene, counts, size);
	shares_open(&scene->shares, &scene->channel, LOCAL);
	scene->shares.lanes = lanes;
}

static void unset(struct scene *scene)
{
	shares_close(&scene->shares);
	for (size_t i = 0; i < scene->channel.len; i++)
		plan_free(&scene->boxes[i].plan);
}

static void one_lane_takes_boxes_in_their_order(void **state)
{
	const size_t counts[4] = {3, 5000, 2};
	struct scene scene;
	struct portion *portion;

	(void)state;
	set(&scene, counts, 4 * MIB, 1);
	for (size_t i = 0; i < 3; i++) {
		size_t taken = 0;
		while (taken < counts[i]) {
			portion = shares_take(&scene.shares, NULL, 47 * MIB);
			assert_ptr_equal(portion->share->box, &scene.boxes[i]);
			assert_int_equal(portion->first, taken);
			assert_in_range(portion->cost, 1, 40 * MIB);
			for (size_t k = 0; k < portion->count; k++) {
				assert_int_equal(portion->keys[k].uid, ++taken);
				assert_int_equal(portion->sizes[k], 4 * MIB);
			}
			shares_end(&scene.shares, portion);
		}
		assert_int_equal(taken, counts[i]);
	}
	assert_null(shares_take(&scene.shares, NULL, 0));
	assert_int_equal(scene.shares.left, 0);
	unset(&scene);
}

static void a_box_that_is_not_at_work_is_left_out(void **state)
{
	const size_t counts[4] = {1, 1};
	struct scene scene;

	(void)state;
	plan(&scene, counts, 1);
	scene.boxes[0].active = false;
	shares_open(&scene.shares, &scene.channel, LOCAL);
	struct portion *portion = shares_take(&scene.shares, NULL, 0);
	assert_ptr_equal(portion->share->box, &scene.boxes[1]);
	shares_end(&scene.shares, portion);
	assert_null(shares_take(&scene.shares, NULL, 0));
	assert_int_equal(scene.boxes[0].plan.len, 4); /* as it was */
	assert_int_equal(scene.boxes[1].plan.len, 3); /* what is not fetched stays in the plan */
	unset(&scene);
}

static void lanes_stay_then_spread_then_help(void **state)
{
	const size_t counts[4] = {40, 400, 40};
	struct scene scene;
	struct portion *portions[4];

	(void)state;
	set(&scene, counts, MIB, 3);
	portions[0] = shares_take(&scene.shares, NULL, 0);
	assert_ptr_equal(portions[0]->share->box, &scene.boxes[0]);
	assert_true(portions[0]->count < 40);
	portions[1] = shares_take(&scene.shares, NULL, 0);
	assert_ptr_equal(portions[1]->share->box, &scene.boxes[1]);
	assert_true(portions[1]->count < 400);
	portions[2] = shares_take(&scene.shares, portions[0]->share, 0);
	assert_ptr_equal(portions[2]->share, portions[0]->share);
	assert_int_equal(portions[2]->first, portions[0]->count);
	portions[3] = shares_take(&scene.shares, NULL, 0);
	assert_ptr_equal(portions[3]->share->box, &scene.boxes[2]);
	for (size_t i = 0; i < 4; i++)
		portions[i]->share->takers++; /* as if all were at work for ever */
	struct portion *help = shares_take(&scene.shares, NULL, 0);
	assert_ptr_equal(help->share->box, &scene.boxes[1]);
	shares_end(&scene.shares, help);
	for (size_t i = 0; i < 4; i++)
		shares_end(&scene.shares, portions[i]);
	unset(&scene);
}

static void one_lane_asks_for_no_more_than_it_needs(void **state)
{
	const size_t counts[4] = {100};
	struct scene scene;

	(void)state;
	set(&scene, counts, MIB, 1);
	assert_null(shares_take(&scene.shares, NULL, 48 * MIB));
	struct portion *portion = shares_take(&scene.shares, NULL, 48 * MIB - 1);
	assert_non_null(portion);
	shares_end(&scene.shares, portion);
	unset(&scene);
}

static void who_has_enough_leaves_the_rest_to_others(void **state)
{
	const size_t counts[4] = {100};
	struct scene scene;

	(void)state;
	set(&scene, counts, MIB, 2);
	struct portion *portion = shares_take(&scene.shares, NULL, 0);
	assert_null(shares_take(&scene.shares, NULL, 48 * MIB));
	assert_null(shares_take(&scene.shares, NULL, scene.shares.left / 2));
	struct portion *more = shares_take(&scene.shares, NULL, scene.shares.left / 2 - 1);
	assert_non_null(more);
	shares_end(&scene.shares, more);
	shares_end(&scene.shares, portion);
	unset(&scene);
}

/* Takes all with so many lanes in turn; every UID comes once, and portions never grow. */
static void check_all_given_out(unsigned lanes)
{
	const size_t counts[4] = {1000, 1, 300, 20};
	struct scene scene;
	struct portion *portion;
	size_t given = 0;
	uint32_t top[4] = {0};

	set(&scene, counts, 70000, lanes);
	const struct share *last = NULL;
	while ((portion = shares_take(&scene.shares, last, 0))) {
		size_t box = (size_t)(portion->share->box - scene.boxes);
		for (size_t i = 0; i < portion->count; i++) {
			assert_int_equal(portion->copies[i].uid, ++top[box]);
			given++;
		}
		last = portion->share;
		shares_end(&scene.shares, portion);
	}
	assert_int_equal(given, 1321);
	assert_int_equal(scene.shares.left, 0);
	unset(&scene);
}

static void every_copy_is_given_out_once(void **state)
{
	(void)state;
	for (unsigned lanes = 1; lanes <= 16; lanes++)
		check_all_given_out(lanes);
}

static void what_is_given_back_is_given_out_again(void **state)
{
	const size_t counts[4] = {6};
	struct scene scene;

	(void)state;
	set(&scene, counts, 100, 1);
	struct portion *portion = shares_take(&scene.shares, NULL, 0);
	struct copy *copies = portion->copies;
	copies[0].uid = copies[2].uid = copies[5].uid = 0; /* these came */
	shares_return(&scene.shares, portion);
	assert_int_equal(scene.shares.list[0].takers, 0);
	portion = shares_take(&scene.shares, NULL, 0);
	assert_int_equal(portion->count, 3);
	const uint32_t wanted[3] = {2, 4, 5};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(portion->keys[i].uid, wanted[i]);
		assert_int_equal(portion->copies[i].uid, wanted[i]);
	}
	assert_int_equal(portion->cost, 3 * (SHARE_MESSAGE + 100));
	for (size_t i = 0; i < 3; i++)
		portion->copies[i].uid = 0;
	shares_return(&scene.shares, portion); /* nothing is left of it */
	assert_null(shares_take(&scene.shares, NULL, 0));
	unset(&scene);
}

/* Lanes that note what they are asked for. */
struct fake {
	struct lanes lanes;
	unsigned begun, count, ended, worked;
};

static void fake_begin(struct lanes *lanes, unsigned count,
		       void (*work)(void *context, struct lane *lane), void *context)
{
	struct fake *fake = (struct fake *)lanes;
	struct lane lane = {.extra = true};

	fake->begun++;
	fake->count = count;
	work(context, &lane);
}

static void fake_end(struct lanes *lanes)
{
	((struct fake *)lanes)->ended++;
}

static void fake_work(void *context, struct lane *lane)
{
	struct fake *fake = context;

	fake->worked += lane->extra ? 100 : 1;
}

static void other_lanes_are_asked_for_where_they_pay(void **state)
{
	const struct {
		size_t count;
		uint64_t size;
		unsigned others;
	} rows[] = {
	    {15, MIB, 0}, {16, MIB, 1}, {1000, 100, 0}, {1100, 100, 1}, {33, MIB, 2}, {900, MIB, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fake fake = {{.max = 2, .begin = fake_begin, .end = fake_end}};
		const size_t counts[4] = {rows[i].count};
		struct scene scene;

		set(&scene, counts, rows[i].size, 1);
		scene.channel.setup.lanes = &fake.lanes;
		shares_run(&scene.shares, fake_work, &fake);
		assert_int_equal(fake.begun, rows[i].others > 0);
		assert_int_equal(fake.ended, rows[i].others > 0);
		assert_int_equal(fake.count, rows[i].others);
		assert_int_equal(scene.shares.lanes, 1 + rows[i].others);
		assert_int_equal(fake.worked, rows[i].others ? 102 : 1);
		unset(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_lane_takes_boxes_in_their_order),
	    cmocka_unit_test(a_box_that_is_not_at_work_is_left_out),
	    cmocka_unit_test(lanes_stay_then_spread_then_help),
	    cmocka_unit_test(one_lane_asks_for_no_more_than_it_needs),
	    cmocka_unit_test(who_has_enough_leaves_the_rest_to_others),
	    cmocka_unit_test(every_copy_is_given_out_once),
	    cmocka_unit_test(what_is_given_back_is_given_out_again),
	    cmocka_unit_test(other_lanes_are_asked_for_where_they_pay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
