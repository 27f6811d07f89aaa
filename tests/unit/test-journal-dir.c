// SPDX-License-Identifier: GPL-3.0-or-later
/* The state directory: who may use it, whose it is, and which journals are in it. */

#include "journal-fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned mode_of(const char *name)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", fixture_state, name);
	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void test_permissions(void **state)
{
	mode_t old = umask(0);
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");

	(void)state;
	fixture_put(journal, 1);
	fixture_commit(journal, NULL);
	assert_int_equal(journal_dir_set(dir, "a", "t", NULL), 0);
	assert_int_equal(mode_of("."), 0700);
	assert_int_equal(mode_of("lock"), 0600);
	assert_int_equal(mode_of("channel"), 0600);
	assert_int_equal(mode_of("INBOX.journal"), 0600);
	journal_close(&journal);
	journal_dir_close(&dir);
	umask(old);
}

/* FAULTS 11: one holds it; the other is told, and may still read. */
static void test_lock(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal_dir *second;
	struct journal_dir *reader;
	struct error err;

	(void)state;
	assert_int_equal(journal_dir_open(fixture_state, true, &second, &err), -1);
	assert_null(second);
	assert_int_equal(err.kind, ERROR_LOCKED);
	assert_non_null(strstr(err.text, fixture_state));
	reader = fixture_open_dir(false);
	journal_dir_close(&dir);
	dir = fixture_open_dir(true); /* a reader holds no lock */
	journal_dir_close(&reader);
	journal_dir_close(&dir);
	journal_dir_close(&dir);
}

/* The lock goes with its holder, however it ends. */
static void test_lock_of_the_dead(void **state)
{
	struct journal_dir *dir;
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		if (journal_dir_open(fixture_state, true, &dir, NULL) == 0)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	dir = fixture_open_dir(true);
	journal_dir_close(&dir);
}

/* Nothing there, nothing made: not the directory, not a file. */
static void test_reading_makes_nothing(void **state)
{
	struct journal_dir *dir = fixture_open_dir(false);
	struct journal *journal;
	char **names;
	size_t count;

	(void)state;
	assert_string_equal(journal_dir_account(dir), "");
	assert_string_equal(journal_dir_tree(dir), "");
	journal = fixture_load(dir, "INBOX");
	assert_int_equal(journal_head(journal)->pairs, 0);
	journal_pairs(journal, &count);
	assert_int_equal(count, 0);
	journal_close(&journal);
	assert_int_equal(journal_dir_list(dir, &names, &count, NULL), 0);
	assert_int_equal(count, 0);
	journal_names_free(names, count);
	journal_dir_close(&dir);
	assert_int_equal(access(fixture_state, F_OK), -1);
	journal_dir_close(&(struct journal_dir *){NULL});
	dir = fixture_open_dir(true);
	journal = fixture_load(dir, "INBOX");
	fixture_commit(journal, NULL); /* nothing changed */
	assert_int_equal(fixture_size("INBOX.journal"), -1);
	journal_close(&journal);
	journal_dir_close(&dir);
}

static void test_symlinks(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "real");
	struct error err;
	char path[256];

	(void)state;
	fixture_put(journal, 1);
	fixture_commit(journal, NULL);
	journal_close(&journal);
	snprintf(path, sizeof(path), "%s/link.journal", fixture_state);
	assert_int_equal(symlink("real.journal", path), 0);
	assert_int_equal(journal_open(dir, "link", &journal, &err), -1);
	assert_int_equal(err.sys, ELOOP);
	assert_int_equal(err.scope, SCOPE_MAILBOX);
	snprintf(path, sizeof(path), "%s/fifo.journal", fixture_state);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(journal_open(dir, "fifo", &journal, &err), -1); /* and does not hang */
	assert_non_null(strstr(err.text, "no regular file"));
	journal_dir_close(&dir);
	snprintf(path, sizeof(path), "%s/alias", fixture_root);
	assert_int_equal(symlink("state", path), 0);
	assert_int_equal(journal_dir_open(path, false, &dir, &err), -1);
	assert_null(dir);
	assert_int_equal(journal_dir_open(path, true, &dir, &err), -1);
}

static void test_channel_record(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct error err;
	struct buf text;

	(void)state;
	assert_string_equal(journal_dir_account(dir), "");
	assert_int_equal(journal_dir_set(dir, "alice@imap.example.org", "TREE 1", NULL), 0);
	assert_string_equal(journal_dir_account(dir), "alice@imap.example.org");
	/* its own pointers may come back in */
	assert_int_equal(
	    journal_dir_set(dir, journal_dir_account(dir), journal_dir_tree(dir), NULL), 0);
	assert_string_equal(journal_dir_tree(dir), "TREE 1");
	journal_dir_close(&dir);
	dir = fixture_open_dir(false);
	assert_string_equal(journal_dir_account(dir), "alice@imap.example.org");
	assert_string_equal(journal_dir_tree(dir), "TREE 1");
	journal_dir_close(&dir);

	buf_init(&text, 4096);
	fixture_read("channel", &text);
	for (size_t len = 0; len < text.len; len++) {
		fixture_write_file("channel", text.data, len);
		assert_int_equal(journal_dir_open(fixture_state, true, &dir, &err), -1);
		assert_int_equal(err.kind, ERROR_IO);
		assert_int_equal(err.scope, SCOPE_STORE);
	}
	buf_puts(&text, "x\n");
	fixture_write_file("channel", text.data, text.len);
	assert_int_equal(journal_dir_open(fixture_state, false, &dir, &err), -1);
	buf_free(&text);
}

/* A file of another channel, another tree, another mailbox or another version is not touched. */
static void test_wrong_owner(void **state)
{
	static const char *const owners[][2] = {{"bob@example.org", "T"},
						{"alice@example.org", "U"}};
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal;
	struct error err;
	struct buf text;

	(void)state;
	assert_int_equal(journal_dir_set(dir, "alice@example.org", "T", NULL), 0);
	journal = fixture_load(dir, "INBOX");
	fixture_put(journal, 1);
	fixture_commit(journal, NULL);
	journal_close(&journal);
	buf_init(&text, 65536);
	fixture_read("INBOX.journal", &text);

	fixture_write_file("other.journal", text.data, text.len);
	assert_int_equal(journal_open(dir, "other", &journal, &err), -1);
	assert_null(journal);
	assert_int_equal(err.kind, ERROR_IO);
	assert_int_equal(err.scope, SCOPE_MAILBOX);
	assert_non_null(strstr(err.text, "belongs to mailbox INBOX of alice@example.org"));
	assert_int_equal(fixture_size("other.journal"), text.len);

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(journal_dir_set(dir, owners[i][0], owners[i][1], NULL), 0);
		assert_int_equal(journal_open(dir, "INBOX", &journal, &err), -1);
		assert_non_null(strstr(err.text, "belongs to"));
	}
	assert_int_equal(journal_dir_set(dir, "", "", NULL), 0); /* no record: any */
	journal = fixture_load(dir, "INBOX");
	journal_close(&journal);

	text.data[strlen("evenmail-journal ")] = '2';
	fixture_write_file("INBOX.journal", text.data, text.len);
	assert_int_equal(journal_open(dir, "INBOX", &journal, &err), -1);
	assert_non_null(strstr(err.text, "of another version"));
	assert_int_not_equal(err.sys, EBADMSG);
	fixture_write_file("INBOX.journal", "Dear diary", 10);
	assert_int_equal(journal_open(dir, "INBOX", &journal, &err), -1);
	assert_int_equal(err.sys, EBADMSG);
	assert_int_equal(fixture_size("INBOX.journal"), 10);
	buf_free(&text);
	journal_dir_close(&dir);
}

static void test_list(void **state)
{
	char long_name[2049];
	const char *const names[] = {"Entwürfe", "INBOX", "a/b c", "lock", long_name};
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal;
	struct error err;
	char **listed;
	size_t count;

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	for (size_t i = 0; i < 5; i++) {
		journal = fixture_load(dir, names[i]);
		fixture_put(journal, 1);
		fixture_commit(journal, NULL);
		fixture_expect_on_disk(dir, names[i], journal);
		journal_close(&journal);
	}
	fixture_write_file("notes.txt", "x", 1);
	fixture_write_file(".INBOX.journal.tmp", "x", 1);
	fixture_write_file("too~0123456789abcdef.journal", "x", 1);
	assert_int_equal(journal_dir_list(dir, &listed, &count, NULL), 0);
	assert_int_equal(count, 5);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(listed[i], names[i]);
	journal_names_free(listed, count);
	assert_int_equal(journal_remove(dir, long_name, &err), 0);
	assert_int_equal(journal_remove(dir, "a/b c", &err), 0);
	assert_int_equal(journal_remove(dir, "a/b c", &err), 0); /* gone already */
	assert_int_equal(journal_dir_list(dir, &listed, &count, NULL), 0);
	assert_int_equal(count, 3);
	journal_names_free(listed, count);
	journal_dir_close(&dir);
}

static void test_name_too_long(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	char name[2050];
	struct journal *journal;
	struct error err;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[2049] = '\0';
	assert_int_equal(journal_open(dir, name, &journal, &err), -1);
	assert_null(journal);
	assert_int_equal(err.scope, SCOPE_MAILBOX);
	name[2048] = '\0';
	assert_int_equal(journal_open(dir, name, &journal, &err), 0);
	journal_close(&journal);
	journal_dir_close(&dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_permissions),           TEST(test_lock),     TEST(test_lock_of_the_dead),
	    TEST(test_reading_makes_nothing), TEST(test_symlinks), TEST(test_channel_record),
	    TEST(test_wrong_owner),           TEST(test_list),     TEST(test_name_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
