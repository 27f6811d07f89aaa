// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The notes of a journal in memory: one per kind and UID, one per kind and name, found by either.
 */
#ifndef JOURNAL_NOTES_H
#define JOURNAL_NOTES_H

#include "base/slots.h"
#include "journal/journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zeros is none. */
struct notes {
	struct journal_note *list;
	char **texts; /* beside list: the memory that each note's strings are in; or NULL */
	size_t len, cap, texts_cap;
	struct slots uids, names; /* of those that have any: by it and the kind */
};

/* Adds, in place of those of its kind with its UID or its name. False where it is there already. */
bool notes_put(struct notes *notes, const struct journal_note *note);
/* Ends those of that kind with that UID (unless 0) or that name (unless NULL). False for none. */
bool notes_end(struct notes *notes, enum journal_note_kind kind, uint32_t uid, const char *name);
/* Ends all but refusals of local messages. */
bool notes_reset(struct notes *notes);
void notes_free(struct notes *notes);

#endif
