// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap/wirelog.h"

#include "base/log.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* Escaping can make four bytes of one. */
#define WIRELOG_SHOWN_MAX (4 * IMAP_WIRELOG_LINE_MAX + 64)

/* Starts at the beginning of a line. */
void imap_wirelog_init(struct imap_wirelog *log)
{
	*log = (struct imap_wirelog){0};
	buf_init(&log->line, IMAP_WIRELOG_LINE_MAX);
}

/* Frees the line held. */
void imap_wirelog_free(struct imap_wirelog *log)
{
	buf_free(&log->line);
}

/* Logs one line, harmless. */
static void wirelog_show(const char *who, const struct buf *line)
{
	struct buf shown;

	buf_init(&shown, WIRELOG_SHOWN_MAX);
	text_escape(&shown, line->data ? line->data : "", line->len, IMAP_WIRELOG_LINE_MAX);
	log_line(LOG_LEVEL_WIRE, "%s%s%s", who, shown.data ? shown.data : "",
		 line->full ? "..." : "");
	buf_free(&shown);
}

/* Appends as much as fits. */
static void wirelog_put(struct buf *line, const char *bytes, size_t len)
{
	size_t room = line->max - line->len;

	buf_append(line, bytes, len < room ? len : room);
	if (len > room)
		line->full = true;
}

/* Shows a command with its literals as numbers. */
void imap_wirelog_command(const struct imap_command *command)
{
	const struct buf *text = &command->text;
	struct buf line;
	size_t at = 0;

	if (!log_shows(LOG_LEVEL_WIRE))
		return;
	buf_init(&line, IMAP_WIRELOG_LINE_MAX);
	for (size_t i = 0; i < command->literals_len; i++) {
		const struct imap_literal *literal = &command->literals[i];
		char number[IMAP_ANNOUNCE_MAX];
		size_t len = imap_command_announce(literal, true, number);

		wirelog_put(&line, text->data + at, literal->at - at);
		wirelog_put(&line, number, len - strlen("\r\n"));
		at = literal->at + (literal->streamed ? 0 : (size_t)literal->len);
	}
	wirelog_put(&line, text->data + at, text->len - at - strlen("\r\n"));
	wirelog_show("C: ", &line);
	buf_free(&line);
}

/* The length of the literal that a line announces by its last bytes, 0 for none. */
static uint64_t wirelog_announced(const struct imap_wirelog *log)
{
	size_t len = log->line_len < sizeof(log->tail) ? log->line_len : sizeof(log->tail);
	const char *end = log->tail + sizeof(log->tail);
	const char *at = end - 1;
	uint64_t number = 0;

	if (len < 3 || *at != '}')
		return 0;
	const char *start = end - len;

	for (uint64_t unit = 1; --at > start && *at >= '0' && *at <= '9' && unit < UINT64_MAX / 100;
	     unit *= 10)
		number += unit * (uint64_t)(*at - '0');
	return *at == '{' ? number : 0;
}

/* Adds bytes of one line. */
static void wirelog_add(struct imap_wirelog *log, const char *bytes, size_t len)
{
	size_t keep = len < sizeof(log->tail) ? len : sizeof(log->tail);

	wirelog_put(&log->line, bytes, len);
	log->line_len += len;
	memmove(log->tail, log->tail + keep, sizeof(log->tail) - keep);
	memcpy(log->tail + sizeof(log->tail) - keep, bytes + len - keep, keep);
}

/* Ends a line, or goes on with it behind a literal. */
static void wirelog_end_line(struct imap_wirelog *log)
{
	log->literal = wirelog_announced(log);
	if (log->literal == 0) {
		wirelog_show("S: ", &log->line);
		buf_reset(&log->line);
	}
	log->line_len = 0;
}

/* Shows what came. */
void imap_wirelog_received(struct imap_wirelog *log, const char *bytes, size_t len)
{
	if (!log_shows(LOG_LEVEL_WIRE))
		return;
	while (len > 0) {
		size_t part = len;

		if (log->literal > 0) {
			part = log->literal < len ? (size_t)log->literal : len;
			log->literal -= part;
		} else {
			const char *end = memchr(bytes, '\n', len);

			part = end ? (size_t)(end - bytes) : len;
			/* A CR at a cut is put back by nobody: it is never kept. */
			for (size_t i = 0; i < part; i++) {
				if (bytes[i] != '\r')
					wirelog_add(log, bytes + i, 1);
			}
			if (end) {
				wirelog_end_line(log);
				part++;
			}
		}
		bytes += part;
		len -= part;
	}
}

/* Whether a line of the login begins as a command does: "A001 LOGIN". */
static bool wirelog_is_command(const char *bytes, size_t len, size_t *verb_end)
{
	static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char digits[] = "0123456789";
	size_t at = 1;

	if (len < 6 || !memchr(upper, bytes[0], sizeof(upper) - 1))
		return false;
	while (at < len && memchr(digits, bytes[at], sizeof(digits) - 1))
		at++;
	if (at < 4 || at >= len || bytes[at] != ' ')
		return false;
	size_t verb = ++at;

	while (at < len && memchr(upper, bytes[at], sizeof(upper) - 1))
		at++;
	*verb_end = at;
	return at > verb && (at == len || bytes[at] == ' ' || bytes[at] == '\r');
}

/* Shows the names of libcurl's commands, and nothing of their arguments. */
void imap_wirelog_login(const char *bytes, size_t len)
{
	size_t verb_end = 0;

	if (!log_shows(LOG_LEVEL_WIRE))
		return;
	if (!wirelog_is_command(bytes, len, &verb_end)) {
		log_line(LOG_LEVEL_WIRE, "C: ***");
		return;
	}
	bool more = verb_end < len && bytes[verb_end] == ' ';

	log_line(LOG_LEVEL_WIRE, "C: %.*s%s", (int)verb_end, bytes, more ? " ***" : "");
}
