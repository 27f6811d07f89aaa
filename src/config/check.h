// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What single values cannot show: whether a channel's values fit together, and the channels each
 * other.
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config/schema.h"

/* Checks a channel and fills what follows from its other values; key is its name in the file. */
int check_channel(const struct schema_source *source, const struct yaml_node *key,
		  struct schema_draft *draft);
/*
 * Channels on one tree must see it alike. A tree within another's is refused: what one account
 * brings would be mailboxes of the other, and be sent there.
 */
int check_trees(const struct schema_source *source, const struct schema_draft *drafts, size_t len);

#endif
