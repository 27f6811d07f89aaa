// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What is said of a run, byte by byte: as text and as JSON, whose keys and their order evenmail(1)
 * promises.
 */
#include "capture.h"
#include "cmd/note.h"
#include "cmd/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A channel with one box of each fate, as a run leaves it. */
struct scene {
	struct op ops[5];
	struct box boxes[4];
	struct channel channel;
};

static void scene_make(struct scene *scene)
{
	const uint32_t added = keywords_union(keywords_of("Work", 4), keywords_of("$Junk", 5));
	const struct op ops[] = {
	    {.kind = OP_COPY, .side = LOCAL, .rule = RULE_M7_COPY, .uid = 7, .identity.size = 1200},
	    {.kind = OP_COPY,
	     .side = REMOTE,
	     .rule = RULE_M7_COPY,
	     .name = "1.x\x1b",
	     .identity.size = SIZE_UNKNOWN},
	    {.kind = OP_FLAG,
	     .side = REMOTE,
	     .rule = RULE_M4_FLAGS,
	     .uid = 3,
	     .name = "3.x",
	     .add = {FLAG_SEEN, added},
	     .remove = {FLAG_FLAGGED | FLAG_DRAFT, keywords_of("Later", 5)}},
	    {.kind = OP_REMOVE, .side = LOCAL, .rule = RULE_M2_DELETE, .uid = 4, .blocked = true},
	    {.kind = OP_PAIR, .side = LOCAL, .rule = RULE_M6_PAIR, .uid = 5, .name = "5.x"},
	};
	const struct box boxes[] = {
	    {.name = "A",
	     .active = true,
	     .even = true,
	     .tally = {.copied = {1, 2}, .flagged = {0, 3}, .bytes = {10, 20}, .paired = 4}},
	    {.name = "B'\x1b[m",
	     .active = true,
	     .plan = {.verdict[LOCAL] = {GUARD_MANY, 30, 40}, .refused = 1}},
	    {.name = "C", .error = {.kind = ERROR_REFUSED, .text = "the server said NO"}},
	    {.name = "D", .attributes = MAILBOX_NOSELECT},
	};

	memcpy(scene->ops, ops, sizeof(ops));
	memcpy(scene->boxes, boxes, sizeof(boxes));
	scene->boxes[1].plan.ops = scene->ops;
	scene->boxes[1].plan.len = COUNT(ops);
	scene->channel =
	    (struct channel){.setup.name = "ch", .boxes = scene->boxes, .len = COUNT(boxes)};
}

/* What a whole report of that scene says on both streams. */
static enum exit_status say(const struct options *options, struct buf *out, struct buf *err_out)
{
	struct capture captures[2];
	struct report report;
	struct scene scene;
	struct error err;

	scene_make(&scene);
	capture_begin(&captures[0], stdout);
	capture_begin(&captures[1], stderr);
	report_open(&report, options);
	report_channel(&report, &scene.channel);
	error_set(&err, ERROR_LOGIN, SCOPE_STORE, "no \"entry\"");
	report_failure(&report, "other", &err);
	enum exit_status status = report_close(&report);
	capture_end(&captures[1]);
	capture_end(&captures[0]);
	*out = captures[0].said;
	*err_out = captures[1].said;
	return status;
}

#define TROUBLE(done)                                                                              \
	"evenmail: ch/B'\\x1B[m: stopped before 30 of 40 messages were deleted on the local "      \
	"side: on the remote side more than the configuration allows (safety: deletions). "        \
	"Everything else " done " done. If that is meant: evenmail sync --allow-deletions "        \
	"'ch/B'\\''\\x1B[m'\n"                                                                     \
	"evenmail: ch/B'\\x1B[m: 1 message was refused by the other side before; evenmail status " \
	"'ch/B'\\''\\x1B[m' says why, and sync --retry-refused tries again\n"                      \
	"evenmail: ch/C: the server said NO\n"                                                     \
	"evenmail: other: no \"entry\"\n"

#define TROUBLE_JSON                                                                               \
	"{\"event\":\"trouble\",\"channel\":\"ch\",\"mailbox\":\"B'\\u001B[m\","                   \
	"\"stopped_local\":{\"reason\":\"more than the configuration allows (safety: "             \
	"deletions)\",\"deletions\":30,\"of\":40},\"refused\":1}\n"                                \
	"{\"event\":\"trouble\",\"channel\":\"ch\",\"mailbox\":\"C\",\"error\":\"the server said " \
	"NO\",\"refused\":0}\n"                                                                    \
	"{\"event\":\"error\",\"channel\":\"other\",\"error\":\"no \\\"entry\\\"\","               \
	"\"status\":77}\n"

#define NOTHING                                                                            \
	"{\"created\":0,\"deleted\":0,\"renamed\":0,\"new\":0,\"copied\":0,\"flagged\":0,"      \
	"\"moved\":0,\"removed\":0}"

/* Every way to say it. */
static void test_reports(void **unused)
{
	static const struct {
		struct options options;
		const char *out;
		const char *err;
	} rows[] = {
	    /* Under cron: only what went wrong. */
	    {{0}, "", TROUBLE("was")},
	    {{.quiet = true}, "", TROUBLE("was")},
	    {{.verbose = 1},
	     "ch/A: local: 1 new; remote: 2 new, 3 flagged; 4 matched\n"
	     "3 mailboxes: 1 new here (10 B), 2 new there (20 B), 3 flagged, 0 moved, 0 removed\n",
	     TROUBLE("was")},
	    {{.modes = MODE_DRY_RUN},
	     "ch/B'\\x1B[m: local: 1 to copy; remote: 1 to copy, 1 to flag; 1 to match\n"
	     "3 mailboxes: 1 to copy here (1.2 kB), 1 to copy there, 1 to flag, 0 to move, "
	     "0 to remove\n",
	     TROUBLE("would be")},
	    {{.modes = MODE_DRY_RUN, .quiet = true}, "", TROUBLE("would be")},
	    {{.modes = MODE_DRY_RUN, .verbose = 1},
	     "ch/B'\\x1B[m: local: 1 to copy; remote: 1 to copy, 1 to flag; 1 to match\n"
	     "  M7 local  copy UID 7, 1.2 kB: new on the other side\n"
	     "  M7 remote copy 1.x\\x1B: new on the other side\n"
	     "  M4 remote flag +S +$Junk +Work -DF -Later UID 3 3.x: flags changed on the other "
	     "side\n"
	     "  M2 local  remove UID 4: deleted on the other side (stopped)\n"
	     "  M6 local  pair UID 5 5.x: both sides hold it already\n"
	     "3 mailboxes: 1 to copy here (1.2 kB), 1 to copy there, 1 to flag, 0 to move, "
	     "0 to remove\n",
	     TROUBLE("would be")},
	    {{.json = true},
	     "{\"event\":\"mailbox\",\"channel\":\"ch\",\"mailbox\":\"A\",\"local\":{\"created\":0,"
	     "\"deleted\":0,\"renamed\":0,"
	     "\"new\":1,\"copied\":0,\"flagged\":0,\"moved\":0,\"removed\":0},\"remote\":{"
	     "\"created\":0,"
	     "\"deleted\":0,\"renamed\":0,\"new\":"
	     "2,\"copied\":0,"
	     "\"flagged\":3,\"moved\":0,\"removed\":0},\"matched\":4,\"bytes\":{\"local\":10,"
	     "\"remote\":20},"
	     "\"even\":true}\n"
	     "{\"event\":\"mailbox\",\"channel\":\"ch\",\"mailbox\":\"B'\\u001B[m\","
	     "\"local\":" NOTHING ",\"remote\":" NOTHING
	     ",\"matched\":0,\"bytes\":{\"local\":0,\"remote\":0},\"even\":false}\n" TROUBLE_JSON
	     "{\"event\":\"summary\",\"status\":77,\"mailboxes\":3,\"local\":{\"created\":0,"
	     "\"deleted\":0,\"renamed\":0,"
	     "\"new\":1,\"copied\":0,\"flagged\":0,\"moved\":0,\"removed\":0},\"remote\":{"
	     "\"created\":0,"
	     "\"deleted\":0,\"renamed\":0,\"new\":"
	     "2,\"copied\":0,"
	     "\"flagged\":3,\"moved\":0,\"removed\":0},\"matched\":4,\"bytes\":{\"local\":10,"
	     "\"remote\":20},"
	     "\"uneven\":2,\"stopped\":1}\n",
	     TROUBLE("was")},
	    {{.json = true, .modes = MODE_DRY_RUN},
	     "{\"event\":\"mailbox\",\"channel\":\"ch\",\"mailbox\":\"A\",\"local\":" NOTHING
	     ",\"remote\":" NOTHING ",\"matched\":0,\"bytes\":{\"local\":0,\"remote\":0}}\n"
#define OP "{\"event\":\"op\",\"channel\":\"ch\",\"mailbox\":\"B'\\u001B[m\",\"op\":"
	     OP "\"copy\",\"side\":\"local\",\"rule\":\"M7\",\"uid\":7,\"size\":1200,"
	     "\"blocked\":false}\n" OP
	     "\"copy\",\"side\":\"remote\",\"rule\":\"M7\",\"name\":\"1.x\\u001B\","
	     "\"blocked\":false}\n" OP "\"flag\",\"side\":\"remote\",\"rule\":\"M4\",\"uid\":3,"
	     "\"name\":\"3.x\",\"add\":\"S\","
	     "\"remove\":\"DF\",\"add_keywords\":[\"$Junk\",\"Work\"],"
	     "\"remove_keywords\":[\"Later\"],\"blocked\":false}\n" OP
	     "\"remove\",\"side\":\"local\",\"rule\":\"M2\",\"uid\":4,\"blocked\":true}\n" OP
	     "\"pair\",\"side\":\"local\",\"rule\":\"M6\",\"uid\":5,\"name\":\"5.x\","
	     "\"blocked\":false}\n"
	     "{\"event\":\"mailbox\",\"channel\":\"ch\",\"mailbox\":\"B'\\u001B[m\",\"local\":{"
	     "\"created\":0,\"deleted\":0,\"renamed\":0,\"new\":1,\"copied\":0,\"flagged\":0,"
	     "\"moved\":0,\"removed\":0},"
	     "\"remote\":{"
	     "\"created\":0,\"deleted\":0,\"renamed\":0,"
	     "\"new\":1,\"copied\":0,\"flagged\":1,\"moved\":0,\"removed\":0},\"matched\":1,"
	     "\"bytes\":{"
	     "\"local\":1200,"
	     "\"remote\":0}}\n" TROUBLE_JSON "{\"event\":\"summary\",\"status\":77,\"mailboxes\":3,"
	     "\"local\":{\"created\":0,\"deleted\":0,\"renamed\":0,"
	     "\"new\":1,\"copied\":0,\"flagged\":0,\"moved\":0,\"removed\":0},\"remote\":{"
	     "\"created\":0,"
	     "\"deleted\":0,\"renamed\":0,\"new\":"
	     "1,\"copied\":0,"
	     "\"flagged\":1,\"moved\":0,\"removed\":0},\"matched\":1,\"bytes\":{\"local\":1200,"
	     "\"remote\":0},"
	     "\"uneven\":2,\"stopped\":1}\n",
	     TROUBLE("would be")},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out, err;

		assert_int_equal(say(&rows[i].options, &out, &err), STATUS_LOGIN);
		assert_string_equal(out.data, rows[i].out);
		assert_string_equal(err.data, rows[i].err);
		buf_free(&out);
		buf_free(&err);
	}
}

/* Where nothing was done, the last line does not say that all is well if it is not. */
static void test_nothing_done(void **unused)
{
	static const struct {
		struct box boxes[2];
		size_t len;
		const char *said;
	} rows[] = {
	    {{{.name = "A"}}, 1, "1 mailbox: nothing to do\n"},
	    {{{.name = "A"}, {.name = "B"}}, 2, "2 mailboxes: nothing to do\n"},
	    {{{.name = "A", .plan.verdict[LOCAL].reason = GUARD_GONE}, {.name = "B"}},
	     2,
	     "2 mailboxes: nothing else to do\n"},
	    {{{.name = "A", .error = {.kind = ERROR_IO, .text = "x"}}},
	     1,
	     "1 mailbox: nothing else to do\n"},
	};
	const struct options options = {.verbose = 1};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct box boxes[] = {rows[i].boxes[0], rows[i].boxes[1]};
		const struct channel channel = {
		    .setup.name = "ch", .boxes = boxes, .len = rows[i].len};
		struct capture captures[2];
		struct report report;

		capture_begin(&captures[0], stdout);
		capture_begin(&captures[1], stderr);
		report_open(&report, &options);
		report_channel(&report, &channel);
		report_close(&report);
		capture_end(&captures[1]);
		capture_end(&captures[0]);
		assert_string_equal(captures[0].said.data, rows[i].said);
		buf_free(&captures[0].said);
		buf_free(&captures[1].said);
	}
}

/* The status of a channel: what a box leaves raises it, and nothing lowers it. */
static void test_status(void **unused)
{
	static const struct {
		struct box box;
		enum exit_status status;
	} rows[] = {
	    {{.name = "A"}, STATUS_EVEN},
	    {{.name = "A", .undone = true}, STATUS_EVEN},
	    {{.name = "A", .plan.refused = 1}, STATUS_PART},
	    {{.name = "A", .error = {.kind = ERROR_IO, .text = "x"}}, STATUS_PART},
	    {{.name = "A", .plan.verdict[LOCAL].reason = GUARD_EMPTIED}, STATUS_SAFETY},
	    {{.name = "A", .plan.verdict[REMOTE].reason = GUARD_GONE}, STATUS_SAFETY},
	    {{.name = "A", .plan = {.verdict[REMOTE].reason = GUARD_GONE, .refused = 1}},
	     STATUS_SAFETY},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct options options = {0};
		struct box boxes[] = {rows[i].box, {.name = "B"}};
		const struct channel channel = {.setup.name = "ch", .boxes = boxes, .len = 2};
		struct capture capture;
		struct report report;

		capture_begin(&capture, stderr);
		report_open(&report, &options);
		report_channel(&report, &channel);
		enum exit_status status = report_close(&report);
		capture_end(&capture);
		buf_free(&capture.said);
		assert_int_equal(status, rows[i].status);
	}
}

/* Colors come where asked for, and each ends. */
static void test_colors(void **unused)
{
	const struct options options = {.verbose = 1, .color = COLOR_ALWAYS};
	struct buf out, err;

	(void)unused;
	say(&options, &out, &err);
	assert_ptr_equal(strstr(out.data, "\033[1mch/A\033[m: local: \033[32m1 new\033[m; remote"),
			 out.data);
	assert_ptr_equal(strstr(err.data, "\033[31mevenmail:\033[m ch/B'"), err.data);
	buf_free(&out);
	buf_free(&err);
}

/* Notes as both show them. */
static void test_notes(void **unused)
{
	static const struct {
		struct journal_note note;
		const char *text;
		const char *json;
	} rows[] = {
	    {{.kind = JOURNAL_REFUSED,
	      .side = REMOTE,
	      .uid = 9,
	      .identity.size = 5000,
	      .text = "too \"big\""},
	     "    refused: remote UID 9, 5.0 kB: too \"big\"\n",
	     "\"note\":\"refused\",\"side\":\"remote\",\"uid\":9,\"size\":5000,\"reason\":\"too "
	     "\\\"big\\\"\"}\n"},
	    {{.kind = JOURNAL_APPENDING,
	      .side = REMOTE,
	      .name = "n\n",
	      .identity.size = SIZE_UNKNOWN},
	     "    appending: remote n\\x0A\n",
	     "\"note\":\"appending\",\"side\":\"remote\",\"name\":\"n\\n\"}\n"},
	    {{.kind = JOURNAL_MOVING,
	      .side = REMOTE,
	      .uid = 1,
	      .identity.size = SIZE_UNKNOWN,
	      .text = "Trash"},
	     "    moving: remote UID 1 to Trash\n",
	     "\"note\":\"moving\",\"side\":\"remote\",\"uid\":1,\"target\":\"Trash\"}\n"},
	    {{.kind = JOURNAL_PUBLISHING,
	      .side = LOCAL,
	      .uid = 2,
	      .name = "x",
	      .identity.size = SIZE_UNKNOWN},
	     "    publishing: local UID 2 x\n",
	     "\"note\":\"publishing\",\"side\":\"local\",\"uid\":2,\"name\":\"x\"}\n"},
	};
	static const char head[] = "{\"event\":\"note\",\"channel\":\"c\",\"mailbox\":\"m\",";

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct capture capture;

		capture_begin(&capture, stdout);
		note_print(&rows[i].note);
		capture_end(&capture);
		assert_string_equal(capture.said.data, rows[i].text);
		buf_free(&capture.said);
		capture_begin(&capture, stdout);
		note_print_json("c", "m", &rows[i].note);
		capture_end(&capture);
		assert_memory_equal(capture.said.data, head, strlen(head));
		assert_string_equal(capture.said.data + strlen(head), rows[i].json);
		buf_free(&capture.said);
	}
}

/* Times are local, and none is "never". */
static void test_times(void **unused)
{
	char text[REPORT_TIME_MAX];

	(void)unused;
	report_time(0, text);
	assert_string_equal(text, "never");
	report_time(1748855433, text);
	assert_string_equal(text, "2025-06-02 09:10:33");
	report_time(INT64_MAX, text);
	assert_string_equal(text, "never");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reports), cmocka_unit_test(test_status),
	    cmocka_unit_test(test_colors),  cmocka_unit_test(test_notes),
	    cmocka_unit_test(test_times),   cmocka_unit_test(test_nothing_done),
	};

	setenv("TZ", "UTC", 1);
	unsetenv("NO_COLOR");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
