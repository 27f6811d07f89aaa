// SPDX-License-Identifier: GPL-3.0-or-later
/* evenmail: keeps a local Maildir tree and an IMAP account even. See evenmail(1). */
#include "base/log.h"
#include "base/stop.h"
#include "cmd/command.h"
#include "cmd/report-progress.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MMAP_THRESHOLD (256 * 1024) /* bytes; what is as large is mapped by itself */

/* The log's sink: to stderr, under the program's name, on a line of its own. */
static void print_log(void *context, enum log_level level, const char *line)
{
	const bool *progress = context;

	fprintf(stderr, "%s%s%s\n", *progress ? PROGRESS_CLEAR : "",
		level == LOG_LEVEL_WIRE ? "" : "evenmail: ", line);
}

/* How loud the log is. */
static enum log_level level_of(const struct options *options)
{
	return options->verbose > 1   ? LOG_LEVEL_WIRE
	       : options->verbose > 0 ? LOG_LEVEL_INFO
				      : LOG_LEVEL_WARN;
}

/*
 * Nobody else reads what we write, no core holds a secret, and no file of ours takes the place of a
 * standard stream that we were started without.
 */
static void harden(void)
{
	const struct rlimit none = {0, 0};
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	umask(077);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Says why nothing is done at all. */
static enum exit_status refuse(const struct error *err)
{
	fprintf(stderr, "evenmail: %s%s\n", err->text,
		err->kind == ERROR_USAGE ? "; evenmail --help lists all" : "");
	return exit_status_of(err);
}

/* Does what the options ask for. */
static enum exit_status run(int argc, char **argv)
{
	struct options options;
	const struct command *command;
	struct error err;

	if (stop_install(&err) || options_parse(argc, argv, &options, &err))
		return refuse(&err);
	if (options.version) {
		puts("evenmail " EVENMAIL_VERSION);
		return STATUS_EVEN;
	}
	bool is_general = options.help && !options.names_len;
	if (is_general) {
		command_print_help(NULL);
		return STATUS_EVEN;
	}
	command = command_choose(&options, &err);
	if (!command)
		return refuse(&err);
	if (options.help) {
		command_print_help(command);
		return STATUS_EVEN;
	}
	bool progress = progress_is_wanted(&options);
	if (!options.quiet || options.verbose)
		log_set_sink(print_log, &progress, level_of(&options));
	enum exit_status status = command->run(&options);
	log_set_sink(NULL, NULL, LOG_LEVEL_WARN);
	return status;
}

/*
 * What is large and freed goes back to the system. By default the first large free moves the bound,
 * and from then on what a run had once it keeps: the peaks of its steps add up.
 */
static void bound_memory(void)
{
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
#endif
}

/* What was printed must have arrived: who reads a cut summary would take it for the whole. */
int main(int argc, char **argv)
{
	harden();
	bound_memory();
	enum exit_status status = run(argc, argv);
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	fprintf(stderr, "evenmail: cannot write to standard output: %s\n", strerror(errno));
	return exit_status_worse(status, STATUS_IO);
}
