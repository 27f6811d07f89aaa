// SPDX-License-Identifier: GPL-3.0-or-later
/* What must hold once both sides are even. */
#include "journal/journal.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

static unsigned larger(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/*
 * How many copies there may be in the trash because of deletions elsewhere: one for each that one
 * side alone deleted, for sure where there was one copy only.
 */
static void expect_trashed(const struct world *world, const struct token *token, unsigned *low,
			   unsigned *high)
{
	for (size_t i = 0; i < MAILBOXES; i++) {
		const struct copies *copies = &token->copies[i];
		for (enum side side = LOCAL; side < SIDES && i != WORLD_TRASH; side++) {
			if (world->history->deletion[other_side(side)] != DELETION_TRASH)
				continue;
			*high += copies->deleted[side];
			/* What was deleted before the other side had it was never there to be
			 * moved. */
			if (token->single && copies->settled && copies->deleted[side] == 1 &&
			    !copies->deleted[other_side(side)] && !world->reset)
				*low += 1;
		}
	}
}

/*
 * True where a deletion may be undone: the pair was forgotten, or whoever deleted the copy was
 * quicker than the run that would have learnt of it (of a file that it moved, the next one). A
 * message that is back can be deleted again.
 */
static bool is_doubtful(const struct world *world, const struct token *token, size_t mailbox)
{
	const struct copies *copies = &token->copies[mailbox];
	bool told = world->history->abilities[REMOTE].uidplus;
	bool is_new =
	    copies->delivered[LOCAL] || copies->delivered[REMOTE] || mailbox == WORLD_TRASH;

	return world->reset ||
	       (is_new && (world->broke || (world->ran && (!told || !token->single))));
}

/* The bounds of what users did: no more deleted than they deleted, nothing doubled or come back. */
static void check_copies(struct world *world, struct token *token, size_t mailbox)
{
	struct copies *copies = &token->copies[mailbox];
	unsigned gone = copies->deleted[LOCAL] + copies->deleted[REMOTE];
	unsigned most = larger(copies->deleted[LOCAL], copies->deleted[REMOTE]);
	unsigned low =
	    copies->settled + larger(copies->delivered[LOCAL], copies->delivered[REMOTE]);
	unsigned high = copies->settled + copies->delivered[LOCAL] + copies->delivered[REMOTE];
	unsigned have[SIDES];

	for (enum side side = LOCAL; side < SIDES; side++)
		have[side] = world_copies(world, side, mailbox, token);
	if (mailbox == WORLD_TRASH)
		expect_trashed(world, token, &low, &high);
	gone += copies->perished;
	low = low > gone ? low - gone : 0;
	if (!is_doubtful(world, token, mailbox))
		high = high > most ? high - most : 0;
	if (have[LOCAL] != have[REMOTE])
		world_fail(world, "message %zu: %u in the local %s, %u in the remote one",
			   (size_t)(token - world->tokens), have[LOCAL], world_mailboxes[mailbox],
			   have[REMOTE]);
	else if (have[LOCAL] < low || have[LOCAL] > high)
		world_fail(world, "message %zu: %u times in %s, expected %u to %u: %s",
			   (size_t)(token - world->tokens), have[LOCAL], world_mailboxes[mailbox],
			   low, high, have[LOCAL] < low ? "lost" : "doubled");
	copies->found = have[LOCAL];
}

/* A message that was deleted somewhere takes the flags with it that it has there. */
static bool was_deleted(const struct token *token)
{
	for (size_t i = 0; i < MAILBOXES; i++)
		if (token->copies[i].deleted[LOCAL] || token->copies[i].deleted[REMOTE])
			return true;
	return false;
}

/* What a flag must be, where that can be told: true and *set. */
static bool expect_flag(const struct token *token, uint32_t flag, bool *set)
{
	bool touched[SIDES], value[SIDES], base = token->base.bits & flag;

	if (token->blurred & flag)
		return false;
	for (enum side side = LOCAL; side < SIDES; side++) {
		touched[side] = token->touched[side] & flag;
		value[side] = touched[side] ? (token->value[side].bits & flag) != 0 : base;
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
		world_fail(world, "message %zu: date %lld on the %s side",
			   (size_t)(token - world->tokens), (long long)message->state.identity.date,
			   side_name(side));
	for (uint32_t flag = 1; flag <= FLAG_ALL; flag <<= 1) {
		bool is = message->state.flags.bits & flag, set;
		if (!(mask & flag) || !expect_flag(token, flag, &set) || is == set)
			continue;
		world_fail(world, "message %zu: flag %x is %d on the %s side, expected %d",
			   (size_t)(token - world->tokens), flag, is, side_name(side), set);
	}
}

/* Every message of one side is one that somebody delivered. */
static void check_side(struct world *world, enum side side, size_t mailbox)
{
	const struct memory *memory = world->sides[side];
	size_t count = memory_count(memory, world_mailboxes[mailbox]);

	for (size_t i = 0; i < count; i++) {
		struct memory_message message = memory_get(memory, world_mailboxes[mailbox], i);
		struct token *token = world_token(world, &message);
		if (!token)
			world_fail(world,
				   "a message of %zu bytes in the %s %s that nobody delivered",
				   message.len, side_name(side), world_mailboxes[mailbox]);
		else if (token->single && !was_deleted(token))
			check_single(world, token, &message, side);
	}
}

/* The message of a key. */
static bool find(const struct memory *memory, size_t mailbox, const struct pair *pair,
		 enum side side, struct memory_message *out)
{
	size_t count = memory_count(memory, world_mailboxes[mailbox]);

	for (size_t i = 0; i < count; i++) {
		*out = memory_get(memory, world_mailboxes[mailbox], i);
		if (side == REMOTE ? out->state.key.uid == pair->uid
				   : !strcmp(out->state.key.name, pair->name))
			return true;
	}
	return false;
}

/* One row of the journal: the same message on both sides, with the flags that it says. */
static void check_pair(struct world *world, size_t mailbox, const struct pair *pair)
{
	for (enum side side = LOCAL; side < SIDES; side++) {
		uint32_t mask = FLAG_ALL & ~world->history->abilities[side].lacking.bits;
		struct memory_message message;
		if (!find(world->sides[side], mailbox, pair, side, &message)) {
			world_fail(world, "%s: the journal's UID %u is not on the %s side",
				   world_mailboxes[mailbox], pair->uid, side_name(side));
			return;
		}
		if (!digest_equal(&message.state.identity.digest, &pair->digest))
			world_fail(world,
				   "%s: the journal's UID %u is another message on the %s side",
				   world_mailboxes[mailbox], pair->uid, side_name(side));
		if ((message.state.flags.bits ^ pair->flags.bits) & mask)
			world_fail(world,
				   "%s: UID %u has flags %x on the %s side, %x in the journal",
				   world_mailboxes[mailbox], pair->uid, message.state.flags.bits,
				   side_name(side), pair->flags.bits);
	}
}

/* The journal of a mailbox holds exactly what both sides hold, and no intents. */
static void check_journal(struct world *world, struct journal_dir *dir, size_t mailbox)
{
	const char *name = world_mailboxes[mailbox];
	size_t len = 0, notes = 0;
	struct journal *journal;
	struct error err;

	if (journal_open(dir, name, &journal, &err)) {
		world_fail(world, "%s", err.text);
		return;
	}
	if (journal_load(journal, &err))
		world_fail(world, "%s", err.text);
	const struct pair *pairs = journal_pairs(journal, &len);
	journal_notes(journal, &notes);
	for (enum side side = LOCAL; side < SIDES; side++)
		if (memory_count(world->sides[side], name) != len)
			world_fail(world, "%s: %zu pairs, %zu messages on the %s side", name, len,
				   memory_count(world->sides[side], name), side_name(side));
	if (notes && memory_has(world->sides[LOCAL], name))
		world_fail(world, "%s: %zu notes are left", name, notes);
	for (size_t i = 0; i < len; i++)
		check_pair(world, mailbox, &pairs[i]);
	journal_close(&journal);
}

/* From here on users' changes count anew. */
static void start_anew(struct world *world)
{
	for (size_t mailbox = 0; mailbox < MAILBOXES; mailbox++)
		for (size_t i = 0; i < memory_count(world->sides[LOCAL], world_mailboxes[mailbox]);
		     i++) {
			struct memory_message message =
			    memory_get(world->sides[LOCAL], world_mailboxes[mailbox], i);
			struct token *token = world_token(world, &message);
			if (!token)
				continue;
			token->based = true;
			token->base = message.state.flags;
		}
	for (size_t i = 0; i < world->len; i++) {
		struct token *token = &world->tokens[i];
		token->touched[LOCAL] = token->touched[REMOTE] = 0;
		token->late = token->stale = token->blurred = 0;
		unsigned found = 0;
		for (size_t mailbox = 0; mailbox < MAILBOXES; mailbox++) {
			found += token->copies[mailbox].found;
			token->copies[mailbox] =
			    (struct copies){.settled = token->copies[mailbox].found};
		}
		token->single &= found < 2;
	}
	world->ran = world->reset = world->broke = false;
}

void world_check(struct world *world)
{
	struct journal_dir *dir;
	struct error err;

	for (size_t mailbox = 0; mailbox < MAILBOXES; mailbox++) {
		for (size_t i = 0; i < world->len; i++)
			check_copies(world, &world->tokens[i], mailbox);
		for (enum side side = LOCAL; side < SIDES; side++)
			check_side(world, side, mailbox);
	}
	if (journal_dir_open(world->path, false, &dir, &err)) {
		world_fail(world, "%s", err.text);
		return;
	}
	for (size_t mailbox = 0; mailbox < MAILBOXES; mailbox++)
		check_journal(world, dir, mailbox);
	journal_dir_close(&dir);
	start_anew(world);
}
