// SPDX-License-Identifier: GPL-3.0-or-later
/* INTERNALDATE: known moments, every day of 9999 years, and what is refused. */
#include "mail/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#include <time.h>

static void test_read(void **unused)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} rows[] = {
	    {" 1-Jan-1970 00:00:00 +0000", 0},
	    {"01-Jan-1970 00:00:00 +0000", 0},
	    {"1-Jan-1970 00:00:00 +0000", 0},
	    {" 1-Jul-2026 12:00:00 +0200", 1782900000},
	    {"17-Jul-1996 02:44:25 -0700", 837596665},
	    {"31-Dec-1969 23:59:59 +0000", -1},
	    {"31-dEC-1969 23:59:59 -0000", -1},
	    {"29-Feb-2000 00:00:00 +0000", 951782400},
	    {"29-Feb-2024 23:59:59 +0000", 1709251199},
	    {"31-Dec-2016 23:59:60 +0000", 1483228800},
	    {"19-Jan-2038 03:14:08 +0000", INT64_C(2147483648)},
	    {" 1-Jan-0001 00:00:00 +0000", INT64_C(-62135596800)},
	    {"31-Dec-9999 23:59:59 +0000", INT64_C(253402300799)},
	    {"31-Dec-9999 23:59:59 -2359", INT64_C(253402387139)},
	    {" 1-Jan-2000 00:30:00 +0530", 946666800},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t seconds = 42;

		assert_int_equal(date_from_imap(rows[i].text, strlen(rows[i].text), &seconds), 0);
		assert_int_equal(seconds, rows[i].seconds);
	}
}

static void test_refused(void **unused)
{
	static const char *const rows[] = {
	    "",
	    " ",
	    "00-Jan-2000 00:00:00 +0000",
	    " 0-Jan-2000 00:00:00 +0000",
	    "32-Jan-2000 00:00:00 +0000",
	    "31-Apr-2000 00:00:00 +0000",
	    "29-Feb-2023 00:00:00 +0000",
	    "29-Feb-1900 00:00:00 +0000",
	    "30-Feb-2024 00:00:00 +0000",
	    "  1-Jan-2000 00:00:00 +0000",
	    " 11-Jan-2000 00:00:00 +0000",
	    "001-Jan-2000 00:00:00 +0000",
	    "-1-Jan-2000 00:00:00 +0000",
	    " 1-Jam-2000 00:00:00 +0000",
	    " 1-January-2000 00:00:00 +0000",
	    " 1 Jan 2000 00:00:00 +0000",
	    " 1-Jan-0000 00:00:00 +0000",
	    " 1-Jan-200 00:00:00 +0000",
	    " 1-Jan-10000 00:00:00 +0000",
	    " 1-Jan-2000  00:00:00 +0000",
	    " 1-Jan-2000 24:00:00 +0000",
	    " 1-Jan-2000 00:60:00 +0000",
	    " 1-Jan-2000 00:00:61 +0000",
	    " 1-Jan-2000 0:00:00 +0000",
	    " 1-Jan-2000 00:00:00",
	    " 1-Jan-2000 00:00:00 0000",
	    " 1-Jan-2000 00:00:00 +000",
	    " 1-Jan-2000 00:00:00 +00000",
	    " 1-Jan-2000 00:00:00 +2400",
	    " 1-Jan-2000 00:00:00 +0060",
	    " 1-Jan-2000 00:00:00 GMT",
	    " 1-Jan-2000 00:00:00 +0000 ",
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t seconds = 42;

		assert_int_equal(date_from_imap(rows[i], strlen(rows[i]), &seconds), -1);
		assert_int_equal(seconds, 42);
	}
}

/* Every beginning of a date, held in memory of just that size. */
static void test_cut_short(void **unused)
{
	static const char whole[] = " 1-Jul-2026 12:00:00 +0200";
	int64_t seconds;

	(void)unused;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		char *cut = malloc(len + !len);

		assert_non_null(cut);
		memcpy(cut, whole, len);
		assert_int_equal(date_from_imap(cut, len, &seconds), -1);
		free(cut);
	}
	assert_int_equal(date_from_imap(whole, sizeof(whole) - 1, &seconds), 0);
	assert_int_equal(date_from_imap(whole, sizeof(whole), &seconds), -1);
}

static void test_write(void **unused)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
	    {0, " 1-Jan-1970 00:00:00 +0000"},
	    {-1, "31-Dec-1969 23:59:59 +0000"},
	    {1782900000, " 1-Jul-2026 10:00:00 +0000"},
	    {951782400, "29-Feb-2000 00:00:00 +0000"},
	    {INT64_C(-62135596800), " 1-Jan-0001 00:00:00 +0000"},
	    {INT64_C(-62135596801), " 1-Jan-0001 00:00:00 +0000"},
	    {INT64_MIN, " 1-Jan-0001 00:00:00 +0000"},
	    {INT64_C(253402300799), "31-Dec-9999 23:59:59 +0000"},
	    {INT64_C(253402300800), "31-Dec-9999 23:59:59 +0000"},
	    {INT64_MAX, "31-Dec-9999 23:59:59 +0000"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char out[DATE_IMAP_SIZE];

		memset(out, 'x', sizeof(out));
		date_to_imap(rows[i].seconds, out);
		assert_string_equal(out, rows[i].text);
		assert_int_equal(strlen(out), DATE_IMAP_SIZE - 1);
	}
}

/* Every third day from year 1 to 9999 against the C library, and there and back. */
static void test_every_day(void **unused)
{
	int64_t time_of_day = 0;

	(void)unused;
	for (int64_t day = -719162; day <= 2932896; day += 3) {
		int64_t seconds = day * 86400 + time_of_day, back = 0;
		time_t moment = (time_t)seconds;
		char out[DATE_IMAP_SIZE], expected[64];
		struct tm tm;

		time_of_day = (time_of_day + 12347) % 86400;
		date_to_imap(seconds, out);
		assert_non_null(gmtime_r(&moment, &tm));
		assert_int_equal(strtol(out, NULL, 10), tm.tm_mday);
		assert_int_equal(strtol(out + 7, NULL, 10), tm.tm_year + 1900);
		strftime(expected, sizeof(expected), "%b", &tm);
		assert_memory_equal(out + 3, expected, 3);
		strftime(expected, sizeof(expected), "%H:%M:%S +0000", &tm);
		assert_string_equal(out + 12, expected);
		assert_int_equal(date_from_imap(out, strlen(out), &back), 0);
		assert_int_equal(back, seconds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read),      cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_cut_short), cmocka_unit_test(test_write),
	    cmocka_unit_test(test_every_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
