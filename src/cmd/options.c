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
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

#define LONG_OPTIONS (sizeof(long_options) / sizeof(*long_options))

const char *options_mode_name(enum options_mode mode)
{
	switch (mode) {
	case MODE_DRY_RUN: return "--dry-run";
	case MODE_ALLOW_DELETIONS: return "--allow-deletions";
	case MODE_ADOPT: return "--adopt";
	case MODE_BACKUP: break;
	}
	return "backup";
}

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

/* Says which option was not understood, and which one may have been meant. */
static int refuse_option(const char *word, struct error *err)
{
	const char *names[LONG_OPTIONS], *near;
	const char letter[] = {(char)optopt, '\0'};
	bool is_long = !strncmp(word, "--", 2);

	if (is_long && optopt)
		return error_set(err, ERROR_USAGE, SCOPE_FATAL, "option %s: it takes no value",
				 text_show(word));
	if (optopt)
		return error_set(err, ERROR_USAGE, SCOPE_FATAL, "option -%s: unknown",
				 text_show(letter));
	for (size_t i = 0; i < LONG_OPTIONS; i++)
		names[i] = long_options[i].name;
	near = text_nearest(word + strspn(word, "-"), names);
	return error_set(err, ERROR_USAGE, SCOPE_FATAL, "option %s: unknown%s%s%s", text_show(word),
			 near ? " (did you mean --" : "", near ? near : "", near ? "?)" : "");
}

/* Takes in what getopt_long found. */
static int set_option(struct options *out, int option, const char *word, struct error *err)
{
	switch (option) {
	case 'c': out->config_path = optarg; return 0;
	case 'q': out->quiet = true; return 0;
	case 'v': out->verbose++; return 0;
	case 'h': out->help = true; return 0;
	case OPTION_JSON: out->json = true; return 0;
	case OPTION_COLOR: return set_color(out, optarg, err);
	case OPTION_NO_PROGRESS: out->no_progress = true; return 0;
	case OPTION_DRY_RUN: out->modes |= MODE_DRY_RUN; return 0;
	case OPTION_ALLOW_DELETIONS: out->modes |= MODE_ALLOW_DELETIONS; return 0;
	case OPTION_ADOPT: out->modes |= MODE_ADOPT; return 0;
	case OPTION_VERSION: out->version = true; return 0;
	case ':':
		return error_set(err, ERROR_USAGE, SCOPE_FATAL, "option %s: its value is missing",
				 text_show(word));
	default: return refuse_option(word, err);
	}
}

/*
 * The leading '-' hands the words out in their order, also where POSIXLY_CORRECT is set; they move
 * to places that getopt_long has passed.
 */
int options_parse(int argc, char **argv, struct options *out, struct error *err)
{
	int option;

	*out = (struct options){.names = argv + 1};
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, "-:c:qvh", long_options, NULL)) != -1) {
		if (option == 1)
			argv[++out->names_len] = optarg;
		else if (set_option(out, option, argv[optind - 1], err))
			return -1;
	}
	for (; optind < argc; optind++)
		argv[++out->names_len] = argv[optind];
	return 0;
}
