// SPDX-License-Identifier: GPL-3.0-or-later
/* evenmail(1) against the code: every rule, command, option, event and exit status is in it. */
#include "base/alloc.h"
#include "cmd/check-ways.h"
#include "cmd/command.h"
#include "config-file.h"
#include "sync/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Fails where the manual does not hold the text. */
static void check_has(const char *manual, const char *text)
{
	if (!strstr(manual, text))
		fail_msg("man/evenmail.1 lacks \"%s\"", text);
}

/* Each rule has an item under its number, in the order of the numbers, and there are no others. */
static void test_rules(void **unused)
{
	char *manual = files_read_source("man/evenmail.1");
	const char *at = manual;
	size_t count = 0;

	(void)unused;
	for (enum rule rule = RULE_M1_FORGET; rule <= RULE_B5_RENAME; rule++) {
		char *item = xasprintf("\n.It Sy %s\n", rule_name(rule));

		at = strstr(at, item);
		if (!at)
			fail_msg("man/evenmail.1 lacks rule %s, or its place", rule_name(rule));
		free(item);
	}
	for (at = manual; (at = strstr(at, "\n.It Sy ")); at++)
		count += strchr("MVB", at[8]) != NULL && at[9] >= '0' && at[9] <= '9';
	assert_int_equal(count, RULE_B5_RENAME);
	free(manual);
}

/* Each command that works has an item; those that do not are named among the limits. */
static void test_commands(void **unused)
{
	char *manual = files_read_source("man/evenmail.1");
	const char *bugs = strstr(manual, "\n.Sh BUGS\n");

	(void)unused;
	assert_non_null(bugs);
	for (const struct command *command = commands; command->name; command++) {
		char *item = xasprintf(command->run ? "\n.It Ic %s" : "\n.Ic %s", command->name);

		check_has(command->run ? manual : bugs, item);
		free(item);
	}
	free(manual);
}

/* Each option has an item. */
static void test_options(void **unused)
{
	static const char *const names[] = {"config",  "quiet",           "verbose", "json",
					    "color",   "no-progress",     "help",    "version",
					    "dry-run", "allow-deletions", "adopt"};
	char *manual = files_read_source("man/evenmail.1");

	(void)unused;
	for (size_t i = 0; i < COUNT(names); i++) {
		char *item = xasprintf("Fl -%s", names[i]);

		check_has(manual, item);
		free(item);
	}
	free(manual);
}

/* Each exit status has an item. */
static void test_statuses(void **unused)
{
	static const int statuses[] = {
	    STATUS_EVEN,     STATUS_PART, STATUS_SAFETY, STATUS_USAGE, STATUS_UNAVAILABLE,
	    STATUS_INTERNAL, STATUS_IO,   STATUS_LOCKED, STATUS_LOGIN, STATUS_CONFIG};
	char *manual = files_read_source("man/evenmail.1");
	const char *section = strstr(manual, "\n.Sh EXIT STATUS\n");

	(void)unused;
	assert_non_null(section);
	for (size_t i = 0; i < COUNT(statuses); i++) {
		char *item = xasprintf("\n.It %d\n", statuses[i]);

		check_has(section, item);
		free(item);
	}
	free(manual);
}

/* The kinds of operations are listed in their order: "forget, agree, ... or create". */
static void check_operations(const char *section)
{
	char *list = xstrdup(op_name(OP_FORGET));

	for (enum op_kind kind = OP_FORGET + 1; kind < OP_KINDS; kind++) {
		char *more =
		    xasprintf("%s%s%s", list, kind + 1 < OP_KINDS ? ", " : " or ", op_name(kind));

		free(list);
		list = more;
	}
	check_has(section, list);
	free(list);
}

/* Each event, each kind of operation and each way is named where JSON is explained. */
static void test_events(void **unused)
{
	static const char *const events[] = {"op",     "mailbox", "trouble", "error", "check",
					     "status", "journal", "pair",    "note",  "summary",
					     "explain"};
	char *manual = files_read_source("man/evenmail.1");
	const char *section = strstr(manual, "\n.Sh JSON\n");

	(void)unused;
	assert_non_null(section);
	for (size_t i = 0; i < COUNT(events); i++) {
		char *item = xasprintf("\n.It Cm %s\n", events[i]);

		check_has(section, item);
		free(item);
	}
	check_operations(section);
	for (enum way_purpose purpose = WAY_CHANGES; purpose < WAY_PURPOSES; purpose++)
		check_has(section, way_choose(purpose, 0, false).key);
	check_has(section, way_compress(IMAP_COMPRESS_NO, 0, false).key);
	free(manual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rules),   cmocka_unit_test(test_commands),
	    cmocka_unit_test(test_options), cmocka_unit_test(test_statuses),
	    cmocka_unit_test(test_events),
	};

	return cmocka_run_group_tests(tests, files_begin, files_end);
}
