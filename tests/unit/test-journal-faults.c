// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Each system call of a journal's life fails once, in each way that it can: every function that
 * says so has an error that names what it was about, and what is read afterwards is a state that
 * was committed. (Only in a build with --enable-faults.)
 */
#include "base/fault.h"
#include "base/log.h"
#include "journal/journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef EVENMAIL_FAULTS

#define PAIRS 40

static char directory[64];

/* What the life has come to: so many pairs are known to be on the disk, and so many may be. */
struct life {
	size_t sure;
	size_t maybe;
	const char *name; /* of the mailbox */
	struct error err;
};

/* Puts some pairs and commits them. */
static int grow(struct journal *journal, struct life *life, size_t to)
{
	struct journal_head head = *journal_head(journal);

	for (uint32_t uid = (uint32_t)life->sure + 1; uid <= to; uid++) {
		char name[32];
		const struct identity identity = {.size = uid, .date = 7, .message_id = uid};
		snprintf(name, sizeof(name), "name-%u", uid);
		const struct pair pair = pair_of(uid, name, (struct flags){FLAG_SEEN, 0}, &identity);
		journal_put(journal, &pair);
	}
	head.uidnext = (uint32_t)to + 1;
	life->maybe = to;
	if (journal_commit(journal, &head, &life->err) < 0)
		return -1;
	life->sure = to;
	return 0;
}

/* Reads it again, and has it compacted by many changes. */
static int change(struct journal *journal, struct life *life)
{
	if (journal_load(journal, &life->err) < 0)
		return -1;
	for (unsigned round = 0; round < 6; round++) {
		struct journal_head head = *journal_head(journal);
		size_t count;
		const struct pair *pairs = journal_pairs(journal, &count);
		for (size_t i = 0; i < count; i++) {
			struct pair pair = pairs[i];
			pair.flags.bits = round % 2 ? FLAG_SEEN : FLAG_FLAGGED;
			journal_put(journal, &pair);
		}
		head.highestmodseq++;
		if (journal_commit(journal, &head, &life->err) < 0)
			return -1;
	}
	return 0;
}

/* From an empty directory to a journal under another name. */
static int live(struct life *life)
{
	struct journal_dir *dir = NULL;
	struct journal *journal = NULL;
	char **names;
	size_t count;
	int rc = -1;

	*life = (struct life){.name = "Old"};
	if (journal_dir_open(directory, true, &dir, &life->err) < 0 ||
	    journal_dir_set(dir, "alice@host", "/mail", &life->err) < 0 ||
	    journal_open(dir, "Old", &journal, &life->err) < 0 ||
	    journal_load(journal, &life->err) < 0 || grow(journal, life, PAIRS / 2) < 0 ||
	    grow(journal, life, PAIRS) < 0)
		goto out;
	journal_close(&journal);
	if (journal_open(dir, "Old", &journal, &life->err) < 0 || change(journal, life) < 0 ||
	    journal_carry(journal, "New", &life->err) < 0)
		goto out;
	life->name = "New";
	if (journal_dir_list(dir, &names, &count, &life->err) < 0)
		goto out;
	journal_names_free(names, count);
	rc = 0;
out:
	journal_close(&journal);
	journal_dir_close(&dir);
	return rc;
}

/* How many pairs are found under a name; all of them are what was put. */
static size_t pairs_of(struct journal_dir *dir, const char *name)
{
	struct journal *journal;
	struct error err;
	size_t count;

	assert_int_equal(journal_open(dir, name, &journal, &err), 0);
	assert_int_equal(journal_load(journal, &err), 0);
	const struct pair *pairs = journal_pairs(journal, &count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(pairs[i].uid, i + 1);
		assert_int_equal(pairs[i].size, i + 1);
		assert_int_equal(atoi(pairs[i].name + strlen("name-")), i + 1);
	}
	journal_close(&journal);
	return count;
}

/* Whatever failed: what was committed is there, under one of the names, and nothing else is. */
static void judge(const struct life *life, const char *what)
{
	struct journal_dir *dir;
	struct error err;

	if (journal_dir_open(directory, true, &dir, &err) < 0)
		fail_msg("%s: %s", what, err.text);
	size_t old = pairs_of(dir, "Old"), new = pairs_of(dir, "New");
	size_t found = old > new ? old : new;
	if (found != life->sure && found != life->maybe)
		fail_msg("%s: %zu pairs, %zu were committed", what, found, life->sure);
	if (!strcmp(life->name, "New") && new != PAIRS)
		fail_msg("%s: the new name has %zu", what, new);
	journal_dir_close(&dir);
}

static void begin(void)
{
	const char *parent = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";

	snprintf(directory, sizeof(directory), "%s/evenmail-journal-XXXXXX", parent);
	assert_non_null(mkdtemp(directory));
}

static void end(void)
{
	DIR *listing = opendir(directory);
	struct dirent *entry;

	assert_non_null(listing);
	while ((entry = readdir(listing)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(listing), entry->d_name, 0);
	closedir(listing);
	rmdir(directory);
}

/* Lets the n-th call fail, for every n, and tells whether any error is one that passes unseen. */
static void fail_each(const char *with, bool unseen)
{
	char struck[256] = "x";

	for (uint64_t at = 1; struck[0]; at++) {
		const struct fault_plan plan = {.at = at, .with = with};
		struct life life;
		begin();
		fault_arm(&plan);
		int rc = live(&life);
		snprintf(struck, sizeof(struck), "%s", fault_struck());
		fault_arm(&(struct fault_plan){0});
		if (rc < 0 && (unseen || !life.err.text[0]))
			fail_msg("%s at %s: %s", with, struck, life.err.text);
		judge(&life, struck);
		end();
	}
}

static void tells_each_error(void **state)
{
	static const char *const kinds[] = {"EIO", "ENOSPC", "EMFILE", "EROFS"};

	(void)state;
	log_set_sink(NULL, NULL, LOG_LEVEL_WARN);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		fail_each(kinds[i], false);
}

static void goes_on_where_nothing_failed(void **state)
{
	(void)state;
	fail_each("EINTR", true);
	fail_each("short", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tells_each_error),
	    cmocka_unit_test(goes_on_where_nothing_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
static void needs_faults(void **state)
{
	(void)state;
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(needs_faults)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
