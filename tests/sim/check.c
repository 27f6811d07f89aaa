// SPDX-License-Identifier: GPL-3.0-or-later
/* What must hold once both sides are even: the messages and the mailboxes. */
#include "world.h"

#include <stdio.h>
#include <string.h>

/* How often a message may be there. */
struct bounds {
	unsigned low, high;
};

static unsigned larger(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* What is left of a number. */
static unsigned minus(unsigned a, unsigned b)
{
	return a > b ? a - b : 0;
}

/* True where journals mean nothing any more. */
static bool is_reset(const struct world *world)
{
	return world->reset || world->renumbered;
}

/* The number of a token, for messages to people. */
static size_t number(const struct world *world, const struct token *token)
{
	return (size_t)(token - world->tokens);
}

/* True where what a side deletes is moved to the trash on the other. */
static bool is_trashed(const struct world *world, enum side deleter)
{
	return world->history->deletion[other_side(deleter)] == DELETION_TRASH;
}

/*
 * How many copies there may be in the trash because of deletions elsewhere: one for each that one
 * side alone deleted or moved away, for sure where there was one copy only.
 */
static void expect_trashed(const struct world *world, const struct token *token,
			   struct bounds *bounds)
{
	for (size_t name = 0; name < world->names_len; name++) {
		const struct copies *copies = &token->copies[name];
		for (enum side side = LOCAL; side < SIDES && name != WORLD_TRASH; side++) {
			enum side other = other_side(side);
			if (!is_trashed(world, side))
				continue;
			bounds->high += copies->deleted[side] + copies->left[side];
			/* A move to the trash that was cut in half. */
			if (world->broke)
				bounds->high += copies->deleted[side];
			/*
			 * What was deleted before the other side had it was never there to be
			 * moved.
			 */
			if (token->single && copies->settled && copies->deleted[side] == 1 &&
			    !token->partial &&
			    !copies->deleted[other] && !token->moved[LOCAL] &&
			    !token->moved[REMOTE] && !is_reset(world))
				bounds->low += 1;
		}
	}
}

/*
 * True where a deletion may be undone: the pair was forgotten, or whoever deleted the copy was
 * quicker than the run that would have learnt of it (of a file that it moved, the next one), or two
 * mailboxes have the file's name, and each side deleted one. A message that is back can be deleted
 * again.
 */
static bool is_doubtful(const struct world *world, const struct token *token, size_t name)
{
	const struct copies *copies = &token->copies[name];
	bool told = world->history->abilities[REMOTE].uidplus;
	bool moved = token->moved[LOCAL] || token->moved[REMOTE];
	bool is_new = copies->delivered[LOCAL] || copies->delivered[REMOTE] || moved ||
		      name == WORLD_TRASH;

	return is_reset(world) || token->again ||
	       (is_new && (world->broke || (world->ran && (!told || moved || !token->single ||
							   copies->swept))));
}

/* The bounds of what users did under one name, nobody having renamed a mailbox. */
static struct bounds bounds_of_name(const struct world *world, const struct token *token,
				    size_t name)
{
	const struct copies *copies = &token->copies[name];
	unsigned came[SIDES], gone[SIDES];
	struct bounds bounds;

	for (enum side side = LOCAL; side < SIDES; side++) {
		came[side] = copies->delivered[side] + copies->came[side];
		gone[side] = copies->deleted[side] + copies->left[side];
	}
	bounds.low = copies->settled + larger(came[LOCAL], came[REMOTE]);
	bounds.high = copies->settled + came[LOCAL] + came[REMOTE];
	if (name == WORLD_TRASH)
		expect_trashed(world, token, &bounds);
	bounds.low = minus(bounds.low, gone[LOCAL] + gone[REMOTE] + copies->perished);
	/* What was settled may be on the local side only, and the same come on the remote one. */
	if (token->partial)
		bounds.low = minus(bounds.low, came[REMOTE]);
	if (!is_doubtful(world, token, name))
		bounds.high = minus(bounds.high, larger(gone[LOCAL], gone[REMOTE]));
	return bounds;
}

/* What users did to one message under all names. */
struct doings {
	unsigned settled, perished;
	unsigned delivered[SIDES], deleted[SIDES], moved[SIDES];
	unsigned merged; /* at most: arrived in one place on both sides */
	bool doubtful;
};

/* Adds all of it up. */
static struct doings sum_up(const struct world *world, const struct token *token)
{
	struct doings all = {0};

	for (size_t name = 0; name < world->names_len; name++) {
		const struct copies *copies = &token->copies[name];
		unsigned came[SIDES];
		all.settled += copies->settled;
		all.perished += copies->perished;
		for (enum side side = LOCAL; side < SIDES; side++) {
			all.delivered[side] += copies->delivered[side];
			all.deleted[side] += copies->deleted[side];
			all.moved[side] += copies->came[side];
			came[side] = copies->delivered[side] + copies->came[side];
		}
		all.merged += smaller(came[LOCAL], came[REMOTE]);
		all.doubtful |= is_doubtful(world, token, name);
	}
	if (world->renamed)
		all.merged = smaller(all.delivered[LOCAL] + all.moved[LOCAL],
				     all.delivered[REMOTE] + all.moved[REMOTE]);
	return all;
}

/*
 * True where a run may have copied a message to the trash on side, for the other's user deleted it,
 * before side's user did so too.
 */
static bool is_trashed_before(const struct world *world, const struct doings *all, enum side side)
{
	return world->late && all->deleted[other_side(side)] && is_trashed(world, other_side(side));
}

/*
 * The bounds under all names. A move makes no message more or less, but where both sides moved it,
 * to different places; then a deletion on one of them may not be one of what the other moved.
 */
static struct bounds bounds_of_all(const struct world *world, const struct token *token)
{
	struct doings all = sum_up(world, token);
	unsigned deleted = all.deleted[LOCAL] + all.deleted[REMOTE];
	struct bounds bounds;
	unsigned sure = 0;

	bounds.low = all.settled + all.delivered[LOCAL] + all.delivered[REMOTE];
	bounds.high = bounds.low + smaller(all.moved[LOCAL], all.moved[REMOTE]);
	if (token->partial)
		all.merged += all.delivered[REMOTE] + all.moved[REMOTE];
	bounds.low = minus(bounds.low, all.merged + deleted + all.perished);
	/*
	 * Of equal ones nobody knows which was moved once their UIDs mean nothing, or once a run
	 * brought one to a mailbox that got another name meanwhile.
	 */
	bool moved = all.moved[LOCAL] || all.moved[REMOTE];
	if ((is_reset(world) || (world->renamed && world->late && moved)) && !token->single)
		bounds.low = smaller(bounds.low, 1);
	if (!deleted && !all.perished && bounds.high)
		bounds.low = larger(bounds.low, 1);
	if (all.doubtful)
		bounds.high += all.moved[LOCAL] + all.moved[REMOTE];
	/* A move to the trash that was cut in half. */
	for (enum side side = LOCAL; side < SIDES && all.doubtful; side++)
		bounds.high += is_trashed(world, side) ? all.deleted[side] : 0;
	/* What a run was sending while its mailbox was renamed. */
	if (world->renamed && world->late)
		bounds.high += all.delivered[LOCAL] + all.delivered[REMOTE] +
			       (is_reset(world) ? all.settled : 0);
	/* What a run brought to a mailbox that it could not rename goes to the trash with that. */
	for (enum side side = LOCAL; side < SIDES; side++)
		if (world->renamed && world->late && token->nameless && is_trashed(world, side))
			bounds.high += all.moved[side];
	for (enum side side = LOCAL; side < SIDES && !all.doubtful; side++)
		if (!is_trashed(world, side) && !is_trashed_before(world, &all, side))
			sure = larger(sure,
				      minus(all.deleted[side], all.moved[other_side(side)]));
	bounds.high = minus(bounds.high, sure);
	return bounds;
}

/* Fails where a number is out of bounds; where is NULL for all places together. */
static void check_bounds(struct world *world, const struct token *token,
			 const struct bounds *bounds, unsigned have, const char *where)
{
	if (have >= bounds->low && have <= bounds->high)
		return;
	world_fail(world, "message %zu: %u times in %s, expected %u to %u: %s",
		   number(world, token), have, where ? where : "all", bounds->low, bounds->high,
		   have < bounds->low ? "lost" : "doubled");
}

/*
 * True where it can be told what must be under which name: nobody renamed mailboxes, nor moved the
 * message where a run could have been in the midst of moving it. Of equal ones nobody knows which
 * was where once their UIDs mean nothing.
 */
static bool has_places(const struct world *world, const struct token *token)
{
	bool moved = token->moved[LOCAL] || token->moved[REMOTE];

	return !world->renamed && !(moved && (world->broke || world->late)) &&
	       (token->single || !is_reset(world));
}

/* One message, under each name and under all: as often on both sides, and as users left it. */
static void check_copies(struct world *world, struct token *token)
{
	bool refused = world_is_refused(world, token);
	unsigned total = 0;
	struct bounds bounds;

	for (size_t name = 0; name < world->names_len; name++) {
		const unsigned *have = token->copies[name].have;
		total += have[LOCAL];
		if (refused || world_is_left(world, world->names[name])
			? have[LOCAL] < have[REMOTE]
			: have[LOCAL] != have[REMOTE])
			world_fail(world, "message %zu: %u in the local %s, %u in the remote one",
				   number(world, token), have[LOCAL], world->names[name],
				   have[REMOTE]);
		if (world->led && token->copies[name].expected != have[world->lead])
			world_fail(world, "message %zu: %u times in %s, %u when the run began",
				   number(world, token), have[world->lead], world->names[name],
				   token->copies[name].expected);
		if (!has_places(world, token))
			continue;
		bounds = bounds_of_name(world, token, name);
		check_bounds(world, token, &bounds, have[LOCAL], world->names[name]);
	}
	bounds = bounds_of_all(world, token);
	check_bounds(world, token, &bounds, total, NULL);
}

/*
 * A message that was deleted somewhere takes the flags with it that it has there. One that moved
 * may be in two places, if what was known of it was lost; nobody can tell then which has which.
 */
static bool is_sole(const struct world *world, const struct token *token)
{
	unsigned have = 0;

	for (size_t name = 0; name < world->names_len; name++) {
		const struct copies *copies = &token->copies[name];
		if (copies->deleted[LOCAL] || copies->deleted[REMOTE])
			return false;
		have += copies->have[LOCAL];
	}
	return token->single && have == 1;
}

/*
 * True where a run may have moved a message to the trash without a flag's change: while its user,
 * who had changed it or then did, moved the message there; or where the other user had deleted the
 * mailbox that it was moved to, so that nothing came of the move.
 */
static bool is_trashed_late(const struct world *world, const struct token *token, uint32_t flag)
{
	uint32_t touched = token->touched[LOCAL] | token->touched[REMOTE];
	bool razed = false;

	for (size_t name = 0; name < world->names_len; name++)
		for (enum side side = LOCAL; side < SIDES; side++)
			razed |= world->razed[name] && token->copies[name].came[side];
	for (enum side side = LOCAL; side < SIDES; side++)
		if (token->moved[side] && (world->late || razed) && touched & flag &&
		    is_trashed(world, side))
			return true;
	return false;
}

/*
 * What a flag must be, where that can be told: true and *set. A message that one side moved may
 * have been told from all others by its copy only; then it has the flags of that side.
 */
static bool expect_flag(const struct world *world, const struct token *token, uint32_t flag,
			bool *set)
{
	bool touched[SIDES], value[SIDES], base = token->base.bits & flag;

	uint32_t lacking = world->history->abilities[REMOTE].lacking.bits;
	bool moved = token->moved[LOCAL] || token->moved[REMOTE];

	/*
	 * The last four: where a run did not see both ends of a move (and made that of it on the
	 * other side itself, in the trash), or renamed a mailbox to a name that has another
	 * UIDVALIDITY.
	 */
	if (token->blurred & flag || (token->moved[REMOTE] && lacking & flag) ||
	    (is_reset(world) && (world->renamed || moved)) ||
	    (world->renamed && world->late && moved) ||
	    is_trashed_late(world, token, flag) ||
	    (world->history->abilities[REMOTE].same_validity && world->renamed &&
	     token->late & flag))
		return false;
	for (enum side side = LOCAL; side < SIDES; side++) {
		touched[side] = token->touched[side] & flag;
		value[side] = touched[side] ? (token->value[side].bits & flag) != 0 : base;
		if (touched[side] && token->moved[other_side(side)])
			return false;
	}
	if (touched[LOCAL] && touched[REMOTE] && (!token->based || token->late & flag))
		return false;
	if (!token->based)
		*set = touched[LOCAL] ? value[LOCAL] : value[REMOTE];
	else
		*set = value[LOCAL] != base ? value[LOCAL] : value[REMOTE];
	return true;
}

/* One message that was delivered once: its flags and date. */
static void check_single(struct world *world, struct token *token,
			 const struct memory_message *message, enum side side)
{
	uint32_t mask = FLAG_ALL & ~world->history->abilities[side].lacking.bits;

	if (message->state.identity.date != token->date)
		world_fail(world, "message %zu: date %lld on the %s side", number(world, token),
			   (long long)message->state.identity.date, side_name(side));
	for (uint32_t flag = 1; flag <= FLAG_ALL; flag <<= 1) {
		bool is = message->state.flags.bits & flag, set;
		if (!(mask & flag) || !expect_flag(world, token, flag, &set) || is == set)
			continue;
		world_fail(world, "message %zu: flag %x is %d on the %s side, expected %d",
			   number(world, token), flag, is, side_name(side), set);
	}
}

/* Every message of one side is one that somebody delivered. */
static void check_side(struct world *world, enum side side, size_t name)
{
	const struct memory *memory = world->sides[side];
	size_t count = memory_count(memory, world->names[name]);

	for (size_t i = 0; i < count; i++) {
		struct memory_message message = memory_get(memory, world->names[name], i);
		struct token *token = world_token(world, &message);
		if (!token)
			world_fail(world,
				   "a message of %zu bytes in the %s %s that nobody delivered",
				   message.len, side_name(side), world->names[name]);
		else if (is_sole(world, token))
			check_single(world, token, &message, side);
	}
}

/* True for a mailbox that has a message which the server never took: it stays whatever happens. */
static bool keeps_refused(const struct world *world, size_t name)
{
	for (size_t i = 0; i < world->len; i++)
		if (world->tokens[i].copies[name].have[LOCAL] &&
		    world_is_refused(world, &world->tokens[i]))
			return true;
	return false;
}

/* Both sides have the same mailboxes. */
static void check_names(struct world *world)
{
	const char *name;

	for (enum side side = LOCAL; side < SIDES; side++)
		for (size_t i = 0; (name = memory_name(world->sides[side], i)); i++) {
			size_t index = world_name(world, name);
			if (index == NAMES_MAX)
				world_fail(world, "%s: one name too many", name);
			else if (!memory_has(world->sides[other_side(side)], name) &&
				 !world_is_left(world, name))
				world_fail(world, "%s: on the %s side only", name, side_name(side));
			else if (world->led && !world->expected[index] &&
				 !keeps_refused(world, index))
				world_fail(world, "%s: not there when the run began", name);
		}
}

/*
 * What was moved on both sides, to different places, one of them a mailbox made anew under the name
 * that another one had: that is left to the next run, and each side sends what it has. So it does
 * where the mailbox that it left was numbered anew.
 */
static uint64_t count_moved_apart(const struct world *world)
{
	uint64_t count = 0;

	for (size_t i = 0; i < world->len && (world->renamed || world->renumbered); i++)
		count += world->tokens[i].moved[LOCAL] && world->tokens[i].moved[REMOTE];
	return count;
}

/* What the server has that no id tells: where its mailbox seems to be another, it comes anew. */
static uint64_t count_unknown(const struct world *world)
{
	uint64_t count = 0;

	for (size_t i = 0; i < world->len && !world->history->abilities[REMOTE].object_ids; i++)
		for (size_t name = 0; name < world->names_len && world->tokens[i].nameless; name++)
			count += world->tokens[i].copies[name].have[REMOTE];
	return count;
}

/* What was here before is not transferred again, be it somewhere else. */
static void check_bodies(struct world *world)
{
	uint64_t sent = world_bodies(world) - world->bodies;
	uint64_t owed = world->owed + SIDES * count_moved_apart(world) +
			(world->renumbered ? world->spared : 0);

	/* With one UIDVALIDITY for all nobody knows what a run renamed that heard no answer. */
	bool told = !world->broke || !world->history->abilities[REMOTE].same_validity;

	if (world->plain && told && !is_reset(world) && sent > count_unknown(world) &&
	    world->history->abilities[REMOTE].uidplus)
		world_fail(world, "%llu messages were transferred, though users only renamed",
			   (unsigned long long)sent);
	if (world->history->abilities[REMOTE].uidplus &&
	    !world->history->abilities[REMOTE].lists_parents && !world->reset && !world->broke &&
	    !world->late && sent > owed)
		world_fail(world, "%llu messages were transferred, %llu at most were new",
			   (unsigned long long)sent, (unsigned long long)owed);
}

/* From here on users' changes count anew. */
static void start_anew(struct world *world)
{
	for (size_t name = 0; name < world->names_len; name++)
		for (size_t i = 0; i < memory_count(world->sides[LOCAL], world->names[name]); i++) {
			struct memory_message message =
			    memory_get(world->sides[LOCAL], world->names[name], i);
			struct token *token = world_token(world, &message);
			if (!token)
				continue;
			token->based = true;
			token->base = message.state.flags;
		}
	for (size_t i = 0; i < world->len; i++) {
		struct token *token = &world->tokens[i];
		token->touched[LOCAL] = token->touched[REMOTE] = 0;
		token->moved[LOCAL] = token->moved[REMOTE] = false;
		token->late = token->stale = token->blurred = 0;
		unsigned found = 0;
		token->partial = world_is_refused(world, token);
		for (size_t name = 0; name < world->names_len; name++) {
			unsigned have = token->copies[name].have[LOCAL];
			found += have;
			token->partial |= have != token->copies[name].have[REMOTE];
			token->copies[name] = (struct copies){.settled = have};
		}
		token->single &= found < 2;
	}
	world->ran = world->broke = world->renamed = false;
	world->reset = world->renumbered = false;
	world->acted[LOCAL] = world->acted[REMOTE] = world->late = world->led = false;
	world->plain = true;
	for (size_t name = 0; name < world->names_len; name++) {
		world->used[name] = memory_has(world->sides[REMOTE], world->names[name]);
		world->razed[name] = false;
	}
	world->bodies = world_bodies(world);
	world->owed = world->spared = 0;
}

void world_check(struct world *world)
{
	world->led &= !world->late && !is_reset(world);
	world_learn_names(world);
	for (enum side side = LOCAL; side < SIDES; side++)
		world_count(world, side);
	check_names(world);
	for (size_t i = 0; i < world->len; i++)
		check_copies(world, &world->tokens[i]);
	for (size_t name = 0; name < world->names_len; name++)
		for (enum side side = LOCAL; side < SIDES; side++)
			check_side(world, side, name);
	check_bodies(world);
	world_check_journals(world);
	start_anew(world);
}
