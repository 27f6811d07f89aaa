// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Keywords of a mailbox's files: the letters a to z in their names, which Dovecot's file
 * "dovecot-keywords" beside cur and new explains by lines like "0 Work" (a), "25 Later" (z).
 *
 * The table is read before each scan. New letters are added to the file under Dovecot's lock
 * (maildir/dotlock.h): a new one is written in tmp and renamed over it. A letter that files have
 * but the table does not explain is somebody's: it is neither given out nor taken off.
 *
 * $Forwarded has a letter of its own, P; where the table gives it another one, it has both.
 */
#ifndef MAILDIR_KEYWORDS_H
#define MAILDIR_KEYWORDS_H

#include "base/error.h"
#include "mail/flags.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAILDIR_KEYWORDS_FILE   "dovecot-keywords"
#define MAILDIR_KEYWORD_LETTERS KEYWORD_LETTERS
/* All letters of a file's name: those of flags, of keywords, and a NUL. */
#define MAILDIR_LETTERS_MAX (FLAGS_LETTERS_MAX + MAILDIR_KEYWORD_LETTERS)

/* All zeros: no letter means anything. */
struct maildir_keywords {
	struct flags letters[MAILDIR_KEYWORD_LETTERS]; /* what each means; none: nothing */
	uint32_t named;                                /* the set of all keywords in it */
	uint32_t taken;                                /* bits: letters that have a line */
	uint32_t seen;                                 /* bits: letters that files have */
	bool read;                                     /* the file was */
	bool scanned;                                  /* and the files' names, so seen is all */
};

struct maildir_mailbox;

/* Reads the table of a mailbox; no file is an empty one. -1: SCOPE_MAILBOX. */
int maildir_keywords_read(struct maildir_mailbox *mailbox, struct error *err);
/* What a file's letters mean; notes those of keywords as seen. */
struct flags maildir_keywords_flags(struct maildir_keywords *keywords, const char *letters,
				    size_t len);
/* Writes the letters of flags, in the order of ASCII; keywords without a letter are left out. */
void maildir_keywords_letters(const struct maildir_keywords *keywords, struct flags flags,
			      char out[MAILDIR_LETTERS_MAX]);
/* The flags that files can have: any, as long as letters are left. */
struct flag_room maildir_keywords_room(const struct maildir_keywords *keywords);
/*
 * Gives letters to the keywords that have none, durably; *left_out is the set of those for which
 * there was none left. Scans where that was never done. -1: SCOPE_MAILBOX, also where another
 * program holds the lock for long.
 */
int maildir_keywords_claim(struct maildir_mailbox *mailbox, uint32_t wanted, uint32_t *left_out,
			   struct error *err);

#endif
