// SPDX-License-Identifier: GPL-3.0-or-later
/* Deliveries that begin with the file of another message: links, copies, and stops. */
#include "maildir-fixture.h"

#include "base/alloc.h"
#include "maildir/content.h"
#include "maildir/deliver.h"
#include "maildir/litter.h"
#include "maildir/message.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define DATE 1000000000

/* How the system's calls fail, where not 0, and how much one copies before it does. */
static int link_errno, copy_errno;
static size_t copy_most;

/* How many renames fail as across file systems do, and what happens before which of all. */
static int renames_across, rename_due;
static void (*before_rename)(void);

/* In front of the C library's. */
int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	errno = link_errno;
	return link_errno ? -1 : (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t len,
			unsigned int flags)
{
	size_t some = copy_most && copy_most < len ? copy_most : len;

	errno = copy_errno;
	if (copy_errno && !copy_most)
		return -1;
	if (copy_errno)
		copy_most = 0;
	return syscall(SYS_copy_file_range, from, from_at, to, to_at, some, flags);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	bool across = renames_across > 0;

	renames_across -= across;
	if (rename_due > 0 && --rename_due == 0)
		before_rename();
	errno = EXDEV;
	return across ? -1
		      : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

struct pair {
	struct fixture *fixture;
	struct maildir_mailbox *from, *to;
};

/* Opens mailboxes "from" and "to". */
static struct pair open_pair(struct fixture *fixture)
{
	struct pair pair = {.fixture = fixture};

	fixture_create(fixture, "from");
	fixture_create(fixture, "to");
	assert_int_equal(maildir_mailbox_open(fixture->tree, "from", true, &pair.from, NULL), 0);
	assert_int_equal(maildir_mailbox_open(fixture->tree, "to", true, &pair.to, NULL), 0);
	link_errno = copy_errno = 0;
	copy_most = 0;
	renames_across = rename_due = 0;
	return pair;
}

static void close_pair(struct pair *pair)
{
	maildir_mailbox_close(&pair->from);
	maildir_mailbox_close(&pair->to);
}

/* Puts a message of that date into "from". */
static void put(const struct pair *pair, const char *below, const char *bytes, size_t len,
		int64_t date)
{
	const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = date, .tv_nsec = 123456789}};

	fixture_put(pair->fixture, below, bytes, len);
	assert_int_equal(utimensat(AT_FDCWD, fixture_path(pair->fixture, below), times, 0), 0);
	pair->from->fresh = false;
}

static struct stat look(const struct pair *pair, const char *below)
{
	struct stat st;

	if (lstat(fixture_path(pair->fixture, below), &st) < 0)
		fail_msg("%s is not there", below);
	return st;
}

/* Delivers message a to "to"; whether it is a link. Its path below the root goes to below. */
static bool deliver(struct pair *pair, const char *unique, uint32_t flags, int64_t date,
		    struct identity *identity, char below[512])
{
	struct maildir_delivery *delivery;
	struct error err = {0};
	bool linked;

	if (maildir_deliver_link(pair->to, pair->from, unique, date, &delivery, &err) != 1 ||
	    maildir_deliver_finish(delivery, identity, &err) < 0)
		fail_msg("%s", err.text);
	linked = maildir_deliver_is_linked(delivery);
	if (!linked)
		assert_int_equal(maildir_deliver_sync(delivery, pair->to, &err), 0);
	maildir_deliver_rest(delivery);
	if (maildir_deliver_publish(delivery, pair->to, (struct flags){flags}, date, &err) < 0)
		fail_msg("%s", err.text);
	snprintf(below, 512, "to/%s/%s%s", flags ? "cur" : "new", maildir_deliver_name(delivery),
		 flags ? ":2,F" : "");
	maildir_deliver_close(&delivery, pair->to);
	assert_int_equal(fixture_count(pair->fixture, "to/tmp", NULL), 0);
	return linked;
}

/* A link where the dates agree to the second, else a copy; the other's date stays in any case. */
static void links_or_copies_by_date(void **state)
{
	static const int64_t dates[] = {DATE, DATE - 1, DATE + 1};
	struct pair pair = open_pair(*state);

	for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
		struct identity identity = {.date = DATE_UNKNOWN};
		struct stat before, after, made;
		char below[512];
		bool linked;

		put(&pair, "from/cur/a:2,S", "x\ny\n", 4, DATE);
		before = look(&pair, "from/cur/a:2,S");
		linked = deliver(&pair, "a", FLAG_FLAGGED, dates[i], &identity, below);
		assert_int_equal(linked, dates[i] == DATE);
		after = look(&pair, "from/cur/a:2,S");
		made = look(&pair, below);
		assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
		assert_int_equal(made.st_ino == before.st_ino, linked);
		assert_int_equal(after.st_nlink, linked ? 2 : 1);
		assert_int_equal(made.st_mtim.tv_sec, dates[i]);
		assert_int_equal(identity.size, 6);
		assert_int_equal(identity.date, DATE_UNKNOWN);
		assert_int_equal(unlink(fixture_path(pair.fixture, below)), 0);
	}
	close_pair(&pair);
}

/* An unknown date is nobody's: the copy has the time of its making. */
static void copies_without_a_date(void **state)
{
	struct pair pair = open_pair(*state);
	struct identity identity = {.date = DATE_UNKNOWN};
	char below[512];

	put(&pair, "from/new/a", "x", 1, DATE);
	assert_false(deliver(&pair, "a", 0, DATE_UNKNOWN, &identity, below));
	assert_true(look(&pair, below).st_mtim.tv_sec > DATE);
	close_pair(&pair);
}

/* The digest of bytes. */
static struct digest digest_of(const char *bytes, size_t len)
{
	struct digest_stream *stream = digest_open();
	struct digest digest;

	digest_update(stream, bytes, len);
	digest_finish(stream, &digest);
	digest_close(&stream);
	return digest;
}

/* Whatever line endings a file has, its bytes stay, and the new name tells how to read them. */
static void keeps_every_byte(void **state)
{
	static const struct {
		const char *file, *disk, *wire, *sizes;
	} rows[] = {
	    {"a", "x\ny\n", "x\r\ny\r\n", ",S=4,W=6"},
	    {"b", "x\r\ny\r\n", "x\r\ny\r\n", ",S=6,W=6"},
	    {"c,S=4,W=4", "x\ny\n", "x\ny\n", ",S=4,W=4"},
	    {"d,S=4,W=6", "x\ny\n", "x\r\ny\r\n", ",S=4,W=6"},
	    {"e,S=5,W=5", "x\ny\n", "x\r\ny\r\n", ",S=4,W=6"},
	    {"f", "x\r\ny\n", "x\r\ny\r\n", ",S=5,W=6"},
	    {"g", "", "", ",S=0,W=0"},
	    {"h", "x\ry\n", "x\ry\r\n", ",S=4,W=5"},
	    {"i,S=5,W=5", "x\r\ny\n", "x\r\ny\n", ",S=5,W=5"},
	};
	struct pair pair = open_pair(*state);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) * 2; i++) {
		size_t row = i / 2, len = strlen(rows[row].wire);
		struct digest digest = digest_of(rows[row].wire, len);
		struct maildir_content *content;
		struct identity identity = {.date = DATE_UNKNOWN};
		char from[64], below[512], disk[16], *unique;

		snprintf(from, sizeof(from), "from/cur/%s:2,S", rows[row].file);
		put(&pair, from, rows[row].disk, strlen(rows[row].disk), DATE);
		assert_int_equal(
		    deliver(&pair, rows[row].file, 0, DATE + (int64_t)(i % 2), &identity, below),
		    i % 2 == 0);
		assert_int_equal(identity.size, len);
		assert_true(identity.has_message_id);
		assert_true(digest_equal(&identity.digest, &digest));
		assert_string_equal(strchr(below, ','), rows[row].sizes);
		assert_int_equal(fixture_get(pair.fixture, below, disk, sizeof(disk)),
				 strlen(rows[row].disk));
		assert_memory_equal(disk, rows[row].disk, strlen(rows[row].disk));
		unique = strrchr(below, '/') + 1;
		assert_int_equal(maildir_content_open(pair.to, unique, false, &content, NULL), 1);
		assert_true(
		    digest_equal(&maildir_content_identity(content)->digest, &digest));
		maildir_content_close(&content);
	}
	close_pair(&pair);
}

/* Whatever fails, the kernel's copy too and in the midst of it, the bytes come over. */
static void copies_where_no_link_can_be(void **state)
{
	static const struct {
		int link, copy;
		size_t most;
	} rows[] = {{EXDEV, 0, 0},     {EMLINK, 0, 0},	    {EPERM, 0, 1},
		    {ENOENT, 0, 1000}, {EXDEV, EXDEV, 0},   {EXDEV, ENOSYS, 0},
		    {EPERM, EINVAL, 1}, {EXDEV, EIO, 70000}};
	static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 200000};
	struct pair pair = open_pair(*state);
	char *bytes = malloc(200000), *got = malloc(200001);

	for (size_t at = 0; at < 200000; at++)
		bytes[at] = (char)(at % 251);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
			struct identity identity = {.date = DATE_UNKNOWN};
			struct stat made;
			char below[512];

			put(&pair, "from/cur/a:2,S", bytes, sizes[k], DATE);
			link_errno = rows[i].link;
			copy_errno = rows[i].copy;
			copy_most = rows[i].most;
			assert_false(deliver(&pair, "a", FLAG_FLAGGED, DATE, &identity, below));
			made = look(&pair, below);
			assert_int_equal(made.st_nlink, 1);
			assert_int_equal(made.st_mode & 07777, 0600);
			assert_int_equal(made.st_mtim.tv_sec, DATE);
			assert_int_equal(fixture_get(pair.fixture, below, got, 200001), sizes[k]);
			assert_memory_equal(got, bytes, sizes[k]);
			assert_int_equal(unlink(fixture_path(pair.fixture, below)), 0);
		}
	}
	free(bytes);
	free(got);
	close_pair(&pair);
}

/* What another user may change is not shared. */
static void shares_only_what_is_ours(void **state)
{
	struct pair pair = open_pair(*state);
	struct identity identity = {.date = DATE_UNKNOWN};
	char below[512];

	if (geteuid() != 0)
		skip();
	put(&pair, "from/cur/a:2,S", "x", 1, DATE);
	assert_int_equal(chown(fixture_path(pair.fixture, "from/cur/a:2,S"), 12345, (gid_t)-1), 0);
	assert_false(deliver(&pair, "a", 0, DATE, &identity, below));
	assert_int_equal(look(&pair, below).st_uid, 0);
	close_pair(&pair);
}

/* A message that is gone is none; what is no regular file is never followed or waited for. */
static void takes_only_messages(void **state)
{
	struct pair pair = open_pair(*state);
	struct maildir_delivery *delivery;
	struct error err = {0};
	char path[PATH_MAX];

	assert_int_equal(maildir_deliver_link(pair.to, pair.from, "a", DATE, &delivery, &err), 0);
	assert_null(delivery);
	for (unsigned fifo = 0; fifo < 2; fifo++) {
		put(&pair, "from/cur/a:2,S", "x", 1, DATE);
		assert_int_equal(
		    maildir_deliver_link(pair.to, pair.from, "a", DATE, &delivery, &err), 1);
		maildir_deliver_close(&delivery, pair.to);
		memcpy(path, fixture_path(pair.fixture, "from/cur/a:2,S"), sizeof(path));
		assert_int_equal(unlink(path), 0);
		assert_int_equal(fifo ? mkfifo(path, 0600) : symlink("/etc/passwd", path), 0);
		assert_int_equal(
		    maildir_deliver_link(pair.to, pair.from, "a", DATE, &delivery, &err), -1);
		assert_int_equal(err.scope, SCOPE_MESSAGE);
		assert_null(delivery);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(fixture_count(pair.fixture, "to/tmp", NULL), 0);
	close_pair(&pair);
}

/* Flags, moves and removals of one leave the other's name, place and content alone. */
static void parts_from_the_other(void **state)
{
	struct pair pair = open_pair(*state);
	struct identity identity = {.date = DATE_UNKNOWN};
	char below[512], placed[MAILDIR_FILE_SIZE], disk[8];
	struct flags seen = {FLAG_SEEN}, none = {0};
	uint32_t left = 0;

	put(&pair, "from/cur/a:2,S", "x\n", 2, DATE);
	assert_true(deliver(&pair, "a", FLAG_FLAGGED, DATE, &identity, below));
	assert_int_equal(maildir_message_flag(pair.from, "a", none, seen, NULL), 1);
	assert_true(fixture_has(pair.fixture, "from/cur/a:2,"));
	assert_true(fixture_has(pair.fixture, below));
	assert_int_equal(maildir_message_move(pair.from, "a", pair.to, placed, &left, NULL), 1);
	assert_string_equal(placed, "a");
	assert_int_equal(fixture_count(pair.fixture, "to/cur", NULL), 2);
	assert_int_equal(maildir_message_remove(pair.to, "a", NULL), 1);
	assert_int_equal(fixture_get(pair.fixture, below, disk, sizeof(disk)), 2);
	assert_int_equal(look(&pair, below).st_nlink, 1);
	close_pair(&pair);
}

/* Within one mailbox, and dropped: the message that it was made from is not concerned. */
static void a_dropped_one_leaves_nothing(void **state)
{
	struct pair pair = open_pair(*state);
	struct maildir_delivery *delivery;
	struct identity identity = {.date = DATE_UNKNOWN};

	put(&pair, "from/cur/a:2,S", "x\n", 2, DATE);
	assert_int_equal(maildir_deliver_link(pair.from, pair.from, "a", DATE, &delivery, NULL), 1);
	assert_int_equal(maildir_deliver_finish(delivery, &identity, NULL), 0);
	assert_int_equal(fixture_count(pair.fixture, "from/tmp", NULL), 1);
	maildir_litter_sweep(pair.from);
	assert_int_equal(fixture_count(pair.fixture, "from/tmp", NULL), 1);
	maildir_deliver_close(&delivery, pair.from);
	assert_int_equal(fixture_count(pair.fixture, "from/tmp", NULL), 0);
	assert_int_equal(look(&pair, "from/cur/a:2,S").st_nlink, 1);
	close_pair(&pair);
}

/*
 * A MUA renames the file all the while, from new to cur and back, and is not waited for. Whoever
 * goes back and forth faster than directories are read may be missed by all looks, or be gone each
 * time that the file is opened.
 */
static void finds_what_is_being_renamed(void **state)
{
	struct pair pair = open_pair(*state);
	char names[2][PATH_MAX];
	unsigned found = 0;
	pid_t child;

	put(&pair, "from/cur/a:2,S", "x\n", 2, DATE);
	memcpy(names[0], fixture_path(pair.fixture, "from/cur/a:2,S"), PATH_MAX);
	memcpy(names[1], fixture_path(pair.fixture, "from/new/a"), PATH_MAX);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		for (unsigned i = 0;; i++)
			rename(names[i % 2], names[(i + 1) % 2]);
	for (unsigned i = 0; i < 200; i++) {
		struct maildir_delivery *delivery;
		struct error err = {0};

		pair.from->fresh = false;
		int rc = maildir_deliver_link(pair.to, pair.from, "a", DATE, &delivery, &err);
		if (rc < 0 && err.sys != ENOENT) {
			kill(child, SIGKILL);
			fail_msg("%u: %s", i, err.text);
		}
		if (rc <= 0)
			continue;
		found++;
		assert_true(maildir_deliver_is_linked(delivery));
		maildir_deliver_close(&delivery, pair.to);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_true(found > 0);
	close_pair(&pair);
}

/* Links or copies message a and publishes it, for run(). */
static int work_on(const char *path, const char *date)
{
	struct maildir_tree *tree;
	struct maildir_mailbox *from, *to;
	struct maildir_delivery *delivery;
	struct identity identity = {.date = DATE_UNKNOWN};

	if (maildir_tree_open(path, MAILDIR_LAYOUT_TREE, false, &tree, NULL) < 0 ||
	    maildir_mailbox_open(tree, "from", true, &from, NULL) < 0 ||
	    maildir_mailbox_open(tree, "to", true, &to, NULL) < 0 ||
	    maildir_deliver_link(to, from, "a", atoll(date), &delivery, NULL) != 1 ||
	    maildir_deliver_finish(delivery, &identity, NULL) < 0 ||
	    maildir_deliver_sync(delivery, to, NULL) < 0 ||
	    maildir_deliver_publish(delivery, to, (struct flags){0}, atoll(date), NULL) < 0)
		return 1;
	maildir_deliver_close(&delivery, to);
	maildir_mailbox_close(&from);
	maildir_mailbox_close(&to);
	maildir_tree_close(&tree);
	return 0;
}

#ifdef EVENMAIL_FAULTS

/* Runs this program again, to be stopped at a point. */
static int run(const struct pair *pair, int64_t date, unsigned stop_at)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		char *number = xasprintf("%u", stop_at), *when = xasprintf("%lld", (long long)date);

		setenv("EVENMAIL_STOP_AT", number, 1);
		close(STDERR_FILENO);
		execl("/proc/self/exe", "test", pair->fixture->path, when, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

/*
 * Wherever it is stopped, the other is whole, and what there is of the new one is whole or swept.
 */
static void survives_every_stop(void **state)
{
	struct pair pair = open_pair(*state);

	put(&pair, "from/cur/a:2,S", "x\n", 2, DATE);
	for (int64_t date = DATE; date < DATE + 2; date++) {
		unsigned at = 1;
		int rc = SIGKILL;

		for (; rc == SIGKILL; at++) {
			char name[MAILDIR_FILE_SIZE], below[512], disk[8];

			rc = run(&pair, date, at);
			assert_true(rc == SIGKILL || rc == 0);
			assert_int_equal(look(&pair, "from/cur/a:2,S").st_mtim.tv_sec, DATE);
			maildir_litter_sweep(pair.to);
			assert_int_equal(fixture_count(pair.fixture, "to/tmp", NULL), 0);
			if (!fixture_count(pair.fixture, "to/new", name)) {
				assert_int_equal(rc, SIGKILL);
				continue;
			}
			snprintf(below, sizeof(below), "to/new/%s", name);
			assert_int_equal(fixture_get(pair.fixture, below, disk, 8), 2);
			assert_int_equal(look(&pair, below).st_mtim.tv_sec, date);
			assert_int_equal(unlink(fixture_path(pair.fixture, below)), 0);
		}
		assert_true(at > 2);
	}
	close_pair(&pair);
}

#endif

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

/* Moves message a, across file systems; what maildir_message_move returns. */
static int move_across(struct pair *pair, char placed[MAILDIR_FILE_SIZE], struct error *err)
{
	uint32_t left_out = 0;

	renames_across = 1;
	return maildir_message_move(pair->from, "a", pair->to, placed, &left_out, err);
}

/* Bytes, flags, name and date go along; nothing stays, neither where it was nor in tmp. */
static void moves_across_file_systems(void **state)
{
	static const char *const places[] = {"cur/a:2,FS", "new/a"};
	struct pair pair = open_pair(*state);

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		char from[64], to[64], placed[MAILDIR_FILE_SIZE], content[16];
		struct error err = {0};
		snprintf(from, sizeof(from), "from/%s", places[i]);
		snprintf(to, sizeof(to), "to/%s", places[i]);
		put(&pair, from, "x\r\ny\n", 5, DATE);
		struct stat before = look(&pair, from);
		if (move_across(&pair, placed, &err) != 1)
			fail_msg("%s", err.text);
		assert_string_equal(placed, "a");
		assert_false(fixture_has(pair.fixture, from));
		struct stat after = look(&pair, to);
		assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
		assert_int_not_equal(before.st_ino, after.st_ino);
		assert_int_equal(fixture_get(pair.fixture, to, content, sizeof(content)), 5);
		assert_memory_equal(content, "x\r\ny\n", 5);
		assert_int_equal(fixture_count(pair.fixture, "to/tmp", NULL), 0);
		assert_int_equal(maildir_message_remove(pair.to, "a", NULL), 1);
	}
	close_pair(&pair);
}

/* What before_rename works on. */
static const struct fixture *here;

static void rename_original(void)
{
	char *from = xstrdup(fixture_path(here, "from/cur/a:2,"));

	assert_int_equal(syscall(SYS_rename, from, fixture_path(here, "from/cur/a:2,S")), 0);
	free(from);
}

/* A MUA that marks it as read meanwhile is not forgotten; two files are never left. */
static void moves_what_is_renamed_meanwhile(void **state)
{
	struct pair pair = open_pair(*state);
	char placed[MAILDIR_FILE_SIZE];
	struct error err = {0};

	here = pair.fixture;
	before_rename = rename_original;
	for (int due = 1; due <= 2; due++) {
		put(&pair, "from/cur/a:2,", "x\n", 2, DATE);
		rename_due = due;
		if (move_across(&pair, placed, &err) != 1)
			fail_msg("%s", err.text);
		assert_true(fixture_has(pair.fixture, "to/cur/a:2,S"));
		assert_int_equal(fixture_count(pair.fixture, "to/cur", NULL), 1);
		assert_int_equal(fixture_count(pair.fixture, "from/cur", NULL), 0);
		assert_int_equal(maildir_message_remove(pair.to, "a", NULL), 1);
	}
	close_pair(&pair);
}

/* What cannot be copied whole stays where it is. */
static void leaves_what_cannot_be_carried(void **state)
{
	struct pair pair = open_pair(*state);
	char placed[MAILDIR_FILE_SIZE];
	struct error err = {0};

	put(&pair, "from/cur/a:2,", "x\n", 2, DATE);
	assert_int_equal(rmdir(fixture_path(pair.fixture, "to/tmp")), 0);
	fixture_put(pair.fixture, "to/tmp", "", 0);
	assert_int_equal(move_across(&pair, placed, &err), -1);
	assert_non_null(strstr(err.text, "cannot move message a"));
	assert_true(fixture_has(pair.fixture, "from/cur/a:2,"));
	assert_int_equal(fixture_count(pair.fixture, "to/cur", NULL), 0);
	close_pair(&pair);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(links_or_copies_by_date),
	    TEST(copies_without_a_date),
	    TEST(keeps_every_byte),
	    TEST(copies_where_no_link_can_be),
	    TEST(shares_only_what_is_ours),
	    TEST(takes_only_messages),
	    TEST(parts_from_the_other),
	    TEST(a_dropped_one_leaves_nothing),
	    TEST(finds_what_is_being_renamed),
	    TEST(moves_across_file_systems),
	    TEST(moves_what_is_renamed_meanwhile),
	    TEST(leaves_what_cannot_be_carried),
#ifdef EVENMAIL_FAULTS
	    TEST(survives_every_stop),
#endif
	};

	if (argc == 3)
		return work_on(argv[1], argv[2]);
	return cmocka_run_group_tests_name("maildir-link", tests, NULL, NULL);
}
