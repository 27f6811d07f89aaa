// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What sync, plan and backup say: as text for people (stdout; trouble on stderr), or as JSON, one
 * object a line on stdout, the last one {"event":"summary",...} (trouble is in it and on stderr as
 * well). The other commands end by the same summary.
 *
 * Everything is read from the values that a run leaves in its channel: plans, tallies, verdicts,
 * errors. A good run that is not asked to be verbose and has no terminal prints nothing.
 */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include "cmd/exit-status.h"
#include "cmd/json-line.h"
#include "cmd/options.h"
#include "sync/channel.h"

struct report;

/* The two ways to say things. */
struct report_ops {
	/* What was (or, where it is only planned, would be) done in one channel. */
	void (*channel)(struct report *report, const struct channel *channel);
	/* A mailbox that could not be made even, or that a safety check stopped. */
	void (*trouble)(struct report *report, const struct channel *channel,
			const struct box *box);
	/* What ended a channel's run, or (channel NULL) the command. */
	void (*failed)(struct report *report, const char *channel, const struct error *err);
	/* The end. */
	void (*summary)(struct report *report);
};

struct report {
	const struct report_ops *ops;
	const struct options *options;
	bool planned;        /* nothing is carried out: figures are those of the plans */
	bool figures;        /* the summary has any: the command works on messages */
	bool terminal;       /* stdout is one */
	bool colored;        /* stdout */
	bool colored_errors; /* stderr */
	struct tally total;
	bool unsized[SIDES]; /* not all bytes of what is planned are known */
	size_t mailboxes; /* looked at */
	size_t uneven;    /* with errors */
	size_t blocked;   /* by a safety check */
	enum exit_status status;
};

void report_open(struct report *report, const struct options *options);
/* Tells of a channel's boxes, adds them to the figures and raises the status. */
void report_channel(struct report *report, const struct channel *channel);
/* A channel (or the command, NULL) ended by an error; raises the status. */
void report_failure(struct report *report, const char *channel, const struct error *err);
/* Says the end of a command and returns its status. */
enum exit_status report_close(struct report *report);

/* What was done in a box, or would be. */
struct tally report_tally(const struct report *report, const struct box *box);
/* True where neither side changes by it. */
bool report_tally_is_empty(const struct tally *tally);
/* "2025-06-02 09:10:33" in local time; "never" for 0. */
#define REPORT_TIME_MAX 32
void report_time(int64_t seconds, char out[REPORT_TIME_MAX]);
/* One operation of a plan as a line: "  M7 local  copy UID 12, 3.1 kB: new on the other side". */
void report_print_op(const struct channel *channel, const struct op *op);
/* The same as keys: "op", "side", "rule", ..., "blocked". */
void report_put_op(struct line *line, const struct channel *channel, const struct op *op);
/* "stopped_local", "stopped_remote": what the guard stopped in a box; none where nothing. */
void report_put_verdicts(struct line *line, const struct box *box);
/* Appends CHANNEL/MAILBOX so that a shell takes it for one word, whatever the server named it. */
void report_quote(struct buf *out, const char *channel, const char *mailbox);

extern const struct report_ops report_text_ops;
extern const struct report_ops report_json_ops;

#endif
