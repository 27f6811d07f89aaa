// SPDX-License-Identifier: GPL-3.0-or-later
#include "journal/inside.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "journal/dir.h"
#include "journal/record.h"
#include "journal/replay.h"
#include "journal/rows.h"
#include "mail/mailbox-name.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOURNAL_TAIL ((size_t)4096)

_Static_assert(JOURNAL_TAIL >= RECORD_COMMIT_MAX, "the tail holds the last commit line");

/* Says that the file cannot be used, and what to do. */
static int journal_refuse(const struct journal *journal, struct error *err, const char *why)
{
	error_set(err, ERROR_IO, SCOPE_MAILBOX,
		  "%s; move the file away, and the next run pairs the messages anew by their "
		  "content: nothing is deleted or doubled",
		  why);
	return journal_prefix(journal, err);
}

/* The same for damage found in reading, with the line; told apart by EBADMSG. */
static int journal_refuse_damage(const struct journal *journal, uint64_t line, const char *reason,
				 struct error *err)
{
	char why[160];

	snprintf(why, sizeof(why), "damaged at line %llu: %s", (unsigned long long)line, reason);
	journal_refuse(journal, err, why);
	if (err != NULL)
		err->sys = EBADMSG;
	return -1;
}

/* What begins otherwise than ours do: that of another version is not damaged. */
static int journal_refuse_first(const struct journal *journal, const char *bytes, size_t len,
				struct error *err)
{
	const size_t name = strlen(RECORD_MAGIC) - strlen("1 ");

	if (len >= name && memcmp(bytes, RECORD_MAGIC, name) == 0 &&
	    (len < strlen(RECORD_MAGIC) || memcmp(bytes, RECORD_MAGIC, strlen(RECORD_MAGIC)) != 0))
		return journal_refuse(journal, err, "it is of another version of this program");
	return journal_refuse_damage(journal, 1, "not the beginning of a journal", err);
}

/* True where bytes are the first len of our first line, or as much of it and then only NULs. */
static bool journal_first_is_torn(const struct journal *journal, const char *bytes, size_t len)
{
	struct record_owner owner = journal_owner(journal);
	struct buf first;
	bool torn;

	buf_init(&first, RECORD_FIRST_MAX);
	record_put_first(&first, &owner);
	while (len > 0 && bytes[len - 1] == '\0')
		len--;
	torn = len < first.len && memcmp(bytes, first.data, len) == 0;
	buf_free(&first);
	return torn;
}

/* Whether a file's owner is this channel's mailbox; a channel that has no record takes any. */
static bool journal_is_owner(const struct journal *journal, const struct record_owner *owner)
{
	const struct journal_dir *dir = journal->dir;

	if (strcmp(owner->mailbox, journal->mailbox) != 0)
		return false;
	if (dir->account[0] == '\0' && dir->tree[0] == '\0')
		return true;
	return strcmp(owner->account, dir->account) == 0 && strcmp(owner->tree, dir->tree) == 0;
}

/* Says whose it is. */
static void journal_refuse_owner(const struct journal *journal, const struct record_owner *owner,
				 struct error *err)
{
	char *why =
	    xasprintf("it belongs to mailbox %s of %s and the tree %s", text_show(owner->mailbox),
		      text_show(owner->account), text_show(owner->tree));

	journal_refuse(journal, err, why);
	free(why);
}

/* Checks the first line. 1: it is ours; 0: it was torn while the file was made; -1: refused. */
static int journal_check_first(const struct journal *journal, int fd, struct error *err)
{
	char *bytes = xmalloc(RECORD_FIRST_MAX);
	struct record_owner owner;
	char *newline;
	size_t len;
	int rc = -1;

	if (file_read_at(fd, bytes, RECORD_FIRST_MAX, 0, &len, err) < 0) {
		journal_prefix(journal, err);
		goto out;
	}
	newline = memchr(bytes, '\n', len);
	if (newline == NULL && journal_first_is_torn(journal, bytes, len))
		rc = 0;
	else if (newline == NULL ||
		 record_parse_first(bytes, (size_t)(newline - bytes), &owner) < 0)
		journal_refuse_first(journal, bytes, len, err);
	else if (!journal_is_owner(journal, &owner))
		journal_refuse_owner(journal, &owner, err);
	else
		rc = 1;
out:
	free(bytes);
	return rc;
}

/* Drops what follows the last commit: on the disk too where the journal may be written. */
static int journal_cut(struct journal *journal, size_t end, size_t size, struct error *err)
{
	int fd, rc;

	log_warn("journal %s/%s: unfinished after byte %zu of %zu: %s to the last commit",
		 text_show(journal->dir->path), text_show(journal->file), end, size,
		 journal->dir->exclusive ? "cut back" : "read up");
	if (!journal->dir->exclusive || end == 0)
		return 0;
	fd = openat(journal->dir->fd, journal->file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		error_errno(err, SCOPE_MAILBOX, "cannot open");
		return journal_prefix(journal, err);
	}
	rc = file_cut(fd, end);
	if (rc < 0)
		error_errno(err, SCOPE_MAILBOX, "cannot cut off what is unfinished");
	if (rc == 0)
		rc = file_sync(fd, err);
	file_close(&fd);
	return rc < 0 ? journal_prefix(journal, err) : 0;
}

/* Where no commit counts, the file is as good as none and is made anew at the first commit. */
static void journal_take(struct journal *journal, const struct replay *replay, ino_t inode)
{
	journal->size = replay->end;
	journal->inode = inode;
	journal->sequence = replay->sequence;
	journal->head = replay->head;
	journal->put_pairs = replay->put_pairs;
	journal->put_bytes = replay->put_bytes;
}

/* Reads all of the file, into rows too unless that is NULL. */
static int journal_read_whole(struct journal *journal, int fd, const struct stat *st,
			      struct rows *rows, struct error *err)
{
	struct replay replay;

	if (st->st_size > (off_t)JOURNAL_MAX)
		return journal_refuse(journal, err, "longer than any journal may be");
	if (replay_file(fd, (size_t)st->st_size, JOURNAL_PIECE, rows, &replay, err) < 0)
		return journal_prefix(journal, err);
	if (replay.damaged)
		return journal_refuse_damage(journal, replay.line, replay.reason, err);
	if (replay.end < replay.size && journal_cut(journal, replay.end, replay.size, err) < 0)
		return -1;
	journal_take(journal, &replay, st->st_ino);
	return 0;
}

/* Reads the head from the file's tail, or from all of it where the tail does not do. */
static int journal_read_head(struct journal *journal, int fd, const struct stat *st,
			     struct error *err)
{
	size_t size = (size_t)st->st_size;
	size_t len = size < JOURNAL_TAIL ? size : JOURNAL_TAIL;
	char tail[JOURNAL_TAIL];
	struct replay replay;

	if (file_read_at(fd, tail, len, size - len, &len, err) < 0)
		return journal_prefix(journal, err);
	if (!replay_tail(tail, len, len == size, &replay))
		return journal_read_whole(journal, fd, st, NULL, err);
	replay.end = size;
	journal_take(journal, &replay, st->st_ino);
	return 0;
}

/* Reads the file, if it is there: the head, and the rows unless rows is NULL. */
static int journal_read(struct journal *journal, struct rows *rows, struct error *err)
{
	const struct replay none = {0};
	struct stat st;
	int fd;
	int rc;

	if (journal_dir_open_file(journal->dir, journal->file, &fd, err) < 0)
		return -1;
	if (fd < 0) {
		journal_take(journal, &none, 0);
		return 0;
	}
	rc = fstat(fd, &st);
	if (rc < 0) {
		error_errno(err, SCOPE_MAILBOX, "cannot read");
		journal_prefix(journal, err);
	} else {
		rc = journal_check_first(journal, fd, err);
	}
	if (rc == 0) {
		journal_take(journal, &none, 0);
		rc = journal_cut(journal, 0, (size_t)st.st_size, err);
	} else if (rc > 0) {
		rc = rows != NULL ? journal_read_whole(journal, fd, &st, rows, err)
				  : journal_read_head(journal, fd, &st, err);
	}
	file_close(&fd);
	return rc;
}

/* What a journal holds is found by its mailbox: no name is cut. */
int journal_check_name(const char *mailbox, struct error *err)
{
	if (strlen(mailbox) <= MAILBOX_NAME_MAX)
		return 0;
	return error_set(err, ERROR_IO, SCOPE_MAILBOX, "the mailbox name is too long: %s",
			 text_show(mailbox));
}

/* Reads the head. */
int journal_open(struct journal_dir *dir, const char *mailbox, struct journal **out,
		 struct error *err)
{
	struct journal *journal;

	*out = NULL;
	if (journal_check_name(mailbox, err) < 0)
		return -1;
	journal = xcalloc(1, sizeof(*journal));
	journal->dir = dir;
	journal->mailbox = xstrdup(mailbox);
	journal->compact_at = JOURNAL_COMPACT_AT;
	journal_file_name(mailbox, journal->file);
	buf_init(&journal->pending, JOURNAL_MAX);
	if (journal_read(journal, NULL, err) < 0)
		journal_close(&journal);
	*out = journal;
	return journal != NULL ? 0 : -1;
}

/* NULL is fine. */
void journal_close(struct journal **journal)
{
	if (*journal == NULL)
		return;
	rows_close(&(*journal)->rows);
	buf_free(&(*journal)->pending);
	free((*journal)->mailbox);
	free(*journal);
	*journal = NULL;
}

/* Of what counts in it. */
uint64_t journal_size(const struct journal *journal)
{
	return journal->size;
}

/* As committed last. */
const struct journal_head *journal_head(const struct journal *journal)
{
	return &journal->head;
}

/* Reads into rows of their own first: what cannot be read whole is not seen at all. */
int journal_load(struct journal *journal, struct error *err)
{
	struct rows *rows;

	if (journal->rows != NULL)
		return 0;
	rows = rows_open();
	if (journal->head.pairs <= journal->size / RECORD_PAIR_MIN)
		rows_expect(rows, (size_t)journal->head.pairs);
	if (journal_read(journal, rows, err) < 0) {
		rows_close(&rows);
		return -1;
	}
	journal->rows = rows;
	return 0;
}

/* Puts them in order first, where they are not. */
const struct pair *journal_pairs(const struct journal *journal, size_t *count)
{
	return rows_pairs(journal->rows, count);
}

/* Puts nothing in order. */
const struct pair *journal_pair_of_uid(const struct journal *journal, uint32_t uid)
{
	return rows_of_uid(journal->rows, uid);
}

/* Puts nothing in order. */
const struct pair *journal_pair_of_name(const struct journal *journal, const char *name)
{
	return rows_of_name(journal->rows, name);
}

/* An index takes them to be in order. */
bool journal_find_uid(const struct journal *journal, uint32_t uid, size_t *index)
{
	size_t count;
	const struct pair *pairs = rows_pairs(journal->rows, &count);
	const struct pair *pair = rows_of_uid(journal->rows, uid);

	if (pair == NULL)
		return false;
	*index = (size_t)(pair - pairs);
	return true;
}

/* An index takes them to be in order. */
bool journal_find_name(const struct journal *journal, const char *name, size_t *index)
{
	size_t count;
	const struct pair *pairs = rows_pairs(journal->rows, &count);
	const struct pair *pair = rows_of_name(journal->rows, name);

	if (pair == NULL)
		return false;
	*index = (size_t)(pair - pairs);
	return true;
}

/* In no order. */
const struct journal_note *journal_notes(const struct journal *journal, size_t *count)
{
	return rows_notes(journal->rows, count);
}

/* The record of a pair: what they take on average tells what the file needs. */
static void journal_record_pair(struct journal *journal, const struct pair *pair)
{
	size_t mark = journal->pending.len;

	record_put_pair(&journal->pending, pair);
	journal->put_pairs++;
	journal->put_bytes += journal->pending.len - mark;
}

/* The record is that of the row: what the caller's name points to may have ended with a note. */
void journal_put(struct journal *journal, const struct pair *pair)
{
	uint32_t uid = pair->uid;
	struct flags flags = pair->flags;
	enum rows_change change;

	assert(uid != 0 && pair->name != NULL && pair->name[0] != '\0');
	assert(pair->gone < RECORD_GONE_WORDS && (pair->flags.bits & ~FLAG_ALL) == 0);
	change = rows_put(journal->rows, pair);
	if (change == ROWS_FLAGS)
		record_put_flags(&journal->pending, uid, flags);
	else if (change == ROWS_PAIR)
		journal_record_pair(journal, rows_of_uid(journal->rows, uid));
}

/* Where there is nothing to forget, nothing is recorded. */
void journal_forget(struct journal *journal, uint32_t uid)
{
	if (rows_forget(journal->rows, uid))
		record_put_forget(&journal->pending, uid);
}

/*
 * The record is written first, for the caller's strings may be those of an older note; it is taken
 * back where it changes nothing.
 */
void journal_note(struct journal *journal, const struct journal_note *note)
{
	size_t mark = journal->pending.len;

	assert(note->uid != 0 || (note->name != NULL && note->name[0] != '\0'));
	record_put_note(&journal->pending, note);
	if (!rows_note(journal->rows, note))
		buf_cut(&journal->pending, mark);
}

/* The record is written first, as in journal_note(). */
void journal_end_note(struct journal *journal, enum journal_note_kind kind, uint32_t uid,
		      const char *name)
{
	size_t mark = journal->pending.len;

	record_put_end_note(&journal->pending, kind, uid, name);
	if (!rows_end_note(journal->rows, kind, uid, name))
		buf_cut(&journal->pending, mark);
}

/* Where there is nothing to forget, nothing is recorded. */
void journal_reset(struct journal *journal)
{
	if (rows_reset(journal->rows))
		record_put_reset(&journal->pending);
}

/* Only what is new is recorded. */
void journal_refuse_keywords(struct journal *journal, enum side side, uint32_t keywords)
{
	if (rows_refuse(journal->rows, side, keywords))
		record_put_refused(&journal->pending, side, keywords);
}

uint32_t journal_refused_keywords(const struct journal *journal, enum side side)
{
	return rows_refused(journal->rows, side);
}

/* Only what is new is recorded. */
void journal_set_room(struct journal *journal, const struct flag_room *room)
{
	const struct flag_room known = {.bits = room->bits,
					.any_keyword = room->any_keyword,
					.keywords = room->any_keyword ? 0 : room->keywords};

	if (rows_set_room(journal->rows, &known))
		record_put_room(&journal->pending, &known);
}

const struct flag_room *journal_room(const struct journal *journal)
{
	return rows_room(journal->rows);
}
