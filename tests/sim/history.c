// SPDX-License-Identifier: GPL-3.0-or-later
#include "history.h"

#include "chance.h"

/* How often a user does what, in parts of all. */
static const struct {
	enum step_kind kind;
	uint32_t parts;
} user_steps[] = {
    {STEP_DELIVER, 14}, {STEP_FLAG, 14}, {STEP_EXPUNGE, 8}, {STEP_COPY, 2},    {STEP_TWIN, 2},
    {STEP_MOVE, 10},    {STEP_SPREAD, 4}, {STEP_CREATE, 1},  {STEP_DESTROY, 2}, {STEP_RENAME, 5},
    {STEP_RESTORE, 2},
};

struct step history_user_step(uint64_t *seed)
{
	uint32_t part = chance_below(seed, 64);
	size_t i = 0;

	while (part >= user_steps[i].parts)
		part -= user_steps[i++].parts;
	return (struct step){.kind = user_steps[i].kind,
			     .side = chance_below(seed, SIDES),
			     .mailbox = chance_below(seed, 1u << 16),
			     .message = chance_below(seed, 1u << 16),
			     .flag = chance_below(seed, 1u << 16)};
}

bool history_is_amid(const struct step *step)
{
	return step->kind <= STEP_RENUMBER;
}

/* A run; a short one breaks early, a long one late. */
static struct step make_run(uint64_t *seed)
{
	struct step step = {.kind = STEP_RUN, .seed = chance_next(seed)};

	if (chance_one_in(seed, 4))
		step.busy = chance_next(seed) | 1;
	if (chance_one_in(seed, 6))
		step.amid = 1 + chance_below(seed, 4u << chance_below(seed, 5));
	step.cautious = chance_one_in(seed, 3);
	if (chance_one_in(seed, 5))
		return step;
	step.fault = 1 + chance_below(seed, FAULTS - 1);
	step.after = chance_below(seed, 4u << chance_below(seed, 5));
	step.unheard = chance_one_in(seed, 2) ? chance_below(seed, 4) : 0;
	step.side = chance_below(seed, SIDES);
	step.mailbox = chance_below(seed, 1u << 16);
	return step;
}

/* Any step but the last. */
static struct step make_step(uint64_t *seed)
{
	if (chance_one_in(seed, 4))
		return make_run(seed);
	if (chance_one_in(seed, 12))
		return (struct step){.kind = STEP_REST};
	if (chance_one_in(seed, 40))
		return (struct step){.kind = STEP_RENUMBER, .mailbox = chance_below(seed, 100)};
	if (chance_one_in(seed, 60))
		return (struct step){.kind = STEP_LOSE};
	return history_user_step(seed);
}

/* What the server and the disk can do. */
static void make_abilities(uint64_t *seed, struct memory_abilities abilities[SIDES])
{
	struct memory_abilities *remote = &abilities[REMOTE];

	abilities[LOCAL] =
	    (struct memory_abilities){.atomic_move = true,
				      .stamps = !chance_one_in(seed, 3),
				      .inodes = !chance_one_in(seed, 3)};
	*remote = (struct memory_abilities){.uidplus = !chance_one_in(seed, 3),
					    .condstore = !chance_one_in(seed, 3),
					    .object_ids = !chance_one_in(seed, 2),
					    .same_validity = chance_one_in(seed, 3),
					    .lists_parents = chance_one_in(seed, 2),
					    .atomic_move = !chance_one_in(seed, 2)};
	remote->qresync = remote->condstore && !chance_one_in(seed, 2);
	if (chance_one_in(seed, 4))
		remote->lacking.bits = FLAG_FORWARDED;
	if (chance_one_in(seed, 6))
		remote->append_max = HISTORY_APPEND_MAX;
}

void history_make(uint64_t seed, struct history *history)
{
	uint64_t numbers = seed;

	*history = (struct history){.seed = seed};
	make_abilities(&numbers, history->abilities);
	for (enum side side = LOCAL; side < SIDES; side++)
		history->deletion[side] =
		    chance_one_in(&numbers, 4) ? DELETION_TRASH : DELETION_EXPUNGE;
	history->link = !chance_one_in(&numbers, 4);
	history->bulky = chance_one_in(&numbers, 3);
	if (history->bulky && history->abilities[REMOTE].append_max)
		history->abilities[REMOTE].append_max += HISTORY_BULK;
	history->len = 4 + chance_below(&numbers, STEPS_MAX - 4);
	for (size_t i = 0; i + 1 < history->len; i++)
		history->steps[i] = make_step(&numbers);
	history->steps[history->len - 1].kind = STEP_REST;
}

static const char *const step_names[STEP_KINDS] = {[STEP_DELIVER] = "deliver",
						   [STEP_COPY] = "deliver again",
						   [STEP_TWIN] = "deliver to both",
						   [STEP_FLAG] = "flag",
						   [STEP_EXPUNGE] = "expunge",
						   [STEP_MOVE] = "move",
						   [STEP_SPREAD] = "copy",
						   [STEP_CREATE] = "make a mailbox",
						   [STEP_DESTROY] = "delete a mailbox",
						   [STEP_RENAME] = "rename a mailbox",
						   [STEP_RESTORE] = "bring back",
						   [STEP_RENUMBER] = "new UIDVALIDITY",
						   [STEP_LOSE] = "lose the journals",
						   [STEP_RUN] = "run",
						   [STEP_REST] = "rest"};

static const char *const fault_names[FAULTS] = {[FAULT_NONE] = "whole",
						[FAULT_REMOTE] = "the line breaks",
						[FAULT_LOCAL] = "the disk fails",
						[FAULT_KILL] = "killed",
						[FAULT_POWER] = "the power fails",
						[FAULT_SHUT] = "a mailbox is shut"};

void history_print_step(const struct step *step, FILE *out)
{
	fprintf(out, "  %s", step_names[step->kind]);
	if (step->kind < STEP_RENUMBER)
		fprintf(out, " %s mailbox %u message %u flag %u", side_name(step->side),
			step->mailbox, step->message, step->flag);
	if (step->kind == STEP_RUN)
		fprintf(out, ": %s", fault_names[step->fault]);
	if (step->kind == STEP_RUN && step->fault == FAULT_SHUT)
		fprintf(out, ", %s mailbox %u", side_name(step->side), step->mailbox);
	else if (step->kind == STEP_RUN && step->fault)
		fprintf(out, " after %u steps, %u unheard", step->after, step->unheard);
	if (step->cautious)
		fprintf(out, ", cautious");
	if (step->amid)
		fprintf(out, ", what follows in its midst (%u)", step->amid);
	if (step->busy)
		fprintf(out, ", users at work (%llu)", (unsigned long long)step->busy);
	fprintf(out, "\n");
}

void history_print(const struct history *history, FILE *out)
{
	const struct memory_abilities *remote = &history->abilities[REMOTE];

	fprintf(out, "seed %llu: %s%s%s%s%s%s%s%s%s%s%s%s%slocal deletions %s, remote %s\n",
		(unsigned long long)history->seed, remote->uidplus ? "UIDPLUS " : "",
		remote->condstore ? "CONDSTORE " : "", remote->qresync ? "QRESYNC " : "",
		remote->atomic_move ? "MOVE " : "", remote->lacking.bits ? "no-keywords " : "",
		remote->object_ids ? "OBJECTID " : "", remote->append_max ? "small " : "",
		remote->same_validity ? "same-uidvalidity " : "",
		remote->lists_parents ? "lists-parents " : "",
		history->abilities[LOCAL].stamps ? "stamps " : "",
		history->abilities[LOCAL].inodes ? "inodes " : "", history->link ? "link " : "",
		history->bulky ? "bulky " : "",
		history->deletion[LOCAL] == DELETION_TRASH ? "trash" : "expunge",
		history->deletion[REMOTE] == DELETION_TRASH ? "trash" : "expunge");
	for (size_t i = 0; i < history->len; i++)
		history_print_step(&history->steps[i], out);
}
