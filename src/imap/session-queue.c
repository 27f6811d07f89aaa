// SPDX-License-Identifier: GPL-3.0-or-later
/* The commands: each put into words by what the server offers, and at the end of the queue. */
#include "base/alloc.h"
#include "imap/session-inner.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Makes a request with the next tag. */
static struct imap_request *request_new(struct imap_session *session, enum request_kind kind)
{
	struct imap_request *request = xcalloc(1, sizeof(*request));

	request->kind = kind;
	request->tag = ++session->next_tag;
	request->call = request->tag;
	imap_command_init(&request->command);
	return request;
}

/* Begins a request of one command. */
struct imap_request *session_queue_begin(struct imap_session *session, enum request_kind kind,
					 const char *words)
{
	struct imap_request *request = request_new(session, kind);

	imap_command_begin(&request->command, request->tag, words);
	return request;
}

/* Puts a request whose command is whole into the queue. */
static unsigned request_push(struct imap_session *session, struct imap_request *request)
{
	request->size += request->command.text.len;
	TAILQ_INSERT_TAIL(&session->requests, request, link);
	if (!session->unsent)
		session->unsent = request;
	return request->call;
}

/* Ends a request's command and puts it into the queue. */
unsigned session_queue_end(struct imap_session *session, struct imap_request *request)
{
	imap_command_end(&request->command);
	return request_push(session, request);
}

/* Ends a request's command and puts it before the queue. */
struct imap_request *session_queue_first(struct imap_session *session, struct imap_request *request)
{
	assert(session->window_commands == 0);
	imap_command_end(&request->command);
	request->size += request->command.text.len;
	TAILQ_INSERT_HEAD(&session->requests, request, link);
	session->unsent = request;
	return request;
}

/* Frees what an answer was kept in. */
void session_kept_free(struct kept_answer **kept)
{
	if (!*kept)
		return;
	buf_free(&(*kept)->text);
	buf_free(&(*kept)->code_text);
	free(*kept);
	*kept = NULL;
}

/* Closes the sources of a request that has any, whether they were read or not. */
void session_request_close_sources(struct imap_request *request)
{
	for (size_t i = 0; i < request->sources_len; i++)
		request->sources[i].close(request->sources[i].context);
	free(request->sources);
	request->sources = NULL;
	request->sources_len = 0;
}

/* Frees a request. */
void session_request_free(struct imap_request *request)
{
	session_request_close_sources(request);
	session_kept_free(&request->bad);
	imap_command_free(&request->command);
	free(request);
}

/* One command over a UID set, cut into as many as its length needs, all one call. */
static unsigned queue_uids(struct imap_session *session, enum request_kind kind, const char *words,
			   const struct uidset *uids, const struct imap_command *args)
{
	unsigned call = 0;

	assert(uids->len > 0);
	for (size_t next = 0; next < uids->len;) {
		struct imap_request *request = request_new(session, kind);

		imap_command_build_uids(&request->command, request->tag, words, uids, &next,
					session->server.profile.line_max, args);
		call = call ? call : request->tag;
		request->call = call;
		request_push(session, request);
	}
	return call;
}

/* One command about a mailbox and nothing else. */
static unsigned queue_mailbox(struct imap_session *session, const char *words, const char *wire,
			      size_t len)
{
	struct imap_request *request = session_queue_begin(session, REQUEST_PLAIN, words);

	imap_command_put_astring(&request->command, wire, len);
	return session_queue_end(session, request);
}

/* Asks for the capabilities. */
void session_queue_capability(struct imap_session *session)
{
	struct imap_request *request =
	    session_queue_begin(session, REQUEST_CAPABILITY, "CAPABILITY");

	request->call = 0;
	session_queue_end(session, request);
}

/* Asks for an ID: nothing but what the server calls itself is of interest. */
static void queue_id(struct imap_session *session)
{
	struct imap_request *request =
	    session_queue_begin(session, REQUEST_ID, "ID (\"name\" \"evenmail\")");

	request->call = 0;
	session_queue_end(session, request);
}

/* Turns on what is only on where that was asked for, and only before the first SELECT. */
static void queue_enable(struct imap_session *session)
{
	unsigned usable = session_usable(&session->server);
	struct imap_request *request = session_queue_begin(session, REQUEST_ENABLE, "ENABLE");

	if (usable & IMAP_CAP_QRESYNC)
		imap_command_put_text(&request->command, "QRESYNC");
	else if (usable & IMAP_CAP_CONDSTORE)
		imap_command_put_text(&request->command, "CONDSTORE");
	if (usable & IMAP_CAP_UTF8_ACCEPT)
		imap_command_put_text(&request->command, "UTF8=ACCEPT");
	request->call = 0;
	session->server.enable_due = false;
	session_queue_end(session, request);
}

/*
 * What is asked once: ID first, for some servers refuse all else before it (163, QQ), but not where
 * the greeting named one that is known. ENABLE next, where it changes how mailboxes are named; else
 * with the first SELECT, for a run with nothing to do has none. COMPRESS last, for nothing may
 * follow it unanswered.
 */
void session_queue_setup(struct imap_session *session)
{
	struct session_server *server = &session->server;
	unsigned usable = session_usable(server);
	struct imap_request *request;

	if (usable & IMAP_CAP_ID && (session->probe || !server->profile.named))
		queue_id(session);
	server->qresync = usable & IMAP_CAP_ENABLE && usable & IMAP_CAP_QRESYNC;
	server->enable_due =
	    usable & IMAP_CAP_ENABLE &&
	    usable & (IMAP_CAP_QRESYNC | IMAP_CAP_CONDSTORE | IMAP_CAP_UTF8_ACCEPT);
	if (server->enable_due && (session->probe || usable & IMAP_CAP_UTF8_ACCEPT))
		queue_enable(session);
	if (usable & IMAP_CAP_NAMESPACE) {
		request = session_queue_begin(session, REQUEST_NAMESPACE, "NAMESPACE");
		request->call = 0;
		session_queue_end(session, request);
	}
	session_queue_compress(session);
}

/* Puts the items of STATUS, in brackets. */
static void put_status_items(struct imap_command *command, unsigned usable)
{
	imap_command_put_format(command, "(UIDVALIDITY UIDNEXT MESSAGES%s%s)",
				usable & IMAP_CAP_CONDSTORE ? " HIGHESTMODSEQ" : "",
				usable & IMAP_CAP_OBJECTID ? " MAILBOXID" : "");
}

/* LIST-STATUS has the same words, though some offer it without LIST-EXTENDED. */
bool imap_list_extended(const struct imap_session *session)
{
	return session_usable(&session->server) & (IMAP_CAP_LIST_EXTENDED | IMAP_CAP_LIST_STATUS);
}

/* All mailboxes, with their uses and figures as far as one command can tell them here. */
unsigned imap_list_all(struct imap_session *session, bool with_status, bool with_subscribed)
{
	unsigned usable = session_usable(&session->server);
	bool status = with_status && usable & IMAP_CAP_LIST_STATUS;
	bool use = usable & IMAP_CAP_SPECIAL_USE && imap_list_extended(session);
	struct imap_request *request =
	    session_queue_begin(session, status ? REQUEST_READ : REQUEST_PLAIN, "LIST \"\" \"*\"");
	struct buf *text = &request->command.text;
	const char *before = " RETURN (";

	if (with_subscribed) {
		buf_printf(text, "%sSUBSCRIBED", before);
		before = " ";
	}
	if (use) {
		buf_printf(text, "%sSPECIAL-USE", before);
		before = " ";
	}
	if (status) {
		buf_printf(text, "%sSTATUS", before);
		put_status_items(&request->command, usable);
	}
	if (with_subscribed || use || status)
		buf_putc(text, ')');
	return session_queue_end(session, request);
}

/* All subscriptions, as IMAP4rev1 has it. */
unsigned imap_lsub_all(struct imap_session *session)
{
	return session_queue_end(
	    session, session_queue_begin(session, REQUEST_PLAIN, "LSUB \"\" \"*\""));
}

/* A STATUS of one mailbox. */
static unsigned queue_status(struct imap_session *session, enum request_kind kind, const char *wire,
			     size_t len)
{
	struct imap_request *request = session_queue_begin(session, kind, "STATUS");

	imap_command_put_astring(&request->command, wire, len);
	put_status_items(&request->command, session_usable(&session->server));
	return session_queue_end(session, request);
}

/* One mailbox's figures. */
unsigned imap_status(struct imap_session *session, const char *wire, size_t len)
{
	return queue_status(session, REQUEST_READ, wire, len);
}

/* The same unheld. */
unsigned imap_status_at_once(struct imap_session *session, const char *wire, size_t len)
{
	return queue_status(session, REQUEST_PLAIN, wire, len);
}

/* Opens a mailbox, with all that changed in it where the server can say that. */
unsigned imap_select(struct imap_session *session, const char *wire, size_t len, bool read_only,
		     uint32_t uidvalidity, uint64_t modseq, uint32_t known)
{
	bool examine = read_only || session->read_only;
	struct imap_request *request;

	if (session->server.enable_due)
		queue_enable(session);
	request = session_queue_begin(session, REQUEST_SELECT, examine ? "EXAMINE" : "SELECT");
	imap_command_put_astring(&request->command, wire, len);
	if (session->server.qresync && uidvalidity > 0 && modseq > 0 && known > 0)
		imap_command_put_format(&request->command,
					"(QRESYNC (%" PRIu32 " %" PRIu64 " 1:%" PRIu32 "))",
					uidvalidity, modseq, known);
	else if (session_usable(&session->server) & IMAP_CAP_CONDSTORE)
		imap_command_put_text(&request->command, "(CONDSTORE)");
	buf_reset(&session->mailbox);
	buf_append(&session->mailbox, wire, len);
	return session_queue_end(session, request);
}

/*
 * Closes the mailbox and expunges nothing. Without UNSELECT: CLOSE, which expunges, but not where
 * the mailbox is open for reading only; so it is opened that way first.
 */
unsigned imap_unselect(struct imap_session *session)
{
	if (session_usable(&session->server) & IMAP_CAP_UNSELECT)
		return session_queue_end(
		    session, session_queue_begin(session, REQUEST_UNSELECT, "UNSELECT"));
	struct imap_request *request = session_queue_begin(session, REQUEST_SELECT, "EXAMINE");

	imap_command_put_astring(&request->command, session->mailbox.data, session->mailbox.len);
	unsigned call = session_queue_end(session, request);

	request = session_queue_begin(session, REQUEST_CLOSE, "CLOSE");
	request->call = call;
	return session_queue_end(session, request);
}

/*
 * What of a FETCH this server understands: MODSEQ without CONDSTORE is BAD at some (GMX). Gmail's
 * own ids come first, for it has always had them: what was once noted by one kind is found by it
 * again.
 */
static unsigned fetch_items(const struct imap_session *session, unsigned items,
			    uint64_t *changed_since)
{
	unsigned usable = session_usable(&session->server);

	if (items & IMAP_FETCH_EMAIL_ID) {
		items &= ~(unsigned)IMAP_FETCH_EMAIL_ID;
		if (usable & IMAP_CAP_GMAIL)
			items |= IMAP_FETCH_GMAIL_ID;
		else if (usable & IMAP_CAP_OBJECTID)
			items |= IMAP_FETCH_EMAIL_ID;
	}
	if (usable & IMAP_CAP_CONDSTORE)
		return items;
	*changed_since = 0;
	return items & ~(unsigned)IMAP_FETCH_MODSEQ;
}

/* What a FETCH of these items is. */
static enum request_kind fetch_kind(unsigned items)
{
	return items & IMAP_FETCH_BODY ? REQUEST_BODIES : REQUEST_READ;
}

/* Fetches of a set of messages. */
unsigned imap_uid_fetch(struct imap_session *session, const struct uidset *uids, unsigned items,
			uint64_t changed_since)
{
	struct imap_command args;

	items = fetch_items(session, items, &changed_since);
	imap_command_init(&args);
	imap_command_put_items(&args, items, changed_since);
	unsigned call = queue_uids(session, fetch_kind(items), "UID FETCH", uids, &args);

	imap_command_free(&args);
	return call;
}

/* Fetches of all messages from a UID on. */
unsigned imap_uid_fetch_from(struct imap_session *session, uint32_t first, unsigned items,
			     uint64_t changed_since)
{
	struct imap_request *request = session_queue_begin(session, fetch_kind(items), "UID FETCH");

	assert(first > 0);
	items = fetch_items(session, items, &changed_since);
	imap_command_put_format(&request->command, "%" PRIu32 ":*", first);
	imap_command_put_items(&request->command, items, changed_since);
	return session_queue_end(session, request);
}

/* A search, its answer as ranges where the server can. */
static unsigned queue_search(struct imap_session *session, const char *key)
{
	struct imap_request *request = session_queue_begin(session, REQUEST_READ, "UID SEARCH");

	if (session_usable(&session->server) & IMAP_CAP_ESEARCH)
		imap_command_put_text(&request->command, "RETURN (ALL)");
	imap_command_put_text(&request->command, key);
	return session_queue_end(session, request);
}

/* All UIDs. */
unsigned imap_uid_search_all(struct imap_session *session)
{
	return queue_search(session, "ALL");
}

/* Those marked as deleted. */
unsigned imap_uid_search_deleted(struct imap_session *session)
{
	return queue_search(session, "DELETED");
}

/* Sets or takes away flags. Which keywords a server keeps in truth only its answer shows. */
unsigned imap_uid_store(struct imap_session *session, const struct uidset *uids,
			enum imap_store_how how, struct flags flags)
{
	struct imap_command args;

	assert(!session->read_only && (flags.bits || flags.keywords));
	imap_command_init(&args);
	imap_command_put_text(&args, how == IMAP_STORE_REMOVE ? "-FLAGS.SILENT"
				     : flags.keywords         ? "+FLAGS"
							      : "+FLAGS.SILENT");
	imap_command_put_flags(&args, flags);
	unsigned call = queue_uids(session, REQUEST_CHANGE, "UID STORE", uids, &args);

	imap_command_free(&args);
	return call;
}

/* Removes those of a set that are marked as deleted. */
unsigned imap_uid_expunge(struct imap_session *session, const struct uidset *uids)
{
	assert(!session->read_only);
	return queue_uids(session, REQUEST_CHANGE, "UID EXPUNGE", uids, NULL);
}

/* Removes all that are marked as deleted. */
unsigned imap_expunge(struct imap_session *session)
{
	assert(!session->read_only);
	return session_queue_end(session, session_queue_begin(session, REQUEST_CHANGE, "EXPUNGE"));
}

/* Copies or moves a set into another mailbox. */
static unsigned queue_transfer(struct imap_session *session, const char *words,
			       const struct uidset *uids, const char *wire, size_t len)
{
	struct imap_command args;

	assert(!session->read_only);
	imap_command_init(&args);
	imap_command_put_astring(&args, wire, len);
	unsigned call = queue_uids(session, REQUEST_CHANGE, words, uids, &args);

	imap_command_free(&args);
	return call;
}

/* Copies. */
unsigned imap_uid_copy(struct imap_session *session, const struct uidset *uids, const char *wire,
		       size_t len)
{
	return queue_transfer(session, "UID COPY", uids, wire, len);
}

/* Moves. */
unsigned imap_uid_move(struct imap_session *session, const struct uidset *uids, const char *wire,
		       size_t len)
{
	return queue_transfer(session, "UID MOVE", uids, wire, len);
}

/* Uploads messages: what comes before each literal comes before each (RFC 3502). */
unsigned imap_append(struct imap_session *session, const char *wire, size_t len,
		     const struct imap_upload *uploads, size_t count)
{
	struct imap_request *request = session_queue_begin(session, REQUEST_APPEND, "APPEND");

	assert(!session->read_only && count > 0);
	request->sources = xcalloc(count, sizeof(*request->sources));
	request->sources_len = count;
	imap_command_put_astring(&request->command, wire, len);
	for (size_t i = 0; i < count; i++) {
		request->sources[i] = uploads[i].source;
		request->size += uploads[i].source.size;
		imap_command_put_flags(&request->command, uploads[i].flags);
		imap_command_put_date(&request->command, uploads[i].date);
		imap_command_put_stream(&request->command, uploads[i].source.size);
	}
	return session_queue_end(session, request);
}

/* Puts "(USE (\Sent))". */
static void put_uses(struct imap_command *command, unsigned uses)
{
	static const struct {
		enum imap_attribute use;
		const char *name;
	} names[] = {
	    {IMAP_ALL, "\\All"},         {IMAP_ARCHIVE, "\\Archive"}, {IMAP_DRAFTS, "\\Drafts"},
	    {IMAP_FLAGGED, "\\Flagged"}, {IMAP_JUNK, "\\Junk"},       {IMAP_SENT, "\\Sent"},
	    {IMAP_TRASH, "\\Trash"},
	};
	const char *before = " (USE (";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(uses & names[i].use))
			continue;
		buf_puts(&command->text, before);
		buf_puts(&command->text, names[i].name);
		before = " ";
	}
	buf_puts(&command->text, "))");
}

/* Makes a mailbox. */
unsigned imap_create(struct imap_session *session, const char *wire, size_t len, unsigned uses)
{
	struct imap_request *request = session_queue_begin(session, REQUEST_PLAIN, "CREATE");

	assert(!session->read_only);
	imap_command_put_astring(&request->command, wire, len);
	if (uses)
		put_uses(&request->command, uses);
	return session_queue_end(session, request);
}

/* Subscribes to a mailbox, or no more. */
unsigned imap_subscribe(struct imap_session *session, const char *wire, size_t len, bool subscribe)
{
	assert(!session->read_only);
	return queue_mailbox(session, subscribe ? "SUBSCRIBE" : "UNSUBSCRIBE", wire, len);
}

/* Renames a mailbox and all below it. */
unsigned imap_rename(struct imap_session *session, const char *from, size_t from_len,
		     const char *to, size_t to_len)
{
	struct imap_request *request = session_queue_begin(session, REQUEST_PLAIN, "RENAME");

	assert(!session->read_only);
	imap_command_put_astring(&request->command, from, from_len);
	imap_command_put_astring(&request->command, to, to_len);
	return session_queue_end(session, request);
}

/* Deletes a mailbox with all that is in it. */
unsigned imap_delete(struct imap_session *session, const char *wire, size_t len)
{
	assert(!session->read_only);
	return queue_mailbox(session, "DELETE", wire, len);
}
