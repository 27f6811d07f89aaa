// SPDX-License-Identifier: GPL-3.0-or-later
/* Requests become bytes: literals announced as the server allows, within the window. */
#include "base/fault.h"
#include "imap/session-inner.h"
#include "imap/wirelog.h"

#include <string.h>

/* Bytes that can still be made ready. */
static size_t out_room(const struct session_out *out)
{
	return sizeof(out->bytes) - out->len;
}

/* Makes bytes ready that fit for sure. */
static void out_put(struct session_out *out, const char *bytes, size_t len)
{
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

/* Makes as many of the bytes ready as fit; returns how many. */
static size_t out_put_some(struct session_out *out, const char *bytes, uint64_t len)
{
	size_t part = len < out_room(out) ? (size_t)len : out_room(out);

	out_put(out, bytes, part);
	return part;
}

/* Whether the server must first say that it takes the literal. */
static bool literal_must_wait(const struct imap_session *session,
			      const struct imap_literal *literal)
{
	unsigned usable = session_usable(&session->server);

	if (usable & IMAP_CAP_LITERAL_PLUS)
		return false;
	return !(usable & IMAP_CAP_LITERAL_MINUS) || literal->len > SESSION_LITERAL_MINUS_MAX;
}

/* Whether a request changes the selected mailbox. */
static bool session_is_change(const struct imap_request *request)
{
	return request->kind == REQUEST_CHANGE || request->kind == REQUEST_CLOSE;
}

/* Whether a request tells the state of messages. */
static bool session_is_read(const struct imap_request *request)
{
	return request->kind == REQUEST_READ || request->kind == REQUEST_BODIES;
}

/*
 * The first request that may begin to go out, NULL for none. A change is held until the SELECTs
 * before it are answered, and passed over where its mailbox did not open; all are held while
 * COMPRESS is not answered.
 */
static struct imap_request *session_next(struct imap_session *session)
{
	struct imap_request *request;

	if (session->compress.waiting)
		return NULL;
	for (; (request = session->unsent); session->unsent = TAILQ_NEXT(request, link)) {
		bool change = session_is_change(request);

		if (change && session->selecting > 0)
			return NULL;
		if (session_is_read(request) && session->changing > 0)
			return NULL;
		if (!change || session->selected)
			break;
		request->refused = true;
	}
	if (!request || session->window_commands == SESSION_WINDOW_COMMANDS)
		return NULL;
	if (session->window_commands > 0 &&
	    session->window_bytes + request->size > SESSION_WINDOW_BYTES)
		return NULL;
	return session_compress_before(session, request);
}

/* Lets a request begin to go out. */
static void session_begin(struct imap_session *session, struct imap_request *request)
{
	struct session_out *out = &session->out;

	imap_wirelog_command(&request->command);
	session->unsent = TAILQ_NEXT(request, link);
	session->figures.turns += session->window_commands == 0;
	session->figures.commands++;
	session->window_commands++;
	session->window_bytes += request->size;
	session->selecting += request->kind == REQUEST_SELECT;
	session->changing += session_is_change(request);
	session->compress.bulk += session_is_bulk(request);
	session->compress.waiting = request->kind == REQUEST_COMPRESS;
	out->current = request;
	out->text_at = 0;
	out->literal = 0;
	out->source = 0;
	out->announced = false;
	out->waiting = false;
}

/* Announces the next literal; false where there is no room yet. */
static bool encode_announcement(struct imap_session *session, const struct imap_literal *literal)
{
	struct session_out *out = &session->out;
	char text[IMAP_ANNOUNCE_MAX];

	if (out_room(out) < sizeof(text))
		return false;
	out->waiting = literal_must_wait(session, literal);
	size_t len = imap_command_announce(literal, out->waiting, text);

	out_put(out, text, len);
	out->announced = true;
	out->streamed = 0;
	if (literal->streamed) {
		const struct imap_source *source = &out->current->sources[out->source];

		source->rewind(source->context);
	}
	return true;
}

/* Reads some of a message; the source must not end before its size. */
static int encode_stream(struct session_out *out, const struct imap_literal *literal,
			 struct error *err)
{
	struct imap_source *source = &out->current->sources[out->source];

	while (out->streamed < literal->len && out_room(out) > 0) {
		uint64_t rest = literal->len - out->streamed;
		size_t want = rest < out_room(out) ? (size_t)rest : out_room(out), got = 0;

		if (source->read(source->context, out->bytes + out->len, want, &got, err) < 0)
			return error_prefix(err, "upload broken off");
		if (got == 0)
			return error_set(err, ERROR_IO, SCOPE_MESSAGE,
					 "upload broken off: the message ends before its size");
		out->len += got;
		out->streamed += got;
	}
	return 0;
}

/* The bytes of the literal that was announced. */
static int encode_literal(struct session_out *out, const struct imap_literal *literal,
			  struct error *err)
{
	const struct imap_command *command = &out->current->command;

	if (literal->streamed)
		return encode_stream(out, literal, err);
	out->streamed += out_put_some(out, command->text.data + literal->at + out->streamed,
				      literal->len - out->streamed);
	return 0;
}

/*
 * Makes more of the current request ready: 1 it is whole, 0 no room or a wait for "+", -1 failed.
 */
static int session_encode(struct imap_session *session, struct error *err)
{
	struct session_out *out = &session->out;
	const struct imap_command *command = &out->current->command;

	for (;;) {
		bool last = out->literal == command->literals_len;
		const struct imap_literal *literal = last ? NULL : &command->literals[out->literal];
		size_t end = last ? command->text.len : literal->at;

		if (out->text_at < end)
			out->text_at += out_put_some(out, command->text.data + out->text_at,
						     end - out->text_at);
		if (out->text_at < end)
			return 0;
		if (last)
			return 1;
		if (!out->announced && !encode_announcement(session, literal))
			return 0;
		if (out->waiting)
			return 0;
		if (encode_literal(out, literal, err) < 0)
			return -1;
		if (out->streamed < literal->len)
			return 0;
		out->text_at += literal->streamed ? 0 : (size_t)literal->len;
		out->source += literal->streamed;
		out->literal++;
		out->announced = false;
	}
}

/* The current request is out, or is to be no more. */
static void session_leave_current(struct imap_session *session)
{
	struct imap_request *request = session->out.current;

	session->out.current = NULL;
	session->out.waiting = false;
	if (request->answered)
		session_request_free(request);
	else
		session_request_close_sources(request);
}

/* Makes ready what can be. */
int session_fill(struct imap_session *session, struct error *err)
{
	struct session_out *out = &session->out;

	if (out->broken)
		return 0;
	if (out->sent == out->len)
		out->sent = out->len = 0;
	for (;;) {
		if (!out->current) {
			struct imap_request *request = session_next(session);

			if (!request)
				return 0;
			session_begin(session, request);
		}
		if (out->waiting)
			return 0;
		int rc = session_encode(session, err);

		if (rc <= 0)
			return rc;
		session_leave_current(session);
	}
}

/* Sends what is ready. */
int session_flush(struct imap_session *session, struct error *err)
{
	struct session_out *out = &session->out;
	size_t done = 0;

	if (out->broken || out->sent == out->len)
		return 0;
	fault_point("imap send");
	int rc = imap_transport_send(session->transport, out->bytes + out->sent,
				     out->len - out->sent, &done, err);

	if (rc == 1) {
		out->sent += done;
		session_compress_note(session, done, 0);
		fault_point("imap sent");
	}
	return rc;
}

/* Goes on with the literal that waited; a "+" that nothing waited for is no news. */
void session_continue(struct imap_session *session)
{
	struct session_out *out = &session->out;

	/* Before the announcement is out, the "+" cannot be its answer. */
	if (!out->waiting || out->sent < out->len)
		return;
	out->waiting = false;
	session->figures.turns++;
}

/*
 * Takes an answered request out of the list. One that is still going out goes on to its end, for
 * the server reads on; but where it waits for "+", its rest will never be asked for.
 */
void session_retire(struct imap_session *session, struct imap_request *request)
{
	TAILQ_REMOVE(&session->requests, request, link);
	session->window_commands--;
	session->window_bytes -= request->size;
	session->selecting -= request->kind == REQUEST_SELECT;
	session->changing -= session_is_change(request);
	session->compress.bulk -= session_is_bulk(request);
	request->answered = true;
	if (session->out.current != request)
		session_request_free(request);
	else if (session->out.waiting)
		session_leave_current(session);
}
