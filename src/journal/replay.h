// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reads a journal's file: which of its bytes count, and what they say.
 *
 * What counts is the whole transactions from the start, each closed by a commit line whose
 * sequence number and crc fit. Bytes after them are a torn tail, left by a stop in the middle of a
 * write, unless a commit of a later transaction is among them: then the file is damaged.
 */
#ifndef JOURNAL_REPLAY_H
#define JOURNAL_REPLAY_H

#include "journal/journal.h"
#include "journal/rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct replay {
	size_t size;       /* bytes that there are */
	size_t end;        /* those that count */
	uint64_t sequence; /* of the last commit; 0: none counts */
	struct journal_head head;
	uint64_t put_pairs; /* records of pairs, */
	uint64_t put_bytes; /* and their bytes */
	bool damaged;
	const char *reason; /* where damaged: what does not fit */
	uint64_t line; /* where damaged: its line, or that where the wrong transaction begins */
};

/*
 * Reads a file of that size, which begins with a first line that fits, and applies it to rows
 * unless that is NULL. No more of it is in memory than piece bytes, or the longest line: each
 * transaction is read to its commit first, and from its start again where it was longer than that.
 * -1: it cannot be read.
 */
int replay_file(int fd, size_t size, size_t piece, struct rows *rows, struct replay *replay,
		struct error *err);
/*
 * The head of the last commit from the last len bytes of a file (whole: they are all of it). False
 * where that takes reading it whole: no commit line ends it, or its transaction begins in these
 * bytes and does not fit its crc.
 */
bool replay_tail(const char *bytes, size_t len, bool whole, struct replay *replay);

#endif
