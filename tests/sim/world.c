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

const char *const world_mailboxes[MAILBOXES] = {"INBOX", "Work/2026", "Trash"};

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

void world_open(struct world *world, const struct history *history, const char *directory)
{
	*world = (struct world){.history = history};
	snprintf(world->path, sizeof(world->path), "%s", directory);
	for (enum side side = LOCAL; side < SIDES; side++) {
		world->sides[side] = memory_new(side, &history->abilities[side]);
		memory_create(world->sides[side], world_mailboxes[0], 0);
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

unsigned world_copies(const struct world *world, enum side side, size_t mailbox,
		      const struct token *token)
{
	const struct memory *memory = world->sides[side];
	size_t count = memory_count(memory, world_mailboxes[mailbox]);
	unsigned found = 0;

	for (size_t i = 0; i < count; i++) {
		struct memory_message message = memory_get(memory, world_mailboxes[mailbox], i);
		found += world_token(world, &message) == token;
	}
	return found;
}

/* A content that nobody has seen before; every ninth has no Message-ID. */
static struct token *new_token(struct world *world)
{
	unsigned id = (unsigned)world->len, pad = id % 7 * 13;
	struct token *token = array_push(world->tokens, world->len, world->cap);
	bool trash = world->history->deletion[REMOTE] == DELETION_TRASH;
	char header[64] = "";

	if (id % 9 != 8 || trash)
		snprintf(header, sizeof(header), "Message-ID: <%06u@sim>\r\n", id);
	*token = (struct token){.single = true, .date = 1000 + 10 * (int64_t)id};
	token->content = xasprintf(TOKEN_FORMAT "%s\r\n%*s\r\n", id, header, (int)pad, "");
	token->len = strlen(token->content);
	return token;
}

/* Puts a copy of a token into a mailbox of a side. */
static void deliver(struct world *world, struct token *token, enum side side, size_t mailbox,
		    struct flags flags)
{
	struct memory *memory = world->sides[side];
	size_t index;

	memory_deliver(memory, world_mailboxes[mailbox], token->content, token->len, flags,
		       token->date);
	index = memory_count(memory, world_mailboxes[mailbox]) - 1;
	token->copies[mailbox].delivered[side]++;
	token->touched[side] = FLAG_ALL;
	token->value[side] = memory_get(memory, world_mailboxes[mailbox], index).state.flags;
}

/* The message that a step names, or none. */
static bool pick(const struct world *world, const struct step *step, size_t *mailbox,
		 struct memory_message *message)
{
	for (size_t i = 0; i < MAILBOXES; i++) {
		*mailbox = (step->mailbox + i) % MAILBOXES;
		size_t count = memory_count(world->sides[step->side], world_mailboxes[*mailbox]);
		if (!count)
			continue;
		*message = memory_get(world->sides[step->side], world_mailboxes[*mailbox],
				      step->message % count);
		return true;
	}
	return false;
}

/* Mailboxes are not alike: most goes on in the first, little in the trash. */
static size_t pick_mailbox(const struct step *step)
{
	return step->mailbox % 8 == 7 ? WORLD_TRASH : step->mailbox % 8 > 4;
}

static void turn_flag(struct world *world, const struct step *step)
{
	struct memory_message message, after;
	size_t mailbox;

	if (!pick(world, step, &mailbox, &message))
		return;
	struct flags flag = {1u << step->flag % 6};
	bool set = message.state.flags.bits & flag.bits;
	struct memory *memory = world->sides[step->side];
	struct token *token = world_token(world, &message);
	memory_flag(memory, world_mailboxes[mailbox], &message.state.key,
		    set ? (struct flags){0} : flag, set ? flag : (struct flags){0});
	after = memory_get(memory, world_mailboxes[mailbox],
			   step->message % memory_count(memory, world_mailboxes[mailbox]));
	if (!token || flags_equal(message.state.flags, after.state.flags))
		return;
	token->blurred |= flag.bits & token->stale;
	token->stale |= world->breaking ? flag.bits : 0;
	token->touched[step->side] |= flag.bits;
	token->late |= world->ran ? flag.bits : 0;
	token->value[step->side] = after.state.flags;
}

/* Deletes what a step names; where it was, or NULL. */
static struct token *expunge(struct world *world, const struct step *step, size_t *mailbox,
			     struct flags *flags)
{
	struct memory_message message;
	struct token *token;

	if (!pick(world, step, mailbox, &message))
		return NULL;
	token = world_token(world, &message);
	memory_expunge(world->sides[step->side], world_mailboxes[*mailbox], &message.state.key);
	if (token)
		token->copies[*mailbox].deleted[step->side]++;
	*flags = message.state.flags;
	return token;
}

/* INBOX cannot be deleted, and the others only once they are empty. */
static void destroy(struct world *world, const struct step *step)
{
	const char *name = world_mailboxes[1 + step->mailbox % (MAILBOXES - 1)];

	if (memory_count(world->sides[step->side], name))
		return;
	memory_destroy(world->sides[step->side], name);
	world->reset = true; /* if it comes back it has other UIDs */
}

void world_use(struct world *world, const struct step *step)
{
	struct flags flags = {step->flag & FLAG_ALL};
	struct token *token;
	size_t mailbox;

	switch (step->kind) {
	case STEP_DELIVER:
		deliver(world, new_token(world), step->side, pick_mailbox(step), flags);
		break;
	case STEP_TWIN:
		token = new_token(world);
		token->single = false;
		deliver(world, token, LOCAL, pick_mailbox(step), flags);
		deliver(world, token, REMOTE, pick_mailbox(step), flags);
		break;
	case STEP_COPY:
		if (!world->len)
			break;
		token = &world->tokens[step->message % world->len];
		token->single = false;
		deliver(world, token, step->side, pick_mailbox(step), flags);
		break;
	case STEP_FLAG: turn_flag(world, step); break;
	case STEP_EXPUNGE: expunge(world, step, &mailbox, &flags); break;
	case STEP_MOVE:
		token = expunge(world, step, &mailbox, &flags);
		if (token) {
			token->single = false;
			deliver(world, token, step->side, (mailbox + 1) % MAILBOXES, flags);
		}
		break;
	case STEP_DESTROY: destroy(world, step); break;
	default: break;
	}
}
