// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap/session.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "imap/session-inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes a session that has no line yet. */
static struct imap_session *session_new(const struct imap_config *config)
{
	struct imap_session *session = xcalloc(1, sizeof(*session));
	struct session_server *server = &session->server;

	session->read_only = config->read_only;
	session->probe = config->probe;
	session->compress.wanted = config->compress;
	session->parser = imap_parser_open();
	buf_init(&session->mailbox, SESSION_TEXT_MAX);
	buf_init(&server->capability_text, SESSION_TEXT_MAX);
	buf_init(&server->greeting, SESSION_TEXT_MAX);
	buf_init(&server->id, SESSION_TEXT_MAX);
	TAILQ_INIT(&session->requests);
	return session;
}

/* Frees all but the line. */
static void session_free(struct imap_session *session)
{
	struct imap_request *request;

	while ((request = TAILQ_FIRST(&session->requests))) {
		TAILQ_REMOVE(&session->requests, request, link);
		if (request == session->out.current)
			session->out.current = NULL;
		session_request_free(request);
	}
	if (session->out.current)
		session_request_free(session->out.current);
	session_kept_free(&session->handed);
	session_kept_free(&session->pending);
	imap_parser_close(&session->parser);
	buf_free(&session->mailbox);
	buf_free(&session->server.capability_text);
	buf_free(&session->server.greeting);
	buf_free(&session->server.id);
	session_free_namespaces(&session->server);
	free(session->host);
	free(session);
}

/* What a server calls itself in its greeting is as good as its ID until that is there. */
void session_choose_profile(struct imap_session *session)
{
	struct session_server *server = &session->server;

	imap_profile_choose(session->host, server->id.len ? server->id.data : server->greeting.data,
			    server->capability_text.data, &server->profile);
}

/* Runs until the session's own commands are answered: nothing of the caller's is queued yet. */
static int session_settle(struct imap_session *session, struct error *err)
{
	struct imap_answer answer;
	int rc;

	while ((rc = imap_next(session, &answer, err)) == 1)
		;
	return rc;
}

/*
 * Learns the capabilities: those told with the login, or else by asking. Where the server's ways
 * demand it they are asked for even if told.
 */
static int session_learn(struct imap_session *session, struct error *err)
{
	struct session_server *server = &session->server;
	const struct imap_dialogue *dialogue = imap_transport_dialogue(session->transport);
	struct imap_words told = imap_dialogue_capabilities(dialogue);
	struct imap_words greeting = imap_dialogue_greeting(dialogue);

	if (greeting.bytes)
		buf_append(&server->greeting, greeting.bytes, greeting.len);
	if (told.bytes)
		session_set_capabilities(server, told.bytes, told.len);
	session_choose_profile(session);
	if (!told.bytes || server->profile.ask_capability) {
		session_queue_capability(session);
		if (session_settle(session, err) < 0)
			return -1;
		session_choose_profile(session);
	}
	session_queue_setup(session);
	return 0;
}

/* Opens a session over a socket of this name, or as config says. */
int imap_open_over(const struct imap_config *config, const char *socket_name,
		   struct imap_session **session, struct error *err)
{
	struct imap_session *s;

	*session = NULL;
	s = session_new(config);
	if (imap_transport_open(config, socket_name, &s->transport, err) < 0)
		goto fail;
	s->host = xstrdup(imap_transport_name(s->transport));
	s->compress.pace.round_trip_ms = imap_transport_round_trip(s->transport);
	if (session_learn(s, err) < 0)
		goto fail;
	*session = s;
	return 0;
fail:
	imap_transport_close(&s->transport);
	session_free(s);
	return -1;
}

/* Opens a session. */
int imap_open(const struct imap_config *config, struct imap_session **session, struct error *err)
{
	return imap_open_over(config, NULL, session, err);
}

/* Says goodbye where the server can hear it: not in the middle of another command. */
static void session_logout(struct imap_session *session)
{
	struct session_out *out = &session->out;
	char line[32];
	size_t done;

	if (session->dead || session->compress.waiting || out->current || out->sent < out->len)
		return;
	int len =
	    snprintf(line, sizeof(line), "%c%u LOGOUT\r\n", IMAP_TAG_LETTER, session->next_tag + 1);

	imap_transport_send(session->transport, line, (size_t)len, &done, NULL);
}

/* Ends a session. */
void imap_close(struct imap_session **session)
{
	if (!*session)
		return;
	session_logout(*session);
	imap_transport_close(&(*session)->transport);
	session_free(*session);
	*session = NULL;
}

/* What may be used. */
unsigned imap_capabilities(const struct imap_session *session)
{
	return session_usable(&session->server);
}

/* The capability line. */
const char *imap_capability_text(const struct imap_session *session)
{
	return session->server.capability_text.data;
}

/* The ID answer. */
const char *imap_server_id(const struct imap_session *session)
{
	return session->server.id.data;
}

/* The TLS version and cipher. */
const char *imap_tls_text(const struct imap_session *session)
{
	return imap_transport_tls(session->transport);
}

/* Whether the line is compressed. */
bool imap_is_compressed(const struct imap_session *session)
{
	return imap_transport_is_compressed(session->transport);
}

/* The server's ways. */
const struct imap_profile *imap_profile(const struct imap_session *session)
{
	return &session->server.profile;
}

/* The largest upload. */
uint64_t imap_append_limit(const struct imap_session *session)
{
	return session->server.append_limit;
}

/* How mailboxes are named. */
const struct mailbox_naming *imap_naming(const struct imap_session *session)
{
	return &session->server.naming;
}

/* Whether QRESYNC is in force. */
bool imap_has_qresync(const struct imap_session *session)
{
	return session->server.qresync;
}

/* The figures. */
struct imap_figures imap_figures(const struct imap_session *session)
{
	struct imap_figures figures = session->figures;

	imap_transport_count(session->transport, &figures.sent, &figures.received);
	return figures;
}

/*
 * Receives what is there: 1 something, 0 nothing yet, -1 the end. Where sending broke, the server
 * may have said why before it hung up; the error of the receive then tells less than the send's.
 */
static int session_receive(struct imap_session *session, struct error *err)
{
	size_t most = session->compress.waiting ? 1 : sizeof(session->in), got = 0;
	int rc = imap_transport_receive(session->transport, session->in, most, &got, err);

	if (rc != 1)
		return rc;
	session_compress_note(session, got, 0);
	imap_parser_feed(session->parser, session->in, got);
	return 1;
}

/* Waits for the line, and notes how long. */
static int session_wait(struct imap_session *session, bool send, struct error *err)
{
	int64_t since = clock_ms();
	int rc = imap_transport_wait(session->transport, send, err);

	session_compress_note(session, 0, clock_ms() - since);
	return rc;
}

/* Whether the oldest request waits for nothing from the server. */
static bool session_has_ready(const struct imap_session *session)
{
	const struct imap_request *oldest = TAILQ_FIRST(&session->requests);

	return oldest && oldest->refused;
}

/* Sends what is ready: 1, or 0 where nothing went. What the server said before is still read. */
static int session_send(struct imap_session *session)
{
	int sent = session_flush(session, NULL);

	if (sent < 0)
		session->out.broken = true;
	return sent > 0;
}

/* Moves bytes both ways until there is something to read. */
static int session_pump(struct imap_session *session, struct error *err)
{
	const struct session_out *out = &session->out;

	for (;;) {
		int sent, received;

		if (session_fill(session, err) < 0)
			return -1;
		if (session_has_ready(session))
			return 0;
		sent = session_send(session);
		received = session_receive(session, err);
		if (received != 0)
			return received < 0 ? -1 : 0;
		if (sent == 1)
			continue;
		bool more = !out->broken && out->sent < out->len;

		if (session_wait(session, more, err) < 0)
			return -1;
	}
}

/* Whether all is answered and nothing is left to send. */
static bool session_is_idle(const struct imap_session *session)
{
	const struct session_out *out = &session->out;

	return TAILQ_EMPTY(&session->requests) && !out->current && out->sent == out->len;
}

#define SESSION_IDLE 2

/*
 * Takes one answer, or waits for bytes. 1: it is for the caller; 0; SESSION_IDLE: none is to come.
 */
static int session_turn(struct imap_session *session, struct imap_answer *answer, struct error *err)
{
	int rc = imap_parser_next(session->parser, answer, err);

	if (rc < 0)
		return error_prefix(err, "%s", session->host);
	if (rc == 1)
		return session_apply(session, answer, err);
	return session_is_idle(session) ? SESSION_IDLE : session_pump(session, err);
}

/* The next answer for the caller; sends and receives until there is one. */
static int session_step(struct imap_session *session, struct imap_answer *answer, struct error *err)
{
	int rc;

	do {
		if (session_take_ready(session, answer))
			return 1;
		rc = session_turn(session, answer, err);
	} while (rc == 0);
	return rc == SESSION_IDLE ? 0 : rc;
}

/* Hands out the next answer. */
int imap_next(struct imap_session *session, struct imap_answer *answer, struct error *err)
{
	if (session->dead)
		return error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE, "%s: the session has ended",
				 session->host);
	int rc = session_step(session, answer, err);

	session->dead = rc < 0;
	return rc;
}

/*
 * COMPRESS is awaited, and what is said meanwhile answers nobody: nothing that is behind it could
 * begin else. All other that does not go out now does with the next imap_next.
 */
int imap_start(struct imap_session *session, struct error *err)
{
	struct imap_answer answer;
	int rc;

	if (session->dead)
		return error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE, "%s: the session has ended",
				 session->host);
	while ((rc = session_fill(session, err)) >= 0) {
		session_send(session);
		if (!session->compress.waiting)
			break;
		rc = session_turn(session, &answer, err);
		if (rc < 0)
			break;
	}
	session->dead = rc < 0;
	return session->dead ? -1 : 0;
}
