// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The subcommands: each one file, argv's options in, exit status out. Only here is anything
 * printed.
 */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "cmd/exit-status.h"
#include "cmd/options.h"

struct command {
	const char *name;
	enum exit_status (*run)(const struct options *options);
	const char *synopsis;
};

/* The table, ended by a row without name. */
extern const struct command commands[];

enum exit_status cmd_sync(const struct options *options);
enum exit_status cmd_plan(const struct options *options);

#endif
