// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Logins against the scripted server on loopback: every file tests/imapd/login/(name).imapd is a
 * test. Beside the server's part (tests/imapd/script.h) it holds the client's settings
 *	tls none|starttls, auth BITS, token, secret TEXT, host NAME, unreached (no line is ever
 *made) and what comes of it: "= open CAPABILITIES" (told after the login, "-": none) or "= error
 *KIND TEXT", the text to be found in the message. No log line may hold a secret. Then tunnels, and
 *the line.
 */
#include "../imapd/script.h"
#include "base/log.h"
#include "base/stop.h"
#include "imap/transport.h"
#include "imap/tunnel.h"

#include <arpa/inet.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT_MAX (1u << 20)

/* What the client has and gets. */
struct login {
	struct imap_config config;
	const char *secret;
	unsigned tokens; /* given out so far */
	struct buf log;
};

/* Gives the password of the scripts, or token1, token2, ... */
static int login_secret(void *context, bool token, struct buf *out, struct error *err)
{
	struct login *login = context;

	(void)err;
	if (token)
		buf_printf(out, "token%u", ++login->tokens);
	else
		script_unescape(login->secret, out);
	return 0;
}

/* Keeps every log line. */
static void login_log(void *context, enum log_level level, const char *line)
{
	(void)level;
	buf_printf(context, "%s\n", line);
}

/* Reads the settings of a script. */
static bool login_set(struct login *login, const struct script *script)
{
	bool reached = true;

	for (size_t i = 0; i < script->len; i++) {
		const struct script_line *line = &script->lines[i];

		if (strcmp(line->word, "tls") == 0)
			login->config.tls =
			    strcmp(line->text, "none") == 0 ? IMAP_TLS_NONE : IMAP_TLS_STARTTLS;
		if (strcmp(line->word, "auth") == 0)
			login->config.auth = (unsigned)strtoul(line->text, NULL, 10);
		if (strcmp(line->word, "token") == 0)
			login->config.has_token = true;
		if (strcmp(line->word, "secret") == 0)
			login->secret = line->text;
		if (strcmp(line->word, "host") == 0)
			login->config.host = line->text;
		if (strcmp(line->word, "stall") == 0)
			login->config.timeout = 1;
		if (strcmp(line->word, "unreached") == 0)
			reached = false;
	}
	return reached;
}

/* Listens at a free port of loopback. */
static int listen_at(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 2), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

/* Holds what came of a login against what the script says. */
static void login_judge(const struct script *script, const struct imap_transport *transport,
			const struct error *err)
{
	const struct script_line *want = &script->lines[script->len - 1];
	char got[ERROR_TEXT_MAX + 64];

	assert_string_equal(want->word, "=");
	if (transport) {
		struct imap_words told =
		    imap_dialogue_capabilities(imap_transport_dialogue(transport));

		snprintf(got, sizeof(got), "open %.*s", told.bytes ? (int)told.len : 1,
			 told.bytes ? told.bytes : "-");
		assert_string_equal(got, want->text);
		return;
	}
	snprintf(got, sizeof(got), "error %d ", (int)err->kind);
	if (strncmp(want->text, got, strlen(got)) != 0 ||
	    !strstr(err->text, want->text + strlen(got)))
		fail_msg("script line %zu\n  want: %s\n  got:  %s%s", want->number, want->text, got,
			 err->text);
}

/* Plays one login. */
static void test_login(void **state)
{
	static const char *const secrets[] = {"sesame", "c2VzYW1l", "HNlc2FtZQ", "token1",
					      "dG9rZW4"};
	struct imap_transport *transport = NULL;
	struct login login = {.secret = "sesame"};
	struct script script;
	struct error err = {0};
	int status = 0;

	script_load(&script, *state);
	login.config = (struct imap_config){.host = "127.0.0.1",
					    .user = "alice",
					    .timeout = 60,
					    .secret = login_secret,
					    .secret_context = &login};
	int listener = listen_at(&login.config.port);
	bool reached = login_set(&login, &script);
	pid_t server = reached ? fork() : -1;

	if (server == 0)
		script_serve(&script, listener, 0);
	close(listener);
	buf_init(&login.log, TEXT_MAX);
	log_set_sink(login_log, &login.log, LOG_LEVEL_WIRE);
	imap_transport_open(&login.config, NULL, &transport, &err);
	log_set_sink(NULL, NULL, LOG_LEVEL_WARN);
	login_judge(&script, transport, &err);
	imap_transport_close(&transport);
	if (reached) {
		waitpid(server, &status, 0);
		assert_int_equal(status, 0);
	}
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		assert_null(strstr(login.log.data, secrets[i]));
	assert_true(!reached || login.log.len == 0 || strstr(login.log.data, "S: "));
	buf_free(&login.log);
	script_free(&script);
}

/* A server that greets as one that trusts its line. */
#define GREET                                                                                      \
	"printf '* PREAUTH hi\\r\\n'; read a b; printf '* CAPABILITY IMAP4rev1 %s\\r\\nA001 "      \
	"OK\\r\\n' "

/* Opens a tunnel and returns its capabilities' second word; "" and err where it fails. */
static void tunnel_word(const char *command, char *word, size_t size, struct error *err)
{
	struct imap_config config = {.tunnel = command, .timeout = 60};
	struct imap_transport *transport = NULL;

	*word = '\0';
	if (imap_transport_open(&config, NULL, &transport, err) < 0)
		return;
	struct imap_words told = imap_dialogue_capabilities(imap_transport_dialogue(transport));

	if (told.len > strlen("IMAP4rev1 "))
		snprintf(word, size, "%.*s", (int)(told.len - strlen("IMAP4rev1 ")),
			 told.bytes + strlen("IMAP4rev1 "));
	assert_string_equal(imap_transport_tls(transport), "");
	assert_string_equal(imap_transport_name(transport), "tunnel");
	imap_transport_close(&transport);
}

/* PREAUTH is believed in a tunnel, and the command is the shell's. */
static void test_tunnel(void **state)
{
	struct error err = {0};
	char word[64];

	(void)state;
	tunnel_word(GREET "\"$((6 * 7))\"", word, sizeof(word), &err);
	assert_string_equal(word, "42");
}

/* The child has stdin, stdout and stderr, and nothing else of ours. */
static void test_tunnel_descriptors(void **state)
{
	struct error err = {0};
	char word[64];
	int loose = dup(STDERR_FILENO); /* without O_CLOEXEC */

	(void)state;
	tunnel_word(
	    "n=none; for fd in 3 4 5 6 7 8 9; do test ! -e /proc/$$/fd/$fd || n=$fd; done; " GREET
	    "$n",
	    word, sizeof(word), &err);
	close(loose);
	assert_string_equal(word, "none");
}

/* A command that ends at once, or speaks no IMAP, is an unavailable server. */
static void test_tunnel_dies(void **state)
{
	struct error err = {0};
	char word[64];

	(void)state;
	tunnel_word("exit 3", word, sizeof(word), &err);
	assert_int_equal(err.kind, ERROR_UNAVAILABLE);
	assert_string_equal(err.text,
			    "tunnel: the command closed the line before the login was done");
	tunnel_word("echo hello; sleep 1", word, sizeof(word), &err);
	assert_int_equal(err.kind, ERROR_UNAVAILABLE);
}

/* Without PREAUTH there must be a user. */
static void test_tunnel_wants_login(void **state)
{
	struct error err = {0};
	char word[64];

	(void)state;
	tunnel_word("printf '* OK hi\\r\\n'; read a; "
		    "printf '* CAPABILITY IMAP4rev1 AUTH=PLAIN\\r\\nA001 OK\\r\\n'",
		    word, sizeof(word), &err);
	assert_int_equal(err.kind, ERROR_LOGIN);
	assert_non_null(strstr(err.text, "wants a login"));
}

/* A child that does not end when its line is closed is ended. */
static void test_tunnel_lingers(void **state)
{
	struct error err = {0};
	char word[64];

	(void)state;
	tunnel_word(GREET "x; trap 'kill $!; exit' TERM; sleep 60 & wait", word, sizeof(word),
		    &err);
	assert_string_equal(word, "x");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* A stop ends a wait at once. */
static void test_wait_stops(void **state)
{
	struct imap_config config = {.tunnel = GREET "x; cat", .timeout = 60};
	struct imap_transport *transport = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(stop_install(&err), 0);
	assert_int_equal(imap_transport_open(&config, NULL, &transport, &err), 0);
	assert_int_equal(imap_transport_wait(transport, true, &err), 0);
	raise(SIGTERM);
	assert_int_equal(imap_transport_wait(transport, false, &err), -1);
	assert_int_equal(err.kind, ERROR_STOPPED);
	imap_transport_close(&transport);
}

/* Makes a test of every transcript, and runs them with the others. */
int main(int argc, char **argv)
{
	static const struct CMUnitTest others[] = {
	    cmocka_unit_test(test_tunnel),         cmocka_unit_test(test_tunnel_descriptors),
	    cmocka_unit_test(test_tunnel_dies),    cmocka_unit_test(test_tunnel_wants_login),
	    cmocka_unit_test(test_tunnel_lingers), cmocka_unit_test(test_wait_stops),
	};
	const size_t others_len = sizeof(others) / sizeof(others[0]);
	const char *top = getenv("srcdir");
	char pattern[1024];
	glob_t found = {0};

	signal(SIGPIPE, SIG_IGN);
	snprintf(pattern, sizeof(pattern), "%s/tests/imapd/login/*.imapd", top ? top : ".");
	if (argc == 1 && glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "no transcripts at %s\n", pattern);
		return 99;
	}
	char **paths = argc > 1 ? argv + 1 : found.gl_pathv;
	size_t len = argc > 1 ? (size_t)argc - 1 : found.gl_pathc;
	struct CMUnitTest *tests = calloc(len + others_len, sizeof(*tests));

	for (size_t i = 0; i < len; i++)
		tests[i] = (struct CMUnitTest){paths[i], test_login, NULL, NULL, paths[i]};
	memcpy(tests + len, others, sizeof(others));
	int rc = _cmocka_run_group_tests("transport", tests, len + others_len, NULL, NULL);

	free(tests);
	globfree(&found);
	return rc;
}
