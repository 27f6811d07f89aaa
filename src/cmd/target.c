// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/target.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/text.h"
#include "cmd/command.h"
#include "config/secret.h"
#include "config/value.h"
#include "mail/mailbox-name.h"
#include "mail/special-use.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

/* The target of a channel, made where there is none yet. */
static struct target *target_of(struct target_list *list, const struct config_channel *channel)
{
	for (size_t i = 0; i < list->len; i++)
		if (list->targets[i].channel == channel)
			return &list->targets[i];
	struct target *target = array_push(list->targets, list->len, list->cap);
	*target = (struct target){.channel = channel};
	return target;
}

/* How many commands there are: what a first word may have been meant for. */
static size_t count_commands(void)
{
	size_t count = 0;

	while (commands[count].name)
		count++;
	return count;
}

/* Says that there is no such channel, and which one, or which command, may have been meant. */
static int refuse_name(const struct config *config, const char *name, bool implied,
		       struct error *err)
{
	size_t more = implied ? count_commands() : 0;
	const char **names = xcalloc(config->len + more + 1, sizeof(*names));

	for (size_t i = 0; i < config->len; i++)
		names[i] = config->channels[i].name;
	for (size_t i = 0; i < more; i++)
		names[config->len + i] = commands[i].name;
	const char *near = text_nearest(name, names);
	error_set(err, ERROR_USAGE, SCOPE_FATAL, "%s: no such %schannel in %s%s%s%s",
		  text_show(name), implied ? "command, and no such " : "", text_show(config->path),
		  near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
	free(names);
	return -1;
}

/* Resolves one CHANNEL[/MAILBOX]. */
static int add_name(struct target_list *list, const char *name, bool implied, struct error *err)
{
	const char *slash = strchr(name, '/');
	char *word = slash ? xstrndup(name, (size_t)(slash - name)) : xstrdup(name);
	const struct config_channel *channel = config_find(list->config, word);
	struct target *target;
	int rc = -1;

	if (!channel) {
		refuse_name(list->config, word, implied, err);
		goto out;
	}
	target = target_of(list, channel);
	if (slash) {
		target->only =
		    xreallocarray(target->only, target->only_len + 1, sizeof(*target->only));
		target->only[target->only_len++] =
		    mailbox_name_is_inbox(slash + 1) ? "INBOX" : slash + 1;
	}
	rc = 0;
out:
	free(word);
	return rc;
}

/* A first word that is no command, and nobody can tell whether it is a channel. */
static int refuse_word(const char *word, struct error *err)
{
	error_prefix(err, "%s: no such command; to look for a channel of that name",
		     text_show(word));
	err->kind = ERROR_USAGE;
	return -1;
}

/* Where the state of all channels is; NULL where nobody knows a home directory. */
static const char *state_home(struct arena *arena)
{
	const char *state = getenv("XDG_STATE_HOME");

	if (state && *state == '/')
		return state;
	return value_expand_path(arena, "~/.local/state");
}

/* Without a place for the state, every run would be a first one. */
static int check_state_home(struct error *err)
{
	struct arena arena = {0};
	bool known = state_home(&arena) != NULL;

	arena_free(&arena);
	return known ? 0
		     : error_set(err, ERROR_CONFIG, SCOPE_FATAL,
				 "no home directory to keep the state in: set XDG_STATE_HOME");
}

int target_load(const struct options *options, struct target_list *out, struct error *err)
{
	*out = (struct target_list){0};
	if (config_load(options->config_path, &out->config, err))
		return options->implied ? refuse_word(options->names[0], err) : -1;
	if (check_state_home(err)) {
		target_free(out);
		return -1;
	}
	for (size_t i = 0; i < options->names_len; i++)
		if (add_name(out, options->names[i], options->implied && !i, err)) {
			target_free(out);
			return -1;
		}
	for (size_t i = 0; !options->names_len && i < out->config->len; i++)
		target_of(out, &out->config->channels[i]);
	return 0;
}

void target_free(struct target_list *list)
{
	for (size_t i = 0; i < list->len; i++)
		free(list->targets[i].only);
	free(list->targets);
	config_free(&list->config);
	*list = (struct target_list){0};
}

bool target_names_mailbox(const struct target *target, const char *mailbox)
{
	for (size_t i = 0; i < target->only_len; i++)
		if (!strcmp(target->only[i], mailbox))
			return true;
	return !target->only_len;
}

const char *target_state_dir(const struct config_channel *channel, struct arena *arena)
{
	return arena_printf(arena, "%s/evenmail/%s", state_home(arena), channel->name);
}

/* imap/session.h's way to a secret: config/secret.h's. */
static int get_secret(void *context, bool token, struct buf *out, struct error *err)
{
	return secret_get(context, token, out, err);
}

/* The remote side's words. */
static struct imap_config *imap_setup(const struct config_channel *channel, struct arena *arena)
{
	const struct config_remote *remote = &channel->remote;
	struct imap_config *imap = arena_alloc(arena, sizeof(*imap));

	_Static_assert((int)CONFIG_TLS_IMPLICIT == (int)IMAP_TLS_IMPLICIT &&
			   (int)CONFIG_TLS_STARTTLS == (int)IMAP_TLS_STARTTLS &&
			   (int)CONFIG_TLS_NONE == (int)IMAP_TLS_NONE,
		       "config and imap number TLS alike");
	_Static_assert((int)CONFIG_AUTH_PLAIN == (int)IMAP_AUTH_PLAIN &&
			   (int)CONFIG_AUTH_LOGIN == (int)IMAP_AUTH_LOGIN &&
			   (int)CONFIG_AUTH_XOAUTH2 == (int)IMAP_AUTH_XOAUTH2 &&
			   (int)CONFIG_AUTH_OAUTHBEARER == (int)IMAP_AUTH_OAUTHBEARER,
		       "config and imap number mechanisms alike");
	_Static_assert((int)CONFIG_COMPRESS_NO == (int)IMAP_COMPRESS_NO &&
			   (int)CONFIG_COMPRESS_YES == (int)IMAP_COMPRESS_YES &&
			   (int)CONFIG_COMPRESS_AUTO == (int)IMAP_COMPRESS_AUTO,
		       "config and imap number compression alike");
	*imap = (struct imap_config){
	    .host = remote->host,
	    .port = remote->port,
	    .tls = (enum imap_tls)remote->tls,
	    .ca_file = remote->ca_file,
	    .pinned_key = remote->pinned_key,
	    .client_cert = remote->client_cert,
	    .client_key = remote->client_key,
	    .min_tls = remote->min_tls,
	    .user = remote->user,
	    .tunnel = remote->tunnel,
	    .auth = remote->auth,
	    .timeout = remote->timeout,
	    .compress = (enum imap_compress)channel->compress,
	    .secret = get_secret,
	    .secret_context = (void *)remote,
	    .has_token = remote->token_command != NULL,
	};
	return imap;
}

/* What the channel allows in this run: a backup takes and gives nothing back. */
static struct policy policy_of(const struct config_channel *channel, const struct options *options)
{
	struct policy policy = channel->policy;

	if (options->modes & MODE_BACKUP) {
		policy.change[REMOTE] = 0;
		policy.deletion[LOCAL] = DELETION_KEEP;
	}
	return policy;
}

/* Whose mail it is, in one word; by which port it is reached makes no difference. */
static const char *account_text(const struct config_remote *remote, struct arena *arena)
{
	if (remote->tunnel)
		return arena_printf(arena, "tunnel:%s", remote->tunnel);
	return arena_printf(arena, "%s@%s", remote->user, remote->host);
}

void target_setup(const struct target *target, const struct options *options, struct arena *arena,
		  struct account_setup *out)
{
	const struct config_channel *channel = target->channel;
	struct imap_config *imap = imap_setup(channel, arena);

	_Static_assert((int)SPECIAL_USE_ALL == (int)MAILBOX_ALL &&
			   (int)SPECIAL_USE_ARCHIVE == (int)MAILBOX_ARCHIVE &&
			   (int)SPECIAL_USE_DRAFTS == (int)MAILBOX_DRAFTS &&
			   (int)SPECIAL_USE_FLAGGED == (int)MAILBOX_FLAGGED &&
			   (int)SPECIAL_USE_JUNK == (int)MAILBOX_JUNK &&
			   (int)SPECIAL_USE_SENT == (int)MAILBOX_SENT &&
			   (int)SPECIAL_USE_TRASH == (int)MAILBOX_TRASH,
		       "mail and store number special uses alike");
	*out = (struct account_setup){
	    .name = channel->name,
	    .account = account_text(&channel->remote, arena),
	    .state_dir = target_state_dir(channel, arena),
	    .tree_path = channel->local_path,
	    .layout = channel->layout == CONFIG_LAYOUT_TREE ? MAILDIR_LAYOUT_TREE
							    : MAILDIR_LAYOUT_PLUSPLUS,
	    .imap = imap,
	    .connections = channel->connections,
	    .policy = policy_of(channel, options),
	    .patterns = channel->mailboxes,
	    .patterns_len = channel->mailboxes_len,
	    .map = channel->map,
	    .only = target->only,
	    .only_len = target->only_len,
	    .dry_run = options->modes & MODE_DRY_RUN,
	    .allow_deletions = options->modes & MODE_ALLOW_DELETIONS,
	    .adopt = options->modes & MODE_ADOPT,
	    .retry_refused = options->modes & MODE_RETRY_REFUSED,
	    .waits = options->modes & MODE_WAIT,
	    .wait = options->wait,
	};
	imap->read_only = !out->policy.change[REMOTE];
}
