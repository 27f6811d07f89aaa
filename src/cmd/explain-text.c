// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/explain.h"

#include "base/text.h"
#include "cmd/note.h"
#include "cmd/report.h"
#include "sync/head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_SECOND 1000000000

/* "personal/INBOX:", the head of it all. */
static void print_head(const struct explain_scene *scene)
{
	printf("%s/%s:\n", scene->channel->setup.name, text_show(scene->box->name));
}

/* ", flags FS +Work"; "-" for none. */
static void print_flags(struct flags flags)
{
	char letters[FLAGS_LETTERS_MAX];

	flags_letters(flags, letters);
	printf(", flags %s", *letters ? letters : "-");
	for (size_t i = 0; i < keywords_count(flags.keywords); i++)
		printf(" +%s", keywords_name(flags.keywords, i));
}

/* ", 1.2 kB, 2025-06-02 09:10:33" as far as that is known. */
static void print_size(uint64_t size, int64_t date)
{
	char when[REPORT_TIME_MAX];

	if (size != SIZE_UNKNOWN)
		printf(", %s", text_size(size));
	if (date == DATE_UNKNOWN)
		return;
	report_time(date, when);
	printf(", %s", when);
}

/* "  local    1719.M1.host, flags S, 1.2 kB" */
static void print_held(const struct explain_scene *scene, const struct sighting *it, enum side side)
{
	const struct identity *identity = &it->identity[side];

	printf("  %-8s ", side_name(side));
	if (!it->there[side]) {
		puts(scene->box->active ? "not there" : "not looked at");
		return;
	}
	if (side == REMOTE)
		printf("UID %u", it->uid);
	else
		fputs(text_show(it->name), stdout);
	print_flags(it->flags[side]);
	print_size(identity->size, identity->date);
	putchar('\n');
}

/* What both agreed on. */
static void print_pair(const struct pair *pair)
{
	char hex[DIGEST_HEX_SIZE];

	fputs("  journal  ", stdout);
	if (!pair) {
		puts("not known");
		return;
	}
	printf("UID %u, %s", pair->uid, text_show(pair->name));
	print_flags(pair->flags);
	print_size(pair->size, pair->date);
	digest_to_hex(&pair->digest, hex);
	if (digest_is_known(&pair->digest))
		printf(", digest %s", hex);
	if (pair->gone)
		printf(", gone on the %s side",
		       side_name(pair->gone & 1u << LOCAL ? LOCAL : REMOTE));
	putchar('\n');
}

/* What was begun with it, or went wrong. */
static void print_notes(const struct explain_scene *scene, const struct sighting *it)
{
	size_t len;
	const struct journal_note *notes = journal_notes(scene->journal, &len);

	for (size_t i = 0; i < len; i++)
		if (explain_is_note_of(&notes[i], it))
			note_print(&notes[i]);
}

/* "  nothing to do: M8, new, but not to be copied as configured" */
static void print_why_not(enum rule rule, const char *text)
{
	printf("  nothing to do: %s%s%s\n", rule == RULE_NONE ? "" : rule_name(rule),
	       rule == RULE_NONE ? "" : ", ", text);
}

void explain_print_message(const struct explain_scene *scene, const struct sighting *sighting)
{
	struct op_place at = {0};
	const struct box *box;
	const struct op *op;
	const char *text;
	bool any = false;

	print_head(scene);
	for (enum side side = LOCAL; side < SIDES; side++)
		print_held(scene, sighting, side);
	print_pair(sighting->pair);
	print_notes(scene, sighting);
	for (; (op = explain_next_op(scene, sighting, &at, &box)); any = true) {
		if (box != scene->box)
			printf("  from %s:\n", text_show(box->name));
		report_print_op(scene->channel, op);
	}
	if (any)
		return;
	enum rule rule = explain_why_not(scene, sighting, &text);
	print_why_not(rule, text);
}

/* "UIDVALIDITY 1, UIDNEXT 7, HIGHESTMODSEQ 12, 3 messages" */
static void print_stamp(const struct stamp *stamp)
{
	printf("UIDVALIDITY %u, UIDNEXT %u, HIGHESTMODSEQ %ju, %u message%s", stamp->uidvalidity,
	       stamp->uidnext, (uintmax_t)stamp->modseq, stamp->messages,
	       stamp->messages == 1 ? "" : "s");
}

/* "cur 2025-06-02 09:10:33.123456789, new ..." */
static void print_times(const struct stamp *stamp)
{
	const int64_t times[] = {stamp->cur_ns, stamp->new_ns};
	static const char *const names[] = {"cur ", ", new "};
	char when[REPORT_TIME_MAX];

	for (size_t i = 0; i < 2; i++) {
		report_time(times[i] / NS_PER_SECOND, when);
		if (times[i])
			printf("%s%s.%09ld", names[i], when, (long)(times[i] % NS_PER_SECOND));
		else
			printf("%schanged just now", names[i]);
	}
}

/* " (\Sent \Subscribed)" */
static void print_attributes(unsigned attributes)
{
	const char *before = " (";

	for (unsigned bit = 1; bit && bit <= attributes; bit <<= 1) {
		if (!(attributes & bit))
			continue;
		printf("%s%s", before, explain_attribute(bit));
		before = " ";
	}
	if (attributes)
		putchar(')');
}

/* "  remote   there (\Sent), may have changed: UIDVALIDITY 1, ..." */
static void print_side(const struct explain_scene *scene, enum side side)
{
	bool changed;
	const struct stamp stamp = explain_stamp(scene, side, &changed);
	bool known = side == LOCAL || stamp.uidvalidity;

	printf("  %-8s %s", side_name(side), scene->box->exists[side] ? "there" : "not there");
	if (strcmp(scene->box->at[side], scene->box->name) != 0)
		printf(" as %s", text_show(scene->box->at[side]));
	if (side == REMOTE)
		print_attributes(scene->box->attributes);
	if (scene->box->exists[side] && known) {
		printf(", %s: ", changed ? "may have changed" : "unchanged");
		if (side == REMOTE)
			print_stamp(&stamp);
		else
			print_times(&stamp);
	}
	putchar('\n');
}

/* How both stood when they were last even. */
static void print_journal(const struct explain_scene *scene)
{
	const struct journal_head *head = journal_head(scene->journal);
	const struct stamp remote = head_stamp(head, REMOTE), local = head_stamp(head, LOCAL);
	char when[REPORT_TIME_MAX];

	if (!head->when) {
		puts("  journal  none: both sides were never even");
		return;
	}
	report_time(head->when, when);
	printf("  journal  %s: ", when);
	print_stamp(&remote);
	printf("; ");
	print_times(&local);
	printf("; %ju pair%s, %ju note%s, %s\n", (uintmax_t)head->pairs,
	       head->pairs == 1 ? "" : "s", (uintmax_t)head->notes, head->notes == 1 ? "" : "s",
	       head->even ? "even" : "not even");
}

/* What the guard says. */
static void print_verdict(const struct explain_scene *scene, enum side side)
{
	const struct guard_verdict *verdict = &scene->box->plan.verdict[side];

	if (verdict->reason == GUARD_FINE)
		return;
	printf("  stopped  %zu of %zu messages would be deleted on the %s side: on the %s side "
	       "%s\n",
	       verdict->deletions, verdict->held, side_name(side), side_name(other_side(side)),
	       guard_reason_text(verdict->reason));
}

/* "  V1 local  move 12 to Archive: moved on the other side" */
static void print_count(const struct explain_scene *scene, const struct op_count *row)
{
	const struct op *op = row->op;

	printf("  %-2s %-6s %s", rule_name(op->rule), side_name(op->side), op_name(op->kind));
	if (op->kind < OP_CREATE)
		printf(" %zu", row->count);
	if (row->from)
		printf(" from %s", text_show(row->from->name));
	else if (op->kind == OP_MOVE)
		printf(" to %s", text_show(scene->channel->boxes[op->target].name));
	else if (op->kind == OP_CLONE)
		printf(" from %s", text_show(scene->channel->boxes[op->target].name));
	else if (op->kind == OP_RENAME)
		printf(" to %s", text_show(op->there.name));
	printf(": %s%s\n", rule_text(op->rule), op->blocked ? " (stopped)" : "");
}

void explain_print_mailbox(const struct explain_scene *scene)
{
	const struct box *box = scene->box;
	struct op_count_list list = {0};

	print_head(scene);
	for (enum side side = LOCAL; side < SIDES; side++)
		print_side(scene, side);
	print_journal(scene);
	if (box->rule != RULE_NONE)
		printf("  rule     %s, %s\n", rule_name(box->rule), rule_text(box->rule));
	if (box->error.kind != ERROR_NONE)
		printf("  trouble  %s\n", box->error.text);
	for (enum side side = LOCAL; side < SIDES; side++)
		print_verdict(scene, side);
	if (box->plan.refused)
		printf("  M9       %zu left: %s\n", box->plan.refused, rule_text(RULE_M9_REFUSED));
	explain_count(scene, &list);
	for (size_t i = 0; i < list.len; i++)
		print_count(scene, &list.rows[i]);
	if (!list.len)
		puts("  nothing to do");
	free(list.rows);
}
