// SPDX-License-Identifier: GPL-3.0-or-later
/* What users do to the two sides, and what is noted of it. */
#include "world.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* Names that users give, besides those that are there. */
static const char *const new_names[] = {"Play", "Work", "Old/2026", "Archive"};

/* What a step names. */
struct picked {
	size_t name;
	struct memory_message message;
	struct token *token; /* or NULL */
};

/* The mailbox's name that a step delivers to: most goes to the first, little to the trash. */
static size_t pick_name(const struct world *world, const struct step *step)
{
	if (step->mailbox / 8 % 3 == 1)
		return step->mailbox / 32 % world->names_len;
	return step->mailbox % 8 == 7  ? WORLD_TRASH
	       : step->mailbox % 8 > 4 ? WORLD_WORK
				       : WORLD_INBOX;
}

/* Notes a message that is new on a side. */
static void note_delivered(struct world *world, struct token *token, enum side side, size_t name,
			   struct flags flags)
{
	token->copies[name].delivered[side]++;
	token->sent |= side == LOCAL;
	token->touched[side] = FLAG_ALL;
	token->value[side] = flags_minus(flags, world->history->abilities[side].lacking);
}

/*
 * Something is about to be put under that name: a mailbox that is made for it has other UIDs. Where
 * a run found the local one gone, which was empty, another with its inode is taken for it, and what
 * comes meanwhile goes along.
 */
static void note_made(struct world *world, enum side side, size_t name)
{
	world->renamed |= side == REMOTE && world->running &&
			  world->history->abilities[LOCAL].inodes && world->halved[name];
	world->reset |= side == REMOTE && world->used[name] &&
			!memory_has(world->sides[REMOTE], world->names[name]);
}

/* Puts a copy of a token into a mailbox of a side. */
static void deliver(struct world *world, struct token *token, const struct step *step,
		    enum side side)
{
	const struct flags flags = {step->flag & FLAG_ALL};
	size_t name = pick_name(world, step);

	note_made(world, side, name);
	memory_deliver(world->sides[side], world->names[name], token->content, token->len, flags,
		       token->date);
	note_delivered(world, token, side, name, flags);
	world->acted[side] = true;
	world->owed++;
}

/*
 * A message moved: same, and with its id on the server. It may have to be transferred where only
 * that id tells (and who sent it there was not told any), or where a new id tells otherwise (both
 * ways, if the other side moved it as well), or where the other side copied it just now, or moved
 * it and links nothing.
 */
static void note_elsewhere(struct world *world, const struct token *token, enum side side,
			   bool same)
{
	bool ids = world->history->abilities[REMOTE].object_ids;

	/* One that is another by its id, or has none: the old one may go to the trash besides. */
	if (side == REMOTE && (ids ? !same : token->nameless))
		world->owed++;
	world->owed += !token->single || (side == REMOTE && ids && !same) ||
		       (side == REMOTE && token->nameless && (!ids || token->sent)) ||
		       (token->moved[other_side(side)] && !world->history->link);
}

/* The message that a step names; false where there is none at all. */
static bool pick(const struct world *world, const struct step *step, struct picked *picked)
{
	const struct memory *memory = world->sides[step->side];

	for (size_t i = 0; i < world->names_len; i++) {
		picked->name = (step->mailbox + i) % world->names_len;
		const char *name = world->names[picked->name];
		size_t count = memory_count(memory, name);
		if (!count)
			continue;
		picked->message = memory_get(memory, name, step->message % count);
		picked->token = world_token(world, &picked->message);
		return true;
	}
	return false;
}

/* Turns a flag of a message over that stands as picked says. */
static void turn_flag(struct world *world, enum side side, const struct picked *picked,
		      struct flags flag)
{
	bool set = picked->message.state.flags.bits & flag.bits;
	struct flags add = set ? (struct flags){0} : flag, remove = set ? flag : (struct flags){0};
	struct flags before = picked->message.state.flags, after;
	struct token *token = picked->token;

	memory_flag(world->sides[side], world->names[picked->name], &picked->message.state.key, add,
		    remove);
	after = flags_minus(flags_union(flags_minus(before, remove), add),
			    world->history->abilities[side].lacking);
	if (!token || flags_equal(before, after))
		return;
	token->blurred |= flag.bits & token->stale;
	token->stale |= world->breaking ? flag.bits : 0;
	token->touched[side] |= flag.bits;
	token->late |= world->ran ? flag.bits : 0;
	token->value[side] = after;
}

/* Deletes a message. */
static void expunge(struct world *world, const struct step *step)
{
	struct picked picked;

	if (!pick(world, step, &picked))
		return;
	memory_expunge(world->sides[step->side], world->names[picked.name],
		       &picked.message.state.key);
	if (picked.token)
		picked.token->copies[picked.name].deleted[step->side]++;
	world->owed++; /* the trash may get it, or it was moved on the other side */
}

/* Moves a message: as the same file or as a new one, and perhaps with another flag. */
static void move(struct world *world, const struct step *step)
{
	struct memory *memory = world->sides[step->side];
	struct picked picked;
	size_t target;

	if (!pick(world, step, &picked))
		return;
	target = (picked.name + 1 + step->flag / 64 % (world->names_len - 1)) % world->names_len;
	note_made(world, step->side, target);
	picked.message.state.key =
	    memory_move(memory, world->names[picked.name], &picked.message.state.key,
			world->names[target], step->flag % 2);
	if (picked.token) {
		picked.token->copies[picked.name].left[step->side]++;
		picked.token->copies[target].came[step->side]++;
		picked.token->moved[step->side] = true;
		picked.token->sent |= step->side == LOCAL;
		note_elsewhere(world, picked.token, step->side, step->flag % 2);
	}
	picked.name = target;
	if (step->flag / 2 % 4 == 1)
		turn_flag(world, step->side, &picked, (struct flags){1u << step->flag / 8 % 6});
}

/*
 * True where a copy need not be transferred: the other side has the original, and it is allowed,
 * and pays, to look for that.
 */
static bool is_copied_for_free(const struct world *world, const struct token *token,
			       enum side side)
{
	for (size_t name = 0; name < world->names_len; name++)
		if (token->copies[name].delivered[side])
			return false;
	return world->history->bulky && (side == LOCAL || world->history->link) &&
	       !token->moved[LOCAL] && !token->moved[REMOTE];
}

/* Copies a message to another mailbox. */
static void spread(struct world *world, const struct step *step)
{
	struct memory *memory = world->sides[step->side];
	struct picked picked;
	size_t target;

	if (!pick(world, step, &picked))
		return;
	target = (picked.name + step->flag) % world->names_len;
	note_made(world, step->side, target);
	memory_copy(memory, world->names[picked.name], &picked.message.state.key,
		    world->names[target]);
	if (!picked.token)
		return;
	bool spared = is_copied_for_free(world, picked.token, step->side);
	world->owed += !spared;
	world->spared += spared;
	note_delivered(world, picked.token, step->side, target, picked.message.state.flags);
	picked.token->single = false;
	world->owed += step->side == REMOTE && picked.token->nameless;
}

/* Deletes a mailbox, in haste or only once it is empty. INBOX cannot be deleted. */
static void destroy(struct world *world, const struct step *step)
{
	size_t name = 1 + step->mailbox % (world->names_len - 1);
	struct memory *memory = world->sides[step->side];
	size_t count = memory_count(memory, world->names[name]);

	if (count && !(step->flag % 2))
		return;
	world->razed[name] |= memory_has(memory, world->names[name]);
	/* With its messages elsewhere it looks as if it had been renamed; so does an empty one. */
	world->renamed |= step->side == LOCAL && !count &&
			  world->history->abilities[LOCAL].inodes &&
			  memory_has(memory, world->names[name]);
	for (size_t i = 0; i < world->len && step->side == LOCAL; i++)
		world->renamed |= world->tokens[i].copies[name].left[LOCAL] > 0;
	for (size_t i = 0; i < count; i++) {
		struct memory_message message = memory_get(memory, world->names[name], i);
		struct token *token = world_token(world, &message);
		if (token) {
			/* A new one with its inode and an equal file looks like that, too. */
			world->renamed |= step->side == LOCAL && !token->single;
			token->copies[name].deleted[step->side]++;
			token->copies[name].swept |= world->ran;
		}
		world->owed++;
	}
	world->reset |= memory_has(memory, world->names[name]) && step->side == REMOTE;
	/* Whether its messages moved or it was renamed, nothing tells then. */
	world->renamed |= world->history->abilities[REMOTE].same_validity && step->side == REMOTE;
	memory_destroy(memory, world->names[name]);
}

/* Notes that all messages of a mailbox, which has its new name by now, moved with it. */
static void note_renamed(struct world *world, enum side side, size_t from, size_t to)
{
	const struct memory *memory = world->sides[side];

	for (size_t i = 0; i < memory_count(memory, world->names[to]); i++) {
		struct memory_message message = memory_get(memory, world->names[to], i);
		struct token *token = world_token(world, &message);
		if (!token)
			continue;
		token->copies[from].left[side]++;
		token->copies[to].came[side]++;
		token->moved[side] = true;
		note_elsewhere(world, token, side, true);
	}
}

/* True where a name is that of the mailbox or of one below it. */
static bool is_within(const char *name, const char *root)
{
	size_t len = strlen(root);

	return !strncmp(name, root, len) && (!name[len] || name[len] == '/');
}

/* True where the server gives another UIDVALIDITY to a mailbox that gets that name. */
static bool is_validity_lost(const struct world *world, size_t name)
{
	return world->used[name] ||
	       (world->ever[name] && world->history->abilities[REMOTE].same_validity);
}

/* Renames a mailbox, if the side lets us and all names are known or can be. */
static bool rename_one(struct world *world, enum side side, const char *from, const char *to)
{
	struct memory *memory = world->sides[side];
	size_t to_index[NAMES_MAX], len = world->names_len;

	for (size_t i = 0; i < len; i++) {
		to_index[i] = NAMES_MAX;
		if (!is_within(world->names[i], from) || !memory_has(memory, world->names[i]))
			continue;
		char *name = xasprintf("%s%s", to, world->names[i] + strlen(from));
		to_index[i] = strlen(name) < 60 ? world_name(world, name) : NAMES_MAX;
		free(name);
		if (to_index[i] == NAMES_MAX)
			return false;
	}
	if (!memory_rename(memory, from, to))
		return false;
	for (size_t i = 0; i < len; i++)
		if (to_index[i] < NAMES_MAX)
			note_renamed(world, side, i, to_index[i]);
	for (size_t i = 0; i < len; i++)
		if (to_index[i] < NAMES_MAX)
			world->reset |= side == REMOTE && is_validity_lost(world, to_index[i]);
	world->renamed = true;
	return true;
}

/* True where both sides have a mailbox and nothing below it, and had one when they were even. */
static bool is_single(const struct world *world, const char *name)
{
	for (size_t i = 0; i < world->names_len; i++)
		for (enum side side = LOCAL; side < SIDES; side++)
			if (is_within(world->names[i], name) &&
			    (strcmp(world->names[i], name) || !world->used[i]) ==
				memory_has(world->sides[side], world->names[i]))
				return false;
	return true;
}

/*
 * Two mailboxes change their names, or almost. Where all that this comes to is that, their messages
 * are found again although their UIDs mean nothing any more.
 */
static void swap(struct world *world, enum side side, const char *one, const char *other)
{
	bool reset = world->reset;
	bool plain = side == REMOTE && !world->history->abilities[REMOTE].same_validity &&
		     is_single(world, one) && is_single(world, other);

	if (is_within(one, other) || is_within(other, one) ||
	    !rename_one(world, side, one, "Between") || !rename_one(world, side, other, one) ||
	    !rename_one(world, side, "Between", other) || !plain)
		return;
	world->reset = reset;
	world->renumbered = true;
}

/* Renames a mailbox: to a name of its own, one that was there before, or one below another. */
static void rename_mailbox(struct world *world, const struct step *step)
{
	const char *from = world->names[step->mailbox % world->names_len];
	const char *other = world->names[step->flag % world->names_len];
	size_t fresh = step->flag % (sizeof(new_names) / sizeof(*new_names));
	const char *leaf = strrchr(from, '/') ? strrchr(from, '/') + 1 : from;
	char *below;

	switch (step->message % 8) {
	case 0:
	case 1:
	case 2: rename_one(world, step->side, from, new_names[fresh]); break;
	case 3:
	case 4: rename_one(world, step->side, from, other); break;
	case 5: swap(world, step->side, from, other); break;
	default:
		below = xasprintf("%s/%s", other, leaf);
		rename_one(world, step->side, from, below);
		free(below);
	}
}

/* Steps that bring messages which were never there. */
static void bring(struct world *world, const struct step *step)
{
	struct token *token;

	if (step->kind == STEP_COPY && !world->len)
		return;
	token = step->kind == STEP_COPY ? &world->tokens[step->message % world->len]
					: world_new_token(world);
	token->single &= step->kind == STEP_DELIVER;
	deliver(world, token, step, step->side);
	if (step->kind == STEP_TWIN)
		deliver(world, token, step, other_side(step->side));
}

/* Brings a file back that its user took away: there is one more of its message then. */
static void restore(struct world *world, const struct step *step)
{
	const struct flags flags = {step->flag & FLAG_ALL};

	for (size_t i = 0; i < world->names_len; i++) {
		size_t name = (step->mailbox + i) % world->names_len;
		struct memory_message message = memory_restore(
		    world->sides[LOCAL], world->names[name], step->message, flags);
		struct token *token = message.content ? world_token(world, &message) : NULL;
		if (!token)
			continue;
		token->single = false;
		token->again = true;
		/* A run that broke was about to take it away, and the next one goes on with that. */
		if ((world->broke || world->breaking) &&
		    (world_is_deleted(world, token, REMOTE) || token->moved[REMOTE]))
			token->copies[name].perished++;
		note_delivered(world, token, LOCAL, name, flags);
		world->acted[LOCAL] = true;
		world->owed++;
		return;
	}
}

void world_use(struct world *world, const struct step *step)
{
	struct picked picked;

	for (size_t name = 0; name < world->names_len; name++)
		world->ever[name] |= memory_has(world->sides[REMOTE], world->names[name]);
	world->plain &= step->kind == STEP_RENAME && !world->acted[other_side(step->side)];
	world->acted[step->side] = true;
	world->late |= world->ran;
	switch (step->kind) {
	case STEP_DELIVER:
	case STEP_TWIN:
	case STEP_COPY: bring(world, step); break;
	case STEP_FLAG:
		if (pick(world, step, &picked))
			turn_flag(world, step->side, &picked,
				  (struct flags){1u << step->flag % 6});
		break;
	case STEP_EXPUNGE: expunge(world, step); break;
	case STEP_MOVE: move(world, step); break;
	case STEP_SPREAD: spread(world, step); break;
	case STEP_CREATE:
		note_made(world, step->side, step->mailbox % world->names_len);
		memory_create(world->sides[step->side],
			      world->names[step->mailbox % world->names_len], 0);
		break;
	case STEP_DESTROY: destroy(world, step); break;
	case STEP_RENAME: rename_mailbox(world, step); break;
	case STEP_RESTORE: restore(world, step); break;
	default: break;
	}
}
