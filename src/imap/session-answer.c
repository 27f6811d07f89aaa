// SPDX-License-Identifier: GPL-3.0-or-later
/* What the server says, applied: to the session, to the request that it answers, to the caller. */
#include "base/alloc.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "imap/session-inner.h"

#include <string.h>
#include <strings.h>

#define ANSWER_SHOWN_MAX 300 /* bytes of the server's words that are shown */

/* Shows what the server wants its user to read. */
static void answer_log_alert(const struct imap_session *session, const struct imap_answer *answer)
{
	struct buf shown;

	if (answer->code != IMAP_CODE_ALERT)
		return;
	buf_init(&shown, 4 * ANSWER_SHOWN_MAX + 8);
	text_escape(&shown, answer->text.bytes, answer->text.len, ANSWER_SHOWN_MAX);
	log_warn("%s: the server says: %s", session->host, shown.data);
	buf_free(&shown);
}

/* The server hangs up. */
static int answer_bye(const struct imap_session *session, const struct imap_answer *answer,
		      struct error *err)
{
	struct buf shown;

	buf_init(&shown, 4 * ANSWER_SHOWN_MAX + 8);
	text_escape(&shown, answer->text.bytes, answer->text.len, ANSWER_SHOWN_MAX);
	error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE, "%s: the server hung up: %s", session->host,
		  shown.data);
	buf_free(&shown);
	return -1;
}

/* Whether the blank-separated atoms hold this one. */
static bool answer_has_atom(const struct imap_answer *answer, const char *atom)
{
	struct imap_words words = {answer->text.bytes, answer->text.len};

	return imap_words_have(words, atom);
}

/* Keeps the ID answer, and what it tells of the server's ways. */
static void answer_apply_id(struct imap_session *session, const struct imap_answer *answer)
{
	struct session_server *server = &session->server;

	buf_reset(&server->id);
	buf_append(&server->id, answer->text.bytes, answer->text.len);
	session_choose_profile(session);
}

/* What of an untagged answer, or of a code, concerns the session itself. */
static void answer_apply(struct imap_session *session, const struct imap_answer *answer)
{
	struct session_server *server = &session->server;

	answer_log_alert(session, answer);
	if (answer->code == IMAP_CODE_CAPABILITY)
		session_set_capabilities(server, answer->code_text.bytes, answer->code_text.len);
	switch (answer->kind) {
	case IMAP_CAPABILITY:
		session_set_capabilities(server, answer->text.bytes, answer->text.len);
		break;
	case IMAP_ENABLED:
		server->enabled = true;
		server->qresync = answer_has_atom(answer, "QRESYNC");
		server->naming.utf8 = server->naming.utf8 || answer_has_atom(answer, "UTF8=ACCEPT");
		break;
	case IMAP_NAMESPACE: session_set_namespaces(server, answer); break;
	case IMAP_OTHER:
		if (answer->name.len == 2 && strncasecmp(answer->name.bytes, "ID", 2) == 0)
			answer_apply_id(session, answer);
		break;
	default: break;
	}
}

/* What an answered request means for the session. */
static void request_apply(struct imap_session *session, const struct imap_request *request, bool ok)
{
	switch (request->kind) {
	case REQUEST_SELECT: session->selected = ok; break;
	case REQUEST_UNSELECT:
	case REQUEST_CLOSE: session->selected = session->selected && !ok; break;
	case REQUEST_ENABLE:
		if (!ok || !session->server.enabled)
			session->server.qresync = false;
		break;
	case REQUEST_COMPRESS: session_compress_answered(session, ok); break;
	default: break;
	}
}

/* Another request of the same call, NULL where this is the last. */
static struct imap_request *request_sibling(struct imap_request *request)
{
	struct imap_request *next = TAILQ_NEXT(request, link);
	struct imap_request *prev = TAILQ_PREV(request, request_list, link);

	if (request->call == 0)
		return NULL;
	if (next && next->call == request->call)
		return next;
	return prev && prev->call == request->call ? prev : NULL;
}

/* Copies bytes behind what a string points to from then on. */
static void kept_copy(struct imap_string *string, struct buf *buf)
{
	buf_init(buf, SESSION_TEXT_MAX);
	if (!string->bytes)
		return;
	buf_append(buf, string->bytes,
		   string->len < SESSION_TEXT_MAX ? string->len : SESSION_TEXT_MAX);
	*string = (struct imap_string){buf->data, buf->len};
}

/* Keeps an answer beyond the next. */
static struct kept_answer *answer_keep(const struct imap_answer *answer)
{
	struct kept_answer *kept = xcalloc(1, sizeof(*kept));

	kept->answer = *answer;
	kept->answer.uids = NULL;
	kept->answer.uids_to = NULL;
	kept_copy(&kept->answer.text, &kept->text);
	kept_copy(&kept->answer.code_text, &kept->code_text);
	return kept;
}

/* Hands a kept answer out; it lives until the next answer is asked for. */
static void answer_hand(struct imap_session *session, struct kept_answer *kept,
			struct imap_answer *answer)
{
	session->handed = kept;
	*answer = kept->answer;
}

/*
 * Ends a request. Of a call in several requests the caller hears once, at the end of the last one,
 * the first bad status if there was any; what an OK tells on the way (COPYUID) is handed out as if
 * it had come untagged.
 */
static int request_finish(struct imap_session *session, struct imap_request *request,
			  struct imap_answer *answer)
{
	bool ok = answer->status == IMAP_OK;
	unsigned call = request->call;
	struct imap_request *sibling = request_sibling(request);
	struct kept_answer *bad = request->bad;
	bool tells = ok && answer->uids;

	request->bad = NULL;
	request_apply(session, request, ok);
	if (request->refused) {
		TAILQ_REMOVE(&session->requests, request, link);
		session_request_free(request);
	} else {
		session_retire(session, request);
	}
	answer->tag = call;
	if (call == 0)
		return 0;
	if (!bad && !ok && sibling)
		bad = answer_keep(answer);
	if (sibling && !sibling->bad)
		sibling->bad = bad;
	else if (sibling)
		session_kept_free(&bad);
	if ((sibling || bad) && tells) {
		answer->kind = IMAP_STATUS_LINE;
		if (!sibling)
			session->pending = bad;
		return 1;
	}
	if (!sibling && bad)
		answer_hand(session, bad, answer);
	return !sibling;
}

/* The request on its way that has this tag. */
static struct imap_request *request_find(struct imap_session *session, unsigned tag)
{
	struct imap_request *request;

	TAILQ_FOREACH(request, &session->requests, link)
	{
		if (request == session->unsent)
			return NULL;
		if (request->tag == tag && !request->refused)
			return request;
	}
	return NULL;
}

/* A tagged answer. */
static int answer_tagged(struct imap_session *session, struct imap_answer *answer,
			 struct error *err)
{
	struct imap_request *request = request_find(session, answer->tag);

	if (!request)
		return error_set(err, ERROR_PROTOCOL, SCOPE_STORE,
				 "%s: the server answered a command that was not asked (E%u)",
				 session->host, answer->tag);
	fault_point("imap answered");
	return request_finish(session, request, answer);
}

/* Applies an answer, and says whom it is for. */
int session_apply(struct imap_session *session, struct imap_answer *answer, struct error *err)
{
	struct imap_request *oldest = TAILQ_FIRST(&session->requests);

	answer_apply(session, answer);
	switch (answer->kind) {
	case IMAP_TAGGED: return answer_tagged(session, answer, err);
	case IMAP_CONTINUE: session_continue(session); return 0;
	case IMAP_BYE: return answer_bye(session, answer, err);
	default: break;
	}
	answer->tag = oldest ? oldest->call : 0;
	return 1;
}

/* Hands out what needs no server: the end of a split call, or a change that was not sent. */
int session_take_ready(struct imap_session *session, struct imap_answer *answer)
{
	static const char text[] = "not sent: the mailbox is not open";
	struct imap_request *oldest = TAILQ_FIRST(&session->requests);

	session_kept_free(&session->handed);
	if (session->pending) {
		struct kept_answer *kept = session->pending;

		session->pending = NULL;
		answer_hand(session, kept, answer);
		return 1;
	}
	while (oldest && oldest->refused) {
		*answer = (struct imap_answer){
		    .kind = IMAP_TAGGED, .status = IMAP_NO, .text = {text, sizeof(text) - 1}};
		if (request_finish(session, oldest, answer))
			return 1;
		oldest = TAILQ_FIRST(&session->requests);
	}
	return 0;
}
