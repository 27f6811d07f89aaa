// SPDX-License-Identifier: GPL-3.0-or-later
/* The protocol's log: literals as numbers, at every cut of the stream; nothing of a login. */
#include "base/log.h"
#include "imap/wirelog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_MAX (1u << 20)

static const struct {
	const char *received;
	const char *shown;
} streams[] = {
    {"* OK hi\r\n", "S: * OK hi\n"},
    {"* OK bare\nE1 OK\r\n", "S: * OK bare\nS: E1 OK\n"},
    {"* 1 FETCH (BODY[] {5}\r\na\r\nb\n UID 7)\r\nE1 OK\r\n",
     "S: * 1 FETCH (BODY[] {5} UID 7)\nS: E1 OK\n"},
    {"* LIST () \"/\" {3}\r\na}b\r\n* LIST () \"/\" {0}\r\n\r\n",
     "S: * LIST () \"/\" {3}\nS: * LIST () \"/\" {0}\nS: \n"},
    {"* X {2}\r\n{9 {1}\r\n{ {3\r\n", "S: * X {2} {1} {3\n"},
    {"* OK no {} literal {a}\r\n* OK {-1}\r\n", "S: * OK no {} literal {a}\nS: * OK {-1}\n"},
    {"* OK \x1b[1m\xff\r\n", "S: * OK \\x1B[1m\\xFF\n"},
    {"}\r\n{\r\n{}\r\n", "S: }\nS: {\nS: {}\n"},
};

/* libcurl's lines: the tag and the command's name, nothing more. */
static const struct {
	const char *sent;
	const char *shown;
} logins[] = {
    {"A001 CAPABILITY\r\n", "C: A001 CAPABILITY\n"},
    {"A002 STARTTLS\r\n", "C: A002 STARTTLS\n"},
    {"A002 LOGIN alice sesame\r\n", "C: A002 LOGIN ***\n"},
    {"A002 AUTHENTICATE PLAIN AGFsaWNlAHNlc2FtZQ==\r\n", "C: A002 AUTHENTICATE ***\n"},
    {"c2VzYW1l\r\n", "C: ***\n"},
    {"\r\n", "C: ***\n"},
    {"", "C: ***\n"},
    {"A002 sesame\r\n", "C: ***\n"},
    {"A1 B\r\n", "C: ***\n"},
    {"ABCD EFGH\r\n", "C: ***\n"},
};

/* Keeps log lines. */
static void keep(void *context, enum log_level level, const char *line)
{
	assert_int_equal(level, LOG_LEVEL_WIRE);
	buf_printf(context, "%s\n", line);
}

/* Every stream, cut in pieces of every size. */
static void test_received(void **state)
{
	struct buf shown;

	(void)state;
	buf_init(&shown, TEXT_MAX);
	log_set_sink(keep, &shown, LOG_LEVEL_WIRE);
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		size_t len = strlen(streams[i].received);

		for (size_t cut = 1; cut <= len; cut++) {
			struct imap_wirelog log;

			imap_wirelog_init(&log);
			buf_reset(&shown);
			for (size_t at = 0; at < len; at += cut)
				imap_wirelog_received(&log, streams[i].received + at,
						      cut < len - at ? cut : len - at);
			assert_string_equal(shown.data, streams[i].shown);
			imap_wirelog_free(&log);
		}
	}
	log_set_sink(NULL, NULL, LOG_LEVEL_WARN);
	buf_free(&shown);
}

/* A line at the limit is shown whole, one above is cut, and its literal is still known. */
static void test_long_line(void **state)
{
	struct imap_wirelog log;
	struct buf shown;

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		size_t len = IMAP_WIRELOG_LINE_MAX + over;
		char *line = malloc(len);

		memset(line, 'y', len);
		memcpy(line + len - 3, "{4}", 3);
		buf_init(&shown, TEXT_MAX);
		log_set_sink(keep, &shown, LOG_LEVEL_WIRE);
		imap_wirelog_init(&log);
		imap_wirelog_received(&log, line, len);
		imap_wirelog_received(&log, "\r\nzzzz\r\nE1 OK\r\n", 15);
		assert_null(strchr(shown.data, 'z'));
		assert_int_equal(strstr(shown.data, "...") != NULL, over);
		assert_non_null(strstr(shown.data, "\nS: E1 OK\n"));
		imap_wirelog_free(&log);
		log_set_sink(NULL, NULL, LOG_LEVEL_WARN);
		buf_free(&shown);
		free(line);
	}
}

/* No secret of a login. */
static void test_login(void **state)
{
	struct buf shown;

	(void)state;
	buf_init(&shown, TEXT_MAX);
	log_set_sink(keep, &shown, LOG_LEVEL_WIRE);
	for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
		buf_reset(&shown);
		imap_wirelog_login(logins[i].sent, strlen(logins[i].sent));
		assert_string_equal(shown.data, logins[i].shown);
	}
	log_set_sink(NULL, NULL, LOG_LEVEL_WARN);
	buf_free(&shown);
}

/* A command with literals, streamed or not. */
static void test_command(void **state)
{
	struct imap_command command;
	struct buf shown;

	(void)state;
	buf_init(&shown, TEXT_MAX);
	log_set_sink(keep, &shown, LOG_LEVEL_WIRE);
	imap_command_init(&command);
	imap_command_begin(&command, 4, "APPEND");
	imap_command_put_astring(&command, "a\r\nb", 4);
	imap_command_put_flags(&command, (struct flags){FLAG_SEEN});
	imap_command_put_stream(&command, 123456);
	imap_command_end(&command);
	imap_wirelog_command(&command);
	assert_string_equal(shown.data, "C: E4 APPEND {4} (\\Seen) {123456}\n");
	imap_command_free(&command);
	log_set_sink(NULL, NULL, LOG_LEVEL_WARN);
	buf_free(&shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_received),
	    cmocka_unit_test(test_long_line),
	    cmocka_unit_test(test_login),
	    cmocka_unit_test(test_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
