// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Names of Maildir files: UNIQUE for a file in new, UNIQUE:2,LETTERS for one in cur.
 *
 * The unique name names the message as long as it lives. Ours are
 * SECONDS.MmicrosecondsPpidQnumber_RANDOM.HOST,S=DISK,W=WIRE: the two sizes are what Dovecot
 * writes, the bytes of the file and of the message in CRLF form. Where both are equal to the
 * file's real size, the file holds the message byte by byte (see mail/eol.h). Otherwise nothing
 * relies on them: anyone may have edited the file.
 *
 * The letters a to z are keywords (maildir/keywords.h); what else another program put there is kept
 * as it is.
 */
#ifndef MAILDIR_NAME_H
#define MAILDIR_NAME_H

#include "mail/flags.h"
#include "maildir/keywords.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAILDIR_FILE_MAX  255 /* bytes of a file's name */
#define MAILDIR_FILE_SIZE (MAILDIR_FILE_MAX + 1)
#define MAILDIR_HOST_SIZE 65

/* A file's name, taken apart; points into it. */
struct maildir_name {
	size_t unique_len;
	const char *letters; /* what comes after ":2,", up to a ','; "" where there is no ":2," */
	size_t letters_len;
};

void maildir_name_parse(const char *file, struct maildir_name *out);
/* What ,S= and ,W= in a unique name say, or SIZE_UNKNOWN. */
uint64_t maildir_name_disk_size(const char *unique, size_t len);
uint64_t maildir_name_wire_size(const char *unique, size_t len);
/* Whether a file of that name and size holds its message byte by byte. */
bool maildir_name_is_raw(const char *file, uint64_t size);

/*
 * Writes the file's name with flags added and removed, as it is to be in cur; keywords without a
 * letter are left out. -1 where it would be too long.
 */
int maildir_name_with_flags(const char *file, const struct maildir_keywords *keywords,
			    struct flags add, struct flags remove, char out[MAILDIR_FILE_SIZE]);

/* Who makes unique names: one per tree, used by all its threads. */
struct maildir_namer {
	char host[MAILDIR_HOST_SIZE]; /* '/' as \057, ':' as \072 */
	long pid;
	uint32_t random;
	atomic_uint_fast64_t made;
};

void maildir_namer_init(struct maildir_namer *namer);
/* Writes a new unique name, without sizes. */
void maildir_namer_make(struct maildir_namer *namer, char out[MAILDIR_FILE_SIZE]);
/* Writes the file's name with a new unique name, its sizes and letters kept. -1: too long. */
int maildir_namer_rename(struct maildir_namer *namer, const char *file,
			 char out[MAILDIR_FILE_SIZE]);
/* True for a name that maildir_namer_make() on this host made; *pid is who. */
bool maildir_namer_made(const struct maildir_namer *namer, const char *file, long *pid);
/* Writes UNIQUE,S=DISK,W=WIRE. -1: too long. */
int maildir_name_with_sizes(const char *unique, uint64_t disk_size, uint64_t wire_size,
			    char out[MAILDIR_FILE_SIZE]);

#endif
