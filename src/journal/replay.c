// SPDX-License-Identifier: GPL-3.0-or-later
#include "journal/replay.h"

#include "journal/record.h"

#include <string.h>
#include <zlib.h>

/* A transaction within bytes. */
struct span {
	size_t start;
	size_t commit; /* its commit line */
	size_t end;    /* behind that line's newline */
	uint64_t lines;
};

/* Finds the next line that is a commit, from at on. False: none to the end. */
static bool replay_next_commit(const char *bytes, size_t len, size_t at, struct span *span,
			       struct record_commit *commit)
{
	span->lines = 0;
	while (at < len) {
		const char *newline = memchr(bytes + at, '\n', len - at);

		if (newline == NULL)
			return false;
		span->lines++;
		if (bytes[at] == 'c' &&
		    record_parse_commit(bytes + at, (size_t)(newline - bytes) - at, commit) == 0) {
			span->commit = at;
			span->end = (size_t)(newline - bytes) + 1;
			return true;
		}
		at = (size_t)(newline - bytes) + 1;
	}
	return false;
}

/* Whether the bytes of a transaction are those that were committed. */
static bool replay_crc_fits(const char *bytes, const struct span *span,
			    const struct record_commit *commit)
{
	size_t len = span->commit - span->start + commit->covered;

	return crc32_z(0, (const Bytef *)bytes + span->start, len) == commit->crc;
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

/* Applies the records of a transaction whose crc fits. */
static int replay_apply(char *bytes, const struct span *span, struct rows *rows,
			const struct record_commit *commit, struct replay *replay)
{
	uint64_t line = replay->line;
	size_t at = span->start;
	size_t notes;

	for (; at < span->commit; line++) {
		size_t len =
		    (size_t)((char *)memchr(bytes + at, '\n', span->end - at) - bytes) - at;
		struct record record;

		if (at == 0) { /* the first line, which is no record */
			at = len + 1;
			continue;
		}
		if (record_parse(bytes + at, len, &record) < 0)
			return replay_damage(replay, line,
					     "a record that this version does not know");
		if (!replay_record(rows, &record))
			return replay_damage(replay, line,
					     "a record that does not fit those before it");
		at += len + 1;
		if (record.kind != RECORD_PAIR)
			continue;
		replay->put_pairs++;
		replay->put_bytes += len + 1;
	}
	rows_notes(rows, &notes);
	if (rows_count(rows) != commit->head.pairs || notes != commit->head.notes)
		return replay_damage(replay, line, "a commit whose counts do not fit its records");
	return 0;
}

/*
 * Tells a torn tail from damage. What follows the last good commit is torn where it holds no
 * commit, or just the one that closes the transaction begun there: nothing that was made durable
 * later rests on it. A commit's line has a crc of its own, so what looks like one is one.
 */
static void replay_judge_rest(const char *bytes, size_t len, struct replay *replay)
{
	struct span span = {0};
	struct record_commit commit;

	if (!replay_next_commit(bytes, len, replay->end, &span, &commit))
		return;
	if (commit.sequence != replay->sequence + 1 ||
	    replay_next_commit(bytes, len, span.end, &span, &commit))
		replay_damage(replay, replay->line,
			      "a wrong checksum, and whole transactions follow");
}

/* Transaction by transaction, until one does not fit. */
void replay_bytes(char *bytes, size_t len, struct rows *rows, struct replay *replay)
{
	struct span span = {0};
	struct record_commit commit;

	*replay = (struct replay){.line = 1};
	while (replay_next_commit(bytes, len, span.start, &span, &commit)) {
		if (commit.sequence != replay->sequence + 1 ||
		    !replay_crc_fits(bytes, &span, &commit))
			break;
		if (rows != NULL && replay_apply(bytes, &span, rows, &commit, replay) < 0)
			return;
		replay->line += span.lines;
		replay->sequence = commit.sequence;
		replay->head = commit.head;
		replay->end = span.end;
		span.start = span.end;
	}
	replay_judge_rest(bytes, len, replay);
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
	    !replay_crc_fits(bytes, &span, &commit))
		return false;
	replay->sequence = commit.sequence;
	replay->head = commit.head;
	replay->end = len;
	return true;
}
