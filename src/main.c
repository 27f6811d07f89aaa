// SPDX-License-Identifier: GPL-3.0-or-later
/* evenmail: keeps a local Maildir tree and an IMAP account even. See evenmail(1). */
#include "base/log.h"
#include "base/stop.h"
#include "cmd/command.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

const struct command commands[] = {
    {"sync", cmd_sync, "sync [CHANNEL[/MAILBOX]...]    make them even (the default command)"},
    {"plan", cmd_plan, "plan [CHANNEL[/MAILBOX]...]    say what sync would do, and change nothing"},
    {NULL, NULL, NULL},
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

/* The log's sink: to stderr, under the program's name. */
static void print_log(void *context, enum log_level level, const char *line)
{
	(void)context;
	fprintf(stderr, level == LOG_LEVEL_WIRE ? "%s\n" : "evenmail: %s\n", line);
}

/* How loud the log is. */
static enum log_level level_of(const struct options *options)
{
	return options->verbose > 1   ? LOG_LEVEL_WIRE
	       : options->verbose > 0 ? LOG_LEVEL_INFO
				      : LOG_LEVEL_WARN;
}

/* --help. */
static void print_help(void)
{
	puts("evenmail keeps a local Maildir tree and an IMAP account even.\n");
	for (const struct command *command = commands; command->name; command++)
		printf("  evenmail %s\n", command->synopsis);
	puts("\n  -c FILE            the configuration (evenmail.yaml(5))\n"
	     "  -q, -v, -vv        say less; more; the protocol too\n"
	     "  --json             one JSON object a line on stdout\n"
	     "  --dry-run          sync: the same as plan\n"
	     "  --allow-deletions  sync: carry out what a safety check stopped\n"
	     "  --adopt            sync: take this tree and account for the channel's, match anew\n"
	     "  --color WHEN       auto, always, never\n"
	     "  --no-progress      no progress on a terminal\n"
	     "  --version, --help\n\nThe manual: evenmail(1).");
}

/* Nobody else reads what we write, and no core holds a secret. */
static void harden(void)
{
	const struct rlimit none = {0, 0};

	umask(077);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Runs the command that the options name. */
static enum exit_status run(const struct options *options)
{
	for (const struct command *command = commands; command->name; command++)
		if (!strcmp(command->name, options->command))
			return command->run(options);
	return STATUS_INTERNAL;
}

int main(int argc, char **argv)
{
	const char *names[COMMANDS];
	struct options options;
	struct error err;

	harden();
	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i].name;
	if (options_parse(argc, argv, names, &options, &err)) {
		fprintf(stderr, "evenmail: %s; evenmail --help lists all\n", err.text);
		return STATUS_USAGE;
	}
	if (options.version || options.help) {
		if (options.version)
			puts("evenmail " EVENMAIL_VERSION);
		else
			print_help();
		return STATUS_EVEN;
	}
	if (!options.quiet || options.verbose)
		log_set_sink(print_log, NULL, level_of(&options));
	if (stop_install(&err)) {
		fprintf(stderr, "evenmail: %s\n", err.text);
		return exit_status_of(&err);
	}
	return run(&options);
}
