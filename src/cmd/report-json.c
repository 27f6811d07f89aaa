// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/report.h"

#include "base/json.h"

#include <stdio.h>

#define LINE_MAX_BYTES (1u << 20)

/* Prints and frees one line. */
static void end_line(struct json *json)
{
	json_end_object(json);
	fwrite(json->out->data, 1, json->out->len, stdout);
	putchar('\n');
	buf_free(json->out);
}

/* Begins a line: an object with its event, channel and mailbox (those that are not NULL). */
static void begin_line(struct json *json, struct buf *buf, const char *event, const char *channel,
		       const char *mailbox)
{
	buf_init(buf, LINE_MAX_BYTES);
	json_init(json, buf);
	json_object(json);
	json_key(json, "event");
	json_string(json, event);
	if (channel) {
		json_key(json, "channel");
		json_string(json, channel);
	}
	if (mailbox) {
		json_key(json, "mailbox");
		json_string(json, mailbox);
	}
}

static void put_text(struct json *json, const char *key, const char *text)
{
	json_key(json, key);
	json_string(json, text);
}

static void put_count(struct json *json, const char *key, uint64_t count)
{
	json_key(json, key);
	json_uint(json, count);
}

/* {"created":0,"new":2,...} for each side. */
static void put_tally(struct json *json, const struct tally *tally)
{
	for (enum side side = LOCAL; side < SIDES; side++) {
		json_key(json, side_name(side));
		json_object(json);
		put_count(json, "created", tally->created[side]);
		put_count(json, "new", tally->copied[side]);
		put_count(json, "bytes", tally->bytes[side]);
		put_count(json, "flagged", tally->flagged[side]);
		put_count(json, "removed", tally->removed[side]);
		json_end_object(json);
	}
	put_count(json, "matched", tally->paired);
}

/* One operation of a plan. */
static void print_op(const struct channel *channel, const struct box *box, const struct op *op)
{
	char letters[FLAGS_LETTERS_MAX];
	struct json json;
	struct buf buf;

	begin_line(&json, &buf, "op", channel->setup.name, box->name);
	put_text(&json, "op", op_name(op->kind));
	put_text(&json, "side", side_name(op->side));
	put_text(&json, "rule", rule_name(op->rule));
	if (op->uid)
		put_count(&json, "uid", op->uid);
	if (op->name)
		put_text(&json, "name", op->name);
	if (op->kind == OP_FLAG) {
		flags_letters(op->add, letters);
		put_text(&json, "add", letters);
		flags_letters(op->remove, letters);
		put_text(&json, "remove", letters);
	}
	if (op->kind == OP_COPY && op->identity.size != SIZE_UNKNOWN)
		put_count(&json, "size", op->identity.size);
	json_key(&json, "blocked");
	json_bool(&json, op->blocked);
	end_line(&json);
}

static void json_plan(struct report *report, const struct channel *channel)
{
	(void)report;
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		for (size_t k = 0; box->active && k < box->plan.len; k++)
			print_op(channel, box, &box->plan.ops[k]);
	}
}

static void json_done(struct report *report, const struct channel *channel)
{
	(void)report;
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		struct json json;
		struct buf buf;
		if (!box->active)
			continue;
		begin_line(&json, &buf, "mailbox", channel->setup.name, box->name);
		put_tally(&json, &box->tally);
		json_key(&json, "even");
		json_bool(&json, box->even);
		end_line(&json);
	}
}

static void json_trouble(struct report *report, const struct channel *channel,
			 const struct box *box)
{
	struct json json;
	struct buf buf;

	report_text_ops.trouble(report, channel, box);
	begin_line(&json, &buf, "trouble", channel->setup.name, box->name);
	for (enum side side = LOCAL; side < SIDES; side++) {
		const struct guard_verdict *verdict = &box->plan.verdict[side];
		if (verdict->reason == GUARD_FINE)
			continue;
		json_key(&json, side == LOCAL ? "stopped_local" : "stopped_remote");
		json_object(&json);
		put_text(&json, "reason", guard_reason_text(verdict->reason));
		put_count(&json, "deletions", verdict->deletions);
		put_count(&json, "of", verdict->held);
		json_end_object(&json);
	}
	if (box->error.kind != ERROR_NONE)
		put_text(&json, "error", box->error.text);
	put_count(&json, "refused", box->plan.refused);
	end_line(&json);
}

static void json_failed(struct report *report, const char *channel, const struct error *err)
{
	struct json json;
	struct buf buf;

	report_text_ops.failed(report, channel, err);
	begin_line(&json, &buf, "error", channel, NULL);
	put_text(&json, "error", err->text);
	put_count(&json, "status", (uint64_t)exit_status_of(err));
	end_line(&json);
}

static void json_summary(struct report *report)
{
	struct json json;
	struct buf buf;

	begin_line(&json, &buf, "summary", NULL, NULL);
	put_count(&json, "mailboxes", report->mailboxes);
	put_tally(&json, &report->total);
	put_count(&json, "uneven", report->uneven);
	put_count(&json, "stopped", report->blocked);
	put_count(&json, "status", (uint64_t)report->status);
	end_line(&json);
}

const struct report_ops report_json_ops = {
    .plan = json_plan,
    .done = json_done,
    .trouble = json_trouble,
    .failed = json_failed,
    .summary = json_summary,
};
