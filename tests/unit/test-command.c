// SPDX-License-Identifier: GPL-3.0-or-later
/* The exact text of commands, and that nothing put into one can end it. */
#include "imap/command.h"

#include "imap/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* What a sender that need not wait writes; streamed bytes as "<n>". */
static void write_wire(const struct imap_command *command, struct buf *out)
{
	size_t at = 0;

	for (size_t i = 0; i < command->literals_len; i++) {
		const struct imap_literal *literal = &command->literals[i];
		char announced[IMAP_ANNOUNCE_MAX];

		assert_true(literal->at >= at && literal->at <= command->text.len);
		buf_append(out, command->text.data + at, literal->at - at);
		at = literal->at;
		buf_append(out, announced, imap_command_announce(literal, false, announced));
		if (literal->streamed) {
			buf_printf(out, "<%u>", (unsigned)literal->len);
			continue;
		}
		buf_append(out, command->text.data + at, (size_t)literal->len);
		at += (size_t)literal->len;
	}
	buf_append(out, command->text.data + at, command->text.len - at);
}

/* An empty command in place of the last one. */
static void restart(struct imap_command *command)
{
	imap_command_free(command);
	imap_command_init(command);
}

static void expect_wire(const struct imap_command *command, const char *expected)
{
	struct buf out;

	buf_init(&out, 1u << 20);
	write_wire(command, &out);
	assert_string_equal(out.data, expected);
	buf_free(&out);
}

/* FAULTS 34: what could end a line goes as a literal. */
static void strings(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *wire;
	} cases[] = {
	    {"INBOX", 5, "E1 SELECT \"INBOX\"\r\n"},
	    {"", 0, "E1 SELECT \"\"\r\n"},
	    {"a b", 3, "E1 SELECT \"a b\"\r\n"},
	    {"a\"b\\c", 5, "E1 SELECT \"a\\\"b\\\\c\"\r\n"},
	    {"{5}", 3, "E1 SELECT \"{5}\"\r\n"},
	    {" ~", 2, "E1 SELECT \" ~\"\r\n"},
	    {"a\r\nE2 DELETE b", 14, "E1 SELECT {14+}\r\na\r\nE2 DELETE b\r\n"},
	    {"\x1f", 1, "E1 SELECT {1+}\r\n\x1f\r\n"},
	    {"\x7f", 1, "E1 SELECT {1+}\r\n\x7f\r\n"},
	    {"\303\251\"", 3, "E1 SELECT {3+}\r\n\303\251\"\r\n"},
	};
	struct imap_command c;
	(void)state;

	imap_command_init(&c);
	for (size_t i = 0; i < COUNT(cases); i++) {
		restart(&c);
		imap_command_begin(&c, 1, "SELECT");
		imap_command_put_astring(&c, cases[i].bytes, cases[i].len);
		imap_command_end(&c);
		expect_wire(&c, cases[i].wire);
	}
	imap_command_free(&c);
}

static void appends(void **state)
{
	struct imap_command c;
	(void)state;

	imap_command_init(&c);
	imap_command_begin(&c, 4294967295u, "APPEND");
	imap_command_put_astring(&c, "\n", 1);
	imap_command_put_flags(&c, (struct flags){FLAG_SEEN});
	imap_command_put_date(&c, 86399);
	imap_command_put_stream(&c, 42);
	imap_command_put_flags(&c, (struct flags){0});
	imap_command_put_stream(&c, 0);
	imap_command_end(&c);
	expect_wire(&c, "E4294967295 APPEND {1+}\r\n\n (\\Seen) \" 1-Jan-1970 23:59:59 +0000\" "
			"{42+}\r\n<42> () {0+}\r\n<0>\r\n");
	assert_int_equal(c.literals_len, 3);
	assert_false(c.literals[0].streamed);
	assert_true(c.literals[1].streamed);
	imap_command_free(&c);
}

static void announcements(void **state)
{
	struct imap_literal literal = {.len = UINT64_MAX};
	char out[IMAP_ANNOUNCE_MAX];
	(void)state;

	assert_int_equal(imap_command_announce(&literal, false, out), 25);
	assert_string_equal(out, "{18446744073709551615+}\r\n");
	assert_int_equal(imap_command_announce(&literal, true, out), 24);
	assert_string_equal(out, "{18446744073709551615}\r\n");
}

static void fetch_items(void **state)
{
	static const struct {
		unsigned items;
		uint64_t since;
		const char *text;
	} cases[] = {
	    {0, 0, " (UID)"},
	    {IMAP_FETCH_FLAGS, 0, " (UID FLAGS)"},
	    {IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ, 7, " (UID FLAGS MODSEQ) (CHANGEDSINCE 7)"},
	    {IMAP_FETCH_DATE | IMAP_FETCH_SIZE | IMAP_FETCH_MESSAGE_ID, 0,
	     " (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"},
	    {IMAP_FETCH_MESSAGE_ID | IMAP_FETCH_EMAIL_ID, 0,
	     " (UID EMAILID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"},
	    {IMAP_FETCH_SIZE | IMAP_FETCH_GMAIL_ID, 0, " (UID RFC822.SIZE X-GM-MSGID)"},
	    {IMAP_FETCH_BODY | IMAP_FETCH_DATE, UINT64_MAX,
	     " (UID INTERNALDATE BODY.PEEK[]) (CHANGEDSINCE 18446744073709551615)"},
	};
	struct imap_command c;
	(void)state;

	imap_command_init(&c);
	for (size_t i = 0; i < COUNT(cases); i++) {
		restart(&c);
		imap_command_put_items(&c, cases[i].items, cases[i].since);
		assert_string_equal(c.text.data, cases[i].text);
	}
	imap_command_free(&c);
}

/* A set of every other UID, so that nothing merges. */
static struct uidset sparse_set(uint32_t count)
{
	struct uidset set = {0};

	for (uint32_t i = 0; i < count; i++)
		uidset_add(&set, 1000 + 2 * i);
	return set;
}

/* Chunks hold the whole set, in order, each line within its length; one more would not fit. */
static void chunks(void **state)
{
	struct uidset set = sparse_set(1000), seen = {0};
	struct imap_command c, args;
	size_t commands = 0;
	(void)state;

	imap_command_init(&c);
	imap_command_init(&args);
	imap_command_put_text(&args, "+FLAGS.SILENT");
	imap_command_put_flags(&args, (struct flags){FLAG_SEEN});
	for (size_t next = 0; next < set.len; commands++) {
		size_t before = next;

		restart(&c);
		imap_command_build_uids(&c, 1, "UID STORE", &set, &next, 200, &args);
		assert_true(next > before);
		assert_true(c.text.len <= 200);
		assert_true(next == set.len || c.text.len > 200 - strlen(",1000"));
		const char *uids = c.text.data + strlen("E1 UID STORE ");
		size_t len = strcspn(uids, " ");
		assert_int_equal(uidset_parse(&seen, uids, len, 1000), 0);
		assert_string_equal(uids + len, " +FLAGS.SILENT (\\Seen)\r\n");
	}
	assert_int_equal(uidset_count(&seen), 1000);
	assert_int_equal(seen.ranges[0].first, 1000);
	assert_in_range(commands, 30, 35);
	imap_command_free(&c);
	imap_command_free(&args);
	uidset_free(&set);
	uidset_free(&seen);
}

/* What a literal holds is not part of the line, and a line too short still takes one range. */
static void chunks_with_literals(void **state)
{
	struct uidset set = sparse_set(2);
	char name[2048];
	struct imap_command c, args;
	size_t next = 0;
	(void)state;

	memset(name, 0x80, sizeof(name));
	imap_command_init(&c);
	imap_command_init(&args);
	imap_command_put_astring(&args, name, sizeof(name));
	imap_command_build_uids(&c, 12, "UID COPY", &set, &next, 100, &args);
	assert_int_equal(next, 2);
	assert_int_equal(c.literals_len, 1);
	assert_int_equal(c.literals[0].at, strlen("E12 UID COPY 1000,1002 "));
	assert_int_equal(c.literals[0].len, sizeof(name));
	assert_memory_equal(c.text.data + c.literals[0].at, name, sizeof(name));
	assert_string_equal(c.text.data + c.literals[0].at + sizeof(name), "\r\n");

	next = 0;
	restart(&c);
	imap_command_build_uids(&c, 1, "UID EXPUNGE", &set, &next, 1, NULL);
	expect_wire(&c, "E1 UID EXPUNGE 1000\r\n");
	assert_int_equal(next, 1);
	restart(&c);
	imap_command_build_uids(&c, 2, "UID EXPUNGE", &set, &next, 1, NULL);
	expect_wire(&c, "E2 UID EXPUNGE 1002\r\n");
	assert_int_equal(next, 2);
	imap_command_free(&c);
	imap_command_free(&args);
	uidset_free(&set);
}

/* The longest name that a line can bring goes out whole. */
static void longest_name(void **state)
{
	size_t len = 1u << 20;
	char *name = malloc(len);
	struct imap_command c;
	(void)state;

	assert_non_null(name);
	memset(name, '"', len);
	imap_command_init(&c);
	imap_command_begin(&c, 1, "STATUS");
	imap_command_put_astring(&c, name, len);
	imap_command_put_text(&c, "(MESSAGES)");
	imap_command_end(&c);
	assert_int_equal(c.text.len, strlen("E1 STATUS \"\" (MESSAGES)\r\n") + 2 * len);
	imap_command_free(&c);
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(strings),       cmocka_unit_test(appends),
	    cmocka_unit_test(announcements), cmocka_unit_test(fetch_items),
	    cmocka_unit_test(chunks),        cmocka_unit_test(chunks_with_literals),
	    cmocka_unit_test(longest_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
