// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/options.h"

#include "base/text.h"

#include <getopt.h>
#include <string.h>

enum long_option {
	OPTION_JSON = 256,
	OPTION_COLOR,
	OPTION_NO_PROGRESS,
	OPTION_DRY_RUN,
	OPTION_ALLOW_DELETIONS,
	OPTION_ADOPT,
	OPTION_VERSION,
	OPTION_HELP,
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"json", no_argument, NULL, OPTION_JSON},
    {"color", required_argument, NULL, OPTION_COLOR},
    {"no-progress", no_argument, NULL, OPTION_NO_PROGRESS},
    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
    {"allow-deletions", no_argument, NULL, OPTION_ALLOW_DELETIONS},
    {"adopt", no_argument, NULL, OPTION_ADOPT},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

/* Reads the word of --color. */
static int set_color(struct options *out, const char *word, struct error *err)
{
	static const char *const words[] = {"auto", "always", "never"};

	for (int i = 0; i < 3; i++)
		if (!strcmp(word, words[i])) {
			out->color = (enum options_color)i;
			return 0;
		}
	return error_set(err, ERROR_USAGE, SCOPE_FATAL, "--color %s: say auto, always or never",
			 text_show(word));
}

/* Takes in one option. */
static int set_option(struct options *out, int option, struct error *err)
{
	switch (option) {
	case 'c': out->config_path = optarg; return 0;
	case 'q': out->quiet = true; return 0;
	case 'v': out->verbose++; return 0;
	case 'h':
	case OPTION_HELP: out->help = true; return 0;
	case OPTION_JSON: out->json = true; return 0;
	case OPTION_COLOR: return set_color(out, optarg, err);
	case OPTION_NO_PROGRESS: out->no_progress = true; return 0;
	case OPTION_DRY_RUN: out->dry_run = true; return 0;
	case OPTION_ALLOW_DELETIONS: out->allow_deletions = true; return 0;
	case OPTION_ADOPT: out->adopt = true; return 0;
	case OPTION_VERSION: out->version = true; return 0;
	default: return -1;
	}
}

/* Says which option was not understood, and which one may have been meant. */
static int refuse_option(char **argv, struct error *err)
{
	const char *names[sizeof(long_options) / sizeof(*long_options)];
	const char *word = argv[optind - 1], *near;
	size_t i = 0;

	if (optopt > 0 && optopt < 256)
		return error_set(err, ERROR_USAGE, SCOPE_FATAL,
				 "option -%c: unknown, or without its value", optopt);
	for (; long_options[i].name; i++)
		names[i] = long_options[i].name;
	names[i] = NULL;
	near = text_nearest(word + strspn(word, "-"), names);
	return error_set(err, ERROR_USAGE, SCOPE_FATAL, "option %s: unknown%s%s%s", text_show(word),
			 near ? " (did you mean --" : "", near ? near : "", near ? "?)" : "");
}

/* The first word, where it is a command's name; else sync. */
static void take_command(struct options *out, const char *const *commands)
{
	out->command = "sync";
	for (size_t i = 0; out->names_len && commands[i]; i++) {
		if (strcmp(out->names[0], commands[i]) != 0)
			continue;
		out->command = commands[i];
		out->names++;
		out->names_len--;
		return;
	}
}

int options_parse(int argc, char **argv, const char *const *commands, struct options *out,
		  struct error *err)
{
	int option;

	*out = (struct options){0};
	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, "c:qvh", long_options, NULL)) != -1) {
		if (option == '?')
			return refuse_option(argv, err);
		if (set_option(out, option, err))
			return -1;
	}
	out->names = argv + optind;
	out->names_len = (size_t)(argc - optind);
	take_command(out, commands);
	return 0;
}
