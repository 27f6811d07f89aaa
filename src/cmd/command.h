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
	enum exit_status (*run)(const struct options *options); /* NULL: not supported yet */
	const char *arguments;                                  /* as the usage shows them */
	const char *text;                                       /* what it does, one line */
	unsigned modes; /* of enum options_mode: what it takes */
};

/* The table, ended by a row without name. */
extern const struct command commands[];

/*
 * Takes the command off the words; where the first is none it is sync that is meant, of the
 * channels named. NULL: ERROR_USAGE for a command that is not supported yet, or an option or a
 * mailbox that the command does not take.
 */
const struct command *command_choose(struct options *options, struct error *err);
/* How to call one command, or (NULL) all of them. */
void command_print_help(const struct command *command);

enum exit_status cmd_sync(const struct options *options);
enum exit_status cmd_plan(const struct options *options);
enum exit_status cmd_backup(const struct options *options);
enum exit_status cmd_check(const struct options *options);
enum exit_status cmd_status(const struct options *options);
enum exit_status cmd_journal(const struct options *options);
enum exit_status cmd_verify(const struct options *options);
enum exit_status cmd_explain(const struct options *options);

#endif
