// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/json-line.h"
#include "cmd/report.h"

/* "local":{"created":0,"new":2,...},"remote":{...},"matched":0 */
static void put_tally(struct line *line, const struct tally *tally)
{
	for (enum side side = LOCAL; side < SIDES; side++) {
		json_key(&line->json, side_name(side));
		json_object(&line->json);
		line_count(line, "created", tally->created[side]);
		line_count(line, "deleted", tally->deleted[side]);
		line_count(line, "renamed", tally->renamed[side]);
		line_count(line, "new", tally->copied[side]);
		line_count(line, "copied", tally->cloned[side]);
		line_count(line, "flagged", tally->flagged[side]);
		line_count(line, "moved", tally->moved[side]);
		line_count(line, "removed", tally->removed[side]);
		json_end_object(&line->json);
	}
	line_count(line, "matched", tally->paired);
	json_key(&line->json, "bytes");
	json_object(&line->json);
	for (enum side side = LOCAL; side < SIDES; side++)
		line_count(line, side_name(side), tally->bytes[side]);
	json_end_object(&line->json);
}

void report_put_op(struct line *line, const struct channel *channel, const struct op *op)
{
	char letters[FLAGS_LETTERS_MAX];

	line_text(line, "op", op_name(op->kind));
	line_text(line, "side", side_name(op->side));
	line_text(line, "rule", rule_name(op->rule));
	if (op->uid)
		line_count(line, "uid", op->uid);
	if (op->name)
		line_text(line, "name", op->name);
	if (op->kind == OP_MOVE)
		line_text(line, "to", channel->boxes[op->target].name);
	if (op->kind == OP_CLONE)
		line_text(line, "from", channel->boxes[op->target].name);
	if (op->kind == OP_RENAME)
		line_text(line, "to", op->there.name);
	if (op->kind == OP_FLAG) {
		flags_letters(op->add, letters);
		line_text(line, "add", letters);
		flags_letters(op->remove, letters);
		line_text(line, "remove", letters);
		line_keywords(line, "add_keywords", op->add.keywords);
		line_keywords(line, "remove_keywords", op->remove.keywords);
	}
	if (op->kind == OP_COPY && op->identity.size != SIZE_UNKNOWN)
		line_count(line, "size", op->identity.size);
	line_bool(line, "blocked", op->blocked);
}

/* One operation of a plan. */
static void print_op(const struct channel *channel, const struct box *box, const struct op *op)
{
	struct line line;

	line_begin(&line, "op", channel->setup.name, box->name);
	report_put_op(&line, channel, op);
	line_end(&line);
}

/* One mailbox: its figures and, where it is even, that. */
static void print_box(struct report *report, const struct channel *channel, const struct box *box)
{
	const struct tally tally = report_tally(report, box);
	struct line line;

	line_begin(&line, "mailbox", channel->setup.name, box->name);
	put_tally(&line, &tally);
	if (!report->planned)
		line_bool(&line, "even", box->even);
	line_end(&line);
}

static void json_channel(struct report *report, const struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		if (!box->active)
			continue;
		for (size_t k = 0; report->planned && k < box->plan.len; k++)
			print_op(channel, box, &box->plan.ops[k]);
		print_box(report, channel, box);
	}
}

void report_put_verdicts(struct line *line, const struct box *box)
{
	static const char *const keys[SIDES] = {"stopped_local", "stopped_remote"};

	for (enum side side = LOCAL; side < SIDES; side++) {
		const struct guard_verdict *verdict = &box->plan.verdict[side];
		if (verdict->reason == GUARD_FINE)
			continue;
		json_key(&line->json, keys[side]);
		json_object(&line->json);
		line_text(line, "reason", guard_reason_text(verdict->reason));
		line_count(line, "deletions", verdict->deletions);
		line_count(line, "of", verdict->held);
		json_end_object(&line->json);
	}
}

static void json_trouble(struct report *report, const struct channel *channel,
			 const struct box *box)
{
	struct line line;

	report_text_ops.trouble(report, channel, box);
	line_begin(&line, "trouble", channel->setup.name, box->name);
	report_put_verdicts(&line, box);
	if (box->error.kind != ERROR_NONE)
		line_text(&line, "error", box->error.text);
	line_count(&line, "refused", box->plan.refused);
	line_end(&line);
}

static void json_failed(struct report *report, const char *channel, const struct error *err)
{
	struct line line;

	report_text_ops.failed(report, channel, err);
	line_begin(&line, "error", channel, NULL);
	line_text(&line, "error", err->text);
	line_count(&line, "status", (uint64_t)exit_status_of(err));
	line_end(&line);
}

static void json_summary(struct report *report)
{
	struct line line;

	line_begin(&line, "summary", NULL, NULL);
	line_count(&line, "status", (uint64_t)report->status);
	line_count(&line, "mailboxes", report->mailboxes);
	if (report->figures) {
		put_tally(&line, &report->total);
		line_count(&line, "uneven", report->uneven);
		line_count(&line, "stopped", report->blocked);
	}
	line_end(&line);
}

const struct report_ops report_json_ops = {
    .channel = json_channel,
    .trouble = json_trouble,
    .failed = json_failed,
    .summary = json_summary,
};
