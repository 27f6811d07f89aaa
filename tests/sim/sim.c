// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The simulator: the whole engine on two sides in memory, with users, broken lines, kills and power
 * cuts between and during runs, as a seed decides.
 *
 *	sim                     some thousand histories, as a test among others
 *	sim HISTORIES [SEED]    so many, from that seed on
 *	sim 1 SEED              one, to look at a failure
 *
 * A history that fails is made smaller and printed, with the seed that makes it again.
 */
#include "figure.h"
#include "regress.h"
#include "scratch.h"
#include "shrink.h"
#include "world.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HISTORIES 2000

static volatile unsigned long long current;

/* A crash of the engine's tells no seed. (write(2) is wrapped, and may be dead.) */
static void tell_seed(int number)
{
	dprintf(STDERR_FILENO, "sim: signal %d at seed %llu\n", number, current);
	signal(number, SIG_DFL);
	raise(number);
}

static void make_directory(char path[SCRATCH_PATH])
{
	if (scratch_make(path, SCRATCH_PATH, "sim") < 0) {
		perror(path);
		exit(1);
	}
}

/* Removes the directory; its journals are gone by now. */
static void remove_directory(const char *path)
{
	char lock[SCRATCH_PATH + 8];

	snprintf(lock, sizeof(lock), "%s/lock", path);
	unlink(lock);
	if (rmdir(path))
		perror(path);
}

/* Prints a failure and the smallest history that shows one. */
static void report(const struct history *history, const char *directory, const char *failure)
{
	struct history smallest = *history;
	char why[512];

	fprintf(stderr, "seed %llu: %s\n", (unsigned long long)history->seed, failure);
	shrink(&smallest, directory);
	history_print(&smallest, stderr);
	fprintf(stderr, "which goes:\n");
	history_run(&smallest, directory, stderr, why);
	fprintf(stderr, "and so: %s\n", why);
}

/* Runs them all; how many failed, at most some. */
static int simulate(uint64_t seed, unsigned long count)
{
	char directory[SCRATCH_PATH], failure[512];
	int failed = 0;

	make_directory(directory);
	for (unsigned long i = 0; i < count && failed < 3; i++) {
		struct history history;
		history_make(seed + i, &history);
		current = history.seed;
		if (history_run(&history, directory, NULL, failure))
			continue;
		report(&history, directory, failure);
		failed++;
	}
	remove_directory(directory);
	return failed;
}

/* The same, counted for the end of tests/run. */
static int simulate_counted(uint64_t seed, unsigned long count)
{
	int failed = simulate(seed, count);

	figure_note("sim", failed ? 0 : count,
		    "random histories with faults, on the memory store");
	return failed;
}

static void keeps_what_must_hold_in_every_history(void **state)
{
	(void)state;
	assert_int_equal(simulate_counted(figure_seed(1), (unsigned long)figure_longer(HISTORIES)),
			 0);
}

static void keeps_what_once_went_wrong(void **state)
{
	char directory[SCRATCH_PATH], failure[512];
	struct history history;
	const char *title;

	(void)state;
	make_directory(directory);
	for (size_t i = 0; (title = regress_history(i, &history)); i++)
		if (!history_run(&history, directory, NULL, failure)) {
			history_run(&history, directory, stderr, failure);
			fail_msg("%s: %s", title, failure);
		}
	remove_directory(directory);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keeps_what_once_went_wrong),
	    cmocka_unit_test(keeps_what_must_hold_in_every_history),
	};

	signal(SIGABRT, tell_seed);
	signal(SIGSEGV, tell_seed);
	if (argc < 2)
		return cmocka_run_group_tests(tests, NULL, NULL);
	unsigned long count = strtoul(argv[1], NULL, 10);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	int failed = simulate_counted(seed, count);
	printf("%lu histories from seed %" PRIu64 " on: %d failed\n", count, seed, failed);
	return failed != 0;
}
