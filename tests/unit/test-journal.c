// SPDX-License-Identifier: GPL-3.0-or-later
/* The state directory and the life of a journal in it: open, load, change, commit, again. */

#include "journal-fixture.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Asserts that both hold the same, head included. */
static void expect_same(const struct journal *a, const struct journal *b)
{
	struct buf left, right;

	buf_init(&left, 16 << 20);
	buf_init(&right, 16 << 20);
	fixture_dump(a, &left);
	fixture_dump(b, &right);
	assert_string_equal(left.data, right.data);
	buf_free(&left);
	buf_free(&right);
}

/* Asserts that what is in memory is what the file holds. */
static void expect_on_disk(struct journal_dir *dir, const char *mailbox,
			   const struct journal *journal)
{
	struct journal *again = fixture_load(dir, mailbox);

	expect_same(journal, again);
	journal_close(&again);
}

static unsigned mode_of(const char *name)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", fixture_state, name);
	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void put(struct journal *journal, uint32_t uid)
{
	struct pair pair = fixture_pair(uid);

	journal_put(journal, &pair);
}

static void test_permissions(void **state)
{
	mode_t old = umask(0);
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");

	(void)state;
	put(journal, 1);
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
	put(journal, 1);
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
	put(journal, 1);
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
		put(journal, 1);
		fixture_commit(journal, NULL);
		expect_on_disk(dir, names[i], journal);
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

/* All of it comes back, by both orders and both keys. */
static void test_round_trip(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct journal_head head = fixture_head(4);
	const struct pair *pairs;
	int64_t before = clock_wall_ns() / 1000000000;
	size_t count, index;

	(void)state;
	for (uint32_t uid = 300; uid >= 1; uid--)
		put(journal, uid);
	for (uint32_t n = 1; n < 50; n++) {
		struct journal_note note =
		    fixture_note((enum journal_note_kind)(n % (JOURNAL_REFUSED + 1)), 1000 + n);

		journal_note(journal, &note);
	}
	fixture_commit(journal, &head);
	assert_in_range(journal_head(journal)->when, before, before + 60);
	assert_int_equal(journal_head(journal)->pairs, 300);
	assert_int_equal(journal_head(journal)->notes, 49);
	expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);

	journal = fixture_open(dir, "INBOX"); /* the head alone */
	assert_int_equal(journal_head(journal)->uidvalidity, head.uidvalidity);
	assert_int_equal(journal_head(journal)->pairs, 300);
	assert_true(journal_head(journal)->even);
	assert_int_equal(journal_load(journal, NULL), 0);
	assert_int_equal(journal_load(journal, NULL), 0);
	pairs = journal_pairs(journal, &count);
	assert_int_equal(count, 300);
	for (uint32_t uid = 1; uid <= 300; uid++) {
		assert_int_equal(pairs[uid - 1].uid, uid);
		assert_true(journal_find_uid(journal, uid, &index));
		assert_int_equal(index, uid - 1);
		assert_true(journal_find_name(journal, pairs[uid - 1].name, &index));
		assert_int_equal(index, uid - 1);
		assert_ptr_equal(journal_pair_of_uid(journal, uid), &pairs[index]);
		assert_ptr_equal(journal_pair_of_name(journal, pairs[index].name), &pairs[index]);
	}
	assert_false(journal_find_uid(journal, 301, &index));
	assert_false(journal_find_name(journal, "", &index));
	assert_null(journal_pair_of_uid(journal, 301));
	assert_null(journal_pair_of_name(journal, "x"));
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* Uncommitted changes are seen at once and gone with the journal. */
static void test_close_drops(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	size_t index, count;
	long size;

	(void)state;
	put(journal, 1);
	fixture_commit(journal, NULL);
	size = fixture_size("INBOX.journal");
	put(journal, 2);
	journal_forget(journal, 1);
	assert_true(journal_find_uid(journal, 2, &index));
	assert_false(journal_find_uid(journal, 1, &index));
	journal_close(&journal);
	journal_close(&journal);
	assert_int_equal(fixture_size("INBOX.journal"), size);
	journal = fixture_load(dir, "INBOX");
	journal_pairs(journal, &count);
	assert_int_equal(count, 1);
	assert_true(journal_find_uid(journal, 1, &index));
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* Odd names of mailboxes and of files come back byte by byte, and each record is one line. */
static void test_odd_names(void **state)
{
	static const char *const names[] = {"-",
					    "?",
					    " ",
					    "%",
					    "%20",
					    "a b",
					    "a\nc 1 2 3\n",
					    "\xff\xfe",
					    "ünïcode",
					    "\x01\x7f",
					    "p 1 - - - - - - - x",
					    "c"};
	struct journal_dir *dir = fixture_open_dir(true);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct journal *journal = fixture_load(dir, names[i]);
		struct buf text;
		size_t lines = 0;

		for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
			struct pair pair = {.uid = (uint32_t)n + 1, .name = names[n]};
			struct journal_note note = {
			    .kind = JOURNAL_REFUSED, .name = names[n], .text = names[n]};

			journal_put(journal, &pair);
			journal_note(journal, &note);
		}
		fixture_commit(journal, NULL);
		expect_on_disk(dir, names[i], journal);
		journal_close(&journal);
		journal = fixture_load(dir, names[i]);
		for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
			assert_string_equal(journal_pair_of_uid(journal, (uint32_t)n + 1)->name,
					    names[n]);
		journal_close(&journal);
		if (strcmp(names[i], "c") != 0)
			continue;
		buf_init(&text, 1 << 20);
		fixture_read("c.journal", &text);
		for (size_t k = 0; k < text.len; k++)
			lines += text.data[k] == '\n';
		assert_int_equal(lines, 2 + 2 * sizeof(names) / sizeof(names[0]));
		buf_free(&text);
	}
	journal_dir_close(&dir);
}

/* One fdatasync a commit; one fsync of the directory when the file is made; none for nothing. */
static void test_syncs(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal_head head = fixture_head(2);
	struct journal *journal = fixture_load(dir, "INBOX");

	(void)state;
	fixture_reset_calls();
	put(journal, 1);
	fixture_commit(journal, NULL);
	assert_int_equal(fixture_fdatasync.count, 1);
	assert_int_equal(fixture_fsync.count, 1);
	assert_int_equal(fixture_write.count, 1);
	for (uint32_t n = 2; n < 10; n++) {
		fixture_reset_calls();
		for (uint32_t i = 0; i < n; i++)
			put(journal, n * 100 + i);
		fixture_commit(journal, n % 2 == 0 ? &head : NULL);
		assert_int_equal(fixture_fdatasync.count, 1);
		assert_int_equal(fixture_fsync.count, 0);
		assert_int_equal(fixture_write.count, 1);
	}
	fixture_reset_calls();
	put(journal, 100); /* not there: a change; then back: none that matters */
	journal_forget(journal, 100);
	journal_end_note(journal, JOURNAL_MOVING, 5, NULL);
	journal_forget(journal, 4000000000u);
	fixture_commit(journal, &head);
	assert_int_equal(fixture_fdatasync.count, 1);
	fixture_reset_calls();
	put(journal, 101);
	fixture_commit(journal, &head);
	fixture_reset_calls();
	put(journal, 101); /* as it is */
	journal_end_note(journal, JOURNAL_MOVING, 5, "x");
	journal_forget(journal, 4000000000u);
	fixture_commit(journal, &head);
	fixture_commit(journal, NULL);
	assert_int_equal(fixture_fdatasync.count + fixture_fsync.count + fixture_write.count, 0);
	for (int field = 0; field < 3; field++) { /* a head that differs in one is a change */
		head.policy += field == 0;
		head.mailbox_id += field == 1;
		head.inode += field == 2;
		fixture_commit(journal, &head);
		assert_int_equal(fixture_fdatasync.count, field + 1);
	}
	journal_close(&journal);
	fixture_reset_calls();
	journal = fixture_open(dir, "INBOX"); /* an unchanged mailbox: nothing written */
	journal_close(&journal);
	assert_int_equal(fixture_fdatasync.count + fixture_fsync.count + fixture_write.count, 0);
	expect_on_disk(dir, "INBOX", journal = fixture_load(dir, "INBOX"));
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* NULL keeps the head; its counts and time are those of the commit all the same. */
static void test_null_head(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal_head head = fixture_head(6);
	struct journal *journal = fixture_load(dir, "INBOX");

	(void)state;
	head.pairs = 77; /* not the caller's to say */
	put(journal, 1);
	fixture_commit(journal, &head);
	put(journal, 2);
	fixture_commit(journal, NULL);
	assert_int_equal(journal_head(journal)->uidnext, head.uidnext);
	assert_int_equal(journal_head(journal)->pairs, 2);
	assert_true(journal_head(journal)->even);
	expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* A change of flags alone is a short record. */
static void test_flags_are_short(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct pair pair = fixture_pair(5);
	struct buf text;

	(void)state;
	journal_put(journal, &pair);
	fixture_commit(journal, NULL);
	pair.flags.bits = FLAG_SEEN | FLAG_ANSWERED;
	journal_put(journal, &pair);
	fixture_commit(journal, NULL);
	expect_on_disk(dir, "INBOX", journal);
	buf_init(&text, 65536);
	fixture_read("INBOX.journal", &text);
	assert_non_null(strstr(text.data, "\nf 5 RS\nc 2 "));
	buf_free(&text);
	journal_close(&journal);
	journal_dir_close(&dir);
}

static void test_reset(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	size_t count;

	(void)state;
	for (uint32_t n = 1; n <= 20; n++) {
		struct journal_note note =
		    fixture_note((enum journal_note_kind)(n % (JOURNAL_REFUSED + 1)), 50 + n);

		put(journal, n);
		journal_note(journal, &note);
	}
	fixture_commit(journal, NULL);
	journal_reset(journal);
	put(journal, 7);
	fixture_commit(journal, NULL);
	journal_pairs(journal, &count);
	assert_int_equal(count, 1);
	assert_int_equal(journal_head(journal)->pairs, 1);
	expect_on_disk(dir, "INBOX", journal);
	fixture_reset_calls();
	journal_reset(journal);
	fixture_commit(journal, NULL);
	journal_reset(journal);
	fixture_commit(journal, NULL);
	assert_int_equal(fixture_fdatasync.count, 1);
	expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* Small files are left alone; large ones are made anew when they hold twice what they need. */
static void test_compaction(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct journal_note note = fixture_note(JOURNAL_REFUSED, 2);
	long largest = 0, last = 0;
	int compactions = 0;

	(void)state;
	put(journal, 1);
	journal_note(journal, &note);
	for (uint32_t n = 0; n < 3000; n++) {
		struct pair pair = fixture_pair(2 + n % 50);
		long size;

		pair.size = n;
		journal_put(journal, &pair);
		fixture_reset_calls();
		fixture_commit(journal, NULL);
		size = fixture_size("INBOX.journal");
		assert_int_equal(fixture_fsync.count, n == 0 || size < last ? 1 : 0);
		assert_int_equal(fixture_fdatasync.count, size < last ? 2 : 1);
		compactions += size < last;
		largest = size > largest ? size : largest;
		last = size;
	}
	assert_in_range(largest, 64 * 1024 - 400, 64 * 1024 + 400);
	assert_in_range(compactions, 5, 50);
	expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal = fixture_load(dir, "INBOX"); /* and goes on after it */
	put(journal, 9000);
	fixture_commit(journal, NULL);
	expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* Keywords of pairs and notes, and those that a side refused, come back, compacted or not. */
static void test_keywords(void **state)
{
	uint32_t work = keywords_of("Work", 4), both = keywords_union(work, keywords_of("a,b", 3));
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct pair pair = fixture_pair(1);
	struct journal_note note = fixture_note(JOURNAL_APPENDING, 2);

	(void)state;
	pair.flags.keywords = both;
	journal_put(journal, &pair);
	note.flags.keywords = work;
	journal_note(journal, &note);
	journal_refuse_keywords(journal, REMOTE, work);
	journal_refuse_keywords(journal, REMOTE, both);
	fixture_commit(journal, NULL);
	long size = fixture_size("INBOX.journal");
	/* What is known already is not written again. */
	journal_put(journal, &pair);
	journal_refuse_keywords(journal, REMOTE, work);
	journal_refuse_keywords(journal, LOCAL, 0);
	journal_refuse_keywords(journal, LOCAL, KEYWORDS_UNKNOWN);
	fixture_commit(journal, NULL);
	assert_int_equal(fixture_size("INBOX.journal"), size);
	for (uint32_t i = 0; i < 3000; i++) {
		pair.flags.keywords = i % 2 ? work : both;
		journal_put(journal, &pair);
		fixture_commit(journal, NULL);
	}
	assert_in_range(fixture_size("INBOX.journal"), 1, 140000);
	journal_close(&journal);
	journal = fixture_load(dir, "INBOX");
	assert_int_equal(journal_pair_of_uid(journal, 1)->flags.keywords, work);
	assert_int_equal(journal_notes(journal, &(size_t){0})[0].flags.keywords, work);
	assert_int_equal(journal_refused_keywords(journal, REMOTE), both);
	assert_int_equal(journal_refused_keywords(journal, LOCAL), 0);
	journal_reset(journal);
	assert_int_equal(journal_refused_keywords(journal, REMOTE), 0);
	journal_refuse_keywords(journal, LOCAL, work);
	fixture_commit(journal, NULL);
	journal_close(&journal);
	journal = fixture_load(dir, "INBOX");
	assert_int_equal(journal_refused_keywords(journal, REMOTE), 0);
	assert_int_equal(journal_refused_keywords(journal, LOCAL), work);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/*
 * A large journal that needs all it holds is not written anew; one that lost its rows is, in several
 * pieces.
 */
static void test_compaction_of_large(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	long size;

	(void)state;
	for (uint32_t uid = 1; uid <= 6000; uid++)
		put(journal, uid);
	fixture_commit(journal, NULL);
	size = fixture_size("INBOX.journal");
	assert_true(size > 600000);
	fixture_reset_calls();
	put(journal, 6001);
	fixture_commit(journal, NULL);
	assert_int_equal(fixture_fdatasync.count, 1);
	for (uint32_t uid = 1; uid <= 4500; uid++)
		journal_forget(journal, uid);
	fixture_commit(journal, NULL);
	journal_close(&journal);
	journal = fixture_load(dir, "INBOX");
	put(journal, 6002);
	fixture_commit(journal, NULL);
	assert_true(fixture_size("INBOX.journal") < size / 2);
	expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* A first pull leaves a note beside each pair: they go when it is over, and not before. */
static void test_compaction_at_the_end(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	const struct journal_head head = {.uidvalidity = 7, .uidnext = 3002, .even = true};
	const struct journal_head uneven = {.uidvalidity = 7, .uidnext = 3001};
	long size;

	(void)state;
	for (uint32_t uid = 1; uid <= 1000; uid++) {
		struct journal_note note = fixture_note(JOURNAL_PUBLISHING, uid);

		journal_note(journal, &note);
	}
	fixture_commit(journal, NULL);
	for (uint32_t uid = 1; uid <= 1000; uid++)
		put(journal, uid);
	fixture_reset_calls();
	fixture_commit(journal, &uneven);
	size = fixture_size("INBOX.journal");
	assert_int_equal(fixture_fdatasync.count, 1);
	fixture_commit(journal, &head);
	assert_int_equal(fixture_fdatasync.count, 3);
	assert_true(fixture_size("INBOX.journal") < size / 3 * 2);
	expect_on_disk(dir, "INBOX", journal);
	fixture_reset_calls();
	put(journal, 1001);
	fixture_commit(journal, &uneven);
	fixture_commit(journal, &head);
	assert_int_equal(fixture_fdatasync.count, 2);
	expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* FAULTS 3, 4, 7: a failed write or sync: told, cut back, closed, and the state before it stays. */
static void test_failing_append(void **state)
{
	struct fixture_call *const calls[] = {&fixture_write, &fixture_write, &fixture_fdatasync};
	const int errors[] = {ENOSPC, ENOSPC, EIO};
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct error err;

	(void)state;
	put(journal, 1);
	fixture_commit(journal, NULL);
	for (int i = 0; i < 3; i++) {
		struct journal *before = fixture_load(dir, "INBOX");
		long size = fixture_size("INBOX.journal");

		put(journal, 2);
		fixture_reset_calls();
		calls[i]->fail_after = i == 1 ? 1 : 0; /* 1: half is written first */
		calls[i]->error = errors[i];
		assert_int_equal(journal_commit(journal, NULL, &err), -1);
		assert_int_equal(err.kind, ERROR_IO);
		assert_int_equal(err.sys, errors[i]);
		assert_int_equal(err.scope, SCOPE_MAILBOX);
		assert_non_null(strstr(err.text, "INBOX.journal"));
		assert_int_equal(fixture_fdatasync.count, i == 2 ? 1 : 0); /* never tried again */
		assert_int_equal(fixture_size("INBOX.journal"), size);
		fixture_reset_calls();
		put(journal, 3);
		assert_int_equal(journal_commit(journal, NULL, &err), -1);
		assert_non_null(strstr(err.text, "takes no more"));
		assert_int_equal(fixture_write.count + fixture_fdatasync.count, 0);
		journal_close(&journal);
		journal = fixture_load(dir, "INBOX");
		expect_same(before, journal);
		journal_close(&before);
	}
	journal_close(&journal);
	journal_dir_close(&dir);
	assert_int_equal(fixture_warnings, 0);
}

/* Where even cutting back fails, the next run finds a torn tail, or a whole transaction. */
static void test_failing_cut(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct journal *before;
	struct error err;

	(void)state;
	put(journal, 1);
	fixture_commit(journal, NULL);
	before = fixture_load(dir, "INBOX");
	put(journal, 2);
	fixture_write.fail_after = 1;
	fixture_ftruncate.fail_after = 0;
	assert_int_equal(journal_commit(journal, NULL, &err), -1);
	assert_int_equal(err.sys, EIO);
	assert_int_equal(fixture_warnings, 1);
	journal_close(&journal);
	fixture_reset_calls();
	fixture_ftruncate.fail_after =
	    0; /* nor at opening: told, and nothing is appended behind it */
	assert_int_equal(journal_open(dir, "INBOX", &journal, &err), -1);
	assert_null(journal);
	fixture_reset_calls();
	fixture_fdatasync.fail_after = 0;
	assert_int_equal(journal_open(dir, "INBOX", &journal, &err), -1);
	fixture_reset_calls();
	journal = fixture_load(dir, "INBOX");
	expect_same(before, journal);
	journal_close(&before);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* The first commit makes the file: it is there whole, or not at all. */
static void test_failing_creation(void **state)
{
	struct fixture_call *const calls[] = {&fixture_write, &fixture_write, &fixture_fdatasync};
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal;
	struct error err;

	(void)state;
	for (int i = 0; i < 3; i++) {
		journal = fixture_load(dir, "INBOX");
		put(journal, 1);
		calls[i]->fail_after = i == 1 ? 1 : 0;
		assert_int_equal(journal_commit(journal, NULL, &err), -1);
		assert_int_equal(journal_commit(journal, NULL, &err), -1);
		assert_int_equal(fixture_size("INBOX.journal"), -1);
		assert_int_equal(fixture_size(".INBOX.journal.tmp"), -1);
		fixture_reset_calls();
		journal_close(&journal);
	}
	journal = fixture_load(dir, "INBOX");
	put(journal, 1);
	fixture_fsync.fail_after = 0; /* the directory: renamed, but who knows */
	assert_int_equal(journal_commit(journal, NULL, &err), -1);
	fixture_reset_calls();
	journal_close(&journal);
	journal = fixture_load(dir, "INBOX");
	assert_int_equal(journal_head(journal)->pairs, 1);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* Compaction that fails does no harm: what was committed is, and the next commit works. */
static void test_failing_compaction(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	bool failed = false;

	(void)state;
	for (uint32_t n = 0; n < 1500; n++) {
		struct pair pair = fixture_pair(1);

		pair.size = n;
		journal_put(journal, &pair);
		fixture_reset_calls();
		fixture_fdatasync.fail_after = 1; /* the second of a commit is compaction's */
		if (n == 0)
			fixture_reset_calls();
		fixture_commit(journal, NULL);
		failed |= fixture_fdatasync.fail_after < 0 && n > 0;
	}
	assert_true(failed);
	assert_true(fixture_warnings > 0);
	assert_true(fixture_size("INBOX.journal") > 64 * 1024);
	fixture_reset_calls();
	expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal_dir_close(&dir);
}

/* What another program does to the file between two commits is found, not written over. */
static void test_changed_meanwhile(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	char path[256], moved[256];
	struct buf text;

	(void)state;
	snprintf(path, sizeof(path), "%s/INBOX.journal", fixture_state);
	snprintf(moved, sizeof(moved), "%s/moved", fixture_state);
	for (int i = 0; i < 3; i++) {
		struct journal *journal = fixture_load(dir, "INBOX");
		struct error err;

		put(journal, 1);
		fixture_commit(journal, NULL);
		buf_init(&text, 65536);
		fixture_read("INBOX.journal", &text);
		if (i == 0)
			fixture_write_file("INBOX.journal", "grown", 5);
		else
			assert_int_equal(rename(path, moved), 0);
		if (i == 1) /* the same bytes, but another file */
			fixture_write_file("INBOX.journal", text.data, text.len);
		put(journal, 2);
		assert_int_equal(journal_commit(journal, NULL, &err), -1);
		assert_int_equal(err.kind, ERROR_IO);
		assert_int_equal(fixture_size("INBOX.journal"), i == 0   ? 5
								: i == 1 ? (long)text.len
									 : -1);
		journal_close(&journal);
		assert_int_equal(journal_remove(dir, "INBOX", NULL), 0);
		buf_free(&text);
	}
	journal_dir_close(&dir);
}

/* A reader beside a writer: it sees what was committed when it looked. */
static void test_reader_beside_writer(void **state)
{
	struct journal_dir *writer = fixture_open_dir(true);
	struct journal *journal = fixture_load(writer, "INBOX");
	struct journal_dir *reader = fixture_open_dir(false);
	struct journal *seen;

	(void)state;
	put(journal, 1);
	fixture_commit(journal, NULL);
	seen = fixture_open(reader, "INBOX");
	assert_int_equal(journal_head(seen)->pairs, 1);
	put(journal, 2);
	fixture_commit(journal, NULL);
	assert_int_equal(journal_load(seen, NULL),
			 0); /* head and rows of one and the same commit */
	expect_same(journal, seen);
	journal_close(&seen);
	journal_close(&journal);
	journal_dir_close(&reader);
	journal_dir_close(&writer);
}

/* No descriptor stays open: as many journals as there are mailboxes. */
static void test_no_descriptors(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journals[100];
	int before = dup(0), after;
	char name[16];

	(void)state;
	close(before);
	for (int i = 0; i < 200; i++) { /* those made, and then those loaded from their files */
		snprintf(name, sizeof(name), "m%d", i % 100);
		if (i >= 100)
			journal_close(&journals[i % 100]);
		journals[i % 100] = fixture_load(dir, name);
		put(journals[i % 100], 1 + (uint32_t)i);
		fixture_commit(journals[i % 100], NULL);
	}
	after = dup(0);
	close(after);
	assert_int_equal(after, before);
	for (int i = 0; i < 100; i++)
		journal_close(&journals[i]);
	journal_dir_close(&dir);
}

/* Far above what it takes, but far below what a mistake in the order of growth would. */
static void test_load_10000(void **state)
{
	struct journal_dir *dir = fixture_open_dir(true);
	struct journal *journal = fixture_load(dir, "INBOX");
	struct timespec start, end;
	size_t count;
	double seconds;

	(void)state;
	for (uint32_t uid = 1; uid <= 10000; uid++)
		put(journal, uid);
	fixture_commit(journal, NULL);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	for (int i = 0; i < 10; i++) {
		struct journal *again = fixture_load(dir, "INBOX");

		journal_pairs(again, &count);
		assert_int_equal(count, 10000);
		journal_close(&again);
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	print_message("10 loads of 10,000 rows: %.0f ms\n", seconds * 1000);
	assert_true(seconds < 5);
	expect_on_disk(dir, "INBOX", journal);
	journal_close(&journal);
	journal_dir_close(&dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_permissions),
	    TEST(test_lock),
	    TEST(test_lock_of_the_dead),
	    TEST(test_reading_makes_nothing),
	    TEST(test_symlinks),
	    TEST(test_channel_record),
	    TEST(test_wrong_owner),
	    TEST(test_list),
	    TEST(test_name_too_long),
	    TEST(test_round_trip),
	    TEST(test_close_drops),
	    TEST(test_odd_names),
	    TEST(test_syncs),
	    TEST(test_null_head),
	    TEST(test_flags_are_short),
	    TEST(test_reset),
	    TEST(test_compaction),
	    TEST(test_keywords),
	    TEST(test_compaction_of_large),
	    TEST(test_compaction_at_the_end),
	    TEST(test_failing_append),
	    TEST(test_failing_cut),
	    TEST(test_failing_creation),
	    TEST(test_failing_compaction),
	    TEST(test_changed_meanwhile),
	    TEST(test_reader_beside_writer),
	    TEST(test_no_descriptors),
	    TEST(test_load_10000),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
