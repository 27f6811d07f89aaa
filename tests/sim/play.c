// SPDX-License-Identifier: GPL-3.0-or-later
/* Carries a history out. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#define RUNS_MAX 5

/*
 * What goes to the trash is new there for the run that follows; and a mailbox is made by the one
 * after that which took away what was below its name.
 */
static bool takes_two_runs(const struct history *history)
{
	return history->abilities[REMOTE].lists_parents ||
	       history->deletion[LOCAL] == DELETION_TRASH ||
	       history->deletion[REMOTE] == DELETION_TRASH;
}

/* Runs until both sides are even, looks at them, and runs once more: that must do nothing. */
static void rest(struct world *world)
{
	struct run_result result;
	bool even;
	int runs = 0;

	do {
		world_run(world, NULL, &result);
		if (!result.whole)
			world_fail(world, "a run that nothing broke failed: %s", result.error);
		even = result.even && (!result.changes || !takes_two_runs(world->history));
	} while (!even && ++runs < RUNS_MAX && !*world->failure);
	if (!even)
		world_fail(world, "not even after %d runs: %s", runs, result.error);
	if (*world->failure)
		return;
	world_check(world);
	world_run(world, NULL, &result);
	if (!result.even || result.changes || result.syncs)
		world_fail(world, "a run with nothing to do made %llu changes and %llu syncs",
			   (unsigned long long)result.changes, (unsigned long long)result.syncs);
	world->ran = false;
}

/*
 * What it takes to know the messages of a mailbox again, without their UIDs. One without a
 * Message-ID is sent both ways, if its user moves the file.
 */
static uint64_t count_alike(const struct world *world, size_t name)
{
	uint64_t count = 0;

	for (size_t i = 0; i < world->len; i++) {
		const struct token *token = &world->tokens[i];
		if (token->nameless || !token->single)
			count += (1 + token->nameless) * world_copies(world, REMOTE, name, token);
	}
	return count;
}

/*
 * A UIDVALIDITY is lost: what was agreed on about deletions is, too. Where all mailboxes have the
 * same, one with a copy of a message can be taken for the other, renamed. What a run sets just then
 * it may have set in what the mailbox was before; of what one that broke brought, nobody knows with
 * which flags.
 */
static void renumber(struct world *world, const struct step *step)
{
	size_t name = step->mailbox % world->names_len;

	world->owed += count_alike(world, name);
	memory_renumber(world->sides[REMOTE], world->names[name]);
	world->renumbered = true;
	world->reset |= world->running || world->history->abilities[REMOTE].same_validity;
	world->renamed |= world->history->abilities[REMOTE].same_validity;
	for (size_t i = 0; i < world->len; i++) {
		struct token *token = &world->tokens[i];
		if (world->running || world->broke)
			token->blurred |= token->touched[LOCAL];
		if (world->broke)
			token->blurred |= token->touched[REMOTE];
	}
}

/*
 * Without a journal a flag that was changed cannot be told from one that was not; nor what a run
 * put into a mailbox that it took for one of another name.
 */
static void lose(struct world *world)
{
	world_lose_journals(world);
	world->renamed |= world->ran;
	for (size_t i = 0; i < world->len; i++)
		world->tokens[i].blurred = world->tokens[i].stale = FLAG_ALL;
}

/* Tells what both sides hold. */
static void trace_sides(const struct world *world)
{
	const char *name;

	for (enum side side = LOCAL; side < SIDES; side++)
		for (size_t i = 0; (name = memory_name(world->sides[side], i)); i++) {
			fprintf(world->trace, "    %s %s:", side_name(side), name);
			for (size_t k = 0; k < memory_count(world->sides[side], name); k++) {
				const struct memory_message message =
				    memory_get(world->sides[side], name, k);
				const struct token *token = world_token(world, &message);
				const struct message_key *key = &message.state.key;
				fprintf(world->trace, " %s%.0u=%zd", key->name ? key->name : "",
					key->uid, token ? token - world->tokens : -1);
			}
			fprintf(world->trace, "\n");
		}
}

void world_act(struct world *world, const struct step *step)
{
	if (world->trace)
		history_print_step(step, world->trace);
	if (step->kind == STEP_RENUMBER)
		renumber(world, step);
	else
		world_use(world, step);
	if (world->trace)
		trace_sides(world);
}

/* One step, and perhaps the next in its midst; how many there were. */
static size_t play(struct world *world, const struct step *step, size_t left)
{
	struct run_result result;
	bool amid = step->amid && left > 1 && history_is_amid(&step[1]);

	if (world->trace && !history_is_amid(step))
		history_print_step(step, world->trace);
	world->amid = amid ? &step[1] : NULL;
	switch (step->kind) {
	case STEP_RUN:
		world_run(world, step, &result);
		if (world->trace)
			trace_sides(world);
		break;
	case STEP_REST: rest(world); break;
	case STEP_LOSE: lose(world); break;
	default: world_act(world, step); break;
	}
	return amid ? 2 : 1;
}

bool history_run(const struct history *history, const char *directory, FILE *trace,
		 char failure[512])
{
	struct world world;

	world_open(&world, history, directory);
	world.trace = trace;
	for (size_t i = 0; i < history->len && !*world.failure;)
		i += play(&world, &history->steps[i], history->len - i);
	if (trace)
		trace_sides(&world);
	memcpy(failure, world.failure, sizeof(world.failure));
	world_close(&world);
	return !*failure;
}
