// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/report.h"

#include <unistd.h>

void report_open(struct report *report, const struct options *options)
{
	*report = (struct report){
	    .ops = options->json ? &report_json_ops : &report_text_ops,
	    .options = options,
	    .terminal = isatty(STDOUT_FILENO),
	};
	report->colored =
	    options->color == COLOR_ALWAYS || (options->color == COLOR_AUTO && report->terminal);
}

/* Adds what was done in one box. */
static void add_tally(struct tally *total, const struct tally *tally)
{
	for (enum side side = LOCAL; side < SIDES; side++) {
		total->created[side] += tally->created[side];
		total->copied[side] += tally->copied[side];
		total->flagged[side] += tally->flagged[side];
		total->removed[side] += tally->removed[side];
		total->bytes[side] += tally->bytes[side];
	}
	total->paired += tally->paired;
}

void report_channel(struct report *report, const struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		bool blocked = box->plan.verdict[LOCAL].reason != GUARD_FINE ||
			       box->plan.verdict[REMOTE].reason != GUARD_FINE;
		bool uneven = box->error.kind != ERROR_NONE || box->plan.refused;

		report->mailboxes++;
		add_tally(&report->total, &box->tally);
		if (blocked) {
			report->blocked++;
			report->status = exit_status_worse(report->status, STATUS_SAFETY);
		}
		if (uneven) {
			report->uneven++;
			report->status = exit_status_worse(report->status, STATUS_PART);
		}
		if (blocked || uneven)
			report->ops->trouble(report, channel, box);
	}
}

void report_failure(struct report *report, const char *channel, const struct error *err)
{
	report->status = exit_status_worse(report->status, exit_status_of(err));
	report->ops->failed(report, channel, err);
}
