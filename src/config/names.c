// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/names.h"

#include "base/map.h"
#include "base/text.h"
#include "mail/ascii.h"
#include "mail/mailbox-name.h"
#include "mail/special-use.h"

#include <string.h>

#define INBOX "INBOX"

/* Reads a mailbox's name in the one form that names have: INBOX is written in capitals. */
static int names_read(const struct schema_source *source, const struct yaml_node *node,
		      const char **out)
{
	size_t len = strlen(node->text);
	size_t top = strcspn(node->text, "/");
	struct error why;
	char *name;

	if (mailbox_name_check(node->text, len, &why) < 0)
		return yaml_error(source->err, source->file, node, "\"map\": %s", why.text);
	if (mailbox_name_is_inbox(node->text))
		return yaml_error(source->err, source->file, node,
				  "\"map\": INBOX has its name on both sides");
	name = arena_strndup(source->arena, node->text, len);
	if (ascii_is_word(name, top, INBOX))
		memcpy(name, INBOX, top);
	*out = name;
	return 0;
}

/* Reads the name on the server, or what the mailbox is for there. */
static int names_read_remote(const struct schema_source *source, const struct yaml_node *node,
			     struct name_pair *pair)
{
	if (node->kind != YAML_KIND_TEXT)
		return yaml_error(source->err, source->file, node,
				  "\"map\" must have one name of the server for \"%s\"",
				  text_show(node->key->text));
	if (node->text[0] != '\\')
		return names_read(source, node, &pair->remote);
	pair->use = special_use_of(node->text);
	if (pair->use != 0)
		return 0;
	return yaml_error(source->err, source->file, node,
			  "\"map\": \"%s\" is no special use (there are %s)", text_show(node->text),
			  special_use_words);
}

/* Reads the local name: what stands on the wrong side is told. */
static int names_read_local(const struct schema_source *source, const struct yaml_node *key,
			    struct name_pair *pair)
{
	if (key->text[0] != '\\')
		return names_read(source, key, &pair->local);
	return yaml_error(source->err, source->file, key,
			  "\"map\": the local name comes first, and \"%s\" behind it",
			  text_show(key->text));
}

/* Puts a name among those of a side; false where it is there already. */
static bool names_are_new(struct map *names, const char *name)
{
	return map_put(names, name, strlen(name), 0);
}

/* What a pair calls its mailbox on the server. */
static const char *names_remote(const struct name_pair *pair)
{
	return pair->use != 0 ? special_use_word(pair->use) : pair->remote;
}

/* Reads all pairs of node; locals are their local names. */
static int names_read_all(const struct schema_source *source, const struct yaml_node *node,
			  struct name_pair *out, struct map *locals)
{
	for (const struct yaml_node *at = node->children; at != NULL; at = at->next, out++) {
		if (names_read_local(source, at->key, out) < 0 ||
		    names_read_remote(source, at, out) < 0)
			return -1;
		if (!names_are_new(locals, out->local))
			return yaml_error(source->err, source->file, at->key,
					  "\"map\": \"%s\" stands here twice",
					  text_show(out->local));
	}
	return 0;
}

/* Copies the inherited pairs that node's leave; their number. */
static size_t names_inherit(const struct name_map *inherited, const struct map *locals,
			    struct name_pair *out, struct map *remotes)
{
	size_t len = 0;
	size_t unused;

	for (size_t i = 0; i < inherited->len; i++) {
		const struct name_pair *pair = &inherited->pairs[i];

		if (map_get(locals, pair->local, strlen(pair->local), &unused))
			continue;
		names_are_new(remotes, names_remote(pair));
		out[len++] = *pair;
	}
	return len;
}

/* Two local names for one mailbox of the server, be one inherited, cannot both be even with it. */
static int names_check_remotes(const struct schema_source *source, const struct yaml_node *node,
			       const struct name_pair *pairs, struct map *remotes)
{
	for (const struct yaml_node *at = node->children; at != NULL; at = at->next, pairs++)
		if (!names_are_new(remotes, names_remote(pairs)))
			return yaml_error(source->err, source->file, at,
					  "\"map\": \"%s\" has two local names",
					  text_show(names_remote(pairs)));
	return 0;
}

/* Those of node come first. */
int names_store(const struct schema_source *source, const struct yaml_node *node,
		struct name_map *map)
{
	struct map locals = {0}, remotes = {0};
	struct name_pair *pairs;
	size_t len = 0;
	int rc = -1;

	if (node->kind != YAML_KIND_MAP)
		return yaml_error(source->err, source->file, node,
				  "\"map\" must be local names, each with that on the server");
	for (const struct yaml_node *at = node->children; at != NULL; at = at->next)
		len++;
	if (len == 0)
		return yaml_error(source->err, source->file, node, "\"map\" must not be empty");
	pairs = arena_alloc(source->arena, (len + map->len) * sizeof(*pairs));
	if (names_read_all(source, node, pairs, &locals) < 0)
		goto out;
	len += names_inherit(map, &locals, pairs + len, &remotes);
	if (names_check_remotes(source, node, pairs, &remotes) < 0)
		goto out;
	*map = (struct name_map){pairs, len};
	rc = 0;
out:
	map_free(&locals);
	map_free(&remotes);
	return rc;
}
