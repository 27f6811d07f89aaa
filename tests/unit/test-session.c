// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Sessions against the scripted server: every file tests/imapd/(name).imapd is a test, played
 * twice, the second time with the server's bytes one by one. The format is in tests/imapd/script.h.
 */
#include "../imapd/script.h"
#include "base/log.h"
#include "base/text.h"
#include "imap/session-inner.h"
#include "imap/tunnel.h"

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
#define ARGS_MAX 12
#define UPLOADS_MAX 3
#define DATE     1700000000 /* 14-Nov-2023 22:13:20 +0000 */

/* The client's part of one transcript. */
struct client {
	struct imap_session *session;
	struct buf said; /* what imap_next said last, as text */
	struct buf body; /* the body that came for the next FETCH */
	struct buf log;  /* warnings */
	size_t open;     /* sources not yet closed */
};

/* A message of x that may fail or end too early. */
struct message {
	struct client *client;
	uint64_t size;
	uint64_t rest;
	uint64_t fail_at; /* when so much is left; UINT64_MAX: never */
	bool ends;        /* it ends there instead of failing */
};

/* Gives some of the message. */
static int message_read(void *context, char *out, size_t len, size_t *got, struct error *err)
{
	struct message *message = context;

	if (message->fail_at != UINT64_MAX && message->rest <= message->fail_at) {
		*got = 0;
		return message->ends ? 0 : error_set(err, ERROR_IO, SCOPE_MESSAGE, "disk on fire");
	}
	*got = len < message->rest ? len : (size_t)message->rest;
	if (message->fail_at != UINT64_MAX && *got > message->rest - message->fail_at)
		*got = (size_t)(message->rest - message->fail_at);
	memset(out, 'x', *got);
	message->rest -= *got;
	return 0;
}

/* Begins, perhaps again. */
static void message_rewind(void *context)
{
	struct message *message = context;

	message->rest = message->size;
}

/* Counts that it was closed. */
static void message_close(void *context)
{
	struct message *message = context;

	message->client->open--;
	free(message);
}

/* Queues APPEND NAME LETTERS SIZE [fail|ends LEFT] [LETTERS SIZE ...]. */
static void act_append(struct client *client, char **args, const struct buf *name)
{
	struct imap_upload uploads[UPLOADS_MAX];
	size_t count = 0;

	for (args++; *args; args += 2) {
		struct message *message = calloc(1, sizeof(*message));
		struct imap_upload *upload = &uploads[count++];

		*message = (struct message){
		    .client = client, .size = strtoull(args[1], NULL, 10), .fail_at = UINT64_MAX};
		*upload = (struct imap_upload){
		    flags_from_letters(args[0], strcspn(args[0], "-"), &(bool){false}),
		    DATE,
		    {message_rewind, message_read, message_close, message, message->size}};
		client->open++;
		if (!args[2] || (strcmp(args[2], "ends") != 0 && strcmp(args[2], "fail") != 0))
			continue;
		message->ends = strcmp(args[2], "ends") == 0;
		message->fail_at = strtoull(args[3], NULL, 10);
		args += 2;
	}
	imap_append(client->session, name->data, name->len, uploads, count);
}

/* The items of FETCH, one letter each. */
static unsigned items_from(const char *letters)
{
	static const char known[] = "FMDSIB";
	unsigned items = 0;

	for (; *letters; letters++)
		items |= 1u << (strchr(known, *letters) - known);
	return items;
}

/* Queues what takes a UID set; true where the word is one of those. */
static bool act_set(struct client *client, char **args)
{
	struct imap_session *s = client->session;
	struct uidset set = {0};
	bool known = true;
	bool others;

	if (!args[1] || uidset_parse(&set, args[1], strlen(args[1]), 100000) < 0)
		return false;
	if (strcmp(args[0], "fetch") == 0)
		imap_uid_fetch(s, &set, items_from(args[2]),
			       args[3] ? strtoull(args[3], NULL, 10) : 0);
	else if (strcmp(args[0], "store") == 0)
		imap_uid_store(s, &set, args[2][0] == '+' ? IMAP_STORE_ADD : IMAP_STORE_REMOVE,
			       flags_from_letters(args[2] + 1, strlen(args[2]) - 1, &others));
	else if (strcmp(args[0], "uidexpunge") == 0)
		imap_uid_expunge(s, &set);
	else if (strcmp(args[0], "copy") == 0)
		imap_uid_copy(s, &set, args[2], strlen(args[2]));
	else if (strcmp(args[0], "move") == 0)
		imap_uid_move(s, &set, args[2], strlen(args[2]));
	else
		known = false;
	uidset_free(&set);
	return known;
}

/* Queues what takes a mailbox; true where the word is one of those. */
static bool act_mailbox(struct client *client, char **args)
{
	struct imap_session *s = client->session;
	const char *word = args[0];
	bool examine = strcmp(word, "examine") == 0;
	struct buf name;

	if (!args[1])
		return false;
	buf_init(&name, TEXT_MAX);
	script_unescape(args[1], &name);
	if (examine || strcmp(word, "select") == 0)
		imap_select(s, name.data, name.len, examine,
			    args[2] ? (uint32_t)strtoul(args[2], NULL, 10) : 0,
			    args[2] ? strtoull(args[3], NULL, 10) : 0,
			    args[2] ? (uint32_t)strtoul(args[4], NULL, 10) : 0);
	else if (strcmp(word, "status") == 0)
		imap_status(s, name.data, name.len);
	else if (strcmp(word, "status-at-once") == 0)
		imap_status_at_once(s, name.data, name.len);
	else if (strcmp(word, "create") == 0)
		imap_create(s, name.data, name.len, 0);
	else if (strcmp(word, "append") == 0)
		act_append(client, args + 1, &name);
	else
		fail_msg("unknown action %s", word);
	buf_free(&name);
	return true;
}

/* Queues what takes neither. */
static void act_plain(struct client *client, char **args)
{
	struct imap_session *s = client->session;
	const char *word = args[0];

	if (strcmp(word, "list") == 0)
		imap_list_all(s, false, false);
	else if (strcmp(word, "list-status") == 0)
		imap_list_all(s, true, false);
	else if (strcmp(word, "unselect") == 0)
		imap_unselect(s);
	else if (strcmp(word, "search") == 0)
		imap_uid_search_all(s);
	else if (strcmp(word, "deleted") == 0)
		imap_uid_search_deleted(s);
	else if (strcmp(word, "expunge") == 0)
		imap_expunge(s);
	else if (strncmp(word, "expect-", 7) == 0)
		imap_expect_rows(s, strtoull(word + 7, NULL, 10));
	else if (strcmp(word, "start") == 0)
		assert_int_equal(imap_start(s, NULL), 0);
	else if (strcmp(word, "noop") == 0)
		session_queue_end(s, session_queue_begin(s, REQUEST_PLAIN, "NOOP"));
	else
		fail_msg("unknown action %s", word);
}

/* Does what a line says. A repeated word ("256 noop") is done so often. */
static void client_act(struct client *client, const char *text)
{
	char *copy = strdup(text), *save = NULL, *args[ARGS_MAX + 1] = {0};
	size_t len = 0;
	unsigned long times = 1;

	for (char *at = strtok_r(copy, " ", &save); at && len < ARGS_MAX;
	     at = strtok_r(NULL, " ", &save))
		args[len++] = at;
	char **words = args;

	if (words[0][0] >= '0' && words[0][0] <= '9')
		times = strtoul(*words++, NULL, 10);
	for (; times > 0; times--) {
		if (strcmp(words[0], "from") == 0)
			imap_uid_fetch_from(client->session, (uint32_t)strtoul(words[1], NULL, 10),
					    items_from(words[2]),
					    words[3] ? strtoull(words[3], NULL, 10) : 0);
		else if (!act_set(client, words) && !act_mailbox(client, words))
			act_plain(client, words);
	}
	free(copy);
}

/* Appends a string in quotes, harmless, long runs of x as their number. */
static void say_string(struct buf *out, const char *word, const char *bytes, size_t len)
{
	if (len == 0)
		return;
	buf_printf(out, " %s\"", word);
	if (len > 100 && strspn(bytes, "x") >= len)
		buf_printf(out, "x*%zu", len);
	else
		text_escape(out, bytes, len, 300);
	buf_putc(out, '"');
}

/* Appends a UID set. */
static void say_uids(struct buf *out, const char *word, const struct uidset *uids)
{
	buf_puts(out, word);
	for (size_t next = 0; uids && next < uids->len;)
		uidset_format(uids, &next, 10000, out);
}

/* Appends what a FETCH told. */
static void say_fetch(struct client *client, const struct imap_fetch *fetch)
{
	struct buf *out = &client->said;
	char letters[FLAGS_LETTERS_MAX];

	buf_puts(out, "fetch");
	if (fetch->has & IMAP_HAS_UID)
		buf_printf(out, " uid=%" PRIu32, fetch->uid);
	flags_letters(fetch->flags, letters);
	if (fetch->has & IMAP_HAS_FLAGS) {
		buf_printf(out, " flags=%s", letters);
		keywords_put(out, fetch->flags.keywords, "*");
	}
	if (fetch->has & IMAP_HAS_MODSEQ)
		buf_printf(out, " modseq=%" PRIu64, fetch->modseq);
	if (fetch->has & IMAP_HAS_SIZE)
		buf_printf(out, " size=%" PRIu64, fetch->size);
	if (fetch->has & IMAP_HAS_BODY)
		say_string(out, "body=", client->body.data, client->body.len);
	buf_reset(&client->body);
}

/* Appends a mailbox's figures. */
static void say_status(struct buf *out, const struct imap_mailbox_status *mailbox)
{
	if (mailbox->has & IMAP_HAS_UIDVALIDITY)
		buf_printf(out, " uidvalidity=%" PRIu32, mailbox->uidvalidity);
	if (mailbox->has & IMAP_HAS_UIDNEXT)
		buf_printf(out, " uidnext=%" PRIu32, mailbox->uidnext);
	if (mailbox->has & IMAP_HAS_MESSAGES)
		buf_printf(out, " messages=%" PRIu32, mailbox->messages);
	if (mailbox->has & IMAP_HAS_HIGHESTMODSEQ)
		buf_printf(out, " modseq=%" PRIu64, mailbox->highestmodseq);
}

/* Appends a status line, tagged or not. */
static void say_line(struct buf *out, const char *kind, const struct imap_answer *answer)
{
	static const char *const names[] = {"OK", "NO", "BAD", "PREAUTH"};

	buf_printf(out, "%s %s", kind, names[answer->status]);
	if (answer->code == IMAP_CODE_COPYUID || answer->code == IMAP_CODE_APPENDUID) {
		buf_printf(out, " %" PRIu64 " ", answer->code_number);
		say_uids(out, "", answer->uids);
		say_uids(out, answer->uids_to ? ">" : "", answer->uids_to);
	}
	say_string(out, "", answer->text.bytes, answer->text.len);
}

/* Puts an answer into words; false where it is none by itself (a piece of a body). */
static bool say_answer(struct client *client, const struct imap_answer *answer)
{
	struct buf *out = &client->said;

	buf_reset(out);
	switch (answer->kind) {
	case IMAP_BODY_DATA:
		buf_append(&client->body, answer->data.bytes, answer->data.len);
		return false;
	case IMAP_TAGGED: say_line(out, "tagged", answer); break;
	case IMAP_STATUS_LINE: say_line(out, "line", answer); break;
	case IMAP_CAPABILITY: buf_puts(out, "capability"); break;
	case IMAP_ENABLED: buf_puts(out, "enabled"); break;
	case IMAP_NAMESPACE: buf_puts(out, "namespace"); break;
	case IMAP_LIST:
		buf_printf(out, "list %x", answer->attributes);
		say_string(out, "", answer->name.bytes, answer->name.len);
		break;
	case IMAP_STATUS:
		buf_puts(out, "status");
		say_string(out, "", answer->name.bytes, answer->name.len);
		say_status(out, &answer->mailbox);
		break;
	case IMAP_FLAGS: buf_puts(out, "flags"); break;
	case IMAP_EXISTS: buf_printf(out, "exists %" PRIu32, answer->number); break;
	case IMAP_EXPUNGE: buf_printf(out, "expunge %" PRIu32, answer->number); break;
	case IMAP_SEARCH: say_uids(out, "search ", answer->uids); break;
	case IMAP_VANISHED:
		say_uids(out, answer->earlier ? "vanished-earlier " : "vanished ", answer->uids);
		break;
	case IMAP_FETCH: say_fetch(client, &answer->fetch); break;
	case IMAP_MALFORMED:
		buf_puts(out, "malformed ");
		buf_append(out, answer->text.bytes, answer->text.len);
		break;
	default: buf_puts(out, "other"); break;
	}
	if (answer->tag > 0)
		buf_printf(out, " @%u", answer->tag);
	return true;
}

/* Asks for the next answer and puts it into words: "end" and "error ..." too. */
static void client_next(struct client *client)
{
	struct imap_answer answer;
	struct error err = {0};
	int rc;

	do
		rc = imap_next(client->session, &answer, &err);
	while (rc == 1 && !say_answer(client, &answer));
	if (rc != 1)
		buf_reset(&client->said);
	if (rc == 0)
		buf_puts(&client->said, "end");
	if (rc < 0)
		buf_printf(&client->said, "error %d %s", err.kind, err.text);
}

/* What the session knows, by name. */
static void client_tell(struct client *client, const char *what)
{
	const struct mailbox_naming *naming = imap_naming(client->session);
	struct imap_figures figures = imap_figures(client->session);
	struct buf *out = &client->said;

	buf_reset(out);
	if (strncmp(what, "known", 5) == 0)
		buf_printf(out,
			   "known qresync=%d utf8=%d delimiter=%c prefix=%s id=%s limit=%" PRIu64,
			   imap_has_qresync(client->session), naming->utf8,
			   naming->delimiter ? naming->delimiter : '-', naming->prefix,
			   imap_server_id(client->session), imap_append_limit(client->session));
	else if (strncmp(what, "caps", 4) == 0)
		buf_printf(out, "caps %x", imap_capabilities(client->session));
	else if (strncmp(what, "turns", 5) == 0)
		buf_printf(out, "turns %" PRIu64 " commands %" PRIu64, figures.turns,
			   figures.commands);
	else if (strncmp(what, "compressed", 10) == 0)
		buf_printf(out, "compressed %d", imap_is_compressed(client->session));
	else if (strncmp(what, "log", 3) == 0)
		buf_printf(out, "log %s", client->log.data);
	else
		client_next(client);
}

/* Gives the secret that the scripts know. */
static int client_secret(void *context, bool token, struct buf *out, struct error *err)
{
	(void)context, (void)err;
	assert_false(token);
	buf_puts(out, "sesame");
	return 0;
}

/* Keeps warnings. */
static void client_log(void *context, enum log_level level, const char *line)
{
	struct client *client = context;

	if (level == LOG_LEVEL_WARN)
		buf_puts(&client->log, line);
}

/* Opens the session as the script's settings say. */
static void client_open(struct client *client, const struct script *script, const char *name)
{
	struct imap_config config = {
	    .host = "test", .user = "alice", .secret = client_secret, .timeout = 60};
	struct error err = {0};

	for (size_t i = 0; i < script->len; i++) {
		const struct script_line *line = &script->lines[i];

		if (strcmp(line->word, "host") == 0)
			config.host = line->text;
		if (strcmp(line->word, "probe") == 0)
			config.probe = true;
		if (strcmp(line->word, "read-only") == 0)
			config.read_only = true;
		if (strcmp(line->word, "compress") == 0)
			config.compress = strcmp(line->text, "yes") == 0    ? IMAP_COMPRESS_YES
					  : strcmp(line->text, "auto") == 0 ? IMAP_COMPRESS_AUTO
									    : IMAP_COMPRESS_NO;
		if (strcmp(line->word, "stall") == 0)
			config.timeout = 1;
	}
	if (imap_open_over(&config, name, &client->session, &err) < 0)
		fail_msg("open: %s", err.text);
}

/* Plays the client's part. */
static void client_play(struct client *client, const struct script *script)
{
	for (size_t i = 0; i < script->len; i++) {
		const struct script_line *line = &script->lines[i];

		if (strcmp(line->word, ">") == 0)
			client_act(client, line->text);
		if (strcmp(line->word, "=") != 0)
			continue;
		client_tell(client, line->text);
		if (strcmp(client->said.data, line->text) != 0)
			fail_msg("script line %zu\n  want: %s\n  got:  %s", line->number,
				 line->text, client->said.data);
	}
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
	log_set_sink(client_log, &client, LOG_LEVEL_WIRE);
	client_open(&client, &script, name);
	client_play(&client, &script);
	imap_close(&client.session);
	log_set_sink(NULL, NULL, LOG_LEVEL_WARN);
	assert_int_equal(client.open, 0);
	waitpid(server, &status, 0);
	assert_int_equal(status, 0);
	buf_free(&client.said);
	buf_free(&client.body);
	buf_free(&client.log);
	script_free(&script);
}

/* Plays a transcript in both ways. */
static void test_script(void **state)
{
	run_script(*state, 0);
	run_script(*state, 1);
}

/* Makes a test of every transcript; those named on the command line, where there are any. */
int main(int argc, char **argv)
{
	const char *top = getenv("srcdir");
	char pattern[1024];
	glob_t found = {0};

	signal(SIGPIPE, SIG_IGN);
	snprintf(pattern, sizeof(pattern), "%s/tests/imapd/*.imapd", top ? top : ".");
	if (argc == 1 && glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "no transcripts at %s\n", pattern);
		return 99;
	}
	char **paths = argc > 1 ? argv + 1 : found.gl_pathv;
	size_t len = argc > 1 ? (size_t)argc - 1 : found.gl_pathc;
	struct CMUnitTest *tests = calloc(len, sizeof(*tests));

	for (size_t i = 0; i < len; i++)
		tests[i] = (struct CMUnitTest){paths[i], test_script, NULL, NULL, paths[i]};
	int rc = _cmocka_run_group_tests("session", tests, len, NULL, NULL);

	free(tests);
	globfree(&found);
	return rc;
}
