// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * From a node to a value: one function for every type of the schema, each with what it allows in
 * its error.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config/config.h"
#include "config/schema.h"

/* A literal password in the arena of a configuration. */
struct config_secret {
	struct config_secret *next;
	char *text;
};

/* Checks node against the row and stores its value. -1: ERROR_CONFIG. */
int value_store(const struct schema_source *source, const struct schema_row *row,
		const struct yaml_node *node, struct config_channel *channel);
/* path with ~ and ~/ resolved, in arena; NULL where it is then not absolute. */
const char *value_expand_path(struct arena *arena, const char *path);
/* True for localhost, 127.0.0.0/8 and ::1: what cannot leave this machine. */
bool value_is_loopback(const char *host);

#endif
