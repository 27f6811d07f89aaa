// SPDX-License-Identifier: GPL-3.0-or-later
/* FAULTS 36: the parser's bounds, each at its limit and one beyond; and what an error leaves. */
#include "parser-run.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Feeds a long text whole and in pieces of 7,001 bytes; expects the same of both. */
static void check_long(const struct buf *in, const char *out)
{
	struct parser_case c = {in->data, in->len, out};

	run_check(&c, 0, c.len);
	run_check(&c, 0, 7001);
}

static void fill(struct buf *buf, char c, size_t len)
{
	char *bytes = xmalloc(len);

	memset(bytes, c, len);
	buf_append(buf, bytes, len);
	free(bytes);
}

/* A line of text, one with a held literal, each of IMAP_LINE_MAX bytes and of one more. */
static void line_bound(void **state)
{
	(void)state;
	for (size_t over = 0; over <= 1; over++) {
		struct buf in, out;

		buf_init(&in, 4u << 20);
		buf_init(&out, 4u << 20);
		buf_puts(&in, "* BYE ");
		fill(&in, 'x', IMAP_LINE_MAX + over - strlen("* BYE \r\n"));
		buf_puts(&in, "\r\n");
		buf_puts(&out, "bye text=<");
		fill(&out, 'x', 300);
		buf_puts(&out, "...>\n");
		check_long(&in, over ? "error\n" : out.data);

		buf_reset(&in);
		size_t literal = IMAP_LINE_MAX + over - strlen("* LIST () \"/\" {1048552}\r\n\r\n");
		buf_printf(&in, "* LIST () \"/\" {%zu}\r\n", literal);
		fill(&in, 'x', literal);
		buf_puts(&in, "\r\n");
		assert_int_equal(in.len, IMAP_LINE_MAX + over);
		buf_reset(&out);
		buf_puts(&out, "list attributes=0 delimiter=/ name=<");
		fill(&out, 'x', 300);
		buf_puts(&out, "...>\n");
		check_long(&in, over ? "error\n" : out.data);
		buf_free(&in);
		buf_free(&out);
	}
}

/* A body far longer than a line, a literal's length at its bound, and a UID after it. */
static void body_bound(void **state)
{
	struct imap_answer answer;
	struct error err;
	struct buf in, body;
	(void)state;

	buf_init(&in, 4u << 20);
	buf_init(&body, 4u << 20);
	fill(&body, '\n', 3u << 20);
	buf_printf(&in, "* 1 FETCH (BODY[] {%zu}\r\n", body.len);
	buf_append(&in, body.data, body.len);
	buf_puts(&in, " UID 7)\r\n");

	struct imap_parser *parser = imap_parser_open();
	imap_parser_feed(parser, in.data, in.len);
	assert_int_equal(imap_parser_next(parser, &answer, &err), 1);
	assert_int_equal(answer.kind, IMAP_BODY_DATA);
	/* the very bytes, uncopied and in one piece */
	assert_ptr_equal(answer.data.bytes, in.data + strlen("* 1 FETCH (BODY[] {3145728}\r\n"));
	assert_int_equal(answer.data.len, body.len);
	assert_int_equal(imap_parser_next(parser, &answer, &err), 1);
	assert_int_equal(answer.kind, IMAP_FETCH);
	assert_int_equal(answer.fetch.uid, 7);
	assert_int_equal(answer.fetch.body_size, body.len);
	assert_int_equal(imap_parser_next(parser, &answer, &err), 0);
	imap_parser_close(&parser);

	parser = imap_parser_open();
	imap_parser_feed(parser, "* 1 FETCH (BODY[] {4294967295}\r\nx", 33);
	assert_int_equal(imap_parser_next(parser, &answer, &err), 1);
	assert_int_equal(answer.kind, IMAP_BODY_DATA);
	assert_int_equal(answer.fetch.body_size, IMAP_BODY_MAX);
	assert_int_equal(imap_parser_next(parser, &answer, &err), 0);
	imap_parser_close(&parser);
	buf_free(&in);
	buf_free(&body);
}

/* Nesting of IMAP_DEPTH_MAX is skipped, one more is an error, in every place that skips. */
static void depth_bound(void **state)
{
	static const struct {
		const char *before;
		const char *after;
		size_t around; /* lists around that count */
		const char *out;
	} places[] = {
	    {"* 1 FETCH (X ", " UID 2)\r\n", 1, "fetch 1 uid=2\n"},
	    {"* STATUS a (X ", ")\r\n", 0, "mailbox-status name=<a>\n"},
	    {"* LIST () \"/\" a (", ")\r\n", 0, "list attributes=0 delimiter=/ name=<a>\n"},
	    {"* ESEARCH (", ") UID\r\n", 0, "search uids=\n"},
	    {"* NAMESPACE NIL NIL ", "\r\n", 0, "namespace\n"},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(places); i++) {
		for (size_t over = 0; over <= 1; over++) {
			size_t depth = IMAP_DEPTH_MAX - places[i].around + over;
			struct buf in;

			buf_init(&in, 4096);
			buf_puts(&in, places[i].before);
			fill(&in, '(', depth);
			fill(&in, ')', depth);
			buf_puts(&in, places[i].after);
			check_long(&in, over ? "error\n" : places[i].out);
			buf_free(&in);
		}
	}
}

/* UID sets of IMAP_RANGES_MAX ranges and of one more. */
static void ranges_bound(void **state)
{
	static const char *const starts[] = {"* VANISHED ", "* ESEARCH UID ALL ", "* SEARCH ",
					     "* SEARCH "};
	(void)state;

	for (size_t i = 0; i < COUNT(starts); i++) {
		for (unsigned over = 0; over <= 1; over++) {
			unsigned count = IMAP_RANGES_MAX + over;
			struct imap_answer answer;
			struct error err = {0};
			struct buf in;

			buf_init(&in, 4u << 20);
			buf_puts(&in, starts[i]);
			/* the last kind in descending order */
			for (unsigned n = 0; n < count; n++)
				buf_printf(&in, "%s%u",
					   n == 0  ? ""
					   : i < 2 ? ","
						   : " ",
					   i == 3 ? 2 * (count - n) : 2 * n + 1);
			buf_puts(&in, "\r\n");
			struct imap_parser *parser = imap_parser_open();
			imap_parser_feed(parser, in.data, in.len);
			assert_int_equal(imap_parser_next(parser, &answer, &err), 1);
			assert_int_equal(answer.kind == IMAP_MALFORMED, over);
			if (!over)
				assert_int_equal(uidset_count(answer.uids), count);
			imap_parser_close(&parser);
			buf_free(&in);
		}
	}
}

/* An error names the place, harmlessly, and stays. */
static void error_stays(void **state)
{
	static const char in[] = "* SEARCH 1 \x1b[2J\r\n* 1 EXISTS\r\n";
	struct imap_parser *parser = imap_parser_open();
	struct imap_answer answer;
	struct error err = {0};
	(void)state;

	imap_parser_feed(parser, in, sizeof(in) - 1);
	for (int i = 0; i < 3; i++) {
		error_clear(&err);
		assert_int_equal(imap_parser_next(parser, &answer, &err), -1);
		assert_int_equal(err.kind, ERROR_PROTOCOL);
		assert_non_null(strstr(err.text, "\\x1B[2J"));
		assert_null(strchr(err.text, 0x1b));
		imap_parser_feed(parser, in, sizeof(in) - 1);
	}
	assert_int_equal(imap_parser_next(parser, &answer, NULL), -1);
	imap_parser_close(&parser);
	imap_parser_close(&parser);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(line_bound),  cmocka_unit_test(body_bound),
	    cmocka_unit_test(depth_bound), cmocka_unit_test(ranges_bound),
	    cmocka_unit_test(error_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
