// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A channel brought to life: state directory and lock, Maildir tree, IMAP session; and the checks
 * that come before any look at a message: is this the tree, and is this the account, that the
 * journals were made for?
 *
 *	account_open(&setup, &account, err)
 *	account_run(account, err)	or, one by one, the steps of sync/channel.h
 *	account_close(&account)
 */
#ifndef RUN_ACCOUNT_H
#define RUN_ACCOUNT_H

#include "imap/session.h"
#include "maildir/tree.h"
#include "run/keeper.h"
#include "sync/channel.h"

/* Borrowed until account_close. */
struct account_setup {
	const char *name;
	const char *account;   /* whose mail: "alice@imap.example.org", or the tunnel */
	const char *state_dir; /* absolute */
	const char *tree_path; /* absolute */
	enum maildir_layout layout;
	const struct imap_config *imap;
	unsigned connections; /* at most, at once; at least 1 */
	struct policy policy;
	const char *const *patterns;
	size_t patterns_len;
	struct name_map map;
	const char *const *only;
	size_t only_len;
	const char *look_into; /* as in sync/channel.h */
	bool dry_run; /* change nothing anywhere; takes no lock */
	bool allow_deletions;
	bool adopt; /* take this tree and this account for those of the channel, and match anew */
	bool retry_refused; /* as in sync/channel.h */
	bool waits;    /* where another run holds the lock: waits for its end */
	unsigned wait; /* seconds at most; 0: as long as it takes */
	struct progress *progress;
};

struct account {
	struct account_setup setup;
	struct journal_dir *journals;
	struct maildir_tree *tree;
	struct keeper *keeper; /* NULL where there is one connection only */
	struct store *stores[SIDES];
	struct lanes *lanes;
	struct channel channel; /* to be read between the steps */
};

/*
 * Opens everything, the server last. -1: ERROR_LOCKED, ERROR_IO, ERROR_SAFETY (the tree or the
 * account is another one: the text says what to do), or as imap_open. *account is NULL then.
 */
int account_open(const struct account_setup *setup, struct account **account, struct error *err);
/* Lists, surveys and plans: nothing is changed. */
int account_plan(struct account *account, struct error *err);
/* Applies and confirms what account_plan planned. */
int account_apply(struct account *account, struct error *err);
void account_close(struct account **account);

#endif
