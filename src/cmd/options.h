// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The command line: options common to all commands, those of some, and the channels named.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum options_color {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER,
};

struct options {
	const char *command;     /* "sync" where none was named */
	const char *config_path; /* -c, or NULL */
	bool quiet;
	unsigned verbose; /* -v: 1, -vv: 2 */
	bool json;
	bool no_progress;
	enum options_color color;
	bool dry_run;
	bool allow_deletions;
	bool adopt;
	bool help;
	bool version;
	char *const *names; /* CHANNEL[/MAILBOX], borrowed from argv */
	size_t names_len;
};

/*
 * Reads argv. commands are the names that a first word may have (NULL-terminated); any other first
 * word is a channel's name. -1: ERROR_USAGE, with the nearest option where there is one.
 */
int options_parse(int argc, char **argv, const char *const *commands, struct options *out,
		  struct error *err);

#endif
