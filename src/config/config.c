// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/config.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"
#include "config/check.h"
#include "config/schema.h"
#include "config/value.h"
#include "config/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the file is if nobody says; NULL where there is no home either. */
static const char *config_default_path(struct arena *arena)
{
	const char *base = getenv("XDG_CONFIG_HOME");

	if (base != NULL && base[0] == '/') /* a relative one is to be ignored, says XDG */
		return arena_printf(arena, "%s/evenmail/config.yaml", base);
	return value_expand_path(arena, "~/.config/evenmail/config.yaml");
}

/* Refuses a file that another user could have written: it names commands that are run. */
static int config_check_file(const char *path, const struct stat *st, struct error *err)
{
	const char *why = NULL;

	if (!S_ISREG(st->st_mode))
		why = "not a regular file";
	else if (st->st_uid != geteuid() && st->st_uid != 0)
		why = "belongs to another user";
	else if ((st->st_mode & 022) != 0)
		why = "others may write to it: chmod go-w it";
	if (why == NULL)
		return 0;
	return error_set(err, ERROR_CONFIG, SCOPE_FATAL, "%s: %s", text_show(path), why);
}

/* Says why the file cannot be opened; where there is none, what to do. */
static int config_refuse_file(const char *path, struct error *err)
{
	if (errno == ENOENT)
		return error_set(
		    err, ERROR_CONFIG, SCOPE_FATAL,
		    "there is no configuration %s: evenmail.yaml(5) shows how to write "
		    "one",
		    text_show(path));
	return error_set(err, ERROR_CONFIG, SCOPE_FATAL, "cannot read the configuration %s: %m",
			 text_show(path));
}

/* Reads the file; not through O_NOFOLLOW, for many keep a symlink there, and who owns it counts. */
static int config_read_file(const char *path, struct buf *text, mode_t *mode, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	int rc = -1;

	if (fd < 0 || fstat(fd, &st) < 0) {
		config_refuse_file(path, err);
		goto out;
	}
	*mode = st.st_mode;
	if (config_check_file(path, &st, err) < 0)
		goto out;
	rc = file_read_all(fd, text, NULL);
	if (rc < 0 && text->full)
		error_set(err, ERROR_CONFIG, SCOPE_FATAL, "%s: larger than %d bytes",
			  text_show(path), CONFIG_SIZE_MAX);
	else if (rc < 0)
		config_refuse_file(path, err);
out:
	file_close(&fd);
	return rc;
}

/* Names become directories and words of the command line. */
static bool config_is_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len <= CONFIG_NAME_MAX && strspn(name, allowed) == len &&
	       name[0] != '.' && name[0] != '-';
}

/* Reads one channel over a copy of what holds for all. */
static int config_read_channel(const struct schema_source *source, const struct yaml_node *node,
			       const struct schema_draft *base, struct schema_draft *draft)
{
	struct config_channel *channel = draft->channel;

	if (!config_is_name(node->key->text))
		return yaml_error(source->err, source->file, node->key,
				  "a channel's name must be 1 to %d of A-Z a-z 0-9 . _ - and begin "
				  "with neither . nor -, not \"%s\"",
				  CONFIG_NAME_MAX, text_show(node->key->text));
	*channel = *base->channel;
	*draft = *base;
	draft->channel = channel;
	channel->name = arena_strdup(source->arena, node->key->text);
	channel->line = node->key->line;
	if (schema_apply(source, node, false, draft) < 0)
		return -1;
	return check_channel(source, node->key, draft);
}

/* Reads all channels. */
static int config_read_channels(const struct schema_source *source, const struct yaml_node *map,
				const struct schema_draft *base, struct config *config)
{
	struct schema_draft *drafts;
	size_t len = 0;

	for (const struct yaml_node *node = map->children; node != NULL; node = node->next)
		len++;
	if (map->kind != YAML_KIND_MAP || len == 0)
		return yaml_error(source->err, source->file, map,
				  "\"channels\" needs a channel's name below it");
	if (len > CONFIG_CHANNELS_MAX)
		return yaml_error(source->err, source->file, map, "more than %d channels",
				  CONFIG_CHANNELS_MAX);
	config->channels = arena_alloc(&config->arena, len * sizeof(*config->channels));
	drafts = arena_alloc(&config->arena, len * sizeof(*drafts));
	for (const struct yaml_node *node = map->children; node != NULL; node = node->next) {
		struct schema_draft *draft = &drafts[config->len];

		draft->channel = &config->channels[config->len++];
		if (config_read_channel(source, node, base, draft) < 0)
			return -1;
	}
	return check_trees(source, drafts, len);
}

/* Finds the two keys that a file has. */
static int config_read_root(const struct schema_source *source, const struct yaml_node *root,
			    const struct yaml_node **defaults, const struct yaml_node **channels)
{
	static const char *const known[] = {"channels", "defaults", NULL};

	if (root->kind != YAML_KIND_MAP)
		return yaml_error(source->err, source->file, root,
				  "a configuration begins with \"channels:\" or \"defaults:\"");
	for (const struct yaml_node *node = root->children; node != NULL; node = node->next) {
		if (strcmp(node->key->text, "defaults") == 0)
			*defaults = node;
		else if (strcmp(node->key->text, "channels") == 0)
			*channels = node;
		else
			return schema_refuse_key(source, node, known);
	}
	return 0;
}

/* Reads the whole tree: the table's values, over them defaults, over them each channel. */
static int config_build(const struct schema_source *source, const struct yaml_node *root,
			struct config *config)
{
	struct config_channel channel = {0};
	struct schema_draft base = {.channel = &channel};
	const struct yaml_node *defaults = NULL;
	const struct yaml_node *channels = NULL;

	if (root != NULL && config_read_root(source, root, &defaults, &channels) < 0)
		return -1;
	if (channels == NULL)
		return error_set(source->err, ERROR_CONFIG, SCOPE_FATAL, "%s: no \"channels\"",
				 text_show(source->file));
	if (schema_apply_fallbacks(source, &base) < 0)
		return -1;
	if (defaults != NULL && schema_apply(source, defaults, true, &base) < 0)
		return -1;
	return config_read_channels(source, channels, &base, config);
}

/* Reads the file and forgets its text. */
static int config_read(struct config *config, struct error *err)
{
	struct schema_source source = {
	    .file = config->path, .arena = &config->arena, .secrets = &config->secrets, .err = err};
	struct arena tree = {0};
	struct yaml_node *root = NULL;
	struct buf text;
	int rc;

	buf_init(&text, CONFIG_SIZE_MAX);
	rc = config_read_file(config->path, &text, &source.mode, err);
	if (rc == 0)
		rc = yaml_read(config->path, text.data, text.len, &tree, &root, err);
	if (rc == 0)
		rc = config_build(&source, root, config);
	yaml_wipe(root);
	arena_free(&tree);
	buf_free_secret(&text);
	return rc;
}

/* Leaves *config NULL on error. */
int config_load(const char *path, struct config **config, struct error *err)
{
	struct config *made = xcalloc(1, sizeof(*made));
	int rc;

	*config = NULL;
	if (path != NULL)
		made->path = arena_strdup(&made->arena, path);
	else
		made->path = config_default_path(&made->arena);
	if (made->path == NULL)
		rc = error_set(err, ERROR_CONFIG, SCOPE_FATAL,
			       "no home directory to find the configuration in: name it with -c");
	else
		rc = config_read(made, err);
	if (rc == 0)
		*config = made;
	else
		config_free(&made);
	return rc;
}

/* Literal passwords are the only secrets that stay after loading. */
void config_free(struct config **config)
{
	if (*config == NULL)
		return;
	for (struct config_secret *secret = (*config)->secrets; secret != NULL;
	     secret = secret->next)
		explicit_bzero(secret->text, strlen(secret->text));
	arena_free(&(*config)->arena);
	free(*config);
	*config = NULL;
}

/* Few enough to look at each. */
const struct config_channel *config_find(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->len; i++)
		if (strcmp(config->channels[i].name, name) == 0)
			return &config->channels[i];
	return NULL;
}
