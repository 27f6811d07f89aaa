// SPDX-License-Identifier: GPL-3.0-or-later
/* evenmail journal: what both sides agreed on, mailbox by mailbox; reads the disk only. */
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/each.h"
#include "cmd/json-line.h"
#include "cmd/note.h"

#include <stdio.h>
#include <string.h>

/* One mailbox's journal and who it belongs to. */
struct view {
	const char *channel;
	const char *mailbox;
	const struct journal *journal;
};

/* Where a pair is only half: "(gone on the remote side, kept)". */
static const char *gone_text(unsigned gone)
{
	if (gone & 1u << LOCAL)
		return "  (gone on the local side, kept on the remote side)";
	return gone ? "  (gone on the remote side, kept on the local side)" : "";
}

/* One pair: UID, flags, size, date, digest, unique name. */
static void print_pair(const struct pair *pair)
{
	char letters[FLAGS_LETTERS_MAX], hex[DIGEST_HEX_SIZE] = "-", date[REPORT_TIME_MAX] = "-";
	char size[24] = "-";

	flags_letters(pair->flags, letters);
	if (digest_is_known(&pair->digest))
		digest_to_hex(&pair->digest, hex);
	if (pair->date != DATE_UNKNOWN)
		report_time(pair->date, date);
	if (pair->size != SIZE_UNKNOWN)
		snprintf(size, sizeof(size), "%ju", (uintmax_t)pair->size);
	printf("%10u  %-6s  %10s  %-19s  %-64s  %s%s", pair->uid, *letters ? letters : "-", size,
	       date, hex, text_show(pair->name), gone_text(pair->gone));
	for (size_t i = 0; i < keywords_count(pair->flags.keywords); i++)
		printf("  +%s", keywords_name(pair->flags.keywords, i));
	putchar('\n');
}

static void print_text(const struct view *view)
{
	const struct journal_head *head = journal_head(view->journal);
	char when[REPORT_TIME_MAX];
	size_t pairs_len, notes_len;
	const struct pair *pairs = journal_pairs(view->journal, &pairs_len);
	const struct journal_note *notes = journal_notes(view->journal, &notes_len);

	report_time(head->when, when);
	printf(
	    "%s/%s: %zu message%s, last sync %s, UIDVALIDITY %u, UIDNEXT %u, HIGHESTMODSEQ %ju\n",
	    view->channel, text_show(view->mailbox), pairs_len, pairs_len == 1 ? "" : "s", when,
	    head->uidvalidity, head->uidnext, (uintmax_t)head->highestmodseq);
	for (size_t i = 0; i < pairs_len; i++)
		print_pair(&pairs[i]);
	for (size_t i = 0; i < notes_len; i++)
		note_print(&notes[i]);
}

/* One pair as a line of JSON. */
static void print_pair_json(const struct view *view, const struct pair *pair)
{
	struct line line;

	line_begin(&line, "pair", view->channel, view->mailbox);
	pair_put(&line, pair);
	line_end(&line);
}

static void print_json(const struct view *view)
{
	const struct journal_head *head = journal_head(view->journal);
	size_t pairs_len, notes_len;
	const struct pair *pairs = journal_pairs(view->journal, &pairs_len);
	const struct journal_note *notes = journal_notes(view->journal, &notes_len);
	struct line line;

	line_begin(&line, "journal", view->channel, view->mailbox);
	line_count(&line, "messages", pairs_len);
	line_time(&line, "last_sync", head->when);
	line_count(&line, "uidvalidity", head->uidvalidity);
	line_count(&line, "uidnext", head->uidnext);
	line_count(&line, "highestmodseq", head->highestmodseq);
	line_end(&line);
	for (size_t i = 0; i < pairs_len; i++)
		print_pair_json(view, &pairs[i]);
	for (size_t i = 0; i < notes_len; i++)
		note_print_json(view->channel, view->mailbox, &notes[i]);
}

/* One mailbox; a journal that cannot be read is its own trouble. */
static void show_mailbox(struct journal_dir *dir, const char *channel, const char *mailbox,
			 struct report *report)
{
	struct journal *journal;
	struct error err;

	report->mailboxes++;
	if (journal_open(dir, mailbox, &journal, &err)) {
		report_failure(report, channel, &err);
		return;
	}
	const struct view view = {channel, mailbox, journal};
	if (journal_load(journal, &err))
		report_failure(report, channel, &err);
	else if (report->options->json)
		print_json(&view);
	else
		print_text(&view);
	journal_close(&journal);
}

/* A mailbox that was named and has no journal is worth a word. */
static void miss_mailboxes(const struct target *target, char *const *names, size_t count,
			   struct report *report)
{
	struct error err;

	for (size_t i = 0; i < target->only_len; i++) {
		bool found = false;
		for (size_t k = 0; k < count && !found; k++)
			found = !strcmp(names[k], target->only[i]);
		if (found)
			continue;
		error_set(&err, ERROR_USAGE, SCOPE_MAILBOX, "mailbox %s: there is no journal of it",
			  text_show(target->only[i]));
		report_failure(report, target->channel->name, &err);
	}
}

/* All mailboxes of a channel that the command line takes in. */
static void show_channel(const struct target *target, struct report *report)
{
	const char *channel = target->channel->name;
	struct arena arena = {0};
	struct journal_dir *dir = NULL;
	char **names = NULL;
	size_t count = 0;
	struct error err;

	if (journal_dir_open(target_state_dir(target->channel, &arena), false, &dir, &err) ||
	    journal_dir_list(dir, &names, &count, &err)) {
		report_failure(report, channel, &err);
		goto out;
	}
	for (size_t i = 0; i < count; i++)
		if (target_names_mailbox(target, names[i]))
			show_mailbox(dir, channel, names[i], report);
	miss_mailboxes(target, names, count, report);
out:
	journal_names_free(names, count);
	journal_dir_close(&dir);
	arena_free(&arena);
}

enum exit_status cmd_journal(const struct options *options)
{
	return each_target(options, show_channel);
}
