// SPDX-License-Identifier: GPL-3.0-or-later
/* What the commands have in common: each channel in turn, then the summary. */
#ifndef CMD_EACH_H
#define CMD_EACH_H

#include "cmd/report.h"
#include "cmd/target.h"

/* Visits every target that the command line names. A stop ends it before the next one. */
enum exit_status each_target(const struct options *options,
			     void (*visit)(const struct target *target, struct report *report));

#endif
