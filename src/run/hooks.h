// SPDX-License-Identifier: GPL-3.0-or-later
/* The user's own commands around a run: hooks.after, once something changed on the local side. */
#ifndef RUN_HOOKS_H
#define RUN_HOOKS_H

#include "base/error.h"
#include "sync/channel.h"

/* True where the run changed the local side: messages, flags or mailboxes. */
bool hooks_are_due(const struct channel *channel);
/*
 * Runs command by /bin/sh -c and awaits its end: stdin is /dev/null, stdout our stderr (stdout is
 * for what we say), every other descriptor closed, EVENMAIL_CHANNEL in the environment. A stop
 * asked for meanwhile is passed on as SIGTERM. To be called without the channel's lock, so that the
 * command may run evenmail itself. -1: ERROR_REFUSED where it does not end with status 0.
 */
int hooks_run_after(const char *command, const char *channel, struct error *err);

#endif
