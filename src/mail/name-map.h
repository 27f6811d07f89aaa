// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a mailbox is called on the other side, where the user says so: evenmail.yaml(5), map.
 *
 * Names are those of mail/mailbox-name.h on both sides. A pair renames a mailbox and what is below
 * it; of several pairs that fit, the longest name's counts. A name that fits none is the same on
 * both sides.
 *
 * Every local name has at most one remote name and the other way round: what the map covers up has
 * none. Where the local Sent is "[Gmail]/Sent Mail", a plain Sent of the server has no local name,
 * and a local "[Gmail]/Sent Mail" no remote one. Who meets such a mailbox leaves it out and says
 * so.
 */
#ifndef MAIL_NAME_MAP_H
#define MAIL_NAME_MAP_H

#include "base/arena.h"

#include <stddef.h>

struct name_pair {
	const char *local;
	const char *remote; /* NULL: not known (yet), as if the pair were not there */
	unsigned use;       /* enum special_use: remote is the server's mailbox for that; or 0 */
};

/* No name is in it twice on one side, and none is INBOX. All zeros is none. */
struct name_map {
	const struct name_pair *pairs;
	size_t len;
};

/*
 * The name on the other side, in arena; NULL where there is none. name_map_to_local() undoes
 * name_map_to_remote(), and the other way round.
 */
const char *name_map_to_remote(const struct name_map *map, struct arena *arena, const char *local);
const char *name_map_to_local(const struct name_map *map, struct arena *arena, const char *remote);

#endif
