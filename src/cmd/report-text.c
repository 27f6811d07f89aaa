// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/report.h"

#include "base/text.h"

#include <stdio.h>

#define HINT_MAX 8192

/* What is drawn in which color; nothing where the stream is not to be colored. */
#define RED    "31"
#define GREEN  "32"
#define YELLOW "33"
#define BOLD   "1"

/* Begins a color. */
static void begin(FILE *out, bool colored, const char *color)
{
	if (colored)
		fprintf(out, "\033[%sm", color);
}

/* Ends it. */
static void end(FILE *out, bool colored)
{
	if (colored)
		fputs("\033[m", out);
}

/* The word for what was done, or for what is still to be done. */
static const char *tense(const struct report *report, const char *done, const char *planned)
{
	return report->planned ? planned : done;
}

/* " 2 new" for a count that is not 0, with a comma where something came before. */
static void print_count(const struct report *report, size_t count, const char *what,
			const char *color, bool *any)
{
	if (!count)
		return;
	fputs(*any ? ", " : " ", stdout);
	begin(stdout, report->colored, color);
	printf("%zu %s", count, what);
	end(stdout, report->colored);
	*any = true;
}

/* One side's part of a line: " local: 2 new, 1 flagged" */
static void print_side(const struct report *report, const struct tally *tally, enum side side,
		       bool *any_side)
{
	bool any = tally->created[side] || tally->deleted[side] || tally->renamed[side];

	if (!any && !tally->copied[side] && !tally->cloned[side] && !tally->flagged[side] &&
	    !tally->moved[side] && !tally->removed[side])
		return;
	printf("%s %s:%s%s%s", *any_side ? ";" : "", side_name(side),
	       tally->created[side] ? tense(report, " mailbox created", " mailbox to create") : "",
	       tally->deleted[side] ? tense(report, " mailbox deleted", " mailbox to delete") : "",
	       tally->renamed[side] ? tense(report, " mailbox renamed", " mailbox to rename") : "");
	print_count(report, tally->copied[side], tense(report, "new", "to copy"), GREEN, &any);
	print_count(report, tally->cloned[side], tense(report, "copied within", "to copy within"),
		    GREEN, &any);
	print_count(report, tally->flagged[side], tense(report, "flagged", "to flag"), YELLOW,
		    &any);
	print_count(report, tally->moved[side], tense(report, "moved away", "to move away"), YELLOW,
		    &any);
	print_count(report, tally->removed[side], tense(report, "removed", "to remove"), RED, &any);
	*any_side = true;
}

/* One line for one mailbox, nothing where nothing happened. */
static void print_box(const struct report *report, const struct channel *channel,
		      const struct box *box)
{
	const struct tally tally = report_tally(report, box);
	bool any = false;

	if (report_tally_is_empty(&tally) && !tally.paired)
		return;
	begin(stdout, report->colored, BOLD);
	printf("%s/%s", channel->setup.name, text_show(box->name));
	end(stdout, report->colored);
	putchar(':');
	for (enum side side = LOCAL; side < SIDES; side++)
		print_side(report, &tally, side, &any);
	if (tally.paired)
		printf("%s %zu %s", any ? ";" : "", tally.paired,
		       tense(report, "matched", "to match"));
	putchar('\n');
}

/* " +FS +Work": letters together, each keyword by itself. */
static void print_flags(struct flags flags, char sign)
{
	char letters[FLAGS_LETTERS_MAX];

	flags_letters(flags, letters);
	if (*letters)
		printf(" %c%s", sign, letters);
	for (size_t i = 0; i < keywords_count(flags.keywords); i++)
		printf(" %c%s", sign, keywords_name(flags.keywords, i));
}

void report_print_op(const struct channel *channel, const struct op *op)
{
	printf("  %-2s %-6s %s", rule_name(op->rule), side_name(op->side), op_name(op->kind));
	if (op->kind == OP_FLAG) {
		print_flags(op->add, '+');
		print_flags(op->remove, '-');
	}
	if (op->uid)
		printf(" UID %u", op->uid);
	if (op->name)
		printf(" %s", text_show(op->name));
	if (op->kind == OP_MOVE)
		printf(" to %s", text_show(channel->boxes[op->target].name));
	if (op->kind == OP_CLONE)
		printf(" from %s", text_show(channel->boxes[op->target].name));
	if (op->kind == OP_RENAME)
		printf(" to %s", text_show(op->there.name));
	if (op->kind == OP_COPY && op->identity.size != SIZE_UNKNOWN)
		printf(", %s", text_size(op->identity.size));
	printf(": %s%s\n", rule_text(op->rule), op->blocked ? " (stopped)" : "");
}

/* A run that nobody watches says nothing; a plan is asked for to be read. */
static bool is_silent(const struct report *report)
{
	const struct options *options = report->options;

	return options->quiet || (!report->planned && !report->terminal && !options->verbose);
}

static void text_channel(struct report *report, const struct channel *channel)
{
	if (is_silent(report))
		return;
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		print_box(report, channel, box);
		for (size_t k = 0; report->planned && report->options->verbose && k < box->plan.len;
		     k++)
			report_print_op(channel, &box->plan.ops[k]);
	}
}

/* "evenmail: " at the head of every line of trouble. */
static void print_prefix(const struct report *report)
{
	begin(stderr, report->colored_errors, RED);
	fputs("evenmail:", stderr);
	end(stderr, report->colored_errors);
	fputc(' ', stderr);
}

/* What the guard stopped, and how to allow it. */
static void print_verdict(const struct report *report, const struct channel *channel,
			  const struct box *box, enum side side)
{
	const struct guard_verdict *verdict = &box->plan.verdict[side];
	struct buf word;

	if (verdict->reason == GUARD_FINE)
		return;
	buf_init(&word, HINT_MAX);
	report_quote(&word, channel->setup.name, box->name);
	print_prefix(report);
	fprintf(stderr,
		"%s/%s: stopped before %zu of %zu messages were deleted on the %s side: on the %s "
		"side %s. Everything else %s done. If that is meant: evenmail sync "
		"--allow-deletions %s\n",
		channel->setup.name, text_show(box->name), verdict->deletions, verdict->held,
		side_name(side), side_name(other_side(side)), guard_reason_text(verdict->reason),
		report->planned ? "would be" : "was", word.data);
	buf_free(&word);
}

/* Where to read why messages stay behind. */
static void print_refused(const struct report *report, const struct channel *channel,
			  const struct box *box)
{
	struct buf word;

	buf_init(&word, HINT_MAX);
	report_quote(&word, channel->setup.name, box->name);
	print_prefix(report);
	fprintf(stderr,
		"%s/%s: %zu message%s refused by the other side before; evenmail status %s says "
		"why, and sync --retry-refused tries again\n",
		channel->setup.name, text_show(box->name), box->plan.refused,
		box->plan.refused == 1 ? " was" : "s were", word.data);
	buf_free(&word);
}

static void text_trouble(struct report *report, const struct channel *channel,
			 const struct box *box)
{
	for (enum side side = LOCAL; side < SIDES; side++)
		print_verdict(report, channel, box, side);
	if (box->error.kind != ERROR_NONE) {
		print_prefix(report);
		fprintf(stderr, "%s/%s: %s\n", channel->setup.name, text_show(box->name),
			box->error.text);
	}
	if (box->plan.refused)
		print_refused(report, channel, box);
}

static void text_failed(struct report *report, const char *channel, const struct error *err)
{
	print_prefix(report);
	if (channel)
		fprintf(stderr, "%s: ", channel);
	fprintf(stderr, "%s\n", err->text);
}

/* "2 new here (1.2 kB)"; no bytes where there are none, or not all are known. */
static void print_copied(const struct report *report, enum side side, const char *where)
{
	const struct tally *total = &report->total;

	printf("%zu %s %s", total->copied[side], tense(report, "new", "to copy"), where);
	if (total->copied[side] && !report->unsized[side])
		printf(" (%s)", text_size(total->bytes[side]));
	fputs(", ", stdout);
}

static void text_summary(struct report *report)
{
	const struct tally *total = &report->total;

	if (is_silent(report) || !report->figures)
		return;
	printf("%zu mailbox%s: ", report->mailboxes, report->mailboxes == 1 ? "" : "es");
	if (report_tally_is_empty(total) && !total->paired) {
		printf("nothing %sto do\n", report->status != STATUS_EVEN ? "else " : "");
		return;
	}
	print_copied(report, LOCAL, "here");
	print_copied(report, REMOTE, "there");
	printf("%zu %s, %zu %s, %zu %s\n", total->flagged[LOCAL] + total->flagged[REMOTE],
	       tense(report, "flagged", "to flag"), total->moved[LOCAL] + total->moved[REMOTE],
	       tense(report, "moved", "to move"), total->removed[LOCAL] + total->removed[REMOTE],
	       tense(report, "removed", "to remove"));
}

const struct report_ops report_text_ops = {
    .channel = text_channel,
    .trouble = text_trouble,
    .failed = text_failed,
    .summary = text_summary,
};
