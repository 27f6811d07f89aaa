// SPDX-License-Identifier: GPL-3.0-or-later
/* Journals that are set aside, and what else lies in a state directory. */
#include "journal-fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The strays as "NAME=KIND " in their order; temporary ones are swept where that is wanted. */
static const char *list(struct journal_dir *dir, bool sweep)
{
	static char text[2048];
	struct arena arena = {0};
	struct journal_stray *strays;
	struct error err = {0};
	size_t count;

	text[0] = '\0';
	if (journal_dir_strays(dir, &arena, &strays, &count, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(text);
		snprintf(text + len, sizeof(text) - len, "%s=%d ", strays[i].name, strays[i].kind);
		if (sweep && strays[i].kind == STRAY_TEMPORARY)
			assert_int_equal(journal_dir_sweep(dir, &strays[i], &err), 0);
	}
	arena_free(&arena);
	return text;
}

/* Makes a journal with one pair. */
static void make(struct journal_dir *dir, const char *mailbox)
{
	const struct pair pair = fixture_pair(1);
	const struct journal_head head = fixture_head(1);
	struct journal *journal = fixture_load(dir, mailbox);

	journal_put(journal, &pair);
	fixture_commit(journal, &head);
	journal_close(&journal);
}

/* How many pairs a mailbox's journal has. */
static size_t count_pairs(struct journal_dir *dir, const char *mailbox)
{
	struct journal *journal = fixture_load(dir, mailbox);
	size_t count;

	journal_pairs(journal, &count);
	journal_close(&journal);
	return count;
}

/* The mailbox has none then; the file is kept, however often, and however long its name. */
static void sets_aside(void **state)
{
	char longest[400], *names;
	struct journal_dir *dir = fixture_open_dir(true);
	struct error err = {0};
	char **listed;
	size_t count;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (int i = 0; i < 3; i++) {
		make(dir, "a/b");
		make(dir, longest);
		assert_int_equal(count_pairs(dir, "a/b"), 1);
		assert_int_equal(journal_set_aside(dir, "a/b", &err), 0);
		assert_int_equal(journal_set_aside(dir, longest, &err), 0);
		assert_int_equal(count_pairs(dir, "a/b"), 0);
		assert_int_equal(count_pairs(dir, longest), 0);
	}
	assert_int_equal(journal_dir_list(dir, &listed, &count, &err), 0);
	assert_int_equal(count, 0);
	journal_names_free(listed, count);
	names = strdup(list(dir, false));
	count = 0;
	for (char *at = names; (at = strstr(at, ".damaged-")); at++)
		count++;
	assert_int_equal(count, 6);
	free(names);
	assert_int_equal(journal_set_aside(dir, "none", &err), -1);
	assert_int_equal(err.kind, ERROR_IO);
	journal_dir_close(&dir);
}

/* Where the directory cannot be synced it is told, for it may not last. */
static void sets_aside_durably(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct error err;

	(void)state;
	make(dir, "INBOX");
	fixture_fsync.fail_after = 0;
	assert_int_equal(journal_set_aside(dir, "INBOX", &err), -1);
	assert_int_equal(err.kind, ERROR_IO);
	assert_non_null(strstr(err.text, fixture_state));
	journal_dir_close(&dir);
}

/* What a run reads is no stray; of the rest only what is good for nothing is swept. */
static void tells_strays(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);

	(void)state;
	assert_int_equal(journal_dir_set(dir, "alice", "tree", NULL), 0);
	make(dir, "INBOX");
	assert_int_equal(journal_dir_set_generation(
			     dir, &(struct journal_generation){"abcdefghijklmnop", 1}, NULL),
			 0);
	assert_string_equal(list(dir, false), "");
	fixture_write_file("notes.txt", "x", 1);
	fixture_write_file("x.tmp", "x", 1);
	fixture_write_file(".tmp", "x", 1);
	fixture_write_file(".x", "x", 1);
	fixture_write_file(".INBOX.journal.tmp", "x", 1);
	fixture_write_file(".INBOX.journal.tm", "x", 1);
	fixture_write_file("%zz.journal", "x", 1);
	fixture_write_file("INBOX.journal.damaged-17", "x", 1);
	assert_string_equal(list(dir, true),
			    "%zz.journal=2 .INBOX.journal.tm=2 .INBOX.journal.tmp=0 .tmp=2 .x=2 "
			    "INBOX.journal.damaged-17=1 notes.txt=2 x.tmp=2 ");
	assert_string_equal(list(dir, false), "%zz.journal=2 .INBOX.journal.tm=2 .tmp=2 .x=2 "
					      "INBOX.journal.damaged-17=1 notes.txt=2 x.tmp=2 ");
	assert_int_equal(count_pairs(dir, "INBOX"), 1);
	journal_dir_close(&dir);
}

/* One that is gone already is fine; one that is no file stays, and that is told. */
static void sweeps(void **state)
{
	const struct journal_stray gone = {".gone.tmp", STRAY_TEMPORARY};
	const struct journal_stray other = {".other.tmp", STRAY_TEMPORARY};
	struct journal_dir *dir = fixture_open_dir(true);
	struct error err;
	char path[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/%s", fixture_state, other.name);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(journal_dir_sweep(dir, &gone, &err), 0);
	assert_int_equal(journal_dir_sweep(dir, &other, &err), -1);
	assert_int_equal(err.kind, ERROR_IO);
	assert_non_null(strstr(err.text, path));
	assert_string_equal(list(dir, false), ".other.tmp=0 ");
	assert_int_equal(rmdir(path), 0);
	journal_dir_close(&dir);
}

/* A directory that is not there has none. */
static void tells_none(void **state)
{
	struct journal_dir *dir = fixture_open_dir(false);

	(void)state;
	assert_string_equal(list(dir, false), "");
	journal_dir_close(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(sets_aside, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(sets_aside_durably, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(sweeps, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(tells_strays, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(tells_none, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
