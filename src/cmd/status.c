// SPDX-License-Identifier: GPL-3.0-or-later
/* evenmail status: how each mailbox stands, from the journals and the tree; asks no server. */
#include "base/array.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/each.h"
#include "cmd/json-line.h"
#include "cmd/note.h"
#include "mail/pattern.h"
#include "maildir/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One mailbox, known by its journal, by its directory, or by both. */
struct standing {
	const char *name;
	struct journal *journal; /* NULL: never synced */
	struct journal_head head;
	bool present; /* its directory is there */
	bool changed; /* and not as it was then */
	size_t refused;
	size_t intents;
};

struct standings {
	const struct target *target;
	struct report *report;
	struct arena arena;
	struct journal_dir *journals;
	struct maildir_tree *tree;
	struct standing *rows; /* sorted by name */
	size_t len;
	size_t cap;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct standing *)a)->name, ((const struct standing *)b)->name);
}

/* Counts a journal's notes. The head says how many there are: without any it need not be loaded. */
static int count_notes(struct standing *row, struct error *err)
{
	size_t len;

	if (!row->head.notes)
		return 0;
	if (journal_load(row->journal, err))
		return -1;
	const struct journal_note *notes = journal_notes(row->journal, &len);
	for (size_t i = 0; i < len; i++) {
		row->refused += notes[i].kind == JOURNAL_REFUSED;
		row->intents += notes[i].kind != JOURNAL_REFUSED;
	}
	return 0;
}

/* The mailboxes that have a journal. */
static int read_journals(struct standings *all, struct error *err)
{
	const char *channel = all->target->channel->name;
	char **names;
	size_t count;

	if (journal_dir_list(all->journals, &names, &count, err))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct standing row = {.name = arena_strdup(&all->arena, names[i])};
		if (!target_names_mailbox(all->target, row.name))
			continue;
		if (journal_open(all->journals, row.name, &row.journal, err)) {
			report_failure(all->report, channel, err);
			continue;
		}
		row.head = *journal_head(row.journal);
		if (count_notes(&row, err))
			report_failure(all->report, channel, err);
		*array_push(all->rows, all->len, all->cap) = row;
	}
	journal_names_free(names, count);
	return 0;
}

/* Holds the tree's directories against what the journals remember of them. */
static int read_tree(struct standings *all, struct error *err)
{
	const struct config_channel *channel = all->target->channel;
	struct maildir_listing *listing = NULL;
	size_t count = 0, known = all->len;

	if (all->tree && maildir_tree_list(all->tree, &all->arena, &listing, &count, err))
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct standing wanted = {.name = listing[i].name, .present = true};
		struct standing *row =
		    known ? bsearch(&wanted, all->rows, known, sizeof(*row), compare_names) : NULL;
		if (row) {
			row->present = true;
			row->changed = row->head.cur_ns != listing[i].cur_ns ||
				       row->head.new_ns != listing[i].new_ns;
		} else if (target_names_mailbox(all->target, wanted.name) &&
			   mailbox_patterns_match(channel->mailboxes, channel->mailboxes_len,
						  wanted.name)) {
			*array_push(all->rows, all->len, all->cap) = wanted;
		}
	}
	if (all->len)
		qsort(all->rows, all->len, sizeof(*all->rows), compare_names);
	return 0;
}

/* A mailbox that was named and is nowhere here is the user's mistake. */
static void miss_mailboxes(const struct standings *all)
{
	const struct target *target = all->target;
	struct error err;

	for (size_t i = 0; i < target->only_len; i++) {
		const struct standing wanted = {.name = target->only[i]};
		if (all->len &&
		    bsearch(&wanted, all->rows, all->len, sizeof(*all->rows), compare_names))
			continue;
		error_set(&err, ERROR_USAGE, SCOPE_MAILBOX,
			  "mailbox %s: it is not here, and there is no journal of it",
			  text_show(target->only[i]));
		report_failure(all->report, target->channel->name, &err);
	}
}

/* How many columns a name takes, about: its characters. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* What waits in a mailbox, after its line. */
static void print_waiting(const struct standing *row)
{
	if (!row->journal)
		fputs("  new here", stdout);
	else if (!row->present)
		fputs("  gone here", stdout);
	else if (row->changed)
		fputs("  changed here", stdout);
	if (row->refused)
		printf("  %zu refused", row->refused);
	if (row->intents)
		printf("  %zu unfinished", row->intents);
	putchar('\n');
}

/* "personal/INBOX    3 messages  2025-06-02 09:10:33  changed here" */
static void print_row(const struct standings *all, const struct standing *row, int width)
{
	const char *name = text_show(row->name);
	char when[REPORT_TIME_MAX];

	report_time(row->head.when, when);
	printf("%s/%s%*s  %8ju %-8s  %-19s", all->target->channel->name, name,
	       width - width_of(name), "", (uintmax_t)row->head.pairs,
	       row->head.pairs == 1 ? "message" : "messages", when);
	print_waiting(row);
}

static void print_row_json(const struct standings *all, const struct standing *row)
{
	struct line line;

	line_begin(&line, "status", all->target->channel->name, row->name);
	line_count(&line, "messages", row->head.pairs);
	line_time(&line, "last_sync", row->head.when);
	line_bool(&line, "changed", row->changed || !row->present || !row->journal);
	line_count(&line, "refused", row->refused);
	line_count(&line, "unfinished", row->intents);
	line_end(&line);
}

/* The notes of one mailbox, with their reasons: what is unfinished only for who asks for more. */
static void print_notes(const struct standings *all, const struct standing *row)
{
	size_t len;
	const struct journal_note *notes = journal_notes(row->journal, &len);

	for (size_t i = 0; i < len; i++) {
		if (notes[i].kind != JOURNAL_REFUSED && !all->report->options->verbose)
			continue;
		if (all->report->options->json)
			note_print_json(all->target->channel->name, row->name, &notes[i]);
		else
			note_print(&notes[i]);
	}
}

/* All rows; the names stand in one column. */
static void print_all(const struct standings *all)
{
	int width = 0;

	for (size_t i = 0; i < all->len; i++) {
		int this = width_of(text_show(all->rows[i].name));
		width = this > width ? this : width;
	}
	for (size_t i = 0; i < all->len; i++) {
		const struct standing *row = &all->rows[i];
		if (all->report->options->json)
			print_row_json(all, row);
		else
			print_row(all, row, width);
		if (row->refused + row->intents)
			print_notes(all, row);
	}
	all->report->mailboxes += all->len;
}

/* One channel. */
static void show_channel(const struct target *target, struct report *report)
{
	const struct config_channel *channel = target->channel;
	struct standings all = {.target = target, .report = report};
	struct account_setup setup;
	struct error err;

	target_setup(target, report->options, &all.arena, &setup);
	if (journal_dir_open(setup.state_dir, false, &all.journals, &err) ||
	    maildir_tree_open(setup.tree_path, setup.layout, false, &all.tree, &err) ||
	    read_journals(&all, &err) || read_tree(&all, &err)) {
		report_failure(report, channel->name, &err);
	} else {
		print_all(&all);
		miss_mailboxes(&all);
	}
	for (size_t i = 0; i < all.len; i++)
		journal_close(&all.rows[i].journal);
	free(all.rows);
	maildir_tree_close(&all.tree);
	journal_dir_close(&all.journals);
	arena_free(&all.arena);
}

enum exit_status cmd_status(const struct options *options)
{
	return each_target(options, show_channel);
}
