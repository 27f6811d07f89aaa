// SPDX-License-Identifier: GPL-3.0-or-later
/* A scratch state directory, a journal's state as text, and system calls that count and fail. */
#ifndef TESTS_JOURNAL_FIXTURE_H
#define TESTS_JOURNAL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/buf.h"
#include "journal/journal.h"
#include "scratch.h"

#include <stdbool.h>

/* The scratch directory (made by fixture_setup, removed by fixture_teardown) and one below it. */
extern char fixture_root[SCRATCH_PATH];
extern char fixture_state[SCRATCH_PATH + 8];

/* How often each was called; and -1: never fails, n: fails with that errno after n more calls. */
struct fixture_call {
	int count;
	int fail_after;
	int error;
};

extern struct fixture_call fixture_fdatasync, fixture_fsync, fixture_write, fixture_ftruncate;
extern bool fixture_syncs_really; /* else syncs only count */
extern int fixture_warnings;      /* lines that log_warn printed since the setup */

int fixture_setup(void **state);
int fixture_teardown(void **state);
/* Zeroes counts and ends failures. */
void fixture_reset_calls(void);

/* The whole file of that name in the state directory. */
void fixture_read(const char *name, struct buf *out);
void fixture_write_file(const char *name, const void *bytes, size_t len);
long fixture_size(const char *name);

/* Each asserts that it works. */
struct journal_dir *fixture_open_dir(bool exclusive);
struct journal *fixture_open(struct journal_dir *dir, const char *mailbox);
struct journal *fixture_load(struct journal_dir *dir, const char *mailbox);
void fixture_commit(struct journal *journal, const struct journal_head *head);

/* Puts the pair of fixture_pair(). */
void fixture_put(struct journal *journal, uint32_t uid);
/* Both hold the same, head included. */
void fixture_expect_same(const struct journal *a, const struct journal *b);
/* What is in memory is what the file holds. */
void fixture_expect_on_disk(struct journal_dir *dir, const char *mailbox,
			    const struct journal *journal);

/* Values that differ in every field by uid; the name is in one of a few static buffers. */
struct pair fixture_pair(uint32_t uid);
struct journal_note fixture_note(enum journal_note_kind kind, uint32_t n);
struct journal_head fixture_head(uint32_t n);

/* Appends all that a journal holds but "when", as lines: notes sorted. */
void fixture_dump(const struct journal *journal, struct buf *out);
void fixture_dump_head(const struct journal_head *head, struct buf *out);
void fixture_dump_note(const struct journal_note *note, struct buf *out);
void fixture_dump_pair(const struct pair *pair, struct buf *out);

#endif
