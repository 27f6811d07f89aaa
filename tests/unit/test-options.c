// SPDX-License-Identifier: GPL-3.0-or-later
/* The command line: every option, in every place, and the command that it names. */
#include "cmd/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WORDS_MAX    12

/* Splits a line at blanks into an argument vector of its own. */
struct line {
	char text[256];
	char *argv[WORDS_MAX + 2];
	int argc;
};

static void split(struct line *line, const char *text)
{
	char *rest = line->text;

	assert_true(strlen(text) < sizeof(line->text));
	memcpy(line->text, text, strlen(text) + 1);
	line->argc = 1;
	line->argv[0] = (char *)"evenmail";
	for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " "))
		if (*word) {
			assert_true(line->argc <= WORDS_MAX);
			line->argv[line->argc++] = word;
		}
	line->argv[line->argc] = NULL;
}

/* Reads what must be right. */
static void parse(struct line *line, const char *text, struct options *out)
{
	struct error err;

	split(line, text);
	if (options_parse(line->argc, line->argv, out, &err))
		fail_msg("%s: %s", text, err.text);
}

/* Every option that takes no value sets what it says, and nothing else. */
static void test_flags(void **unused)
{
	static const struct {
		const char *text;
		struct options want;
	} rows[] = {
	    {"", {0}},
	    {"-q", {.quiet = true}},
	    {"--quiet", {.quiet = true}},
	    {"-v", {.verbose = 1}},
	    {"-vv", {.verbose = 2}},
	    {"-v --verbose", {.verbose = 2}},
	    {"--json", {.json = true}},
	    {"--no-progress", {.no_progress = true}},
	    {"--dry-run", {.modes = MODE_DRY_RUN}},
	    {"--allow-deletions", {.modes = MODE_ALLOW_DELETIONS}},
	    {"--adopt", {.modes = MODE_ADOPT}},
	    {"--wait", {.modes = MODE_WAIT}},
	    {"--wait=7", {.modes = MODE_WAIT, .wait = 7}},
	    {"--wait=000123456789", {.modes = MODE_WAIT, .wait = 123456789}},
	    {"--wait=0", {0}},
	    {"--wait --wait=0", {0}},
	    {"--retry-refused", {.modes = MODE_RETRY_REFUSED}},
	    {"--deep --repair", {.modes = MODE_DEEP | MODE_REPAIR}},
	    {"--help", {.help = true}},
	    {"-h", {.help = true}},
	    {"--version", {.version = true}},
	    {"--color auto", {.color = COLOR_AUTO}},
	    {"--color=always", {.color = COLOR_ALWAYS}},
	    {"--color never", {.color = COLOR_NEVER}},
	    {"-qv --json", {.quiet = true, .verbose = 1, .json = true}},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct line line;
		struct options got;

		parse(&line, rows[i].text, &got);
		assert_int_equal(got.names_len, 0);
		assert_null(got.config_path);
		got.names = NULL;
		assert_int_equal(got.quiet, rows[i].want.quiet);
		assert_int_equal(got.verbose, rows[i].want.verbose);
		assert_int_equal(got.json, rows[i].want.json);
		assert_int_equal(got.no_progress, rows[i].want.no_progress);
		assert_int_equal(got.modes, rows[i].want.modes);
		assert_int_equal(got.wait, rows[i].want.wait);
		assert_int_equal(got.help, rows[i].want.help);
		assert_int_equal(got.version, rows[i].want.version);
		assert_int_equal(got.color, rows[i].want.color);
	}
}

/* Options and words mix in any order, with and without POSIXLY_CORRECT; "--" ends the options. */
static void test_order(void **unused)
{
	static const char *const lines[] = {
	    "-q -c f sync a b/c", "sync -q a -cf b/c",           "sync a b/c --config f --quiet",
	    "sync -c f a -q b/c", "-q sync --config=f a -- b/c", "-c f -q -- sync a b/c",
	};
	static const char *const words[] = {"sync", "a", "b/c"};

	(void)unused;
	for (int posix = 0; posix < 2; posix++) {
		if (posix)
			setenv("POSIXLY_CORRECT", "1", 1);
		for (size_t i = 0; i < COUNT(lines); i++) {
			struct line line;
			struct options got;

			parse(&line, lines[i], &got);
			assert_true(got.quiet);
			assert_string_equal(got.config_path, "f");
			assert_int_equal(got.names_len, COUNT(words));
			for (size_t k = 0; k < COUNT(words); k++)
				assert_string_equal(got.names[k], words[k]);
		}
	}
	unsetenv("POSIXLY_CORRECT");
}

/* After "--" nothing is an option. */
static void test_end_of_options(void **unused)
{
	struct line line;
	struct options got;

	(void)unused;
	parse(&line, "sync -- -q --nonsense", &got);
	assert_false(got.quiet);
	assert_int_equal(got.names_len, 3);
	assert_string_equal(got.names[1], "-q");
	assert_string_equal(got.names[2], "--nonsense");
}

/* What is wrong is named, with what may have been meant. */
static void test_refusals(void **unused)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
	    {"--jsn", "option --jsn: unknown (did you mean --json?)"},
	    {"sync --dryrun", "option --dryrun: unknown (did you mean --dry-run?)"},
	    {"--xyzzy-plugh", "option --xyzzy-plugh: unknown"},
	    {"-z", "option -z: unknown"},
	    {"-qz", "option -z: unknown"},
	    {"sync -v -z x", "option -z: unknown"},
	    {"-\xc3\xa9", "option -\\xC3: unknown"},
	    {"-c", "option -c: its value is missing"},
	    {"sync --config", "option --config: its value is missing"},
	    {"--color", "option --color: its value is missing"},
	    {"--json=1", "option --json=1: it takes no value"},
	    {"--quiet=1", "option --quiet=1: it takes no value"},
	    {"--color red", "--color red: say auto, always or never"},
	    {"--color=\x1b[31m", "--color \\x1B[31m: say auto, always or never"},
	    {"--a", "option --a: unknown"},
	    {"--wait=soon", "--wait=soon: say for how many seconds at most, or nothing for as long "
			    "as it takes"},
	    {"--wait=-1", "--wait=-1: say for how many seconds at most, or nothing for as long as "
			  "it takes"},
	    {"--wait=9999999999", "--wait=9999999999: say for how many seconds at most, or nothing "
				  "for as long as it takes"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct line line;
		struct options got;
		struct error err;

		split(&line, rows[i].text);
		assert_int_equal(options_parse(line.argc, line.argv, &got, &err), -1);
		assert_int_equal(err.kind, ERROR_USAGE);
		assert_string_equal(err.text, rows[i].want);
	}
}

/* The first word is the command; where it is none, sync is meant, of a channel of that name. */
static void test_commands(void **unused)
{
	static const struct {
		const char *text;
		const char *command;
		size_t names;
		bool implied;
	} rows[] = {
	    {"", "sync", 0, false},
	    {"-v", "sync", 0, false},
	    {"sync", "sync", 0, false},
	    {"sync sync", "sync", 1, false},
	    {"plan a b", "plan", 2, false},
	    {"--json status a", "status", 1, false},
	    {"journal a/b", "journal", 1, false},
	    {"check", "check", 0, false},
	    {"backup a --dry-run", "backup", 1, false},
	    {"personal", "sync", 1, true},
	    {"personal plan", "sync", 2, true},
	    {"syn", "sync", 1, true},
	    {"sync --dry-run --allow-deletions", "sync", 0, false},
	    {"plan --allow-deletions", "plan", 0, false},
	    {"--adopt", "sync", 0, false},
	    {"--wait a", "sync", 1, true},
	    {"backup --wait=5 --retry-refused", "backup", 0, false},
	    {"plan --retry-refused", "plan", 0, false},
	    {"verify --deep --repair --wait a/b", "verify", 1, false},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct line line;
		struct options got;
		struct error err;

		parse(&line, rows[i].text, &got);
		const struct command *command = command_choose(&got, &err);
		assert_non_null(command);
		assert_string_equal(command->name, rows[i].command);
		assert_int_equal(got.names_len, rows[i].names);
		assert_int_equal(got.implied, rows[i].implied);
	}
}

/* What a command does not take, or what is not built yet, is refused and not ignored. */
static void test_command_refusals(void **unused)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
	    {"plan --dry-run", "plan takes no --dry-run"},
	    {"plan --adopt", "plan takes no --adopt"},
	    {"backup --allow-deletions", "backup takes no --allow-deletions"},
	    {"check --dry-run", "check takes no --dry-run"},
	    {"status --adopt", "status takes no --adopt"},
	    {"journal --allow-deletions", "journal takes no --allow-deletions"},
	    {"sync --adopt --dry-run", "--adopt cannot be tried out: it forgets the journal first"},
	    {"check a b/INBOX", "check looks at whole channels, not at a mailbox: b/INBOX"},
	    {"init", "init: not supported yet"},
	    {"watch a", "watch: not supported yet"},
	    {"plan --wait", "plan takes no --wait[=SECONDS]"},
	    {"sync --deep", "sync takes no --deep"},
	    {"sync --repair", "sync takes no --repair"},
	    {"verify --retry-refused", "verify takes no --retry-refused"},
	    {"verify --wait", "verify --wait: without --repair it takes no lock"},
	    {"import f", "import: not supported yet"},
	    {"explain a/b --adopt", "explain takes no --adopt"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct line line;
		struct options got;
		struct error err;

		parse(&line, rows[i].text, &got);
		assert_null(command_choose(&got, &err));
		assert_int_equal(err.kind, ERROR_USAGE);
		assert_string_equal(err.text, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_flags),          cmocka_unit_test(test_order),
	    cmocka_unit_test(test_end_of_options), cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_commands),       cmocka_unit_test(test_command_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
