// SPDX-License-Identifier: GPL-3.0-or-later
/* The configuration (FAULTS 45): everything that is refused, with the exact text of the error. */
#include "config/config.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "config-file.h"

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

/* What stands on line 8 and what is said of it. */
static void test_values(void **state)
{
	static const struct {
		const char *line;
		const char *want;
	} rows[] = {
	    {"      port: x\n",
	     ":8:13: \"remote.port\" must be a number from 1 to 65535, not \"x\""},
	    {"      port: 0\n",
	     ":8:13: \"remote.port\" must be a number from 1 to 65535, not \"0\""},
	    {"      port: 65536\n",
	     ":8:13: \"remote.port\" must be a number from 1 to 65535, not \"65536\""},
	    {"      port: 99999999999999999999\n",
	     ":8:13: \"remote.port\" must be a number from 1 to 65535, not "
	     "\"99999999999999999999\""},
	    {"      port: -1\n",
	     ":8:13: \"remote.port\" must be a number from 1 to 65535, not \"-1\""},
	    {"      port: [1]\n",
	     ":8:13: \"remote.port\" must be a number from 1 to 65535, not a list"},
	    {"      port:\n", ":8:12: \"remote.port\" must be a number from 1 to 65535, not empty"},
	    {"      tls: ssl\n",
	     ":8:12: \"remote.tls\" must be implicit, starttls or none, not \"ssl\""},
	    {"      tls: Implicit\n",
	     ":8:12: \"remote.tls\" must be implicit, starttls or none, not \"Implicit\""},
	    {"      tls: {a: b}\n",
	     ":8:12: \"remote.tls\" must be implicit, starttls or none, not keys and values"},
	    {"      insecure: 1\n", ":8:17: \"remote.insecure\" must be yes or no, not \"1\""},
	    {"      insecure: [yes]\n", ":8:17: \"remote.insecure\" must be yes or no, not a list"},
	    {"      ca-file: ca.pem\n", ":8:16: \"remote.ca-file\" must be an absolute path or one "
					"from ~/, without variables, "
					"not \"ca.pem\""},
	    {"      ca-file: ~bob/ca.pem\n", ":8:16: \"remote.ca-file\" must be an absolute path "
					     "or one from ~/, without variables, "
					     "not \"~bob/ca.pem\""},
	    {"      ca-file: $HOME/ca.pem\n", ":8:16: \"remote.ca-file\" must be an absolute path "
					      "or one from ~/, without variables, "
					      "not \"$HOME/ca.pem\""},
	    {"      client-cert: ''\n",
	     ":8:20: \"remote.client-cert\" must be an absolute path or one from ~/, without "
	     "variables, not empty"},
	    {"      client-key: \"/a\\nb\"\n",
	     ":8:19: \"remote.client-key\" must be an absolute path or one from ~/, without "
	     "variables, not \"/a\\x0Ab\""},
	    {"      client-key: /k\n", ":8:7: \"remote.client-key\" needs \"remote.client-cert\""},
	    {"      pinned-key: sha256//x\n",
	     ":8:19: \"remote.pinned-key\" must be sha256//HASH (44 letters of base64) or the path "
	     "of a key, not \"sha256//x\""},
	    {"      pinned-key: sha256//" HASH ";\n",
	     ":8:19: \"remote.pinned-key\" must be sha256//HASH (44 letters of base64) or the path "
	     "of a key, not \"sha256//" HASH ";\""},
	    {"      pinned-key: sha256//" HASH "x\n",
	     ":8:19: \"remote.pinned-key\" must be sha256//HASH (44 letters of base64) or the path "
	     "of a key, not \"sha256//" HASH "x\""},
	    {"      min-tls: 1.1\n", ":8:16: \"remote.min-tls\" must be 1.2 or 1.3, not \"1.1\""},
	    {"      password: x\n",
	     ":8:7: \"remote.password\" and \"remote.password-command\" exclude each other"},
	    {"      password-file: /x\n",
	     ":8:7: \"remote.password-file\" and \"remote.password-command\" exclude each other"},
	    {"      token-command: x\n",
	     ":8:7: \"remote.token-command\" and \"remote.password-command\" exclude each other"},
	    {"      tunnel: x\n", ":8:7: \"remote.tunnel\" and \"remote.host\" exclude each other"},
	    {"      auth: plain\n",
	     ":8:13: \"remote.auth\" must be a list of plain, login, xoauth2 and oauthbearer, not "
	     "\"plain\""},
	    {"      auth: [plain, cram-md5]\n",
	     ":8:21: \"remote.auth\" must be a list of plain, login, xoauth2 and oauthbearer, not "
	     "\"cram-md5\""},
	    {"      auth: [[plain]]\n",
	     ":8:14: \"remote.auth\" must be a list of plain, login, xoauth2 and oauthbearer, not "
	     "a list"},
	    {"      auth: []\n", ":8:13: \"remote.auth\" must not be empty"},
	    {"      auth: [xoauth2]\n",
	     ":8:13: \"remote.auth\" names no mechanism for a password (plain, login)"},
	    {"      timeout: 0\n",
	     ":8:16: \"remote.timeout\" must be a number from 1 to 3600, not \"0\""},
	    {"      timeout: 3601\n",
	     ":8:16: \"remote.timeout\" must be a number from 1 to 3600, not \"3601\""},
	    {"      timeout: 1m\n",
	     ":8:16: \"remote.timeout\" must be a number from 1 to 3600, not \"1m\""},
	    {"    mailboxes: '*'\n",
	     ":8:16: \"mailboxes\" must be a list of mailbox names, * and % for any part of one, ! "
	     "before what is left out, not \"*\""},
	    {"    mailboxes: []\n", ":8:16: \"mailboxes\" must not be empty"},
	    {"    mailboxes: [a, '!']\n",
	     ":8:20: \"mailboxes\" must be a list of mailbox names, * and % for any part of one, ! "
	     "before what is left out, not \"!\""},
	    {"    mailboxes: ['']\n",
	     ":8:17: \"mailboxes\" must be a list of mailbox names, * and % for any part of one, ! "
	     "before what is left out, not empty"},
	    {"    pull: [new, old]\n",
	     ":8:17: \"pull\" must be a list of new, flags, deletions and mailboxes, not \"old\""},
	    {"    push: no\n",
	     ":8:11: \"push\" must be a list of new, flags, deletions and mailboxes, not \"no\""},
	    {"    deletions: keep\n", ":8:16: \"deletions\" needs keys below it"},
	    {"    deletions: {remote: bin}\n",
	     ":8:25: \"deletions.remote\" must be expunge, trash or keep, not \"bin\""},
	    {"    deletions: {local: no}\n",
	     ":8:24: \"deletions.local\" must be expunge, trash or keep, not \"no\""},
	    {"    safety: {deletions: 50}\n",
	     ":8:25: \"safety.deletions\" must be a percentage from 0% to 100%, or no, not \"50\""},
	    {"    safety: {deletions: 101%}\n",
	     ":8:25: \"safety.deletions\" must be a percentage from 0% to 100%, or no, not "
	     "\"101%\""},
	    {"    safety: {deletions: '%'}\n",
	     ":8:25: \"safety.deletions\" must be a percentage from 0% to 100%, or no, not \"%\""},
	    {"    safety: {deletions: yes}\n", ":8:25: \"safety.deletions\" must be a percentage "
					       "from 0% to 100%, or no, not \"yes\""},
	    {"    safety: {deletions: []}\n",
	     ":8:25: \"safety.deletions\" must be a percentage from 0% to 100%, or no, not a list"},
	    {"    hooks: {after: ' '}\n",
	     ":8:20: \"hooks.after\" must be a shell command, not \" \""},
	    {"    hooks:\n", ":8:11: \"hooks\" needs keys below it"},
	    {"    connections: 0\n",
	     ":8:18: \"connections\" must be a number from 1 to 16, not \"0\""},
	    {"    connections: 17\n",
	     ":8:18: \"connections\" must be a number from 1 to 16, not \"17\""},
	    {"    map: Sent\n", ":8:10: \"map\" must be local names, each with that on the server"},
	    {"    map: [Sent]\n",
	     ":8:10: \"map\" must be local names, each with that on the server"},
	    {"    map:\n", ":8:9: \"map\" must be local names, each with that on the server"},
	    {"    map: {}\n", ":8:10: \"map\" must not be empty"},
	    {"    map: {Sent: }\n", ":8:17: \"map\": mailbox \"\": its name is empty"},
	    {"    map: {'': x}\n", ":8:11: \"map\": mailbox \"\": its name is empty"},
	    {"    map: {Sent: {a: b}}\n",
	     ":8:17: \"map\" must have one name of the server for \"Sent\""},
	    {"    map: {Sent: [Gmail]/Sent}\n",
	     ":8:24: not YAML: did not find expected ',' or '}' while parsing a flow mapping"},
	    {"    map: {Sent: [a]}\n",
	     ":8:17: \"map\" must have one name of the server for \"Sent\""},
	    {"    map: {a/: x}\n", ":8:11: \"map\": mailbox \"a/\": its name has an empty part"},
	    {"    map: {a: b//c}\n",
	     ":8:14: \"map\": mailbox \"b//c\": its name has an empty part"},
	    {"    map: {a: \"b\\tc\"}\n",
	     ":8:14: \"map\": mailbox \"b\\x09c\": its name holds a control character"},
	    {"    map: {inbox: x}\n", ":8:11: \"map\": INBOX has its name on both sides"},
	    {"    map: {x: Inbox}\n", ":8:14: \"map\": INBOX has its name on both sides"},
	    {"    map: {a: x, b: y, a: z}\n", ":8:23: \"a\" stands here twice"},
	    {"    map: {inbox/a: x, INBOX/a: y}\n",
	     ":8:23: \"map\": \"INBOX/a\" stands here twice"},
	    {"    map: {a: x, b: y, c: x}\n", ":8:26: \"map\": \"x\" has two local names"},
	    {"    map: {a: inbox/x, b: INBOX/x}\n",
	     ":8:26: \"map\": \"INBOX/x\" has two local names"},
	    {"    map: {a: \\Sent, b: \\sent}\n", ":8:24: \"map\": \"\\Sent\" has two local names"},
	    {"    map: {a: \\Sen}\n",
	     ":8:14: \"map\": \"\\Sen\" is no special use (there are \\All, \\Archive, "
	     "\\Drafts, \\Flagged, \\Junk, \\Sent, \\Trash)"},
	    {"    map: {\\Sent: Sent}\n",
	     ":8:11: \"map\": the local name comes first, and \"\\Sent\" behind it"},
	    {"    compress: maybe\n", ":8:15: \"compress\" must be no, yes or auto, not \"maybe\""},
	    {"    compress: [yes]\n", ":8:15: \"compress\" must be no, yes or auto, not a list"},
	    {"    subscriptions: all\n", ":8:20: \"subscriptions\" must be yes or no, not \"all\""},
	    {"    link: []\n", ":8:11: \"link\" must be yes or no, not a list"},
	    {"    keywords: yes\n",
	     ":8:5: \"keywords\" (how keywords are kept) is not supported yet"},
	    {"    watch: yes\n",
	     ":8:5: \"watch\" (how changes are waited for) is not supported yet"},
	    {"      insecure: yes\n",
	     ":8:7: \"remote.insecure\" has a meaning with tls: none only (certificates are always "
	     "verified)"},
	    {"      tls: none\n",
	     ":8:12: tls: none would send password and mail in the clear to h: use implicit or "
	     "starttls, or say insecure: yes"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text = xasprintf("%s%s", CHANNEL, rows[i].line);

		files_check_refused(text, rows[i].want);
		free(text);
	}
}

#define REMOTE_KEYS                                                                                \
	"host, tunnel, port, tls, insecure, ca-file, pinned-key, client-cert, client-key, "        \
	"min-tls, user, password, password-file, password-command, token-command, auth, timeout"
#define CHANNEL_KEYS                                                                               \
	"remote, local, mailboxes, map, pull, push, deletions, safety, subscriptions, link, "      \
	"hooks, "                                                                                  \
	"connections, compress"

/* Keys that nobody knows, and what they were meant to be. */
static void test_unknown(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
	    {CHANNEL "      hots: x\n", ":8:7: unknown key \"hots\" (did you mean \"host\"?)"},
	    {CHANNEL "      ca_file: x\n",
	     ":8:7: unknown key \"ca_file\" (did you mean \"ca-file\"?)"},
	    {CHANNEL "      Port: 1\n", ":8:7: unknown key \"Port\" (did you mean \"port\"?)"},
	    {CHANNEL "      zzz: 1\n",
	     ":8:7: unknown key \"zzz\" (here may stand: " REMOTE_KEYS ")"},
	    {CHANNEL "      ? ''\n      : 1\n",
	     ":8:9: unknown key \"\" (here may stand: " REMOTE_KEYS ")"},
	    {CHANNEL "      path: /x\n",
	     ":8:7: unknown key \"path\" here (it belongs below \"local\")"},
	    {CHANNEL "    host: h\n",
	     ":8:5: unknown key \"host\" here (it belongs below \"remote\")"},
	    {CHANNEL "    remot: {}\n", ":8:5: unknown key \"remot\" (did you mean \"remote\"?)"},
	    {CHANNEL "    mailboxs: []\n",
	     ":8:5: unknown key \"mailboxs\" (did you mean \"mailboxes\"?)"},
	    {CHANNEL "    remote.host: h\n",
	     ":8:5: unknown key \"remote.host\" (here may stand: " CHANNEL_KEYS ")"},
	    {CHANNEL "    hooks: {before: x}\n",
	     ":8:13: unknown key \"before\" (here may stand: after)"},
	    {CHANNEL "    safety: {deletion: x}\n",
	     ":8:14: unknown key \"deletion\" (did you mean \"deletions\"?)"},
	    {CHANNEL "default: {}\n", ":8:1: unknown key \"default\" (did you mean \"defaults\"?)"},
	    {CHANNEL "remote: {}\n",
	     ":8:1: unknown key \"remote\" here (it belongs below a channel)"},
	    /* A blank forgotten: the rest may be a password. */
	    {TREE "    remote: {password:hunter2, host: h}\n",
	     ":4:14: unknown key \"password\" (a colon needs a blank behind it)"},
	    {TREE "    remote: {pasword:hunter2, host: h}\n",
	     ":4:14: unknown key \"pasword\" (a colon needs a blank behind it)"},
	    {TREE "    remote: {password hunter2, host: h}\n",
	     ":4:14: unknown key \"password\" (a key is one word, then a colon)"},
	    {"\"a\\x1b[1mb\": c\n",
	     ":1:1: unknown key \"a\\x1B[1mb\" (here may stand: channels, defaults)"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		files_check_refused(rows[i].text, rows[i].want);
}

/* What the channel as a whole lacks or has too much of. */
static void test_whole(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
	    {"", ": no \"channels\""},
	    {"# empty\n", ": no \"channels\""},
	    {"defaults: {}\n", ": no \"channels\""},
	    {"channels\n", ":1:1: a configuration begins with \"channels:\" or \"defaults:\""},
	    {"channels:\n", ":1:10: \"channels\" needs a channel's name below it"},
	    {"channels: []\n", ":1:11: \"channels\" needs a channel's name below it"},
	    {"channels: {}\n", ":1:11: \"channels\" needs a channel's name below it"},
	    {"channels:\n  a:\n", ":2:5: \"a\" needs keys below it"},
	    {"channels:\n  a: []\n", ":2:6: \"a\" needs keys below it"},
	    {"defaults: x\n" CHANNEL, ":1:11: \"defaults\" needs keys below it"},
	    {"channels:\n  a: {}\n",
	     ":2:3: channel \"a\" needs \"remote.host\" (the server's name or address)"},
	    {TREE "    remote: {host: h}\n",
	     ":2:3: channel \"a\" needs \"remote.user\" (the login name)"},
	    {TREE "    remote: {host: h, user: u}\n",
	     ":2:3: channel \"a\" has no password: set \"remote.password-command\" (or "
	     "password-file, password, token-command)"},
	    {TREE "    remote: {tunnel: t, password-command: p}\n",
	     ":2:3: channel \"a\" needs \"remote.user\" (the login name)"},
	    {"channels:\n  a:\n    remote: {tunnel: t}\n",
	     ":2:3: channel \"a\" needs \"local.path\" (the directory that holds the Maildir "
	     "tree)"},
	    {TREE "    remote: {tunnel: t, port: 1}\n",
	     ":4:25: \"remote.port\" has no meaning with \"remote.tunnel\""},
	    {TREE "    remote: {tunnel: t, tls: none}\n",
	     ":4:25: \"remote.tls\" has no meaning with \"remote.tunnel\""},
	    {TREE "    remote: {tunnel: t, ca-file: /x}\n",
	     ":4:25: \"remote.ca-file\" has no meaning with \"remote.tunnel\""},
	    {TREE
	     "    remote: {host: '::1', tls: none, min-tls: 1.3, user: u, password-command: p}\n",
	     ":4:38: \"remote.min-tls\" has no meaning with tls: none"},
	    {TREE "    remote: {host: h, user: u, token-command: t, auth: [plain, login]}\n",
	     ":4:56: \"remote.auth\" names no mechanism for a token (xoauth2, oauthbearer)"},
	    {TREE "    remote: {host: h, user: [u]}\n",
	     ":4:29: \"remote.user\" must be one line of text, not a list"},
	    {TREE "    remote: {host: h, user: \"a\\r\\nb\"}\n",
	     ":4:29: \"remote.user\" must be one line of text, not \"a\\x0D\\x0Ab\""},
	    /* Of a password nothing is shown. */
	    {TREE "    remote: {password: \"hunter\\n2\"}\n",
	     ":4:24: \"remote.password\" must be one line of text"},
	    {TREE "    remote: {password: [hunter2]}\n",
	     ":4:24: \"remote.password\" must be one line of text, not a list"},
	    {TREE "    remote: {password: ''}\n",
	     ":4:24: \"remote.password\" must be one line of text, not empty"},
	    {CHANNEL "  b: {remote: {tunnel: t}, local: {path: /m, layout: maildir++}}\n",
	     ":8:42: channels \"a\" and \"b\" share /m and must have the same \"local.layout\""},
	    {CHANNEL "  b: {remote: {tunnel: t}, local: {path: /m/x}}\n",
	     ":8:42: /m/x lies within the tree of channel \"a\", /m"},
	    {"channels:\n"
	     "  b: {remote: {tunnel: t}, local: {path: /m/x/y}}\n"
	     "  c: {remote: {tunnel: t}, local: {path: /m/x}}\n",
	     ":2:42: /m/x/y lies within the tree of channel \"c\", /m/x"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		files_check_refused(rows[i].text, rows[i].want);
}

/* Where mail may go in the clear. */
static void test_hosts(void **state)
{
	static const struct {
		const char *remote;
		const char *want; /* NULL: allowed */
	} rows[] = {
#define REFUSED(host)                                                                              \
	":4:38: tls: none would send password and mail in the clear to " host                      \
	": use implicit or starttls, or say insecure: yes"
#define BAD_HOST ":4:63: \"remote.host\" must be a host name or address, without port or brackets, "
	    {"host: localhost", NULL},
	    {"host: LocalHost", NULL},
	    {"host: 127.0.0.1", NULL},
	    {"host: 127.255.255.254", NULL},
	    {"host: '::1'", NULL},
	    {"host: '0:0:0:0:0:0:0:1'", NULL},
	    {"host: h, insecure: yes", NULL},
	    {"host: h, insecure: True", NULL},
	    {"host: h, insecure: no", REFUSED("h")},
	    {"host: 126.255.255.255", REFUSED("126.255.255.255")},
	    {"host: 128.0.0.1", REFUSED("128.0.0.1")},
	    {"host: 127.1", REFUSED("127.1")},
	    {"host: 127.0.0.1.example.org", REFUSED("127.0.0.1.example.org")},
	    {"host: localhost.example.org", REFUSED("localhost.example.org")},
	    {"host: '::2'", REFUSED("::2")},
	    {"host: '::ffff:127.0.0.1'", REFUSED("::ffff:127.0.0.1")},
	    {"host: b\xc3\xbc"
	     "cher.example",
	     REFUSED("b\xc3\xbc"
		     "cher.example")},
	    {"host: 'h:993'", BAD_HOST "not \"h:993\""},
	    {"host: '[::1]'", BAD_HOST "not \"[::1]\""},
	    {"host: 'imaps://h'", BAD_HOST "not \"imaps://h\""},
	    {"host: 'u@h'", BAD_HOST "not \"u@h\""},
	    {"host: 'a b'", BAD_HOST "not \"a b\""},
	    {"host: -h", BAD_HOST "not \"-h\""},
	    {"host: ''", BAD_HOST "not empty"},
	    {"host: [h]", BAD_HOST "not a list"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text =
		    xasprintf("%s    remote: {password-file: /p, tls: none, user: uuuuu, %s}\n",
			      TREE, rows[i].remote);
		struct config *config;

		if (rows[i].want != NULL) {
			files_check_refused(text, rows[i].want);
		} else {
			config = files_load_good(text);
			assert_int_equal(config->channels[0].remote.port, 143);
			assert_int_equal(config->channels[0].remote.tls, CONFIG_TLS_NONE);
			config_free(&config);
		}
		free(text);
	}
}

/* The one spelling of a tree's path. */
static void test_paths(void **state)
{
	static const struct {
		const char *path;
		const char *want; /* NULL: refused */
		const char *allowed;
	} rows[] = {
	    {"/a/b", "/a/b", NULL},
	    {"/a//b///", "/a/b", NULL},
	    {"/./a/./b/.", "/a/b", NULL},
	    {"/a/.b/c..", "/a/.b/c..", NULL},
	    {"/a b/$c", "/a b/$c", NULL},
	    {"~", "/home/u", NULL},
	    {"~/", "/home/u", NULL},
	    {"~/a/", "/home/u/a", NULL},
	    {"/", NULL, "a directory below \"/\""},
	    {"//.", NULL, "a directory below \"/\""},
	    {"/a/../b", NULL, "a path without \"..\""},
	    {"~/..", NULL, "a path without \"..\""},
	    {"a", NULL, "an absolute path or one from ~/, without variables"},
	    {"./a", NULL, "an absolute path or one from ~/, without variables"},
	    {"~u/a", NULL, "an absolute path or one from ~/, without variables"},
	    {"$HOME/a", NULL, "an absolute path or one from ~/, without variables"},
	    {"/a/${USER}", NULL, "an absolute path or one from ~/, without variables"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text = xasprintf("channels:\n  a:\n    local: {path: '%s'}\n"
				       "    remote: {tunnel: t}\n",
				       rows[i].path);

		if (rows[i].want != NULL) {
			struct config *config = files_load_good(text);

			assert_string_equal(config->channels[0].local_path, rows[i].want);
			config_free(&config);
		} else {
			char *want = xasprintf(":3:19: \"local.path\" must be %s, not \"%s\"",
					       rows[i].allowed, rows[i].path);

			files_check_refused(text, want);
			free(want);
		}
		free(text);
	}
}

/* What is wrong in defaults is said there, even where every channel has its own. */
static void test_defaults_wrong(void **state)
{
	(void)state;
	files_check_refused("defaults: {remote: {prot: 1}}\n" CHANNEL,
			    ":1:21: unknown key \"prot\" (did you mean \"port\"?)");
	files_check_refused("defaults: {remote: {port: 0}}\n" CHANNEL "      port: 1\n",
			    ":1:27: \"remote.port\" must be a number from 1 to 65535, not \"0\"");
	files_check_refused("defaults: {remote: {host: h, tunnel: t}}\n" CHANNEL,
			    ":1:30: \"remote.tunnel\" and \"remote.host\" exclude each other");
	files_check_refused("defaults: {map: {a: x, b: x}}\n" CHANNEL "    map: {b: y}\n",
			    ":1:27: \"map\": \"x\" has two local names");
	files_check_refused("defaults: {map: {a: x}}\n" CHANNEL "    map: {b: x}\n",
			    ":9:14: \"map\": \"x\" has two local names");
	files_check_refused("defaults: {map: {a: \\Junk}}\n" CHANNEL "    map: {b: \\junk}\n",
			    ":9:14: \"map\": \"\\Junk\" has two local names");
	files_check_refused(
	    "defaults: {connections: 17}\n" CHANNEL,
	    ":1:25: \"connections\" must be a number from 1 to 16, not \"17\"");
	files_check_refused("defaults: {remote: {tls: none}}\n" CHANNEL,
			    ":1:26: tls: none would send password and mail in the clear to h: use "
			    "implicit or starttls, or say insecure: yes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values), cmocka_unit_test(test_unknown),
	    cmocka_unit_test(test_whole),  cmocka_unit_test(test_hosts),
	    cmocka_unit_test(test_paths),  cmocka_unit_test(test_defaults_wrong),
	};

	return cmocka_run_group_tests(tests, files_begin, files_end);
}
