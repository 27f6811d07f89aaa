// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Each system call of a journal's life fails, once or from then on, in each way that it can: every
 * function that says so has an error that names what it was about, and what is read afterwards is a
 * state that was committed. And so it is where a file would be longer than any may be. (Only in a
 * build with --enable-faults.)
 */
#include "base/arena.h"
#include "base/fault.h"
#include "base/log.h"
#include "journal/dir.h"
#include "journal/journal.h"
#include "scratch.h"

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

static char directory[SCRATCH_PATH];
static char cut_name[400]; /* a mailbox whose file's name is cut */
static const struct journal_generation generation = {"abcdefghijklmnop", 7};

/* What the life has come to: so many pairs are known to be on the disk, and so many may be. */
struct life {
	size_t sure;
	size_t maybe;
	const char *name; /* of the mailbox */
	size_t listed;    /* mailboxes */
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
		const struct pair pair =
		    pair_of(uid, name, (struct flags){FLAG_SEEN, 0}, &identity);
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
	for (unsigned round = 0; round < 20; round++) {
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

/* The channel's own records, and a journal that is cut back. */
static int prepare(struct journal_dir *dir, struct life *life)
{
	struct journal_generation found;
	struct journal *journal;

	if (journal_dir_set(dir, "alice@host", "/mail", &life->err) < 0 ||
	    journal_dir_set_generation(dir, &generation, &life->err) < 0 ||
	    journal_dir_generation(dir, &found, &life->err) < 0 ||
	    journal_open(dir, cut_name, &journal, &life->err) < 0)
		return -1;
	assert_true(found.number == generation.number);
	assert_int_equal(journal_head(journal)->pairs, 1);
	journal_close(&journal);
	return 0;
}

/* Looks at what else is there, and takes away what is good for nothing. */
static int tidy(struct journal_dir *dir, struct life *life)
{
	struct arena arena = {0};
	struct journal_stray *strays;
	char **names;
	size_t count;
	int rc;

	if (journal_dir_list(dir, &names, &life->listed, &life->err) < 0)
		return -1;
	journal_names_free(names, life->listed);
	assert_int_equal(life->listed, 2); /* what cannot be read is not left out */
	rc = journal_dir_strays(dir, &arena, &strays, &count, &life->err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = journal_dir_sweep(dir, &strays[i], &life->err);
	arena_free(&arena);
	return rc;
}

/* From a directory with what another run left behind to a journal under another name. */
static int live(struct life *life)
{
	struct journal_dir *dir = NULL;
	struct journal *journal = NULL;
	int rc = -1;

	*life = (struct life){.name = "Old"};
	if (journal_dir_open(directory, true, &dir, &life->err) < 0 || prepare(dir, life) < 0 ||
	    journal_open(dir, "Old", &journal, &life->err) < 0 ||
	    journal_load(journal, &life->err) < 0 || grow(journal, life, PAIRS / 2) < 0 ||
	    grow(journal, life, PAIRS) < 0)
		goto out;
	journal_close(&journal);
	if (journal_open(dir, "Old", &journal, &life->err) < 0 || change(journal, life) < 0 ||
	    journal_carry(journal, "New", &life->err) < 0)
		goto out;
	life->name = "New";
	rc = tidy(dir, life);
	if (rc == 0)
		rc = journal_set_aside(dir, cut_name, &life->err);
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
	assert_int_equal(scratch_make(directory, sizeof(directory), "journal"), 0);
}

/* Opens a file of the directory to be appended to. */
static FILE *append_to(const char *name)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "a");
	assert_non_null(file);
	return file;
}

/* What a run that was stopped left behind: a torn journal, and the beginning of a new file. */
static void leave_behind(void)
{
	struct journal_dir *dir;
	struct journal *journal;
	struct life life = {0};
	char file[NAME_MAX + 1];

	memset(cut_name, 'c', sizeof(cut_name) - 1);
	journal_file_name(cut_name, file);
	assert_int_equal(journal_dir_open(directory, true, &dir, &life.err), 0);
	assert_int_equal(journal_dir_set(dir, "alice@host", "/mail", &life.err), 0);
	assert_int_equal(journal_open(dir, cut_name, &journal, &life.err), 0);
	assert_int_equal(journal_load(journal, &life.err), 0);
	assert_int_equal(grow(journal, &life, 1), 0);
	journal_close(&journal);
	journal_dir_close(&dir);
	FILE *torn = append_to(file);
	fputs("p 2 - ", torn);
	fclose(torn);
	fclose(append_to(".Gone.journal.tmp"));
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
		leave_behind();
		fault_arm(&plan);
		int rc = live(&life);
		snprintf(struck, sizeof(struck), "%s", fault_struck());
		fault_arm(&(struct fault_plan){0});
		if (rc < 0 && (unseen || !life.err.text[0]))
			fail_msg("%s at %s: %s", with, struck, life.err.text);
		if (unseen)
			assert_int_equal(life.listed, 2);
		judge(&life, struck);
		end();
	}
}

static void tells_each_error(void **state)
{
	static const char *const kinds[] = {"EIO", "ENOSPC", "EMFILE", "EROFS", "EIO+", "ENOSPC+"};

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

/* A journal that is left out of the list would be left out of the run. */
static void tells_a_journal_that_it_cannot_name(void **state)
{
	uint64_t told = 0;
	char **names;
	size_t count;

	(void)state;
	for (uint64_t at = 1;; at++) {
		const struct fault_plan plan = {.at = at, .with = "EIO", .where = "~"};
		struct journal_dir *dir;
		struct error err;
		begin();
		leave_behind();
		assert_int_equal(journal_dir_open(directory, false, &dir, &err), 0);
		fault_arm(&plan);
		int rc = journal_dir_list(dir, &names, &count, &err);
		bool struck = fault_struck()[0];
		fault_arm(&(struct fault_plan){0});
		journal_dir_close(&dir);
		end();
		if (!struck)
			break;
		assert_int_equal(rc, -1);
		assert_null(names);
		assert_int_equal(count, 0);
		assert_int_equal(err.kind, ERROR_IO);
		assert_int_equal(err.scope, SCOPE_STORE);
		assert_non_null(strstr(err.text, "/cccccccc"));
		assert_non_null(strstr(err.text, "Input/output error"));
		told++;
	}
	assert_true(told >= 2);
	journal_names_free(names, count);
}

/* Two commits under a bound: the size of the file after each, 0 where it was refused. */
static void commit_twice(const char *bound, uint64_t sizes[2])
{
	struct life life = {.name = "Old"};
	struct journal_dir *dir;
	struct journal *journal;

	begin();
	if (bound != NULL)
		setenv("EVENMAIL_JOURNAL_MAX", bound, 1);
	assert_int_equal(journal_dir_open(directory, true, &dir, &life.err), 0);
	assert_int_equal(journal_open(dir, "Old", &journal, &life.err), 0);
	assert_int_equal(journal_load(journal, &life.err), 0);
	sizes[0] = sizes[1] = 0;
	for (int i = 0; i < 2 && (i == 0 || sizes[0] > 0); i++) {
		journal_end_note(journal, JOURNAL_MOVING, 5, NULL);
		if (grow(journal, &life, i == 0 ? 1 : PAIRS) == 0)
			sizes[i] = journal_size(journal);
		else if (!strstr(life.err.text, "Old.journal: longer than any journal may be"))
			fail_msg("%s", life.err.text);
	}
	journal_close(&journal);
	journal_dir_close(&dir);
	unsetenv("EVENMAIL_JOURNAL_MAX");
	life.maybe = life.sure;
	judge(&life, "too long");
	end();
}

/* What just fits is written, what does not is told and leaves what was there. */
static void refuses_what_is_too_long(void **state)
{
	uint64_t fits[2], sizes[2];

	(void)state;
	commit_twice(NULL, fits);
	assert_true(fits[0] > 0 && fits[1] > 3 * fits[0]);
	for (uint64_t max = 1; max < fits[1] + 20; max += max + 2 < fits[1] ? 3 : 1) {
		char bound[24];

		snprintf(bound, sizeof(bound), "%llu", (unsigned long long)max);
		commit_twice(bound, sizes);
		assert_int_equal(sizes[0], fits[0] <= max ? fits[0] : 0);
		assert_int_equal(sizes[1], fits[1] <= max ? fits[1] : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tells_each_error),
	    cmocka_unit_test(goes_on_where_nothing_failed),
	    cmocka_unit_test(tells_a_journal_that_it_cannot_name),
	    cmocka_unit_test(refuses_what_is_too_long),
	};

	setenv("EVENMAIL_COMPACT_AT", "2000", 1); /* so that few pairs do */
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
