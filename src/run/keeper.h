// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Keeps the secret of the first login for those of further connections, so that the user's command
 * is run, and a key asked for its PIN, once in a run. Where there is one connection nothing is
 * kept.
 *
 * It lies in a page of its own that is not swapped out, in no core and in no child, and is wiped
 * when the keeper is closed. A login that asks a second time was refused with what it had: it and
 * all after it get what the command says then.
 *
 *	keeper_open(&config, &keeper)
 *	keeper_begin(keeper, &login, &config)	for each login: config now asks the keeper
 *	keeper_close(&keeper)			after the last login
 */
#ifndef RUN_KEEPER_H
#define RUN_KEEPER_H

#include "imap/session.h"

#include <stdbool.h>

struct keeper;

/* One login's dealings with the keeper; stays as long as the config that asks. */
struct keeper_login {
	struct keeper *keeper;
	bool asked;
};

/* config is borrowed until keeper_close. */
struct keeper *keeper_open(const struct imap_config *config);
/* Fills config with the keeper's, asking the keeper for secrets; in any thread. */
void keeper_begin(struct keeper *keeper, struct keeper_login *login, struct imap_config *config);
/* NULL is fine. */
void keeper_close(struct keeper **keeper);

#endif
