// SPDX-License-Identifier: GPL-3.0-or-later
/* Secrets (FAULTS 45, 46): what files and commands give, what is refused with which words, and how
 * commands run. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/stop.h"
#include "config-file.h"
#include "config/secret.h"
#include "config/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LIMIT (64 * 1024) /* bytes of a file or an output, as the manual has it */

/* Asks remote; compares the secret, or the error where why is not NULL. */
static void check(const struct config_remote *remote, bool token, const char *want, const char *why)
{
	struct error err = {0};
	struct buf out;

	buf_init(&out, LIMIT);
	assert_int_equal(secret_get(remote, token, &out, &err), why == NULL ? 0 : -1);
	if (why != NULL) {
		assert_string_equal(err.text, why);
		assert_int_equal(err.kind, ERROR_LOGIN);
		assert_int_equal(err.scope, SCOPE_STORE);
		assert_int_equal(out.len, 0);
	} else {
		assert_int_equal(out.len, strlen(want));
		assert_string_equal(out.data, want);
	}
	buf_free_secret(&out);
}

static void test_sources(void **state)
{
	(void)state;
	check(&(struct config_remote){.password = "p w"}, false, "p w", NULL);
	check(&(struct config_remote){.password_command = "echo pc"}, false, "pc", NULL);
	check(&(struct config_remote){.token_command = "echo tc"}, true, "tc", NULL);
	check(&(struct config_remote){.token_command = "echo tc"}, false, NULL,
	      "no password: set remote.password-command");
	check(&(struct config_remote){.password = "p"}, true, NULL,
	      "no token: set remote.token-command");
	check(&(struct config_remote){0}, false, NULL, "no password: set remote.password-command");
	check(&(struct config_remote){.token_command = "exit 1"}, true, NULL,
	      "token-command ended with status 1");
}

/* The secret is appended, and not at all where it does not fit. */
static void test_room(void **state)
{
	static const struct config_remote sources[] = {{.password = "1234567"},
						       {.password_command = "echo 1234567"}};
	static const char *const why[] = {
	    "the password is too long",
	    "the first line of password-command is longer than 8 bytes"};

	(void)state;
	for (size_t i = 0; i < COUNT(sources); i++) {
		struct error err;
		struct buf out;

		buf_init(&out, 8);
		buf_puts(&out, "x");
		assert_int_equal(secret_get(&sources[i], false, &out, &err), 0);
		assert_string_equal(out.data, "x1234567");
		buf_reset(&out);
		buf_puts(&out, "xx");
		assert_int_equal(secret_get(&sources[i], false, &out, &err), -1);
		assert_string_equal(err.text, why[i]);
		assert_string_equal(out.data, "xx");
		buf_free(&out);
	}
}

/* The same first lines from a file and, by cat, from a command. */
static void test_lines(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *want;
		const char *why; /* with the source for %s */
	} rows[] = {
	    {"pw", 2, "pw", NULL},
	    {"pw\n", 3, "pw", NULL},
	    {"pw\r\n", 4, "pw", NULL},
	    {"pw\nmore\n", 8, "pw", NULL},
	    {" p w \t\n", 7, " p w \t", NULL},
	    {"p\rw\n", 4, "p\rw", NULL},
	    {"pw\n\0", 4, "pw", NULL},
	    {"\xff\xfe\n", 3, "\xff\xfe", NULL},
	    {"", 0, NULL, "the first line of %s is empty"},
	    {"\n", 1, NULL, "the first line of %s is empty"},
	    {"\r\n", 2, NULL, "the first line of %s is empty"},
	    {"\npw\n", 4, NULL, "the first line of %s is empty"},
	    {"p\0w\n", 4, NULL, "the first line of %s holds NUL"},
	    {"\0", 1, NULL, "the first line of %s holds NUL"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *path, *command;
		char why[128];

		files_write("f", rows[i].text, rows[i].len, 0600);
		path = xstrdup(files_path("f"));
		command = xasprintf("cat %s", path);
		snprintf(why, sizeof(why), rows[i].why != NULL ? rows[i].why : "", "password-file");
		check(&(struct config_remote){.password_file = path}, false, rows[i].want,
		      rows[i].why != NULL ? why : NULL);
		snprintf(why, sizeof(why), rows[i].why != NULL ? rows[i].why : "",
			 "password-command");
		check(&(struct config_remote){.password_command = command}, false, rows[i].want,
		      rows[i].why != NULL ? why : NULL);
		free(command);
		free(path);
	}
}

/* A file must be its owner's alone. */
static void test_modes(void **state)
{
	static const struct {
		mode_t mode;
		bool good;
	} rows[] = {
	    {0600, true},  {0400, true},  {0700, true},  {0640, false}, {0620, false},
	    {0610, false}, {0604, false}, {0602, false}, {0601, false}, {0644, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *path, *why;

		files_write("f", "pw", 2, rows[i].mode);
		path = xstrdup(files_path("f"));
		why = xasprintf("password-file %s: open to others: chmod 600 it", path);
		check(&(struct config_remote){.password_file = path}, false, "pw",
		      rows[i].good ? NULL : why);
		free(why);
		free(path);
	}
}

static void test_files(void **state)
{
	char *link = xstrdup(files_path("link"));
	char *path = xstrdup(files_path("none"));
	char *why = xasprintf("password-file %s: No such file or directory", path);

	(void)state;
	check(&(struct config_remote){.password_file = path}, false, NULL, why);
	free(why);
	why = xasprintf("password-file %s: not a regular file", files_dir());
	check(&(struct config_remote){.password_file = files_dir()}, false, NULL, why);
	free(why);
	assert_int_equal(mkfifo(path, 0600), 0);
	why = xasprintf("password-file %s: not a regular file", path);
	check(&(struct config_remote){.password_file = path}, false, NULL, why);
	free(why);
	files_write("f", "pw", 2, 0600);
	assert_int_equal(symlink("f", link), 0);
	check(&(struct config_remote){.password_file = link}, false, "pw", NULL);
	files_write("f", "pw", 2, 0604);
	why = xasprintf("password-file %s: open to others: chmod 600 it", link);
	check(&(struct config_remote){.password_file = link}, false, NULL, why);
	free(why);
	free(path);
	free(link);
}

/* At the limit of size and one byte above, from both. */
static void test_sizes(void **state)
{
	char *text = xmalloc(LIMIT + 2);
	char *path, *command, *why;

	(void)state;
	memset(text, 'x', LIMIT + 2);
	text[LIMIT] = '\0';
	files_write("f", text, LIMIT, 0600);
	path = xstrdup(files_path("f"));
	command = xasprintf("cat %s", path);
	why = xasprintf("password-file %s is larger than 65536 bytes", path);
	check(&(struct config_remote){.password_file = path}, false, text, NULL);
	check(&(struct config_remote){.password_command = command}, false, text, NULL);
	text[LIMIT] = 'x';
	files_write("f", text, LIMIT + 1, 0600);
	check(&(struct config_remote){.password_file = path}, false, NULL, why);
	check(&(struct config_remote){.password_command = command}, false, NULL,
	      "password-command prints more than 65536 bytes");
	check(&(struct config_remote){.password_command = "while :; do echo pw; done"}, false, NULL,
	      "password-command prints more than 65536 bytes");
	free(why);
	free(command);
	free(path);
	free(text);
}

/* How commands end, and what they find. */
static void test_commands(void **state)
{
	static const struct {
		const char *command;
		const char *want;
		const char *why;
	} rows[] = {
	    {"echo hunter2; exit 3", NULL, "password-command ended with status 3"},
	    {"echo hunter2; kill -9 $$", NULL, "password-command was ended by signal 9"},
	    {"/nonexistent/hunter2 2>&-", NULL, "password-command ended with status 127"},
	    {"echo 'p w' | tr w x", "p x", NULL},
	    {"cat; echo end of input", "end of input", NULL},
	    {"[ -e /proc/$$/fd/100 ] && echo open || echo closed", "closed", NULL},
	    {"read a b c d group rest </proc/$$/stat; [ $group = $$ ] && echo own", "own", NULL},
	    {"while read key value; do [ $key = SigIgn: ] && echo $((0x$value & 0x1000)); :; done "
	     "</proc/$$/status",
	     "0", NULL},
	    {"while read key value; do [ $key = SigBlk: ] && echo $((0x$value & 0x4000)); :; done "
	     "</proc/$$/status",
	     "0", NULL},
	    {"echo early; exec >&-; sleep 0.1; exit 4", NULL,
	     "password-command ended with status 4"},
	    {"printf p; sleep 0.05; printf w; sleep 0.05; echo", "pw", NULL},
	};
	sigset_t blocked;
	int leaked = fcntl(STDERR_FILENO, F_DUPFD, 100);

	(void)state;
	assert_int_equal(leaked, 100);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < COUNT(rows); i++)
		check(&(struct config_remote){.password_command = rows[i].command}, false,
		      rows[i].want, rows[i].why);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
	close(leaked);
}

/* Runs command with a standard descriptor of ours closed. */
static void check_without(int fd)
{
	int saved = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	struct error err = {0};
	struct buf out;
	int rc;

	buf_init(&out, LIMIT);
	close(fd);
	rc = shell_capture("cat; echo pw", "it", 5000, &out, &err);
	assert_int_equal(dup2(saved, fd), fd);
	close(saved);
	assert_string_equal(err.text, "");
	assert_int_equal(rc, 0);
	assert_string_equal(out.data, "pw\n");
	buf_free(&out);
}

/* Our descriptors may be 0 and 1 where we were started without them. */
static void test_closed(void **state)
{
	(void)state;
	check_without(STDIN_FILENO);
	check_without(STDOUT_FILENO);
}

/* No descriptor is left behind, however a command ends. */
static void test_leaks(void **state)
{
	static const char *const commands[] = {"echo pw", "exit 1", "yes | head -n 100000",
					       "sleep 9"};
	int before = dup(STDIN_FILENO);
	int after;

	(void)state;
	close(before);
	for (size_t i = 0; i < COUNT(commands); i++) {
		struct buf out;

		buf_init(&out, LIMIT);
		assert_int_equal(shell_capture(commands[i], "it", 300, &out, NULL),
				 i == 0 ? 0 : -1);
		buf_free(&out);
	}
	after = dup(STDIN_FILENO);
	close(after);
	assert_int_equal(after, before);
}

/* Runs a command that writes its pid to a file and does not end; it must be gone afterwards. */
static void check_ended(const char *rest, enum error_kind kind, const char *why)
{
	char *path = xstrdup(files_path("pid"));
	char *command = xasprintf("echo $$ >%s; %s", path, rest);
	struct error err = {0};
	struct buf out;
	int fd;

	buf_init(&out, LIMIT);
	assert_int_equal(shell_capture(command, "it", 200, &out, &err), -1);
	assert_string_equal(err.text, why);
	assert_int_equal(err.kind, kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	buf_reset(&out);
	assert_int_equal(file_read_all(fd, &out, NULL), 0);
	file_close(&fd);
	assert_true(atoi(out.data) > 1);
	assert_int_equal(kill(atoi(out.data), 0), -1);
	assert_int_equal(errno, ESRCH);
	buf_free(&out);
	free(command);
	free(path);
}

static void test_limit(void **state)
{
	int64_t begin = clock_ms();

	(void)state;
	check_ended("exec sleep 30", ERROR_LOGIN, "it has not ended after 1 s");
	assert_true(clock_ms() - begin >= 200);
	check_ended("sleep 30", ERROR_LOGIN, "it has not ended after 1 s");
	assert_true(clock_ms() - begin < 5000);
	check_ended("exec >&-; exec sleep 30", ERROR_LOGIN, "it has not ended after 1 s");
	begin = clock_ms();
	check_ended("trap '' TERM; while :; do sleep 0.1; done", ERROR_LOGIN,
		    "it has not ended after 1 s");
	assert_true(clock_ms() - begin >= 2000);
}

/* An agent that the command leaves behind holds its output open and must not hold us up. */
static void test_background(void **state)
{
	int64_t begin = clock_ms();

	(void)state;
	check(&(struct config_remote){.password_command = "sleep 3 & echo pw"}, false, "pw", NULL);
	assert_true(clock_ms() - begin < 2000);
}

/* The last, for a stop once asked for stays. */
static void test_stop(void **state)
{
	struct error err = {0};
	struct buf out;

	(void)state;
	assert_int_equal(stop_install(&err), 0);
	buf_init(&out, LIMIT);
	assert_int_equal(shell_capture("echo pw", "it", 5000, &out, &err), 0);
	buf_free(&out);
	raise(SIGTERM);
	assert_int_equal(stop_check(&err), -1);
	assert_int_equal(err.kind, ERROR_STOPPED);
	buf_init(&out, LIMIT);
	error_clear(&err);
	assert_int_equal(shell_capture("sleep 30", "it", 20000, &out, &err), -1);
	assert_int_equal(err.kind, ERROR_STOPPED);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sources),    cmocka_unit_test(test_room),
	    cmocka_unit_test(test_lines),      cmocka_unit_test(test_modes),
	    cmocka_unit_test(test_files),      cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_commands),   cmocka_unit_test(test_closed),
	    cmocka_unit_test(test_leaks),      cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_background), cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, files_begin, files_end);
}
