// SPDX-License-Identifier: GPL-3.0-or-later
/* Errors: what is kept, what is cut, and that errno survives the telling. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/error.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void sets_all(void **state)
{
	struct error err;

	(void)state;
	memset(&err, 0xAA, sizeof(err));
	errno = EBUSY;
	assert_int_equal(error_set(&err, ERROR_LOGIN, SCOPE_STORE, "no %s for %d", "entry", 7), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(err.kind, ERROR_LOGIN);
	assert_int_equal(err.scope, SCOPE_STORE);
	assert_int_equal(err.sys, 0);
	assert_string_equal(err.text, "no entry for 7");
	error_clear(&err);
	assert_int_equal(err.kind, ERROR_NONE);
	assert_int_equal(err.scope, SCOPE_MESSAGE);
	assert_int_equal(err.sys, 0);
	assert_string_equal(err.text, "");
}

static void nobody_may_listen(void **state)
{
	(void)state;
	error_clear(NULL);
	errno = EBUSY;
	assert_int_equal(error_set(NULL, ERROR_IO, SCOPE_FATAL, "x"), -1);
	assert_int_equal(error_errno(NULL, SCOPE_FATAL, "x"), -1);
	assert_int_equal(error_prefix(NULL, "x"), -1);
	assert_int_equal(errno, EBUSY);
}

static void tells_errno(void **state)
{
	struct error err;
	char expected[100];

	(void)state;
	snprintf(expected, sizeof(expected), "cannot open a: %s", strerror(ENOENT));
	errno = ENOENT;
	assert_int_equal(error_errno(&err, SCOPE_MAILBOX, "cannot open %s", "a"), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(err.kind, ERROR_IO);
	assert_int_equal(err.scope, SCOPE_MAILBOX);
	assert_int_equal(err.sys, ENOENT);
	assert_string_equal(err.text, expected);
}

static void prefix_keeps_the_rest(void **state)
{
	struct error err;

	(void)state;
	errno = ENOSPC;
	error_errno(&err, SCOPE_STORE, "cannot write");
	errno = EBUSY;
	assert_int_equal(error_prefix(&err, "journal %d", 3), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(error_prefix(&err, "%s", "channel"), -1);
	assert_int_equal(err.kind, ERROR_IO);
	assert_int_equal(err.scope, SCOPE_STORE);
	assert_int_equal(err.sys, ENOSPC);
	assert_string_equal(err.text, "channel: journal 3: cannot write: No space left on device");
}

/* The text of one error may go into the next, also into its own. */
static void arguments_may_be_its_own_text(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, ERROR_IO, SCOPE_MAILBOX, "first");
	error_set(&err, ERROR_SAFETY, SCOPE_MAILBOX, "second after %s", err.text);
	assert_string_equal(err.text, "second after first");
	error_prefix(&err, "%s", err.text);
	assert_string_equal(err.text, "second after first: second after first");
	errno = ENOENT;
	error_errno(&err, SCOPE_MAILBOX, "%.6s", err.text);
	assert_string_equal(err.text, "second: No such file or directory");
}

/* Texts around the maximum: whole up to 1023 bytes, cut to 1023 with "..." above. */
static void long_texts_are_cut(void **state)
{
	char text[ERROR_TEXT_MAX + 10];
	struct error err;

	(void)state;
	for (size_t len = ERROR_TEXT_MAX - 5; len < sizeof(text); len++) {
		memset(text, 'a', len);
		text[len] = '\0';
		error_set(&err, ERROR_IO, SCOPE_MAILBOX, "%s", text);
		if (len < ERROR_TEXT_MAX) {
			assert_string_equal(err.text, text);
			continue;
		}
		assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
		assert_memory_equal(err.text, text, ERROR_TEXT_MAX - 4);
		assert_string_equal(err.text + ERROR_TEXT_MAX - 4, "...");
	}
	/* as prefix and as cause */
	text[ERROR_TEXT_MAX - 1] = '\0';
	error_set(&err, ERROR_IO, SCOPE_MAILBOX, "%s", text);
	error_prefix(&err, "p");
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
	assert_memory_equal(err.text, "p: aaa", 6);
	assert_string_equal(err.text + ERROR_TEXT_MAX - 4, "...");
	text[ERROR_TEXT_MAX - 5] = '\0';
	error_set(&err, ERROR_IO, SCOPE_MAILBOX, "%s", text);
	error_prefix(&err, "pp");
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
	assert_string_equal(err.text + ERROR_TEXT_MAX - 4, "aaa"); /* fits to the byte */
	error_set(&err, ERROR_IO, SCOPE_MAILBOX, "%s", text);
	error_prefix(&err, "ppp");
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
	assert_string_equal(err.text + ERROR_TEXT_MAX - 4, "..."); /* one byte more does not */
	error_prefix(&err, "%s", text);
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
	assert_string_equal(err.text + ERROR_TEXT_MAX - 4, "...");
}

/* A cut never leaves a part of a character. */
static void cuts_are_between_characters(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		char text[ERROR_TEXT_MAX + 20];
		struct error err;
		size_t len = shift;
		size_t kept;

		memset(text, 'a', shift);
		for (; len < ERROR_TEXT_MAX + 10; len += 4)
			memcpy(text + len, "\xF0\x9F\x98\x80", 5);
		error_set(&err, ERROR_IO, SCOPE_MAILBOX, "%s", text);
		kept = strlen(err.text) - 3;
		assert_string_equal(err.text + kept, "...");
		assert_int_equal((kept - shift) % 4, 0);
		assert_true(kept > ERROR_TEXT_MAX - 8 && kept <= ERROR_TEXT_MAX - 4);
		assert_memory_equal(err.text, text, kept);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sets_all),
	    cmocka_unit_test(nobody_may_listen),
	    cmocka_unit_test(tells_errno),
	    cmocka_unit_test(prefix_keeps_the_rest),
	    cmocka_unit_test(arguments_may_be_its_own_text),
	    cmocka_unit_test(long_texts_are_cut),
	    cmocka_unit_test(cuts_are_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
