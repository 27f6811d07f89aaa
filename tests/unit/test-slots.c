// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT 5000u

/* Few values, so that many collide. */
static uint32_t hash_of(uint32_t value)
{
	return value * 7 % 1000 * (UINT32_MAX / 1000);
}

/* The slot of a value, which is its own index. */
static uint32_t *find(const struct slots *slots, uint32_t value)
{
	uint32_t *slot;

	for (size_t at = slots_begin(slots, hash_of(value));
	     (slot = slots_next(slots, &at)) != NULL;)
		if (slots_index(slot) == value)
			break;
	return slot;
}

static void test_empty(void **state)
{
	struct slots slots = {0};

	(void)state;
	assert_null(find(&slots, 0));
	assert_true(slots_are_full(&slots));
	slots_free(&slots);
}

/* What is put in is found until it is taken out, whatever collides with it. */
static void test_add_and_remove(void **state)
{
	struct slots slots = {0};

	(void)state;
	for (uint32_t value = 0; value < COUNT; value++) {
		if (slots_are_full(&slots)) {
			slots_reset(&slots, value + 1);
			for (uint32_t old = 0; old < value; old++)
				slots_add(&slots, hash_of(old), old);
		}
		assert_null(find(&slots, value));
		slots_add(&slots, hash_of(value), value);
	}
	assert_true(slots.used == COUNT && slots.cap > COUNT / 3 * 4 && slots.cap < 2 * COUNT);
	for (uint32_t value = 0; value < COUNT; value += 2)
		slots_remove(find(&slots, value));
	for (uint32_t value = 0; value < COUNT; value++)
		assert_true((find(&slots, value) != NULL) == value % 2);
	slots_add(&slots, hash_of(2), 2);
	assert_non_null(find(&slots, 2));
	slots_reset(&slots, COUNT);
	size_t cap = slots.cap;
	slots_add(&slots, hash_of(1), 1);
	slots_reset(&slots, COUNT);
	assert_true(slots.cap == cap && slots.used == 0 && !find(&slots, 1));
	slots_free(&slots);
	assert_null(slots.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_add_and_remove),
	};

	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
