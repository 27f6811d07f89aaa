// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * evenmail check: reads the configuration, looks at the tree and the state without touching them,
 * logs in, and says what the server offers and what of it will be used.
 */
#include "base/text.h"
#include "cmd/check-ways.h"
#include "cmd/command.h"
#include "cmd/each.h"
#include "cmd/json-line.h"
#include "imap/quirks.h"
#include "mail/pattern.h"
#include "store/store-imap.h"

#include <stdio.h>
#include <string.h>

/* What was found of one channel; the session's and the setup's own strings. */
struct finding {
	const struct config_channel *channel;
	const struct account_setup *setup;
	const struct imap_session *session;
	size_t mailboxes;
	size_t wanted; /* of these, by the channel's patterns */
	bool looked;   /* at this side: the following are known */
	bool has_tree;
	size_t journals;
};

/* Whether a mailbox is kept even; one of another user's, or a shared one, has to be meant. */
static bool is_wanted(const struct config_channel *channel, const struct answer *answer)
{
	const char *const *patterns = (const char *const *)channel->mailboxes;
	size_t count = channel->mailboxes_len;

	if (answer->attributes & MAILBOX_FOREIGN)
		return mailbox_patterns_name(patterns, count, answer->mailbox);
	return mailbox_patterns_match(patterns, count, answer->mailbox);
}

/* Counts the account's mailboxes; it is also the first command, which takes ID and ENABLE along. */
static int count_mailboxes(struct store *store, struct finding *finding, struct error *err)
{
	const struct config_channel *channel = finding->channel;
	const struct request request = {.kind = REQUEST_LIST};
	struct answer answer;
	int rc;

	if (store_submit(store, &request, err))
		return -1;
	while ((rc = store_next(store, &answer, err)) == 1) {
		if (answer.kind == ANSWER_DONE && answer.error.kind != ERROR_NONE) {
			*err = answer.error;
			return -1;
		}
		if (answer.kind != ANSWER_MAILBOX || answer.attributes & MAILBOX_NOSELECT)
			continue;
		finding->mailboxes++;
		finding->wanted += is_wanted(channel, &answer);
	}
	return rc;
}

/* One line: "  server      ..." */
static void print_field(const char *key, const char *text)
{
	if (*text)
		printf("  %-11s %s\n", key, text);
}

/* Whose mail, over which line, what the server says of itself. What it says is escaped. */
static void print_server(const struct finding *finding)
{
	const struct imap_session *session = finding->session;
	const char *offers = imap_capability_text(session);
	struct buf escaped, said;

	printf("%s\n", finding->channel->name);
	print_field("account", text_show(finding->setup->account));
	print_field("TLS", *imap_tls_text(session) ? text_show(imap_tls_text(session)) : "none");
	buf_init(&said, 64u * 1024);
	way_put_server(&said, imap_server_id(session));
	print_field("server", text_show(said.data));
	buf_free(&said);
	buf_init(&escaped, 64u * 1024);
	text_escape(&escaped, offers, strlen(offers), 16u * 1024);
	print_field("offers", escaped.data);
	buf_free(&escaped);
}

/* What is known of this side. */
static void print_local(const struct finding *finding)
{
	const struct account_setup *setup = finding->setup;

	printf("  %-11s %zu, %zu of them in this channel\n", "mailboxes", finding->mailboxes,
	       finding->wanted);
	if (!finding->looked)
		return;
	printf("  %-11s %s (layout %s%s)\n", "local", text_show(setup->tree_path),
	       setup->layout == MAILDIR_LAYOUT_TREE ? "tree" : "maildir++",
	       finding->has_tree ? "" : "; not there yet");
	printf("  %-11s %s (%zu mailboxes synced so far)\n", "state", text_show(setup->state_dir),
	       finding->journals);
}

/* One line: "  snapshot    QRESYNC: opening a mailbox tells..." */
static void print_way(const struct way *way)
{
	bool uids = !strcmp(way->key, "new_uids");

	printf("  %-11s %s: %s\n", uids ? "new UIDs" : way->key, way->used, way->text);
}

/* The way of the line itself. */
static struct way finding_compress(const struct finding *finding)
{
	return way_compress(finding->setup->imap->compress, imap_capabilities(finding->session),
			    imap_is_compressed(finding->session));
}

static void print_text(const struct finding *finding)
{
	const struct way compress = finding_compress(finding);
	const struct imap_profile *profile = imap_profile(finding->session);
	bool qresync = imap_has_qresync(finding->session);

	print_server(finding);
	for (enum way_purpose purpose = WAY_CHANGES; purpose < WAY_PURPOSES; purpose++) {
		const struct way way =
		    way_choose(purpose, imap_capabilities(finding->session), qresync);
		print_way(&way);
	}
	print_way(&compress);
	if (imap_append_limit(finding->session))
		print_field("limit", text_size(imap_append_limit(finding->session)));
	if (finding->setup->imap->read_only)
		print_field("read-only", "push is []: nothing is changed on the server");
	for (size_t i = 0; i < profile->notes_len; i++)
		print_field("known", profile->notes[i]);
	print_local(finding);
}

/* "ways":{"changes":"LIST-STATUS",...},"known":[...] */
static void put_ways(struct line *line, const struct finding *finding)
{
	const struct imap_session *session = finding->session;
	const struct way compress = finding_compress(finding);
	const struct imap_profile *profile = imap_profile(session);
	bool qresync = imap_has_qresync(session);

	json_key(&line->json, "ways");
	json_object(&line->json);
	for (enum way_purpose purpose = WAY_CHANGES; purpose < WAY_PURPOSES; purpose++) {
		const struct way way = way_choose(purpose, imap_capabilities(session), qresync);
		line_text(line, way.key, way.used);
	}
	line_text(line, compress.key, compress.used);
	json_end_object(&line->json);
	json_key(&line->json, "known");
	json_array(&line->json);
	for (size_t i = 0; i < profile->notes_len; i++)
		json_string(&line->json, profile->notes[i]);
	json_end_array(&line->json);
}

static void print_json(const struct finding *finding)
{
	const struct account_setup *setup = finding->setup;
	struct line line;

	line_begin(&line, "check", finding->channel->name, NULL);
	line_text(&line, "account", setup->account);
	line_text(&line, "tls", imap_tls_text(finding->session));
	line_text(&line, "server", imap_server_id(finding->session));
	line_text(&line, "offers", imap_capability_text(finding->session));
	put_ways(&line, finding);
	line_count(&line, "append_limit", imap_append_limit(finding->session));
	line_bool(&line, "read_only", setup->imap->read_only);
	line_count(&line, "mailboxes", finding->mailboxes);
	line_count(&line, "wanted", finding->wanted);
	line_text(&line, "local", setup->tree_path);
	line_text(&line, "state", setup->state_dir);
	if (finding->looked) {
		line_bool(&line, "local_exists", finding->has_tree);
		line_count(&line, "synced", finding->journals);
	}
	line_end(&line);
}

/* Asks the server, and says what was found. */
static void check_server(struct store *store, struct finding *finding, struct report *report)
{
	struct error err;

	if (count_mailboxes(store, finding, &err)) {
		report_failure(report, finding->channel->name, &err);
		return;
	}
	finding->session = store_imap_session(store);
	report->mailboxes += finding->wanted;
	if (report->options->json)
		print_json(finding);
	else if (!report->options->quiet)
		print_text(finding);
}

/* What this side holds. */
static void look_at_local(const struct account *account, struct finding *finding,
			  struct report *report)
{
	struct error err;
	char **names;

	finding->looked = true;
	finding->has_tree = account->tree != NULL;
	if (journal_dir_list(account->journals, &names, &finding->journals, &err))
		report_failure(report, finding->channel->name, &err);
	else
		journal_names_free(names, finding->journals);
}

/* Trouble on this side is no reason not to look at the other. */
static void check_server_alone(struct finding *finding, struct report *report)
{
	struct store *store;
	struct error err;

	if (store_imap_open(finding->setup->imap, &store, &err)) {
		report_failure(report, finding->channel->name, &err);
		return;
	}
	check_server(store, finding, report);
	store_close(&store);
}

/* One channel. */
static void check_target(const struct target *target, struct report *report)
{
	struct arena arena = {0};
	struct account_setup setup;
	struct account *account;
	struct finding finding = {.channel = target->channel, .setup = &setup};
	struct imap_config imap;
	struct error err;

	target_setup(target, report->options, &arena, &setup);
	imap = *setup.imap;
	imap.probe = true;
	setup.imap = &imap;
	setup.dry_run = true;
	if (!account_open(&setup, &account, &err)) {
		look_at_local(account, &finding, report);
		check_server(account->stores[REMOTE], &finding, report);
		account_close(&account);
	} else {
		report_failure(report, setup.name, &err);
		if (err.kind == ERROR_SAFETY || err.kind == ERROR_IO)
			check_server_alone(&finding, report);
	}
	arena_free(&arena);
}

enum exit_status cmd_check(const struct options *options)
{
	return each_target(options, check_target);
}
