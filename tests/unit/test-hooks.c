// SPDX-License-Identifier: GPL-3.0-or-later
/* The command after a run: when it is due, what it is given, and how it ends. */
#include "base/stop.h"
#include "run/hooks.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Only what changed on the local side counts. */
static void test_due(void **unused)
{
	static const struct {
		struct tally tally;
		bool due;
	} rows[] = {
	    {{.paired = 0}, false},          {{.copied[LOCAL] = 1}, true},
	    {{.created[LOCAL] = 1}, true},   {{.flagged[LOCAL] = 1}, true},
	    {{.moved[LOCAL] = 1}, true},     {{.deleted[LOCAL] = 1}, true},
	    {{.moved[REMOTE] = 1}, false},   {{.deleted[REMOTE] = 1}, false},
	    {{.removed[LOCAL] = 1}, true},   {{.copied[REMOTE] = 1}, false},
	    {{.created[REMOTE] = 1}, false}, {{.flagged[REMOTE] = 1}, false},
	    {{.removed[REMOTE] = 1}, false}, {{.moved[LOCAL] = 1}, true},
	    {{.moved[REMOTE] = 1}, false},   {{.paired = 5, .bytes = {7, 7}}, false},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct box boxes[2] = {{.undone = false}, {.tally = rows[i].tally}};
		const struct channel channel = {.boxes = boxes, .len = 2};

		assert_int_equal(hooks_are_due(&channel), rows[i].due);
	}
}

/* How a command ends decides, and is told. */
static void test_ends(void **unused)
{
	static const struct {
		const char *command;
		const char *want; /* NULL: it is well */
	} rows[] = {
	    {"true", NULL},
	    {"exit 3", "hooks: after: the command ended with status 3"},
	    {"kill -9 $$", "hooks: after: the command was ended by signal 9"},
	    {"/nonexistent/command 2>/dev/null", "hooks: after: the command ended with status 127"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err;
		int rc = hooks_run_after(rows[i].command, "a", &err);

		assert_int_equal(rc, rows[i].want ? -1 : 0);
		if (!rows[i].want)
			continue;
		assert_int_equal(err.kind, ERROR_REFUSED);
		assert_string_equal(err.text, rows[i].want);
	}
}

/* What the command finds around it, as its exit status. */
static void test_surroundings(void **unused)
{
	static const char *const commands[] = {
	    "test \"$EVENMAIL_CHANNEL\" = personal",
	    "test \"$OTHER\" = kept",
	    "test \"$(env | grep -c ^EVENMAIL_CHANNEL=)\" = 1",
	    "test -z \"$(cat)\"",
	    "test \"$(readlink /proc/self/fd/0)\" = /dev/null",
	    "test \"$(readlink /proc/$$/fd/1)\" = \"$(readlink /proc/$$/fd/2)\"",
	    "test ! -e /proc/$$/fd/7",
	    "test $(( 0x$(sed -n 's/^SigIgn:.//p' /proc/$$/status) & 0x1000 )) = 0",
	};
	struct error err;

	(void)unused;
	setenv("EVENMAIL_CHANNEL", "another", 1);
	setenv("OTHER", "kept", 1);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(dup2(STDERR_FILENO, 7), 7);
	for (size_t i = 0; i < COUNT(commands); i++)
		if (hooks_run_after(commands[i], "personal", &err))
			fail_msg("%s: %s", commands[i], err.text);
	close(7);
	assert_string_equal(getenv("EVENMAIL_CHANNEL"), "another");
}

/* A stop asked for reaches the command; done in a child, for a stop stays asked for. */
static void test_stop(void **unused)
{
	int status;
	pid_t pid = fork();

	(void)unused;
	if (!pid) {
		struct error err;

		if (stop_install(&err))
			_exit(9);
		alarm(120);
		if (!hooks_run_after("kill -TERM $PPID; exec sleep 60", "a", &err))
			_exit(8);
		_exit(strcmp(err.text, "hooks: after: the command was ended by signal 15") != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_due),
	    cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_surroundings),
	    cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
