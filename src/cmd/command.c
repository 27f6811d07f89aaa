// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/command.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define CHANNELS "[CHANNEL[/MAILBOX]...]"

const struct command commands[] = {
    {"sync", cmd_sync, CHANNELS, "make them even (the default command)",
     MODE_DRY_RUN | MODE_ALLOW_DELETIONS | MODE_ADOPT | MODE_WAIT | MODE_RETRY_REFUSED},
    {"plan", cmd_plan, CHANNELS, "say what sync would do, and change nothing",
     MODE_ALLOW_DELETIONS | MODE_RETRY_REFUSED},
    {"backup", cmd_backup, CHANNELS, "fetch what is new, change nothing there, delete nothing here",
     MODE_DRY_RUN | MODE_ADOPT | MODE_WAIT | MODE_RETRY_REFUSED},
    {"check", cmd_check, "[CHANNEL...]", "log in, say what the server offers and how it is used",
     0},
    {"status", cmd_status, CHANNELS, "per mailbox: messages, last sync, what waits", 0},
    {"journal", cmd_journal, CHANNELS, "show what both sides agreed on", 0},
    {"verify", cmd_verify, CHANNELS, "hold files and server against what was agreed on",
     MODE_DEEP | MODE_REPAIR | MODE_WAIT},
    {"explain", cmd_explain, "CHANNEL/MAILBOX [MESSAGE]",
     "what both sides hold, and which rule applies", 0},
    {"init", NULL, NULL, NULL, 0},
    {"watch", NULL, NULL, NULL, 0},
    {"import", NULL, NULL, NULL, 0},
    {NULL, NULL, NULL, NULL, 0},
};

/* What every command takes. */
static const char common_options[] = "  -c, --config FILE  the configuration (evenmail.yaml(5))\n"
				     "  -q, --quiet        say only what went wrong\n"
				     "  -v, --verbose      say more; twice: the protocol too\n"
				     "  --json             one JSON object a line on stdout\n"
				     "  --color WHEN       auto, always, never\n"
				     "  --no-progress      no progress on a terminal\n"
				     "  --version, --help\n";

/* What each mode's option does. */
static const char *mode_text(enum options_mode mode)
{
	switch (mode) {
	case MODE_DRY_RUN: return "change nothing, say what would be done";
	case MODE_ALLOW_DELETIONS: return "carry out what a safety check stopped";
	case MODE_ADOPT: return "take this tree and account for the channel's, match anew";
	case MODE_WAIT: return "wait where another run holds the lock";
	case MODE_RETRY_REFUSED: return "try again what the other side refused before";
	case MODE_DEEP: return "download every message and compare it with its file";
	case MODE_REPAIR: return "mend what can be proved";
	case MODE_BACKUP: break;
	}
	return "";
}

/* The command of that name; NULL where there is none. */
static const struct command *find(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

/* An option that means nothing to the command is the user's mistake: it promises something. */
static int check_modes(const struct command *command, const struct options *options,
		       struct error *err)
{
	unsigned surplus = options->modes & ~command->modes;

	if (surplus)
		return error_set(err, ERROR_USAGE, SCOPE_FATAL, "%s takes no %s", command->name,
				 options_mode_name(surplus & -surplus));
	if (options->modes & MODE_DRY_RUN && options->modes & MODE_ADOPT)
		return error_set(err, ERROR_USAGE, SCOPE_FATAL,
				 "--adopt cannot be tried out: it forgets the journal first");
	if (command->run == cmd_verify && options->modes & MODE_WAIT &&
	    !(options->modes & MODE_REPAIR))
		return error_set(err, ERROR_USAGE, SCOPE_FATAL,
				 "verify --wait: without --repair it takes no lock");
	return 0;
}

/* To check is to check an account: a mailbox named there would be named in vain. */
static int check_names(const struct command *command, const struct options *options,
		       struct error *err)
{
	for (size_t i = 0; command->run == cmd_check && i < options->names_len; i++)
		if (strchr(options->names[i], '/'))
			return error_set(err, ERROR_USAGE, SCOPE_FATAL,
					 "%s looks at whole channels, not at a mailbox: %s",
					 command->name, text_show(options->names[i]));
	return 0;
}

const struct command *command_choose(struct options *options, struct error *err)
{
	const struct command *command = options->names_len ? find(options->names[0]) : NULL;

	if (command) {
		options->names++;
		options->names_len--;
	} else {
		options->implied = options->names_len > 0;
		command = find("sync");
	}
	if (!command->run) {
		error_set(err, ERROR_USAGE, SCOPE_FATAL, "%s: not supported yet", command->name);
		return NULL;
	}
	if (check_modes(command, options, err) || check_names(command, options, err))
		return NULL;
	return command;
}

/* The options of one command. */
static void print_modes(unsigned modes)
{
	for (unsigned mode = 1; mode <= modes; mode <<= 1)
		if (modes & mode)
			printf("  %-18s %s\n", options_mode_name(mode), mode_text(mode));
}

void command_print_help(const struct command *command)
{
	unsigned modes = 0;

	if (command) {
		printf("evenmail %s %s\n\n%s.\n\n", command->name, command->arguments,
		       command->text);
		print_modes(command->modes);
	} else {
		puts("evenmail keeps a local Maildir tree and an IMAP account even.\n");
		for (command = commands; command->run; command++) {
			printf("  evenmail %-8s%-26s%s\n", command->name, command->arguments,
			       command->text);
			modes |= command->modes;
		}
		putchar('\n');
		print_modes(modes);
	}
	fputs(common_options, stdout);
	puts("\nThe manual: evenmail(1), evenmail.yaml(5), evenmail-journal(5).");
}
