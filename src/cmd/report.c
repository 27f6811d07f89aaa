// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/report.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Whether a stream is to be colored: as said, else where a terminal shows it (no-color.org). */
static bool is_colored(const struct options *options, int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (options->color != COLOR_AUTO)
		return options->color == COLOR_ALWAYS;
	return isatty(fd) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

void report_open(struct report *report, const struct options *options)
{
	*report = (struct report){
	    .ops = options->json ? &report_json_ops : &report_text_ops,
	    .options = options,
	    .planned = options->modes & MODE_DRY_RUN,
	    .terminal = isatty(STDOUT_FILENO),
	    .colored = is_colored(options, STDOUT_FILENO),
	    .colored_errors = is_colored(options, STDERR_FILENO),
	};
}

/* What a plan will do, in the shape of what was done. */
static struct tally tally_of_plan(const struct plan *plan)
{
	struct tally tally = {0};

	for (enum side side = LOCAL; side < SIDES; side++) {
		tally.created[side] = plan_count(plan, OP_CREATE, side);
		tally.deleted[side] = plan_count(plan, OP_DELETE, side);
		tally.renamed[side] = plan_count(plan, OP_RENAME, side);
		tally.copied[side] = plan_count(plan, OP_COPY, side);
		tally.cloned[side] = plan_count(plan, OP_CLONE, side);
		tally.flagged[side] = plan_count(plan, OP_FLAG, side);
		tally.moved[side] = plan_count(plan, OP_MOVE, side);
		tally.removed[side] = plan_count_removals(plan, side);
	}
	tally.paired = plan_count(plan, OP_PAIR, LOCAL);
	for (size_t i = 0; i < plan->len; i++) {
		const struct op *op = &plan->ops[i];
		if (op->kind == OP_COPY && !op->blocked && op->identity.size != SIZE_UNKNOWN)
			tally.bytes[op->side] += op->identity.size;
	}
	return tally;
}

struct tally report_tally(const struct report *report, const struct box *box)
{
	return report->planned ? tally_of_plan(&box->plan) : box->tally;
}

bool report_tally_is_empty(const struct tally *tally)
{
	for (enum side side = LOCAL; side < SIDES; side++)
		if (tally->created[side] || tally->deleted[side] || tally->renamed[side] ||
		    tally->copied[side] || tally->cloned[side] || tally->flagged[side] ||
		    tally->moved[side] || tally->removed[side])
			return false;
	return true;
}

/* Adds what was done in one box. */
static void add_tally(struct tally *total, const struct tally *tally)
{
	for (enum side side = LOCAL; side < SIDES; side++) {
		total->created[side] += tally->created[side];
		total->deleted[side] += tally->deleted[side];
		total->renamed[side] += tally->renamed[side];
		total->copied[side] += tally->copied[side];
		total->cloned[side] += tally->cloned[side];
		total->flagged[side] += tally->flagged[side];
		total->moved[side] += tally->moved[side];
		total->removed[side] += tally->removed[side];
		total->bytes[side] += tally->bytes[side];
	}
	total->paired += tally->paired;
}

/* New files are known by name: not all tell their size, and a plan reads none for that. */
static void note_unsized(struct report *report, const struct plan *plan)
{
	for (size_t i = 0; i < plan->len; i++) {
		const struct op *op = &plan->ops[i];
		if (op->kind == OP_COPY && !op->blocked && op->identity.size == SIZE_UNKNOWN)
			report->unsized[op->side] = true;
	}
}

/* Adds one box to the figures; tells of its trouble. */
static void add_box(struct report *report, const struct channel *channel, const struct box *box)
{
	const struct tally tally = report_tally(report, box);
	bool blocked = box->plan.verdict[LOCAL].reason != GUARD_FINE ||
		       box->plan.verdict[REMOTE].reason != GUARD_FINE;
	bool uneven = box->error.kind != ERROR_NONE || box->plan.refused;

	report->mailboxes += !(box->attributes & MAILBOX_NOSELECT);
	add_tally(&report->total, &tally);
	if (report->planned)
		note_unsized(report, &box->plan);
	report->blocked += blocked;
	report->uneven += uneven;
	if (uneven)
		report->status = exit_status_worse(report->status, STATUS_PART);
	if (blocked)
		report->status = exit_status_worse(report->status, STATUS_SAFETY);
	if (blocked || uneven)
		report->ops->trouble(report, channel, box);
}

void report_channel(struct report *report, const struct channel *channel)
{
	report->figures = true;
	report->ops->channel(report, channel);
	for (size_t i = 0; i < channel->len; i++)
		add_box(report, channel, &channel->boxes[i]);
}

void report_failure(struct report *report, const char *channel, const struct error *err)
{
	report->status = exit_status_worse(report->status, exit_status_of(err));
	report->ops->failed(report, channel, err);
}

enum exit_status report_close(struct report *report)
{
	report->ops->summary(report);
	return report->status;
}

void report_time(int64_t seconds, char out[REPORT_TIME_MAX])
{
	const time_t when = seconds;
	struct tm tm;

	if (!seconds || !localtime_r(&when, &tm) ||
	    !strftime(out, REPORT_TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(out, REPORT_TIME_MAX, "never");
}

/* A name with what text_escape() changes is only shown so: no shell word is that mailbox. */
void report_quote(struct buf *out, const char *channel, const char *mailbox)
{
	buf_putc(out, '\'');
	buf_puts(out, channel);
	buf_putc(out, '/');
	for (const char *at = text_show(mailbox); *at; at++) {
		if (*at == '\'')
			buf_puts(out, "'\\''");
		else
			buf_putc(out, *at);
	}
	buf_putc(out, '\'');
}
