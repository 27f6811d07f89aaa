// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The key map: from YAML to a map of names (mail/name-map.h), with what is wrong told at the name.
 */
#ifndef CONFIG_NAMES_H
#define CONFIG_NAMES_H

#include "config/schema.h"
#include "mail/name-map.h"

/*
 * Adds the pairs of node, a channel's or that of defaults, to map; those of the same local name
 * that were inherited go. -1: ERROR_CONFIG.
 */
int names_store(const struct schema_source *source, const struct yaml_node *node,
		struct name_map *map);

#endif
