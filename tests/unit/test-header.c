// SPDX-License-Identifier: GPL-3.0-or-later
/* The scan for the Message-ID: each message whole, byte by byte, and in every cut. */
#include "mail/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ID(text) header_hash_message_id(text, sizeof(text) - 1)

/* Feeds in two parts. */
static uint64_t scan_cut(const char *bytes, size_t len, size_t cut)
{
	struct header_scan scan = {0};

	header_feed(&scan, bytes, cut);
	header_feed(&scan, bytes + cut, len - cut);
	return header_message_id(&scan);
}

/* Feeds byte by byte. */
static uint64_t scan_bytewise(const char *bytes, size_t len)
{
	struct header_scan scan = {0};

	for (size_t i = 0; i < len; i++)
		header_feed(&scan, bytes + i, 1);
	return header_message_id(&scan);
}

/* The message with each CRLF as LF. */
static size_t without_cr(const char *bytes, size_t len, char *out)
{
	size_t written = 0;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != '\r')
			out[written++] = bytes[i];
	}
	return written;
}

static const struct {
	const char *message;
	const char *id; /* white space left out; NULL: none */
} rows[] = {
    {"", NULL},
    {"\r\n", NULL},
    {"Message-ID: <a@b>\r\n\r\n", "<a@b>"},
    {"Message-ID: <a@b>\r\n", "<a@b>"},
    {"Message-ID: <a@b>", "<a@b>"},
    {"Message-ID:<a@b>\r\n", "<a@b>"},
    {"message-id: <a@b>\r\n", "<a@b>"},
    {"MESSAGE-ID:\t<a@b> \t\r\n", "<a@b>"},
    {"Message-Id : <a@b>\r\n", "<a@b>"},
    {"Message-ID \t: <a@b>\r\n", "<a@b>"},
    {"Subject: x\r\nMessage-ID: <a@b>\r\nTo: y\r\n\r\nbody", "<a@b>"},
    /* folded, before, within and behind the value */
    {"Message-ID:\r\n <a@b>\r\n\r\n", "<a@b>"},
    {"Message-ID:\r\n\t\r\n <a@\r\n b>\r\n", "<a@b>"},
    {"Message-ID: <a@b>\r\n \r\nTo: y\r\n", "<a@b>"},
    /* the first one counts, an empty one too */
    {"Message-ID: <1@x>\r\nMessage-ID: <2@x>\r\n", "<1@x>"},
    {"Message-ID:\r\nMessage-ID: <2@x>\r\n", NULL},
    {"Message-ID: \r\n\r\n<2@x>", NULL},
    /* another field, or none */
    {"X-Message-ID: <a@b>\r\n", NULL},
    {"Message-IDs: <a@b>\r\n", NULL},
    {"Message-I: <a@b>\r\n", NULL},
    {"Message-ID <a@b>\r\n", NULL},
    {"Message-ID; <a@b>\r\n", NULL},
    {"Message ID: <a@b>\r\n", NULL},
    {"Resent-Message-ID: <a@b>\r\n", NULL},
    {"Message\r\n-ID: <a@b>\r\n", NULL},
    {"Message-ID\r\n: <a@b>\r\n", NULL},
    {"MMessage-ID: <a@b>\r\n", NULL},
    {"Mess\r\nMessage-ID: <a@b>\r\n", "<a@b>"},
    {"Message-ID\r\nMessage-ID: <a@b>\r\n", "<a@b>"},
    {"M\r\nm\r\nMessage-ID: <a@b>\r\n", "<a@b>"},
    /* not at the start of a line */
    {" Message-ID: <a@b>\r\n", NULL},
    {"Subject: x\r\n Message-ID: <a@b>\r\n", NULL},
    {"Subject: Message-ID: <a@b>\r\n", NULL},
    /* not behind the header */
    {"\r\nMessage-ID: <a@b>\r\n", NULL},
    {"Subject: x\r\n\r\nMessage-ID: <a@b>\r\n", NULL},
    {"Message-ID: <a@b>\r\n\r\n more", "<a@b>"},
    /* mbox's first line is one like others */
    {"From x@y Thu Jan  1 00:00:00 1970\r\nMessage-ID: <a@b>\r\n", "<a@b>"},
};

static uint64_t expected_hash(size_t row)
{
	return rows[row].id ? header_hash_message_id(rows[row].id, strlen(rows[row].id)) : 0;
}

/* CRLF and LF, whole, byte by byte, in every cut. */
static void test_table(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *message = rows[i].message;
		size_t len = strlen(message), lf_len;
		char lf[256];

		lf_len = without_cr(message, len, lf);
		for (size_t cut = 0; cut <= len; cut++)
			assert_int_equal(scan_cut(message, len, cut), expected_hash(i));
		for (size_t cut = 0; cut <= lf_len; cut++)
			assert_int_equal(scan_cut(lf, lf_len, cut), expected_hash(i));
		assert_int_equal(scan_bytewise(message, len), expected_hash(i));
		assert_int_equal(scan_bytewise(lf, lf_len), expected_hash(i));
	}
}

/* A bare CR is no end of a line, so no field starts behind it and none ends there. */
static void test_bare_cr(void **unused)
{
	static const char in_value[] = "Message-ID: <a\rTo:b>\r\n";
	static const char at_start[] = "\rMessage-ID: <a@b>\r\n";
	static const char line_before[] = "\rx\r\nMessage-ID: <a@b>\r\n";
	static const char in_other[] = "Subject: x\rMessage-ID: <a@b>\r\n";

	(void)unused;
	assert_int_equal(scan_bytewise(in_value, sizeof(in_value) - 1), ID("<aTo:b>"));
	assert_int_equal(scan_bytewise(at_start, sizeof(at_start) - 1), 0);
	assert_int_equal(scan_bytewise(line_before, sizeof(line_before) - 1), ID("<a@b>"));
	assert_int_equal(scan_bytewise(in_other, sizeof(in_other) - 1), 0);
}

static void test_nul_in_value(void **unused)
{
	static const char message[] = "Message-ID: <a\0b>\r\n";

	(void)unused;
	assert_int_equal(scan_bytewise(message, sizeof(message) - 1), ID("<a\0b>"));
	assert_int_not_equal(ID("<a\0b>"), ID("<a"));
}

/* The first 8 bytes of SHA-256 of "<a@b>", and of nothing: 0. */
static void test_hash(void **unused)
{
	(void)unused;
	assert_true(ID("abc") == UINT64_C(0xba7816bf8f01cfea));
	assert_true(ID(" a\tb\r\n c\v\f") == ID("abc"));
	assert_true(ID("abd") != ID("abc"));
	assert_true(ID("ABC") != ID("abc"));
	assert_int_equal(ID(""), 0);
	assert_int_equal(ID(" \r\n\t"), 0);
	assert_int_equal(header_hash_message_id(NULL, 0), 0);
}

/* A value is cut at its bound, by the scan and by the function alike. */
static void test_value_bound(void **unused)
{
	char value[HEADER_VALUE_MAX + 2], message[sizeof(value) + 32];
	uint64_t at_bound;

	(void)unused;
	memset(value, 'x', sizeof(value));
	at_bound = header_hash_message_id(value, HEADER_VALUE_MAX);
	assert_true(header_hash_message_id(value, HEADER_VALUE_MAX - 1) != at_bound);
	assert_true(header_hash_message_id(value, HEADER_VALUE_MAX + 1) == at_bound);
	for (int more = -1; more <= 1; more++) {
		int len = snprintf(message, sizeof(message), "Message-ID: %.*s\r\n",
				   HEADER_VALUE_MAX + more, value);

		assert_int_equal(scan_bytewise(message, (size_t)len) == at_bound, more >= 0);
	}
}

/* A message whose Message-ID ends just at offset end; CRs stand before it but do not count. */
static uint64_t scan_far(size_t end, bool crs)
{
	static const char field[] = "\nMessage-ID:<a@b>";
	size_t pad = end - (sizeof(field) - 1);
	struct header_scan scan = {0};

	for (size_t i = 0; i < pad; i++)
		header_feed(&scan, crs ? "x\r" : "x", crs ? 2 : 1);
	header_feed(&scan, field, sizeof(field) - 1);
	header_feed(&scan, "more\r\n", 6);
	return header_message_id(&scan);
}

static void test_scan_bound(void **unused)
{
	(void)unused;
	for (int crs = 0; crs <= 1; crs++) {
		assert_true(scan_far(HEADER_SCAN_MAX - 4, crs) == ID("<a@b>more"));
		assert_true(scan_far(HEADER_SCAN_MAX - 3, crs) == ID("<a@b>mor"));
		assert_true(scan_far(HEADER_SCAN_MAX, crs) == ID("<a@b>"));
		assert_true(scan_far(HEADER_SCAN_MAX + 1, crs) == ID("<a@b"));
		assert_true(scan_far(HEADER_SCAN_MAX + 5, crs) == 0);
		assert_true(scan_far(2 * HEADER_SCAN_MAX, crs) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),        cmocka_unit_test(test_bare_cr),
	    cmocka_unit_test(test_nul_in_value), cmocka_unit_test(test_hash),
	    cmocka_unit_test(test_value_bound),  cmocka_unit_test(test_scan_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
