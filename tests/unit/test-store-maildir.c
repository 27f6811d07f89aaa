// SPDX-License-Identifier: GPL-3.0-or-later
/* The Maildir store, asked as the sync layer asks it. */
#include "store-maildir-ask.h"

#include "base/clock.h"
#include "maildir/content.h"
#include "maildir/scan.h"
#include "maildir/watch.h"

#include <errno.h>

static void lists_and_creates(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	struct outcome *outcome;

	assert_int_equal(store->side, LOCAL);
	ask_well(store, (struct request){.kind = REQUEST_CREATE, .mailbox = "b/c"});
	ask_well(store, (struct request){.kind = REQUEST_CREATE, .mailbox = "INBOX"});
	outcome = ask_well(store, (struct request){.kind = REQUEST_LIST});
	assert_int_equal(outcome->mailboxes, 2);
	assert_string_equal(outcome->names[0], "INBOX");
	assert_string_equal(outcome->names[1], "b/c");
	outcome = ask(store, (struct request){.kind = REQUEST_CREATE, .mailbox = "a//b"});
	assert_int_equal(outcome->done.error.scope, SCOPE_MAILBOX);
	store_close(&store);
}

/* Mailboxes that are open under the old name, or under the new one, are other ones afterwards. */
static void renames(void **state)
{
	static const struct message_key key = {.name = "a"};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	struct request request = {.kind = REQUEST_RENAME, .mailbox = "m", .target = "n"};
	struct outcome *outcome;

	fixture_create(fixture, "m");
	fixture_create(fixture, "m/k");
	fixture_create(fixture, "n");
	fixture_put(fixture, "m/new/a", "x\n", 2);
	fixture_put(fixture, "m/k/new/a", "x\n", 2);
	ask_well(store, about(REQUEST_IDENTIFY, &key, 1));
	ask_well(store, (struct request){.kind = REQUEST_SCAN, .mailbox = "m/k"});
	ask_well(store, (struct request){.kind = REQUEST_SCAN, .mailbox = "n"});
	assert_int_equal(ask(store, request)->done.error.sys, EEXIST);
	assert_int_equal(rmdir(fixture_path(fixture, "n/new")), 0);
	outcome = ask_well(store, request);
	assert_string_equal(outcome->done.mailbox, "m");
	assert_int_equal(ask(store, request)->done.error.sys, ENOENT);
	fixture_create(fixture, "m");
	fixture_create(fixture, "m/k");
	for (unsigned below = 0; below < 2; below++) {
		struct request identify = about(REQUEST_IDENTIFY, &key, 1);

		identify.mailbox = below ? "m/k" : "m";
		assert_int_equal(ask_well(store, identify)->messages, 0);
		identify.mailbox = below ? "n/k" : "n";
		assert_int_equal(ask_well(store, identify)->messages, 1);
	}
	store_close(&store);
}

static void scans(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	struct outcome *outcome;
	unsigned seen;

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/cur/a,S=3,W=4:2,Sx", "abc", 3);
	fixture_put(fixture, "m/new/b", "b", 1);
	fixture_age(fixture, "m");
	outcome = ask_well(store, (struct request){.kind = REQUEST_SCAN, .mailbox = "m"});
	assert_true(outcome->done.complete);
	assert_int_equal(outcome->done.stamp.cur_ns, INT64_C(1700000000000000500));
	assert_int_equal(outcome->done.stamp.new_ns, INT64_C(1700000000000000500));
	assert_int_equal(outcome->messages, 2);
	seen = strcmp(outcome->names[0], "b") == 0;
	assert_string_equal(outcome->names[seen], "a,S=3,W=4");
	assert_string_equal(outcome->names[!seen], "b");
	assert_int_equal(outcome->flags[seen].bits, FLAG_SEEN);
	assert_int_equal(outcome->identities[seen].size, 4);
	assert_int_equal(outcome->identities[!seen].size, SIZE_UNKNOWN);
	assert_int_equal(outcome->identities[0].date, DATE_UNKNOWN);
	assert_false(outcome->identities[0].has_digest || outcome->identities[0].has_message_id);
	store_close(&store);
}

/* The stamp lets the next run skip the mailbox only if nothing can have changed since. */
static void stamps_are_trusted_late(void **state)
{
	const struct request scan = {.kind = REQUEST_SCAN, .mailbox = "m"};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	struct stamp young, old, changed;

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/new/b", "b", 1);
	young = ask_well(store, scan)->done.stamp;
	assert_int_equal(young.new_ns, 0);
	clock_sleep_ms(60);
	old = ask_well(store, scan)->done.stamp;
	assert_int_not_equal(old.new_ns, 0);
	assert_true(stamp_unchanged(LOCAL, &old, &old));
	assert_false(stamp_unchanged(LOCAL, &young, &young));
	fixture_put(fixture, "m/new/c", "b", 1);
	clock_sleep_ms(60);
	changed = ask_well(store, scan)->done.stamp;
	assert_false(stamp_unchanged(LOCAL, &old, &changed));
	store_close(&store);
}

/* A directory put in another's place is a change, whatever its times; an unknown one is none. */
static void stamps_tell_directories_apart(void **state)
{
	static const struct {
		uint64_t then, now;
		bool unchanged;
	} rows[] = {{5, 5, true}, {5, 6, false}, {0, 6, true}, {5, 0, true}, {0, 0, true}};
	const struct request scan = {.kind = REQUEST_SCAN, .mailbox = "m"};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	struct stamp stamp;
	struct stat st;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct stamp then = {.cur_ns = 1, .new_ns = 2, .inode = rows[i].then};
		const struct stamp now = {.cur_ns = 1, .new_ns = 2, .inode = rows[i].now};

		assert_int_equal(stamp_unchanged(LOCAL, &then, &now), rows[i].unchanged);
	}
	fixture_create(fixture, "m");
	fixture_age(fixture, "m");
	stamp = ask_well(store, scan)->done.stamp;
	assert_int_equal(stat(fixture_path(fixture, "m"), &st), 0);
	assert_int_equal(stamp.inode, st.st_ino);
	stamp = ask_well(store, (struct request){.kind = REQUEST_LIST})->stamp;
	assert_int_equal(stamp.inode, st.st_ino);
	store_close(&store);
}

static void says_where_a_mailbox_is_missing(void **state)
{
	static const enum request_kind kinds[] = {REQUEST_SCAN, REQUEST_IDENTIFY, REQUEST_FETCH,
						  REQUEST_FLAG, REQUEST_REMOVE};
	static const struct message_key key = {.name = "a"};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	struct draft *draft;
	struct error err = {0};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct outcome *outcome = ask(store, about(kinds[i], &key, 1));

		assert_int_equal(outcome->done.error.kind, ERROR_IO);
		assert_int_equal(outcome->done.error.scope, SCOPE_MAILBOX);
		assert_int_equal(outcome->done.error.sys, ENOENT);
		assert_int_equal(outcome->messages, 0);
		assert_false(outcome->done.complete);
	}
	assert_int_equal(store_open_draft(store, "m", &draft, &err), -1);
	assert_null(draft);
	store_close(&store);
}

/* A directory that was replaced is scanned as it is now, not as it was opened. */
static void scans_the_directory_of_today(void **state)
{
	const struct request scan = {.kind = REQUEST_SCAN, .mailbox = "m"};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	char from[PATH_MAX];

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/new/b", "b", 1);
	assert_int_equal(ask_well(store, scan)->messages, 1);
	memcpy(from, fixture_path(fixture, "m"), PATH_MAX);
	assert_int_equal(rename(from, fixture_path(fixture, "n")), 0);
	assert_int_equal(ask(store, scan)->done.error.sys, ENOENT);
	fixture_create(fixture, "m");
	assert_int_equal(ask_well(store, scan)->messages, 0);
	store_close(&store);
}

/* Who is told that it is not complete asks again, without. */
static void glances_at_a_mailbox_at_rest(void **state)
{
	const struct request scan = {.kind = REQUEST_SCAN, .mailbox = "m", .glance = true};
	const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, false);
	struct outcome *outcome;

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/cur/a,S=3,W=4:2,S", "b", 1);
	outcome = ask_well(store, scan);
	assert_int_equal(outcome->messages, 0);
	assert_false(outcome->done.complete);
	assert_int_equal(utimensat(AT_FDCWD, fixture_path(fixture, "m/cur"), old, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, fixture_path(fixture, "m/new"), old, 0), 0);
	outcome = ask_well(store, scan);
	assert_true(outcome->done.complete);
	assert_int_equal(outcome->messages, 1);
	assert_string_equal(outcome->names[0], "a,S=3,W=4");
	assert_int_equal(outcome->flags[0].bits, FLAG_SEEN);
	assert_int_equal(outcome->done.stamp.cur_ns, INT64_C(1000000000000000000));
	assert_true(outcome->done.stamp.inode != 0);
	assert_true(outcome->done.permanent.bits == FLAG_ALL);
	store_close(&store);
}

/* Sets the times of the mailbox's directories back, so that they are trusted. */
static void age(const struct fixture *fixture)
{
	const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

	assert_int_equal(utimensat(AT_FDCWD, fixture_path(fixture, "m/cur"), old, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, fixture_path(fixture, "m/new"), old, 0), 0);
}

/* Whether the fixture is on a file system that can be watched at all. */
static bool can_watch(const struct fixture *fixture)
{
	struct maildir_mailbox *mailbox;
	struct error err;

	assert_int_equal(maildir_mailbox_open(fixture->tree, "m", false, &mailbox, &err), 0);
	assert_int_equal(maildir_scan_take(mailbox, &mailbox->scan, &err), 0);
	mailbox->told = true;
	maildir_watch_begin(mailbox);
	bool watched = mailbox->watch != NULL;
	maildir_mailbox_close(&mailbox);
	return watched;
}

/* After our own changes of flags a glance reads nothing, unless somebody else was there. */
static void knows_what_it_did_itself(void **state)
{
	static const struct message_key keys[] = {{.name = "a"}};
	const struct request scan = {.kind = REQUEST_SCAN, .mailbox = "m"};
	const struct request glance = {.kind = REQUEST_SCAN, .mailbox = "m", .glance = true};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	struct request flag = about(REQUEST_FLAG, keys, 1);
	struct outcome *outcome;

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/cur/a:2,S", "a", 1);
	age(fixture);
	bool watched = can_watch(fixture);
	for (unsigned round = 0; round < 3; round++) {
		age(fixture);
		if (round != 2) /* then nobody was told what the FLAG finds */
			ask_well(store, scan);
		flag.add.bits ^= FLAG_FLAGGED;
		flag.remove.bits = FLAG_FLAGGED & ~flag.add.bits;
		ask_well(store, flag);
		if (round == 1)
			fixture_put(fixture, "m/new/b", "b", 1);
		age(fixture);
		outcome = ask_well(store, glance);
		assert_true(outcome->done.own_only == (watched && round == 0));
		assert_int_equal(outcome->messages, outcome->done.own_only ? 0 : round ? 2 : 1);
		assert_int_equal(outcome->done.stamp.cur_ns, INT64_C(1000000000000000000));
		assert_true(outcome->done.stamp.inode != 0);
	}
	store_close(&store);
}

static void identifies_what_is_there(void **state)
{
	static const struct message_key keys[] = {{.name = "a"}, {.name = "gone"}, {.name = "b"}};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, false);
	struct outcome *outcome;

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/cur/a:2,S", "x\n", 2);
	ask_well(store, (struct request){.kind = REQUEST_SCAN, .mailbox = "m"});
	fixture_put(fixture, "m/new/b", "Message-ID: <x>\n\n", 17);
	outcome = ask_well(store, about(REQUEST_IDENTIFY, keys, 3));
	assert_int_equal(outcome->messages, 2);
	assert_string_equal(outcome->names[0], "a");
	assert_int_equal(outcome->flags[0].bits, FLAG_SEEN);
	assert_int_equal(outcome->identities[0].size, 3);
	assert_true(outcome->identities[0].has_digest);
	assert_true(outcome->identities[0].has_message_id);
	assert_int_equal(outcome->identities[0].message_id, 0);
	assert_string_equal(outcome->names[1], "b");
	assert_int_not_equal(outcome->identities[1].message_id, 0);
	store_close(&store);
}

static void fetches_and_opens_sources(void **state)
{
	static const struct message_key keys[] = {{.name = "a"}, {.name = "gone"}, {.name = "b"}};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, false);
	struct source *source;
	struct identity identity;
	struct error err = {0};
	struct outcome *outcome;
	char out[16];
	size_t got;

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/cur/a:2,S", "x\n", 2);
	outcome = ask_well(store, about(REQUEST_FETCH, keys, 1));
	assert_int_equal(outcome->bodies, 1);
	assert_int_equal(outcome->body_len, 3);
	assert_memory_equal(outcome->body, "x\r\n", 3);
	outcome = ask(store, about(REQUEST_FETCH, keys, 2));
	assert_int_equal(outcome->bodies, 1);
	assert_int_equal(outcome->done.error.scope, SCOPE_MESSAGE);
	assert_int_equal(store_open_source(store, "m", &keys[0], &identity, &source, &err), 0);
	assert_int_equal(source->size, 3);
	assert_int_equal(identity.size, 3);
	assert_true(identity.has_digest);
	assert_int_equal(source->read(source, out, 2, &got, &err), 0);
	assert_int_equal(got, 2);
	assert_int_equal(source->read(source, out, 16, &got, &err), 0);
	assert_int_equal(got, 1);
	assert_int_equal(source->read(source, out, 16, &got, &err), 0);
	assert_int_equal(got, 0);
	source->rewind(source);
	assert_int_equal(source->read(source, out, 16, &got, &err), 0);
	assert_int_equal(got, 3);
	assert_memory_equal(out, "x\r\n", 3);
	source->close(source);
	assert_int_equal(store_open_source(store, "m", &keys[1], &identity, &source, &err), -1);
	assert_null(source);
	assert_int_equal(err.scope, SCOPE_MESSAGE);
	store_close(&store);
}

/* What is too large to be kept in memory, too. */
static void reads_sources_anew(void **state)
{
	static const struct message_key key = {.name = "a"};
	static char disk[2 << 20], wire[2 * sizeof(disk)], out[sizeof(wire)];
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, false);
	struct source *source;
	struct identity identity;
	struct error err = {0};
	size_t len = 0, got;

	for (size_t i = 0; i < sizeof(disk); i++) {
		disk[i] = i % 8 == 7 ? '\n' : (char)('a' + i % 23);
		if (disk[i] == '\n')
			wire[len++] = '\r';
		wire[len++] = disk[i];
	}
	fixture_create(fixture, "m");
	fixture_put(fixture, "m/cur/a:2,S", disk, sizeof(disk));
	assert_int_equal(store_open_source(store, "m", &key, &identity, &source, &err), 0);
	assert_int_equal(source->size, len);
	const size_t stops[] = {len, 100003, len};
	for (size_t i = 0; i < 3; i++) {
		size_t at = 0;
		source->rewind(source);
		memset(out, 0, len);
		while (at < stops[i] && !source->read(source, out + at, 1000, &got, &err) && got)
			at += got;
		assert_true(at >= stops[i]);
		assert_memory_equal(out, wire, at);
	}
	source->close(source);
	store_close(&store);
}

static void changes_messages(void **state)
{
	static const struct message_key keys[] = {{.name = "gone"}, {.name = "a"}, {.name = "b"}};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	struct request request = about(REQUEST_FLAG, keys, 3);

	fixture_create(fixture, "m");
	fixture_create(fixture, "t");
	fixture_put(fixture, "m/cur/a:2,Sx", "x\n", 2);
	fixture_put(fixture, "m/new/b", "x\n", 2);
	request.add.bits = FLAG_FLAGGED;
	request.remove.bits = FLAG_SEEN;
	ask_well(store, request);
	assert_true(fixture_has(fixture, "m/cur/a:2,Fx"));
	assert_true(fixture_has(fixture, "m/cur/b:2,F"));
	request.count = 1;
	assert_int_equal(ask(store, request)->done.error.scope, SCOPE_MESSAGE);
	request = about(REQUEST_MOVE, keys, 2);
	request.target = "t";
	assert_int_equal(ask_well(store, request)->messages, 1);
	assert_true(fixture_has(fixture, "t/cur/a:2,Fx"));
	assert_int_equal(ask_well(store, request)->done.refused_keywords, 0);
	request.target = "nowhere";
	request.keys = keys + 2;
	assert_int_equal(ask(store, request)->done.error.scope, SCOPE_MAILBOX);
	ask_well(store, about(REQUEST_REMOVE, keys, 3));
	assert_int_equal(fixture_count(fixture, "m/cur", NULL), 0);
	ask_well(store, about(REQUEST_REMOVE, keys, 1));
	store_close(&store);
}

/* A file that is not what was agreed on: its time is the first to tell, its bytes have the word. */
static void leaves_what_was_written_anew(void **state)
{
	static const struct message_key keys[] = {
	    {.name = "dated"}, {.name = "other"}, {.name = "unknown"}, {.name = "gone"}};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	struct request request = about(REQUEST_IDENTIFY, keys, 1);
	struct identity agreed[4] = {0};
	struct outcome *outcome;

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/cur/dated:2,D", "x\n", 2);
	agreed[0] = agreed[1] = agreed[3] = ask_well(store, request)->identities[0];
	agreed[0].date = agreed[1].date = 1;
	fixture_put(fixture, "m/cur/other:2,D", "y\n", 2);
	fixture_put(fixture, "m/cur/unknown:2,D", "y\n", 2);
	request = about(REQUEST_REMOVE, keys, 4);
	request.agreed = agreed;
	outcome = ask_well(store, request);
	assert_int_equal(outcome->done.kept, 1);
	assert_int_equal(fixture_count(fixture, "m/cur", NULL), 1);
	assert_true(fixture_has(fixture, "m/cur/other:2,D"));
	store_close(&store);
}

/* What a move drops, its end tells: the journal of the target's pair has to keep it. */
static void tells_what_a_move_drops(void **state)
{
	static const struct message_key keys[] = {{.name = "a"}, {.name = "b"}};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	struct request request = about(REQUEST_MOVE, keys, 2);
	char table[1024] = "";

	fixture_create(fixture, "m");
	fixture_create(fixture, "t");
	for (int i = 0; i < 26; i++)
		snprintf(table + strlen(table), 32, "%d L%02d\n", i, i);
	fixture_put(fixture, "t/dovecot-keywords", table, strlen(table));
	fixture_put(fixture, "m/dovecot-keywords", "0 Work\n1 Later\n", 15);
	fixture_put(fixture, "m/cur/a:2,a", "x\n", 2);
	fixture_put(fixture, "m/cur/b:2,b", "x\n", 2);
	request.target = "t";
	assert_int_equal(ask_well(store, request)->done.refused_keywords,
			 keywords_union(keywords_of("Work", 4), keywords_of("Later", 5)));
	assert_true(fixture_has(fixture, "t/cur/a:2,"));
	store_close(&store);
}

/* A plan changes nothing, whatever it finds. */
static void reading_changes_nothing(void **state)
{
	static const enum request_kind kinds[] = {REQUEST_CREATE, REQUEST_DELETE, REQUEST_RENAME,
						  REQUEST_FLAG,	  REQUEST_REMOVE, REQUEST_MOVE,
						  REQUEST_PUBLISH};
	static const struct message_key key = {.name = "a"};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, false);
	struct draft *draft;
	struct stat before, after;
	char stale[256];

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/cur/a:2,S", "1", 1);
	fixture_put(fixture, "m/cur/a:2,F", "2", 1);
	snprintf(stale, sizeof(stale), "m/tmp/1.P999999999Q4_01234567.%s",
		 maildir_tree_namer(fixture->tree)->host);
	fixture_put(fixture, stale, "2", 1);
	assert_int_equal(rmdir(fixture_path(fixture, "m/new")), 0);
	assert_int_equal(mkdir(fixture_path(fixture, "m/new"), 0700), 0);
	fixture_age(fixture, "m");
	assert_int_equal(stat(fixture_path(fixture, "m/cur"), &before), 0);
	assert_int_equal(
	    ask_well(store, (struct request){.kind = REQUEST_SCAN, .mailbox = "m"})->messages, 1);
	ask_well(store, about(REQUEST_IDENTIFY, &key, 1));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		assert_int_equal(ask(store, about(kinds[i], &key, 1))->done.error.kind,
				 ERROR_INTERNAL);
	assert_int_equal(store_open_draft(store, "m", &draft, NULL), -1);
	assert_int_equal(store_link_draft(store, "m", "m", &key, 1, &draft, NULL), -1);
	assert_int_equal(stat(fixture_path(fixture, "m/cur"), &after), 0);
	assert_memory_equal(&before.st_ctim, &after.st_ctim, sizeof(before.st_ctim));
	assert_int_equal(fixture_count(fixture, "m/cur", NULL), 2);
	assert_int_equal(fixture_count(fixture, "m/tmp", NULL), 1);
	assert_int_equal(fixture_count(fixture, "", NULL), 1);
	store_close(&store);
	store = store_maildir_open(fixture->tree, true);
	assert_int_equal(
	    ask_well(store, (struct request){.kind = REQUEST_SCAN, .mailbox = "m"})->messages, 2);
	assert_int_equal(fixture_count(fixture, "m/tmp", NULL), 0);
	store_close(&store);
}

static void a_missing_tree_is_empty(void **state)
{
	static const struct message_key key = {.name = "a"};
	struct store *store = store_maildir_open(NULL, false);

	(void)state;
	assert_int_equal(ask_well(store, (struct request){.kind = REQUEST_LIST})->mailboxes, 0);
	assert_int_equal(ask(store, about(REQUEST_SCAN, &key, 1))->done.error.scope, SCOPE_MAILBOX);
	ask_well(store, (struct request){.kind = REQUEST_SETTLE});
	store_close(&store);
}

/* Answers come in the order of submission, and a failure concerns its own request only. */
static void answers_in_order(void **state)
{
	static const char *const mailboxes[] = {"a", "none", "b"};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	struct answer answer;
	unsigned done = 0;

	fixture_create(fixture, "a");
	fixture_create(fixture, "b");
	fixture_put(fixture, "b/new/x", "", 0);
	for (uint64_t i = 0; i < 3; i++) {
		struct request request = {
		    .kind = REQUEST_SCAN, .ticket = i, .mailbox = mailboxes[i]};

		assert_int_equal(store_submit(store, &request, NULL), 0);
	}
	while (store_next(store, &answer, NULL) == 1) {
		assert_int_equal(answer.ticket, done);
		assert_string_equal(answer.mailbox, mailboxes[done]);
		if (answer.kind != ANSWER_DONE)
			continue;
		assert_int_equal(answer.error.kind != ERROR_NONE, done == 1);
		done++;
	}
	assert_int_equal(done, 3);
	store_close(&store);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(lists_and_creates),
	    TEST(renames),
	    TEST(scans),
	    TEST(stamps_are_trusted_late),
	    TEST(stamps_tell_directories_apart),
	    TEST(says_where_a_mailbox_is_missing),
	    TEST(scans_the_directory_of_today),
	    TEST(glances_at_a_mailbox_at_rest),
	    TEST(knows_what_it_did_itself),
	    TEST(identifies_what_is_there),
	    TEST(fetches_and_opens_sources),
	    TEST(reads_sources_anew),
	    TEST(changes_messages),
	    TEST(leaves_what_was_written_anew),
	    TEST(tells_what_a_move_drops),
	    TEST(reading_changes_nothing),
	    cmocka_unit_test(a_missing_tree_is_empty),
	    TEST(answers_in_order),
	};

	return cmocka_run_group_tests_name("store-maildir", tests, NULL, NULL);
}
