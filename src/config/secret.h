// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where passwords and tokens come from: the configuration, a file, or the first line that a
 * command prints. Commands run by /bin/sh -c with /dev/null as stdin, stderr passed on, every
 * other descriptor closed, no secret in argv or environment, and 30 s to end.
 */
#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include "base/buf.h"
#include "config/config.h"

/*
 * Appends the password (token false) or access token (token true) of remote to out, which belongs
 * to the caller, to be freed by buf_free_secret(). -1: ERROR_LOGIN, SCOPE_STORE, or ERROR_STOPPED.
 */
int secret_get(const struct config_remote *remote, bool token, struct buf *out, struct error *err);

#endif
