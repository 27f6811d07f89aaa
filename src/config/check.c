// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/check.h"

#include "base/text.h"
#include "config/config.h"
#include "config/value.h"

#include <string.h>

#define PORT_IMAPS 993
#define PORT_IMAP  143

#define AUTH_TOKEN    (CONFIG_AUTH_XOAUTH2 | CONFIG_AUTH_OAUTHBEARER)
#define AUTH_PASSWORD (CONFIG_AUTH_PLAIN | CONFIG_AUTH_LOGIN)

/* A key that must be there is not: said at the channel's name. */
static int check_refuse_missing(const struct schema_source *source, const struct yaml_node *key,
				const char *path)
{
	size_t len;
	const struct schema_row *row = &schema_rows(&len)[schema_index(path)];

	return yaml_error(source->err, source->file, key, "channel \"%s\" needs \"%s\" (%s)",
			  text_show(key->text), path, row->help);
}

/* Keys that would change nothing are refused in the channel itself; defaults may hold them. */
static int check_needs(const struct schema_source *source, const struct schema_draft *draft)
{
	const struct config_remote *remote = &draft->channel->remote;
	size_t len;
	const struct schema_row *rows = schema_rows(&len);

	for (size_t i = 0; i < len; i++) {
		if (draft->own[i] == NULL || rows[i].need == SCHEMA_NEEDS_NOTHING)
			continue;
		if (remote->tunnel != NULL)
			return yaml_error(source->err, source->file, draft->own[i]->key,
					  "\"%s\" has no meaning with \"remote.tunnel\"",
					  rows[i].path);
		if (rows[i].need == SCHEMA_NEEDS_TLS && remote->tls == CONFIG_TLS_NONE)
			return yaml_error(source->err, source->file, draft->own[i]->key,
					  "\"%s\" has no meaning with tls: none", rows[i].path);
	}
	return 0;
}

/* Nothing goes in the clear to another machine unless the user says that it may. */
static int check_tls(const struct schema_source *source, const struct schema_draft *draft)
{
	const struct config_remote *remote = &draft->channel->remote;
	const struct yaml_node *own = draft->own[schema_index("remote.insecure")];

	if (remote->tls != CONFIG_TLS_NONE && remote->insecure && own != NULL)
		return yaml_error(source->err, source->file, own->key,
				  "\"remote.insecure\" has a meaning with tls: none only "
				  "(certificates are always verified)");
	if (remote->tls == CONFIG_TLS_NONE && !remote->insecure && !value_is_loopback(remote->host))
		return yaml_error(source->err, source->file, schema_node(draft, "remote.tls"),
				  "tls: none would send password and mail in the clear to %s: use "
				  "implicit or starttls, or say insecure: yes",
				  text_show(remote->host));
	if (remote->client_key != NULL && remote->client_cert == NULL)
		return yaml_error(source->err, source->file,
				  schema_node(draft, "remote.client-key")->key,
				  "\"remote.client-key\" needs \"remote.client-cert\"");
	return 0;
}

/* How the server is reached. */
static int check_reach(const struct schema_source *source, const struct yaml_node *key,
		       struct schema_draft *draft)
{
	struct config_remote *remote = &draft->channel->remote;

	if (remote->host == NULL && remote->tunnel == NULL)
		return check_refuse_missing(source, key, "remote.host");
	if (check_needs(source, draft) < 0)
		return -1;
	if (remote->tunnel != NULL) {
		remote->tls = CONFIG_TLS_NONE;
		remote->port = 0;
		return 0;
	}
	if (check_tls(source, draft) < 0)
		return -1;
	if (remote->port == 0)
		remote->port = remote->tls == CONFIG_TLS_IMPLICIT ? PORT_IMAPS : PORT_IMAP;
	return 0;
}

/* True where there is something to log in with. */
static bool check_has_secret(const struct config_remote *remote)
{
	return remote->password != NULL || remote->password_file != NULL ||
	       remote->password_command != NULL || remote->token_command != NULL;
}

/* How the account is entered; a tunnel may be logged in already. */
static int check_login(const struct schema_source *source, const struct yaml_node *key,
		       struct schema_draft *draft)
{
	struct config_remote *remote = &draft->channel->remote;
	bool has_secret = check_has_secret(remote);
	bool has_token = remote->token_command != NULL;

	if (remote->user == NULL && (remote->tunnel == NULL || has_secret))
		return check_refuse_missing(source, key, "remote.user");
	if (!has_secret && remote->tunnel == NULL)
		return yaml_error(source->err, source->file, key,
				  "channel \"%s\" has no password: set \"remote.password-command\" "
				  "(or password-file, password, token-command)",
				  text_show(key->text));
	if (!has_secret || remote->auth == 0)
		return 0;
	remote->auth &= has_token ? AUTH_TOKEN : AUTH_PASSWORD;
	if (remote->auth == 0)
		return yaml_error(source->err, source->file, schema_node(draft, "remote.auth"),
				  "\"remote.auth\" names no mechanism for a %s (%s)",
				  has_token ? "token" : "password",
				  has_token ? "xoauth2, oauthbearer" : "plain, login");
	return 0;
}

/* Goes from the server to the tree. */
int check_channel(const struct schema_source *source, const struct yaml_node *key,
		  struct schema_draft *draft)
{
	if (check_reach(source, key, draft) < 0 || check_login(source, key, draft) < 0)
		return -1;
	if (draft->channel->local_path == NULL)
		return check_refuse_missing(source, key, "local.path");
	return 0;
}

/* True where path lies below tree. */
static bool check_is_below(const char *path, const char *tree)
{
	size_t len = strlen(tree);

	return strncmp(path, tree, len) == 0 && path[len] == '/';
}

/* Refuses a tree that lies within that of another channel, where that one would see it. */
static int check_inside(const struct schema_source *source, const struct schema_draft *inner,
			const struct schema_draft *outer)
{
	const struct config_channel *tree = outer->channel;
	const char *path = inner->channel->local_path;

	if (tree->layout != CONFIG_LAYOUT_TREE || !check_is_below(path, tree->local_path))
		return 0;
	return yaml_error(source->err, source->file, schema_node(inner, "local.path"),
			  "%s lies within the tree of channel \"%s\", %s", text_show(path),
			  tree->name, text_show(tree->local_path));
}

/* Refuses two layouts of one tree. */
static int check_layouts(const struct schema_source *source, const struct schema_draft *draft,
			 const struct schema_draft *earlier)
{
	const struct config_channel *a = earlier->channel;
	const struct config_channel *b = draft->channel;

	if (strcmp(a->local_path, b->local_path) != 0 || a->layout == b->layout)
		return 0;
	return yaml_error(source->err, source->file, schema_node(draft, "local.path"),
			  "channels \"%s\" and \"%s\" share %s and must have the same "
			  "\"local.layout\"",
			  a->name, b->name, text_show(b->local_path));
}

/* Holds each channel against those before it. */
int check_trees(const struct schema_source *source, const struct schema_draft *drafts, size_t len)
{
	for (size_t i = 0; i < len; i++)
		for (size_t j = 0; j < i; j++)
			if (check_layouts(source, &drafts[i], &drafts[j]) < 0 ||
			    check_inside(source, &drafts[i], &drafts[j]) < 0 ||
			    check_inside(source, &drafts[j], &drafts[i]) < 0)
				return -1;
	return 0;
}
