// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * When the line becomes a compressed one (RFC 4978).
 *
 * What follows the OK's line break is compressed, and nothing may be said before the OK or NO is
 * there. So COMPRESS goes out last of the first flight, or alone: never behind a command whose
 * answer is long, for servers may still be writing that when they turn their output round. While it
 * is on its way the session receives byte by byte: not one of the compressed stream is taken for
 * text.
 */
#include "imap/session-inner.h"

/*
 * FETCHes of messages on their way while it is open whether the line is a slow one: what was asked
 * comes as it is, and on a slow line that can be minutes. Two of a MiB each keep a fast line busy
 * until enough has moved to tell.
 */
#define COMPRESS_AHEAD 2

/* Whether it is worth asking at all. */
static bool compress_is_offered(const struct imap_session *session)
{
	return !session->compress.asked && session_usable(&session->server) & IMAP_CAP_COMPRESS;
}

/* Whether a request moves messages. */
bool session_is_bulk(const struct imap_request *request)
{
	return request->kind == REQUEST_BODIES || request->kind == REQUEST_APPEND;
}

/* Makes the request. */
static struct imap_request *compress_request(struct imap_session *session)
{
	struct imap_request *request =
	    session_queue_begin(session, REQUEST_COMPRESS, "COMPRESS DEFLATE");

	session->compress.asked = true;
	request->call = 0;
	return request;
}

/* Asks outright. */
void session_queue_compress(struct imap_session *session)
{
	if (session->compress.wanted == IMAP_COMPRESS_YES && compress_is_offered(session))
		session_queue_end(session, compress_request(session));
}

/* Asks ahead of many rows, at a moment when nothing is on its way. */
void imap_expect_rows(struct imap_session *session, uint64_t bytes)
{
	if (session->compress.wanted == IMAP_COMPRESS_AUTO && compress_is_offered(session) &&
	    TAILQ_EMPTY(&session->requests) &&
	    imap_deflate_pays_for(&session->compress.pace, bytes))
		session_queue_end(session, compress_request(session));
}

/* Only what moves while messages are on their way tells how fast the line is. */
void session_compress_note(struct imap_session *session, size_t bytes, int64_t waited_ms)
{
	struct session_compress *compress = &session->compress;

	if (compress->bulk == 0)
		return;
	compress->pace.bytes += bytes;
	compress->pace.waited_ms += (uint64_t)waited_ms;
}

/* Whether a FETCH of messages would be asked too far ahead of knowing the line. */
static bool compress_holds(const struct session_compress *compress,
			   const struct imap_request *request)
{
	return request->kind == REQUEST_BODIES && compress->bulk >= COMPRESS_AHEAD &&
	       imap_deflate_may_pay(&compress->pace);
}

/* Asks before a message where that has come to pay, at a moment when nothing is on its way. */
struct imap_request *session_compress_before(struct imap_session *session,
					     struct imap_request *request)
{
	const struct session_compress *compress = &session->compress;

	if (compress->wanted != IMAP_COMPRESS_AUTO || !session_is_bulk(request) ||
	    !compress_is_offered(session))
		return request;
	if (compress_holds(compress, request))
		return NULL;
	if (!imap_deflate_pays(&compress->pace))
		return request;
	if (session->window_commands > 0)
		return NULL;
	return session_queue_first(session, compress_request(session));
}

/* Turns both directions round; a refusal is no news worth telling. */
void session_compress_answered(struct imap_session *session, bool ok)
{
	session->compress.waiting = false;
	if (ok)
		imap_transport_compress(session->transport);
}
