// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A shell command run for what it prints.
 *
 * /bin/sh -c in a process group of its own: stdin is /dev/null, stderr ours, every other descriptor
 * closed. Nothing of its output is logged or put into an error, nor is the command itself, for it
 * may hold a secret.
 */
#ifndef CONFIG_SHELL_H
#define CONFIG_SHELL_H

#include "base/buf.h"
#include "base/error.h"

/*
 * Appends what command prints to out, whose maximum bounds it. what names the command in messages
 * ("password-command"). -1: ERROR_LOGIN, SCOPE_STORE, where it cannot be run, ends by a signal or
 * with a status other than 0, prints too much, or has not ended after limit_ms; ERROR_STOPPED where
 * a stop is asked for meanwhile. The group is ended then, first by SIGTERM.
 */
int shell_capture(const char *command, const char *what, unsigned limit_ms, struct buf *out,
		  struct error *err);

#endif
