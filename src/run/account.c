// SPDX-License-Identifier: GPL-3.0-or-later
#include "run/account.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"
#include "mail/pattern.h"
#include "run/generation.h"
#include "run/lanes.h"
#include "store/store-imap.h"
#include "store/store-maildir.h"
#include "sync/hold-back.h"

#include <stdlib.h>
#include <string.h>

/* Forgets every journal of the channel: the next steps match anew, as in a first run. */
static int forget_journals(struct account *account, struct error *err)
{
	char **names;
	size_t count;
	int rc = 0;

	if (journal_dir_list(account->journals, &names, &count, err))
		return -1;
	for (size_t i = 0; i < count && !rc; i++)
		rc = journal_remove(account->journals, names[i], err);
	journal_names_free(names, count);
	return rc;
}

/* The id of the tree, "" where there is no tree or no marker. */
static const char *tree_id(const struct account *account)
{
	return account->tree ? maildir_tree_id(account->tree) : "";
}

/* The safety check's words for a root that is not the one the journals know. */
static int refuse_tree(const struct account *account, struct error *err)
{
	const char *path = account->setup.tree_path, *name = account->setup.name;

	if (!account->tree)
		return error_set(err, ERROR_SAFETY, SCOPE_FATAL,
				 "%s is gone, which this channel was kept even with; nothing was "
				 "changed. Not mounted? If it is to start anew: evenmail sync "
				 "--adopt %s",
				 text_show(path), name);
	return error_set(err, ERROR_SAFETY, SCOPE_FATAL,
			 "%s is not the tree that this channel was kept even with (its marker "
			 ".evenmail is %s); nothing was changed. Not mounted? If it is the right "
			 "one: evenmail sync --adopt %s matches it anew and deletes nothing",
			 text_show(path), *tree_id(account) ? "another one" : "missing", name);
}

/* The safety check's words for a tree whose mailboxes lie where the configuration has none. */
static int refuse_layout(const struct account *account, struct error *err)
{
	bool nested = account->setup.layout == MAILDIR_LAYOUT_TREE;

	return error_set(err, ERROR_SAFETY, SCOPE_FATAL,
			 "%s has its inbox %s, as layout %s has it, and the configuration says "
			 "layout %s; nothing was changed. Correct \"layout\"; if it is to be so: "
			 "evenmail sync --adopt %s begins anew beside what is there",
			 text_show(account->setup.tree_path),
			 nested ? "at its root" : "in the directory INBOX",
			 nested ? "maildir++" : "tree", nested ? "tree" : "maildir++",
			 account->setup.name);
}

/* The safety check's words for an account that is not the one the journals know. */
static int refuse_account(const struct account *account, struct error *err)
{
	return error_set(err, ERROR_SAFETY, SCOPE_FATAL,
			 "this channel was kept even with the account %s, and the configuration "
			 "now says %s; nothing was changed. If that is the same mail: evenmail "
			 "sync --adopt %s matches it anew and deletes nothing",
			 text_show(journal_dir_account(account->journals)),
			 text_show(account->setup.account), account->setup.name);
}

/* Whether the layout is another one, as far as that is to be seen: by the inbox. */
static bool has_other_layout(const struct account *account)
{
	const struct account_setup *setup = &account->setup;

	return account->tree &&
	       mailbox_patterns_match(setup->patterns, setup->patterns_len, "INBOX") &&
	       maildir_tree_has_other_layout(account->tree);
}

/* Is this what the journals were made for? */
static int check_identity(struct account *account, struct error *err)
{
	const char *tree = journal_dir_tree(account->journals);
	const char *owner = journal_dir_account(account->journals);

	if (*tree && strcmp(tree, tree_id(account)) != 0)
		return refuse_tree(account, err);
	if (*owner && strcmp(owner, account->setup.account) != 0)
		return refuse_account(account, err);
	if (has_other_layout(account))
		return refuse_layout(account, err);
	return 0;
}

/* Marks the tree and records whom the journals belong to, durably. */
static int record_identity(struct account *account, struct error *err)
{
	const char *tree;

	if (maildir_tree_mark(account->tree, err))
		return -1;
	tree = maildir_tree_id(account->tree);
	if (!strcmp(tree, journal_dir_tree(account->journals)) &&
	    !strcmp(account->setup.account, journal_dir_account(account->journals)))
		return 0;
	return journal_dir_set(account->journals, account->setup.account, tree, err);
}

#define LOCK_LOOK_MS 100 /* between two looks whether the lock is free */

/*
 * The state directory and its lock. Looked at again and again, not waited for in the kernel: a stop
 * is heard, and a lock file that was replaced is seen.
 */
static int open_journals(struct account *account, struct error *err)
{
	const struct account_setup *setup = &account->setup;
	int64_t begun = clock_ms();
	bool told = false;

	while (journal_dir_open(setup->state_dir, !setup->dry_run, &account->journals, err)) {
		if (err->kind != ERROR_LOCKED || !setup->waits ||
		    (setup->wait && clock_ms() - begun >= (int64_t)setup->wait * 1000))
			return -1;
		if (!told)
			log_info("%s: %s; waiting for its end", setup->name, err->text);
		told = true;
		if (stop_check(err))
			return -1;
		clock_sleep_ms(LOCK_LOOK_MS);
	}
	return 0;
}

/* Forgets what was agreed on: the next steps match anew, as in a first run. */
static int begin_anew(struct account *account, struct error *err)
{
	if (forget_journals(account, err))
		return -1;
	return generation_raise(account, err);
}

/* The state directory and the tree. */
static int open_local(struct account *account, struct error *err)
{
	const struct account_setup *setup = &account->setup;
	bool adopt = setup->adopt && !setup->dry_run;

	if (open_journals(account, err))
		return -1;
	bool create = !setup->dry_run && (adopt || !*journal_dir_tree(account->journals));
	if (maildir_tree_open(setup->tree_path, setup->layout, create, &account->tree, err))
		return -1;
	if (check_identity(account, err) && !adopt)
		return -1;
	if (adopt && *journal_dir_tree(account->journals)) {
		log_warn("%s: %s is taken as it is and matched anew", setup->name,
			 text_show(setup->tree_path));
		if (begin_anew(account, err))
			return -1;
	}
	if (!setup->dry_run && record_identity(account, err))
		return -1;
	account->stores[LOCAL] = store_maildir_open(account->tree, !setup->dry_run);
	return 0;
}

/* The main lane's session; and who is to open further ones, where there may be some. */
static int open_remote(struct account *account, struct error *err)
{
	const struct account_setup *setup = &account->setup;
	struct imap_config config = *setup->imap;
	struct keeper_login login;

	if (setup->connections > 1 && !setup->dry_run) {
		account->keeper = keeper_open(setup->imap);
		keeper_begin(account->keeper, &login, &config);
	}
	if (store_imap_open(&config, &account->stores[REMOTE], err))
		return -1;
	if (!account->keeper)
		return 0;
	account->lanes = lanes_open(&(struct lanes_setup){
	    .name = setup->name,
	    .max = setup->connections - 1,
	    .keeper = account->keeper,
	    .tree = account->tree,
	    .remote = account->stores[REMOTE],
	});
	return 0;
}

/* What the sync layer is to know. */
static void open_channel(struct account *account)
{
	const struct account_setup *setup = &account->setup;
	const struct channel_setup channel = {
	    .name = setup->name,
	    .policy = setup->policy,
	    .patterns = setup->patterns,
	    .patterns_len = setup->patterns_len,
	    .map = setup->map,
	    .only = setup->only,
	    .only_len = setup->only_len,
	    .look_into = setup->look_into,
	    .allow_deletions = setup->allow_deletions,
	    .retry_refused = setup->retry_refused,
	    .journals = account->journals,
	    .stores = {account->stores[LOCAL], account->stores[REMOTE]},
	    .lanes = account->lanes,
	    .progress = setup->progress,
	};

	channel_open(&account->channel, &channel);
}

int account_open(const struct account_setup *setup, struct account **account, struct error *err)
{
	struct account *opened = xcalloc(1, sizeof(*opened));

	*account = NULL;
	opened->setup = *setup;
	if (open_local(opened, err) || open_remote(opened, err)) {
		account_close(&opened);
		return -1;
	}
	open_channel(opened);
	*account = opened;
	return 0;
}

/*
 * What a tree that was restored from a backup lacks was not deleted, and what it has again was not
 * added: the journals say nothing of it.
 */
static int check_generation(struct account *account, struct error *err)
{
	const char *path = account->setup.tree_path, *name = account->setup.name;
	bool behind;

	if (generation_is_behind(account, &behind, err))
		return -1;
	if (!behind || !account->tree)
		return 0;
	if (account->setup.dry_run)
		return error_set(err, ERROR_SAFETY, SCOPE_FATAL,
				 "%s is older than what is known of it (restored from a backup?); "
				 "evenmail sync %s matches it anew and deletes nothing",
				 text_show(path), name);
	log_warn("%s: %s is older than what is known of it (restored from a backup?); it is "
		 "matched anew, nothing is deleted or doubled",
		 name, text_show(path));
	return begin_anew(account, err);
}

int account_plan(struct account *account, struct error *err)
{
	if (check_generation(account, err))
		return -1;
	if (channel_list(&account->channel, err) || channel_survey(&account->channel, err))
		return -1;
	channel_plan(&account->channel);
	if (account->setup.dry_run)
		for (enum side side = LOCAL; side < SIDES; side++)
			hold_back_tell(&account->channel, side);
	return 0;
}

int account_apply(struct account *account, struct error *err)
{
	generation_follow(account);
	if (channel_apply(&account->channel, err))
		return -1;
	return channel_confirm(&account->channel, err);
}

void account_close(struct account **account)
{
	struct account *closed = *account;

	if (!closed)
		return;
	lanes_close(&closed->lanes);
	keeper_close(&closed->keeper);
	channel_close(&closed->channel);
	store_close(&closed->stores[REMOTE]);
	store_close(&closed->stores[LOCAL]);
	maildir_tree_close(&closed->tree);
	journal_dir_close(&closed->journals);
	free(closed);
	*account = NULL;
}
