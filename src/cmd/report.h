// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a command says: as text for people (stdout; trouble on stderr), or as JSON, one object a
 * line on stdout, the last one {"event":"summary",...} (trouble is in it and on stderr as well).
 *
 * Everything is read from the values that a run leaves in its channel: plans, tallies, verdicts,
 * errors. A good run that is not asked to be verbose and has no terminal prints nothing.
 */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include "cmd/exit-status.h"
#include "cmd/options.h"
#include "sync/channel.h"

struct report;

/* The two ways to say things. */
struct report_ops {
	/* The plan of one channel, every operation of it. */
	void (*plan)(struct report *report, const struct channel *channel);
	/* What was done in one channel. */
	void (*done)(struct report *report, const struct channel *channel);
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
	bool terminal; /* stdout is one */
	bool colored;
	struct tally total;
	size_t mailboxes; /* looked at */
	size_t uneven;    /* with errors */
	size_t blocked;   /* by a safety check */
	enum exit_status status;
};

void report_open(struct report *report, const struct options *options);
/* Adds a channel's boxes to the figures and tells of trouble; raises the status. */
void report_channel(struct report *report, const struct channel *channel);
/* A channel (or the command, NULL) ended by an error; raises the status. */
void report_failure(struct report *report, const char *channel, const struct error *err);

extern const struct report_ops report_text_ops;
extern const struct report_ops report_json_ops;

#endif
