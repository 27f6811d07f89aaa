// SPDX-License-Identifier: GPL-3.0-or-later
/* The configuration: what is read from every key, from defaults and from files of every mode. */
#include "config/config.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "config-file.h"
#include "mail/special-use.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What is read where nothing is said. */
static void test_fallbacks(void **state)
{
	struct config *config = files_load_good(CHANNEL);
	const struct config_channel *channel = &config->channels[0];
	const struct config_remote *remote = &channel->remote;

	(void)state;
	assert_int_equal(config->len, 1);
	assert_string_equal(config->path, files_path("c"));
	assert_string_equal(channel->name, "a");
	assert_int_equal(channel->line, 2);
	assert_string_equal(remote->host, "h");
	assert_int_equal(remote->port, 993);
	assert_int_equal(remote->tls, CONFIG_TLS_IMPLICIT);
	assert_false(remote->insecure);
	assert_null(remote->ca_file);
	assert_null(remote->pinned_key);
	assert_null(remote->client_cert);
	assert_null(remote->client_key);
	assert_string_equal(remote->min_tls, "1.2");
	assert_string_equal(remote->user, "u");
	assert_null(remote->password);
	assert_null(remote->password_file);
	assert_string_equal(remote->password_command, "p");
	assert_null(remote->token_command);
	assert_int_equal(remote->auth, 0);
	assert_null(remote->tunnel);
	assert_int_equal(remote->timeout, 60);
	assert_string_equal(channel->local_path, "/m");
	assert_int_equal(channel->layout, CONFIG_LAYOUT_TREE);
	assert_int_equal(channel->mailboxes_len, 1);
	assert_string_equal(channel->mailboxes[0], "*");
	assert_int_equal(channel->policy.change[LOCAL], CHANGE_ALL);
	assert_int_equal(channel->policy.change[REMOTE], CHANGE_ALL);
	assert_int_equal(channel->policy.deletion[LOCAL], DELETION_EXPUNGE);
	assert_int_equal(channel->policy.deletion[REMOTE], DELETION_EXPUNGE);
	assert_int_equal(channel->policy.safety_percent, POLICY_SAFETY_PERCENT);
	assert_int_equal(channel->policy.safety_count, POLICY_SAFETY_COUNT);
	assert_false(channel->policy.subscriptions);
	assert_true(channel->policy.link);
	assert_int_equal(channel->map.len, 0);
	assert_int_equal(channel->connections, 3);
	assert_null(channel->hook_after);
	config_free(&config);
	assert_null(config);
	config_free(&config);
}

/* Every key of remote, with a value other than the default. */
static void test_remote(void **state)
{
	struct config *config = files_load_good(CHANNEL "      port: 1143\n"
							"      tls: starttls\n"
							"      insecure: no\n"
							"      ca-file: /ca.pem\n"
							"      pinned-key: sha256//" HASH "\n"
							"      client-cert: ~/c.pem\n"
							"      client-key: /k.pem\n"
							"      min-tls: 1.3\n"
							"      auth: [login, plain]\n"
							"      timeout: 5\n");
	const struct config_remote *remote = &config->channels[0].remote;

	(void)state;
	assert_int_equal(remote->port, 1143);
	assert_int_equal(remote->tls, CONFIG_TLS_STARTTLS);
	assert_string_equal(remote->ca_file, "/ca.pem");
	assert_string_equal(remote->pinned_key, "sha256//" HASH);
	assert_string_equal(remote->client_cert, "/home/u/c.pem");
	assert_string_equal(remote->client_key, "/k.pem");
	assert_string_equal(remote->min_tls, "1.3");
	assert_int_equal(remote->auth, CONFIG_AUTH_LOGIN | CONFIG_AUTH_PLAIN);
	assert_int_equal(remote->timeout, 5);
	config_free(&config);
}

/* Every key outside remote, with a value other than the default. */
static void test_channel(void **state)
{
	struct config *config = files_load_good("channels:\n"
						"  a.B_9-x:\n"
						"    remote: {tunnel: 'ssh -q host imap'}\n"
						"    local: {path: ~/Mail, layout: maildir++}\n"
						"    mailboxes: [INBOX, 'Lists/%', '!Junk']\n"
						"    pull: [new, flags]\n"
						"    push: []\n"
						"    deletions: {remote: trash, local: keep}\n"
						"    safety: {deletions: 7%}\n"
						"    subscriptions: yes\n"
						"    link: no\n"
						"    hooks:\n"
						"      after: |\n"
						"        notmuch new\n"
						"        true\n"
						"    connections: 16\n");
	const struct config_channel *channel = config_find(config, "a.B_9-x");

	(void)state;
	assert_ptr_equal(channel, &config->channels[0]);
	assert_null(config_find(config, "a"));
	assert_string_equal(channel->remote.tunnel, "ssh -q host imap");
	assert_null(channel->remote.host);
	assert_null(channel->remote.user);
	assert_int_equal(channel->remote.port, 0);
	assert_int_equal(channel->remote.tls, CONFIG_TLS_NONE);
	assert_string_equal(channel->local_path, "/home/u/Mail");
	assert_int_equal(channel->layout, CONFIG_LAYOUT_MAILDIRPP);
	assert_int_equal(channel->mailboxes_len, 3);
	assert_string_equal(channel->mailboxes[0], "INBOX");
	assert_string_equal(channel->mailboxes[1], "Lists/%");
	assert_string_equal(channel->mailboxes[2], "!Junk");
	assert_int_equal(channel->policy.change[LOCAL], CHANGE_NEW | CHANGE_FLAGS);
	assert_int_equal(channel->policy.change[REMOTE], 0);
	assert_int_equal(channel->policy.deletion[REMOTE], DELETION_TRASH);
	assert_int_equal(channel->policy.deletion[LOCAL], DELETION_KEEP);
	assert_int_equal(channel->policy.safety_percent, 7);
	assert_true(channel->policy.subscriptions);
	assert_false(channel->policy.link);
	assert_string_equal(channel->hook_after, "notmuch new\ntrue\n");
	config_free(&config);
}

/* The bits and choices one by one, so that no two words can be exchanged. */
static void test_words(void **state)
{
	static const struct {
		const char *line;
		size_t offset;
		unsigned want;
	} rows[] = {
#define AT(member) offsetof(struct config_channel, member)
	    {"    pull: [new]\n", AT(policy.change[LOCAL]), CHANGE_NEW},
	    {"    pull: [flags]\n", AT(policy.change[LOCAL]), CHANGE_FLAGS},
	    {"    push: [deletions]\n", AT(policy.change[REMOTE]), CHANGE_DELETIONS},
	    {"    push: [mailboxes]\n", AT(policy.change[REMOTE]), CHANGE_MAILBOXES},
	    {"    push: [new, new]\n", AT(policy.change[REMOTE]), CHANGE_NEW},
	    {"    deletions: {local: expunge}\n", AT(policy.deletion[LOCAL]), DELETION_EXPUNGE},
	    {"    deletions: {local: trash}\n", AT(policy.deletion[LOCAL]), DELETION_TRASH},
	    {"    deletions: {remote: keep}\n", AT(policy.deletion[REMOTE]), DELETION_KEEP},
	    {"    safety: {deletions: 0%}\n", AT(policy.safety_percent), 0},
	    {"    safety: {deletions: 100%}\n", AT(policy.safety_percent), 100},
	    {"    safety: {deletions: no}\n", AT(policy.safety_percent), 101},
	    {"    safety: {deletions: never}\n", AT(policy.safety_percent), 101},
	    {"    safety: {deletions: false}\n", AT(policy.safety_percent), 101},
	    {"      auth: [plain]\n", AT(remote.auth), CONFIG_AUTH_PLAIN},
	    {"      auth: [login]\n", AT(remote.auth), CONFIG_AUTH_LOGIN},
	    {"      auth: [oauthbearer, xoauth2, plain]\n", AT(remote.auth), CONFIG_AUTH_PLAIN},
	    {"      tls: implicit\n", AT(remote.tls), CONFIG_TLS_IMPLICIT},
	    {"      tls: starttls\n", AT(remote.tls), CONFIG_TLS_STARTTLS},
	    {"      timeout: 1\n", AT(remote.timeout), 1},
	    {"      timeout: 3600\n", AT(remote.timeout), 3600},
#undef AT
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text = xasprintf("%s%s", CHANNEL, rows[i].line);
		struct config *config = files_load_good(text);

		if (*(unsigned *)((char *)config->channels + rows[i].offset) != rows[i].want)
			fail_msg("%s", rows[i].line);
		config_free(&config);
		free(text);
	}
}

/* With a token only the mechanisms for tokens are left. */
static void test_token(void **state)
{
	struct config *config = files_load_good(
	    TREE "    remote: {host: h, user: u, token-command: t, auth: [xoauth2, plain]}\n"
		 "  b:\n"
		 "    local: {path: /m}\n"
		 "    remote: {host: h, user: u, token-command: t, auth: [oauthbearer]}\n");

	(void)state;
	assert_string_equal(config->channels[0].remote.token_command, "t");
	assert_int_equal(config->channels[0].remote.auth, CONFIG_AUTH_XOAUTH2);
	assert_int_equal(config->channels[1].remote.auth, CONFIG_AUTH_OAUTHBEARER);
	config_free(&config);
}

/* Trees side by side, shared alike, or within a Maildir++ that does not see them. */
static void test_trees(void **state)
{
	struct config *config =
	    files_load_good("channels:\n"
			    "  a: {remote: {tunnel: t}, local: {path: /m}}\n"
			    "  b: {remote: {tunnel: t}, local: {path: /m/}}\n"
			    "  c: {remote: {tunnel: t}, local: {path: /mm}}\n"
			    "  d: {remote: {tunnel: t}, local: {path: /n, layout: maildir++}}\n"
			    "  e: {remote: {tunnel: t}, local: {path: /n/x}}\n");

	(void)state;
	assert_int_equal(config->len, 5);
	assert_string_equal(config->channels[4].name, "e");
	assert_int_equal(config->channels[4].line, 6);
	config_free(&config);
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = {
	    {"a", true},
	    {"A.b_c-9", true},
	    {"0123456789012345678901234567890123456789012345678901234567890123", true},
	    {"01234567890123456789012345678901234567890123456789012345678901234", false},
	    {"", false},
	    {".", false},
	    {".a", false},
	    {"-a", false},
	    {"a/b", false},
	    {"a b", false},
	    {"a*", false},
	    {"\xc3\xa9", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text = xasprintf(
		    "channels: {'%s': {remote: {tunnel: t}, local: {path: /m}}}\n", rows[i].name);
		char *want =
		    xasprintf(":1:12: a channel's name must be 1 to 64 of A-Z a-z 0-9 . _ - "
			      "and begin with neither . nor -, not \"%s\"",
			      rows[i].name);

		if (rows[i].good) {
			struct config *config = files_load_good(text);

			assert_string_equal(config->channels[0].name, rows[i].name);
			config_free(&config);
		} else {
			files_check_refused(text, want);
		}
		free(want);
		free(text);
	}
}

/* A channel's own values go before defaults, key by key; a group goes as one. */
static void test_defaults(void **state)
{
	struct config *config = files_load_good(
	    "defaults:\n"
	    "  remote: {host: d, user: du, tls: starttls, port: 1, ca-file: /ca,\n"
	    "    password-file: /p, auth: [plain, xoauth2]}\n"
	    "  local: {path: /d}\n"
	    "  mailboxes: [d, e]\n"
	    "  pull: []\n"
	    "  deletions: {remote: keep, local: trash}\n"
	    "channels:\n"
	    "  a: {mailboxes: [x], deletions: {local: keep}}\n"
	    "  b: {remote: {user: bu, token-command: t, tls: implicit}, pull: [new]}\n"
	    "  c: {remote: {tunnel: t}}\n");
	const struct config_channel *a = &config->channels[0];
	const struct config_channel *b = &config->channels[1];
	const struct config_channel *c = &config->channels[2];

	(void)state;
	assert_string_equal(a->remote.host, "d");
	assert_string_equal(a->remote.user, "du");
	assert_int_equal(a->remote.port, 1);
	assert_int_equal(a->remote.tls, CONFIG_TLS_STARTTLS);
	assert_int_equal(a->remote.auth, CONFIG_AUTH_PLAIN);
	assert_string_equal(a->local_path, "/d");
	assert_int_equal(a->mailboxes_len, 1);
	assert_string_equal(a->mailboxes[0], "x");
	assert_int_equal(a->policy.change[LOCAL], 0);
	assert_int_equal(a->policy.deletion[LOCAL], DELETION_KEEP);
	assert_int_equal(a->policy.deletion[REMOTE], DELETION_KEEP);
	assert_string_equal(b->remote.user, "bu");
	assert_null(b->remote.password_file);
	assert_string_equal(b->remote.token_command, "t");
	assert_int_equal(b->remote.auth, CONFIG_AUTH_XOAUTH2);
	assert_int_equal(b->remote.tls, CONFIG_TLS_IMPLICIT);
	assert_int_equal(b->remote.port, 1);
	assert_int_equal(b->policy.change[LOCAL], CHANGE_NEW);
	assert_int_equal(b->policy.deletion[LOCAL], DELETION_TRASH);
	assert_int_equal(b->mailboxes_len, 2);
	assert_string_equal(c->remote.tunnel, "t");
	assert_null(c->remote.host);
	assert_int_equal(c->remote.port, 0);
	assert_string_equal(c->remote.password_file, "/p");
	config_free(&config);
}

/* Asserts that a map has just these pairs, in any order. */
static void check_map(const struct name_map *map, const struct name_pair *want, size_t len)
{
	assert_int_equal(map->len, len);
	for (size_t i = 0; i < len; i++) {
		const struct name_pair *got = NULL;

		for (size_t k = 0; k < map->len; k++)
			if (strcmp(map->pairs[k].local, want[i].local) == 0)
				got = &map->pairs[k];
		assert_non_null(got);
		assert_int_equal(got->use, want[i].use);
		if (want[i].remote == NULL)
			assert_null(got->remote);
		else
			assert_string_equal(got->remote, want[i].remote);
	}
}

/* Names and uses; a channel's pairs are added to those of defaults, and go before them. */
static void test_map(void **state)
{
	static const struct name_pair a[] = {{"Sent", "[Gmail]/Sent Mail", 0},
					     {"Entwürfe/neu", NULL, SPECIAL_USE_DRAFTS},
					     {"x", "y", 0},
					     {"y", "x", 0},
					     {"INBOX/a b", "INBOX/c", 0}};
	static const struct name_pair b[] = {
	    {"Junk", NULL, SPECIAL_USE_JUNK}, {"Sent", "Sent", 0}, {"Post", "Gone", 0}};
	static const struct name_pair c[] = {{"Junk", NULL, SPECIAL_USE_JUNK}, {"Sent", "Gone", 0}};
	struct config *config = files_load_good("defaults:\n"
						"  remote: {tunnel: t}\n"
						"  local: {path: /m}\n"
						"channels:\n"
						"  a:\n"
						"    map:\n"
						"      Sent: \"[Gmail]/Sent Mail\"\n"
						"      Entwürfe/neu: \\dRAFTS\n"
						"      x: y\n"
						"      y: x\n"
						"      Inbox/a b: inbox/c\n");

	(void)state;
	check_map(&config->channels[0].map, a, COUNT(a));
	config_free(&config);
	config = files_load_good("defaults:\n"
				 "  remote: {tunnel: t}\n"
				 "  local: {path: /m}\n"
				 "  map: {Sent: Gone, Junk: \\Junk}\n"
				 "channels:\n"
				 "  b: {map: {Sent: Sent, Post: Gone}}\n"
				 "  c: {}\n");
	check_map(&config->channels[0].map, b, COUNT(b));
	check_map(&config->channels[1].map, c, COUNT(c));
	config_free(&config);
}

/* Who may have written the file, and who may read it where it holds a password. */
static void test_modes(void **state)
{
	static const char secret[] = TREE "    remote: {host: h, user: u, password: hunter2}\n";
	static const struct {
		mode_t mode;
		const char *plain; /* NULL: read */
		const char *with_password;
	} rows[] = {
#define WRITABLE ": others may write to it: chmod go-w it"
#define READABLE ":4:42: the file holds a password and is open to others: chmod 600 it"
	    {0600, NULL, NULL},         {0400, NULL, NULL},         {0700, NULL, NULL},
	    {0640, NULL, READABLE},     {0604, NULL, READABLE},     {0644, NULL, READABLE},
	    {0610, NULL, READABLE},     {0620, WRITABLE, WRITABLE}, {0602, WRITABLE, WRITABLE},
	    {0666, WRITABLE, WRITABLE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *why;
		struct config *config = files_load(CHANNEL, rows[i].mode, &why);

		assert_int_equal(config == NULL, rows[i].plain != NULL);
		if (rows[i].plain != NULL)
			assert_string_equal(why, rows[i].plain);
		config_free(&config);
		config = files_load(secret, rows[i].mode, &why);
		assert_int_equal(config == NULL, rows[i].with_password != NULL);
		if (rows[i].with_password != NULL)
			assert_string_equal(why, rows[i].with_password);
		else
			assert_string_equal(config->channels[0].remote.password, "hunter2");
		config_free(&config);
	}
}

/* A password under defaults counts, even one that no channel uses. */
static void test_modes_defaults(void **state)
{
	const char *why;

	(void)state;
	assert_null(files_load("defaults: {remote: {password: hunter2}}\n" CHANNEL, 0644, &why));
	assert_string_equal(why, ":1:31: the file holds a password and is open to others: chmod "
				 "600 it");
}

/* Files that are none, and one at the limit of size. */
static void test_files(void **state)
{
	char *big = xmalloc(CONFIG_SIZE_MAX + 2);
	struct config *config;
	struct error err;
	const char *why;
	char *want;

	(void)state;
	want = xasprintf("%s: not a regular file", files_dir());
	assert_int_equal(config_load(files_dir(), &config, &err), -1);
	assert_string_equal(err.text, want);
	free(want);
	want =
	    xasprintf("there is no configuration %s/none: evenmail.yaml(5) shows how to write one",
		      files_dir());
	assert_int_equal(config_load(files_path("none"), &config, &err), -1);
	assert_string_equal(err.text, want);
	assert_int_equal(err.kind, ERROR_CONFIG);
	free(want);
	assert_int_equal(mkfifo(files_path("fifo"), 0600), 0);
	want = xasprintf("%s: not a regular file", files_path("fifo"));
	assert_int_equal(config_load(files_path("fifo"), &config, &err), -1);
	assert_string_equal(err.text, want);
	free(want);

	memset(big, '#', CONFIG_SIZE_MAX + 1);
	big[CONFIG_SIZE_MAX + 1] = '\0';
	memcpy(big, CHANNEL, strlen(CHANNEL));
	assert_null(files_load(big, 0600, &why));
	assert_string_equal(why, ": larger than 1048576 bytes");
	big[CONFIG_SIZE_MAX] = '\0';
	config = files_load_good(big);
	config_free(&config);
	free(big);
}

/* A symlink is followed: it is the file behind it that must be safe. */
static void test_symlink(void **state)
{
	char *target = xstrdup(files_path("target"));
	struct config *config;
	struct error err;

	(void)state;
	files_write("target", CHANNEL, strlen(CHANNEL), 0600);
	assert_int_equal(symlink(target, files_path("link")), 0);
	assert_int_equal(config_load(files_path("link"), &config, &err), 0);
	config_free(&config);
	assert_int_equal(chmod(target, 0602), 0);
	assert_int_equal(config_load(files_path("link"), &config, &err), -1);
	free(target);
}

/* As many channels as there may be, and one more. */
static void test_many(void **state)
{
	struct buf text;
	struct config *config;

	(void)state;
	buf_init(&text, CONFIG_SIZE_MAX);
	buf_puts(&text, "defaults: {remote: {tunnel: t}, local: {path: /m}}\nchannels:\n");
	for (unsigned i = 0; i < CONFIG_CHANNELS_MAX; i++)
		buf_printf(&text, "  c%u: {}\n", i);
	config = files_load_good(text.data);
	assert_int_equal(config->len, CONFIG_CHANNELS_MAX);
	assert_string_equal(config_find(config, "c255")->local_path, "/m");
	config_free(&config);
	buf_puts(&text, "  one-more: {}\n");
	files_check_refused(text.data, ":3:3: more than 256 channels");
	buf_free(&text);
}

/* Where the file is looked for when nobody names it. */
static void test_default_path(void **state)
{
	struct config *config;
	struct error err;

	(void)state;
	setenv("XDG_CONFIG_HOME", "/nowhere/x", 1);
	assert_int_equal(config_load(NULL, &config, &err), -1);
	assert_string_equal(err.text, "there is no configuration /nowhere/x/evenmail/config.yaml: "
				      "evenmail.yaml(5) shows how to write one");
	setenv("XDG_CONFIG_HOME", "relative", 1);
	assert_int_equal(config_load(NULL, &config, &err), -1);
	assert_string_equal(err.text,
			    "there is no configuration /home/u/.config/evenmail/config.yaml: "
			    "evenmail.yaml(5) shows how to write one");
	unsetenv("XDG_CONFIG_HOME");
	assert_int_equal(config_load(NULL, &config, &err), -1);
	assert_string_equal(err.text,
			    "there is no configuration /home/u/.config/evenmail/config.yaml: "
			    "evenmail.yaml(5) shows how to write one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fallbacks), cmocka_unit_test(test_remote),
	    cmocka_unit_test(test_channel),   cmocka_unit_test(test_words),
	    cmocka_unit_test(test_token),     cmocka_unit_test(test_trees),
	    cmocka_unit_test(test_names),     cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_modes),     cmocka_unit_test(test_modes_defaults),
	    cmocka_unit_test(test_files),     cmocka_unit_test(test_symlink),
	    cmocka_unit_test(test_many),      cmocka_unit_test(test_default_path),
	    cmocka_unit_test(test_map),
	};

	return cmocka_run_group_tests(tests, files_begin, files_end);
}
