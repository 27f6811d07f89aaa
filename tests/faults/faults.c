// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Stops a run at every point, and has each call of it fail once in every way that it can: then two
 * runs with nothing in their way must end as one that nothing disturbed (FAULTS 1, 4, 6, 7, and 3
 * as far as ENOSPC stands for a full disk).
 *
 *	faults                      some of it, as a test among others
 *	faults SHARD SHARDS         a shard's share of all stops and every third failure
 *	                            (with EVENMAIL_SOAK=3 of all)
 *	faults SCENE WAY NUMBER     one, to look at a failure
 */
#include "figure.h"
#include "trial.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SAMPLE        61 /* as a test among others: one of so many */
#define FAILURE_STEP  3
#define FAILURES_MAX  10
#define ALLOC_STEP    9 /* memory is asked for so often that one in so many does */

/* What is done, and what came of it. */
struct tally {
	uint64_t stops, failures;
	uint64_t lost, doubled, stuck;
	uint64_t wrong;
};

/* Every step-th number of a way in a scene, until the run passes without it. */
static void try_way(const struct scene *scene, const struct way *way, uint64_t first, uint64_t step,
		    struct tally *tally)
{
	for (uint64_t at = first; tally->wrong < FAILURES_MAX; at += step) {
		struct verdict verdict;

		trial_run(&(struct trial){scene, way, at}, &verdict);
		if (!verdict.struck && !*verdict.failure)
			return;
		*(way->stop ? &tally->stops : &tally->failures) += 1;
		tally->lost += verdict.lost;
		tally->doubled += verdict.doubled;
		tally->stuck += verdict.stuck;
		if (!*verdict.failure)
			continue;
		tally->wrong++;
		fprintf(stderr, "faults '%s' %s %llu: %s\nat %s\n", scene->name, way->name,
			(unsigned long long)at, verdict.failure, verdict.where);
		if (!verdict.struck)
			return;
	}
}

/* From one number to the next. */
static uint64_t step_of(const struct way *way, bool sample)
{
	uint64_t step = sample ? SAMPLE : way->stop ? 1 : FAILURE_STEP / figure_longer(1);

	if (step == 0)
		step = 1;
	return way->dies ? step * ALLOC_STEP : step;
}

/* Others of them in each scene. */
static void try_share(const struct scene *scene, const struct way *way, bool sample,
		      struct tally *tally)
{
	uint64_t step = step_of(way, sample);

	try_way(scene, way, 1 + (uint64_t)((scene - scenes) + (way - ways)) % step, step, tally);
}

/* A shard's share of all ways in all scenes. */
static void try_all(unsigned shard, unsigned shards, bool sample, struct tally *tally)
{
	*tally = (struct tally){0};
	for (size_t i = 0; i < scenes_len; i++)
		for (size_t k = 0; k < ways_len; k++)
			if ((i + k) % shards == shard)
				try_share(&scenes[i], &ways[k], sample, tally);
	figure_note("stops", tally->stops, "points stopped at");
	figure_note("errors", tally->failures, "calls that failed");
	figure_note("messages", tally->lost, "lost");
	figure_note("messages", tally->doubled, "doubled");
	figure_note("mailboxes", tally->stuck, "stuck");
	printf("%llu stops, %llu failures, %llu lost, %llu doubled, %llu stuck, %llu wrong\n",
	       (unsigned long long)tally->stops, (unsigned long long)tally->failures,
	       (unsigned long long)tally->lost, (unsigned long long)tally->doubled,
	       (unsigned long long)tally->stuck, (unsigned long long)tally->wrong);
}

static void ends_as_if_undisturbed(void **state)
{
	struct tally tally;

	(void)state;
	try_all(0, 1, true, &tally);
	assert_int_equal(tally.wrong, 0);
	assert_true(tally.stops >= scenes_len && tally.failures > 5 * scenes_len);
}

/*
 * A mailbox that could not be looked at was taken for one that the user had deleted, and one that
 * was renamed, too: the messages were removed on the server, and by the next run here. A message that
 * the server's user had moved never came to where it was, and went from where it had been, where
 * the journal of the mailbox that it had left could not be written just then.
 */
static void keeps_what_once_went_wrong(void **state)
{
	static const struct {
		const char *scene;
		struct way way;
	} once[] = {
	    {"keywords", {"EIO", "EIO", "/mail/INBOX", EIO}},
	    {"a local mailbox renamed", {"EIO+", "EIO+", "/mail/Works", EIO}},
	    {"a local mailbox renamed", {"EIO", "EIO", "/state/Work", EIO}},
	    {"moved on the server, one way", {"EMFILE", "EMFILE", "/state/INBOX", EMFILE}},
	    {"moved on the server, one way", {"EIO", "EIO", "/state/INBOX", EIO}},
	};
	struct tally tally = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(once) / sizeof(*once); i++) {
		const struct scene *scene = scenes;

		while (strcmp(scene->name, once[i].scene) != 0)
			scene++;
		try_way(scene, &once[i].way, 1, 1, &tally);
	}
	assert_true(tally.failures > 30);
	assert_int_equal(tally.wrong, 0);
}

/* One, with all that it says. */
static int try_one(const char *scene, const char *way, const char *number)
{
	for (size_t i = 0; i < scenes_len; i++)
		for (size_t k = 0; k < ways_len; k++) {
			struct verdict verdict;

			if (strcmp(scenes[i].name, scene) != 0 || strcmp(ways[k].name, way) != 0)
				continue;
			trial_run(&(struct trial){&scenes[i], &ways[k], strtoull(number, NULL, 10),
						  .loud = true},
				  &verdict);
			printf("%s\nat %s\n%s\n", *verdict.failure ? verdict.failure : "good",
			       verdict.where, verdict.error);
			return *verdict.failure != '\0';
		}
	return 64;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keeps_what_once_went_wrong),
	    cmocka_unit_test(ends_as_if_undisturbed),
	};
	struct tally tally;

	if (argc == 4)
		return try_one(argv[1], argv[2], argv[3]);
	if (argc < 3)
		return cmocka_run_group_tests(tests, NULL, NULL);
	try_all((unsigned)atoi(argv[1]), (unsigned)atoi(argv[2]), false, &tally);
	return tally.wrong != 0;
}
