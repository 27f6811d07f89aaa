// SPDX-License-Identifier: GPL-3.0-or-later
/* The writer of JSON, byte by byte. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/json.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct buf out;
static struct json json;

static int setup(void **state)
{
	(void)state;
	buf_init(&out, 65536);
	json_init(&json, &out);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

static void one_value_a_line(void **state)
{
	(void)state;
	json_object(&json);
	json_end_object(&json);
	json_array(&json);
	json_end_array(&json);
	json_string(&json, "a");
	json_string(&json, NULL);
	json_bool(&json, true);
	json_bool(&json, false);
	json_int(&json, -1);
	assert_string_equal(out.data, "{}\n[]\n\"a\"\nnull\ntrue\nfalse\n-1\n");
}

static void commas_are_put(void **state)
{
	(void)state;
	json_object(&json);
	json_key(&json, "event");
	json_string(&json, "op");
	json_key(&json, "list");
	json_array(&json);
	json_uint(&json, 1);
	json_array(&json);
	json_end_array(&json);
	json_object(&json);
	json_key(&json, "a");
	json_object(&json);
	json_end_object(&json);
	json_key(&json, "b");
	json_string(&json, NULL);
	json_end_object(&json);
	json_bool(&json, true);
	json_end_array(&json);
	json_key(&json, "n");
	json_int(&json, -5);
	json_end_object(&json);
	json_array(&json);
	json_string(&json, "second");
	json_string(&json, "line");
	json_end_array(&json);
	assert_string_equal(
	    out.data, "{\"event\":\"op\",\"list\":[1,[],{\"a\":{},\"b\":null},true],\"n\":-5}\n"
		      "[\"second\",\"line\"]\n");
}

static void numbers_are_whole(void **state)
{
	(void)state;
	json_array(&json);
	json_uint(&json, 0);
	json_uint(&json, UINT64_MAX);
	json_int(&json, INT64_MIN);
	json_int(&json, INT64_MAX);
	json_end_array(&json);
	assert_string_equal(out.data, "[0,18446744073709551615,-9223372036854775808,"
				      "9223372036854775807]\n");
}

static void strings_are_escaped(void **state)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
	    {"", ""},
	    {"a/b'c", "a/b'c"},
	    {"\"\\", "\\\"\\\\"},
	    {"\n", "\\n"},
	    {"\t\r\x01\x1f ", "\\u0009\\u000D\\u0001\\u001F "},
	    {"~\x7f", "~\\u007F"},
	    {"\xC2\x80\xC2\x9F\xC2\xA0", "\\u0080\\u009F\xC2\xA0"},
	    {"\xE2\x80\xAE\xE2\x80\xA8\xE2\x81\xA6\xE2\x82\xAC",
	     "\\u202E\\u2028\\u2066\xE2\x82\xAC"},
	    {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
	    {"a\xFF"
	     "b",
	     "a\xEF\xBF\xBD"
	     "b"},
	    {"\xC3", "\xEF\xBF\xBD"},
	    {"\xC3\"", "\xEF\xBF\xBD\\\""},
	    {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf expected;

		buf_reset(&out);
		json_string(&json, cases[i].text);
		json_object(&json);
		json_key(&json, cases[i].text);
		json_uint(&json, 1);
		json_end_object(&json);
		buf_init(&expected, 1000);
		buf_printf(&expected, "\"%s\"\n{\"%s\":1}\n", cases[i].json, cases[i].json);
		assert_string_equal(out.data, expected.data);
		buf_free(&expected);
	}
}

static void sixteen_deep(void **state)
{
	(void)state;
	for (int i = 0; i < 16; i++)
		json_array(&json);
	json_uint(&json, 1);
	json_uint(&json, 2);
	for (int i = 0; i < 16; i++)
		json_end_array(&json);
	assert_string_equal(out.data, "[[[[[[[[[[[[[[[[1,2]]]]]]]]]]]]]]]]\n");
}

static void open_seventeen(void)
{
	for (int i = 0; i < 17; i++)
		json_array(&json);
}

static void end_unopened(void)
{
	json_end_object(&json);
}

static void key_outside(void)
{
	json_key(&json, "a");
}

static void key_without_value(void)
{
	json_object(&json);
	json_key(&json, "a");
	json_end_object(&json);
}

/* Our own mistakes are asserted. */
static void misuse_is_a_bug(void **state)
{
	void (*const mistakes[])(void) = {open_seventeen, end_unopened, key_outside,
					  key_without_value};

	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0) {
			close(STDERR_FILENO);
			signal(SIGABRT, SIG_DFL);
			mistakes[i]();
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

static void full_buffer_tells(void **state)
{
	struct buf small;

	(void)state;
	buf_init(&small, 9);
	json_init(&json, &small);
	json_string(&json, "123456");
	assert_false(small.full);
	assert_string_equal(small.data, "\"123456\"\n");
	buf_reset(&small);
	json_string(&json, "1234567");
	assert_true(small.full);
	buf_free(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(one_value_a_line, setup, teardown),
	    cmocka_unit_test_setup_teardown(commas_are_put, setup, teardown),
	    cmocka_unit_test_setup_teardown(numbers_are_whole, setup, teardown),
	    cmocka_unit_test_setup_teardown(strings_are_escaped, setup, teardown),
	    cmocka_unit_test_setup_teardown(sixteen_deep, setup, teardown),
	    cmocka_unit_test_setup_teardown(misuse_is_a_bug, setup, teardown),
	    cmocka_unit_test_setup_teardown(full_buffer_tells, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
