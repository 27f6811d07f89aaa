// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Exit statuses, as the manual lists them. Of several channels the gravest counts: the order below
 * from the last to the first.
 */
#ifndef CMD_EXIT_STATUS_H
#define CMD_EXIT_STATUS_H

#include "base/error.h"

enum exit_status {
	STATUS_EVEN = 0,
	STATUS_PART = 1,   /* some mailboxes could not be made even */
	STATUS_SAFETY = 2, /* stopped by a safety check */
	STATUS_USAGE = 64,
	STATUS_UNAVAILABLE = 69, /* server unavailable or refused */
	STATUS_INTERNAL = 70,
	STATUS_IO = 74,
	STATUS_LOCKED = 75,
	STATUS_LOGIN = 77, /* login or certificate refused */
	STATUS_CONFIG = 78,
};

/* The status of an error that ended a channel's run. */
enum exit_status exit_status_of(const struct error *err);
/* The graver of two. */
enum exit_status exit_status_worse(enum exit_status a, enum exit_status b);

#endif
