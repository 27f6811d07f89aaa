// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The tree: roots, markers, listing, creation, and that nothing leads out (FAULTS 10, 15, 33, 47).
 */
#include "maildir-fixture.h"
#include "store/store.h"

#include "base/log.h"
#include "maildir/dirents.h"
#include "maildir/mailbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void count_lines(void *context, enum log_level level, const char *line)
{
	(void)line;
	(void)level;
	++*(unsigned *)context;
}

static void opens_and_makes_roots(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_tree *tree;
	struct error err = {0};
	struct stat st;

	assert_int_equal(maildir_tree_open(fixture_path(fixture, "x/y"), MAILDIR_LAYOUT_TREE, false,
					   &tree, &err),
			 0);
	assert_null(tree);
	assert_false(fixture_has(fixture, "x"));
	umask(0);
	assert_int_equal(
	    maildir_tree_open(fixture_path(fixture, "x/y"), MAILDIR_LAYOUT_TREE, true, &tree, &err),
	    0);
	assert_non_null(tree);
	assert_int_equal(stat(fixture_path(fixture, "x/y"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	maildir_tree_close(&tree);
	assert_null(tree);
}

static void follows_a_symlink_at_the_root_only(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_tree *tree;
	struct maildir_mailbox *mailbox;
	struct error err = {0};
	char path[PATH_MAX];

	fixture_create(fixture, "a");
	snprintf(path, sizeof(path), "%s/link", fixture->path);
	assert_int_equal(symlink(fixture->path, path), 0);
	assert_int_equal(maildir_tree_open(path, MAILDIR_LAYOUT_TREE, false, &tree, &err), 0);
	assert_non_null(tree);
	assert_int_equal(maildir_mailbox_open(tree, "a", true, &mailbox, &err), 0);
	maildir_mailbox_close(&mailbox);
	assert_int_equal(maildir_mailbox_open(tree, "link/a", true, &mailbox, &err), -1);
	assert_null(mailbox);
	maildir_tree_close(&tree);
}

static void refuses_what_is_no_directory(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_tree *tree;
	struct error err = {0};

	fixture_put(fixture, "file", "x", 1);
	assert_int_equal(maildir_tree_open(fixture_path(fixture, "file"), MAILDIR_LAYOUT_TREE, true,
					   &tree, &err),
			 -1);
	assert_null(tree);
	assert_int_equal(err.kind, ERROR_IO);
	assert_int_equal(err.scope, SCOPE_FATAL);
}

static void refuses_the_root_of_another_user(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_tree *tree;
	struct error err = {0};
	const char *path = fixture_path(fixture, "");

	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
	assert_int_equal(maildir_tree_open(path, MAILDIR_LAYOUT_TREE, true, &tree, &err), -1);
	assert_non_null(strstr(err.text, "12345"));
	assert_int_equal(chown(path, 0, (gid_t)-1), 0);
}

static void marks_once(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_tree *other;
	struct error err = {0};
	struct stat st;
	char id[MAILDIR_ID_SIZE], before[64], after[64];
	size_t len;

	assert_string_equal(maildir_tree_id(fixture->tree), "");
	assert_int_equal(maildir_tree_open(fixture->path, MAILDIR_LAYOUT_TREE, false, &other, &err),
			 0);
	assert_int_equal(maildir_tree_mark(fixture->tree, &err), 0);
	memcpy(id, maildir_tree_id(fixture->tree), sizeof(id));
	assert_int_equal(strlen(id), MAILDIR_ID_SIZE - 1);
	assert_int_equal(stat(fixture_path(fixture, ".evenmail"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	len = fixture_get(fixture, ".evenmail", before, sizeof(before));
	assert_int_equal(maildir_tree_mark(other, &err), 0);
	assert_string_equal(maildir_tree_id(other), id);
	assert_int_equal(fixture_get(fixture, ".evenmail", after, sizeof(after)), len);
	assert_memory_equal(before, after, len);
	maildir_tree_close(&other);
	assert_int_equal(maildir_tree_open(fixture->path, MAILDIR_LAYOUT_TREE, false, &other, &err),
			 0);
	assert_string_equal(maildir_tree_id(other), id);
	maildir_tree_close(&other);
	assert_int_equal(fixture_count(fixture, "", NULL), 1);
}

static void refuses_damaged_markers(void **state)
{
	static const char *const texts[] = {
	    "",
	    "x",
	    "evenmail tree 1 0123456789abcdef",
	    "evenmail tree 1 0123456789abcde\n",
	    "evenmail tree 2 0123456789abcdef\n",
	    "evenmail tree 1 0123456789abcdef\n\n",
	    "evenmail tree 1 0123456789abcd/f\n",
	    "evenmail tree 1 0123456789abcdef\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	    "evenmail tree 1 0123456789abcdef\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	};
	struct fixture *fixture = *state;
	struct maildir_tree *tree;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct error err = {0};

		fixture_put(fixture, ".evenmail", texts[i], strlen(texts[i]));
		assert_int_equal(
		    maildir_tree_open(fixture->path, MAILDIR_LAYOUT_TREE, false, &tree, &err), -1);
		assert_int_equal(err.scope, SCOPE_FATAL);
	}
	fixture_put(fixture, ".evenmail", "evenmail tree 1 0123456789abcdef\n", 33);
	assert_int_equal(maildir_tree_open(fixture->path, MAILDIR_LAYOUT_TREE, false, &tree, NULL),
			 0);
	assert_string_equal(maildir_tree_id(tree), "0123456789abcdef");
	maildir_tree_close(&tree);
}

/* FAULTS 9: what cannot be understood is as old as can be. */
static void keeps_generations(void **state)
{
	static const struct {
		const char *text;
		uint64_t number;
	} cases[] = {
	    {"evenmail generation 1 7\n", 7},
	    {"evenmail generation 1 18446744073709551615\n", UINT64_MAX},
	    {"evenmail generation 1 18446744073709551616\n", 0},
	    {"evenmail generation 1 7", 0},
	    {"evenmail generation 1 07\n", 0},
	    {"evenmail generation 1 -7\n", 0},
	    {"evenmail generation 2 7\n", 0},
	    {"evenmail generation 1 7\nx", 0},
	    {"evenmail generation 1 7\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0},
	    {"", 0},
	};
	struct fixture *fixture = *state;
	struct error err = {0};
	uint64_t number = 1;

	assert_int_equal(maildir_tree_generation(fixture->tree, "abc", &number, &err), 0);
	assert_int_equal(number, 0);
	assert_int_equal(maildir_tree_set_generation(fixture->tree, "abc", 41, &err), 0);
	assert_int_equal(maildir_tree_set_generation(fixture->tree, "abc", 42, &err), 0);
	assert_int_equal(maildir_tree_generation(fixture->tree, "abc", &number, &err), 0);
	assert_int_equal(number, 42);
	assert_int_equal(maildir_tree_generation(fixture->tree, "abcd", &number, &err), 0);
	assert_int_equal(number, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fixture_put(fixture, ".evenmail-abc", cases[i].text, strlen(cases[i].text));
		assert_int_equal(maildir_tree_generation(fixture->tree, "abc", &number, &err), 0);
		assert_true(number == cases[i].number);
	}
	assert_int_equal(unlink(fixture_path(fixture, ".evenmail-abc")), 0);
	assert_int_equal(symlink("/etc/passwd", fixture_path(fixture, ".evenmail-abc")), 0);
	assert_int_equal(maildir_tree_generation(fixture->tree, "abc", &number, &err), -1);
	assert_int_equal(err.scope, SCOPE_FATAL);
}

/* The names of a listing, each with a space before it. */
static const char *list(struct fixture *fixture)
{
	static char names[4096];
	struct arena arena = {0};
	struct maildir_listing *listing;
	struct error err = {0};
	size_t count;

	names[0] = '\0';
	if (maildir_tree_list(fixture->tree, &arena, &listing, &count, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < count; i++) {
		strncat(names, " ", sizeof(names) - strlen(names) - 1);
		strncat(names, listing[i].name, sizeof(names) - strlen(names) - 1);
	}
	arena_free(&arena);
	return names;
}

static void creates_and_lists(void **state)
{
	static const char *const names[] = {"INBOX", "a/b.c", "a",   "cur",  "INBOX/new",
					    ".x",    "100%",  "%2F", "~root"};
	struct fixture *fixture = *state;
	struct stat st;

	umask(0);
	assert_string_equal(list(fixture), "");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		fixture_create(fixture, names[i]);
		fixture_create(fixture, names[i]);
	}
	assert_string_equal(list(fixture), " %2F .x 100% INBOX INBOX/new a a/b.c cur ~root");
	if (maildir_tree_layout(fixture->tree) == MAILDIR_LAYOUT_TREE) {
		assert_int_equal(stat(fixture_path(fixture, "a/b.c/tmp"), &st), 0);
		assert_true(fixture_has(fixture, "INBOX/%6Eew/cur"));
	} else {
		assert_int_equal(stat(fixture_path(fixture, ".a.b%2Ec/tmp"), &st), 0);
		assert_true(fixture_has(fixture, "cur"));
		assert_true(fixture_has(fixture, ".INBOX.new/cur"));
	}
	assert_int_equal(st.st_mode & 07777, 0700);
}

/* All three of cur, new and tmp, or none; and no directory that holds anything else. */
static void deletes_what_is_empty(void **state)
{
	static const char *const files[] = {"a/cur/1", "a/new/1", "a/tmp/1"};
	struct fixture *fixture = *state;
	struct error err = {0};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		fixture_create(fixture, "a");
		fixture_put(fixture, files[i], "x", 1);
		assert_int_equal(maildir_tree_delete(fixture->tree, "a", &err), -1);
		assert_int_equal(err.sys, ENOTEMPTY);
		assert_true(fixture_has(fixture, "a/cur") && fixture_has(fixture, "a/new") &&
			    fixture_has(fixture, "a/tmp"));
		assert_int_equal(unlink(fixture_path(fixture, files[i])), 0);
	}
	fixture_put(fixture, "a/dovecot-keywords", "0 Work\n", 7);
	assert_int_equal(maildir_tree_delete(fixture->tree, "a", &err), 0);
	assert_false(fixture_has(fixture, "a"));
	assert_int_equal(maildir_tree_delete(fixture->tree, "a", &err), 0);
}

static void deletes_nothing_else(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	fixture_create(fixture, "INBOX");
	fixture_create(fixture, "a");
	fixture_create(fixture, "a/b/c");
	fixture_create(fixture, "kept");
	fixture_put(fixture, "kept/notes", "x", 1);
	assert_int_equal(maildir_tree_delete(fixture->tree, "kept", &err), 0);
	assert_true(fixture_has(fixture, "kept/notes"));
	assert_int_equal(maildir_tree_delete(fixture->tree, "a", &err), 0);
	assert_string_equal(list(fixture), " INBOX a/b/c");
	/* What a stopped run left. */
	assert_int_equal(rmdir(fixture_path(fixture, "a/b/c/tmp")), 0);
	assert_int_equal(rmdir(fixture_path(fixture, "a/b/c/new")), 0);
	assert_int_equal(maildir_tree_delete(fixture->tree, "a/b/c", &err), 0);
	assert_false(fixture_has(fixture, "a"));
	assert_int_equal(maildir_tree_delete(fixture->tree, "INBOX", &err), -1);
	assert_string_equal(list(fixture), " INBOX");
}

static void lists_only_mailboxes(void **state)
{
	struct fixture *fixture = *state;
	unsigned lines = 0;
	char path[PATH_MAX];

	fixture_create(fixture, "a/b");
	fixture_create(fixture, "a/b/cur");
	fixture_put(fixture, "file", "", 0);
	assert_int_equal(mkdir(fixture_path(fixture, "only-cur"), 0700), 0);
	assert_int_equal(mkdir(fixture_path(fixture, "only-cur/cur"), 0700), 0);
	assert_int_equal(mkdir(fixture_path(fixture, "only-cur/new"), 0700), 0);
	assert_int_equal(rmdir(fixture_path(fixture, "only-cur/new")), 0);
	assert_int_equal(mkdir(fixture_path(fixture, ".hidden"), 0700), 0);
	assert_int_equal(mkdir(fixture_path(fixture, ".hidden/cur"), 0700), 0);
	assert_int_equal(mkdir(fixture_path(fixture, ".hidden/new"), 0700), 0);
	assert_int_equal(mkdir(fixture_path(fixture, "a/b/new/x"), 0700), 0);
	log_set_sink(count_lines, &lines, LOG_LEVEL_INFO);
	assert_string_equal(list(fixture), " a/b a/b/cur");
	assert_int_equal(lines, 1);
	assert_int_equal(mkdir(fixture_path(fixture, "%61"), 0700), 0);
	assert_int_equal(mkdir(fixture_path(fixture, "inbox"), 0700), 0);
	assert_int_equal(mkdir(fixture_path(fixture, "latin\xe4"), 0700), 0);
	snprintf(path, sizeof(path), "%s/a", fixture->path);
	assert_int_equal(symlink(path, fixture_path(fixture, "link")), 0);
	assert_string_equal(list(fixture), " a/b a/b/cur");
	assert_int_equal(lines, 6);
	fixture_put(fixture, "only-cur/cur/1.a:2,S", "half a mailbox is no less there", 0);
	assert_string_equal(list(fixture), " a/b a/b/cur only-cur");
	log_set_sink(NULL, NULL, LOG_LEVEL_WARN);
}

/* Keeps the last warning. */
static void keep_line(void *context, enum log_level level, const char *line)
{
	if (level == LOG_LEVEL_WARN)
		snprintf(context, LINE_MAX, "%s", line);
}

static void says_where_the_inbox_is(void **state)
{
	struct fixture *fixture = *state;
	bool nested = maildir_tree_layout(fixture->tree) == MAILDIR_LAYOUT_TREE;
	const char *entry = nested ? "Inbox" : ".INBOX";
	char said[LINE_MAX], expected[LINE_MAX];

	snprintf(expected, sizeof(expected), "the directory %s is left out: the inbox is the %s",
		 entry, nested ? "directory INBOX" : "tree's root");
	assert_int_equal(mkdir(fixture_path(fixture, entry), 0700), 0);
	log_set_sink(keep_line, said, LOG_LEVEL_WARN);
	assert_string_equal(list(fixture), "");
	log_set_sink(NULL, NULL, LOG_LEVEL_WARN);
	assert_string_equal(said, expected);
}

/* The same directories, looked at by both layouts. */
static void tells_the_other_layout(void **state)
{
	struct fixture *fixture = *state;
	bool nested = maildir_tree_layout(fixture->tree) == MAILDIR_LAYOUT_TREE;
	struct maildir_tree *other;
	struct error err;

	assert_int_equal(maildir_tree_open(fixture->path,
					   nested ? MAILDIR_LAYOUT_PLUSPLUS : MAILDIR_LAYOUT_TREE,
					   false, &other, &err),
			 0);
	assert_false(maildir_tree_has_other_layout(fixture->tree));
	assert_false(maildir_tree_has_other_layout(other));
	fixture_create(fixture, "INBOX");
	assert_false(maildir_tree_has_other_layout(fixture->tree));
	assert_true(maildir_tree_has_other_layout(other));
	assert_int_equal(maildir_tree_create(other, "INBOX", &err), 0);
	assert_false(maildir_tree_has_other_layout(fixture->tree));
	assert_false(maildir_tree_has_other_layout(other));
	maildir_tree_close(&other);
}

static void follows_no_symlinks_below_the_root(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	struct error err = {0};

	fixture_create(fixture, "a");
	assert_int_equal(rmdir(fixture_path(fixture, "a/cur")), 0);
	assert_int_equal(symlink("/etc", fixture_path(fixture, "a/cur")), 0);
	assert_int_equal(maildir_mailbox_open(fixture->tree, "a", true, &mailbox, &err), -1);
	assert_int_equal(err.scope, SCOPE_MAILBOX);
	assert_string_equal(list(fixture), "");
	assert_int_equal(maildir_tree_create(fixture->tree, "a", &err), -1);
	assert_int_equal(symlink("/tmp", fixture_path(fixture, "out")), 0);
	assert_int_equal(maildir_tree_create(fixture->tree, "out/evenmail-never", &err), -1);
	assert_int_equal(access("/tmp/evenmail-never", F_OK), -1);
	assert_int_equal(maildir_tree_open_dir(fixture->tree, ".."), -1);
	assert_int_equal(maildir_tree_open_dir(fixture->tree, "a/../.."), -1);
	assert_int_equal(maildir_tree_open_dir(fixture->tree, "/"), -1);
	assert_int_equal(maildir_mailbox_open(fixture->tree, "none", true, &mailbox, &err), -1);
	assert_int_equal(err.sys, ENOENT);
}

/* Has this process take openat2(2) for a call that the kernel does not know. */
static int forget_openat2(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = {sizeof(code) / sizeof(*code), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/*
 * FAULTS 15, 33: the steps that are taken where the kernel knows no openat2(2) lead nowhere else.
 */
static void steps_lead_nowhere_else(void **state)
{
	static const char *const ways_out[] = {"..",   "a/..", "a/../..", "/",
					       "/etc", "out",  "out/etc", "a/link"};
	struct fixture *fixture = *state;
	int status;

	fixture_create(fixture, "a");
	assert_int_equal(symlink("/", fixture_path(fixture, "out")), 0);
	assert_int_equal(symlink("/", fixture_path(fixture, "a/link")), 0);
	pid_t child = fork();

	if (child == 0) {
		if (forget_openat2() < 0)
			_exit(77);
		for (size_t i = 0; i < sizeof(ways_out) / sizeof(*ways_out); i++)
			if (maildir_tree_open_dir(fixture->tree, ways_out[i]) >= 0)
				_exit(1 + (int)i);
		_exit(maildir_tree_open_dir(fixture->tree, "a/cur") < 0 ? 50 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Root may open everything: as root, the test is run as nobody. */
static int setup_unprivileged(void **state)
{
	return geteuid() == 0 && seteuid(65534) < 0 ? -1 : fixture_setup(state);
}

static int teardown_unprivileged(void **state)
{
	fixture_teardown(state);
	return seteuid(getuid());
}

static void lists_what_cannot_be_opened(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	struct error err = {0};

	fixture_create(fixture, "closed");
	assert_int_equal(chmod(fixture_path(fixture, "closed"), 0), 0);
	assert_string_equal(list(fixture), " closed");
	assert_int_equal(maildir_mailbox_open(fixture->tree, "closed", true, &mailbox, &err), -1);
	assert_int_equal(err.sys, EACCES);
	assert_int_equal(chmod(fixture_path(fixture, "closed"), 0700), 0);
}

/* FAULTS 17: a time that is too young is no proof. */
static void trusts_only_old_times(void **state)
{
	const int64_t second = 1000000000;
	const struct {
		int64_t sec, nsec, now;
		bool trusted;
	} rows[] = {
	    {1000, 5, 1000 * second + 5 + 20000000, true},
	    {1000, 5, 1000 * second + 5 + 19999999, false},
	    /* what is waited for is enough, where the clock ticks late by twice its longest tick */
	    {1000, 5, 1000 * second + 5 + STAMP_SETTLES_MS * 1000000LL - 20000000, true},
	    {1000, 5, 1000 * second, false},
	    {1000, 0, 1002 * second, true},
	    {1000, 0, 1002 * second - 1, false},
	    {2000, 5, 1000 * second, false},
	    {INT64_MAX, 5, 1000 * second, false},
	    {-1, 5, 1000 * second, false},
	    {0, 0, 1000 * second, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct stat st = {.st_mtim = {rows[i].sec, rows[i].nsec}};
		int64_t expected = rows[i].trusted ? rows[i].sec * second + rows[i].nsec : 0;

		assert_int_equal(maildir_stamp_trusted(&st, rows[i].now), expected);
	}
}

static void lists_stamps(void **state)
{
	struct fixture *fixture = *state;
	struct arena arena = {0};
	struct maildir_listing *listing;
	size_t count;

	fixture_create(fixture, "a");
	assert_int_equal(maildir_tree_list(fixture->tree, &arena, &listing, &count, NULL), 0);
	assert_int_equal(listing[0].cur_ns, 0);
	fixture_age(fixture, "a");
	assert_int_equal(maildir_tree_list(fixture->tree, &arena, &listing, &count, NULL), 0);
	assert_int_equal(listing[0].cur_ns, INT64_C(1700000000000000500));
	assert_int_equal(listing[0].new_ns, INT64_C(1700000000000000500));
	arena_free(&arena);
}

/* Renaming keeps the inode, and a new directory of the old name has another. */
static void lists_inodes(void **state)
{
	struct fixture *fixture = *state;
	bool plusplus = maildir_tree_layout(fixture->tree) == MAILDIR_LAYOUT_PLUSPLUS;
	struct arena arena = {0};
	struct maildir_listing *listing;
	struct stat inbox, other;
	size_t count;

	fixture_create(fixture, "INBOX");
	fixture_create(fixture, "a/b");
	assert_int_equal(stat(fixture_path(fixture, plusplus ? "." : "INBOX"), &inbox), 0);
	assert_int_equal(stat(fixture_path(fixture, plusplus ? ".a.b" : "a/b"), &other), 0);
	assert_int_equal(maildir_tree_list(fixture->tree, &arena, &listing, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_int_equal(listing[0].inode, inbox.st_ino);
	assert_int_equal(listing[1].inode, other.st_ino);
	arena_free(&arena);
}

/* The buffer has to outgrow the first guess where names are long. */
static void reads_directories_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct dirents dirents = {0};
	struct dirent_view view;
	size_t at = 0, count = 0;
	char name[300];
	int fd;

	assert_int_equal(mkdir(fixture_path(fixture, "d"), 0700), 0);
	for (unsigned i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "d/%0200u", i);
		fixture_put(fixture, name, "", 0);
	}
	fd = open(fixture_path(fixture, "d"), O_RDONLY | O_DIRECTORY);
	for (unsigned pass = 0; pass < 2; pass++) {
		assert_int_equal(dirents_read(&dirents, fd, NULL), 0);
		assert_true(dirents.at_once);
		assert_true(dirents.cap > dirents.len);
		for (at = 0, count = 0; dirents_next(&dirents, &at, &view); count++)
			assert_int_equal(view.type, DT_REG);
		assert_int_equal(count, 1500);
	}
	dirents_free(&dirents);
	close(fd);
}

#define TREE(f)     cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
#define PLUSPLUS(f) cmocka_unit_test_setup_teardown(f, fixture_setup_plusplus, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TREE(opens_and_makes_roots),
	    TREE(follows_a_symlink_at_the_root_only),
	    TREE(refuses_what_is_no_directory),
	    TREE(refuses_the_root_of_another_user),
	    TREE(marks_once),
	    PLUSPLUS(marks_once),
	    TREE(refuses_damaged_markers),
	    TREE(keeps_generations),
	    PLUSPLUS(keeps_generations),
	    TREE(creates_and_lists),
	    PLUSPLUS(creates_and_lists),
	    TREE(deletes_what_is_empty),
	    TREE(deletes_nothing_else),
	    TREE(lists_only_mailboxes),
	    TREE(says_where_the_inbox_is),
	    PLUSPLUS(says_where_the_inbox_is),
	    TREE(tells_the_other_layout),
	    PLUSPLUS(tells_the_other_layout),
	    TREE(follows_no_symlinks_below_the_root),
	    TREE(steps_lead_nowhere_else),
	    cmocka_unit_test_setup_teardown(lists_what_cannot_be_opened, setup_unprivileged,
					    teardown_unprivileged),
	    TREE(trusts_only_old_times),
	    TREE(lists_stamps),
	    TREE(lists_inodes),
	    PLUSPLUS(lists_inodes),
	    TREE(reads_directories_at_once),
	};

	return cmocka_run_group_tests_name("maildir-tree", tests, NULL, NULL);
}
