// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/value.h"

#include "base/text.h"
#include "config/names.h"

#include <arpa/inet.h>
#include <assert.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* A choice is stored through an unsigned, whatever enum it is. */
static_assert(sizeof(enum config_tls) == sizeof(unsigned), "enum config_tls");
static_assert(sizeof(enum config_layout) == sizeof(unsigned), "enum config_layout");
static_assert(sizeof(enum policy_deletion) == sizeof(unsigned), "enum policy_deletion");

/* One value on its way, so that its parts need not be handed round singly. */
struct value {
	const struct schema_source *source;
	const struct schema_row *row;
	const struct yaml_node *node;
	void *out;
};

/* Says what the value must be and, unless it is a secret, what it is. */
static int value_refuse(const struct value *value, const struct yaml_node *at, const char *allowed)
{
	static const char *const kinds[] = {
	    [YAML_KIND_LIST] = "a list", [YAML_KIND_MAP] = "keys and values"};
	const char *path = value->row->path;
	const char *file = value->source->file;
	struct error *err = value->source->err;

	if (at->kind != YAML_KIND_TEXT)
		return yaml_error(err, file, at, "\"%s\" must be %s, not %s", path, allowed,
				  kinds[at->kind]);
	if (at->text[0] == '\0')
		return yaml_error(err, file, at, "\"%s\" must be %s, not empty", path, allowed);
	if (value->row->type == SCHEMA_SECRET)
		return yaml_error(err, file, at, "\"%s\" must be %s", path, allowed);
	return yaml_error(err, file, at, "\"%s\" must be %s, not \"%s\"", path, allowed,
			  text_show(at->text));
}

/* True for a text that has something in it. */
static bool value_is_text(const struct yaml_node *node)
{
	return node->kind == YAML_KIND_TEXT && node->text[0] != '\0';
}

/* True for a text of one line, without controls that could act on a protocol or a terminal. */
static bool value_is_line(const struct yaml_node *node)
{
	if (!value_is_text(node))
		return false;
	for (const char *c = node->text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == '\x7f')
			return false;
	return true;
}

/* Copies a text; the tree is wiped when the file has been read. */
static const char *value_copy(const struct value *value, const char *text)
{
	return arena_strdup(value->source->arena, text);
}

/* Stores one line of text. */
static int value_store_text(const struct value *value)
{
	if (!value_is_line(value->node))
		return value_refuse(value, value->node, "one line of text");
	*(const char **)value->out = value_copy(value, value->node->text);
	return 0;
}

/* Stores a literal secret, which makes the whole file one. */
static int value_store_secret(const struct value *value)
{
	struct config_secret *secret;

	if ((value->source->mode & 077) != 0)
		return yaml_error(value->source->err, value->source->file, value->node,
				  "the file holds a password and is open to others: chmod 600 it");
	if (value_store_text(value) < 0)
		return -1;
	secret = arena_alloc(value->source->arena, sizeof(*secret));
	secret->text = *(char **)value->out;
	secret->next = *value->source->secrets;
	*value->source->secrets = secret;
	return 0;
}

/* Stores a shell command. */
static int value_store_command(const struct value *value)
{
	if (!value_is_text(value->node) ||
	    strspn(value->node->text, " \t\n") == strlen(value->node->text))
		return value_refuse(value, value->node, "a shell command");
	*(const char **)value->out = value_copy(value, value->node->text);
	return 0;
}

/* True for an IPv4 address, which fills *address, in host order. */
static bool value_is_ipv4(const char *text, uint32_t *address)
{
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) != 1)
		return false;
	*address = ntohl(in.s_addr);
	return true;
}

/* Only what cannot be made to mean another machine by a name server. */
bool value_is_loopback(const char *host)
{
	struct in6_addr in6;
	uint32_t address;

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (value_is_ipv4(host, &address))
		return address >> 24 == 127;
	return inet_pton(AF_INET6, host, &in6) == 1 && IN6_IS_ADDR_LOOPBACK(&in6);
}

/* True for what can be a host name, of this or any alphabet. */
static bool value_is_host_name(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	size_t len = strlen(text);

	if (len == 0 || len > 253 || text[0] == '.' || text[0] == '-')
		return false;
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x80 && strchr(allowed, *c) == NULL)
			return false;
	return true;
}

/* Stores a host; with a port or scheme it is refused, since it would be tried as a name. */
static int value_store_host(const struct value *value)
{
	const char *text = value->node->text;
	struct in6_addr in6;

	if (!value_is_line(value->node) ||
	    (!value_is_host_name(text) && inet_pton(AF_INET6, text, &in6) != 1))
		return value_refuse(value, value->node,
				    "a host name or address, without port or brackets");
	*(const char **)value->out = value_copy(value, text);
	return 0;
}

/* The home directory, as the environment or else the user database has it; NULL if neither has. */
static const char *value_home(void)
{
	const char *home = getenv("HOME");
	const struct passwd *user;

	if (home != NULL && home[0] == '/')
		return home;
	user = getpwuid(getuid());
	return user != NULL && user->pw_dir[0] == '/' ? user->pw_dir : NULL;
}

/* Leaves what begins neither with / nor with ~ or ~/ to the caller to refuse. */
const char *value_expand_path(struct arena *arena, const char *path)
{
	const char *home;

	if (path[0] == '/')
		return arena_strdup(arena, path);
	if (path[0] != '~' || (path[1] != '\0' && path[1] != '/'))
		return NULL;
	home = value_home();
	return home == NULL ? NULL : arena_printf(arena, "%s%s", home, path + 1);
}

/* Stores an absolute path. A variable would become the name of a directory: better to say so. */
static int value_store_path(const struct value *value)
{
	const char *path = NULL;

	if (value_is_line(value->node) && strstr(value->node->text, "$HOME") == NULL &&
	    strstr(value->node->text, "${") == NULL)
		path = value_expand_path(value->source->arena, value->node->text);
	if (path == NULL)
		return value_refuse(value, value->node,
				    "an absolute path or one from ~/, without variables");
	*(const char **)value->out = path;
	return 0;
}

/*
 * Stores the path of a tree in its one spelling, for two channels that share a tree are told by
 * comparing it.
 */
static int value_store_tree(const struct value *value)
{
	const char *path = NULL;
	const char *from;
	char *to, *out;

	if (value_store_path(value) < 0)
		return -1;
	path = *(const char **)value->out;
	to = out = arena_alloc(value->source->arena, strlen(path) + 2);
	for (from = path; *from != '\0';) {
		size_t len;

		from += strspn(from, "/");
		len = strcspn(from, "/");
		if (len == 2 && memcmp(from, "..", 2) == 0)
			return value_refuse(value, value->node, "a path without \"..\"");
		if (len > 0 && !(len == 1 && from[0] == '.')) {
			*to++ = '/';
			memcpy(to, from, len);
			to += len;
		}
		from += len;
	}
	if (to == out)
		return value_refuse(value, value->node, "a directory below \"/\"");
	*(const char **)value->out = out;
	return 0;
}

/* True for one or more of sha256//BASE64, joined by semicolons: 32 bytes make 44 letters. */
static bool value_is_hashes(const char *text)
{
	static const char base64[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (;; text++) {
		if (strncmp(text, "sha256//", 8) != 0 || strspn(text + 8, base64) != 43 ||
		    text[8 + 43] != '=')
			return false;
		text += 8 + 44;
		if (*text != ';')
			return *text == '\0';
	}
}

/* Stores a pin: hashes, or the path of a file with the key. */
static int value_store_pin(const struct value *value)
{
	const char *pin = NULL;

	if (value_is_line(value->node))
		pin = value_is_hashes(value->node->text)
			  ? value_copy(value, value->node->text)
			  : value_expand_path(value->source->arena, value->node->text);
	if (pin == NULL)
		return value_refuse(value, value->node,
				    "sha256//HASH (44 letters of base64) or the path of a key");
	*(const char **)value->out = pin;
	return 0;
}

/* Reads a decimal number of at most max; nothing but digits counts. */
static bool value_is_number(const char *text, size_t len, unsigned max, unsigned *number)
{
	*number = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*number = *number * 10 + (unsigned)(text[i] - '0');
		if (*number > max)
			return false;
	}
	return len > 0;
}

/* Reads a number between the bounds. */
static int value_read_number(const struct value *value, unsigned min, unsigned max,
			     unsigned *number)
{
	const struct yaml_node *node = value->node;

	if (!value_is_text(node) || !value_is_number(node->text, strlen(node->text), max, number) ||
	    *number < min)
		return value_refuse(
		    value, node,
		    arena_printf(value->source->arena, "a number from %u to %u", min, max));
	return 0;
}

/* Stores a port. */
static int value_store_port(const struct value *value)
{
	unsigned number;

	if (value_read_number(value, 1, 65535, &number) < 0)
		return -1;
	*(uint16_t *)value->out = (uint16_t)number;
	return 0;
}

/* Stores a number within the row's bounds. */
static int value_store_number(const struct value *value)
{
	const struct schema_row *row = value->row;
	unsigned number;

	if (value_read_number(value, row->min, row->max, &number) < 0)
		return -1;
	*(unsigned *)value->out = number;
	return 0;
}

/* 1 for yes, 0 for no, -1 for neither. */
static int value_is_yes(const struct yaml_node *node)
{
	if (node->kind != YAML_KIND_TEXT)
		return -1;
	if (strcasecmp(node->text, "yes") == 0 || strcasecmp(node->text, "true") == 0)
		return 1;
	if (strcasecmp(node->text, "no") == 0 || strcasecmp(node->text, "false") == 0)
		return 0;
	return -1;
}

/* Stores yes or no. */
static int value_store_switch(const struct value *value)
{
	int yes = value_is_yes(value->node);

	if (yes < 0)
		return value_refuse(value, value->node, "yes or no");
	*(bool *)value->out = yes == 1;
	return 0;
}

/* Stores a percentage; no and never mean a share that nothing exceeds. */
static int value_store_percent(const struct value *value)
{
	const struct yaml_node *node = value->node;
	size_t len = node->kind == YAML_KIND_TEXT ? strlen(node->text) : 0;
	unsigned percent = 101;

	if (value_is_yes(node) != 0 && (len == 0 || strcasecmp(node->text, "never") != 0) &&
	    (len == 0 || node->text[len - 1] != '%' ||
	     !value_is_number(node->text, len - 1, 100, &percent)))
		return value_refuse(value, node, "a percentage from 0% to 100%, or no");
	*(unsigned *)value->out = percent;
	return 0;
}

/* "a, b or c" */
static const char *value_join_words(const struct value *value, const char *last)
{
	const char *const *words = value->row->words;
	const char *text = words[0];

	for (size_t i = 1; words[i] != NULL; i++)
		text = arena_printf(value->source->arena, "%s%s%s", text,
				    words[i + 1] != NULL ? ", " : last, words[i]);
	return text;
}

/* The index of node among the row's words, or -1. */
static int value_find_word(const struct value *value, const struct yaml_node *node)
{
	for (int i = 0; node->kind == YAML_KIND_TEXT && value->row->words[i] != NULL; i++)
		if (strcmp(value->row->words[i], node->text) == 0)
			return i;
	return -1;
}

/* Stores one of the row's words, as its index or as itself. */
static int value_store_choice(const struct value *value)
{
	int word = value_find_word(value, value->node);

	if (word < 0)
		return value_refuse(value, value->node, value_join_words(value, " or "));
	if (value->row->type == SCHEMA_WORD)
		*(const char **)value->out = value->row->words[word];
	else
		*(unsigned *)value->out = (unsigned)word;
	return 0;
}

/* Says that a list has no members. */
static int value_refuse_empty(const struct value *value)
{
	return yaml_error(value->source->err, value->source->file, value->node,
			  "\"%s\" must not be empty", value->row->path);
}

/* Stores a list of words as bits. */
static int value_store_set(const struct value *value)
{
	const char *allowed =
	    arena_printf(value->source->arena, "a list of %s", value_join_words(value, " and "));
	unsigned bits = 0;

	if (value->node->kind != YAML_KIND_LIST)
		return value_refuse(value, value->node, allowed);
	for (const struct yaml_node *node = value->node->children; node != NULL;
	     node = node->next) {
		int word = value_find_word(value, node);

		if (word < 0)
			return value_refuse(value, node, allowed);
		bits |= 1u << word;
	}
	if (bits == 0 && !value->row->empty)
		return value_refuse_empty(value);
	*(unsigned *)value->out = bits;
	return 0;
}

/* Stores mailbox patterns. */
static int value_store_patterns(const struct value *value, size_t *out_len)
{
	static const char allowed[] = "a list of mailbox names, * and % for any part of one, "
				      "! before what is left out";
	const struct yaml_node *node;
	const char **patterns;
	size_t len = 0;

	for (node = value->node->children; node != NULL; node = node->next)
		len++;
	if (value->node->kind != YAML_KIND_LIST)
		return value_refuse(value, value->node, allowed);
	if (len == 0)
		return value_refuse_empty(value);
	patterns = arena_alloc(value->source->arena, len * sizeof(*patterns));
	len = 0;
	for (node = value->node->children; node != NULL; node = node->next) {
		if (!value_is_line(node) || strcmp(node->text, "!") == 0)
			return value_refuse(value, node, allowed);
		patterns[len++] = value_copy(value, node->text);
	}
	*(const char ***)value->out = patterns;
	*out_len = len;
	return 0;
}

/* Leads to the function of the row's type. */
int value_store(const struct schema_source *source, const struct schema_row *row,
		const struct yaml_node *node, struct config_channel *channel)
{
	char *base = (char *)channel;
	struct value value = {source, row, node, base + row->offset};

	switch (row->type) {
	case SCHEMA_TEXT: return value_store_text(&value);
	case SCHEMA_SECRET: return value_store_secret(&value);
	case SCHEMA_COMMAND: return value_store_command(&value);
	case SCHEMA_HOST: return value_store_host(&value);
	case SCHEMA_PATH: return value_store_path(&value);
	case SCHEMA_TREE: return value_store_tree(&value);
	case SCHEMA_PIN: return value_store_pin(&value);
	case SCHEMA_PORT: return value_store_port(&value);
	case SCHEMA_NUMBER: return value_store_number(&value);
	case SCHEMA_PERCENT: return value_store_percent(&value);
	case SCHEMA_SWITCH: return value_store_switch(&value);
	case SCHEMA_CHOICE:
	case SCHEMA_WORD: return value_store_choice(&value);
	case SCHEMA_SET: return value_store_set(&value);
	case SCHEMA_PATTERNS:
		return value_store_patterns(&value, (size_t *)(base + row->len_offset));
	case SCHEMA_NAMES: return names_store(source, node, value.out);
	}
	assert(!"a type that no row has");
	return -1;
}
