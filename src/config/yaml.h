// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The YAML that a configuration needs, as nodes with their positions: mappings, lists and scalars.
 *
 * What makes YAML dangerous or surprising is an error: aliases and anchors, tags, several
 * documents, a key twice, keys that are no words, NUL in a value, more than YAML_DEPTH_MAX levels.
 * A scalar is text whatever it looks like; the schema says what it must be.
 *
 * libyaml's own names begin with yaml_parser, yaml_event, yaml_node and the like in the form of
 * _t types; struct yaml_node and yaml_read() are ours.
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define YAML_DEPTH_MAX 16

enum yaml_kind {
	YAML_KIND_TEXT,
	YAML_KIND_LIST,
	YAML_KIND_MAP,
};

struct yaml_node {
	enum yaml_kind kind;
	unsigned line; /* of its first byte, both from 1 */
	unsigned column;
	char *text;                 /* of a text: UTF-8, terminated, no NUL inside; else NULL */
	bool quoted;                /* so that "" differs from nothing */
	struct yaml_node *key;      /* of a map's member: a text; else NULL */
	struct yaml_node *children; /* of a list or map, in the order of the file */
	struct yaml_node *next;     /* the next child of the same parent */
};

/*
 * Reads len bytes; file is their name in messages. *root is a map, a list or a text, and lives in
 * arena; NULL where there is no document. -1: ERROR_CONFIG with file:line:column; *root then holds
 * what had been read, to be wiped.
 */
int yaml_read(const char *file, const char *bytes, size_t len, struct arena *arena,
	      struct yaml_node **root, struct error *err);
/* Overwrites all text of the tree: it may hold a password. NULL is fine. */
void yaml_wipe(struct yaml_node *root);
/* Fills err with "file:line:column: ", ERROR_CONFIG, SCOPE_FATAL; returns -1. */
int yaml_error(struct error *err, const char *file, const struct yaml_node *at, const char *fmt,
	       ...) __attribute__((format(printf, 4, 5)));

#endif
