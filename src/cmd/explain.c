// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/explain.h"

#include "base/array.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/report.h"
#include "cmd/target.h"

#include <stdlib.h>
#include <string.h>

/* True for a name that a mailbox had before it was renamed, or that the server still has. */
static bool had_name(const struct box *box, const char *name)
{
	return box->renamed.from &&
	       (!strcmp(box->renamed.from, name) || !strcmp(box->at[REMOTE], name));
}

/* The box of the mailbox, also by another name that it had, or NULL. */
static const struct box *find_box(const struct channel *channel, const char *name)
{
	for (size_t i = 0; i < channel->len; i++)
		if (!strcmp(channel->boxes[i].name, name))
			return &channel->boxes[i];
	for (size_t i = 0; i < channel->len; i++)
		if (had_name(&channel->boxes[i], name))
			return &channel->boxes[i];
	return NULL;
}

/* New files are known by name and size only: who asks for a Message-ID has them read. */
static int identify_files(struct account *account, struct box *box, struct error *err)
{
	struct store *store = account->stores[LOCAL];
	struct snapshot *snapshot = &box->sides[LOCAL];
	struct request request = {.kind = REQUEST_IDENTIFY, .mailbox = box->at[LOCAL]};
	struct message_key *keys = NULL;
	size_t cap = 0;
	struct answer answer;
	int rc = 0;

	for (size_t i = 0; i < snapshot->fresh_len; i++)
		if (!snapshot->fresh[i].ghost && !snapshot->fresh[i].state.identity.has_digest)
			*array_push(keys, request.count, cap) = snapshot->fresh[i].state.key;
	request.keys = keys;
	if (request.count)
		rc = store_submit(store, &request, err);
	while (request.count && !rc && (rc = store_next(store, &answer, err)) == 1) {
		rc = 0;
		if (answer.kind == ANSWER_MESSAGE)
			snapshot_identify(snapshot, &answer.message);
	}
	free(keys);
	return rc;
}

/* That there is no such message, as far as was looked. */
static int refuse_message(const struct explain_scene *scene, const char *asked, struct error *err)
{
	const struct box *box = scene->box;
	const char *mailbox = text_show(box->name), *message = text_show(asked);

	if (box->active)
		return error_set(
		    err, ERROR_REFUSED, SCOPE_MESSAGE,
		    "mailbox %s: no message %s: neither side holds it, nor the journal", mailbox,
		    message);
	return error_set(err, ERROR_REFUSED, SCOPE_MESSAGE,
			 "mailbox %s: no message %s in the journal, and the sides were not "
			 "looked at: %s",
			 mailbox, message,
			 box->error.kind != ERROR_NONE ? box->error.text : rule_text(box->rule));
}

/* Says what there is of the messages that were asked for. */
static int explain_messages(const struct explain_scene *scene, const char *asked, bool json,
			    struct error *err)
{
	struct sighting_list list = {0};
	struct explain_word word;

	if (explain_read_word(asked, &word, err))
		return -1;
	explain_find(scene, &word, &list);
	for (size_t i = 0; i < list.len; i++) {
		if (json)
			explain_put_message(scene, &list.rows[i]);
		else
			explain_print_message(scene, &list.rows[i]);
	}
	free(list.rows);
	return list.len ? 0 : refuse_message(scene, asked, err);
}

/* Says what is known, once all is surveyed and planned. */
static int explain_account(struct account *account, const char *asked, bool json, struct error *err)
{
	struct channel *channel = &account->channel;
	const char *name = channel->setup.look_into;
	struct journal *journal = NULL;
	struct explain_scene scene = {.channel = channel, .box = find_box(channel, name)};
	int rc = -1;

	if (!scene.box)
		return error_set(err, ERROR_REFUSED, SCOPE_MAILBOX,
				 "mailbox %s: there is none on either side, or the channel's "
				 "\"mailboxes\" leaves it out",
				 text_show(name));
	name = scene.box->renamed.from ? scene.box->renamed.from : scene.box->name;
	if (journal_open(account->journals, name, &journal, err) || journal_load(journal, err))
		goto out;
	scene.journal = journal;
	if (asked && strchr(asked, '@') && scene.box->active &&
	    identify_files(account, &channel->boxes[scene.box - channel->boxes], err))
		goto out;
	if (asked)
		rc = explain_messages(&scene, asked, json, err);
	else if (json)
		explain_put_mailbox(&scene);
	else
		explain_print_mailbox(&scene);
	if (!asked)
		rc = 0;
out:
	journal_close(&journal);
	return rc;
}

/*
 * Surveys the whole channel, for what is gone here may have moved there, and this mailbox in full.
 */
static void explain_target(const struct target *target, const char *asked, struct report *report)
{
	struct arena arena = {0};
	struct account_setup setup;
	struct account *account = NULL;
	struct error err;

	target_setup(target, report->options, &arena, &setup);
	setup.look_into = target->only[0];
	setup.only_len = 0;
	setup.dry_run = true;
	if (account_open(&setup, &account, &err) || account_plan(account, &err) ||
	    explain_account(account, asked, report->options->json, &err))
		report_failure(report, setup.name, &err);
	report->mailboxes++;
	account_close(&account);
	arena_free(&arena);
}

/* The words: one mailbox, and at most one message. */
static int check_words(const struct options *options, struct error *err)
{
	struct explain_word word;

	if (options->names_len < 1 || !strchr(options->names[0], '/'))
		return error_set(err, ERROR_USAGE, SCOPE_FATAL,
				 "explain: which mailbox? Say CHANNEL/MAILBOX");
	if (options->names_len > 2)
		return error_set(err, ERROR_USAGE, SCOPE_FATAL,
				 "explain: one message at a time, not also %s",
				 text_show(options->names[2]));
	return options->names_len == 2 ? explain_read_word(options->names[1], &word, err) : 0;
}

enum exit_status cmd_explain(const struct options *options)
{
	struct options mailbox = *options;
	struct target_list list;
	struct report report;
	struct error err;

	mailbox.names_len = 1;
	report_open(&report, options);
	if (check_words(options, &err) || target_load(&mailbox, &list, &err)) {
		report_failure(&report, NULL, &err);
		return report_close(&report);
	}
	explain_target(&list.targets[0], options->names_len > 1 ? options->names[1] : NULL,
		       &report);
	target_free(&list);
	return report_close(&report);
}
