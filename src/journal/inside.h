// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Inside of the journal: what reading (journal.c) and writing (commit.c) share.
 */
#ifndef JOURNAL_INSIDE_H
#define JOURNAL_INSIDE_H

#include "base/buf.h"
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

#define JOURNAL_MAX        ((size_t)1 << 30) /* bytes of a file or of a transaction */
#define JOURNAL_COMPACT_AT ((size_t)64 * 1024)

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

#endif
