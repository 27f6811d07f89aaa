// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Progress for people: one line on a terminal's stderr, drawn anew at most ten times a second and
 * cleared at the end. The totals come from the plan.
 *
 *	progress_open(&meter, options, "personal")
 *	progress_expect(&meter, channel)	after account_plan
 *	...					meter.progress is told of each message
 *	progress_close(&meter)			before anything else is printed
 */
#ifndef CMD_REPORT_PROGRESS_H
#define CMD_REPORT_PROGRESS_H

#include "base/buf.h"
#include "cmd/options.h"
#include "sync/channel.h"

struct meter {
	struct progress progress; /* first: what the sync layer is given */
	const char *channel;
	bool shown;
	uint64_t messages;
	uint64_t bytes;
	uint64_t all_messages;
	uint64_t all_bytes;
	bool sized; /* all_bytes counts every message */
	int64_t began_ms;
	int64_t drawn_ms;
};

/* Whether this run draws progress at all. */
bool progress_is_wanted(const struct options *options);
void progress_open(struct meter *meter, const struct options *options, const char *channel);
/* Takes what is to be copied from the plans of the channel's boxes. */
void progress_expect(struct meter *meter, const struct channel *channel);
void progress_close(struct meter *meter);

/* Appends the line as it reads at that moment. */
void progress_line(const struct meter *meter, int64_t now_ms, struct buf *out);
/* Brings the cursor to an empty line, wherever a line of progress may stand. */
#define PROGRESS_CLEAR "\r\033[K"

#endif
