// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One run of the whole engine on a world, and what breaks it. The journal is real, so the calls by
 * which it writes are wrapped: they count, and fail from the moment at which the process is dead.
 */
#include "base/alloc.h"
#include "chance.h"
#include "sync/channel.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What users do during one run, at most. */
#define BUSY_MAX 6

/* The process as the journal's system calls see it; one run at a time. */
static struct {
	struct memory_stop *stop; /* NULL: it does not end */
	uint64_t seed;
	uint64_t syncs;
} process;

ssize_t __real_write(int fd, const void *bytes, size_t len);
int __real_ftruncate(int fd, off_t size);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_unlinkat(int dir, const char *name, int flags);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_unlinkat(int dir, const char *name, int flags);
void __wrap_clock_sleep_ms(unsigned ms);

/*
 * A dead process does nothing; that it fails instead of ending is only seen by itself. It dies
 * before the call that is its last step.
 */
static int refuse(void)
{
	errno = EIO;
	return -1;
}

static bool is_dead(void)
{
	return process.stop && process.stop->broken;
}

/* One step of the process; false where it does not get to it. */
static bool takes_step(void)
{
	return !is_dead() && memory_stop_step(process.stop) && !is_dead();
}

/* The write during which it dies is done, in part or not at all. */
ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
	bool dead = is_dead();

	if (takes_step())
		return __real_write(fd, bytes, len);
	if (!dead && len && process.seed) {
		size_t part = chance_below(&process.seed, (uint32_t)len + 1);
		if (__real_write(fd, bytes, part) < 0)
			return -1;
	}
	return refuse();
}

/* What was written counts as on the disk: the power fails before, during or after the write. */
int __wrap_fdatasync(int fd)
{
	(void)fd;
	process.syncs++;
	return is_dead() ? refuse() : 0;
}

int __wrap_fsync(int fd)
{
	(void)fd;
	process.syncs++;
	return is_dead() ? refuse() : 0;
}

int __wrap_ftruncate(int fd, off_t size)
{
	return !takes_step() ? refuse() : __real_ftruncate(fd, size);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return !takes_step() ? refuse() : __real_renameat(from_dir, from, to_dir, to);
}

int __wrap_unlinkat(int dir, const char *name, int flags)
{
	return !takes_step() ? refuse() : __real_unlinkat(dir, name, flags);
}

/* Directories' times are exact here, so nothing has to be waited for. */
void __wrap_clock_sleep_ms(unsigned ms)
{
	(void)ms;
}

/* What is to be done in the midst of the run is done, here or when it ended. */
static void act_amid(struct world *world)
{
	const struct step *step = world->amid;

	world->amid = NULL;
	if (step)
		world_act(world, step);
}

/* Users at work while the engine is. */
static void work(void *context)
{
	struct world *world = context;

	if (world->amid && !--world->amid_left)
		act_amid(world);
	if (!world->busy_left || !chance_one_in(&world->busy, 6))
		return;
	world->busy_left--;
	const struct step step = history_user_step(&world->busy);
	world_act(world, &step);
}

/* Tells what is planned. */
static void trace_plan(const struct channel *channel, FILE *trace)
{
	for (size_t i = 0; trace && i < channel->len; i++)
		for (size_t k = 0; k < channel->boxes[i].plan.len; k++) {
			const struct op *op = &channel->boxes[i].plan.ops[k];
			fprintf(trace, "    %s: %s %s %s UID %u %s +%x -%x =%x%s\n",
				channel->boxes[i].name, rule_name(op->rule), op_name(op->kind),
				side_name(op->side), op->uid, op->name ? op->name : "",
				op->add.bits, op->remove.bits, op->flags.bits,
				op->blocked ? " blocked" : "");
		}
}

/* Tells what became of it. */
static void trace_end(const struct channel *channel, FILE *trace)
{
	for (size_t i = 0; trace && i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		fprintf(trace, "    %s: %s%s%s%s %s\n", box->name, rule_name(box->rule),
			box->active ? " active" : "", box->undone ? " undone" : "",
			box->even ? " even" : "", box->error.kind ? box->error.text : "");
	}
}

/* The steps of account_plan() and account_apply(). */
static int drive(struct channel *channel, FILE *trace, struct error *err)
{
	if (channel_list(channel, err) || channel_survey(channel, err))
		return -1;
	channel_plan(channel);
	trace_plan(channel, trace);
	return channel_apply(channel, err) || channel_confirm(channel, err) ? -1 : 0;
}

/*
 * That the server refuses what is too large for it is no fault of a run, nor that it numbers a
 * mailbox anew that the run renamed.
 */
static bool is_fault(const struct world *world, const struct error *error)
{
	if (world->history->abilities[REMOTE].same_validity && error->kind == ERROR_REFUSED)
		return false;
	return error->kind != ERROR_NONE &&
	       !(error->kind == ERROR_REFUSED && error->scope == SCOPE_MESSAGE);
}

/* What became of the boxes. */
static void judge(const struct world *world, const struct channel *channel,
		  struct run_result *result)
{
	result->even = true;
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		result->even &= box->even || box->rule == RULE_B2_LEAVE;
		result->asks |= box->rule == RULE_B3_GONE;
		if (!is_fault(world, &box->error))
			continue;
		result->whole = false;
		snprintf(result->error, sizeof(result->error), "%s: %.200s", box->name,
			 box->error.text);
	}
}

/* Opens everything, runs, closes everything. */
static void run_channel(struct world *world, bool cautious, struct run_result *result)
{
	struct channel_setup setup = {
	    .name = "sim",
	    .policy = {.change = {CHANGE_ALL, CHANGE_ALL},
		       .deletion = {world->history->deletion[LOCAL],
				    world->history->deletion[REMOTE]},
		       .safety_percent = POLICY_SAFETY_PERCENT,
		       .safety_count = POLICY_SAFETY_COUNT,
		       .link = world->history->link},
	    .allow_deletions = !cautious,
	};
	struct channel channel;
	struct error err = {0};

	if (journal_dir_open(world->path, true, &setup.journals, &err)) {
		result->whole = false;
		snprintf(result->error, sizeof(result->error), "%.200s", err.text);
		return;
	}
	for (enum side side = LOCAL; side < SIDES; side++)
		setup.stores[side] = store_memory_open(world->sides[side]);
	channel_open(&channel, &setup);
	result->whole = !drive(&channel, world->trace, &err);
	if (!result->whole)
		snprintf(result->error, sizeof(result->error), "%.200s", err.text);
	trace_end(&channel, world->trace);
	judge(world, &channel, result);
	result->even &= result->whole;
	channel_close(&channel);
	for (enum side side = LOCAL; side < SIDES; side++)
		store_close(&setup.stores[side]);
	journal_dir_close(&setup.journals);
}

/* Who breaks together. */
static void arm(struct world *world, const struct step *step, struct memory_stop *stop)
{
	bool all = step->fault == FAULT_KILL || step->fault == FAULT_POWER;

	if (step->fault == FAULT_SHUT) {
		memory_shut(world->sides[step->side],
			    world->names[step->mailbox % world->names_len]);
		world->broke = true;
		return;
	}
	*stop = (struct memory_stop){.armed = true, .left = step->after, .unheard = step->unheard};
	if (all || step->fault == FAULT_LOCAL)
		memory_set_stop(world->sides[LOCAL], stop);
	if (all || step->fault == FAULT_REMOTE)
		memory_set_stop(world->sides[REMOTE], stop);
	process.stop = all ? stop : NULL;
}

/* What users changed before a run that broke can be told from what they change later no more. */
static void blur(struct world *world)
{
	for (size_t i = 0; i < world->len; i++) {
		struct token *token = &world->tokens[i];
		token->stale |= token->touched[LOCAL] | token->touched[REMOTE];
	}
}

/* True where the server has a message, wherever that is. */
static bool is_remote(const struct world *world, const struct token *token)
{
	unsigned found = 0;

	for (size_t name = 0; name < world->names_len; name++)
		found += token->copies[name].have[REMOTE];
	return found;
}

/*
 * The power fails. A message that a mail program delivered and nobody made durable may perish; but
 * not once the server has it, for then the engine has counted on it. (Of several copies nobody can
 * tell which ones perished.)
 */
static void cut_power(struct world *world, uint64_t seed)
{
	world_learn_names(world);
	size_t names = world->names_len;
	unsigned *before = xcalloc(world->len * names + 1, sizeof(*before));

	world_count(world, LOCAL);
	world_count(world, REMOTE);
	for (size_t i = 0; i < world->len * names; i++)
		before[i] = world->tokens[i / names].copies[i % names].have[LOCAL];
	memory_power_cut(world->sides[LOCAL], seed);
	world_count(world, LOCAL);
	for (size_t i = 0; i < world->len * names; i++) {
		struct token *token = &world->tokens[i / names];
		struct copies *copies = &token->copies[i % names];
		unsigned after = copies->have[LOCAL];
		if (!token->single)
			copies->perished += copies->delivered[LOCAL];
		else if (after < before[i] &&
			 (!is_remote(world, token) ||
			  world_is_left(world, world->names[i % names])))
			copies->perished += before[i] - after;
	}
	free(before);
	world->led &= world->lead == REMOTE;
}

/* On which sides each message is, wherever that is: bits 1 << side. */
static unsigned char *list_holders(struct world *world)
{
	unsigned char *holders = xcalloc(world->len + 1, 1);

	world_learn_names(world);
	for (enum side side = LOCAL; side < SIDES; side++)
		world_count(world, side);
	for (size_t i = 0; i < world->len; i++)
		for (size_t name = 0; name < world->names_len; name++)
			for (enum side side = LOCAL; side < SIDES; side++)
				if (world->tokens[i].copies[name].have[side])
					holders[i] |= 1u << side;
	return holders;
}

/*
 * What both sides hold, be it in different mailboxes, both hold after any run that no user was at
 * work beside: what a run has yet to add on a side it takes from nowhere else there. But of two
 * copies each side's user may have deleted another one.
 */
static void check_holders(struct world *world, const unsigned char *before)
{
	unsigned char *after = list_holders(world);

	for (size_t i = 0; i < world->len; i++)
		if (before[i] == (1u << LOCAL | 1u << REMOTE) && after[i] != before[i] &&
		    !world_is_deleted(world, &world->tokens[i], LOCAL) &&
		    !world_is_deleted(world, &world->tokens[i], REMOTE) &&
		    !world_is_refused(world, &world->tokens[i]))
			world_fail(world,
				   "message %zu went from the %s side, though the other had it", i,
				   side_name(after[i] & 1u << LOCAL ? REMOTE : LOCAL));
	free(after);
}

void world_run(struct world *world, const struct step *step, struct run_result *result)
{
	struct memory_stop stop = {0};
	uint64_t before =
	    memory_changes(world->sides[LOCAL]) + memory_changes(world->sides[REMOTE]);
	unsigned char *holders = list_holders(world);
	bool alone = !(step && step->busy) && !world->amid;
	bool untrashed = !memory_has(world->sides[REMOTE], world->names[WORLD_TRASH]);

	*result = (struct run_result){0};
	process.syncs = 0;
	process.seed = step ? step->seed : 0;
	world_foresee(world);
	for (size_t name = 0; name < world->names_len; name++)
		world->halved[name] = memory_has(world->sides[REMOTE], world->names[name]) &&
				      !memory_has(world->sides[LOCAL], world->names[name]);
	world->ran = true;
	world->busy = step ? step->busy : 0;
	world->busy_left = world->busy ? BUSY_MAX : 0;
	world->amid_left = step ? step->amid : 0;
	for (enum side side = LOCAL; side < SIDES; side++)
		memory_set_watcher(world->sides[side], alone ? NULL : work, world);
	if (step && step->fault) {
		arm(world, step, &stop);
		blur(world);
	}
	world->running = true;
	world->breaking = step && step->fault;
	run_channel(world, step && step->cautious, result);
	world->running = world->breaking = false;
	for (enum side side = LOCAL; side < SIDES; side++) {
		memory_set_stop(world->sides[side], NULL);
		memory_shut(world->sides[side], NULL);
		memory_set_watcher(world->sides[side], NULL, NULL);
	}
	process.stop = NULL;
	if (step && step->fault == FAULT_POWER && stop.broken)
		cut_power(world, step->seed % 3 ? step->seed : 0);
	/* Made anew for what goes to the trash: what was agreed on in the old one is forgotten. */
	world->reset |= untrashed && world->used[WORLD_TRASH] &&
			world->history->deletion[REMOTE] == DELETION_TRASH &&
			memory_has(world->sides[REMOTE], world->names[WORLD_TRASH]);
	world->broke |= stop.broken;
	if (stop.broken)
		blur(world);
	if (alone && !result->asks && !(step && step->fault == FAULT_POWER))
		check_holders(world, holders);
	free(holders);
	result->syncs = process.syncs;
	result->changes =
	    memory_changes(world->sides[LOCAL]) + memory_changes(world->sides[REMOTE]) - before;
	act_amid(world);
}
