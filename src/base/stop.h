// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A request to stop, by signal. The first SIGINT, SIGTERM or SIGHUP asks; work ends at the next
 * safe place and what is done is kept. The second kills the process at once, which is as safe as
 * kill -9.
 */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include "base/error.h"

#include <stdbool.h>

/* Installs the handlers (not for what came ignored, as under nohup) and ignores SIGPIPE. */
int stop_install(struct error *err);
bool stop_requested(void);
/* Readable from the stop on: to be polled beside sockets. -1 before installation. */
int stop_fd(void);
/* -1 with ERROR_STOPPED where a stop was asked for, else 0. */
int stop_check(struct error *err);

#endif
