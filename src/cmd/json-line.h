// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One line of --json: an object whose first keys are "event", "channel" and "mailbox".
 *
 *	line_begin(&line, "note", "personal", "INBOX");
 *	line_text(&line, "reason", text);
 *	line_end(&line);
 *
 * Keys come in the order of the calls, which evenmail(1) documents: programs may rely on it.
 */
#ifndef CMD_JSON_LINE_H
#define CMD_JSON_LINE_H

#include "base/json.h"
#include "mail/flags.h"

struct line {
	struct json json;
	struct buf buf;
};

/* channel and mailbox are left out where they are NULL. */
void line_begin(struct line *line, const char *event, const char *channel, const char *mailbox);
void line_text(struct line *line, const char *key, const char *text);
void line_count(struct line *line, const char *key, uint64_t count);
/* An array of their names. */
void line_keywords(struct line *line, const char *key, uint32_t keywords);
/* "flags", their letters, and "keywords". */
void line_flags(struct line *line, struct flags flags);
void line_bool(struct line *line, const char *key, bool yes);
/* Seconds since the epoch. */
void line_time(struct line *line, const char *key, int64_t seconds);
/* Prints it to stdout; the newline is the writer's. */
void line_end(struct line *line);

#endif
