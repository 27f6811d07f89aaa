// SPDX-License-Identifier: GPL-3.0-or-later
/* Renames of mailboxes in both layouts, in vain and stopped at every point. */
#include "maildir-fixture.h"

#include "base/alloc.h"
#include "maildir/mailbox.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#define PLUSPLUS MAILDIR_LAYOUT_PLUSPLUS
#define TREE     MAILDIR_LAYOUT_TREE

/* The names of a listing, with one space between them. */
static const char *list(struct maildir_tree *tree)
{
	static char names[4096];
	struct arena arena = {0};
	struct maildir_listing *listing;
	struct error err = {0};
	size_t count;

	names[0] = '\0';
	if (maildir_tree_list(tree, &arena, &listing, &count, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < count; i++) {
		strncat(names, i ? " " : "", sizeof(names) - strlen(names) - 1);
		strncat(names, listing[i].name, sizeof(names) - strlen(names) - 1);
	}
	arena_free(&arena);
	return names;
}

/* Makes the mailboxes that are named with spaces between them. */
static void create_all(struct fixture *fixture, const char *names)
{
	char *copy = xstrdup(names), *rest = copy;

	for (char *name; (name = strtok_r(rest, " ", &rest));)
		fixture_create(fixture, name);
	free(copy);
}

/* The inode of a mailbox, 0 where there is none. */
static uint64_t inode_of(struct fixture *fixture, const char *name)
{
	struct maildir_mailbox *mailbox;
	uint64_t inode;

	if (maildir_mailbox_open(fixture->tree, name, false, &mailbox, NULL) < 0)
		return 0;
	inode = mailbox->inode;
	maildir_mailbox_close(&mailbox);
	return inode;
}

/* What is renamed keeps its directory; what is refused leaves all as it was. */
static void renames_or_refuses(void **state)
{
	static const struct {
		enum maildir_layout layout;
		const char *before, *from, *to;
		int sys;
		const char *after;
	} rows[] = {
	    {TREE, "INBOX a", "a", "b", 0, "INBOX b"},
	    {TREE, "a a/b a/b/c ab", "a", "x", 0, "ab x x/b x/b/c"},
	    {TREE, "a a/b", "a/b", "a/c", 0, "a a/c"},
	    {TREE, "a/b/c", "a/b/c", "x/y", 0, "x/y"},
	    {TREE, "a/b", "a/b", "b", 0, "b"},
	    {TREE, "a/b a/c", "a/b", "a/d/e", 0, "a/c a/d/e"},
	    {TREE, "INBOX INBOX/a", "INBOX/a", "a.b/%2F", 0, "INBOX a.b/%2F"},
	    {TREE, "INBOX a", "a", "INBOX/cur", 0, "INBOX INBOX/cur"},
	    {TREE, "a b", "a", "b", EEXIST, "a b"},
	    {TREE, "a", "a", "a", EEXIST, "a"},
	    {TREE, "a x/y", "a", "x", EEXIST, "a x/y"},
	    {TREE, "a/b", "a/b", "a", EEXIST, "a/b"},
	    {TREE, "a", "a", "a/b", EINVAL, "a"},
	    {TREE, "a", "a", "a/b/c", EINVAL, "a"},
	    {TREE, "b", "a", "c", ENOENT, "b"},
	    {TREE, "b", "a", "b", ENOENT, "b"},
	    {TREE, "a/b", "a", "c", ENOENT, "a/b"},
	    {PLUSPLUS, "INBOX a", "a", "b", 0, "INBOX b"},
	    {PLUSPLUS, "a a/b a/b/c ab a.b", "a", "x", 0, "a.b ab x x/b x/b/c"},
	    {PLUSPLUS, "a a/b", "a/b", "c/d", 0, "a c/d"},
	    {PLUSPLUS, "a x/y", "a", "x", 0, "x x/y"},
	    {PLUSPLUS, "a/b a/b/c", "a/b", "a", 0, "a a/c"},
	    {PLUSPLUS, "a/b a/b/b", "a/b", "a", EEXIST, "a/b a/b/b"},
	    {PLUSPLUS, "a a/b x/b", "a", "x", EEXIST, "a a/b x/b"},
	    {PLUSPLUS, "a b", "a", "b", EEXIST, "a b"},
	    {PLUSPLUS, "a a/c", "a", "a/b", EINVAL, "a a/c"},
	    {PLUSPLUS, "a/b", "a", "c", ENOENT, "a/b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		void *opened = fixture_open(rows[i].layout);
		struct fixture *fixture = opened;
		struct error err = {0};
		uint64_t inode;
		int rc;

		create_all(fixture, rows[i].before);
		inode = inode_of(fixture, rows[i].from);
		rc = maildir_tree_rename(fixture->tree, rows[i].from, rows[i].to, &err);
		if (rc != (rows[i].sys ? -1 : 0))
			fail_msg("row %zu: %s", i, err.text);
		assert_int_equal(err.sys, rows[i].sys);
		assert_string_equal(list(fixture->tree), rows[i].after);
		if (rc == 0)
			assert_int_equal(inode_of(fixture, rows[i].to), inode);
		else
			assert_int_equal(err.scope, SCOPE_MAILBOX);
		fixture_teardown(&opened);
	}
}

/* Directories above are made for us alone, and gone once nothing is in them. */
static void makes_and_removes_what_is_above(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};
	struct stat st;

	umask(0);
	create_all(fixture, "a/b/c k/l");
	fixture_put(fixture, "k/notes", "x", 1);
	assert_int_equal(maildir_tree_rename(fixture->tree, "a/b/c", "x/y/z", &err), 0);
	assert_false(fixture_has(fixture, "a"));
	assert_int_equal(stat(fixture_path(fixture, "x/y"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(maildir_tree_rename(fixture->tree, "k/l", "x/l", &err), 0);
	assert_true(fixture_has(fixture, "k/notes"));
	assert_string_equal(list(fixture->tree), "x/l x/y/z");
}

static void takes_all_that_is_in_it(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	create_all(fixture, "a");
	fixture_put(fixture, "a/cur/1:2,S", "1", 1);
	fixture_put(fixture, "a/dovecot-keywords", "0 Work\n", 7);
	fixture_put(fixture, "a/.hidden", "1", 1);
	assert_int_equal(maildir_tree_rename(fixture->tree, "a", "b", &err), 0);
	assert_true(fixture_has(fixture, "b/cur/1:2,S"));
	assert_true(fixture_has(fixture, "b/dovecot-keywords"));
	assert_true(fixture_has(fixture, "b/.hidden"));
	assert_false(fixture_has(fixture, "a"));
}

/* What a stopped creation or deletion left is no mailbox, and in nobody's way while it is empty. */
static void clears_leftovers(void **state)
{
	static const char *const left[][3] = {
	    {"x"}, {"x", "x/tmp"}, {"x", "x/tmp", "x/new"}, {"x", "x/cur"}};
	static const char *const things[] = {"x/new/1", "x/cur/1", "x/tmp/1", "x/notes", "x/y/1"};
	struct fixture *fixture = *state;
	struct error err = {0};

	create_all(fixture, "a");
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++) {
		for (size_t k = 0; k < 3 && left[i][k]; k++)
			assert_int_equal(mkdir(fixture_path(fixture, left[i][k]), 0700), 0);
		if (maildir_tree_rename(fixture->tree, "a", "x", &err) < 0)
			fail_msg("%zu: %s", i, err.text);
		assert_int_equal(maildir_tree_rename(fixture->tree, "x", "a", &err), 0);
		assert_false(fixture_has(fixture, "x"));
	}
	for (size_t i = 0; i < sizeof(things) / sizeof(*things); i++) {
		char *parent = xstrndup(things[i], (size_t)(strrchr(things[i], '/') - things[i]));

		mkdir(fixture_path(fixture, "x"), 0700);
		mkdir(fixture_path(fixture, parent), 0700);
		fixture_put(fixture, things[i], "1", 1);
		assert_int_equal(maildir_tree_rename(fixture->tree, "a", "x", &err), -1);
		assert_int_equal(err.sys, EEXIST);
		assert_true(fixture_has(fixture, things[i]));
		/* half a mailbox that holds messages is one */
		assert_string_equal(list(fixture->tree), i < 2 ? "a x" : "a");
		assert_int_equal(unlink(fixture_path(fixture, things[i])), 0);
		assert_int_equal(rmdir(fixture_path(fixture, parent)), 0);
		free(parent);
	}
}

/* Names lead nowhere but into the tree, and what is no directory is in the way. */
static void stays_in_the_tree(void **state)
{
	static const struct {
		const char *to;
		int sys;
	} rows[] = {{"file", EEXIST},    {"file/x", EEXIST}, {"link", EEXIST},
		    {"link/x", EEXIST},  {"INBOX", 0},	     {"inbox", 0},
		    {"a//b", 0},	 {"", 0}};
	struct fixture *fixture = *state;
	struct error err = {0};

	create_all(fixture, "INBOX a");
	fixture_put(fixture, "file", "x", 1);
	assert_int_equal(symlink("/tmp", fixture_path(fixture, "link")), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		error_clear(&err);
		assert_int_equal(maildir_tree_rename(fixture->tree, "a", rows[i].to, &err), -1);
		assert_int_equal(err.sys, rows[i].sys);
		assert_string_equal(list(fixture->tree), "INBOX a");
	}
	assert_int_equal(maildir_tree_rename(fixture->tree, "INBOX", "b", &err), -1);
	assert_int_equal(maildir_tree_rename(fixture->tree, "link", "b", &err), -1);
	assert_int_equal(err.sys, ENOENT);
	assert_int_equal(maildir_tree_rename(fixture->tree, "a", "..", &err), 0);
	assert_true(fixture_has(fixture, "%2E./cur"));
	assert_string_equal(list(fixture->tree), ".. INBOX");
}

/* A mailbox below that could be named no more is a reason to leave all as it is. */
static void keeps_names_in_bounds(void **state)
{
	struct fixture *fixture = *state;
	bool tree = maildir_tree_layout(fixture->tree) == MAILDIR_LAYOUT_TREE;
	struct error err = {0};
	char below[2048], to[2048] = "", after[4200];
	/* A name of 2048 bytes in all, or an entry of 255: the longest that is still one. */
	const size_t room = tree ? 2048 - 2 : 255 - 3;

	while (strlen(to) < room)
		strcat(to, tree && strlen(to) % 201 == 200 && strlen(to) + 1 < room ? "/" : "x");
	snprintf(below, sizeof(below), "a/b");
	create_all(fixture, "a a/b");
	assert_int_equal(maildir_tree_rename(fixture->tree, "a", to, &err), 0);
	snprintf(after, sizeof(after), "%s %s/b", to, to);
	assert_string_equal(list(fixture->tree), after);
	assert_int_equal(maildir_tree_rename(fixture->tree, to, "a", &err), 0);
	assert_string_equal(list(fixture->tree), "a a/b");
	strcat(to, "x");
	assert_int_equal(maildir_tree_rename(fixture->tree, "a", to, &err), -1);
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_string_equal(list(fixture->tree), "a a/b");
}

#ifdef EVENMAIL_FAULTS

/* Runs this program again to rename in the tree at path, to be stopped at a point or (0) not. */
static int run(const struct fixture *fixture, const char *layout, const char *from, const char *to,
	       unsigned stop_at)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		char *number = xasprintf("%u", stop_at);

		setenv("EVENMAIL_STOP_AT", number, 1);
		close(STDERR_FILENO);
		execl("/proc/self/exe", "test", layout, fixture->path, from, to, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	return WEXITSTATUS(status);
}

/* How many of the mailboxes listed have one of these inodes. */
static size_t count_known(struct fixture *fixture, const uint64_t *inodes, size_t len)
{
	struct arena arena = {0};
	struct maildir_listing *listing;
	size_t count, known = 0;

	assert_int_equal(maildir_tree_list(fixture->tree, &arena, &listing, &count, NULL), 0);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < len; k++)
			known += listing[i].inode == inodes[k];
	arena_free(&arena);
	return known;
}

/* Wherever it is stopped, each mailbox is one, and the same rename (or nothing) is left to do. */
static void survives_every_stop(void **state)
{
	static const struct {
		enum maildir_layout layout;
		const char *after;
		unsigned least;
	} rows[] = {{TREE, "x/y x/y/k x/y/l", 6}, {PLUSPLUS, "x/y x/y/k x/y/l", 6}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *layout = rows[i].layout == TREE ? "tree" : "maildir++";
		unsigned at = 1;
		int rc = SIGKILL;

		for (; rc == SIGKILL; at++) {
			void *opened = fixture_open(rows[i].layout);
			struct fixture *fixture = opened;
			uint64_t inodes[3];
			int again;

			create_all(fixture, "a/b a/b/k a/b/l");
			inodes[0] = inode_of(fixture, "a/b");
			inodes[1] = inode_of(fixture, "a/b/k");
			inodes[2] = inode_of(fixture, "a/b/l");
			rc = run(fixture, layout, "a/b", "x/y", at);
			assert_true(rc == SIGKILL || rc == 0);
			assert_int_equal(count_known(fixture, inodes, 3), 3);
			again = inode_of(fixture, "x/y") == inodes[0] ? ENOENT : 0;
			assert_int_equal(run(fixture, layout, "a/b", "x/y", 0), again);
			assert_string_equal(list(fixture->tree), rows[i].after);
			assert_int_equal(inode_of(fixture, "x/y"), inodes[0]);
			assert_int_equal(inode_of(fixture, "x/y/k"), inodes[1]);
			fixture_teardown(&opened);
		}
		assert_true(at > rows[i].least);
	}
}

#endif

/* What run() asks for: the exit status is 0 or errno. */
static int rename_in(char **argv)
{
	enum maildir_layout layout = strcmp(argv[1], "tree") == 0 ? TREE : PLUSPLUS;
	struct maildir_tree *tree;
	struct error err = {0};

	if (maildir_tree_open(argv[2], layout, false, &tree, &err) < 0 || !tree)
		return 126;
	maildir_tree_rename(tree, argv[3], argv[4], &err);
	maildir_tree_close(&tree);
	return err.sys;
}

#define IN_TREE(f)     cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
#define IN_PLUSPLUS(f) cmocka_unit_test_setup_teardown(f, fixture_setup_plusplus, fixture_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(renames_or_refuses),
	    IN_TREE(makes_and_removes_what_is_above),
	    IN_TREE(takes_all_that_is_in_it),
	    IN_TREE(clears_leftovers),
	    IN_TREE(stays_in_the_tree),
	    IN_TREE(keeps_names_in_bounds),
	    IN_PLUSPLUS(keeps_names_in_bounds),
#ifdef EVENMAIL_FAULTS
	    cmocka_unit_test(survives_every_stop),
#endif
	};

	if (argc == 5)
		return rename_in(argv);
	return cmocka_run_group_tests_name("maildir-rename", tests, NULL, NULL);
}
