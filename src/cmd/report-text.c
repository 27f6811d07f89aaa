// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/report.h"

#include "base/text.h"

#include <stdio.h>

/* "2 new" for a count that is not 0, with a comma where something came before. */
static void print_count(size_t count, const char *what, bool *any)
{
	if (!count)
		return;
	printf("%s%zu %s", *any ? ", " : " ", count, what);
	*any = true;
}

/* One side's part of a line: " local: 2 new, 1 flagged" */
static void print_side(const struct tally *tally, enum side side, bool *any_side)
{
	bool any = false;

	if (!tally->created[side] && !tally->copied[side] && !tally->flagged[side] &&
	    !tally->removed[side])
		return;
	printf("%s %s:", *any_side ? ";" : "", side_name(side));
	if (tally->created[side]) {
		fputs(" mailbox created", stdout);
		any = true;
	}
	print_count(tally->copied[side], "new", &any);
	print_count(tally->flagged[side], "flagged", &any);
	print_count(tally->removed[side], "removed", &any);
	*any_side = true;
}

/* What a plan will do, in the shape of what was done. */
static struct tally tally_of_plan(const struct plan *plan)
{
	struct tally tally = {0};

	for (enum side side = LOCAL; side < SIDES; side++) {
		tally.created[side] = plan_count(plan, OP_CREATE, side);
		tally.copied[side] = plan_count(plan, OP_COPY, side);
		tally.flagged[side] = plan_count(plan, OP_FLAG, side);
		tally.removed[side] =
		    plan_count(plan, OP_REMOVE, side) + plan_count(plan, OP_TRASH, side);
	}
	tally.paired = plan_count(plan, OP_PAIR, LOCAL);
	return tally;
}

/* One line for one mailbox, nothing where nothing happened. */
static void print_box(const struct channel *channel, const struct box *box,
		      const struct tally *tally)
{
	bool any = false;

	if (!tally->created[LOCAL] && !tally->created[REMOTE] && !tally->copied[LOCAL] &&
	    !tally->copied[REMOTE] && !tally->flagged[LOCAL] && !tally->flagged[REMOTE] &&
	    !tally->removed[LOCAL] && !tally->removed[REMOTE] && !tally->paired)
		return;
	printf("%s/%s:", channel->setup.name, text_show(box->name));
	for (enum side side = LOCAL; side < SIDES; side++)
		print_side(tally, side, &any);
	if (tally->paired)
		printf("%s %zu matched", any ? ";" : "", tally->paired);
	putchar('\n');
}

/* "+S -F" */
static void print_change(const struct op *op)
{
	char letters[FLAGS_LETTERS_MAX];

	flags_letters(op->add, letters);
	if (*letters)
		printf(" +%s", letters);
	flags_letters(op->remove, letters);
	if (*letters)
		printf(" -%s", letters);
}

/* One operation: "  M7 local copy UID 12, 3.1 kB: new on the other side" */
static void print_op(const struct op *op)
{
	printf("  %-2s %-6s %s", rule_name(op->rule), side_name(op->side), op_name(op->kind));
	if (op->kind == OP_FLAG)
		print_change(op);
	if (op->uid)
		printf(" UID %u", op->uid);
	if (op->name)
		printf(" %s", text_show(op->name));
	if (op->kind == OP_COPY && op->identity.size != SIZE_UNKNOWN)
		printf(", %s", text_size(op->identity.size));
	printf(": %s%s\n", rule_text(op->rule), op->blocked ? " (stopped)" : "");
}

static void text_plan(struct report *report, const struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		const struct tally tally = tally_of_plan(&box->plan);
		if (!box->active)
			continue;
		print_box(channel, box, &tally);
		for (size_t k = 0; report->options->verbose && k < box->plan.len; k++)
			print_op(&box->plan.ops[k]);
	}
}

static void text_done(struct report *report, const struct channel *channel)
{
	if (report->options->quiet || (!report->terminal && !report->options->verbose))
		return;
	for (size_t i = 0; i < channel->len; i++)
		print_box(channel, &channel->boxes[i], &channel->boxes[i].tally);
}

/* What the guard stopped, and how to allow it. */
static void print_verdict(const struct channel *channel, const struct box *box, enum side side)
{
	const struct guard_verdict *verdict = &box->plan.verdict[side];
	const char *name = text_show(box->name);

	if (verdict->reason == GUARD_FINE)
		return;
	fprintf(stderr,
		"evenmail: %s/%s: stopped before %zu of %zu messages were deleted on the %s side: "
		"on the %s side %s. Everything else was done. If that is meant: evenmail sync "
		"--allow-deletions '%s/%s'\n",
		channel->setup.name, name, verdict->deletions, verdict->held, side_name(side),
		side_name(other_side(side)), guard_reason_text(verdict->reason),
		channel->setup.name, name);
}

static void text_trouble(struct report *report, const struct channel *channel,
			 const struct box *box)
{
	(void)report;
	for (enum side side = LOCAL; side < SIDES; side++)
		print_verdict(channel, box, side);
	if (box->error.kind != ERROR_NONE)
		fprintf(stderr, "evenmail: %s/%s: %s\n", channel->setup.name, text_show(box->name),
			box->error.text);
	if (box->plan.refused)
		fprintf(stderr,
			"evenmail: %s/%s: %zu messages were refused by the other side before; "
			"evenmail status -v '%s/%s' says why\n",
			channel->setup.name, text_show(box->name), box->plan.refused,
			channel->setup.name, text_show(box->name));
}

static void text_failed(struct report *report, const char *channel, const struct error *err)
{
	(void)report;
	if (channel)
		fprintf(stderr, "evenmail: %s: %s\n", channel, err->text);
	else
		fprintf(stderr, "evenmail: %s\n", err->text);
}

static void text_summary(struct report *report)
{
	const struct options *options = report->options;
	const struct tally *total = &report->total;

	if (options->quiet || (!report->terminal && !options->verbose))
		return;
	printf("%zu mailboxes: %zu new here, %zu new there, %zu flagged, %zu removed\n",
	       report->mailboxes, total->copied[LOCAL], total->copied[REMOTE],
	       total->flagged[LOCAL] + total->flagged[REMOTE],
	       total->removed[LOCAL] + total->removed[REMOTE]);
}

const struct report_ops report_text_ops = {
    .plan = text_plan,
    .done = text_done,
    .trouble = text_trouble,
    .failed = text_failed,
    .summary = text_summary,
};
