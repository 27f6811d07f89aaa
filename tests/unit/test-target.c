// SPDX-License-Identifier: GPL-3.0-or-later
/* CHANNEL[/MAILBOX] into channels and mailboxes, and a channel's words into those below. */
#include "base/alloc.h"
#include "cmd/target.h"
#include "config-file.h"

#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ONE(name, more)                                                                            \
	"  " name ":\n"                                                                            \
	"    local: {path: /m/" name "}\n"                                                         \
	"    remote: {host: h, user: u, password-command: p}\n" more

static const char text[] =
    "channels:\n" ONE("work", "    push: []\n") ONE("home", "    mailboxes: ['*', '!Junk']\n")
	ONE("third", "    compress: yes\n    map: {a: b}\n");

/* Loads the targets that these words name. */
static int load(const char *const *words, size_t count, bool implied, struct target_list *out,
		struct error *err)
{
	const struct options options = {
	    .config_path = files_path("config.yaml"),
	    .names = (char *const *)words,
	    .names_len = count,
	    .implied = implied,
	};

	files_write("config.yaml", text, strlen(text), 0600);
	return target_load(&options, out, err);
}

/* Without a word all channels, in the file's order. */
static void test_all(void **unused)
{
	static const char *const names[] = {"work", "home", "third"};
	struct target_list list;
	struct error err;

	(void)unused;
	assert_int_equal(load(NULL, 0, false, &list, &err), 0);
	assert_int_equal(list.len, COUNT(names));
	for (size_t i = 0; i < list.len; i++) {
		assert_string_equal(list.targets[i].channel->name, names[i]);
		assert_int_equal(list.targets[i].only_len, 0);
		assert_true(target_names_mailbox(&list.targets[i], "INBOX"));
	}
	target_free(&list);
}

/*
 * Channels come in the order of the words, each once; a mailbox is all behind the first slash, and
 * INBOX in any case.
 */
static void test_names(void **unused)
{
	static const char *const words[] = {"third", "home/inBox", "work/a/b", "home/Lists/x"};
	struct target_list list;
	struct error err;

	(void)unused;
	assert_int_equal(load(words, COUNT(words), false, &list, &err), 0);
	assert_int_equal(list.len, 3);
	assert_string_equal(list.targets[0].channel->name, "third");
	assert_int_equal(list.targets[0].only_len, 0);
	assert_string_equal(list.targets[1].channel->name, "home");
	assert_int_equal(list.targets[1].only_len, 2);
	assert_string_equal(list.targets[1].only[0], "INBOX");
	assert_string_equal(list.targets[1].only[1], "Lists/x");
	assert_true(target_names_mailbox(&list.targets[1], "Lists/x"));
	assert_false(target_names_mailbox(&list.targets[1], "Lists"));
	assert_string_equal(list.targets[2].only[0], "a/b");
	target_free(&list);
}

/*
 * What is no channel is refused with its near miss; a first word may have been meant as a command.
 */
static void test_refusals(void **unused)
{
	static const struct {
		const char *word;
		bool implied;
		const char *want;
	} rows[] = {
	    {"wrok", false, "wrok: no such channel in % (did you mean \"work\"?)"},
	    {"xyzzy/INBOX", false, "xyzzy: no such channel in %"},
	    {"statsu", false, "statsu: no such channel in %"},
	    {"statsu", true,
	     "statsu: no such command, and no such channel in % (did you mean \"status\"?)"},
	    {"hmoe", true,
	     "hmoe: no such command, and no such channel in % (did you mean \"home\"?)"},
	    {"", false, ": no such channel in %"},
	    {"/INBOX", false, ": no such channel in %"},
	    {"\x1b[2J", false, "\\x1B[2J: no such channel in %"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct target_list list;
		struct error err;
		const char *percent = strchr(rows[i].want, '%'), *path = files_path("config.yaml");
		size_t head = (size_t)(percent - rows[i].want);

		assert_int_equal(load(&rows[i].word, 1, rows[i].implied, &list, &err), -1);
		assert_int_equal(err.kind, ERROR_USAGE);
		assert_memory_equal(err.text, rows[i].want, head);
		assert_memory_equal(err.text + head, path, strlen(path));
		assert_string_equal(err.text + head + strlen(path), percent + 1);
	}
}

/*
 * A word that is no command, where no channel can be looked up, is the user's mistake all the same.
 */
static void test_word_without_configuration(void **unused)
{
	char *const words[] = {(char *)"personal"};
	struct options options = {
	    .config_path = files_path("nowhere.yaml"), .names = words, .names_len = 1};
	struct target_list list;
	struct error err;

	(void)unused;
	assert_int_equal(target_load(&options, &list, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	options.implied = true;
	assert_int_equal(target_load(&options, &list, &err), -1);
	assert_int_equal(err.kind, ERROR_USAGE);
	assert_memory_equal(err.text, "personal: no such command", 25);
}

/* What reaches the layers below, for each of the modes. */
static void test_setup(void **unused)
{
	static const struct {
		size_t channel;
		unsigned modes;
		unsigned pull;
		unsigned push;
		enum policy_deletion local;
		bool read_only;
	} rows[] = {
	    {0, 0, CHANGE_ALL, 0, DELETION_EXPUNGE, true},
	    {1, 0, CHANGE_ALL, CHANGE_ALL, DELETION_EXPUNGE, false},
	    {1, MODE_DRY_RUN, CHANGE_ALL, CHANGE_ALL, DELETION_EXPUNGE, false},
	    {1, MODE_BACKUP, CHANGE_ALL, 0, DELETION_KEEP, true},
	    {1, MODE_BACKUP | MODE_DRY_RUN, CHANGE_ALL, 0, DELETION_KEEP, true},
	    {1, MODE_ALLOW_DELETIONS, CHANGE_ALL, CHANGE_ALL, DELETION_EXPUNGE, false},
	    {1, MODE_ADOPT, CHANGE_ALL, CHANGE_ALL, DELETION_EXPUNGE, false},
	};
	struct target_list list;
	struct error err;

	(void)unused;
	setenv("XDG_STATE_HOME", "/s", 1);
	assert_int_equal(load(NULL, 0, false, &list, &err), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct options options = {.modes = rows[i].modes};
		struct arena arena = {0};
		struct account_setup setup;

		target_setup(&list.targets[rows[i].channel], &options, &arena, &setup);
		assert_int_equal(setup.policy.change[LOCAL], rows[i].pull);
		assert_int_equal(setup.policy.change[REMOTE], rows[i].push);
		assert_int_equal(setup.policy.deletion[LOCAL], rows[i].local);
		assert_int_equal(setup.imap->read_only, rows[i].read_only);
		assert_int_equal(setup.dry_run, !!(rows[i].modes & MODE_DRY_RUN));
		assert_int_equal(setup.allow_deletions, !!(rows[i].modes & MODE_ALLOW_DELETIONS));
		assert_int_equal(setup.adopt, !!(rows[i].modes & MODE_ADOPT));
		arena_free(&arena);
	}
	const struct options none = {0};
	struct arena arena = {0};
	struct account_setup setup;
	target_setup(&list.targets[1], &none, &arena, &setup);
	assert_string_equal(setup.name, "home");
	assert_string_equal(setup.account, "u@h");
	assert_string_equal(setup.tree_path, "/m/home");
	assert_string_equal(setup.state_dir, "/s/evenmail/home");
	assert_int_equal(setup.patterns_len, 2);
	assert_int_equal(setup.map.len, 0);
	assert_true(setup.policy.link);
	assert_non_null(setup.imap->secret);
	assert_int_equal(setup.imap->compress, IMAP_COMPRESS_AUTO);
	target_setup(&list.targets[2], &none, &arena, &setup);
	assert_int_equal(setup.imap->compress, IMAP_COMPRESS_YES);
	assert_int_equal(setup.map.len, 1);
	assert_string_equal(setup.map.pairs[0].remote, "b");
	arena_free(&arena);
	target_free(&list);
}

/* The state is where the XDG rules say; a relative XDG_STATE_HOME is to be ignored. */
static void test_state_dir(void **unused)
{
	static const struct {
		const char *xdg;
		const char *want;
	} rows[] = {
	    {"/x/y", "/x/y/evenmail/c"},
	    {"", "/home/u/.local/state/evenmail/c"},
	    {"x/y", "/home/u/.local/state/evenmail/c"},
	    {NULL, "/home/u/.local/state/evenmail/c"},
	};
	const struct config_channel channel = {.name = "c"};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena arena = {0};

		if (rows[i].xdg)
			setenv("XDG_STATE_HOME", rows[i].xdg, 1);
		else
			unsetenv("XDG_STATE_HOME");
		assert_string_equal(target_state_dir(&channel, &arena), rows[i].want);
		arena_free(&arena);
	}
}

/* Without HOME, as under some daemons, the state is in the home that the user database knows. */
static void test_state_dir_without_home(void **unused)
{
	const struct config_channel channel = {.name = "c"};
	const struct passwd *user = getpwuid(getuid());
	struct arena arena = {0};

	(void)unused;
	assert_non_null(user);
	char *want = xasprintf("%s/.local/state/evenmail/c", user->pw_dir);
	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	assert_string_equal(target_state_dir(&channel, &arena), want);
	setenv("HOME", "/home/u", 1);
	arena_free(&arena);
	free(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_word_without_configuration),
	    cmocka_unit_test(test_setup),
	    cmocka_unit_test(test_state_dir),
	    cmocka_unit_test(test_state_dir_without_home),
	};

	return cmocka_run_group_tests(tests, files_begin, files_end);
}
