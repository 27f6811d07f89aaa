// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/schema.h"

#include "base/text.h"
#include "config/config.h"
#include "config/value.h"

#include <assert.h>
#include <string.h>

/* Where a value lives. */
#define AT(member) .offset = offsetof(struct config_channel, member)

/*
 * The order of enum config_tls, config_layout, policy_deletion, config_compress; of the bits of the
 * other two.
 */
static const char *const schema_tls[] = {"implicit", "starttls", "none", NULL};
static const char *const schema_layout[] = {"tree", "maildir++", NULL};
static const char *const schema_deletion[] = {"expunge", "trash", "keep", NULL};
static const char *const schema_compress[] = {"no", "yes", "auto", NULL};
static const char *const schema_auth[] = {"plain", "login", "xoauth2", "oauthbearer", NULL};
static const char *const schema_change[] = {"new", "flags", "deletions", "mailboxes", NULL};
static const char *const schema_min_tls[] = {"1.2", "1.3", NULL};

#define CHANGE_EVERYTHING "[new, flags, deletions, mailboxes]"

/* clang-format off */
static const struct schema_row schema_table[] = {
	{.path = "remote.host", .type = SCHEMA_HOST, AT(remote.host),
	 .group = SCHEMA_REACH,
	 .help = "the server's name or address"},
	{.path = "remote.tunnel", .type = SCHEMA_COMMAND, AT(remote.tunnel),
	 .group = SCHEMA_REACH,
	 .help = "a command that speaks IMAP on its standard input and output, instead of host"},
	{.path = "remote.port", .type = SCHEMA_PORT, AT(remote.port),
	 .need = SCHEMA_NEEDS_HOST,
	 .help = "the server's port"},
	{.path = "remote.tls", .type = SCHEMA_CHOICE, AT(remote.tls), .words = schema_tls,
	 .need = SCHEMA_NEEDS_HOST, .fallback = "implicit",
	 .help = "how the line is encrypted"},
	{.path = "remote.insecure", .type = SCHEMA_SWITCH, AT(remote.insecure),
	 .need = SCHEMA_NEEDS_HOST, .fallback = "no",
	 .help = "whether tls: none may leave this machine"},
	{.path = "remote.ca-file", .type = SCHEMA_PATH, AT(remote.ca_file),
	 .need = SCHEMA_NEEDS_TLS,
	 .help = "certificates of the authorities to trust, instead of the system's"},
	{.path = "remote.pinned-key", .type = SCHEMA_PIN, AT(remote.pinned_key),
	 .need = SCHEMA_NEEDS_TLS,
	 .help = "the public key that the server must have as well"},
	{.path = "remote.client-cert", .type = SCHEMA_PATH, AT(remote.client_cert),
	 .need = SCHEMA_NEEDS_TLS,
	 .help = "a certificate to show to the server"},
	{.path = "remote.client-key", .type = SCHEMA_PATH, AT(remote.client_key),
	 .need = SCHEMA_NEEDS_TLS,
	 .help = "the private key of client-cert"},
	{.path = "remote.min-tls", .type = SCHEMA_WORD, AT(remote.min_tls),
	 .words = schema_min_tls, .need = SCHEMA_NEEDS_TLS, .fallback = "1.2",
	 .help = "the oldest version of TLS to accept"},
	{.path = "remote.user", .type = SCHEMA_TEXT, AT(remote.user),
	 .help = "the login name"},
	{.path = "remote.password", .type = SCHEMA_SECRET, AT(remote.password),
	 .group = SCHEMA_LOGIN,
	 .help = "the password itself"},
	{.path = "remote.password-file", .type = SCHEMA_PATH, AT(remote.password_file),
	 .group = SCHEMA_LOGIN,
	 .help = "a file whose first line is the password"},
	{.path = "remote.password-command", .type = SCHEMA_COMMAND,
	 AT(remote.password_command), .group = SCHEMA_LOGIN,
	 .help = "a command that prints the password"},
	{.path = "remote.token-command", .type = SCHEMA_COMMAND, AT(remote.token_command),
	 .group = SCHEMA_LOGIN,
	 .help = "a command that prints an OAuth2 access token"},
	{.path = "remote.auth", .type = SCHEMA_SET, AT(remote.auth), .words = schema_auth,
	 .help = "the SASL mechanisms that may be used"},
	{.path = "remote.timeout", .type = SCHEMA_NUMBER, AT(remote.timeout), .min = 1,
	 .max = 3600, .fallback = "60",
	 .help = "seconds to wait for a silent server"},
	{.path = "local.path", .type = SCHEMA_TREE, AT(local_path),
	 .help = "the directory that holds the Maildir tree"},
	{.path = "local.layout", .type = SCHEMA_CHOICE, AT(layout), .words = schema_layout,
	 .fallback = "tree",
	 .help = "how mailboxes become directories"},
	{.path = "mailboxes", .type = SCHEMA_PATTERNS, AT(mailboxes),
	 .len_offset = offsetof(struct config_channel, mailboxes_len), .fallback = "['*']",
	 .help = "which mailboxes are kept even"},
	{.path = "map", .type = SCHEMA_NAMES, AT(map),
	 .help = "local names of mailboxes"},
	{.path = "pull", .type = SCHEMA_SET, AT(policy.change[LOCAL]),
	 .words = schema_change, .empty = true, .fallback = CHANGE_EVERYTHING,
	 .help = "what may change locally"},
	{.path = "push", .type = SCHEMA_SET, AT(policy.change[REMOTE]),
	 .words = schema_change, .empty = true, .fallback = CHANGE_EVERYTHING,
	 .help = "what may change on the server"},
	{.path = "deletions.remote", .type = SCHEMA_CHOICE, AT(policy.deletion[REMOTE]),
	 .words = schema_deletion, .fallback = "expunge",
	 .help = "what becomes of a message on the server that was deleted locally"},
	{.path = "deletions.local", .type = SCHEMA_CHOICE, AT(policy.deletion[LOCAL]),
	 .words = schema_deletion, .fallback = "expunge",
	 .help = "what becomes of a local message that was deleted on the server"},
	{.path = "safety.deletions", .type = SCHEMA_PERCENT, AT(policy.safety_percent),
	 .fallback = "50%",
	 .help = "the share of a mailbox above which deletions are refused"},
	{.path = "subscriptions", .type = SCHEMA_SWITCH, AT(policy.subscriptions),
	 .fallback = "no",
	 .help = "whether mailboxes made on the server are subscribed"},
	{.path = "link", .type = SCHEMA_SWITCH, AT(policy.link), .fallback = "yes",
	 .help = "whether a message in several mailboxes is downloaded once"},
	{.path = "hooks.after", .type = SCHEMA_COMMAND, AT(hook_after),
	 .help = "a command to run when something changed locally"},
	{.path = "connections", .type = SCHEMA_NUMBER, AT(connections), .min = 1,
	 .max = 16, .fallback = "3",
	 .help = "how many connections work at once"},
	{.path = "compress", .type = SCHEMA_CHOICE, AT(compress), .words = schema_compress,
	 .fallback = "auto",
	 .help = "whether the line is compressed"},
	{.path = "keywords", .status = SCHEMA_LATER,
	 .help = "how keywords are kept"},
	{.path = "watch", .status = SCHEMA_LATER,
	 .help = "how changes are waited for"},
};
/* clang-format on */

#define SCHEMA_ROWS (sizeof(schema_table) / sizeof(schema_table[0]))

static_assert(SCHEMA_ROWS <= SCHEMA_ROWS_MAX, "SCHEMA_ROWS_MAX is too small");

/* Gives the whole table. */
const struct schema_row *schema_rows(size_t *len)
{
	*len = SCHEMA_ROWS;
	return schema_table;
}

/* The index of path, or SCHEMA_ROWS. */
static size_t schema_find(const char *path)
{
	size_t i = 0;

	while (i < SCHEMA_ROWS && strcmp(schema_table[i].path, path) != 0)
		i++;
	return i;
}

/* Asks for a path that is known to be there. */
size_t schema_index(const char *path)
{
	size_t i = schema_find(path);

	assert(i < SCHEMA_ROWS);
	return i;
}

/* A channel's own value goes before one of defaults. */
const struct yaml_node *schema_node(const struct schema_draft *draft, const char *path)
{
	size_t i = schema_index(path);

	return draft->own[i] != NULL ? draft->own[i] : draft->inherited[i];
}

/* What follows prefix in path (no prefix: all of it), or NULL where path lies elsewhere. */
static const char *schema_below(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	if (len == 0)
		return path;
	return strncmp(path, prefix, len) == 0 && path[len] == '.' ? path + len + 1 : NULL;
}

/* True where keys lie below path. */
static bool schema_is_section(const char *path)
{
	for (size_t i = 0; i < SCHEMA_ROWS; i++)
		if (schema_below(schema_table[i].path, path) != NULL)
			return true;
	return false;
}

/* Where a key of this name belongs, or NULL: what is indented wrongly ends up astray. */
static const char *schema_home(struct arena *arena, const char *key)
{
	if (key[0] == '\0' || strchr(key, '.') != NULL)
		return NULL;
	if (schema_find(key) < SCHEMA_ROWS || schema_is_section(key))
		return "a channel";
	for (size_t i = 0; i < SCHEMA_ROWS; i++) {
		const char *path = schema_table[i].path;
		const char *dot = strrchr(path, '.');

		if (dot != NULL && strcmp(dot + 1, key) == 0)
			return arena_printf(arena, "\"%.*s\"", (int)(dot - path), path);
	}
	return NULL;
}

/* True for a key that may stand in a channel one day. */
static bool schema_is_later(const char *key)
{
	size_t row = schema_find(key);

	return row < SCHEMA_ROWS && schema_table[row].status == SCHEMA_LATER;
}

/* The keys in one line, each once, those for later left out. */
static const char *schema_join(struct arena *arena, const char *const *known)
{
	const char *joined = "";

	for (size_t i = 0; known[i] != NULL; i++) {
		bool told = schema_is_later(known[i]);

		for (size_t k = 0; k < i && !told; k++)
			told = strcmp(known[k], known[i]) == 0;
		if (!told)
			joined = arena_printf(arena, "%s%s%s", joined,
					      joined[0] != '\0' ? ", " : "", known[i]);
	}
	return joined;
}

/* What might help whoever wrote the key, in parentheses. */
static const char *schema_hint(struct arena *arena, const char *key, const char *const *known)
{
	const char *near = text_nearest(key, known);
	const char *home = schema_home(arena, key);

	if (near != NULL)
		return arena_printf(arena, " (did you mean \"%s\"?)", near);
	if (home != NULL)
		return arena_printf(arena, " here (it belongs below %s)", home);
	return arena_printf(arena, " (here may stand: %s)", schema_join(arena, known));
}

/* Shows no more than the first word: what follows where a blank was forgotten may be a password. */
int schema_refuse_key(const struct schema_source *source, const struct yaml_node *node,
		      const char *const *known)
{
	const char *key = node->key->text;
	size_t len = strcspn(key, ":= \t");
	const char *word = arena_strndup(source->arena, key, len);
	const char *hint;

	if (key[len] == ':')
		hint = " (a colon needs a blank behind it)";
	else if (key[len] != '\0')
		hint = " (a key is one word, then a colon)";
	else
		hint = schema_hint(source->arena, word, known);
	return yaml_error(source->err, source->file, node->key, "unknown key \"%s\"%s",
			  text_show(word), hint);
}

/* Refuses a key with the names that may stand below prefix as candidates. */
static int schema_refuse_below(const struct schema_source *source, const struct yaml_node *node,
			       const char *prefix)
{
	const char *known[SCHEMA_ROWS + 1];
	size_t len = 0;

	for (size_t i = 0; i < SCHEMA_ROWS; i++) {
		const char *rest = schema_below(schema_table[i].path, prefix);

		if (rest != NULL)
			known[len++] = arena_strndup(source->arena, rest, strcspn(rest, "."));
	}
	known[len] = NULL;
	return schema_refuse_key(source, node, known);
}

/* Refuses two keys of a group in one place; takes away what the group had from defaults. */
static int schema_take_group(const struct schema_source *source, size_t row,
			     const struct yaml_node *node, struct schema_draft *draft,
			     const struct yaml_node **given)
{
	enum schema_group group = schema_table[row].group;

	for (size_t i = 0; group != SCHEMA_ALONE && i < SCHEMA_ROWS; i++) {
		if (schema_table[i].group != group || i == row)
			continue;
		if (given[i] != NULL)
			return yaml_error(source->err, source->file, node->key,
					  "\"%s\" and \"%s\" exclude each other",
					  schema_table[row].path, schema_table[i].path);
		draft->inherited[i] = NULL;
		*(const char **)((char *)draft->channel + schema_table[i].offset) = NULL;
	}
	return 0;
}

/* Checks and stores one value. */
static int schema_apply_row(const struct schema_source *source, size_t row,
			    const struct yaml_node *node, bool inherited,
			    struct schema_draft *draft)
{
	const struct yaml_node **given = inherited ? draft->inherited : draft->own;
	const struct schema_row *known = &schema_table[row];

	if (known->status == SCHEMA_LATER)
		return yaml_error(source->err, source->file, node->key,
				  "\"%s\" (%s) is not supported yet", known->path, known->help);
	if (schema_take_group(source, row, node, draft, given) < 0)
		return -1;
	given[row] = node;
	return value_store(source, known, node, draft->channel);
}

/* Goes through the keys below prefix; sections are as deep as the table's paths. */
static int schema_apply_below(const struct schema_source *source, const char *prefix,
			      const struct yaml_node *map, bool inherited,
			      struct schema_draft *draft)
{
	if (map->kind != YAML_KIND_MAP)
		return yaml_error(source->err, source->file, map, "\"%s\" needs keys below it",
				  prefix[0] != '\0' ? prefix : text_show(map->key->text));
	for (const struct yaml_node *node = map->children; node != NULL; node = node->next) {
		const char *path = arena_printf(source->arena, "%s%s%s", prefix,
						prefix[0] != '\0' ? "." : "", node->key->text);
		size_t row = schema_find(path);
		int rc;

		if (strchr(node->key->text, '.') != NULL)
			rc = schema_refuse_below(source, node, prefix);
		else if (row < SCHEMA_ROWS)
			rc = schema_apply_row(source, row, node, inherited, draft);
		else if (schema_is_section(path))
			rc = schema_apply_below(source, path, node, inherited, draft);
		else
			rc = schema_refuse_below(source, node, prefix);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* Reads a channel, or the defaults of all. */
int schema_apply(const struct schema_source *source, const struct yaml_node *map, bool inherited,
		 struct schema_draft *draft)
{
	return schema_apply_below(source, "", map, inherited, draft);
}

/* Reads the table's own values by the same code as the user's, so that they cannot disagree. */
int schema_apply_fallbacks(const struct schema_source *source, struct schema_draft *draft)
{
	for (size_t i = 0; i < SCHEMA_ROWS; i++) {
		const struct schema_row *row = &schema_table[i];
		struct yaml_node *node;

		if (row->fallback == NULL)
			continue;
		if (yaml_read(row->path, row->fallback, strlen(row->fallback), source->arena, &node,
			      source->err) < 0 ||
		    value_store(source, row, node, draft->channel) < 0)
			return -1;
	}
	draft->channel->policy.safety_count = POLICY_SAFETY_COUNT;
	return 0;
}
