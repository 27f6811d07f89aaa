// SPDX-License-Identifier: GPL-3.0-or-later
/* Deliveries and the content that comes back (FAULTS 14, 47; line endings as mail/eol.h says). */
#include "maildir-fixture.h"

#include "mail/header.h"
#include "maildir/content.h"
#include "maildir/deliver.h"
#include "maildir/litter.h"
#include "maildir/message.h"
#include "maildir/scan.h"

#include <errno.h>
#include <sys/wait.h>
#include <time.h>

/* Opens mailbox m, made if need be. */
static struct maildir_mailbox *open_mailbox(struct fixture *fixture)
{
	struct maildir_mailbox *mailbox;

	fixture_create(fixture, "m");
	assert_int_equal(maildir_mailbox_open(fixture->tree, "m", true, &mailbox, NULL), 0);
	return mailbox;
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

/* Delivers bytes in pieces of some size; the unique name is the caller's to free. */
static char *deliver(struct maildir_mailbox *mailbox, const char *bytes, size_t len, size_t piece,
		     uint32_t flags, int64_t date)
{
	struct maildir_delivery *delivery;
	struct identity identity = {.date = DATE_UNKNOWN};
	struct digest digest = digest_of(bytes, len);
	struct error err = {0};
	char *name;

	if (maildir_deliver_open(mailbox, &delivery, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t at = 0; at < len; at += piece) {
		size_t part = len - at < piece ? len - at : piece;

		if (maildir_deliver_write(delivery, bytes + at, part, &err) < 0)
			fail_msg("%s", err.text);
	}
	if (maildir_deliver_finish(delivery, &identity, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(identity.size, len);
	assert_int_equal(identity.date, DATE_UNKNOWN);
	assert_true(identity.has_digest && identity.has_message_id);
	assert_true(digest_equal(&identity.digest, &digest));
	name = strdup(maildir_deliver_name(delivery));
	if (maildir_deliver_sync(delivery, mailbox, &err) < 0 ||
	    maildir_deliver_publish(delivery, mailbox, (struct flags){flags}, date, &err) < 0)
		fail_msg("%s", err.text);
	maildir_deliver_close(&delivery, mailbox);
	return name;
}

/* Reads a message back in pieces of some size and holds it against bytes. */
static void check_content(struct maildir_mailbox *mailbox, const char *name, const char *bytes,
			  size_t len, size_t piece)
{
	struct maildir_content *content;
	struct digest digest = digest_of(bytes, len);
	struct error err = {0};
	char *read = malloc(len + piece);
	size_t at = 0, got;

	if (maildir_content_open(mailbox, name, true, &content, &err) != 1)
		fail_msg("%s", err.text);
	assert_int_equal(maildir_content_identity(content)->size, len);
	assert_true(digest_equal(&maildir_content_identity(content)->digest, &digest));
	for (;;) {
		if (maildir_content_read(content, read + at, piece, &got, &err) < 0)
			fail_msg("%s", err.text);
		if (!got)
			break;
		at += got;
		assert_true(at <= len);
	}
	assert_int_equal(at, len);
	assert_memory_equal(read, bytes, len);
	free(read);
	maildir_content_close(&content);
}

static void keeps_every_byte(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *disk;
		size_t disk_len;
	} rows[] = {
	    {"", 0, "", 0},
	    {"a", 1, "a", 1},
	    {"a\r\nb\r\n", 6, "a\nb\n", 4},
	    {"\r\n\r\n", 4, "\n\n", 2},
	    {"a\nb", 3, "a\nb", 3},
	    {"a\rb", 3, "a\rb", 3},
	    {"a\r", 2, "a\r", 2},
	    {"\r", 1, "\r", 1},
	    {"\n", 1, "\n", 1},
	    {"a\r\r\nb", 5, "a\r\r\nb", 5},
	    {"a\r\nb\nc\r\n", 8, "a\r\nb\nc\r\n", 8},
	    {"a\r\nb\r\n\r", 7, "a\r\nb\r\n\r", 7},
	    {"\0\r\n\xff", 4, "\0\n\xff", 3},
	};
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox = open_mailbox(fixture);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (size_t piece = 1; piece <= rows[i].len + 1; piece++) {
			char below[300], disk[32], expected[64];
			char *name = deliver(mailbox, rows[i].bytes, rows[i].len, piece, 0, 5);

			snprintf(below, sizeof(below), "m/new/%s", name);
			assert_int_equal(fixture_get(fixture, below, disk, sizeof(disk)),
					 rows[i].disk_len);
			assert_memory_equal(disk, rows[i].disk, rows[i].disk_len);
			snprintf(expected, sizeof(expected), ",S=%zu,W=%zu", rows[i].disk_len,
				 rows[i].len);
			assert_string_equal(strchr(name, ','), expected);
			check_content(mailbox, name, rows[i].bytes, rows[i].len, 1);
			check_content(mailbox, name, rows[i].bytes, rows[i].len, 64);
			free(name);
		}
	}
	assert_int_equal(fixture_count(fixture, "m/tmp", NULL), 0);
	maildir_mailbox_close(&mailbox);
}

/* Messages around the sizes of buffers, clean and with a fault at their end. */
static void keeps_large_messages(void **state)
{
	static const size_t sizes[] = {32767,
				       32768,
				       65535,
				       65536,
				       65537,
				       131072,
				       CONTENT_KEPT_MAX - 1,
				       CONTENT_KEPT_MAX,
				       CONTENT_KEPT_MAX + 1,
				       3000001};
	static const char *const ends[] = {"\r\n", "xx", "x\n", "x\r"};
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox = open_mailbox(fixture);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char *bytes = malloc(sizes[i]);

		for (size_t at = 0; at < sizes[i]; at++)
			bytes[at] = at % 7 == 5 ? '\r' : at % 7 == 6 ? '\n' : 'x';
		for (size_t end = 0; end < 4; end++) {
			char *name;

			memcpy(bytes + sizes[i] - 4, "\r\n", 2);
			if (bytes[sizes[i] - 5] == '\r')
				bytes[sizes[i] - 5] = 'x';
			memcpy(bytes + sizes[i] - 2, ends[end], 2);
			name = deliver(mailbox, bytes, sizes[i], 100000, 0, 5);
			check_content(mailbox, name, bytes, sizes[i], 70001);
			assert_int_equal(maildir_message_remove(mailbox, name, NULL), 1);
			free(name);
		}
		free(bytes);
	}
	maildir_mailbox_close(&mailbox);
}

static void puts_in_place_by_flags(void **state)
{
	static const struct {
		uint32_t flags;
		const char *dir, *info;
	} rows[] = {
	    {0, "new", ""},
	    {FLAG_SEEN, "cur", ":2,S"},
	    {FLAG_FLAGGED, "cur", ":2,F"},
	    {FLAG_ALL, "cur", ":2,DFPRST"},
	};
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox = open_mailbox(fixture);

	umask(0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *name =
		    deliver(mailbox, "a\r\n", 3, 3, rows[i].flags, 1000000000 + (int64_t)i);
		char below[300];
		struct stat st;

		snprintf(below, sizeof(below), "m/%s/%s%s", rows[i].dir, name, rows[i].info);
		assert_int_equal(stat(fixture_path(fixture, below), &st), 0);
		assert_int_equal(st.st_mtim.tv_sec, 1000000000 + (int64_t)i);
		assert_int_equal(st.st_mode & 07777, 0600);
		free(name);
	}
	assert_true(mailbox->dirty[MAILDIR_CUR] && mailbox->dirty[MAILDIR_NEW]);
	assert_int_equal(fixture_count(fixture, "m/tmp", NULL), 0);
	maildir_mailbox_close(&mailbox);
}

static void leaves_the_date_where_none_is_known(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox = open_mailbox(fixture);
	char *name = deliver(mailbox, "a", 1, 1, 0, DATE_UNKNOWN);
	char below[300];
	struct stat st;

	snprintf(below, sizeof(below), "m/new/%s", name);
	assert_int_equal(stat(fixture_path(fixture, below), &st), 0);
	assert_true(st.st_mtim.tv_sec > 1600000000);
	free(name);
	maildir_mailbox_close(&mailbox);
}

static void replaces_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox = open_mailbox(fixture);
	struct maildir_delivery *delivery;
	struct identity identity = {.date = DATE_UNKNOWN};
	struct error err = {0};
	char below[300], disk[8];

	assert_int_equal(maildir_deliver_open(mailbox, &delivery, &err), 0);
	assert_int_equal(maildir_deliver_finish(delivery, &identity, &err), 0);
	snprintf(below, sizeof(below), "m/new/%s", maildir_deliver_name(delivery));
	fixture_put(fixture, below, "other", 5);
	assert_int_equal(maildir_deliver_publish(delivery, mailbox, (struct flags){0}, 1, &err),
			 -1);
	assert_int_equal(err.sys, EEXIST);
	assert_int_equal(fixture_get(fixture, below, disk, sizeof(disk)), 5);
	maildir_deliver_close(&delivery, mailbox);
	assert_int_equal(fixture_count(fixture, "m/tmp", NULL), 0);
	maildir_mailbox_close(&mailbox);
}

static void makes_a_missing_tmp(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox = open_mailbox(fixture);
	char *name;

	assert_int_equal(rmdir(fixture_path(fixture, "m/tmp")), 0);
	name = deliver(mailbox, "a", 1, 1, 0, 1);
	assert_int_equal(fixture_count(fixture, "m/new", NULL), 1);
	free(name);
	maildir_mailbox_close(&mailbox);
}

static void reads_what_others_wrote(void **state)
{
	static const struct {
		const char *file, *disk, *wire;
	} rows[] = {
	    {"a", "x\ny\n", "x\r\ny\r\n"},
	    {"b", "x\r\ny\r\n", "x\r\ny\r\n"},
	    {"c,S=4,W=4", "x\ny\n", "x\ny\n"},
	    {"d,S=4,W=6", "x\ny\n", "x\r\ny\r\n"},
	    {"e,S=5,W=5", "x\ny\n", "x\r\ny\r\n"},
	    {"f,W=4", "x\ny\n", "x\r\ny\r\n"},
	    {"g", "", ""},
	    {"h", "x\ry\n", "x\ry\r\n"},
	};
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox = open_mailbox(fixture);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char below[64];

		snprintf(below, sizeof(below), "m/cur/%s:2,S", rows[i].file);
		fixture_put(fixture, below, rows[i].disk, strlen(rows[i].disk));
		mailbox->fresh = false;
		check_content(mailbox, rows[i].file, rows[i].wire, strlen(rows[i].wire), 3);
	}
	maildir_mailbox_close(&mailbox);
}

static void identifies(void **state)
{
	static const char text[] = "Subject: x\nMessage-ID: <a@b>\n\nx\n";
	const struct timespec times[2] = {{1000000000, 0}, {1000000000, 7}};
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox = open_mailbox(fixture);
	struct maildir_content *content;
	const struct identity *identity;

	fixture_put(fixture, "m/cur/a:2,FS", text, sizeof(text) - 1);
	utimensat(AT_FDCWD, fixture_path(fixture, "m/cur/a:2,FS"), times, 0);
	assert_int_equal(maildir_content_open(mailbox, "a", false, &content, NULL), 1);
	identity = maildir_content_identity(content);
	assert_int_equal(identity->size, sizeof(text) - 1 + 4);
	assert_int_equal(identity->date, 1000000000);
	assert_true(identity->message_id == header_hash_message_id("<a@b>", 5));
	assert_int_equal(maildir_content_flags(content).bits, FLAG_FLAGGED | FLAG_SEEN);
	maildir_content_close(&content);
	assert_int_equal(maildir_content_open(mailbox, "b", false, &content, NULL), 0);
	assert_null(content);
	maildir_mailbox_close(&mailbox);
}

/* FAULTS 13: a large file that changes between its two readings is not half of each. */
static void notices_a_change_while_reading(void **state)
{
	const size_t len = CONTENT_KEPT_MAX + 100000;
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox = open_mailbox(fixture);
	struct maildir_content *content;
	struct error err = {0};
	char *bytes = calloc(1, len), *out = malloc(len);
	size_t got;
	int rc;

	for (unsigned same_size = 0; same_size < 2; same_size++) {
		fixture_put(fixture, "m/cur/a:2,S", bytes, len);
		assert_int_equal(maildir_content_open(mailbox, "a", true, &content, &err), 1);
		assert_int_equal(maildir_content_read(content, out, 1000, &got, &err), 0);
		usleep(20000);
		fixture_put(fixture, "m/cur/a:2,S", bytes, same_size ? len : len - 1);
		while ((rc = maildir_content_read(content, out, len, &got, &err)) == 0 && got)
			;
		assert_int_equal(rc, -1);
		assert_int_equal(err.scope, SCOPE_MESSAGE);
		maildir_content_close(&content);
	}
	free(bytes);
	free(out);
	maildir_mailbox_close(&mailbox);
}

/* What is small does not need its file any more. */
static void keeps_small_messages(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox = open_mailbox(fixture);
	struct maildir_content *content;
	char out[8];
	size_t got;

	fixture_put(fixture, "m/cur/a:2,S", "a\n", 2);
	assert_int_equal(maildir_content_open(mailbox, "a", true, &content, NULL), 1);
	fixture_put(fixture, "m/cur/a:2,S", "bbb", 3);
	assert_int_equal(maildir_content_read(content, out, sizeof(out), &got, NULL), 0);
	assert_int_equal(got, 3);
	assert_memory_equal(out, "a\r\n", 3);
	maildir_content_close(&content);
	maildir_mailbox_close(&mailbox);
}

/* The pid of a process that is no more. */
static long dead_pid(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_true(pid > 0);
	waitpid(pid, NULL, 0);
	return pid;
}

static void sweeps_only_what_is_stale_and_ours(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox = open_mailbox(fixture);
	const char *host = maildir_tree_namer(fixture->tree)->host;
	const time_t old = time(NULL) - 36 * 3600 - 60, young = old + 120;
	/* The time is the name's; that of the file is old with all. */
	const struct {
		long pid;
		const char *host;
		time_t begun;
		bool stale;
	} rows[] = {
	    {getpid(), host, young, false},  {getpid(), host, old, true},
	    {getppid(), host, young, false}, {getppid(), host, old, true},
	    {dead_pid(), host, young, true}, {dead_pid(), "elsewhere", old, false},
	};
	const struct timespec times[2] = {{old, 0}, {old, 0}};
	const size_t count = sizeof(rows) / sizeof(*rows);
	char below[sizeof(rows) / sizeof(*rows)][256];

	for (size_t i = 0; i < count; i++) {
		snprintf(below[i], sizeof(below[i]), "m/tmp/%lld.P%ldQ%zu_01234567.%s",
			 (long long)rows[i].begun, rows[i].pid, i, rows[i].host);
		fixture_put(fixture, below[i], "x", 1);
		utimensat(AT_FDCWD, fixture_path(fixture, below[i]), times, 0);
	}
	fixture_put(fixture, "m/tmp/1.P3.host", "x", 1);
	mailbox->may_write = false;
	maildir_litter_sweep(mailbox);
	assert_int_equal(fixture_count(fixture, "m/tmp", NULL), count + 1);
	mailbox->may_write = true;
	maildir_litter_sweep(mailbox);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(fixture_has(fixture, below[i]), !rows[i].stale);
	assert_true(fixture_has(fixture, "m/tmp/1.P3.host"));
	maildir_mailbox_close(&mailbox);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(keeps_every_byte),
	    TEST(keeps_large_messages),
	    TEST(puts_in_place_by_flags),
	    TEST(leaves_the_date_where_none_is_known),
	    TEST(replaces_nothing),
	    TEST(makes_a_missing_tmp),
	    TEST(reads_what_others_wrote),
	    TEST(identifies),
	    TEST(notices_a_change_while_reading),
	    TEST(keeps_small_messages),
	    TEST(sweeps_only_what_is_stale_and_ours),
	};

	return cmocka_run_group_tests_name("maildir-deliver", tests, NULL, NULL);
}
