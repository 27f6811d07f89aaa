// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/uses.h"

#include <string.h>
#include <strings.h>

#define USE_NAMES 5

/*
 * Names that serve a use where no attribute says so, the likeliest first; the first is also what
 * such a mailbox is called where one is made.
 */
static const struct {
	unsigned use;
	const char *names[USE_NAMES];
} uses[] = {
    {MAILBOX_ARCHIVE, {"Archive", "Archives"}},
    {MAILBOX_DRAFTS, {"Drafts"}},
    {MAILBOX_JUNK, {"Junk", "Spam", "Junk E-mail", "Bulk Mail"}},
    {MAILBOX_SENT, {"Sent", "Sent Items", "Sent Messages", "Sent Mail"}},
    {MAILBOX_TRASH, {"Trash", "Deleted Items", "Deleted Messages", "Deleted"}},
};

#define USES (sizeof(uses) / sizeof(*uses))

/* The place of a name among those that serve a use, from 0; USE_NAMES where it is none. */
static size_t rank_of(unsigned use, const char *name)
{
	for (size_t i = 0; i < USES; i++)
		for (size_t k = 0; uses[i].use == use && k < USE_NAMES && uses[i].names[k]; k++)
			if (!strcasecmp(name, uses[i].names[k]))
				return k;
	return USE_NAMES;
}

unsigned uses_of_name(const struct channel *channel, const char *remote)
{
	const struct name_map *map = &channel->names;

	for (size_t i = 0; i < channel->setup.map.len; i++)
		if (map->pairs[i].use && !map->pairs[i].remote &&
		    !strcmp(map->pairs[i].local, remote))
			return map->pairs[i].use & ~channel->uses;
	for (size_t i = 0; i < USES; i++)
		if (!strcasecmp(remote, uses[i].names[0]))
			return uses[i].use & ~channel->uses;
	return 0;
}

/* True for a mailbox that may serve a use: another user's, or a shared one, has it for others. */
static bool may_serve(const struct list_entry *entry)
{
	return !(entry->attributes & (MAILBOX_NOSELECT | MAILBOX_FOREIGN)) &&
	       strcmp(entry->name, "INBOX") != 0;
}

/* The server's mailbox for a use, by its attribute or else by a name; NULL where there is none. */
static const char *find_use(const struct list_entry *entries, size_t len, unsigned use)
{
	size_t best = USE_NAMES;
	const char *name = NULL;

	for (size_t i = 0; i < len; i++) {
		const struct list_entry *entry = &entries[i];
		size_t rank = rank_of(use, entry->name);
		if (!may_serve(entry))
			continue;
		if (entry->attributes & use)
			return entry->name;
		if (rank < best) {
			best = rank;
			name = entry->name;
		}
	}
	return name;
}

/* What the server's trash is to be called where it has none. */
static const char *name_trash(struct channel *channel)
{
	const struct name_map *map = &channel->names;
	const char *remote = name_map_to_remote(map, &channel->arena, "Trash");

	for (size_t i = 0; i < map->len; i++)
		if (map->pairs[i].use == MAILBOX_TRASH)
			return map->pairs[i].local;
	return remote ? remote : "Trash";
}

void uses_resolve(struct channel *channel, const struct list_entry *entries, size_t len)
{
	const struct name_map *map = &channel->setup.map;
	struct name_pair *pairs = arena_alloc(&channel->arena, (map->len + 1) * sizeof(*pairs));

	for (size_t i = 0; i < len; i++)
		if (may_serve(&entries[i]))
			channel->uses |= entries[i].attributes & MAILBOX_SPECIAL_USES;
	for (size_t i = 0; i < map->len; i++) {
		pairs[i] = map->pairs[i];
		if (pairs[i].use)
			pairs[i].remote = find_use(entries, len, pairs[i].use);
	}
	channel->names = (struct name_map){pairs, map->len};
	channel->trash[REMOTE] = find_use(entries, len, MAILBOX_TRASH);
	if (!channel->trash[REMOTE])
		channel->trash[REMOTE] = name_trash(channel);
	channel->trash[LOCAL] =
	    name_map_to_local(&channel->names, &channel->arena, channel->trash[REMOTE]);
	if (!channel->trash[LOCAL])
		channel->trash[LOCAL] = channel->trash[REMOTE];
}
