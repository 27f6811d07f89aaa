// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Inside of the journal: what reading (journal.c) and writing (commit.c) share.
 */
#ifndef JOURNAL_INSIDE_H
#define JOURNAL_INSIDE_H

#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "journal/dir.h"
#include "journal/journal.h"
#include "journal/record.h"
#include "journal/rows.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes of a file or of a transaction. */
#define JOURNAL_MAX        ((size_t)fault_bound("EVENMAIL_JOURNAL_MAX", UINT64_C(1) << 30))
#define JOURNAL_PIECE      ((size_t)fault_bound("EVENMAIL_JOURNAL_PIECE", 64 * 1024)) /* at once */
#define JOURNAL_COMPACT_AT ((size_t)fault_bound("EVENMAIL_COMPACT_AT", 64 * 1024))

struct journal {
	struct journal_dir *dir;
	char *mailbox;
	char file[NAME_MAX + 1];
	size_t size;       /* bytes of the file that count; 0: it is made at the first commit */
	ino_t inode;       /* of that file: what is appended to is what was read */
	uint64_t sequence; /* of the last commit */
	struct journal_head head;
	struct rows *rows;  /* NULL until loaded */
	struct buf pending; /* the open transaction's records */
	size_t compact_at;  /* at this size it is worth reckoning what is needed */
	uint64_t put_pairs; /* records of pairs, read and written, */
	uint64_t put_bytes; /* and their bytes */
	bool broken;        /* a write failed: nothing more is taken */
};

/* Puts the file's path before the text; -1. */
static inline int journal_prefix(const struct journal *journal, struct error *err)
{
	return error_prefix(err, "journal %s/%s", text_show(journal->dir->path),
			    text_show(journal->file));
}

/* Who the files of this mailbox belong to now. */
static inline struct record_owner journal_owner(const struct journal *journal)
{
	return (struct record_owner){journal->mailbox, journal->dir->account, journal->dir->tree};
}

/* Appends all that the journal holds, committed or not, as one transaction with its head. */
void journal_put_all(const struct journal *journal, struct buf *file);
/* -1 where a mailbox's name is longer than any that journals are kept for. */
int journal_check_name(const char *mailbox, struct error *err);

/* The following leave the file's name out of their errors. */
/* Puts a file of one transaction in place: it is the journal's from then on. */
int journal_make_file(struct journal *journal, const struct buf *file, struct error *err);
/* The same where it is in place already: makes sure that it stays. */
int journal_adopt_file(struct journal *journal, size_t size, struct error *err);
int journal_refuse_change(struct error *err); /* "another program has changed it"; -1 */
int journal_refuse_broken(struct error *err); /* "takes no more"; -1 */

#endif
