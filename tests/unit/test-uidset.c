// SPDX-License-Identifier: GPL-3.0-or-later
/* UID sets: merged ranges whatever the order, and the sequence-set syntax at its bounds. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/uidset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL 130

/* Ranges ascend and neither overlap nor touch. */
static void assert_sound(const struct uidset *set)
{
	for (size_t i = 0; i < set->len; i++) {
		assert_true(set->ranges[i].first >= 1);
		assert_true(set->ranges[i].first <= set->ranges[i].last);
		if (i > 0)
			assert_true(set->ranges[i].first > (uint64_t)set->ranges[i - 1].last + 1);
	}
}

/* Holds the whole set, written out, against text. */
static void assert_set(const struct uidset *set, const char *text)
{
	struct buf out;
	size_t next = 0;

	assert_sound(set);
	buf_init(&out, 65536);
	uidset_format(set, &next, 65536, &out);
	assert_int_equal(next, set->len);
	assert_string_equal(out.data, text);
	buf_free(&out);
}

static void parses(void **state)
{
	static const struct {
		const char *text, *set; /* set NULL: malformed */
	} cases[] = {
	    {"1", "1"},
	    {"1,3:5,9:7", "1,3:5,7:9"},
	    {"5:5", "5"},
	    {"2,1", "1:2"},
	    {"1:3,4:6", "1:6"},
	    {"1:3,3:6", "1:6"},
	    {"1:3,5:6", "1:3,5:6"},
	    {"1:10,3:4", "1:10"},
	    {"3:4,1:10", "1:10"},
	    {"9,7,5,3,1", "1,3,5,7,9"},
	    {"7,7,7", "7"},
	    {"4294967295", "4294967295"},
	    {"4294967294:4294967295,1", "1,4294967294:4294967295"},
	    {"4294967295:1", "1:4294967295"},
	    {"4294967296", NULL},
	    {"1:4294967296", NULL},
	    {"18446744073709551617", NULL},
	    {"99999999999999999999999999", NULL},
	    {"", NULL},
	    {"0", NULL},
	    {"0:5", NULL},
	    {"5:0", NULL},
	    {"01", NULL},
	    {"1,", NULL},
	    {",1", NULL},
	    {"1,,2", NULL},
	    {"1:", NULL},
	    {":1", NULL},
	    {"1::2", NULL},
	    {"1:2:3", NULL},
	    {"*", NULL},
	    {"1:*", NULL},
	    {"*:1", NULL},
	    {"-1", NULL},
	    {"+1", NULL},
	    {" 1", NULL},
	    {"1 ", NULL},
	    {"1, 2", NULL},
	    {"1;2", NULL},
	    {"0x1", NULL},
	    {"$", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct uidset set = {0};
		int rc;

		uidset_add_range(&set, 100, 102);
		rc = uidset_parse(&set, cases[i].text, strlen(cases[i].text), 100);
		if (rc == 0)
			uidset_free(&set);
		if (rc == 0)
			assert_int_equal(
			    uidset_parse(&set, cases[i].text, strlen(cases[i].text), 100), 0);
		assert_int_equal(rc, cases[i].set != NULL ? 0 : -1);
		assert_set(&set, cases[i].set != NULL ? cases[i].set : "100:102");
		uidset_free(&set);
	}
}

static void parse_reads_len_bytes(void **state)
{
	struct uidset set = {0};

	(void)state;
	assert_int_equal(uidset_parse(&set, "12,34", 1, 10), 0);
	assert_set(&set, "1");
	assert_int_equal(uidset_parse(&set, "1\0", 2, 10), -1);
	assert_int_equal(uidset_parse(&set, "12,34", 3, 10), -1);
	assert_int_equal(uidset_parse(&set, "5,34", 4, 10), 0);
	assert_set(&set, "1,5,34"); /* added, not replaced */
	uidset_free(&set);
}

static void parse_bounds_ranges(void **state)
{
	struct uidset set = {0};

	(void)state;
	assert_int_equal(uidset_parse(&set, "1", 1, 0), -1);
	assert_int_equal(uidset_parse(&set, "1:2,4,6", 7, 3), 0);
	assert_int_equal(uidset_parse(&set, "1:2,4,6,8", 9, 3), -1);
	assert_int_equal(uidset_parse(&set, "1,2,3,4", 7, 3), -1); /* as written, not as merged */
	assert_set(&set, "1:2,4,6");
	uidset_free(&set);
}

/* Falling order must not cost the square: this would take minutes. */
static void parse_falling_order_is_quick(void **state)
{
	struct uidset set = {0};
	struct buf text;
	const uint32_t count = 300000;

	(void)state;
	buf_init(&text, 16 * 1024 * 1024);
	for (uint32_t i = count; i > 0; i--)
		buf_printf(&text, "%u%s", i * 2, i > 1 ? "," : "");
	assert_false(text.full);
	assert_int_equal(uidset_parse(&set, text.data, text.len, count), 0);
	assert_int_equal(set.len, count);
	assert_int_equal(uidset_count(&set), count);
	assert_sound(&set);
	uidset_free(&set);
	buf_free(&text);
}

static void adds_at_the_ends(void **state)
{
	struct uidset set = {0};

	(void)state;
	uidset_add(&set, 0);
	uidset_add_range(&set, 0, 0);
	assert_set(&set, "");
	assert_int_equal(uidset_count(&set), 0);
	assert_false(uidset_has(&set, 0));
	assert_false(uidset_has(&set, 1));
	assert_int_equal(uidset_after(&set, 0), 0);

	uidset_add(&set, UINT32_MAX);
	uidset_add(&set, UINT32_MAX);
	uidset_add(&set, UINT32_MAX - 1);
	uidset_add(&set, 1);
	assert_set(&set, "1,4294967294:4294967295");
	assert_true(uidset_has(&set, 1));
	assert_false(uidset_has(&set, 0));
	assert_false(uidset_has(&set, 2));
	assert_false(uidset_has(&set, UINT32_MAX - 2));
	assert_true(uidset_has(&set, UINT32_MAX - 1));
	assert_true(uidset_has(&set, UINT32_MAX));
	assert_int_equal(uidset_after(&set, 0), 1);
	assert_int_equal(uidset_after(&set, 1), UINT32_MAX - 1);
	assert_int_equal(uidset_after(&set, UINT32_MAX - 1), UINT32_MAX);
	assert_int_equal(uidset_after(&set, UINT32_MAX), 0);

	uidset_add_range(&set, 5, 0); /* 1 to 5, either order */
	assert_set(&set, "1:5,4294967294:4294967295");
	uidset_add_range(&set, UINT32_MAX, 1);
	assert_set(&set, "1:4294967295");
	assert_true(uidset_count(&set) == UINT32_MAX);
	uidset_add(&set, 17);
	assert_set(&set, "1:4294967295");

	uidset_clear(&set);
	assert_set(&set, "");
	uidset_add(&set, 3);
	assert_set(&set, "3");
	uidset_free(&set);
	uidset_add(&set, 4);
	assert_set(&set, "4");
	uidset_free(&set);
}

static void ascending_uids_are_one_range(void **state)
{
	struct uidset set = {0};

	(void)state;
	for (uint32_t uid = 1; uid <= 100000; uid++)
		uidset_add(&set, uid);
	assert_set(&set, "1:100000");
	assert_int_equal(set.len, 1);
	uidset_free(&set);
}

/* Random additions against an array of booleans. */
static void agrees_with_a_model(void **state)
{
	(void)state;
	srandom(20240501);
	for (int round = 0; round < 2000; round++) {
		struct uidset set = {0};
		bool model[MODEL + 2] = {false};
		uint64_t count = 0;
		uint32_t next = 0;

		for (long n = random() % 30; n >= 0; n--) {
			uint32_t a = (uint32_t)(random() % MODEL);
			uint32_t b = random() % 2 ? a : (uint32_t)(random() % MODEL);

			if (a == b)
				uidset_add(&set, a);
			else
				uidset_add_range(&set, a, b);
			for (uint32_t uid = a < b ? a : b; uid <= (a < b ? b : a); uid++)
				model[uid] = uid > 0;
			assert_sound(&set);
		}
		for (uint32_t uid = MODEL + 1; uid > 0; uid--) {
			assert_int_equal(uidset_has(&set, uid), model[uid]);
			assert_int_equal(uidset_after(&set, uid), next);
			if (model[uid]) {
				count++;
				next = uid;
			}
		}
		assert_int_equal(uidset_after(&set, 0), next);
		assert_int_equal(uidset_count(&set), count);
		uidset_free(&set);
	}
}

/* A long set goes out in parts that are as long as allowed and together the whole. */
static void formats_in_parts(void **state)
{
	struct uidset set = {0};

	(void)state;
	srandom(7);
	for (uint32_t uid = 1; uid < 3000; uid += 2 + (uint32_t)(random() % 9)) {
		uidset_add(&set, uid);
		if (random() % 3 == 0)
			uidset_add_range(&set, uid, uid + (uint32_t)(random() % 9));
	}
	for (size_t max = 0; max < 60; max++) {
		struct uidset again = {0};
		struct buf out;

		buf_init(&out, 1024);
		for (size_t i = 0; i < set.len;) {
			size_t first = i;
			char following[32];

			buf_reset(&out);
			buf_puts(&out, "UID FETCH "); /* does not count */
			uidset_format(&set, &i, max, &out);
			assert_true(i > first);
			assert_true(out.len - 10 <= max || i == first + 1);
			if (i < set.len) {
				bool one = set.ranges[i].first == set.ranges[i].last;
				int len =
				    snprintf(following, sizeof(following), one ? ",%u" : ",%u:%u",
					     set.ranges[i].first, set.ranges[i].last);

				assert_true(out.len - 10 + (size_t)len > max);
			}
			assert_int_equal(uidset_parse(&again, out.data + 10, out.len - 10, 1024),
					 0);
		}
		assert_int_equal(again.len, set.len);
		assert_memory_equal(again.ranges, set.ranges, set.len * sizeof(*set.ranges));
		buf_free(&out);
		uidset_free(&again);
	}
	uidset_free(&set);
}

static void formats_to_the_byte(void **state)
{
	static const struct {
		size_t from, max, next;
		const char *text;
	} cases[] = {
	    {0, 0, 1, "1"},     {0, 1, 1, "1"},        {0, 4, 1, "1"},         {0, 5, 2, "1,3:5"},
	    {0, 7, 2, "1,3:5"}, {0, 8, 3, "1,3:5,77"}, {0, 99, 3, "1,3:5,77"}, {1, 0, 2, "3:5"},
	    {2, 99, 3, "77"},   {3, 99, 3, ""},
	};
	struct uidset set = {0};

	(void)state;
	assert_int_equal(uidset_parse(&set, "1,3:5,77", 8, 3), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;
		size_t next = cases[i].from;

		buf_init(&out, 100);
		uidset_format(&set, &next, cases[i].max, &out);
		assert_string_equal(out.data, cases[i].text);
		assert_int_equal(next, cases[i].next);
		buf_free(&out);
	}
	uidset_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parses),
	    cmocka_unit_test(parse_reads_len_bytes),
	    cmocka_unit_test(parse_bounds_ranges),
	    cmocka_unit_test(parse_falling_order_is_quick),
	    cmocka_unit_test(adds_at_the_ends),
	    cmocka_unit_test(ascending_uids_are_one_range),
	    cmocka_unit_test(agrees_with_a_model),
	    cmocka_unit_test(formats_in_parts),
	    cmocka_unit_test(formats_to_the_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
