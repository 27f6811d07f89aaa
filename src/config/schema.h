// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which keys a channel has: one table, from which the configuration is read, checked and completed,
 * and against which the manual is tested.
 *
 * A path is the key's names from the channel down, joined by dots ("remote.host"). Values are
 * stored in struct config_channel at the row's offset. What a later version will honour has a row
 * too, so that it is refused as "not supported yet" instead of as unknown.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include "base/arena.h"
#include "base/error.h"
#include "config/yaml.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What a value must be, and what is stored. */
enum schema_type {
	SCHEMA_TEXT,     /* one line: const char * */
	SCHEMA_SECRET,   /* the same, never shown, in a file that only its owner can read */
	SCHEMA_COMMAND,  /* a shell command, of any number of lines: const char * */
	SCHEMA_HOST,     /* a name or an address without port: const char * */
	SCHEMA_PATH,     /* absolute or from ~, returned absolute: const char * */
	SCHEMA_TREE,     /* the same in its one spelling: no "..", no doubled or closing "/" */
	SCHEMA_PIN,      /* CURLOPT_PINNEDPUBLICKEY: a path or sha256// hashes: const char * */
	SCHEMA_PORT,     /* uint16_t */
	SCHEMA_NUMBER,   /* min..max: unsigned */
	SCHEMA_PERCENT,  /* "50%", or no: 101: unsigned */
	SCHEMA_SWITCH,   /* bool */
	SCHEMA_CHOICE,   /* one of words, as its index: an enum */
	SCHEMA_WORD,     /* one of words, as itself: const char * */
	SCHEMA_SET,      /* a list of words, as bits of their indexes: unsigned */
	SCHEMA_PATTERNS, /* a list of mailbox patterns: const char **, a size_t beside it */
	SCHEMA_NAMES,    /* local names and remote ones, added to defaults: struct name_map */
};

enum schema_status {
	SCHEMA_SUPPORTED,
	SCHEMA_LATER,
};

/* Keys of one group exclude each other; one in a channel takes the place of another in defaults. */
enum schema_group {
	SCHEMA_ALONE,
	SCHEMA_REACH, /* how to get at the server */
	SCHEMA_LOGIN, /* where the password or token comes from */
};

/* What else a key needs to have a meaning. */
enum schema_need {
	SCHEMA_NEEDS_NOTHING,
	SCHEMA_NEEDS_HOST, /* not a tunnel */
	SCHEMA_NEEDS_TLS,  /* a host, and tls not none */
};

struct schema_row {
	const char *path;
	const char *fallback; /* YAML, read as if the user had written it; NULL: none */
	const char *help;     /* what it says, in a few words without a period */
	const char *const *words;
	size_t offset;
	size_t len_offset; /* of a list's length */
	enum schema_type type;
	enum schema_status status;
	enum schema_group group;
	enum schema_need need;
	bool empty;   /* a list may be [] */
	unsigned min; /* of a number */
	unsigned max;
};

#define SCHEMA_ROWS_MAX 64

struct config_secret;

/* A file being read. */
struct schema_source {
	const char *file;
	mode_t mode;         /* its permissions: a literal secret must not be open to others */
	struct arena *arena; /* what values live in */
	struct config_secret **secrets; /* what literal ones are remembered in, to be wiped */
	struct error *err;
};

/* A channel being put together, and which node gave which value; all zeros but channel at first. */
struct schema_draft {
	struct config_channel *channel;
	const struct yaml_node *own[SCHEMA_ROWS_MAX];       /* written in the channel itself */
	const struct yaml_node *inherited[SCHEMA_ROWS_MAX]; /* written under defaults */
};

const struct schema_row *schema_rows(size_t *len);
/* The index of a path that is in the table. */
size_t schema_index(const char *path);

/* Stores what the table says for keys that nobody writes. */
int schema_apply_fallbacks(const struct schema_source *source, struct schema_draft *draft);
/* Checks and stores every key of map, which is a channel, or defaults where inherited. */
int schema_apply(const struct schema_source *source, const struct yaml_node *map, bool inherited,
		 struct schema_draft *draft);

/* The node that gave the value now in force, or NULL. */
const struct yaml_node *schema_node(const struct schema_draft *draft, const char *path);
/* "unknown key" at the node's key, with what is near of the NULL-terminated list. */
int schema_refuse_key(const struct schema_source *source, const struct yaml_node *node,
		      const char *const *known);

#endif
