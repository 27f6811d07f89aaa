// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Stops a run at every point, and has each call of it fail once in every way that it can: then two
 * runs with nothing in their way must end as one that nothing disturbed (FAULTS 1, 4, 6, 7, and 3
 * as far as ENOSPC stands for a full disk).
 *
 *	faults                      some of it, as a test among others
 *	faults SHARD SHARDS         a shard's share of all stops, every fourth failure, and scenes
 *	                            that seeds decide
 *	faults seeds SEED COUNT     so many such scenes, from that seed on
 *	faults SCENE WAY NUMBER     one, to look at a failure; SCENE is a name or a seed
 *
 * EVENMAIL_SOAK=N makes it every failure, and N times as many drawn scenes; EVENMAIL_SEED others.
 */
#include "figure.h"
#include "trial.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SAMPLE       97 /* as a test among others: one of so many */
#define FAILURE_STEP 4
#define DRAWN_STEP   9 /* the same of scenes that seeds decide, of which there are many */
#define FAILURES_MAX 10
#define DRAWN        4 /* scenes that seeds decide */
#define ALLOC_STEP   9 /* memory is asked for so often that one in so many does */

/* What is done, and what came of it. */
struct tally {
	uint64_t stops, failures;
	uint64_t lost, doubled, stuck;
	uint64_t wrong;
};

/* Says what went wrong, and how to have it again. */
static void tell(const struct scene *scene, const struct way *way, uint64_t at,
		 const struct verdict *verdict)
{
	char seed[32];

	snprintf(seed, sizeof(seed), "%" PRIu64, scene->seed);
	fprintf(stderr, "faults '%s' %s %" PRIu64 ": %s\nat %s\n", scene->name ? scene->name : seed,
		way->name, at, verdict->failure, verdict->where);
}

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
		tell(scene, way, at, &verdict);
		if (!verdict.struck)
			return;
	}
}

/* From one number to the next. */
static uint64_t step_of(const struct way *way, uint64_t failure_step)
{
	if (way->stop && !way->again && failure_step != SAMPLE)
		return 1;
	return way->dies ? failure_step * ALLOC_STEP : failure_step;
}

/* Others of them in each scene. */
static void try_share(const struct scene *scene, uint64_t number, const struct way *way,
		      uint64_t failure_step, struct tally *tally)
{
	uint64_t step = step_of(way, failure_step);

	try_way(scene, way, 1 + (number + (uint64_t)(way - ways)) % step, step, tally);
}

/* Scenes that seeds decide, from one on. */
static void try_drawn(uint64_t seed, uint64_t count, struct tally *tally)
{
	for (uint64_t i = 0; i < count; i++) {
		struct scene scene;

		scene_draw(seed + i, &scene);
		for (size_t k = 0; k < ways_len; k++)
			try_share(&scene, seed + i, &ways[k], DRAWN_STEP, tally);
	}
	figure_note("stops", count, "scenes of them drawn");
}

/* For the end of tests/run, and for who looks on. */
static void note(const struct tally *tally)
{
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

/* A shard's share of all ways in all scenes. */
static void try_all(unsigned shard, unsigned shards, bool sample, struct tally *tally)
{
	uint64_t count = (figure_longer(DRAWN) + shards - 1) / shards;
	uint64_t failure_step = sample ? SAMPLE : figure_longer(1) > 1 ? 1 : FAILURE_STEP;

	*tally = (struct tally){0};
	for (size_t i = 0; i < scenes_len; i++)
		for (size_t k = 0; k < ways_len; k++)
			if ((i + k) % shards == shard)
				try_share(&scenes[i], i, &ways[k], failure_step, tally);
	if (!sample)
		try_drawn(figure_seed(1) + shard * count, count, tally);
	note(tally);
}

static void ends_as_if_undisturbed(void **state)
{
	struct tally tally;

	(void)state;
	try_all(0, 2, true, &tally);
	assert_int_equal(tally.wrong, 0);
	assert_true(tally.stops >= scenes_len && tally.failures > 5 * scenes_len);
}

/*
 * A mailbox that could not be looked at was taken for one that the user had deleted, and one that
 * was renamed, too: the messages were removed on the server, and by the next run here. A message
 * that the server's user had moved never came to where it was, and went from where it had been,
 * where the journal of the mailbox that it had left could not be written just then.
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

/* The scene of that name or seed. */
static const struct scene *find_scene(const char *name)
{
	static struct scene drawn;

	for (size_t i = 0; i < scenes_len; i++)
		if (strcmp(scenes[i].name, name) == 0)
			return &scenes[i];
	scene_draw(strtoull(name, NULL, 10), &drawn);
	return drawn.seed ? &drawn : NULL;
}

/* One, with all that it says. */
static int try_one(const char *name, const char *way, const char *number)
{
	const struct scene *scene = find_scene(name);
	struct verdict verdict;
	size_t i = 0;

	while (i < ways_len && strcmp(ways[i].name, way) != 0)
		i++;
	if (!scene || i == ways_len)
		return 64;
	trial_run(&(struct trial){scene, &ways[i], strtoull(number, NULL, 10), .loud = true},
		  &verdict);
	printf("%s\nat %s\n%s\n", *verdict.failure ? verdict.failure : "good", verdict.where,
	       verdict.error);
	return *verdict.failure != '\0';
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keeps_what_once_went_wrong),
	    cmocka_unit_test(ends_as_if_undisturbed),
	};
	struct tally tally;

	if (argc == 4 && strcmp(argv[1], "seeds") == 0) {
		tally = (struct tally){0};
		try_drawn(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10), &tally);
		note(&tally);
		return tally.wrong != 0;
	}
	if (argc == 4)
		return try_one(argv[1], argv[2], argv[3]);
	if (argc < 3)
		return cmocka_run_group_tests(tests, NULL, NULL);
	try_all((unsigned)atoi(argv[1]), (unsigned)atoi(argv[2]), false, &tally);
	return tally.wrong != 0;
}
