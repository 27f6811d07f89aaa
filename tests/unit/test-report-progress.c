// SPDX-License-Identifier: GPL-3.0-or-later
/* The line of progress: what it says when, and that it is only drawn where somebody sees it. */
#include "cmd/report-progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The line at several moments. */
static void test_line(void **unused)
{
	static const struct {
		struct meter meter;
		int64_t now_ms;
		const char *want;
	} rows[] = {
	    {{.channel = "a"}, 5000, "a: looking at both sides"},
	    {{.channel = "a", .all_messages = 2, .all_bytes = 3000, .sized = true},
	     0,
	     "a: 0 of 2 messages, 0 B of 3.0 kB"},
	    {{.channel = "a", .all_messages = 2, .sized = false}, 5000, "a: 0 of 2 messages, 0 B"},
	    {{.channel = "a",
	      .messages = 1,
	      .bytes = 1000,
	      .all_messages = 2,
	      .all_bytes = 3000,
	      .sized = true},
	     999,
	     "a: 1 of 2 messages, 1.0 kB of 3.0 kB"},
	    {{.channel = "a",
	      .messages = 1,
	      .bytes = 1000,
	      .all_messages = 2,
	      .all_bytes = 3000,
	      .sized = true,
	      .began_ms = 1000},
	     2000,
	     "a: 1 of 2 messages, 1.0 kB of 3.0 kB, 1.0 kB/s, 0:02 left"},
	    {{.channel = "a", .messages = 1, .bytes = 5000, .all_messages = 101, .began_ms = 0},
	     60000,
	     "a: 1 of 101 messages, 5.0 kB, 83 B/s, 1:40:00 left"},
	    {{.channel = "a",
	      .messages = 9,
	      .bytes = 90,
	      .all_messages = 9,
	      .sized = true,
	      .all_bytes = 90},
	     9000,
	     "a: 9 of 9 messages, 90 B of 90 B, 10 B/s"},
	    {{.channel = "a",
	      .messages = 9,
	      .bytes = 99,
	      .all_messages = 10,
	      .sized = true,
	      .all_bytes = 90},
	     9000,
	     "a: 9 of 10 messages, 99 B of 90 B, 11 B/s"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf line;

		buf_init(&line, 200);
		progress_line(&rows[i].meter, rows[i].now_ms, &line);
		assert_string_equal(line.data, rows[i].want);
		buf_free(&line);
	}
}

/* The totals are those of the copies that will happen. */
static void test_expect(void **unused)
{
	struct op ops[] = {
	    {.kind = OP_COPY, .side = LOCAL, .identity.size = 100},
	    {.kind = OP_COPY, .side = REMOTE, .identity.size = 20},
	    {.kind = OP_COPY, .side = REMOTE, .identity.size = 1000, .blocked = true},
	    {.kind = OP_REMOVE, .side = REMOTE, .identity.size = 1000},
	    {.kind = OP_PAIR, .side = LOCAL, .identity.size = 1000},
	};
	struct op unsized[] = {{.kind = OP_COPY, .identity.size = SIZE_UNKNOWN}};
	struct box boxes[] = {{.plan = {.ops = ops, .len = COUNT(ops)}},
			      {.plan = {.ops = unsized, .len = 1}}};
	struct channel channel = {.boxes = boxes, .len = 1};
	const struct options options = {.no_progress = true};
	struct meter meter;

	(void)unused;
	progress_open(&meter, &options, "a");
	assert_false(meter.shown);
	progress_expect(&meter, &channel);
	assert_int_equal(meter.all_messages, 2);
	assert_int_equal(meter.all_bytes, 120);
	assert_true(meter.sized);
	meter.progress.moved(&meter.progress, LOCAL, 100);
	assert_int_equal(meter.messages, 1);
	assert_int_equal(meter.bytes, 100);
	progress_close(&meter);

	channel.len = 2;
	progress_open(&meter, &options, "a");
	progress_expect(&meter, &channel);
	assert_int_equal(meter.all_messages, 3);
	assert_false(meter.sized);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_line),
	    cmocka_unit_test(test_expect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
