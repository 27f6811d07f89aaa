// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a command works on: channels of the configuration, each as a whole or by mailboxes; and the
 * configuration's words translated into those of the layers below.
 */
#ifndef CMD_TARGET_H
#define CMD_TARGET_H

#include "cmd/options.h"
#include "config/config.h"
#include "imap/session.h"
#include "run/account.h"

struct target {
	const struct config_channel *channel;
	const char **only; /* mailboxes named; none: all */
	size_t only_len;
};

struct target_list {
	struct config *config;
	struct target *targets;
	size_t len;
	size_t cap;
};

/*
 * Loads the configuration and resolves the names given; without any, every channel in the order of
 * the file. -1: ERROR_CONFIG, also where there is no place for the state, or ERROR_USAGE for a
 * channel that there is none of.
 */
int target_load(const struct options *options, struct target_list *out, struct error *err);
void target_free(struct target_list *list);

/* Everything that account_open wants; what it points to lives in arena and in the target. */
void target_setup(const struct target *target, const struct options *options, struct arena *arena,
		  struct account_setup *out);
/* True where the command line takes the mailbox in: it named that one, or none at all. */
bool target_names_mailbox(const struct target *target, const char *mailbox);
/* $XDG_STATE_HOME/evenmail/CHANNEL, or ~/.local/state/evenmail/CHANNEL. */
const char *target_state_dir(const struct config_channel *channel, struct arena *arena);

#endif
