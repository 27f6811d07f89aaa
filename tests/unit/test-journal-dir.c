// SPDX-License-Identifier: GPL-3.0-or-later
/* The state directory: who may use it, whose it is, and which journals are in it. */

#include "journal-fixture.h"

#include "base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);

/* Who runs this is the next user. */
static bool is_another;

uid_t __wrap_geteuid(void)
{
	return __real_geteuid() + is_another;
}

struct dirent *__real_readdir(DIR *listing);
struct dirent *__wrap_readdir(DIR *listing);

#define VANISHING "vanishing~0123456789abcdef.journal"

/* One file is gone as soon as it is listed. */
struct dirent *__wrap_readdir(DIR *listing)
{
	struct dirent *entry = __real_readdir(listing);

	if (entry && !strcmp(entry->d_name, VANISHING))
		assert_int_equal(unlinkat(dirfd(listing), VANISHING, 0), 0);
	return entry;
}

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

/* A state directory that others can change, or read, is told; another user's is not touched. */
static void test_others(void **state)
{
	static const struct {
		mode_t mode;
		int warnings;
	} cases[] = {{0700, 0}, {0755, 1}, {0750, 1}, {0711, 1}, {0720, 1}, {0702, 1}, {0777, 1}};
	struct journal_dir *dir;
	struct error err;

	(void)state;
	assert_int_equal(mkdir(fixture_state, 0700), 0);
	is_another = true;
	for (int exclusive = 0; exclusive < 2; exclusive++) {
		assert_int_equal(journal_dir_open(fixture_state, exclusive, &dir, &err), -1);
		assert_null(dir);
		assert_int_equal(err.kind, ERROR_IO);
		assert_int_equal(err.scope, SCOPE_STORE);
		assert_non_null(strstr(err.text, "state belongs to another user"));
	}
	is_another = false;
	assert_int_equal(rmdir(fixture_state), 0); /* no lock in it */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dir = fixture_open_dir(true);
		journal_dir_close(&dir);
		assert_int_equal(chmod(fixture_state, cases[i].mode), 0);
		fixture_warnings = 0;
		dir = fixture_open_dir(false);
		journal_dir_close(&dir);
		assert_int_equal(fixture_warnings, cases[i].warnings);
	}
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
	assert_non_null(strstr(err.text, "channel is damaged; move it away"));
	assert_int_equal(journal_dir_open(fixture_state, false, &dir, NULL), -1);
	buf_free(&text);
}

/* What would be too long to be read again is not written, and what is there is not read. */
static void test_channel_too_long(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	const size_t most = 16 * 1024;
	char *account = xmalloc(most + 1);
	struct error err;

	(void)state;
	memset(account, 'a', most);
	account[most] = '\0';
	assert_int_equal(journal_dir_set(dir, "alice", "T", NULL), 0);
	assert_int_equal(journal_dir_set(dir, account, "T", &err), -1);
	assert_int_equal(err.scope, SCOPE_STORE);
	assert_non_null(strstr(err.text, "state: the account's name is too long"));
	assert_string_equal(journal_dir_account(dir), "alice");
	account[most - 200] = '\0';
	assert_int_equal(journal_dir_set(dir, account, "T", NULL), 0);
	journal_dir_close(&dir);
	dir = fixture_open_dir(true);
	assert_string_equal(journal_dir_account(dir), account);
	journal_dir_close(&dir);
	memset(account, 'a', most);
	fixture_write_file("channel", account, most + 1);
	assert_int_equal(journal_dir_open(fixture_state, false, &dir, &err), -1);
	assert_int_equal(err.scope, SCOPE_STORE);
	assert_non_null(strstr(err.text, "state/channel: cannot read: longer than"));
	free(account);
}

/* A file of another channel, another tree, another mailbox or another version is not touched. */
static void test_wrong_owner(void **state)
{
	static const char *const owners[][2] = {
	    {"bob@example.org", "T"}, {"alice@example.org", "U"}, {"", "U"}};
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

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(journal_dir_set(dir, owners[i][0], owners[i][1], NULL), 0);
		assert_int_equal(journal_open(dir, "INBOX", &journal, &err), -1);
		assert_non_null(strstr(err.text, "belongs to"));
	}
	assert_int_equal(journal_dir_set(dir, "", "", NULL), 0); /* no record: any */
	journal = fixture_load(dir, "INBOX");
	journal_close(&journal);
	buf_free(&text);
	journal_dir_close(&dir);
}

/* What begins otherwise than a journal does is not touched; that of another version is no damage.
 */
static void test_no_journal(void **state)
{
	static const char damaged[] = "damaged at line 1: not the beginning of a journal";
	static const char other[] = "it is of another version of this program";
	static const struct {
		const char *bytes;
		const char *reason;
	} cases[] = {
	    {"Dear diary", damaged},
	    {"Dear diary,\nevenmail-journal 1 INBOX - -\n", damaged},
	    {"evenmail-journal\n", damaged},
	    {"evenmail-journal \n", other},
	    {"evenmail-journal 2\n", other},
	    {"evenmail-journal 2 INBOX - -\n", other},
	    {"evenmail-journal 10 INBOX - -\n", other},
	    {"evenmail-journal 1 \n", damaged},
	    {"evenmail-journal 1 INBOX -\n", damaged},
	    {"evenmail-journal 1 %zz - -\n", damaged},
	};
	struct journal_dir *dir = fixture_open_dir(true);
	char *endless = xmalloc(100000);
	struct journal *journal;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].bytes);

		fixture_write_file("INBOX.journal", cases[i].bytes, len);
		assert_int_equal(journal_open(dir, "INBOX", &journal, &err), -1);
		assert_null(journal);
		assert_non_null(strstr(err.text, cases[i].reason));
		assert_int_equal(err.sys, cases[i].reason == damaged ? EBADMSG : 0);
		assert_int_equal(journal_open(dir, "INBOX", &journal, NULL), -1);
		assert_int_equal(fixture_size("INBOX.journal"), len);
	}
	memcpy(endless, "evenmail-journal 1 INBOX - -", 28);
	memset(endless + 28, 'x', 100000 - 28); /* a line without end */
	fixture_write_file("INBOX.journal", endless, 100000);
	assert_int_equal(journal_open(dir, "INBOX", &journal, &err), -1);
	assert_int_equal(err.sys, EBADMSG);
	assert_int_equal(fixture_size("INBOX.journal"), 100000);
	free(endless);
	journal_dir_close(&dir);
}

/* A file that no run could have written, of a size that no run would read. */
static void test_file_too_long(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	const off_t longest = (off_t)1 << 30;
	struct error err;
	char path[256];

	(void)state;
	fixture_put(journal, 1);
	fixture_commit(journal, NULL);
	journal_close(&journal);
	snprintf(path, sizeof(path), "%s/INBOX.journal", fixture_state);
	assert_int_equal(truncate(path, longest + 1), 0); /* a hole: it takes no room */
	assert_int_equal(journal_open(dir, "INBOX", &journal, &err), -1);
	assert_int_equal(err.scope, SCOPE_MAILBOX);
	assert_non_null(strstr(err.text, "INBOX.journal: longer than any journal may be; move"));
	assert_int_equal(fixture_size("INBOX.journal"), longest + 1);
	journal_dir_close(&dir);
}

/* FAULTS 9: what cannot be understood is none. */
static void test_generation(void **state)
{
	static const char *const none[] = {"evenmail-generation 1 abcdefgh/jklmnop 7\n",
					   "evenmail-generation 1 abcdefghijklmno 7\n",
					   "evenmail-generation 1 abcdefghijklmnop 07\n",
					   "evenmail-generation 1 abcdefghijklmnop -7\n",
					   "evenmail-generation 2 abcdefghijklmnop 7\n"};
	const struct journal_generation made = {"abcdefghijklmnop", UINT64_MAX};
	struct journal_generation found = made;
	struct journal_dir *dir = fixture_open_dir(true);
	struct buf text;

	(void)state;
	assert_int_equal(journal_dir_generation(dir, &found, NULL), 0);
	assert_true(found.key[0] == '\0' && found.number == 0);
	assert_int_equal(journal_dir_set_generation(dir, &made, NULL), 0);
	assert_int_equal(journal_dir_generation(dir, &found, NULL), 0);
	assert_string_equal(found.key, made.key);
	assert_true(found.number == made.number);
	buf_init(&text, 65536);
	fixture_read("generation", &text);
	for (size_t len = 0; len < text.len; len++) {
		fixture_write_file("generation", text.data, len);
		assert_int_equal(journal_dir_generation(dir, &found, NULL), 0);
		assert_true(found.key[0] == '\0' && found.number == 0);
	}
	for (size_t i = 0; i < 150; i++) {
		buf_puts(&text, "1");
		fixture_write_file("generation", text.data, text.len);
		assert_int_equal(journal_dir_generation(dir, &found, NULL), 0);
		assert_true(found.key[0] == '\0' && found.number == 0);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		fixture_write_file("generation", none[i], strlen(none[i]));
		assert_int_equal(journal_dir_generation(dir, &found, NULL), 0);
		assert_true(found.key[0] == '\0' && found.number == 0);
	}
	buf_free(&text);
	journal_dir_close(&dir);
}

/* One that cannot be read or written is an error: who took it for none would match all anew. */
static void test_failing_generation(void **state)
{
	const struct journal_generation made = {"abcdefghijklmnop", 7};
	struct journal_generation found;
	struct journal_dir *dir = fixture_open_dir(true);
	struct error err;
	char path[256];

	(void)state;
	assert_int_equal(journal_dir_set_generation(dir, &made, NULL), 0);
	fixture_write.fail_after = 0;
	fixture_write.error = ENOSPC;
	assert_int_equal(journal_dir_set_generation(
			     dir, &(struct journal_generation){"ponmlkjihgfedcba", 8}, &err),
			 -1);
	assert_int_equal(err.sys, ENOSPC);
	assert_non_null(strstr(err.text, "state: cannot replace generation"));
	assert_int_equal(journal_dir_generation(dir, &found, NULL), 0);
	assert_string_equal(found.key, made.key);
	snprintf(path, sizeof(path), "%s/generation", fixture_state);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("lock", path), 0);
	assert_int_equal(journal_dir_generation(dir, &found, &err), -1);
	assert_int_equal(err.sys, ELOOP);
	assert_non_null(strstr(err.text, "state/generation"));
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
	char path[256];
	size_t count;

	(void)state;
	assert_int_equal(journal_dir_set(dir, "a", "t", NULL), 0);
	assert_int_equal(journal_dir_set_generation(
			     dir, &(struct journal_generation){"abcdefghijklmnop", 1}, NULL),
			 0);
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
	/* Names that were cut, but no first line to tell the mailbox. */
	fixture_write_file("too~0123456789abcdef.journal", "x", 1);
	fixture_write_file("empty~0123456789abcdef.journal", "", 0);
	fixture_write_file("diary~0123456789abcdef.journal", "Dear diary,\n", 12);
	fixture_write_file(VANISHING, "x", 1);
	snprintf(path, sizeof(path), "%s/link~0123456789abcdef.journal", fixture_state);
	assert_int_equal(symlink("INBOX.journal", path), 0);
	snprintf(path, sizeof(path), "%s/directory~0123456789abcdef.journal", fixture_state);
	assert_int_equal(mkdir(path, 0700), 0);
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

/* Without as much as a lock in it. */
static void test_list_of_none(void **state)
{
	struct journal_dir *dir;
	char **listed;
	size_t count;

	(void)state;
	assert_int_equal(mkdir(fixture_state, 0700), 0);
	dir = fixture_open_dir(false);
	assert_int_equal(journal_dir_list(dir, &listed, &count, NULL), 0);
	assert_int_equal(count, 0);
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
	    TEST(test_permissions),
	    TEST(test_others),
	    TEST(test_lock),
	    TEST(test_lock_of_the_dead),
	    TEST(test_reading_makes_nothing),
	    TEST(test_symlinks),
	    TEST(test_channel_record),
	    TEST(test_channel_too_long),
	    TEST(test_wrong_owner),
	    TEST(test_no_journal),
	    TEST(test_file_too_long),
	    TEST(test_generation),
	    TEST(test_failing_generation),
	    TEST(test_list),
	    TEST(test_list_of_none),
	    TEST(test_name_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
