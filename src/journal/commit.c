// SPDX-License-Identifier: GPL-3.0-or-later
#include "journal/inside.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* What a note's record takes beside a pair's, and the rest of a file, about. */
#define NOTE_MORE 64u
#define REST      1024u

/* Nothing that journal_commit() sets itself counts. */
static bool journal_same_head(const struct journal_head *a, const struct journal_head *b)
{
	return a->uidvalidity == b->uidvalidity && a->uidnext == b->uidnext &&
	       a->highestmodseq == b->highestmodseq && a->remote_messages == b->remote_messages &&
	       a->mailbox_id == b->mailbox_id && a->cur_ns == b->cur_ns && a->new_ns == b->new_ns &&
	       a->inode == b->inode && a->policy == b->policy && a->even == b->even;
}

/* Remembers that the file of that name is now size bytes and ours. */
static int journal_note_file(struct journal *journal, size_t size, struct error *err)
{
	struct stat st;

	if (fstatat(journal->dir->fd, journal->file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, SCOPE_MAILBOX, "cannot find again what was written");
	journal->size = size;
	journal->inode = st.st_ino;
	return 0;
}

/* The file of that name is one of ours, of one transaction. */
static int journal_adopt(struct journal *journal, size_t size, struct error *err)
{
	journal->sequence = 1;
	return journal_note_file(journal, size, err);
}

/* Makes the file of one transaction: the open one's records, or all rows. */
int journal_make_file(struct journal *journal, const struct buf *file, struct error *err)
{
	if (file->full)
		return error_set(err, ERROR_IO, SCOPE_MAILBOX, "longer than any journal may be");
	if (file_replace(journal->dir->fd, journal->file, file->data, file->len, err) < 0)
		return -1;
	return journal_adopt(journal, file->len, err);
}

/* The directory may not have been synced when the run that made the file was stopped. */
int journal_adopt_file(struct journal *journal, size_t size, struct error *err)
{
	if (file_sync_dir(journal->dir->fd, err) < 0)
		return -1;
	return journal_adopt(journal, size, err);
}

/* What the file holds is not what was read or written here. */
int journal_refuse_change(struct error *err)
{
	return error_set(err, ERROR_IO, SCOPE_MAILBOX, "another program has changed it meanwhile");
}

/* What the file holds is not known. */
int journal_refuse_broken(struct error *err)
{
	return error_set(err, ERROR_IO, SCOPE_MAILBOX, "takes no more after an earlier error");
}

/* Writes the first transaction, behind the first line. */
static int journal_create(struct journal *journal, const struct journal_head *head,
			  struct error *err)
{
	struct record_owner owner = journal_owner(journal);
	struct buf file;
	int rc;

	buf_init(&file, JOURNAL_MAX);
	record_put_first(&file, &owner);
	buf_append(&file, journal->pending.data, journal->pending.len);
	record_put_commit(&file, 0, 1, head);
	rc = journal_make_file(journal, &file, err);
	buf_free(&file);
	return rc;
}

/* Whether a file is the one that was read or written last, and as it was left. */
static bool journal_is_file(const struct journal *journal, const struct stat *st)
{
	return st->st_ino == journal->inode && (uint64_t)st->st_size == journal->size;
}

/* Opens for appending what was read, and nothing else. */
static int journal_open_to_append(const struct journal *journal, struct error *err)
{
	struct stat st;
	int fd = openat(journal->dir->fd, journal->file,
			O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, SCOPE_MAILBOX, "cannot open");
	if (fstat(fd, &st) < 0)
		error_errno(err, SCOPE_MAILBOX, "cannot look at it");
	else if (!journal_is_file(journal, &st))
		journal_refuse_change(err);
	else
		return fd;
	file_close(&fd);
	return -1;
}

/*
 * Appends the open transaction. After a failed write or sync the file is cut back to what is known
 * to be on the disk, so that a later run does not take for durable what is only in the page cache.
 * That may fail too: then the next run finds a torn tail.
 */
static int journal_append(struct journal *journal, const struct journal_head *head,
			  struct error *err)
{
	struct buf *pending = &journal->pending;
	int fd, rc;

	record_put_commit(pending, 0, journal->sequence + 1, head);
	if (pending->full || pending->len > JOURNAL_MAX - journal->size)
		return error_set(err, ERROR_IO, SCOPE_MAILBOX, "longer than any journal may be");
	fd = journal_open_to_append(journal, err);
	if (fd < 0)
		return -1;
	rc = file_write(fd, pending->data, pending->len, err);
	if (rc == 0)
		rc = file_sync(fd, err);
	if (rc < 0 && file_cut(fd, journal->size) < 0)
		log_warn("journal %s/%s: cannot be cut back to the last commit",
			 text_show(journal->dir->path), text_show(journal->file));
	file_close(&fd);
	if (rc < 0)
		return -1;
	journal->size += pending->len;
	journal->sequence++;
	return 0;
}

/* Where the records of a file that is made anew go. */
struct journal_sink {
	struct buf piece; /* what was not passed on yet */
	size_t most;      /* at so many bytes it is */
	int fd;           /* -1: they stay in the piece */
	size_t passed;
	uint32_t crc; /* of what was passed on */
	int rc;       /* -1: writing failed */
	struct error *err;
};

/* Passes on what there is, so that a file of any length takes the memory of one piece. */
static void journal_pass_on(struct journal_sink *sink)
{
	struct buf *piece = &sink->piece;

	if (sink->rc == 0)
		sink->rc = file_write(sink->fd, piece->data, piece->len, sink->err);
	sink->crc = (uint32_t)crc32_z(sink->crc, (const Bytef *)piece->data, piece->len);
	sink->passed += piece->len;
	buf_reset(piece);
}

/* After each record. */
static void journal_flow(struct journal_sink *sink)
{
	if (sink->piece.len >= sink->most)
		journal_pass_on(sink);
}

/* All that the journal holds, as one transaction; the end of it is left in the sink. */
static void journal_put_each(const struct journal *journal, struct journal_sink *sink)
{
	struct record_owner owner = journal_owner(journal);
	struct buf *piece = &sink->piece;
	const struct journal_note *notes;
	const struct pair *pair;
	size_t at = 0, count;

	record_put_first(piece, &owner);
	for (enum side side = LOCAL; side < SIDES; side++)
		if (rows_refused(journal->rows, side))
			record_put_refused(piece, side, rows_refused(journal->rows, side));
	if (!flag_room_equal(rows_room(journal->rows), &FLAG_ROOM_ALL))
		record_put_room(piece, rows_room(journal->rows));
	while ((pair = rows_next(journal->rows, &at)) != NULL) {
		record_put_pair(piece, pair);
		journal_flow(sink);
	}
	notes = rows_notes(journal->rows, &count);
	for (size_t i = 0; i < count; i++) {
		record_put_note(piece, &notes[i]);
		journal_flow(sink);
	}
	const uint32_t crc =
	    (uint32_t)crc32_z(sink->crc, (const Bytef *)piece->data, piece->len);
	record_put_commit_after(piece, crc, 1, &journal->head);
}

/* In one piece and in order: what is carried over once more is known by its bytes. */
void journal_put_all(const struct journal *journal, struct buf *file)
{
	struct journal_sink sink = {.piece = *file, .most = SIZE_MAX, .fd = -1};
	size_t count;

	rows_pairs(journal->rows, &count);
	journal_put_each(journal, &sink);
	*file = sink.piece;
}

/*
 * How long a file it takes, about: to put 100,000 pairs into words only to count those would take
 * longer than many a run. A note is a pair's record and a little more.
 */
static size_t journal_reckon(const struct journal *journal)
{
	uint64_t pair = journal->put_pairs ? journal->put_bytes / journal->put_pairs : 0;
	size_t notes;

	rows_notes(journal->rows, &notes);
	return rows_count(journal->rows) * (pair + 1) + notes * (pair + NOTE_MORE) + REST;
}

/* Writes the file anew, with what it needs. */
static int journal_make_anew(struct journal *journal, struct error *err)
{
	struct journal_sink sink = {.most = JOURNAL_PIECE, .err = err};

	sink.fd = file_replace_begin(journal->dir->fd, journal->file, err);
	if (sink.fd < 0)
		return -1;
	buf_init(&sink.piece, JOURNAL_MAX);
	journal_put_each(journal, &sink);
	journal_pass_on(&sink);
	buf_free(&sink.piece);
	if (file_replace_end(journal->dir->fd, journal->file, &sink.fd, sink.rc, err) < 0)
		return -1;
	return journal_adopt(journal, sink.passed, err);
}

/* Whether the name still leads to that file. */
static bool journal_has_old_file(const struct journal *journal)
{
	struct stat st;

	return fstatat(journal->dir->fd, journal->file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       journal_is_file(journal, &st);
}

/* Leaves a file alone that holds up to twice what is needed. */
static void journal_compact_above(struct journal *journal, size_t needed)
{
	journal->compact_at = needed * 2 > JOURNAL_COMPACT_AT ? needed * 2 : JOURNAL_COMPACT_AT;
}

/* Whether the file is longer than it may be: at the end of a run, three quarters of that. */
static bool journal_is_long(const struct journal *journal, bool at_end)
{
	return journal->size > (at_end ? journal->compact_at / 4 * 3 : journal->compact_at);
}

/*
 * Writes the file anew where it is more than twice what it needs; at the end of a run, more than
 * one and a half times: a first pull leaves an intent beside each pair, and every later run that
 * finds a change would read them all. What is needed is reckoned only when the file has grown so
 * much since. Where it fails the old file serves on: all in it is committed. Where the new one is
 * in its place by then, it may not be so after a power cut: nothing more is taken in this run.
 */
static void journal_compact(struct journal *journal, bool at_end)
{
	struct error err;

	if (!journal_is_long(journal, at_end))
		return;
	journal_compact_above(journal, journal_reckon(journal));
	if (!journal_is_long(journal, at_end))
		return;
	if (journal_make_anew(journal, &err) < 0) {
		log_warn("journal %s/%s: cannot be compacted: %s", text_show(journal->dir->path),
			 text_show(journal->file), err.text);
		journal->broken = !journal_has_old_file(journal);
		return;
	}
	journal_compact_above(journal, journal->size);
}

/*
 * Where it fails, nothing more is taken: what the file holds now is for the next run to find out.
 */
int journal_commit(struct journal *journal, const struct journal_head *new_head, struct error *err)
{
	struct journal_head head = new_head != NULL ? *new_head : journal->head;
	size_t notes;
	int rc;

	assert(journal->dir->exclusive && journal->rows != NULL);
	if (journal->broken) {
		journal_refuse_broken(err);
		return journal_prefix(journal, err);
	}
	if (journal->pending.len == 0 && journal_same_head(&head, &journal->head))
		return 0;
	if (new_head == NULL)
		head.cur_ns = head.new_ns = 0;
	head.when = clock_wall_ns() / 1000000000;
	head.pairs = rows_count(journal->rows);
	rows_notes(journal->rows, &notes);
	head.notes = notes;
	rc = journal->size > 0 ? journal_append(journal, &head, err)
			       : journal_create(journal, &head, err);
	if (rc < 0) {
		journal->broken = true;
		return journal_prefix(journal, err);
	}
	journal->head = head;
	buf_reset(&journal->pending);
	journal_compact(journal, new_head != NULL && head.even);
	return 0;
}
