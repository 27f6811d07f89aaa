// SPDX-License-Identifier: GPL-3.0-or-later
/* Exit statuses: one for each kind of error, and which of two counts. */
#include "cmd/exit-status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Every kind of error, as evenmail(1) lists them. */
static void test_of_errors(void **unused)
{
	static const struct {
		enum error_kind kind;
		int status;
	} rows[] = {
	    {ERROR_NONE, 0},      {ERROR_USAGE, 64},  {ERROR_CONFIG, 78}, {ERROR_UNAVAILABLE, 69},
	    {ERROR_PROTOCOL, 69}, {ERROR_REFUSED, 1}, {ERROR_LOGIN, 77},  {ERROR_IO, 74},
	    {ERROR_LOCKED, 75},   {ERROR_SAFETY, 2},  {ERROR_STOPPED, 1}, {ERROR_INTERNAL, 70},
	};

	(void)unused;
	assert_int_equal(COUNT(rows), ERROR_INTERNAL + 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct error err = {.kind = rows[i].kind};

		assert_int_equal(exit_status_of(&err), rows[i].status);
	}
}

/* The order of gravity: every pair, both ways round. */
static void test_worse(void **unused)
{
	static const enum exit_status order[] = {0, 1, 2, 75, 69, 77, 74, 78, 64, 70};

	(void)unused;
	for (size_t i = 0; i < COUNT(order); i++)
		for (size_t k = 0; k < COUNT(order); k++)
			assert_int_equal(exit_status_worse(order[i], order[k]),
					 order[i > k ? i : k]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_of_errors),
	    cmocka_unit_test(test_worse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
