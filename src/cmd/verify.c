// SPDX-License-Identifier: GPL-3.0-or-later
/* evenmail verify: holds both sides against the journals, and mends what can be proved. */
#include "sync/verify.h"

#include "base/clock.h"
#include "base/stop.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/each.h"
#include "cmd/json-line.h"
#include "maildir/litter.h"

#include <stdio.h>
#include <string.h>

/* Sums over a channel. */
struct totals {
	size_t messages, differences, mended;
	uint64_t read, downloaded;
};

/* One channel at work. */
struct check {
	struct account *account;
	struct report *report;
	struct verify_how how;
	struct totals totals;
};

/* "test/INBOX: UID 5, 123.M1P2.host: its file is gone ...; mended: ..." */
static void print_finding(const struct check *check, const char *mailbox, const struct finding *it)
{
	printf("%s%s%s: ", check->account->setup.name, mailbox ? "/" : "",
	       mailbox ? text_show(mailbox) : "");
	if (it->uid)
		printf("UID %u%s", it->uid, it->name ? ", " : ": ");
	if (it->name)
		printf("%s: ", text_show(it->name));
	fputs(it->text, stdout);
	if (it->mending)
		printf("; %s: %s", it->mended ? "mended" : "not mended", it->mending);
	putchar('\n');
}

static void put_finding(const struct check *check, const char *mailbox, const struct finding *it)
{
	struct line line;

	line_begin(&line, "finding", check->account->setup.name, mailbox);
	line_text(&line, "finding", finding_name(it->kind));
	line_text(&line, "side", side_name(it->side));
	if (it->uid)
		line_count(&line, "uid", it->uid);
	if (it->name)
		line_text(&line, "name", it->name);
	line_text(&line, "text", it->text);
	line_bool(&line, "harmless", it->harmless);
	line_bool(&line, "mended", it->mended);
	if (it->mending)
		line_text(&line, "mending", it->mending);
	line_end(&line);
}

/* Tells all findings; of harmless ones only who asks for more. */
static void tell(struct check *check, const char *mailbox, const struct verify_result *result)
{
	const struct options *options = check->report->options;

	for (size_t i = 0; i < result->len; i++) {
		const struct finding *it = &result->findings[i];
		check->totals.differences += !it->harmless;
		check->totals.mended += it->mended;
		if (!it->harmless && !it->mended)
			check->report->status =
			    exit_status_worse(check->report->status, STATUS_PART);
		if (options->json)
			put_finding(check, mailbox, it);
		else if (!it->harmless || options->verbose)
			print_finding(check, mailbox, it);
	}
	check->totals.messages += result->messages;
	check->totals.read += result->read;
	check->totals.downloaded += result->downloaded;
}

/* What other programs and stopped runs left in a mailbox's tmp. */
static void check_litter(struct check *check, const struct box *box, struct verify_result *result)
{
	struct maildir_mailbox *mailbox = NULL;
	struct maildir_litter *litter;
	struct error err;
	size_t count;

	if (!box->exists[LOCAL])
		return;
	if (maildir_mailbox_open(check->account->tree, box->at[LOCAL], false, &mailbox, &err) ||
	    maildir_litter_list(mailbox, clock_wall_ns() / 1000000000, &result->arena, &litter,
				&count, &err)) {
		verify_add_error(result, FINDING_UNLISTED, LOCAL, &err);
		goto out;
	}
	for (size_t i = 0; i < count; i++) {
		struct finding *finding =
		    verify_add(result, FINDING_LITTER, LOCAL,
			       arena_printf(&result->arena,
					    "left in tmp, %s: no message, its delivery never ended",
					    text_size(litter[i].size)));
		finding->name = litter[i].file;
		if (!check->how.repair)
			continue;
		bool removed = !maildir_litter_remove(mailbox, litter[i].file, &err);
		verify_note_mending(result, finding, removed ? "removed" : NULL, &err);
	}
out:
	maildir_mailbox_close(&mailbox);
}

/* One mailbox. -1: the session is broken. */
static int check_mailbox(struct check *check, const struct box *box, struct error *err)
{
	struct verify_result result = {0};
	struct line line;
	int rc;

	check->report->mailboxes++;
	check_litter(check, box, &result);
	rc = verify_mailbox(&check->account->channel, box, &check->how, &result, err);
	tell(check, box->name, &result);
	if (check->report->options->json) {
		line_begin(&line, "verify", check->account->setup.name, box->name);
		line_count(&line, "messages", result.messages);
		line_count(&line, "read", result.read);
		line_count(&line, "downloaded", result.downloaded);
		line_bool(&line, "deep", check->how.deep);
		line_end(&line);
	}
	verify_free(&result);
	return rc;
}

/* What a file of the state directory is that no run reads. */
static const char *stray_text(enum journal_stray_kind kind)
{
	switch (kind) {
	case STRAY_TEMPORARY: return "a leftover of a stopped run in the state directory";
	case STRAY_ASIDE:
		return "a journal that was set aside: it may go once the mailbox is even again";
	case STRAY_FOREIGN: break;
	}
	return "a file of the state directory that evenmail has no use for";
}

/* Files of the state directory that belong to no mailbox. */
static void check_state(struct check *check)
{
	struct verify_result result = {0};
	struct journal_stray *strays;
	struct error err;
	size_t count;

	if (journal_dir_strays(check->account->journals, &result.arena, &strays, &count, &err)) {
		verify_add_error(&result, FINDING_UNLISTED, LOCAL, &err);
		count = 0;
	}
	for (size_t i = 0; i < count; i++) {
		struct finding *finding =
		    verify_add(&result, FINDING_STRAY, LOCAL, stray_text(strays[i].kind));
		finding->name = strays[i].name;
		finding->harmless = strays[i].kind == STRAY_ASIDE;
		if (!check->how.repair || strays[i].kind != STRAY_TEMPORARY)
			continue;
		bool removed = !journal_dir_sweep(check->account->journals, &strays[i], &err);
		verify_note_mending(&result, finding, removed ? "removed" : NULL, &err);
	}
	tell(check, NULL, &result);
	verify_free(&result);
}

/* All mailboxes of an opened channel. */
static int check_channel(struct check *check, bool whole, struct error *err)
{
	struct channel *channel = &check->account->channel;

	if (whole)
		check_state(check);
	if (channel_list(channel, err))
		return -1;
	for (size_t i = 0; i < channel->len; i++) {
		if (stop_check(err) || check_mailbox(check, &channel->boxes[i], err))
			return -1;
	}
	return 0;
}

/* "personal: 1204 messages, 31.2 MB read, nothing downloaded: all as it should be" */
static void print_totals(const struct check *check)
{
	const struct totals *totals = &check->totals;

	printf("%s: %zu message%s, %s read", check->account->setup.name, totals->messages,
	       totals->messages == 1 ? "" : "s", text_size(totals->read));
	printf(", %s downloaded: ", totals->downloaded ? text_size(totals->downloaded) : "nothing");
	if (!totals->differences)
		puts("all as was agreed on");
	else
		printf("%zu difference%s, %zu mended\n", totals->differences,
		       totals->differences == 1 ? "" : "s", totals->mended);
}

/* Whether the channel was ever synced: where not there is nothing to be mended, or to be locked. */
static bool was_synced(const char *state_dir)
{
	struct journal_dir *dir = NULL;
	struct error ignored;
	bool synced = true;

	if (!journal_dir_open(state_dir, false, &dir, &ignored))
		synced = *journal_dir_tree(dir);
	journal_dir_close(&dir);
	return synced;
}

/* One channel. */
static void verify_target(const struct target *target, struct report *report)
{
	unsigned modes = report->options->modes;
	struct check check = {.report = report,
			      .how = {modes & MODE_DEEP, modes & MODE_REPAIR}};
	struct arena arena = {0};
	struct account_setup setup;
	struct imap_config imap;
	struct error err;

	target_setup(target, report->options, &arena, &setup);
	imap = *setup.imap;
	imap.read_only = true;
	setup.imap = &imap;
	setup.connections = 1;
	check.how.repair &= was_synced(setup.state_dir);
	setup.dry_run = !check.how.repair;
	if (account_open(&setup, &check.account, &err)) {
		report_failure(report, setup.name, &err);
		goto out;
	}
	if (check_channel(&check, !target->only_len, &err))
		report_failure(report, setup.name, &err);
	else if (!report->options->json && !report->options->quiet)
		print_totals(&check);
	account_close(&check.account);
out:
	arena_free(&arena);
}

enum exit_status cmd_verify(const struct options *options)
{
	return each_target(options, verify_target);
}
