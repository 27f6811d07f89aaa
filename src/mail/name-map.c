// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail/name-map.h"

#include "mail/mailbox-name.h"
#include "mail/side.h"

#include <string.h>

/* What a pair calls its mailbox on a side. */
static const char *pair_name(const struct name_pair *pair, enum side side)
{
	return side == LOCAL ? pair->local : pair->remote;
}

/* The length of top where name is it or below it, else 0. */
static size_t fit_len(const char *name, const char *top)
{
	size_t len = strlen(top);

	if (strncmp(name, top, len) != 0 || (name[len] != '\0' && name[len] != '/'))
		return 0;
	return len;
}

/* Renames by the pair that fits best, without a look at what the result stands for. */
static const char *rename_from(const struct name_map *map, struct arena *arena, enum side side,
			       const char *name)
{
	const struct name_pair *best = NULL;
	size_t best_len = 0;

	for (size_t i = 0; i < map->len; i++) {
		const struct name_pair *pair = &map->pairs[i];
		size_t len = pair->remote != NULL ? fit_len(name, pair_name(pair, side)) : 0;

		if (len > best_len) {
			best = pair;
			best_len = len;
		}
	}
	if (best == NULL)
		return arena_strdup(arena, name);
	return arena_printf(arena, "%s%s", pair_name(best, other_side(side)), name + best_len);
}

/* A name that does not lead back is that of another mailbox. */
static const char *translate(const struct name_map *map, struct arena *arena, enum side side,
			     const char *name)
{
	const char *there = rename_from(map, arena, side, name);
	const char *back = rename_from(map, arena, other_side(side), there);

	return strcmp(back, name) == 0 && strlen(there) <= MAILBOX_NAME_MAX ? there : NULL;
}

/* From the disk to the server. */
const char *name_map_to_remote(const struct name_map *map, struct arena *arena, const char *local)
{
	return translate(map, arena, LOCAL, local);
}

/* From the server to the disk. */
const char *name_map_to_local(const struct name_map *map, struct arena *arena, const char *remote)
{
	return translate(map, arena, REMOTE, remote);
}
