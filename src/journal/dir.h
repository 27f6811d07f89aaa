// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Inside of the journal: the state directory and the names of the files in it.
 */
#ifndef JOURNAL_DIR_H
#define JOURNAL_DIR_H

#include "base/buf.h"
#include "base/lock.h"
#include "journal/journal.h"

#include <limits.h>
#include <stdbool.h>

#define JOURNAL_SUFFIX          ".journal"
#define JOURNAL_CHANNEL_FILE    "channel"
#define JOURNAL_GENERATION_FILE "generation"
#define JOURNAL_LOCK_FILE       "lock"

struct journal_dir {
	char *path; /* for messages */
	int fd;     /* -1: not there, and not to be made */
	bool exclusive;
	struct lock *lock; /* NULL where not exclusive */
	char *account;
	char *tree;
};

/* Writes the file name of a mailbox's journal; one that would be too long ends in a digest. */
void journal_file_name(const char *mailbox, char out[NAME_MAX + 1]);
/*
 * Appends the mailbox of a file name. 1; 0 where the name is too long to tell (the file's first
 * line does); -1 where it is no journal's name.
 */
int journal_file_mailbox(const char *file, struct buf *out);
/*
 * Opens a regular file of the directory for reading, never through a symlink. *fd is -1 where
 * there is none.
 */
int journal_dir_open_file(const struct journal_dir *dir, const char *name, int *fd,
			  struct error *err);
/* Whether it is the name of a file that a run keeps here beside journals. */
bool journal_dir_is_own_file(const char *name);
/*
 * The names of all files in the directory, sorted; freed by journal_names_free. One that is not
 * there has none.
 */
int journal_dir_read(const struct journal_dir *dir, char ***names, size_t *count,
		     struct error *err);

#endif
