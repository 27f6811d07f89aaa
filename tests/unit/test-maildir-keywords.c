// SPDX-License-Identifier: GPL-3.0-or-later
/* dovecot-keywords: read, added to under its lock, and never more than its 26 letters. */
#include "maildir-fixture.h"

#include "base/alloc.h"
#include "maildir/deliver.h"
#include "maildir/litter.h"
#include "maildir/message.h"
#include "maildir/scan.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TABLE        "m/dovecot-keywords"
#define LOCK         "m/dovecot-keywords.lock"

/* Opens a mailbox of the fixture. */
static struct maildir_mailbox *open_mailbox(struct fixture *fixture, const char *name)
{
	struct maildir_mailbox *mailbox;
	struct error err = {0};

	if (maildir_mailbox_open(fixture->tree, name, true, &mailbox, &err) < 0)
		fail_msg("%s", err.text);
	return mailbox;
}

/* The set of the words of a text. */
static uint32_t set_of(const char *text)
{
	uint32_t set = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		set = keywords_union(set, keywords_of(text, len));
		text += len + (text[len] == ' ');
	}
	return set;
}

static void put(const struct fixture *fixture, const char *below, const char *text)
{
	fixture_put(fixture, below, text, strlen(text));
}

static void expect_file(const struct fixture *fixture, const char *text)
{
	char found[8192];
	size_t len = fixture_get(fixture, TABLE, found, sizeof(found) - 1);

	found[len] = '\0';
	assert_string_equal(found, text);
}

/* Gives letters out; those for which there was none are left_out. */
static void claim(struct maildir_mailbox *mailbox, const char *wanted, const char *left_out)
{
	struct error err = {0};
	uint32_t left;

	if (maildir_keywords_claim(mailbox, set_of(wanted), &left, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(left, set_of(left_out));
}

/* What the lines of a file mean: a letter, and the flags that it stands for. */
static void reads(void **state)
{
	static const struct {
		const char *file;
		char letter;
		const char *keywords;
		uint32_t bits;
	} rows[] = {
	    {"0 Work\n", 'a', "Work", 0},
	    {"0 Work\n", 'b', "", 0},
	    {"25 Work", 'z', "Work", 0},
	    {"1 Later\n0 Work\n", 'b', "Later", 0},
	    {"0 Work\n0 Other\n", 'a', "Work", 0},
	    {"26 Work\n", 'z', "", 0},
	    {"0  Work\n", 'a', "", 0},
	    {"0 two words\n", 'a', "", 0},
	    {"0Work\n", 'a', "", 0},
	    {"0 \n1 Work\n", 'b', "Work", 0},
	    {"\n\n# nothing\nx Work\n2 Work\r\n3 Later\n", 'd', "Later", 0},
	    {"0 $forwarded\n", 'a', "", FLAG_FORWARDED},
	    {"0 \\Seen\n", 'a', "", 0},
	    {"-1 Work\n0 Later\n", 'a', "Later", 0},
	};
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;

	fixture_create(fixture, "m");
	mailbox = open_mailbox(fixture, "m");
	assert_int_equal(maildir_keywords_read(mailbox, NULL), 0);
	assert_int_equal(mailbox->keywords.named, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct flags flags;

		put(fixture, TABLE, rows[i].file);
		assert_int_equal(maildir_keywords_read(mailbox, NULL), 0);
		flags = maildir_keywords_flags(&mailbox->keywords, &rows[i].letter, 1);
		assert_int_equal(flags.keywords, set_of(rows[i].keywords));
		assert_int_equal(flags.bits, rows[i].bits);
	}
	maildir_mailbox_close(&mailbox);
}

/* What is no table stops the mailbox. */
static void refuses_what_is_no_file(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	struct error err = {0};
	char *large = calloc(1, 70000);

	fixture_create(fixture, "m");
	mailbox = open_mailbox(fixture, "m");
	assert_int_equal(symlink("/etc/passwd", fixture_path(fixture, TABLE)), 0);
	assert_int_equal(maildir_keywords_read(mailbox, &err), -1);
	assert_int_equal(err.scope, SCOPE_MAILBOX);
	assert_int_equal(unlink(fixture_path(fixture, TABLE)), 0);
	assert_int_equal(mkfifo(fixture_path(fixture, TABLE), 0600), 0);
	assert_int_equal(maildir_keywords_read(mailbox, &err), -1);
	assert_int_equal(unlink(fixture_path(fixture, TABLE)), 0);
	memset(large, '\n', 65537);
	fixture_put(fixture, TABLE, large, 65536);
	assert_int_equal(maildir_keywords_read(mailbox, &err), 0);
	fixture_put(fixture, TABLE, large, 65537);
	assert_int_equal(maildir_keywords_read(mailbox, &err), -1);
	free(large);
	maildir_mailbox_close(&mailbox);
}

/* New letters come behind what is there, which stays as it is. */
static void gives_letters_out(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	struct stat st;

	fixture_create(fixture, "m");
	mailbox = open_mailbox(fixture, "m");
	claim(mailbox, "", "");
	assert_false(fixture_has(fixture, TABLE));
	claim(mailbox, "b a", "");
	expect_file(fixture, "0 a\n1 b\n");
	assert_int_equal(stat(fixture_path(fixture, TABLE), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	claim(mailbox, "A b", "");
	expect_file(fixture, "0 a\n1 b\n");
	/* Another program was here: its letters and its mode stay. */
	put(fixture, TABLE, "0 a\n1 b\n2 theirs\n# 4\n5 gr\xc3\xbcn");
	assert_int_equal(chmod(fixture_path(fixture, TABLE), 0640), 0);
	claim(mailbox, "c theirs", "");
	expect_file(fixture, "0 a\n1 b\n2 theirs\n# 4\n5 gr\xc3\xbcn\n3 c\n");
	assert_int_equal(stat(fixture_path(fixture, TABLE), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	claim(mailbox, "d e f", "");
	expect_file(fixture, "0 a\n1 b\n2 theirs\n# 4\n5 gr\xc3\xbcn\n3 c\n4 d\n6 e\n7 f\n");
	assert_false(fixture_has(fixture, LOCK));
	maildir_mailbox_close(&mailbox);
}

/* 26, and the 27th is left out; a letter that files have already is given to nobody. */
static void ends_at_z(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	struct flag_room room;
	uint32_t all = 0, left;
	char name[16];

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/cur/x:2,Sc", "x", 1);
	mailbox = open_mailbox(fixture, "m");
	for (int i = 0; i < 25; i++) {
		snprintf(name, sizeof(name), "K%02d", i);
		all = keywords_union(all, keywords_of(name, 3));
	}
	assert_int_equal(
	    maildir_keywords_claim(mailbox, keywords_minus(all, set_of("K24")), &left, NULL), 0);
	assert_int_equal(left, 0);
	room = maildir_keywords_room(&mailbox->keywords);
	assert_true(room.any_keyword);
	assert_true(room.mute);
	assert_int_equal(
	    maildir_keywords_claim(mailbox, keywords_union(all, set_of("K25")), &left, NULL), 0);
	assert_int_equal(left, set_of("K25"));
	room = maildir_keywords_room(&mailbox->keywords);
	assert_false(room.any_keyword);
	assert_int_equal(room.keywords, all);
	assert_int_equal(mailbox->keywords.letters[2].keywords, 0);
	claim(mailbox, "K03 K26", "K26");
	maildir_mailbox_close(&mailbox);
}

/* Letters on the files themselves: set, taken off, and others' left alone. */
static void flags_files(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	const struct flags none = {0};

	fixture_create(fixture, "m");
	put(fixture, TABLE, "0 Work\n1 $Forwarded\n");
	fixture_put(fixture, "m/cur/x:2,Sz", "x", 1);
	mailbox = open_mailbox(fixture, "m");
	claim(mailbox, "Later Work", "");
	struct flags add = {FLAG_FLAGGED, set_of("Later Work Unknown")};
	assert_int_equal(maildir_message_flag(mailbox, "x", add, none, NULL), 1);
	assert_true(fixture_has(fixture, "m/cur/x:2,FSacz"));
	assert_int_equal(maildir_message_flag(mailbox, "x", add, none, NULL), 1);
	add = (struct flags){FLAG_FORWARDED, 0};
	assert_int_equal(maildir_message_flag(mailbox, "x", add,
					      (struct flags){FLAG_SEEN, set_of("WORK")}, NULL),
			 1);
	assert_true(fixture_has(fixture, "m/cur/x:2,FPbcz"));
	assert_int_equal(maildir_message_flag(mailbox, "x", none,
					      (struct flags){FLAG_ALL, set_of("Later")}, NULL),
			 1);
	assert_true(fixture_has(fixture, "m/cur/x:2,z"));
	maildir_mailbox_close(&mailbox);
}

/* Each mailbox has letters of its own. */
static void translates_on_a_move(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox, *target;
	char placed[MAILDIR_FILE_SIZE];
	uint32_t left = 0;

	fixture_create(fixture, "m");
	fixture_create(fixture, "t");
	put(fixture, TABLE, "0 Work\n1 Later\n");
	put(fixture, "t/dovecot-keywords", "0 Other\n1 Work\n");
	fixture_put(fixture, "m/cur/x:2,Sabz", "x", 1);
	fixture_put(fixture, "m/new/y", "y", 1);
	mailbox = open_mailbox(fixture, "m");
	target = open_mailbox(fixture, "t");
	assert_int_equal(maildir_message_move(mailbox, "x", target, placed, &left, NULL), 1);
	assert_true(fixture_has(fixture, "t/cur/x:2,Sbcz"));
	assert_int_equal(target->keywords.named, set_of("Other Work Later"));
	assert_int_equal(maildir_message_move(mailbox, "y", target, placed, &left, NULL), 1);
	assert_true(fixture_has(fixture, "t/new/y"));
	assert_int_equal(left, 0);
	maildir_mailbox_close(&mailbox);
	maildir_mailbox_close(&target);
}

/* What finds no letter is told, of all that is moved; who has no room for one has it for others. */
static void tells_what_a_move_leaves_out(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox, *target;
	char placed[MAILDIR_FILE_SIZE], table[1024] = "";
	uint32_t left = 0;

	fixture_create(fixture, "m");
	fixture_create(fixture, "t");
	put(fixture, TABLE, "0 Work\n1 Later\n2 Never\n3 L07\n");
	for (int i = 0; i < 25; i++)
		snprintf(table + strlen(table), 32, "%d L%02d\n", i, i);
	put(fixture, "t/dovecot-keywords", table);
	put(fixture, "m/cur/x:2,Sad", "x");
	put(fixture, "m/cur/y:2,b", "y");
	put(fixture, "m/cur/z:2,Fc", "z");
	mailbox = open_mailbox(fixture, "m");
	target = open_mailbox(fixture, "t");
	assert_int_equal(maildir_message_move(mailbox, "x", target, placed, &left, NULL), 1);
	assert_true(fixture_has(fixture, "t/cur/x:2,Shz"));
	assert_int_equal(left, 0);
	assert_int_equal(maildir_message_move(mailbox, "y", target, placed, &left, NULL), 1);
	assert_true(fixture_has(fixture, "t/cur/y:2,"));
	assert_int_equal(left, set_of("Later"));
	assert_int_equal(maildir_message_move(mailbox, "z", target, placed, &left, NULL), 1);
	assert_true(fixture_has(fixture, "t/cur/z:2,F"));
	assert_int_equal(left, set_of("Later Never"));
	maildir_mailbox_close(&mailbox);
	maildir_mailbox_close(&target);
}

static void *unlock_soon(void *path)
{
	usleep(200000);
	unlink(path);
	return NULL;
}

/* The lock is awaited, not broken; one that is too old is nobody's. */
static void waits_for_the_lock(void **state)
{
	struct fixture *fixture = *state;
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - 110}};
	struct maildir_mailbox *mailbox;
	struct error err = {0};
	pthread_t thread;
	uint32_t left;
	char path[PATH_MAX];

	fixture_create(fixture, "m");
	mailbox = open_mailbox(fixture, "m");
	snprintf(path, sizeof(path), "%s", fixture_path(fixture, LOCK));
	put(fixture, LOCK, "");
	assert_int_equal(pthread_create(&thread, NULL, unlock_soon, path), 0);
	claim(mailbox, "Work", "");
	pthread_join(thread, NULL);
	expect_file(fixture, "0 Work\n");

	put(fixture, LOCK, "theirs");
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_int_equal(maildir_keywords_claim(mailbox, set_of("Later"), &left, &err), -1);
	assert_int_equal(err.scope, SCOPE_MAILBOX);
	assert_non_null(strstr(err.text, "dovecot-keywords.lock"));
	assert_int_equal(left, 0);
	assert_true(fixture_has(fixture, LOCK));
	expect_file(fixture, "0 Work\n");

	times[1].tv_sec -= 20;
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	claim(mailbox, "Later", "");
	expect_file(fixture, "0 Work\n1 Later\n");
	assert_false(fixture_has(fixture, LOCK));
	maildir_mailbox_close(&mailbox);
}

/* Puts the lock of an evenmail on this kernel there, changed at its end by change. */
static void put_lock(const struct fixture *fixture, const char *change)
{
	char text[128] = "evenmail lock 1 ";
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");

	assert_non_null(file);
	assert_non_null(fgets(text + strlen(text), 64, file));
	fclose(file);
	memcpy(text + strlen(text) - 1, change, strlen(change) + 1);
	put(fixture, LOCK, text);
}

/*
 * What an evenmail that was killed left goes at once; what one holds, or may hold elsewhere, stays.
 */
static void takes_over_from_the_dead(void **state)
{
	static const struct {
		const char *change;
		bool held, taken;
	} rows[] = {
	    {"\n", false, true}, {"\n", true, false}, {"", false, false}, {"\nx", false, false}};
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;

	fixture_create(fixture, "m");
	mailbox = open_mailbox(fixture, "m");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char keyword[] = "Work0";
		uint32_t left;
		int holder;

		keyword[4] = (char)('0' + i);
		put_lock(fixture, rows[i].change);
		holder = open(fixture_path(fixture, LOCK), O_RDONLY | O_CLOEXEC);
		assert_true(holder >= 0);
		if (rows[i].held)
			assert_int_equal(flock(holder, LOCK_EX | LOCK_NB), 0);
		assert_int_equal(
		    maildir_keywords_claim(mailbox, set_of(keyword), &left, NULL),
		    rows[i].taken ? 0 : -1);
		assert_int_equal(fixture_has(fixture, LOCK), !rows[i].taken);
		close(holder);
	}
	expect_file(fixture, "0 Work0\n");
	assert_int_equal(fixture_count(fixture, "m/tmp", NULL), 0);
	maildir_mailbox_close(&mailbox);
}

/* Claims some keywords one by one, in a process of its own. */
static int claim_some(struct maildir_tree *tree, int process)
{
	struct maildir_mailbox *mailbox;
	uint32_t left;

	maildir_namer_init(maildir_tree_namer(tree)); /* a process's own, as in two programs */
	if (maildir_mailbox_open(tree, "m", true, &mailbox, NULL) < 0)
		return 1;
	for (int i = 0; i < 6; i++) {
		char name[32];

		snprintf(name, sizeof(name), "K%d-%d", process, i);
		if (maildir_keywords_claim(mailbox, keywords_of(name, strlen(name)), &left, NULL) <
			0 || left)
			return 1;
	}
	maildir_mailbox_close(&mailbox);
	return 0;
}

/* Only one of those that find an abandoned lock gets it, and each letter is given out once. */
static void one_at_a_time_takes_over(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	pid_t children[4];
	int status;

	fixture_create(fixture, "m");
	put_lock(fixture, "\n");
	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			_exit(claim_some(fixture->tree, i));
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	mailbox = open_mailbox(fixture, "m");
	assert_int_equal(maildir_keywords_read(mailbox, NULL), 0);
	assert_int_equal(mailbox->keywords.taken, (1u << 24) - 1);
	assert_int_equal(keywords_count(mailbox->keywords.named), 24);
	assert_false(fixture_has(fixture, LOCK));
	assert_int_equal(fixture_count(fixture, "m/tmp", NULL), 0);
	maildir_mailbox_close(&mailbox);
}

/* Claims "Work", for survives_every_stop(). */
static int claim_work(const char *path)
{
	struct maildir_tree *tree;
	struct maildir_mailbox *mailbox;
	uint32_t left;

	if (maildir_tree_open(path, MAILDIR_LAYOUT_TREE, false, &tree, NULL) < 0 ||
	    maildir_mailbox_open(tree, "m", true, &mailbox, NULL) < 0 ||
	    maildir_keywords_claim(mailbox, set_of("Work"), &left, NULL) < 0)
		return 1;
	maildir_mailbox_close(&mailbox);
	maildir_tree_close(&tree);
	return 0;
}

#ifdef EVENMAIL_FAULTS

/* Runs this program again, to be stopped at a point. */
static int run(const struct fixture *fixture, unsigned stop_at)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		char *number = xasprintf("%u", stop_at);

		setenv("EVENMAIL_STOP_AT", number, 1);
		close(STDERR_FILENO);
		execl("/proc/self/exe", "test", fixture->path, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

/*
 * Wherever it is stopped, the old table or the new one is there, and the next run goes on at once.
 */
static void survives_every_stop(void **state)
{
	struct fixture *fixture = *state;
	unsigned at = 1, locked = 0;
	int rc = SIGKILL;

	for (; rc == SIGKILL; at++) {
		struct maildir_mailbox *mailbox;

		fixture_create(fixture, "m");
		put(fixture, TABLE, "0 Old\n");
		rc = run(fixture, at);
		assert_true(rc == SIGKILL || rc == 0);
		locked += fixture_has(fixture, LOCK);
		mailbox = open_mailbox(fixture, "m");
		claim(mailbox, "Work", "");
		claim(mailbox, "Next", "");
		expect_file(fixture, "0 Old\n1 Work\n2 Next\n");
		assert_false(fixture_has(fixture, LOCK));
		maildir_litter_sweep(mailbox);
		assert_int_equal(fixture_count(fixture, "m/tmp", NULL), 0);
		maildir_mailbox_close(&mailbox);
	}
	assert_true(locked >= 5); /* it was stopped in the midst indeed */
}

#endif

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	    TEST(reads),
	    TEST(refuses_what_is_no_file),
	    TEST(gives_letters_out),
	    TEST(ends_at_z),
	    TEST(flags_files),
	    TEST(translates_on_a_move),
	    TEST(tells_what_a_move_leaves_out),
	    TEST(waits_for_the_lock),
	    TEST(takes_over_from_the_dead),
	    TEST(one_at_a_time_takes_over),
#ifdef EVENMAIL_FAULTS
	    TEST(survives_every_stop),
#endif
	};

	if (argc == 2)
		return claim_work(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
