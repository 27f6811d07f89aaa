// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The IMAP store against the scripted server: every file tests/imapd/store/(name).imapd is a test,
 * played twice, the second time with the server's bytes one by one. The server's words are in
 * tests/imapd/script.h; the client's are:
 *
 *	> list [subscribed]	queue a request; its ticket is its number, from 1
 *	> create NAME [use=ATTRIBUTES]	(hexadecimal)
 *	> scan NAME [known=1:3] [base=UIDVALIDITY,UIDNEXT,MODSEQ[,MESSAGES]] [identity] [complete]
 *	> identify NAME UIDS [v=UIDVALIDITY]
 *	> fetch NAME UIDS [v=...] [sizes=10,20]
 *	> append NAME LETTERS|- SIZE
 *	> flag NAME UIDS +LETTERS|-LETTERS... [v=...]
 *	> remove NAME UIDS [v=...]
 *	> move NAME UIDS TARGET [v=...]
 *	> rename NAME TARGET
 *	> subscribe NAME [off]
 *	> status NAME [room] [at-once]
 *	> prepare NAME	not a request: nothing answers it
 *	> copy NAME UIDS TARGET [v=...]
 *	= text			what store_next must say next; or one of
 *	= turns N, = atomic N, = log [LEVEL text; ...]	what is known, and logged since the last
 *time
 */
#include "../imapd/script.h"
#include "base/array.h"
#include "base/log.h"
#include "base/text.h"
#include "imap/tunnel.h"
#include "store-imap-open.h"
#include "store-imap-say.h"
#include "store/store-imap-inner.h"
#include "store/store-imap.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT_MAX (1u << 20)
#define ARGS_MAX 8
#define DATE     1700000000 /* 14-Nov-2023 22:13:20 +0000 */

/* What one request points to. */
struct asked {
	char *mailbox;
	char *target;
	struct uidset *known;
	struct message_key *keys;
	uint64_t *sizes;
};

/* The client's part of one transcript. */
struct client {
	struct store *store;
	struct buf said;
	struct buf body;
	struct buf log;
	struct asked *asked;
	size_t len, cap;
	size_t open; /* sources not yet closed */
};

/* A message of x. */
struct message {
	struct source head;
	struct client *client;
	uint64_t rest;
};

static void message_rewind(struct source *source)
{
	struct message *message = (struct message *)source;

	message->rest = source->size;
}

static int message_read(struct source *source, char *out, size_t len, size_t *got,
			struct error *err)
{
	struct message *message = (struct message *)source;

	(void)err;
	*got = len < message->rest ? len : (size_t)message->rest;
	memset(out, 'x', *got);
	message->rest -= *got;
	return 0;
}

static void message_close(struct source *source)
{
	struct message *message = (struct message *)source;

	message->client->open--;
	free(message);
}

/* A message of that many bytes. */
static struct source *message_open(struct client *client, uint64_t size)
{
	struct message *message = calloc(1, sizeof(*message));

	message->head = (struct source){
	    .size = size, .rewind = message_rewind, .read = message_read, .close = message_close};
	message->client = client;
	client->open++;
	return &message->head;
}

/* A copy with its escapes read. */
static char *unescape(const char *text)
{
	struct buf out;

	buf_init(&out, TEXT_MAX);
	script_unescape(text, &out);
	return out.data ? out.data : strdup("");
}

/* Reads "1,3:5" into keys. */
static void take_keys(struct request *request, struct asked *asked, const char *text)
{
	struct uidset set = {0};

	assert_int_equal(uidset_parse(&set, text, strlen(text), 1000), 0);
	asked->keys = calloc(uidset_count(&set), sizeof(*asked->keys));
	for (uint32_t uid = uidset_after(&set, 0); uid; uid = uidset_after(&set, uid))
		asked->keys[request->count++].uid = uid;
	request->keys = asked->keys;
	uidset_free(&set);
}

/* Reads "10,20" into sizes. */
static void take_sizes(struct request *request, struct asked *asked, const char *text)
{
	asked->sizes = calloc(request->count, sizeof(*asked->sizes));
	for (size_t i = 0; i < request->count; i++) {
		char *end;
		asked->sizes[i] = strtoull(text, &end, 10);
		text = *end == ',' ? end + 1 : end;
	}
	request->sizes = asked->sizes;
}

/* Reads one of the words that may follow. */
static void take_option(struct request *request, struct asked *asked, const char *word)
{
	size_t letters = strcspn(word, "*");
	struct flags flags = {0};
	uint32_t keywords;
	bool others;

	if (*word == '+' || *word == '-') {
		flags = flags_from_letters(word + 1, letters - 1, &others);
		assert_true(
		    keywords_from_text(word + letters, strlen(word) - letters, '*', &keywords));
		flags.keywords = keywords;
	}
	if (!strncmp(word, "known=", 6)) {
		asked->known = calloc(1, sizeof(*asked->known));
		if (word[6])
			uidset_parse(asked->known, word + 6, strlen(word + 6), 1000);
		request->known = asked->known;
	} else if (!strncmp(word, "base=", 5)) {
		sscanf(word + 5, "%" SCNu32 ",%" SCNu32 ",%" SCNu64 ",%" SCNu32,
		       &request->base.uidvalidity, &request->base.uidnext, &request->base.modseq,
		       &request->base.messages);
	} else if (!strcmp(word, "identity")) {
		request->want_identity = true;
	} else if (!strcmp(word, "room")) {
		request->want_room = true;
	} else if (!strcmp(word, "subscribed")) {
		request->want_subscribed = true;
	} else if (!strcmp(word, "beside")) {
		request->beside = true;
	} else if (!strcmp(word, "at-once")) {
		request->at_once = true;
	} else if (!strcmp(word, "off")) {
		request->unsubscribe = true;
	} else if (!strcmp(word, "complete")) {
		request->must_be_complete = true;
	} else if (!strcmp(word, "verify")) {
		request->verify_known = true;
	} else if (!strncmp(word, "v=", 2)) {
		request->uidvalidity = (uint32_t)strtoul(word + 2, NULL, 10);
	} else if (!strncmp(word, "use=", 4)) {
		request->special_use = (unsigned)strtoul(word + 4, NULL, 16);
	} else if (!strncmp(word, "sizes=", 6)) {
		take_sizes(request, asked, word + 6);
	} else if (*word == '+') {
		request->add = flags;
	} else if (*word == '-') {
		request->remove = flags;
	} else {
		fail_msg("unknown word %s", word);
	}
}

/* The kind of request that a word means. */
static enum request_kind kind_from(const char *word)
{
	static const struct {
		const char *word;
		enum request_kind kind;
	} kinds[] = {
	    {"list", REQUEST_LIST},     {"create", REQUEST_CREATE},     {"delete", REQUEST_DELETE},
	    {"scan", REQUEST_SCAN},     {"identify", REQUEST_IDENTIFY}, {"fetch", REQUEST_FETCH},
	    {"append", REQUEST_APPEND}, {"flag", REQUEST_FLAG},         {"remove", REQUEST_REMOVE},
	    {"move", REQUEST_MOVE},     {"copy", REQUEST_COPY},
	    {"rename", REQUEST_RENAME}, {"subscribe", REQUEST_SUBSCRIBE},
	    {"status", REQUEST_STATUS},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].word, word))
			return kinds[i].kind;
	fail_msg("unknown request %s", word);
	return REQUEST_LIST;
}

/* Fills what the kind's own arguments say; returns how many there were. */
static size_t take_arguments(struct client *client, struct request *request, struct asked *asked,
			     char **args)
{
	bool others;

	if (request->kind == REQUEST_LIST)
		return 0;
	request->mailbox = asked->mailbox = unescape(args[0]);
	switch (request->kind) {
	case REQUEST_APPEND:
		request->flags = flags_from_letters(args[1], strcspn(args[1], "-"), &others);
		request->source = message_open(client, strtoull(args[2], NULL, 10));
		request->date = DATE;
		return 3;
	case REQUEST_MOVE:
	case REQUEST_COPY:
		request->target = asked->target = unescape(args[2]);
		take_keys(request, asked, args[1]);
		return 3;
	case REQUEST_RENAME:
		request->target = asked->target = unescape(args[1]);
		return 2;
	case REQUEST_CREATE:
	case REQUEST_DELETE:
	case REQUEST_SUBSCRIBE:
	case REQUEST_STATUS:
	case REQUEST_SCAN: return 1;
	default: take_keys(request, asked, args[1]); return 2;
	}
}

/* Queues one request. */
static void client_act(struct client *client, const char *text)
{
	char *copy = strdup(text), *save = NULL, *args[ARGS_MAX + 1] = {0};
	struct request request = {.ticket = client->len + 1};
	struct asked *asked;
	struct error err = {0};
	size_t len = 0;

	for (char *at = strtok_r(copy, " ", &save); at && len < ARGS_MAX;
	     at = strtok_r(NULL, " ", &save))
		args[len++] = at;
	asked = array_push(client->asked, client->len, client->cap);
	*asked = (struct asked){0};
	if (!strcmp(args[0], "prepare")) {
		asked->mailbox = unescape(args[1]);
		store_prepare(client->store, asked->mailbox);
		free(copy);
		return;
	}
	request.kind = kind_from(args[0]);
	for (size_t i = 1 + take_arguments(client, &request, asked, args + 1); i < len; i++)
		take_option(&request, asked, args[i]);
	if (store_submit(client->store, &request, &err))
		buf_printf(&client->log, "submit: %s; ", err.text);
	free(copy);
}

/* Asks for the next answer and puts it into words: "end" and "broken ..." too. */
static void client_next(struct client *client)
{
	struct answer answer;
	struct error err = {0};
	int rc;

	do
		rc = store_next(client->store, &answer, &err);
	while (rc == 1 && !store_imap_say(&answer, &client->said, &client->body));
	if (rc == 1)
		return;
	buf_reset(&client->said);
	if (rc == 0)
		buf_puts(&client->said, "end");
	else
		buf_printf(&client->said, "broken %d/%d: %s", err.kind, err.scope, err.text);
}

/* What was asked for by "=". */
static void client_tell(struct client *client, const char *what)
{
	struct buf *out = &client->said;

	buf_reset(out);
	if (!strncmp(what, "turns", 5)) {
		buf_printf(out, "turns %" PRIu64,
			   imap_figures(store_imap_session(client->store)).turns);
	} else if (!strncmp(what, "atomic", 6)) {
		buf_printf(out, "atomic %d", client->store->atomic_move);
	} else if (!strncmp(what, "log", 3)) {
		buf_printf(out, "log%s%s", client->log.len ? " " : "",
			   client->log.len ? client->log.data : "");
		buf_reset(&client->log);
	} else {
		client_next(client);
	}
}

/* Keeps what is logged, but for the protocol. */
static void client_log(void *context, enum log_level level, const char *line)
{
	struct client *client = context;

	if (level != LOG_LEVEL_WIRE)
		buf_printf(&client->log, "%s%s: %s", client->log.len ? "; " : "",
			   level == LOG_LEVEL_WARN ? "warn" : "info", line);
}

/* Opens the store as the script's settings say. */
static void client_open(struct client *client, const struct script *script, const char *name)
{
	const char *host = "test";
	int read_only = 0;
	struct imap_session *session;
	struct error err = {0};

	for (size_t i = 0; i < script->len; i++) {
		if (!strcmp(script->lines[i].word, "host"))
			host = script->lines[i].text;
		if (!strcmp(script->lines[i].word, "read-only"))
			read_only = 1;
	}
	if (store_imap_open_scripted(host, name, read_only, &session, &err))
		fail_msg("open: %s", err.text);
	client->store = store_imap_over(session, read_only);
}

/* Plays the client's part. */
static void client_play(struct client *client, const struct script *script)
{
	for (size_t i = 0; i < script->len; i++) {
		const struct script_line *line = &script->lines[i];

		if (!strcmp(line->word, ">"))
			client_act(client, line->text);
		if (strcmp(line->word, "=") != 0)
			continue;
		client_tell(client, line->text);
		if (strcmp(client->said.data, line->text) != 0)
			fail_msg("script line %zu\n  want: %s\n  got:  %s", line->number,
				 line->text, client->said.data);
	}
}

static void client_close(struct client *client)
{
	store_close(&client->store);
	assert_int_equal(client->open, 0);
	for (size_t i = 0; i < client->len; i++) {
		free(client->asked[i].mailbox);
		free(client->asked[i].target);
		if (client->asked[i].known)
			uidset_free(client->asked[i].known);
		free(client->asked[i].known);
		free(client->asked[i].keys);
		free(client->asked[i].sizes);
	}
	free(client->asked);
	buf_free(&client->said);
	buf_free(&client->body);
	buf_free(&client->log);
}

/* Plays a transcript once. */
static void run_script(const char *path, int single)
{
	char name[IMAP_TUNNEL_NAME_SIZE];
	struct client client = {0};
	struct script script;
	struct error err = {0};
	int status = 0;

	script_load(&script, path);
	int listener = imap_tunnel_listen(name, &err);

	assert_true(listener >= 0);
	pid_t server = fork();

	if (server == 0)
		script_serve(&script, listener, single);
	close(listener);
	buf_init(&client.said, TEXT_MAX);
	buf_init(&client.body, 16 * TEXT_MAX);
	buf_init(&client.log, TEXT_MAX);
	log_set_sink(client_log, &client, LOG_LEVEL_INFO);
	client_open(&client, &script, name);
	client_play(&client, &script);
	client_close(&client);
	log_set_sink(NULL, NULL, LOG_LEVEL_WARN);
	waitpid(server, &status, 0);
	assert_int_equal(status, 0);
	script_free(&script);
}

/* Plays a transcript in both ways. */
static void test_script(void **state)
{
	run_script(*state, 0);
	run_script(*state, 1);
}

/* A file that is gone once it is closed and its path forgotten. */
static FILE *open_generated(char path[32])
{
	snprintf(path, 32, "/tmp/store-imap-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	return fdopen(fd, "w");
}

/* Plays a transcript that was written by a test. */
static void run_generated(FILE *file, const char *path)
{
	fclose(file);
	run_script(path, 0);
	unlink(path);
}

/* More mailboxes than the window holds: no more than it holds are on their way, and no fewer. */
static void test_window(void **state)
{
	enum { WINDOW = STORE_WINDOW_STEPS / 2, BOXES = WINDOW + 50 };
	char path[32];
	FILE *file = open_generated(path);

	(void)state;
	fprintf(file, "preauth IMAP4rev1\n");
	for (int i = 0; i < BOXES; i++)
		fprintf(file, "> scan M%d\n", i);
	for (int i = 0; i < BOXES + WINDOW; i++) {
		if (i < BOXES)
			fprintf(file,
				"C: E%d SELECT \"M%d\"\nC: E%d UID FETCH 1:* "
				"(UID FLAGS INTERNALDATE RFC822.SIZE)\n",
				2 * i + 1, i, 2 * i + 2);
		if (i == WINDOW - 1)
			fprintf(file, "quiet\n");
		int k = i - WINDOW + 1;
		if (k >= 0 && k < BOXES)
			fprintf(file, "S: * OK [UIDVALIDITY 7] .\nS: E%d OK\nS: E%d OK\n",
				2 * k + 1, 2 * k + 2);
	}
	for (int i = 0; i < BOXES; i++)
		fprintf(file, "= done complete v=7 n=1 m=0 permanent=DFPRST @%d\n", i + 1);
	fprintf(file, "= end\n= turns 1\n");
	run_generated(file, path);
}

/* Yahoo shows its newest 10,000 messages: at that count nobody is gone, one below it they are. */
static void run_visible(int count, bool complete)
{
	char path[32];
	FILE *file = open_generated(path);

	fprintf(
	    file,
	    "host imap.mail.yahoo.com\npreauth IMAP4rev1\n> scan A known=1:10005 base=7,10006,0\n"
	    "C: E1 SELECT \"A\"\nC: E2 UID FETCH 1:* (UID FLAGS)\n"
	    "C: E3 UID FETCH 10006:* (UID FLAGS INTERNALDATE RFC822.SIZE)\n"
	    "S: * %d EXISTS\nS: * OK [UIDVALIDITY 7] .\nS: E1 OK\n",
	    count);
	for (int i = 1; i <= count; i++)
		fprintf(file, "S: * %d FETCH (UID %d FLAGS ())\n", i, i + 5);
	fprintf(file, "S: E2 OK\nS: E3 OK\n");
	for (int i = 1; i <= count; i++)
		fprintf(file, "= message uid=%d flags= @1\n", i + 5);
	fprintf(file, "= done %s v=7 n=10006 m=%d permanent=DFPRST @1\n= log%s\n",
		complete ? "complete" : "delta", count,
		complete ? ""
			 : " info: mailbox A: the server shows its newest 10000 messages only: "
			   "none is taken for deleted");
	run_generated(file, path);
}

static void test_visible_max(void **state)
{
	(void)state;
	run_visible(9999, true);
	run_visible(10000, false);
}

/* Sets held against each other, at the ends of what a UID can be. */
static void test_uids(void **state)
{
	static const struct {
		const char *a, *b, *common, *minus;
	} cases[] = {
	    {"1:3,7", "2,6:9", "2,7", "1,3"},
	    {"1:10", "1,3:4,10", "1,3:4,10", "2,5:9"},
	    {"1:4294967295", "4294967295", "4294967295", "1:4294967294"},
	    {"4294967295", "1:4294967295", "4294967295", ""},
	    {"1:4294967295", "1", "1", "2:4294967295"},
	    {"5,7", "6", "", "5,7"},
	    {"2:3,5:6", "1:9", "2:3,5:6", ""},
	    {"1:2,4:9,20", "2:4,8:30", "2,4,8:9,20", "1,5:7"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct uidset a = {0}, b = {0}, common = {0}, minus = {0};
		struct buf text;

		buf_init(&text, 1000);
		uidset_parse(&a, cases[i].a, strlen(cases[i].a), 100);
		uidset_parse(&b, cases[i].b, strlen(cases[i].b), 100);
		uids_add_common(&a, &b, &common);
		uids_add_minus(&a, &b, &minus);
		assert_int_equal(uids_count_common(&a, &b), uidset_count(&common));
		store_imap_say_uids(&text, "", &common);
		assert_string_equal(text.data, cases[i].common);
		buf_reset(&text);
		store_imap_say_uids(&text, "", &minus);
		assert_string_equal(text.data, cases[i].minus);
		buf_free(&text);
		uidset_free(&a);
		uidset_free(&b);
		uidset_free(&common);
		uidset_free(&minus);
	}
}

/* Makes a test of every transcript; those named on the command line, where there are any. */
int main(int argc, char **argv)
{
	const char *top = getenv("srcdir");
	char pattern[1024];
	glob_t found = {0};

	signal(SIGPIPE, SIG_IGN);
	snprintf(pattern, sizeof(pattern), "%s/tests/imapd/store/*.imapd", top ? top : ".");
	if (argc == 1 && glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "no transcripts at %s\n", pattern);
		return 99;
	}
	char **paths = argc > 1 ? argv + 1 : found.gl_pathv;
	size_t len = argc > 1 ? (size_t)argc - 1 : found.gl_pathc;
	struct CMUnitTest *tests = calloc(len + 3, sizeof(*tests));

	for (size_t i = 0; i < len; i++)
		tests[i] = (struct CMUnitTest){paths[i], test_script, NULL, NULL, paths[i]};
	if (argc == 1) {
		tests[len++] = (struct CMUnitTest)cmocka_unit_test(test_window);
		tests[len++] = (struct CMUnitTest)cmocka_unit_test(test_visible_max);
		tests[len++] = (struct CMUnitTest)cmocka_unit_test(test_uids);
	}
	int rc = _cmocka_run_group_tests("store-imap", tests, len, NULL, NULL);

	free(tests);
	globfree(&found);
	return rc;
}
