// SPDX-License-Identifier: GPL-3.0-or-later
#include "journal/replay.h"

#include "base/alloc.h"
#include "base/file.h"
#include "journal/record.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* A file of which a piece is in memory. */
struct reader {
	int fd;
	size_t size; /* of the file */
	char *bytes; /* the piece, */
	size_t at;   /* where it begins */
	size_t len, cap;
	uint32_t crc;  /* of a transaction that is read to its commit, */
	size_t summed; /* so far */
};

/* A transaction within the file. */
struct span {
	size_t start;
	size_t commit; /* its commit line */
	size_t end;    /* behind that line's newline */
	uint64_t lines;
	bool crc_fits; /* its bytes are those that were committed */
};

/* Takes what follows, up to there, into the crc, unless it was; it is in memory. */
static void reader_sum(struct reader *reader, size_t to)
{
	if (to <= reader->summed)
		return;
	reader->crc = (uint32_t)crc32_z(
	    reader->crc, (const Bytef *)reader->bytes + (reader->summed - reader->at),
	    to - reader->summed);
	reader->summed = to;
}

/* Reads the piece that begins there. A file that is shorter by now ends where it ends. */
static int reader_fill(struct reader *reader, size_t offset, struct error *err)
{
	size_t left = reader->size - offset;
	size_t want = left < reader->cap ? left : reader->cap;

	reader_sum(reader, offset);
	if (file_read_at(reader->fd, reader->bytes, want, offset, &reader->len, err) < 0)
		return -1;
	reader->at = offset;
	if (reader->len < want)
		reader->size = offset + reader->len;
	return 0;
}

/*
 * The line that begins at offset, in memory until the next one is asked for; it may be written to,
 * its newline too, by who does not ask for it again before one elsewhere. 1; 0 where no newline
 * ends it; -1.
 */
static int reader_line(struct reader *reader, size_t offset, char **line, size_t *len,
		       struct error *err)
{
	while (offset < reader->size) {
		size_t within = offset - reader->at;
		bool begun = offset >= reader->at && within < reader->len;
		char *newline =
		    begun ? memchr(reader->bytes + within, '\n', reader->len - within) : NULL;

		if (newline != NULL) {
			*line = reader->bytes + within;
			*len = (size_t)(newline - *line);
			return 1;
		}
		if (begun && reader->at + reader->len == reader->size)
			break;
		if (begun && within == 0) {
			reader->cap *= 2;
			reader->bytes = xreallocarray(reader->bytes, reader->cap, 1);
		}
		if (reader_fill(reader, offset, err) < 0)
			return -1;
	}
	return 0;
}

/* Finds the next line that is a commit, from at on. 1; 0: none to the end; -1. */
static int replay_next_commit(struct reader *reader, size_t at, struct span *span,
			      struct record_commit *commit, struct error *err)
{
	size_t len;
	char *line;
	int rc;

	*span = (struct span){.start = at};
	reader->crc = 0;
	reader->summed = at;
	while ((rc = reader_line(reader, at, &line, &len, err)) == 1) {
		span->lines++;
		if (line[0] == 'c' && record_parse_commit(line, len, commit) == 0) {
			reader_sum(reader, at + commit->covered);
			span->crc_fits = reader->crc == commit->crc;
			span->commit = at;
			span->end = at + len + 1;
			return 1;
		}
		at += len + 1;
	}
	return rc;
}

/* Applies one record; false where it changed nothing. */
static bool replay_change(struct rows *rows, const struct record *record)
{
	const struct journal_note *note = &record->note;

	switch (record->kind) {
	case RECORD_PAIR: return rows_put(rows, &record->pair) != ROWS_SAME;
	case RECORD_FLAGS: return rows_flag(rows, record->pair.uid, record->pair.flags);
	case RECORD_FORGET: return rows_forget(rows, record->pair.uid);
	case RECORD_NOTE: return rows_note(rows, note);
	case RECORD_END_NOTE: return rows_end_note(rows, note->kind, note->uid, note->name);
	case RECORD_RESET: return rows_reset(rows);
	case RECORD_ROOM: return rows_set_room(rows, &record->room);
	case RECORD_REFUSED:
	default: return rows_refuse(rows, note->side, note->flags.keywords);
	}
}

/*
 * Applies one record; false where it cannot have been written here: none is that changes nothing,
 * unless what it changed was a keyword for which the process has no room.
 */
static bool replay_record(struct rows *rows, const struct record *record)
{
	return replay_change(rows, record) || keywords_left_out();
}

/* Notes that the file is damaged in a line; -1. */
static int replay_damage(struct replay *replay, uint64_t line, const char *reason)
{
	replay->damaged = true;
	replay->reason = reason;
	replay->line = line;
	return -1;
}

/* Applies one line; its length without the newline. */
static int replay_line(struct rows *rows, char *line, size_t len, struct replay *replay,
		       uint64_t number)
{
	struct record record;

	if (record_parse(line, len, &record) < 0)
		return replay_damage(replay, number, "a record that this version does not know");
	if (!replay_record(rows, &record))
		return replay_damage(replay, number,
				     "a record that does not fit those before it");
	if (record.kind == RECORD_PAIR) {
		replay->put_pairs++;
		replay->put_bytes += len + 1;
	}
	return 0;
}

/* Applies the records of a transaction whose crc fits. -1: damaged, or it could not be read. */
static int replay_apply(struct reader *reader, const struct span *span, struct rows *rows,
			const struct record_commit *commit, struct replay *replay,
			struct error *err)
{
	uint64_t number = replay->line;
	size_t at = span->start, notes, len;
	char *line;

	for (; at < span->commit; number++) {
		int rc = reader_line(reader, at, &line, &len, err);

		if (rc < 0)
			return -1;
		if (rc == 0)
			return replay_damage(replay, number, "an end that was not there before");
		/* The first line is no record. */
		if (at > 0 && replay_line(rows, line, len, replay, number) < 0)
			return -1;
		at += len + 1;
	}
	rows_notes(rows, &notes);
	if (rows_count(rows) != commit->head.pairs || notes != commit->head.notes)
		return replay_damage(replay, number,
				     "a commit whose counts do not fit its records");
	return 0;
}

/*
 * Tells a torn tail from damage. What follows the last good commit is torn where it holds no
 * commit, or just the one that closes the transaction begun there: nothing that was made durable
 * later rests on it. A commit's line has a crc of its own, so what looks like one is one.
 */
static int replay_judge_rest(struct reader *reader, struct replay *replay, struct error *err)
{
	struct span span;
	struct record_commit commit;
	int rc = replay_next_commit(reader, replay->end, &span, &commit, err);

	if (rc == 1 && commit.sequence == replay->sequence + 1)
		rc = replay_next_commit(reader, span.end, &span, &commit, err);
	if (rc == 1)
		replay_damage(replay, replay->line,
			      "a wrong checksum, and whole transactions follow");
	return rc < 0 ? -1 : 0;
}

/* Transaction by transaction, until one does not fit. */
static int replay_each(struct reader *reader, struct rows *rows, struct replay *replay,
		       struct error *err)
{
	struct span span;
	struct record_commit commit;
	int rc;

	while ((rc = replay_next_commit(reader, replay->end, &span, &commit, err)) == 1) {
		if (commit.sequence != replay->sequence + 1 || !span.crc_fits)
			break;
		if (rows != NULL && replay_apply(reader, &span, rows, &commit, replay, err) < 0)
			return replay->damaged ? 0 : -1;
		replay->line += span.lines;
		replay->sequence = commit.sequence;
		replay->head = commit.head;
		replay->end = span.end;
	}
	return rc < 0 ? -1 : replay_judge_rest(reader, replay, err);
}

/* A transaction is read to its commit, then, from the same piece if it is short, once more. */
int replay_file(int fd, size_t size, size_t piece, struct rows *rows, struct replay *replay,
		struct error *err)
{
	struct reader reader = {.fd = fd, .size = size, .cap = size < piece ? size + 1 : piece};
	int rc;

	*replay = (struct replay){.line = 1};
	reader.bytes = xmalloc(reader.cap);
	rc = replay_each(&reader, rows, replay, err);
	replay->size = reader.size;
	free(reader.bytes);
	return rc;
}

/* The start of the line that ends at bytes[end] (its newline). False: it begins before bytes. */
static bool replay_line_start(const char *bytes, size_t end, bool whole, size_t *start)
{
	const char *newline = memrchr(bytes, '\n', end);

	if (newline == NULL && !whole)
		return false;
	*start = newline != NULL ? (size_t)(newline - bytes) + 1 : 0;
	return true;
}

/* The end of the commit line before at; 0 where there is none. False: it may be before bytes. */
static bool replay_previous_end(const char *bytes, size_t at, bool whole, size_t *end)
{
	while (at > 0) {
		struct record_commit commit;
		size_t start;

		if (!replay_line_start(bytes, at - 1, whole, &start))
			return false;
		if (record_parse_commit(bytes + start, at - 1 - start, &commit) == 0)
			break;
		at = start;
	}
	*end = at;
	return true;
}

/* Trusts a commit line by its own crc, and its transaction where it can be seen whole. */
bool replay_tail(const char *bytes, size_t len, bool whole, struct replay *replay)
{
	struct span span = {.end = len};
	struct record_commit commit;

	*replay = (struct replay){0};
	if (len == 0 || bytes[len - 1] != '\n' ||
	    !replay_line_start(bytes, len - 1, whole, &span.commit) ||
	    record_parse_commit(bytes + span.commit, len - 1 - span.commit, &commit) < 0)
		return false;
	if (replay_previous_end(bytes, span.commit, whole, &span.start) &&
	    crc32_z(0, (const Bytef *)bytes + span.start,
		    span.commit - span.start + commit.covered) != commit.crc)
		return false;
	replay->sequence = commit.sequence;
	replay->head = commit.head;
	replay->end = len;
	return true;
}
