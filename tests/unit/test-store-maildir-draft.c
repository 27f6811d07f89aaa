// SPDX-License-Identifier: GPL-3.0-or-later
/* Drafts of the Maildir store: written, linked, made durable, published or not. */
#include "store-maildir-ask.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

static void publishes_drafts(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	const char *name, *other;
	struct draft *draft, *dropped;
	struct outcome *outcome;

	fixture_create(fixture, "m");
	draft = make_draft(store, "m", "a\r\n", &name);
	dropped = make_draft(store, "m", "b\r\n", &other);
	assert_int_equal(fixture_count(fixture, "m/tmp", NULL), 2);
	ask_well(store, (struct request){.kind = REQUEST_SETTLE});
	assert_int_equal(store_maildir_figures(store).file_syncs, 2);
	assert_int_equal(store_maildir_figures(store).dir_syncs, 0);
	ask_well(store, publishing(draft, "m", FLAG_SEEN));
	ask_well(store, (struct request){.kind = REQUEST_SETTLE});
	assert_int_equal(store_maildir_figures(store).file_syncs, 2);
	assert_int_equal(store_maildir_figures(store).dir_syncs, 1);
	ask_well(store, (struct request){.kind = REQUEST_SETTLE});
	assert_int_equal(store_maildir_figures(store).dir_syncs, 1);
	/* Of a mailbox by name also what others may have changed there: new and cur. */
	ask_well(store, (struct request){.kind = REQUEST_SETTLE, .mailbox = "m"});
	assert_int_equal(store_maildir_figures(store).dir_syncs, 3);
	outcome = ask_well(store, (struct request){.kind = REQUEST_SCAN, .mailbox = "m"});
	assert_int_equal(outcome->messages, 1);
	assert_string_equal(outcome->names[0], name);
	assert_int_equal(outcome->flags[0].bits, FLAG_SEEN);
	store_drop_draft(store, draft);
	store_drop_draft(store, dropped);
	assert_int_equal(fixture_count(fixture, "m/tmp", NULL), 0);
	assert_int_equal(fixture_count(fixture, "m/cur", NULL), 1);
	assert_int_equal(store_maildir_figures(store).fs_syncs, 0);
	store_close(&store);
}

/* Many drafts, in more mailboxes than are kept open, cost one barrier, and each directory one. */
static void settles_many_at_one_stroke(void **state)
{
	static const unsigned counts[] = {8, 9, 40};
	struct fixture *fixture = *state;

	for (size_t round = 0; round < sizeof(counts) / sizeof(*counts); round++) {
		struct store *store = store_maildir_open(fixture->tree, true);
		unsigned count = counts[round];
		struct draft *drafts[40];
		char mailbox[16];
		const char *name;

		for (unsigned i = 0; i < count; i++) {
			snprintf(mailbox, sizeof(mailbox), "m%u-%zu", i, round);
			fixture_create(fixture, mailbox);
			drafts[i] = make_draft(store, mailbox, "a\r\n", &name);
		}
		ask_well(store, (struct request){.kind = REQUEST_SETTLE});
		assert_int_equal(store_maildir_figures(store).fs_syncs, count > 8);
		assert_int_equal(store_maildir_figures(store).file_syncs, count > 8 ? 0 : count);
		for (unsigned i = 0; i < count; i++) {
			snprintf(mailbox, sizeof(mailbox), "m%u-%zu", i, round);
			ask_well(store, publishing(drafts[i], mailbox, 0));
			store_drop_draft(store, drafts[i]);
		}
		ask_well(store, (struct request){.kind = REQUEST_SETTLE});
		assert_int_equal(store_maildir_figures(store).dir_syncs, count);
		assert_int_equal(store_maildir_figures(store).file_syncs, count > 8 ? 0 : count);
		store_close(&store);
	}
}

static void settles_before_publishing(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	const char *name;
	struct draft *draft;

	fixture_create(fixture, "m");
	draft = make_draft(store, "m", "a\r\n", &name);
	ask_well(store, publishing(draft, "m", 0));
	assert_int_equal(store_maildir_figures(store).file_syncs, 1);
	store_drop_draft(store, draft);
	assert_int_equal(fixture_count(fixture, "m/new", NULL), 1);
	store_close(&store);
}

/*
 * A message that is here already costs no bytes and no sync; a mailbox scanned meanwhile no draft.
 */
static void links_drafts(void **state)
{
	static const struct timespec times[2] = {{1, 0}, {1000000000, 5}};
	static const struct message_key keys[] = {{.name = "a"}, {.name = "gone"}};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	struct draft *drafts[2];
	struct identity identities[2] = {{.date = DATE_UNKNOWN}, {.date = DATE_UNKNOWN}};
	const char *names[2];
	struct error err = {0};
	struct outcome *outcome;

	fixture_create(fixture, "m");
	fixture_create(fixture, "n");
	fixture_put(fixture, "m/cur/a:2,S", "Message-ID: <x>\n\n", 17);
	utimensat(AT_FDCWD, fixture_path(fixture, "m/cur/a:2,S"), times, 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(store_link_draft(store, "n", "m", &keys[0], 1000000000 + i,
						  &drafts[i], &err),
				 0);
		assert_int_equal(
		    store_finish_draft(store, drafts[i], &identities[i], &names[i], &err), 0);
		assert_int_equal(identities[i].size, 19);
		assert_int_not_equal(identities[i].message_id, 0);
		assert_true(identities[i].has_digest);
	}
	assert_string_not_equal(names[0], names[1]);
	ask_well(store, (struct request){.kind = REQUEST_SCAN, .mailbox = "n"});
	ask_well(store, (struct request){.kind = REQUEST_SETTLE});
	assert_int_equal(store_maildir_figures(store).file_syncs, 1);
	for (unsigned i = 0; i < 2; i++) {
		struct request publish = publishing(drafts[i], "n", FLAG_FLAGGED);

		publish.date += i;
		ask_well(store, publish);
		store_drop_draft(store, drafts[i]);
	}
	outcome = ask_well(store, (struct request){.kind = REQUEST_SCAN, .mailbox = "n"});
	assert_int_equal(outcome->messages, 2);
	assert_int_equal(outcome->flags[0].bits, FLAG_FLAGGED);
	assert_true(fixture_has(fixture, "m/cur/a:2,S"));
	assert_int_equal(store_link_draft(store, "n", "m", &keys[1], 1, &drafts[0], &err), -1);
	assert_null(drafts[0]);
	assert_int_equal(err.sys, ENOENT);
	assert_int_equal(err.scope, SCOPE_MESSAGE);
	assert_int_equal(store_link_draft(store, "n", "none", &keys[0], 1, &drafts[0], &err), -1);
	assert_int_equal(err.scope, SCOPE_MAILBOX);
	assert_int_equal(store_link_draft(store, "none", "m", &keys[0], 1, &drafts[0], &err), -1);
	assert_int_equal(err.scope, SCOPE_MAILBOX);
	store_close(&store);
	assert_int_equal(fixture_count(fixture, "n/tmp", NULL), 0);
}

/* A draft whose file is gone cannot be made durable, and is not published then; others are. */
static void does_not_publish_what_is_not_durable(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	struct draft *drafts[9];
	const char *name;
	char file[MAILDIR_FILE_SIZE];
	char below[300];

	fixture_create(fixture, "m");
	for (unsigned i = 0; i < 8; i++) {
		drafts[i] = make_draft(store, "m", "a\r\n", &name);
		ask_well(store, (struct request){.kind = REQUEST_LIST});
	}
	for (unsigned i = 0; i < 8; i++)
		store_drop_draft(store, drafts[i]);
	drafts[8] = make_draft(store, "m", "a\r\n", &name);
	assert_int_equal(fixture_count(fixture, "m/tmp", file), 1);
	snprintf(below, sizeof(below), "m/tmp/%s", file);
	assert_int_equal(unlink(fixture_path(fixture, below)), 0);
	drafts[0] = make_draft(store, "m", "b\r\n", &name);
	assert_int_equal(ask(store, (struct request){.kind = REQUEST_SETTLE})->done.error.scope,
			 SCOPE_MESSAGE);
	ask_well(store, (struct request){.kind = REQUEST_SETTLE});
	assert_int_equal(ask(store, publishing(drafts[8], "m", 0))->done.error.kind, ERROR_IO);
	ask_well(store, publishing(drafts[0], "m", 0));
	store_drop_draft(store, drafts[0]);
	store_drop_draft(store, drafts[8]);
	assert_int_equal(fixture_count(fixture, "m/new", NULL), 1);
	store_close(&store);
}

/* Which of the system's syncs fail, how often they were tried, and what the kernel calls itself. */
static bool failing_fsync, failing_fdatasync, failing_syncfs;
static int missing_syncfs; /* errno of a system that has none */
static unsigned tried;
static const char *kernel;

/* In front of the C library's: fails where it is told to. */
int fsync(int fd)
{
	tried++;
	errno = EIO;
	return failing_fsync ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	tried++;
	errno = EIO;
	return failing_fdatasync ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int syncfs(int fd)
{
	tried++;
	errno = missing_syncfs ? missing_syncfs : EIO;
	return failing_syncfs || missing_syncfs ? -1 : (int)syscall(SYS_syncfs, fd);
}

int uname(struct utsname *system)
{
	int rc = (int)syscall(SYS_uname, system);

	if (kernel)
		snprintf(system->release, sizeof(system->release), "%s", kernel);
	return rc;
}

/*
 * FAULTS 7: after a failed sync the kernel takes the lost page for clean; a second try would lie.
 */
static void never_syncs_again_what_failed(void **state)
{
	static const unsigned counts[] = {1, 8, 9, 20};
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);

	fixture_create(fixture, "m");
	for (size_t round = 0; round < sizeof(counts) / sizeof(*counts); round++) {
		struct draft *drafts[20];
		const char *name;

		for (unsigned i = 0; i < counts[round]; i++)
			drafts[i] = make_draft(store, "m", "a\r\n", &name);
		failing_fdatasync = failing_syncfs = true;
		tried = 0;
		assert_int_equal(
		    ask(store, (struct request){.kind = REQUEST_SETTLE})->done.error.scope,
		    SCOPE_MESSAGE);
		assert_int_equal(tried, counts[round] > 8 ? 1 : counts[round]);
		failing_fdatasync = failing_syncfs = false;
		ask_well(store, (struct request){.kind = REQUEST_SETTLE});
		assert_int_equal(tried, counts[round] > 8 ? 1 : counts[round]);
		for (unsigned i = 0; i < counts[round]; i++) {
			assert_int_equal(ask(store, publishing(drafts[i], "m", 0))->done.error.kind,
					 ERROR_IO);
			store_drop_draft(store, drafts[i]);
		}
	}
	assert_int_equal(fixture_count(fixture, "m/new", NULL), 0);
	assert_int_equal(fixture_count(fixture, "m/tmp", NULL), 0);
	store_close(&store);
}

/* Makes so many drafts, and has them settled and published, and new settled. */
static void settle_and_publish(struct store *store, unsigned count)
{
	struct draft *drafts[20];
	const char *name;

	for (unsigned i = 0; i < count; i++)
		drafts[i] = make_draft(store, "m", "a\r\n", &name);
	ask_well(store, (struct request){.kind = REQUEST_SETTLE});
	for (unsigned i = 0; i < count; i++) {
		ask_well(store, publishing(drafts[i], "m", 0));
		store_drop_draft(store, drafts[i]);
	}
	ask_well(store, (struct request){.kind = REQUEST_SETTLE});
}

/* Where syncfs is missing or forbidden each is synced by itself; syncfs is asked for once. */
static void does_without_syncfs(void **state)
{
	static const int ways[] = {ENOSYS, EPERM};
	struct fixture *fixture = *state;

	fixture_create(fixture, "m");
	for (size_t way = 0; way < sizeof(ways) / sizeof(*ways); way++) {
		struct store *store = store_maildir_open(fixture->tree, true);

		missing_syncfs = ways[way];
		for (unsigned round = 1; round <= 2; round++) {
			tried = 0;
			settle_and_publish(store, 20);
			assert_int_equal(tried, (round == 1) + 20 + 1); /* new */
			assert_int_equal(store_maildir_figures(store).file_syncs, 20 * round);
			assert_int_equal(store_maildir_figures(store).fs_syncs, 0);
		}
		missing_syncfs = 0;
		store_close(&store);
	}
	assert_int_equal(fixture_count(fixture, "m/new", NULL), 80);
}

/* Before Linux 5.8 syncfs tells of no error. */
static void trusts_syncfs_of_new_kernels_only(void **state)
{
	static const struct {
		const char *release;
		bool trusted;
	} kernels[] = {
	    {"4.18.0-553.el8.x86_64", false},
	    {"5.7.19", false},
	    {"5.8.0-rc1", true},
	    {"5.10.0-9-amd64", true},
	    {"6.1.0", true},
	    {"10.0", true},
	    {"unknown", false},
	};
	struct fixture *fixture = *state;

	fixture_create(fixture, "m");
	for (size_t i = 0; i < sizeof(kernels) / sizeof(*kernels); i++) {
		struct store *store;

		kernel = kernels[i].release;
		store = store_maildir_open(fixture->tree, true);
		kernel = NULL;
		settle_and_publish(store, 9);
		assert_int_equal(store_maildir_figures(store).fs_syncs, kernels[i].trusted);
		assert_int_equal(store_maildir_figures(store).file_syncs,
				 kernels[i].trusted ? 0 : 9);
		store_close(&store);
	}
}

/* Names that may not be on disk are an error of the store, also of a mailbox closed meanwhile. */
static void tells_of_directories_not_durable(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);

	for (unsigned others = 0; others < 32; others += 31) {
		const char *name;
		struct draft *draft;

		fixture_create(fixture, "m");
		draft = make_draft(store, "m", "a\r\n", &name);
		ask_well(store, publishing(draft, "m", 0));
		store_drop_draft(store, draft);
		failing_fsync = true;
		for (unsigned i = 0; i < others; i++) {
			char mailbox[16];

			failing_fsync = false;
			snprintf(mailbox, sizeof(mailbox), "m%u", i);
			fixture_create(fixture, mailbox);
			failing_fsync = true;
			ask_well(store, (struct request){.kind = REQUEST_SCAN, .mailbox = mailbox});
		}
		tried = 0;
		assert_int_equal(
		    ask(store, (struct request){.kind = REQUEST_SETTLE})->done.error.scope,
		    SCOPE_STORE);
		assert_int_equal(tried, others ? 0 : 1);
		failing_fsync = false;
		ask_well(store, (struct request){.kind = REQUEST_SETTLE});
	}
	store_close(&store);
}

static void closing_leaves_no_drafts(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = store_maildir_open(fixture->tree, true);
	const char *name;

	fixture_create(fixture, "m");
	make_draft(store, "m", "a\r\n", &name);
	store_close(&store);
	assert_null(store);
	assert_int_equal(fixture_count(fixture, "m/tmp", NULL), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(publishes_drafts),
	    TEST(settles_many_at_one_stroke),
	    TEST(settles_before_publishing),
	    TEST(links_drafts),
	    TEST(does_not_publish_what_is_not_durable),
	    TEST(never_syncs_again_what_failed),
	    TEST(does_without_syncfs),
	    TEST(trusts_syncfs_of_new_kernels_only),
	    TEST(tells_of_directories_not_durable),
	    TEST(closing_leaves_no_drafts),
	};

	return cmocka_run_group_tests_name("store-maildir-draft", tests, NULL, NULL);
}
