// SPDX-License-Identifier: GPL-3.0-or-later
/* Scans and changes while others are at work (FAULTS 12, 13, 15). */
#include "maildir-fixture.h"
#include "memory.h"

#include "maildir/glance.h"
#include "maildir/message.h"
#include "maildir/scan.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

/* Opens a mailbox of the fixture. */
static struct maildir_mailbox *open_mailbox(struct fixture *fixture, const char *name,
					    bool may_write)
{
	struct maildir_mailbox *mailbox;
	struct error err = {0};

	if (maildir_mailbox_open(fixture->tree, name, may_write, &mailbox, &err) < 0)
		fail_msg("%s", err.text);
	return mailbox;
}

/* Scans. */
static struct maildir_scan *take(struct maildir_mailbox *mailbox)
{
	struct maildir_scan *scan;
	struct error err = {0};

	if (maildir_scan_take(mailbox, &scan, &err) < 0)
		fail_msg("%s", err.text);
	return scan;
}

/* Sets a directory's time: one that is past is trusted, one to come is not. */
static void age(struct fixture *fixture, const char *dir, time_t seconds)
{
	const struct timespec times[2] = {{.tv_sec = seconds, .tv_nsec = 1},
					  {.tv_sec = seconds, .tv_nsec = 1}};

	assert_int_equal(utimensat(AT_FDCWD, fixture_path(fixture, dir), times, 0), 0);
}

static void sees_messages_only(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	struct maildir_scan *scan;
	struct maildir_entry *entry;

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/cur/a,S=3,W=4:2,FSx", "abc", 3);
	fixture_put(fixture, "m/new/b", "b", 1);
	fixture_put(fixture, "m/cur/.hidden:2,S", "b", 1);
	fixture_put(fixture, "m/tmp/t", "b", 1);
	assert_int_equal(mkdir(fixture_path(fixture, "m/cur/dir:2,S"), 0700), 0);
	assert_int_equal(symlink("/etc/passwd", fixture_path(fixture, "m/cur/link:2,S")), 0);
	assert_int_equal(mkfifo(fixture_path(fixture, "m/cur/fifo:2,S"), 0600), 0);
	mailbox = open_mailbox(fixture, "m", true);
	age(fixture, "m/cur", time(NULL) + 3600);
	scan = take(mailbox);
	assert_int_equal(scan->count, 2);
	assert_int_equal(scan->cur_ns, 0);
	entry = maildir_scan_find(scan, "a,S=3,W=4", 9);
	assert_non_null(entry);
	assert_int_equal(entry->dir, MAILDIR_CUR);
	assert_int_equal(entry->flags.bits, FLAG_FLAGGED | FLAG_SEEN);
	assert_int_equal(entry->unique_len, 9);
	entry = maildir_scan_find(scan, "b", 1);
	assert_non_null(entry);
	assert_int_equal(entry->dir, MAILDIR_NEW);
	assert_int_equal(entry->flags.bits, 0);
	maildir_scan_free(&scan);
	fixture_age(fixture, "m");
	scan = take(mailbox);
	assert_int_equal(scan->count, 2);
	assert_int_equal(scan->cur_ns, INT64_C(1700000000000000500));
	assert_int_equal(scan->new_ns, INT64_C(1700000000000000500));
	maildir_scan_free(&scan);
	maildir_mailbox_close(&mailbox);
}

static void separates_two_files_of_one_name(void **state)
{
	static const struct {
		const char *first, *second;
		const char *kept; /* of the two, the one whose name stays */
	} rows[] = {
	    {"m/cur/a,S=1,W=1:2,S", "m/new/a,S=1,W=1", "m/cur/a,S=1,W=1:2,S"},
	    {"m/cur/a,S=1,W=1:2,S", "m/cur/a,S=1,W=1:2,FS", "m/cur/a,S=1,W=1:2,FS"},
	    {"m/cur/a,S=1,W=1", "m/cur/a,S=1,W=1:2,", "m/cur/a,S=1,W=1"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fixture *fixture = fixture_open(MAILDIR_LAYOUT_TREE);
		struct maildir_mailbox *mailbox;
		struct maildir_scan *scan;
		char file[MAILDIR_FILE_SIZE];
		void *ended = fixture;

		fixture_create(fixture, "m");
		fixture_put(fixture, rows[i].first, "1", 1);
		fixture_put(fixture, rows[i].second, "2", 1);
		mailbox = open_mailbox(fixture, "m", false);
		scan = take(mailbox);
		assert_int_equal(scan->count, 1);
		maildir_scan_free(&scan);
		maildir_mailbox_close(&mailbox);
		assert_true(fixture_has(fixture, rows[i].first));
		assert_true(fixture_has(fixture, rows[i].second));
		mailbox = open_mailbox(fixture, "m", true);
		for (unsigned pass = 0; pass < 2; pass++) {
			scan = take(mailbox);
			assert_int_equal(scan->count, 2);
			assert_non_null(maildir_scan_find(scan, "a,S=1,W=1", 9));
			maildir_scan_free(&scan);
		}
		assert_true(fixture_has(fixture, rows[i].kept));
		assert_int_equal(fixture_count(fixture, "m/cur", file) +
				     fixture_count(fixture, "m/new", NULL),
				 2);
		assert_non_null(strstr(file, ",S=1,W=1"));
		maildir_mailbox_close(&mailbox);
		fixture_teardown(&ended);
	}
	(void)state;
}

/* A program that renames by linking and unlinking is not taken for one that copies. */
static void takes_two_links_for_one_message(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	struct maildir_scan *scan;
	char new_path[PATH_MAX];

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/new/a", "1", 1);
	memcpy(new_path, fixture_path(fixture, "m/new/a"), PATH_MAX);
	assert_int_equal(link(new_path, fixture_path(fixture, "m/cur/a:2,S")), 0);
	mailbox = open_mailbox(fixture, "m", true);
	scan = take(mailbox);
	assert_int_equal(scan->count, 1);
	assert_int_equal(scan->entries[0].flags.bits, FLAG_SEEN);
	assert_true(fixture_has(fixture, "m/new/a"));
	assert_true(fixture_has(fixture, "m/cur/a:2,S"));
	maildir_scan_free(&scan);
	maildir_mailbox_close(&mailbox);
}

static void confirms_absence(void **state)
{
	static const char *const names[] = {"a", "b", "gone", "a:2"};
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	struct maildir_scan *scan;
	bool absent[4];

	fixture_create(fixture, "m");
	mailbox = open_mailbox(fixture, "m", false);
	scan = take(mailbox);
	fixture_put(fixture, "m/new/a", "1", 1);
	fixture_put(fixture, "m/cur/b:2,S", "1", 1);
	assert_int_equal(maildir_confirm_absent(mailbox, names, 4, absent, scan, NULL), 0);
	assert_false(absent[0]);
	assert_false(absent[1]);
	assert_true(absent[2]);
	assert_true(absent[3]);
	assert_int_equal(scan->count, 2);
	assert_non_null(maildir_scan_find(scan, "b", 1));
	maildir_scan_free(&scan);
	maildir_mailbox_close(&mailbox);
}

#define CHURNED 3000
#define SCANS   20

struct churn {
	int cur, new;
	atomic_bool stop;
	atomic_uint renames;
};

/* Renames, counting what worked. */
static void churn_one(struct churn *churn, int from_dir, const char *from, int to_dir,
		      const char *to)
{
	churn->renames += renameat(from_dir, from, to_dir, to) == 0;
}

/*
 * Takes every fourth file from new to cur and back, and flags and unflags the others in cur: those
 * only a directory that is read at one instant shows all.
 */
static void *churn_files(void *context)
{
	struct churn *churn = context;

	for (unsigned round = 0; !churn->stop; round++) {
		for (unsigned i = 0; i < CHURNED && !churn->stop; i++) {
			unsigned number = (i * 7919) % CHURNED;
			char plain[64], seen[80], flagged[80];

			snprintf(plain, sizeof(plain), "%u.M%uP1.somehost.example", number, number);
			snprintf(seen, sizeof(seen), "%s:2,S", plain);
			snprintf(flagged, sizeof(flagged), "%s:2,FS", plain);
			if (number % 4 == 0 && round % 2 == 0)
				churn_one(churn, churn->new, plain, churn->cur, seen);
			else if (number % 4 == 0)
				churn_one(churn, churn->cur, seen, churn->new, plain);
			else if (round % 2 == 0)
				churn_one(churn, churn->cur, seen, churn->cur, flagged);
			else
				churn_one(churn, churn->cur, flagged, churn->cur, seen);
		}
	}
	return NULL;
}

/* Puts a quarter of CHURNED files into new and the others into cur. */
static void fill(struct fixture *fixture)
{
	fixture_create(fixture, "m");
	for (unsigned i = 0; i < CHURNED; i++) {
		char below[128];

		snprintf(below, sizeof(below), "m/%s/%u.M%uP1.somehost.example%s",
			 i % 4 == 0 ? "new" : "cur", i, i, i % 4 == 0 ? "" : ":2,S");
		fixture_put(fixture, below, "x", 1);
	}
}

/* What happens between two calls of getdents64, so that a test need not wait for chance. */
static void (*between_calls)(void);
static struct maildir_mailbox *between_mailbox;
static bool between_state;

/* In front of the C library's: does the same, and lets something happen after it. */
ssize_t getdents64(int fd, void *buffer, size_t len)
{
	ssize_t got = syscall(SYS_getdents64, fd, buffer, len);

	if (got > 0 && between_calls)
		between_calls();
	return got;
}

/* Flags or unflags every message in cur. */
static void flag_all(void)
{
	int cur = between_mailbox->fds[MAILDIR_CUR];

	for (unsigned i = 0; i < CHURNED; i++) {
		char seen[80], flagged[80];

		snprintf(seen, sizeof(seen), "%u.M%uP1.somehost.example:2,S", i, i);
		snprintf(flagged, sizeof(flagged), "%u.M%uP1.somehost.example:2,FS", i, i);
		renameat(cur, between_state ? flagged : seen, cur, between_state ? seen : flagged);
	}
	between_state = !between_state;
}

/* Moves every message to new, or back to cur. */
static void move_all(void)
{
	int cur = between_mailbox->fds[MAILDIR_CUR], new = between_mailbox->fds[MAILDIR_NEW];

	for (unsigned i = 0; i < CHURNED; i++) {
		char plain[64], seen[80];

		snprintf(plain, sizeof(plain), "%u.M%uP1.somehost.example", i, i);
		snprintf(seen, sizeof(seen), "%s:2,S", plain);
		renameat(between_state ? new : cur, between_state ? plain : seen,
			 between_state ? cur : new, between_state ? seen : plain);
	}
	between_state = !between_state;
}

/* The same worst cases each time: everything is renamed between any two looks at a directory. */
static void misses_nothing_between_calls(void **state)
{
	static void (*const happenings[])(void) = {flag_all, move_all};
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;

	fill(fixture);
	mailbox = open_mailbox(fixture, "m", true);
	between_mailbox = mailbox;
	between_state = false;
	for (size_t i = 0; i < 2; i++) {
		for (unsigned scans = 0; scans < 2; scans++) {
			struct maildir_scan *scan;

			between_calls = happenings[i];
			scan = take(mailbox);
			between_calls = NULL;
			assert_int_equal(scan->count, CHURNED);
			maildir_scan_free(&scan);
		}
		if (between_state)
			happenings[i]();
	}
	maildir_mailbox_close(&mailbox);
}

/* Every message is seen, once, in each of many scans of a directory that never rests. */
static void misses_nothing_under_churn(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	struct churn churn = {0};
	unsigned before;
	pthread_t thread;

	fill(fixture);
	mailbox = open_mailbox(fixture, "m", true);
	churn.cur = mailbox->fds[MAILDIR_CUR];
	churn.new = mailbox->fds[MAILDIR_NEW];
	assert_int_equal(pthread_create(&thread, NULL, churn_files, &churn), 0);
	while (churn.renames < 100)
		usleep(1000);
	before = churn.renames;
	for (unsigned i = 0; i < SCANS; i++) {
		struct maildir_scan *scan = take(mailbox);

		assert_int_equal(scan->count, CHURNED);
		maildir_scan_free(&scan);
	}
	assert_true(churn.renames > before);
	churn.stop = true;
	pthread_join(thread, NULL);
	maildir_mailbox_close(&mailbox);
}

/* A message is opened, flagged and found by its unique name however often it is renamed. */
static void chases_messages_under_churn(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	struct churn churn = {0};
	pthread_t thread;

	fill(fixture);
	mailbox = open_mailbox(fixture, "m", true);
	churn.cur = mailbox->fds[MAILDIR_CUR];
	churn.new = mailbox->fds[MAILDIR_NEW];
	assert_int_equal(pthread_create(&thread, NULL, churn_files, &churn), 0);
	for (unsigned i = 0; i < 200; i++) {
		const struct maildir_entry *entry;
		struct error err = {0};
		struct stat st;
		char name[64];
		int fd;

		snprintf(name, sizeof(name), "%u.M%uP1.somehost.example", i * 11, i * 11);
		if (maildir_message_open(mailbox, name, &fd, &entry, &st, &err) != 1)
			fail_msg("%s", err.text);
		close(fd);
	}
	for (unsigned i = 0; i < 20; i++) {
		struct error err = {0};
		char name[64];

		snprintf(name, sizeof(name), "%u.M%uP1.somehost.example", i * 100, i * 100);
		if (maildir_message_flag(mailbox, name, (struct flags){FLAG_ANSWERED},
					 (struct flags){0}, &err) != 1)
			fail_msg("%s", err.text);
	}
	churn.stop = true;
	pthread_join(thread, NULL);
	maildir_mailbox_close(&mailbox);
}

static void flags_what_a_program_renamed(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	char from[PATH_MAX];

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/cur/a:2,S", "x", 1);
	fixture_put(fixture, "m/new/b", "x", 1);
	fixture_put(fixture, "m/new/c", "x", 1);
	mailbox = open_mailbox(fixture, "m", true);
	mailbox->scan = take(mailbox);
	memcpy(from, fixture_path(fixture, "m/cur/a:2,S"), PATH_MAX);
	assert_int_equal(rename(from, fixture_path(fixture, "m/cur/a:2,FSab")), 0);
	assert_int_equal(maildir_message_flag(mailbox, "a", (struct flags){FLAG_ANSWERED},
					      (struct flags){FLAG_SEEN | FLAG_DELETED}, NULL),
			 1);
	assert_true(fixture_has(fixture, "m/cur/a:2,FRab"));
	assert_true(mailbox->dirty[MAILDIR_CUR]);
	assert_false(mailbox->dirty[MAILDIR_NEW]);
	assert_int_equal(
	    maildir_message_flag(mailbox, "b", (struct flags){FLAG_SEEN}, (struct flags){0}, NULL),
	    1);
	assert_true(fixture_has(fixture, "m/cur/b:2,S"));
	assert_true(mailbox->dirty[MAILDIR_NEW]);
	assert_int_equal(
	    maildir_message_flag(mailbox, "c", (struct flags){0}, (struct flags){FLAG_SEEN}, NULL),
	    1);
	assert_true(fixture_has(fixture, "m/new/c"));
	assert_int_equal(
	    maildir_message_flag(mailbox, "d", (struct flags){FLAG_SEEN}, (struct flags){0}, NULL),
	    0);
	maildir_mailbox_close(&mailbox);
}

/* File systems may leave it to the file to say what it is, and that may fail. */
static void takes_no_silence_for_absence(void **state)
{
	const struct dirent_view view = {.name = "no such file", .type = DT_UNKNOWN};
	const struct dirent_view link = {.name = "self", .type = DT_UNKNOWN};
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_false(maildir_is_message(AT_FDCWD, &view));
	assert_true(maildir_is_message(-1, &view));
	assert_false(maildir_is_message(proc, &link));
	close(proc);
}

static void removes(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	char from[PATH_MAX];

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/cur/a:2,S", "x", 1);
	fixture_put(fixture, "m/cur/aa:2,S", "x", 1);
	mailbox = open_mailbox(fixture, "m", true);
	mailbox->scan = take(mailbox);
	memcpy(from, fixture_path(fixture, "m/cur/a:2,S"), PATH_MAX);
	assert_int_equal(rename(from, fixture_path(fixture, "m/cur/a:2,FS")), 0);
	assert_int_equal(maildir_message_remove(mailbox, "a", NULL), 1);
	assert_int_equal(maildir_message_remove(mailbox, "a", NULL), 0);
	assert_false(fixture_has(fixture, "m/cur/a:2,FS"));
	assert_true(fixture_has(fixture, "m/cur/aa:2,S"));
	maildir_mailbox_close(&mailbox);
}

static void moves(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox, *target;
	char file[MAILDIR_FILE_SIZE], placed[MAILDIR_FILE_SIZE];
	uint32_t left = 0;

	fixture_create(fixture, "m");
	fixture_create(fixture, "t");
	fixture_put(fixture, "m/cur/a,S=1,W=1:2,Sx", "1", 1);
	fixture_put(fixture, "m/new/b", "2", 1);
	fixture_put(fixture, "t/cur/b:2,S", "3", 1);
	mailbox = open_mailbox(fixture, "m", true);
	target = open_mailbox(fixture, "t", true);
	assert_int_equal(
	    maildir_message_move(mailbox, "a,S=1,W=1", target, placed, &left, NULL), 1);
	assert_string_equal(placed, "a,S=1,W=1");
	assert_true(fixture_has(fixture, "t/cur/a,S=1,W=1:2,Sx"));
	assert_false(fixture_has(fixture, "m/cur/a,S=1,W=1:2,Sx"));
	assert_int_equal(maildir_message_move(mailbox, "b", target, placed, &left, NULL), 1);
	assert_true(fixture_has(fixture, "t/cur/b:2,S"));
	assert_int_equal(fixture_count(fixture, "t/new", file), 1);
	assert_string_not_equal(file, "b");
	assert_string_equal(placed, file);
	assert_int_equal(fixture_count(fixture, "m/new", NULL), 0);
	assert_int_equal(maildir_message_move(mailbox, "b", target, placed, &left, NULL), 0);
	assert_true(target->dirty[MAILDIR_CUR] && target->dirty[MAILDIR_NEW]);
	maildir_mailbox_close(&mailbox);
	maildir_mailbox_close(&target);
}

/* Glances; how many files were told, and whether the mailbox was at rest. */
static size_t glance(struct maildir_mailbox *mailbox, size_t bytes_max, bool *rest,
		     void (*meanwhile)(struct fixture *fixture), struct fixture *fixture)
{
	size_t before = memory_held();
	struct maildir_glance *glance;
	struct maildir_entry entry;
	struct error err = {0};
	size_t count = 0;
	int rc;

	assert_int_equal(maildir_glance_open(mailbox, &glance, &err), 0);
	while ((rc = maildir_glance_next(glance, &entry, rest, &err)) == 1) {
		if (!count++)
			meanwhile(fixture);
		assert_true(memory_held() <= before + bytes_max);
		assert_int_equal(entry.flags.bits, entry.dir == MAILDIR_CUR ? FLAG_SEEN : 0);
	}
	assert_int_equal(rc, 0);
	maildir_glance_close(&glance);
	return count;
}

static void do_nothing(struct fixture *fixture)
{
	(void)fixture;
}

/* Another program at work, in a directory that was read by then. */
static void deliver(struct fixture *fixture)
{
	fixture_put(fixture, "m/new/late", "b", 1);
}

static void glances_in_little_memory(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	bool rest = false;
	char file[64];

	fixture_create(fixture, "m");
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(file, sizeof(file), "m/cur/a-name-of-some-length.%u:2,S", i);
		fixture_put(fixture, file, "b", 1);
	}
	fixture_put(fixture, "m/new/b", "b", 1);
	mailbox = open_mailbox(fixture, "m", true);
	age(fixture, "m/cur", 1000000000);
	age(fixture, "m/new", 1000000000);
	assert_int_equal(glance(mailbox, 70 * 1024, &rest, do_nothing, fixture), 3001);
	assert_true(rest);
	assert_null(mailbox->scan);
	maildir_mailbox_close(&mailbox);
}

static void glances_at_what_rests_only(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	bool rest = true;

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/new/a", "b", 1);
	fixture_put(fixture, "m/cur/a:2,S", "b", 1);
	mailbox = open_mailbox(fixture, "m", true);
	age(fixture, "m/cur", 1000000000);
	assert_int_equal(glance(mailbox, 70 * 1024, &rest, do_nothing, fixture), 0);
	assert_false(rest); /* new is too young */
	age(fixture, "m/new", 1000000000);
	assert_int_equal(glance(mailbox, 70 * 1024, &rest, do_nothing, fixture), 2);
	assert_true(rest); /* both of one name are told */
	assert_int_equal(glance(mailbox, 70 * 1024, &rest, deliver, fixture), 2);
	assert_false(rest);
	maildir_mailbox_close(&mailbox);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(sees_messages_only),
	    cmocka_unit_test(separates_two_files_of_one_name),
	    TEST(takes_two_links_for_one_message),
	    TEST(confirms_absence),
	    TEST(misses_nothing_between_calls),
	    TEST(misses_nothing_under_churn),
	    TEST(chases_messages_under_churn),
	    TEST(flags_what_a_program_renamed),
	    TEST(takes_no_silence_for_absence),
	    TEST(removes),
	    TEST(moves),
	    TEST(glances_in_little_memory),
	    TEST(glances_at_what_rests_only),
	};

	return cmocka_run_group_tests_name("maildir-scan", tests, NULL, NULL);
}
