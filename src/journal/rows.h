// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a journal holds, in memory: pairs to be found by UID and by name, and notes.
 *
 * Every change says whether it changed anything: what changed nothing is not worth a record, and a
 * record that changes nothing when read again is damage.
 *
 * Changes cost O(1), in any order of UIDs. The pairs are brought into order (O(n log n)) when they
 * are next asked for as an array or by index.
 */
#ifndef JOURNAL_ROWS_H
#define JOURNAL_ROWS_H

#include "journal/journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rows;

enum rows_change {
	ROWS_SAME,  /* nothing changed */
	ROWS_FLAGS, /* nothing but the flags of a pair */
	ROWS_PAIR,
};

struct rows *rows_open(void);
void rows_close(struct rows **rows);

/* Makes room for count pairs at once. */
void rows_expect(struct rows *rows, size_t count);

/* See journal_put; the pair that had this name under another UID goes. */
enum rows_change rows_put(struct rows *rows, const struct pair *pair);
/* False where there is no such pair or these are its flags already. */
bool rows_flag(struct rows *rows, uint32_t uid, struct flags flags);
bool rows_forget(struct rows *rows, uint32_t uid);
bool rows_note(struct rows *rows, const struct journal_note *note);
bool rows_end_note(struct rows *rows, enum journal_note_kind kind, uint32_t uid, const char *name);
bool rows_reset(struct rows *rows);
/* Adds to the keywords that a side refused; false where all were known. */
bool rows_refuse(struct rows *rows, enum side side, uint32_t keywords);
uint32_t rows_refused(const struct rows *rows, enum side side);
/* See journal_set_room; false where it is known. */
bool rows_set_room(struct rows *rows, const struct flag_room *room);
const struct flag_room *rows_room(const struct rows *rows);

/* Ascending by UID; valid until the next change. */
const struct pair *rows_pairs(struct rows *rows, size_t *count);
/* The next pair from *at on (start with 0), in whatever order they are; NULL at the end. */
const struct pair *rows_next(const struct rows *rows, size_t *at);
/* How many, without ordering them. */
size_t rows_count(const struct rows *rows);
/* The pair, in whatever order they are: O(1) between changes too. NULL where there is none. */
const struct pair *rows_of_uid(const struct rows *rows, uint32_t uid);
const struct pair *rows_of_name(const struct rows *rows, const char *name);
const struct journal_note *rows_notes(const struct rows *rows, size_t *count);

#endif
