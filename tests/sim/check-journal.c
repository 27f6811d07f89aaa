// SPDX-License-Identifier: GPL-3.0-or-later
/* What the journals must hold once both sides are even. */
#include "journal/journal.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

/* The message of a key. */
static bool find(const struct memory *memory, const char *name, const struct pair *pair,
		 enum side side, struct memory_message *out)
{
	size_t count = memory_count(memory, name);

	for (size_t i = 0; i < count; i++) {
		*out = memory_get(memory, name, i);
		if (side == REMOTE ? out->state.key.uid == pair->uid
				   : !strcmp(out->state.key.name, pair->name))
			return true;
	}
	return false;
}

/*
 * One row of the journal: the same message on both sides, with the flags that it says. Those for
 * which a side has no room were never agreed on.
 */
static void check_pair(struct world *world, const char *name, const struct pair *pair)
{
	const struct memory_abilities *abilities = world->history->abilities;
	uint32_t mask =
	    FLAG_ALL & ~(abilities[LOCAL].lacking.bits | abilities[REMOTE].lacking.bits);

	if (pair->flags.bits & ~mask)
		world_fail(world, "%s: UID %u has flags %x in the journal that a side cannot keep",
			   name, pair->uid, pair->flags.bits & ~mask);
	for (enum side side = LOCAL; side < SIDES; side++) {
		struct memory_message message;
		if (!find(world->sides[side], name, pair, side, &message)) {
			world_fail(world, "%s: the journal's UID %u is not on the %s side",
				   name, pair->uid, side_name(side));
			return;
		}
		if (!digest_equal(&message.state.identity.digest, &pair->digest))
			world_fail(world,
				   "%s: the journal's UID %u is another message on the %s side",
				   name, pair->uid, side_name(side));
		if ((message.state.flags.bits ^ pair->flags.bits) & mask)
			world_fail(world,
				   "%s: UID %u has flags %x on the %s side, %x in the journal",
				   name, pair->uid, message.state.flags.bits,
				   side_name(side), pair->flags.bits);
	}
}

/* How many messages there are on the local side that the server refused. */
static size_t count_refused(const struct world *world, size_t name)
{
	size_t count = 0;

	for (size_t i = 0; i < world->len; i++) {
		const struct token *token = &world->tokens[i];
		if (world_is_refused(world, token))
			count += token->copies[name].have[LOCAL] - token->copies[name].have[REMOTE];
	}
	return count;
}

/* The journal of a mailbox holds exactly what both sides hold, and no intents. */
static void check_journal(struct world *world, struct journal_dir *dir, size_t index)
{
	const char *name = world->names[index];
	size_t refused = count_refused(world, index);
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
		if (memory_count(world->sides[side], name) != len + (side == LOCAL ? refused : 0))
			world_fail(world, "%s: %zu pairs, %zu messages on the %s side", name, len,
				   memory_count(world->sides[side], name), side_name(side));
	if (notes != refused && memory_has(world->sides[LOCAL], name))
		world_fail(world, "%s: %zu notes are left", name, notes);
	for (size_t i = 0; i < len; i++)
		check_pair(world, name, &pairs[i]);
	journal_close(&journal);
}

void world_check_journals(struct world *world)
{
	struct journal_dir *dir;
	struct error err;

	if (journal_dir_open(world->path, false, &dir, &err)) {
		world_fail(world, "%s", err.text);
		return;
	}
	for (size_t name = 0; name < world->names_len; name++)
		if (!world_is_left(world, world->names[name]))
			check_journal(world, dir, name);
	journal_dir_close(&dir);
}
