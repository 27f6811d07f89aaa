// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One line of a journal: to text and back. evenmail-journal(5) has the format for people.
 *
 *	evenmail-journal 1 MAILBOX ACCOUNT TREE        the first line
 *	p UID FLAGS IDENTITY GONE NAME                 a pair, new or changed
 *	f UID FLAGS                                    the flags of a pair
 *	d UID                                          a pair and its M and D notes forgotten
 *	k SIDE FLAGS                                   keywords that a side would not keep
 *	r FLAGS KEYWORDS                               flags that the server has room for
 *	KIND SIDE UID NAME UIDVALIDITY FLOOR FLAGS IDENTITY TEXT    a note; KIND is P, A, M, D or R
 *	e KIND UID NAME                                a note's end
 *	z                                              journal_reset
 *	c SEQUENCE HEAD CRC CRC                        a commit
 *
 * where FLAGS are Maildir's letters and then "*" before each keyword, IDENTITY is SIZE DATE
 * MESSAGE-ID EMAIL-ID DIGEST, and HEAD is UIDVALIDITY UIDNEXT MODSEQ MESSAGES MAILBOX-ID CUR NEW
 * INODE WHEN PAIRS NOTES POLICY EVEN.
 *
 * And the one line of the file "channel":
 *
 *	evenmail-channel 1 ACCOUNT TREE CRC
 *
 * The parser is strict: it takes only what the writers here write.
 */
#ifndef JOURNAL_RECORD_H
#define JOURNAL_RECORD_H

#include "base/buf.h"
#include "journal/journal.h"

#include <stddef.h>
#include <stdint.h>

#define RECORD_MAGIC  "evenmail-journal 1 "
#define CHANNEL_MAGIC "evenmail-channel 1 "
#define RECORD_NOTES  "PAMDR" /* the letters of enum journal_note_kind */

/* The texts of pair.gone, indexed by its bits; NULL for none. */
#define RECORD_GONE_WORDS 4u
extern const char *const record_gone_words[RECORD_GONE_WORDS];

enum record_kind {
	RECORD_PAIR,
	RECORD_FLAGS,
	RECORD_FORGET,
	RECORD_NOTE,
	RECORD_END_NOTE,
	RECORD_RESET,
	RECORD_REFUSED,
	RECORD_ROOM,
};

struct record {
	enum record_kind kind;
	struct pair pair;         /* PAIR; FLAGS: uid, flags; FORGET: uid */
	struct journal_note note; /* NOTE; END_NOTE: kind, uid, name; REFUSED: side, flags */
	struct flag_room room;
};

/* Who a file belongs to. */
struct record_owner {
	const char *mailbox;
	const char *account; /* "" where not known */
	const char *tree;    /* "" where not known */
};

struct record_commit {
	uint64_t sequence; /* 1 for the first of a file, then one more each */
	struct journal_head head;
	uint32_t crc;   /* of all bytes since the commit line before, */
	size_t covered; /* this line's own up to here included */
};

/* Longest first line and commit line, their newlines counted: both are found without a search. */
#define RECORD_FIRST_MAX  ((size_t)16 * 1024)
#define RECORD_COMMIT_MAX ((size_t)512)

/* No pair's line is shorter: no file of so many bytes holds more pairs. */
#define RECORD_PAIR_MIN (sizeof("p 1 - - - - - - - x\n") - 1)

/* Each appends one line with its newline; out->full where it did not fit. */
void record_put_first(struct buf *out, const struct record_owner *owner);
void record_put_channel(struct buf *out, const struct record_owner *owner);
void record_put_pair(struct buf *out, const struct pair *pair);
void record_put_flags(struct buf *out, uint32_t uid, struct flags flags);
void record_put_forget(struct buf *out, uint32_t uid);
void record_put_note(struct buf *out, const struct journal_note *note);
void record_put_end_note(struct buf *out, enum journal_note_kind kind, uint32_t uid,
			 const char *name);
void record_put_reset(struct buf *out);
void record_put_refused(struct buf *out, enum side side, uint32_t keywords);
void record_put_room(struct buf *out, const struct flag_room *room);
/* Closes the transaction that is all of out from start on: its crc is reckoned here. */
void record_put_commit(struct buf *out, size_t start, uint64_t sequence,
		       const struct journal_head *head);
/* The same where crc is that of the transaction so far, wherever its bytes are by now. */
void record_put_commit_after(struct buf *out, uint32_t crc, uint64_t sequence,
			     const struct journal_head *head);

/*
 * Reads a line, given without its newline. Strings are undone in place and point into the line, of
 * which line[len] is overwritten too. 0, or -1 where it is malformed.
 */
int record_parse(char *line, size_t len, struct record *record);
int record_parse_first(char *line, size_t len, struct record_owner *owner);
/* -1 also where its crc, the last field, does not fit. There is no mailbox in it. */
int record_parse_channel(char *line, size_t len, struct record_owner *owner);
/* Leaves the line alone. -1 also where the line's own crc, its last field, does not fit. */
int record_parse_commit(const char *line, size_t len, struct record_commit *commit);

#endif
