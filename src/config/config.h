// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The configuration file, read and checked as a whole: evenmail.yaml(5).
 *
 * libyaml's events become nodes with their positions (yaml.h); a table (schema.c) says which keys
 * there are, of which type, with which default; every error names file:line:column, what is wrong
 * and, for an unknown key, the nearest valid one. A key that a later version will honour is an
 * error that says "not supported yet", never ignored.
 *
 * Nothing here is a secret but password: the file must not be readable by others where it holds
 * one, no message shows it, and what held it in memory is overwritten. Nobody but its owner and
 * root may write the file, for it names commands that are run.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/arena.h"
#include "base/error.h"
#include "mail/name-map.h"
#include "mail/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_tls {
	CONFIG_TLS_IMPLICIT,
	CONFIG_TLS_STARTTLS,
	CONFIG_TLS_NONE,
};

enum config_auth {
	CONFIG_AUTH_PLAIN = 1,
	CONFIG_AUTH_LOGIN = 2,
	CONFIG_AUTH_XOAUTH2 = 4,
	CONFIG_AUTH_OAUTHBEARER = 8,
};

enum config_layout {
	CONFIG_LAYOUT_TREE,
	CONFIG_LAYOUT_MAILDIRPP,
};

enum config_compress {
	CONFIG_COMPRESS_NO,
	CONFIG_COMPRESS_YES,
	CONFIG_COMPRESS_AUTO,
};

struct config_remote {
	const char *host; /* NULL with tunnel; port is then 0, tls CONFIG_TLS_NONE */
	uint16_t port;
	enum config_tls tls;
	bool insecure; /* tls: none may leave this machine; verification is never off */
	const char *ca_file;
	const char *pinned_key;
	const char *client_cert;
	const char *client_key;
	const char *min_tls;  /* "1.2" or "1.3" */
	const char *user;     /* may be NULL with tunnel only */
	const char *password; /* one of the four; with tunnel also none */
	const char *password_file;
	const char *password_command;
	const char *token_command;
	unsigned auth; /* of enum config_auth, only such as the secret serves; 0: not said */
	const char *tunnel;
	unsigned timeout; /* seconds */
};

struct config_channel {
	const char *name;
	struct config_remote remote;
	const char *local_path; /* absolute, without ~, "..", doubled or closing "/" */
	enum config_layout layout;
	const char **mailboxes; /* patterns as written */
	size_t mailboxes_len;
	struct name_map map; /* as written: remote is NULL where use says it */
	struct policy policy;
	unsigned connections;
	enum config_compress compress;
	const char *hook_after; /* shell command, or NULL */
	unsigned line;          /* where the channel begins, for messages */
};

struct config_secret;

struct config {
	struct arena arena;
	struct config_secret *secrets; /* every literal password, for config_free() */
	const char *path;
	struct config_channel *channels; /* in the order of the file */
	size_t len;
};

#define CONFIG_SIZE_MAX     (1024 * 1024) /* bytes of the file */
#define CONFIG_CHANNELS_MAX 256
#define CONFIG_NAME_MAX     64 /* bytes of a channel's name */

/*
 * Reads path (NULL: $XDG_CONFIG_HOME/evenmail/config.yaml, or ~/.config/...). -1: ERROR_CONFIG,
 * SCOPE_FATAL, also where the file is missing or writable by others.
 */
int config_load(const char *path, struct config **config, struct error *err);
/* Wipes secrets and frees. */
void config_free(struct config **config);
/* The channel of that name, or NULL. */
const struct config_channel *config_find(const struct config *config, const char *name);

#endif
