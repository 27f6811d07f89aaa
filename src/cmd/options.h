// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The command line: options common to all commands, those of some, and the words between them.
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

/* What only some commands take, as bits. */
enum options_mode {
	MODE_DRY_RUN = 1u << 0,
	MODE_ALLOW_DELETIONS = 1u << 1,
	MODE_ADOPT = 1u << 2,
	MODE_BACKUP = 1u << 3, /* no option of its own: evenmail backup */
	MODE_WAIT = 1u << 4,
	MODE_RETRY_REFUSED = 1u << 5,
	MODE_DEEP = 1u << 6,
	MODE_REPAIR = 1u << 7,
};

struct options {
	const char *config_path; /* -c, or NULL */
	bool quiet;
	unsigned verbose; /* -v: 1, -vv: 2 */
	bool json;
	bool no_progress;
	enum options_color color;
	unsigned modes; /* of enum options_mode */
	unsigned wait;  /* MODE_WAIT: seconds at most; 0: as long as it takes */
	bool help;
	bool version;
	bool implied; /* no command was named: the names are taken for channels */
	char *const
	    *names; /* the words, borrowed from argv; after the command: CHANNEL[/MAILBOX] */
	size_t names_len;
};

/*
 * Reads argv, options and words in any order ("--" ends the options), and moves the words to its
 * front. -1: ERROR_USAGE, with the nearest option where there is one.
 */
int options_parse(int argc, char **argv, struct options *out, struct error *err);
/* "--adopt", ...: the option behind one mode. */
const char *options_mode_name(enum options_mode mode);

#endif
