// SPDX-License-Identifier: GPL-3.0-or-later
#include "world.h"

#include "base/alloc.h"
#include "base/array.h"
#include "chance.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const first_names[] = {[WORLD_INBOX] = "INBOX",
					  [WORLD_WORK] = "Work/2026",
					  [WORLD_TRASH] = "Trash"};

#define TOKEN_FORMAT "X-Token: %06u\r\n"

void world_fail(struct world *world, const char *fmt, ...)
{
	va_list args;

	if (*world->failure)
		return;
	va_start(args, fmt);
	vsnprintf(world->failure, sizeof(world->failure), fmt, args);
	va_end(args);
}

size_t world_name(struct world *world, const char *name)
{
	size_t i = 0;

	while (i < world->names_len && strcmp(world->names[i], name) != 0)
		i++;
	if (i == world->names_len && i < NAMES_MAX)
		world->names[world->names_len++] = xstrdup(name);
	return i;
}

void world_learn_names(struct world *world)
{
	const char *name;

	for (enum side side = LOCAL; side < SIDES; side++)
		for (size_t i = 0; (name = memory_name(world->sides[side], i)); i++)
			world_name(world, name);
}

void world_open(struct world *world, const struct history *history, const char *directory)
{
	*world = (struct world){.history = history};
	snprintf(world->path, sizeof(world->path), "%s", directory);
	for (size_t i = 0; i < sizeof(first_names) / sizeof(*first_names); i++)
		world_name(world, first_names[i]);
	for (enum side side = LOCAL; side < SIDES; side++) {
		world->sides[side] = memory_new(side, &history->abilities[side]);
		memory_create(world->sides[side], first_names[WORLD_INBOX], 0);
	}
}

void world_lose_journals(struct world *world)
{
	DIR *dir = opendir(world->path);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strstr(entry->d_name, ".journal"))
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	world->reset = true;
}

void world_close(struct world *world)
{
	world_lose_journals(world);
	for (enum side side = LOCAL; side < SIDES; side++)
		memory_free(&world->sides[side]);
	for (size_t i = 0; i < world->len; i++)
		free(world->tokens[i].content);
	for (size_t i = 0; i < world->names_len; i++)
		free(world->names[i]);
	free(world->tokens);
}

struct token *world_token(const struct world *world, const struct memory_message *message)
{
	unsigned id;

	if (message->len < 17 || sscanf(message->content, TOKEN_FORMAT, &id) != 1 ||
	    id >= world->len)
		return NULL;
	struct token *token = &world->tokens[id];
	if (token->len != message->len || memcmp(token->content, message->content, token->len) != 0)
		return NULL;
	return token;
}

unsigned world_copies(const struct world *world, enum side side, size_t name,
		      const struct token *token)
{
	const struct memory *memory = world->sides[side];
	size_t count = memory_count(memory, world->names[name]);
	unsigned found = 0;

	for (size_t i = 0; i < count; i++) {
		struct memory_message message = memory_get(memory, world->names[name], i);
		found += world_token(world, &message) == token;
	}
	return found;
}

void world_count(struct world *world, enum side side)
{
	const struct memory *memory = world->sides[side];

	for (size_t i = 0; i < world->len; i++)
		for (size_t name = 0; name < world->names_len; name++)
			world->tokens[i].copies[name].have[side] = 0;
	for (size_t name = 0; name < world->names_len; name++)
		for (size_t i = 0; i < memory_count(memory, world->names[name]); i++) {
			struct memory_message message = memory_get(memory, world->names[name], i);
			struct token *token = world_token(world, &message);
			if (token)
				token->copies[name].have[side]++;
		}
}

/* Every ninth has no Message-ID (where trash is used, all have); every eleventh is large. */
struct token *world_new_token(struct world *world)
{
	unsigned id = (unsigned)world->len, pad = id % 7 * 13;
	struct token *token = array_push(world->tokens, world->len, world->cap);
	bool trash = world->history->deletion[REMOTE] == DELETION_TRASH;
	char header[64] = "";

	bool nameless = id % 9 == 8 && !trash;
	if (!nameless)
		snprintf(header, sizeof(header), "Message-ID: <%06u@sim>\r\n", id);
	if (id % 11 == 3)
		pad += HISTORY_APPEND_MAX;
	if (world->history->bulky)
		pad += HISTORY_BULK;
	*token = (struct token){
	    .single = true, .nameless = nameless, .date = 1000 + 10 * (int64_t)id};
	token->content = xasprintf(TOKEN_FORMAT "%s\r\n%*s\r\n", id, header, (int)pad, "");
	token->len = strlen(token->content);
	token->partial = world_is_refused(world, token);
	return token;
}

bool world_is_left(const struct world *world, const char *name)
{
	const struct memory *memory = world->sides[REMOTE];
	const size_t len = strlen(name);
	const char *other;

	if (!world->history->abilities[REMOTE].lists_parents || memory_has(memory, name))
		return false;
	for (size_t i = 0; (other = memory_name(memory, i)); i++)
		if (!strncmp(other, name, len) && other[len] == '/')
			return true;
	return false;
}

bool world_is_deleted(const struct world *world, const struct token *token, enum side side)
{
	bool deleted = false;

	for (size_t name = 0; name < world->names_len; name++)
		deleted |= token->copies[name].deleted[side] > 0;
	return deleted;
}

bool world_is_refused(const struct world *world, const struct token *token)
{
	uint64_t max = world->history->abilities[REMOTE].append_max;

	return max && token->len > max;
}

uint64_t world_bodies(const struct world *world)
{
	return memory_bodies(world->sides[REMOTE]);
}

void world_foresee(struct world *world)
{
	for (size_t name = 0; name < world->names_len; name++)
		world->used[name] |= memory_has(world->sides[REMOTE], world->names[name]);
	if (world->ran)
		return;
	world->lead = world->acted[LOCAL] ? LOCAL : REMOTE;
	world->led = world->acted[LOCAL] != world->acted[REMOTE] && !world->reset &&
		     !world->renumbered &&
		     !world->history->abilities[REMOTE].lists_parents &&
		     world->history->deletion[other_side(world->lead)] != DELETION_TRASH;
	world_count(world, world->lead);
	for (size_t name = 0; name < world->names_len; name++) {
		world->expected[name] = memory_has(world->sides[world->lead], world->names[name]);
		for (size_t i = 0; i < world->len; i++) {
			struct copies *copies = &world->tokens[i].copies[name];
			copies->expected = copies->have[world->lead];
		}
	}
}
