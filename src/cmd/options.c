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
	OPTION_WAIT,
	OPTION_RETRY_REFUSED,
	OPTION_DEEP,
	OPTION_REPAIR,
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
    {"wait", optional_argument, NULL, OPTION_WAIT},
    {"retry-refused", no_argument, NULL, OPTION_RETRY_REFUSED},
    {"deep", no_argument, NULL, OPTION_DEEP},
    {"repair", no_argument, NULL, OPTION_REPAIR},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

#define WAIT_MAX     100000000 /* seconds, but for one more digit: three years */
#define LONG_OPTIONS (sizeof(long_options) / sizeof(*long_options))

const char *options_mode_name(enum options_mode mode)
{
	switch (mode) {
	case MODE_DRY_RUN: return "--dry-run";
	case MODE_ALLOW_DELETIONS: return "--allow-deletions";
	case MODE_ADOPT: return "--adopt";
	case MODE_WAIT: return "--wait[=SECONDS]";
	case MODE_RETRY_REFUSED: return "--retry-refused";
	case MODE_DEEP: return "--deep";
	case MODE_REPAIR: return "--repair";
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

/* Reads the seconds of --wait, where there are any. */
static int set_wait(struct options *out, const char *word, struct error *err)
{
	unsigned seconds = 0;

	out->modes |= MODE_WAIT;
	for (const char *at = word; at && *at; at++) {
		if (*at < '0' || *at > '9' || seconds > WAIT_MAX)
			return error_set(err, ERROR_USAGE, SCOPE_FATAL,
					 "--wait=%s: say for how many seconds at most, or nothing "
					 "for as long as it takes",
					 text_show(word));
		seconds = seconds * 10 + (unsigned)(*at - '0');
	}
	if (word && !seconds)
		out->modes &= ~(unsigned)MODE_WAIT;
	out->wait = seconds;
	return 0;
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
	case OPTION_WAIT: return set_wait(out, optarg, err);
	case OPTION_RETRY_REFUSED: out->modes |= MODE_RETRY_REFUSED; return 0;
	case OPTION_DEEP: out->modes |= MODE_DEEP; return 0;
	case OPTION_REPAIR: out->modes |= MODE_REPAIR; return 0;
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
