// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What both sides agreed on when they were last even, one text file per mailbox pair
 * (evenmail-journal(5) describes the format), under the channel's state directory.
 *
 * Records are appended and closed per transaction by a commit line with a CRC; a torn tail is cut
 * back to the last commit. The last commit line repeats the head, so that an unchanged mailbox
 * costs one read of the file's tail, not a load.
 *
 * Life cycle: journal_dir_open takes the channel's lock; journal_open reads a head;
 * journal_load the rows; journal_put and its like append to the open transaction and change the
 * rows in memory as well; journal_commit makes all of it durable in one write and one fdatasync;
 * journal_close drops what was not committed.
 *
 * Intents are rows of their own kind: what the run was about to do when it may have been stopped.
 *	JOURNAL_PUBLISHING  a file of this name is about to be put in place for this UID: it is a
 *	                    pair if the file is there, nothing if it is not
 *	JOURNAL_APPENDING   a message with this identity is about to be appended for this file: a
 *	                    UID >= floor of that identity is its pair
 *	JOURNAL_MOVING      the message of this UID is about to be copied to target, where UIDs
 *	                    >= floor are newer than the intent
 *	JOURNAL_REMOVING    the message of this UID is about to be removed from the server, for its
 *	                    file is gone: a file that is back when the message is gone, too, is new
 * and JOURNAL_REFUSED is a message that its other side would not take: not tried again until the
 * file, the UID or the limit is another. floor and UIDVALIDITY are those of the mailbox where the
 * copy arises.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include "base/arena.h"
#include "base/error.h"
#include "mail/flags.h"
#include "mail/identity.h"
#include "mail/side.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A pair: one message that both sides held when they were last even. A loaded journal holds all of
 * a mailbox: each costs these 80 bytes, its name, and what it is found by (journal/rows.c).
 */
struct pair {
	uint32_t uid;              /* never 0 */
	struct flags flags;        /* those agreed on */
	uint64_t size : SIZE_BITS; /* or SIZE_UNKNOWN */
	uint64_t gone : SIDES;     /* bits 1 << side: deleted there while the other side keeps it */
	const char *name;          /* unique name; lives as long as the journal is open */
	int64_t date;              /* or DATE_UNKNOWN */
	uint64_t message_id;       /* 0: none */
	uint64_t email_id;         /* 0: the server tells none */
	struct digest digest;      /* all zero: not known */
};

_Static_assert(sizeof(struct pair) <= 80, "a pair costs at most 80 bytes beside its name");

/* The pair of a message of that identity. */
static inline struct pair pair_of(uint32_t uid, const char *name, struct flags flags,
				  const struct identity *identity)
{
	return (struct pair){.uid = uid,
			     .name = name,
			     .flags = flags,
			     .size = identity->size,
			     .date = identity->date,
			     .message_id = identity->message_id,
			     .email_id = identity->email_id,
			     .digest = identity->digest};
}

/* What a pair knows of its message's identity. */
static inline struct identity pair_identity(const struct pair *pair)
{
	return (struct identity){.size = pair->size,
				 .date = pair->date,
				 .message_id = pair->message_id,
				 .email_id = pair->email_id,
				 .has_message_id = true,
				 .has_digest = true,
				 .digest = pair->digest};
}

/* Whether a side is to hold a pair's message. */
static inline bool pair_is_expected(const struct pair *pair, enum side side)
{
	return !(pair->gone & 1u << side);
}

enum journal_note_kind {
	JOURNAL_PUBLISHING,
	JOURNAL_APPENDING,
	JOURNAL_MOVING,
	JOURNAL_REMOVING,
	JOURNAL_REFUSED,
};

/* An intent or a refusal. A note is named by its kind and, as fits, uid or name. */
struct journal_note {
	enum journal_note_kind kind;
	enum side side;   /* REFUSED: the side that holds the message; else where the copy arises */
	uint32_t uid;     /* PUBLISHING, MOVING, REMOVING, REFUSED of a remote message; else 0 */
	const char *name; /* PUBLISHING, APPENDING, REFUSED of a local message; else NULL */
	uint32_t uidvalidity; /* APPENDING, MOVING: of the mailbox that takes it */
	uint32_t floor; /* APPENDING, MOVING: its UIDNEXT before; REFUSED: the limit on the size
			   of messages for which it was, or 0 */
	struct flags flags;
	struct identity identity; /* has_message_id and has_digest as known */
	const char *text;         /* MOVING: target; REFUSED: the reason, escaped; else NULL */
};

/* How the pair of mailboxes stood when they were last even; all zero before the first time. */
struct journal_head {
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint64_t highestmodseq;
	uint32_t remote_messages; /* what the remote side held: MESSAGES */
	uint64_t mailbox_id;      /* a hash of the remote side's MAILBOXID; 0: not told */
	int64_t cur_ns;           /* mtimes of cur and new */
	int64_t new_ns;
	uint64_t inode;  /* of the local mailbox's directory; 0: not known */
	int64_t when;    /* of the commit, seconds since the epoch: set by journal_commit */
	uint64_t pairs;  /* rows: set by journal_commit */
	uint64_t notes;  /* set by journal_commit */
	uint32_t policy; /* what was allowed then (the caller's number) */
	bool even;       /* the last run left nothing undone */
};

struct journal_dir;
struct journal;

/*
 * Opens the state directory of a channel. Exclusive: makes it (0700) where it is missing and takes
 * its lock. Else nothing is made, locked or written, and one that is missing is empty; its journals
 * may be read only, also while another process writes them. -1: ERROR_LOCKED; ERROR_IO, also where
 * the channel's record is damaged.
 */
int journal_dir_open(const char *path, bool exclusive, struct journal_dir **dir, struct error *err);
/* Whether it was opened to be written to. */
bool journal_dir_is_exclusive(const struct journal_dir *dir);
/* After all its journals. */
void journal_dir_close(struct journal_dir **dir);
/*
 * The channel's own record: which account and which tree the journals were made for; "" where
 * there is none yet. Pointers live until the record is replaced.
 */
const char *journal_dir_account(const struct journal_dir *dir);
const char *journal_dir_tree(const struct journal_dir *dir);
/*
 * Replaces the record durably. To be set before the first journal is made: it is written into each,
 * and journals made under another record are refused by journal_open from then on (journal_remove
 * takes them away). As long as there is no record, those of any are taken.
 */
int journal_dir_set(struct journal_dir *dir, const char *account, const char *tree,
		    struct error *err);
/*
 * The generation of the Maildir tree that the journals speak of (run/generation.h). Key "" and
 * number 0 where there is none, or none that can be understood.
 */
#define JOURNAL_KEY_SIZE 17 /* 16 letters and a NUL */
struct journal_generation {
	char key[JOURNAL_KEY_SIZE];
	uint64_t number;
};
int journal_dir_generation(const struct journal_dir *dir, struct journal_generation *generation,
			   struct error *err);
/* Replaces it durably. */
int journal_dir_set_generation(struct journal_dir *dir, const struct journal_generation *generation,
			       struct error *err);
/*
 * The names of the mailboxes that have a journal, sorted; freed by journal_names_free. -1: also
 * where a journal cannot be read of which only its first line tells whose it is.
 */
int journal_dir_list(struct journal_dir *dir, char ***names, size_t *count, struct error *err);
void journal_names_free(char **names, size_t count);

/*
 * Opens the journal of a mailbox and reads its head; one that is not there is empty and is made at
 * its first commit. A torn tail is cut back (in memory where the dir is not exclusive) and
 * reported by log_warn; damage within the last transaction counts as one. -1: ERROR_IO,
 * SCOPE_MAILBOX, also where the file is damaged in its middle (with sys EBADMSG; which may show
 * only when it is loaded) or belongs to another channel, mailbox or version: the text says how to
 * go on. No descriptor is held between calls.
 */
int journal_open(struct journal_dir *dir, const char *mailbox, struct journal **journal,
		 struct error *err);
void journal_close(struct journal **journal);

const struct journal_head *journal_head(const struct journal *journal);
/* Bytes of its file; 0 where there is none yet. */
uint64_t journal_size(const struct journal *journal);

/*
 * Reads the rows and notes; needed before all of the following. Twice is fine. The head may be an
 * older one afterwards: every checksum is verified here, and a torn tail may show only now.
 */
int journal_load(struct journal *journal, struct error *err);
/* Pairs ascending by UID; valid until the next change. */
const struct pair *journal_pairs(const struct journal *journal, size_t *count);
/* The index of the pair of a UID or a name; false where there is none. */
bool journal_find_uid(const struct journal *journal, uint32_t uid, size_t *index);
bool journal_find_name(const struct journal *journal, const char *name, size_t *index);
/*
 * The pair itself, valid until the next change. Unlike an index, which takes the pairs to be in
 * order, it costs O(1) between changes too.
 */
const struct pair *journal_pair_of_uid(const struct journal *journal, uint32_t uid);
const struct pair *journal_pair_of_name(const struct journal *journal, const char *name);
const struct journal_note *journal_notes(const struct journal *journal, size_t *count);

/*
 * Adds or replaces the pair of that UID (strings are copied); the pair of that name under another
 * UID is forgotten. Ends PUBLISHING and APPENDING notes of that uid or name.
 */
void journal_put(struct journal *journal, const struct pair *pair);
/* Forgets the pair of that UID, and its MOVING and REMOVING notes. */
void journal_forget(struct journal *journal, uint32_t uid);
/* Adds a note in place of those of its kind with its uid or its name (strings are copied). */
void journal_note(struct journal *journal, const struct journal_note *note);
/*
 * Ends the notes of that kind with that uid (unless 0) or that name (unless NULL); none is fine.
 * The last note takes the place of one that ends.
 */
void journal_end_note(struct journal *journal, enum journal_note_kind kind, uint32_t uid,
		      const char *name);
/* Remembers that a side would not keep these keywords, and those that it would not before. */
void journal_refuse_keywords(struct journal *journal, enum side side, uint32_t keywords);
uint32_t journal_refused_keywords(const struct journal *journal, enum side side);
/*
 * Remembers for which flags the server has room, as it told last: all of them until it told
 * otherwise. What is refused of keywords, and a room that is mute, are no part of it.
 */
void journal_set_room(struct journal *journal, const struct flag_room *room);
const struct flag_room *journal_room(const struct journal *journal);
/*
 * Forgets all pairs and all notes but refusals of local messages: the remote UIDs mean nothing any
 * more. What was refused of keywords and the server's room for flags are forgotten, too.
 */
void journal_reset(struct journal *journal);

/*
 * Makes the open transaction durable with this head (NULL: the head as it stands, even unset, but
 * for the times of the local directories, 0 then: with those the journal was another one, and they
 * may come back with a directory): one append and one fdatasync; nothing where nothing was changed.
 * Compacts where the file holds more than twice what it needs and over 64 KiB (where head is even:
 * half as much again, 48 KiB). After -1 (ERROR_IO) the journal takes no more; whether what was to be
 * committed is on the disk, the next journal_open tells.
 */
int journal_commit(struct journal *journal, const struct journal_head *head, struct error *err);
/*
 * Makes the journal that of another mailbox, for one that was renamed: what was committed is under
 * the new name durably before it is gone under the old one, and the open transaction stays open. A
 * stop in between leaves the same journal under both names; to do it again, from the old one,
 * finishes it. -1 with sys EEXIST where the other mailbox has a journal that is not just what this
 * one holds: nothing is done (journal_remove takes that one away). After any other -1 (ERROR_IO)
 * the journal takes no more.
 */
int journal_carry(struct journal *journal, const char *mailbox, struct error *err);
/* Removes the mailbox's journal file durably. */
int journal_remove(struct journal_dir *dir, const char *mailbox, struct error *err);
/*
 * Sets the mailbox's journal file aside durably, as FILE.damaged-SECONDS in the same directory: the
 * mailbox has no journal then, and the next run pairs its messages anew.
 */
int journal_set_aside(struct journal_dir *dir, const char *mailbox, struct error *err);

enum journal_stray_kind {
	STRAY_TEMPORARY, /* of a file that was being replaced: good for nothing */
	STRAY_ASIDE,     /* a journal that was set aside */
	STRAY_FOREIGN,
};

/* A file of the state directory that is neither a journal nor the channel's record nor its lock. */
struct journal_stray {
	const char *name;
	enum journal_stray_kind kind;
};

/* Lists them, sorted by name, into arena. */
int journal_dir_strays(const struct journal_dir *dir, struct arena *arena,
		       struct journal_stray **strays, size_t *count, struct error *err);
/* Removes a stray that is temporary; the directory must be exclusive. That it is gone is fine. */
int journal_dir_sweep(struct journal_dir *dir, const struct journal_stray *stray,
		      struct error *err);

#endif
