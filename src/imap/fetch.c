// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap/fetch.h"

#include "imap/parser.h"
#include "mail/date.h"
#include "mail/digest.h"
#include "mail/header.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

/* Forgets the response before. */
void fetch_start(struct fetch *fetch, uint32_t sequence)
{
	*fetch = (struct fetch){.values = {.sequence = sequence}};
}

/* Which item a name means; those with a section get it when the section is over. */
static enum fetch_item fetch_find_item(const struct lex_token *name)
{
	static const struct {
		const char *name;
		enum fetch_item item;
	} items[] = {
	    {"UID", FETCH_UID},           {"FLAGS", FETCH_FLAGS},      {"MODSEQ", FETCH_MODSEQ},
	    {"INTERNALDATE", FETCH_DATE}, {"RFC822.SIZE", FETCH_SIZE}, {"RFC822", FETCH_BODY},
	    {"EMAILID", FETCH_EMAIL_ID},  {"X-GM-MSGID", FETCH_GMAIL_ID},
	};

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		if (lex_is_word(name, items[i].name))
			return items[i].item;
	}
	return FETCH_OTHER;
}

/* Says what is wrong, from the token on. */
static int fetch_fail(const struct lex_token *token, const struct lex_cursor *cursor,
		      struct error *err, const char *what)
{
	struct lex_cursor place = {token->bytes, cursor->end};

	return lex_malformed(&place, err, what);
}

/* Reads an item's name, or the end of the response. */
static int fetch_read_name(struct fetch *fetch, const struct lex_token *token,
			   struct lex_cursor *cursor, struct error *err)
{
	if (token->kind == LEX_CLOSE) {
		fetch->state = FETCH_AT_END;
		return 0;
	}
	if (token->kind != LEX_ATOM)
		return fetch_fail(token, cursor, err, "no item name in a FETCH");
	fetch->item = fetch_find_item(token);
	fetch->state = FETCH_AT_VALUE;
	if (cursor->at == cursor->end || *cursor->at != '[')
		return 0;
	cursor->at++;
	fetch->item = lex_is_word(token, "BODY") ? FETCH_BODY : FETCH_OTHER;
	fetch->state = FETCH_IN_SECTION;
	fetch->words = 0;
	fetch->wanted = true;
	return 0;
}

/* Whether an atom or string, in any case, is this word. */
static bool fetch_is_named(const struct lex_token *token, const char *word)
{
	return token->len == strlen(word) && strncasecmp(token->bytes, word, token->len) == 0;
}

/* Notes one token between the brackets after BODY. */
static int fetch_read_section(struct fetch *fetch, const struct lex_token *token,
			      const struct lex_cursor *cursor, struct error *err)
{
	static const char *const message_id[] = {"HEADER.FIELDS", "(", "MESSAGE-ID", ")"};

	if (token->kind == LEX_BRACKET && *token->bytes == '[')
		return fetch_fail(token, cursor, err, "a broken section");
	if (token->kind != LEX_BRACKET) {
		fetch->wanted = fetch->wanted && fetch->words < 4 &&
				fetch_is_named(token, message_id[fetch->words]);
		fetch->words = fetch->words < 4 ? fetch->words + 1 : 5;
		return 0;
	}
	if (fetch->item == FETCH_BODY && fetch->words == 4 && fetch->wanted)
		fetch->item = FETCH_MESSAGE_ID;
	else if (fetch->words > 0)
		fetch->item = FETCH_OTHER;
	fetch->state = FETCH_AT_ORIGIN;
	return 0;
}

/* Reads the "<0>" that may follow a section: a part of a body from elsewhere on is no body. */
static int fetch_read_origin(struct fetch *fetch, const struct lex_token *token,
			     const struct lex_cursor *cursor, struct error *err)
{
	uint64_t origin;

	if (token->kind != LEX_ATOM || token->len < 3 || token->bytes[token->len - 1] != '>' ||
	    lex_number(token->bytes + 1, token->len - 2, UINT32_MAX, &origin) < 0)
		return fetch_fail(token, cursor, err, "a broken origin");
	if (origin > 0)
		fetch->item = FETCH_OTHER;
	fetch->state = FETCH_AT_VALUE;
	return 0;
}

/* Takes a number of the item, an atom of digits up to max. */
static int fetch_take_number(const struct lex_token *token, uint64_t max, uint64_t *out,
			     const struct lex_cursor *cursor, struct error *err)
{
	if (token->kind != LEX_ATOM || lex_number(token->bytes, token->len, max, out) < 0)
		return fetch_fail(token, cursor, err, "a bad number in a FETCH");
	return 0;
}

/* Takes the UID; one that is 0, or another than a moment ago, names no message. */
static int fetch_take_uid(struct fetch *fetch, const struct lex_token *token,
			  const struct lex_cursor *cursor, struct error *err)
{
	struct imap_fetch *values = &fetch->values;
	uint64_t uid;

	if (fetch_take_number(token, UINT32_MAX, &uid, cursor, err) < 0)
		return -1;
	if (uid == 0 || ((values->has & IMAP_HAS_UID) && values->uid != uid))
		return fetch_fail(token, cursor, err, "an impossible UID");
	values->uid = (uint32_t)uid;
	values->has |= IMAP_HAS_UID;
	return 0;
}

/* Takes a modification sequence. */
static int fetch_take_modseq(struct fetch *fetch, const struct lex_token *token,
			     const struct lex_cursor *cursor, struct error *err)
{
	if (lex_is_word(token, "-1"))
		return 0;
	fetch->values.has |= IMAP_HAS_MODSEQ;
	return fetch_take_number(token, UINT64_MAX, &fetch->values.modseq, cursor, err);
}

/* Takes the header field that was asked for. */
static void fetch_take_message_id(struct fetch *fetch, const struct lex_token *token)
{
	struct header_scan scan = {0};

	header_feed(&scan, token->bytes, token->len);
	fetch->values.message_id = header_message_id(&scan);
	fetch->values.has |= IMAP_HAS_MESSAGE_ID;
}

/* Takes an object id out of its brackets. */
static void fetch_take_email_id(struct fetch *fetch, const struct lex_token *token)
{
	if (!lex_is_object_id(token))
		return;
	fetch->values.email_id = digest_hash_id(token->bytes, token->len);
	fetch->values.has |= IMAP_HAS_EMAIL_ID;
}

/* Takes Gmail's number of a message, which is one of 64 bits already. */
static void fetch_take_gmail_id(struct fetch *fetch, const struct lex_token *token)
{
	uint64_t id;

	if (token->kind != LEX_ATOM || lex_number(token->bytes, token->len, UINT64_MAX, &id) < 0 ||
	    !id)
		return;
	fetch->values.email_id = id;
	fetch->values.has |= IMAP_HAS_EMAIL_ID;
}

/* Takes a body that is no literal: the server's way to say that there is none. */
static int fetch_take_nil_body(struct fetch *fetch, const struct lex_token *token,
			       const struct lex_cursor *cursor, struct error *err)
{
	assert(token->kind != LEX_LITERAL);
	if (token->kind == LEX_ATOM || (fetch->values.has & (IMAP_HAS_BODY | IMAP_HAS_NIL_BODY)))
		return fetch_fail(token, cursor, err, "a bad body in a FETCH");
	fetch->values.has |= IMAP_HAS_NIL_BODY;
	return 0;
}

/* Takes the value of an item that is a single token. */
static int fetch_take_value(struct fetch *fetch, const struct lex_token *token,
			    const struct lex_cursor *cursor, struct error *err)
{
	struct imap_fetch *values = &fetch->values;

	if (fetch->item == FETCH_BODY)
		return fetch_take_nil_body(fetch, token, cursor, err);
	if (token->kind == LEX_NIL && fetch->item != FETCH_UID)
		return 0;
	switch (fetch->item) {
	case FETCH_UID: return fetch_take_uid(fetch, token, cursor, err);
	case FETCH_MODSEQ: return fetch_take_modseq(fetch, token, cursor, err);
	case FETCH_SIZE:
		values->has |= IMAP_HAS_SIZE;
		return fetch_take_number(token, UINT64_MAX, &values->size, cursor, err);
	case FETCH_DATE:
		if (date_from_imap(token->bytes, token->len, &values->date) == 0)
			values->has |= IMAP_HAS_DATE;
		return 0;
	case FETCH_MESSAGE_ID: fetch_take_message_id(fetch, token); return 0;
	case FETCH_GMAIL_ID: fetch_take_gmail_id(fetch, token); return 0;
	case FETCH_FLAGS: return fetch_fail(token, cursor, err, "no list of flags");
	default: return 0;
	}
}

/* Opens the list that is an item's value. */
static int fetch_open_list(struct fetch *fetch, const struct lex_token *token,
			   const struct lex_cursor *cursor, struct error *err)
{
	switch (fetch->item) {
	case FETCH_OTHER:
	case FETCH_EMAIL_ID:
	case FETCH_GMAIL_ID:
	case FETCH_MODSEQ: break;
	case FETCH_FLAGS:
		fetch->values.flags = (struct flags){0};
		fetch->values.has |= IMAP_HAS_FLAGS;
		break;
	default: return fetch_fail(token, cursor, err, "a list where none can be");
	}
	fetch->depth = 2;
	fetch->state = FETCH_IN_LIST;
	return 0;
}

/* Reads the start of a value. */
static int fetch_read_value(struct fetch *fetch, const struct lex_token *token,
			    const struct lex_cursor *cursor, struct error *err)
{
	if (token->kind == LEX_OPEN)
		return fetch_open_list(fetch, token, cursor, err);
	if (!lex_is_string(token))
		return fetch_fail(token, cursor, err, "no value in a FETCH");
	fetch->state = FETCH_AT_NAME;
	return fetch_take_value(fetch, token, cursor, err);
}

/* Reads on in the list that is an item's value. */
static int fetch_read_list(struct fetch *fetch, const struct lex_token *token,
			   const struct lex_cursor *cursor, struct error *err)
{
	switch (token->kind) {
	case LEX_OPEN:
		if (++fetch->depth > IMAP_DEPTH_MAX)
			return fetch_fail(token, cursor, err, "lists nested too deeply");
		return 0;
	case LEX_CLOSE:
		if (--fetch->depth == 1)
			fetch->state = FETCH_AT_NAME;
		return 0;
	default: break;
	}
	if (fetch->depth > 2)
		return 0;
	if (fetch->item == FETCH_MODSEQ)
		return fetch_take_modseq(fetch, token, cursor, err);
	if (fetch->item == FETCH_EMAIL_ID)
		fetch_take_email_id(fetch, token);
	if (fetch->item == FETCH_FLAGS)
		fetch->values.flags =
		    flags_union(fetch->values.flags, flag_from_imap(token->bytes, token->len));
	return 0;
}

/* Takes one token, wherever it stands. */
static int fetch_read_token(struct fetch *fetch, const struct lex_token *token,
			    struct lex_cursor *cursor, struct error *err)
{
	switch (fetch->state) {
	case FETCH_AT_START:
		if (token->kind != LEX_OPEN)
			return fetch_fail(token, cursor, err, "no list in a FETCH");
		fetch->state = FETCH_AT_NAME;
		return 0;
	case FETCH_AT_NAME: return fetch_read_name(fetch, token, cursor, err);
	case FETCH_IN_SECTION: return fetch_read_section(fetch, token, cursor, err);
	case FETCH_AT_ORIGIN: return fetch_read_origin(fetch, token, cursor, err);
	case FETCH_AT_VALUE: return fetch_read_value(fetch, token, cursor, err);
	case FETCH_IN_LIST: return fetch_read_list(fetch, token, cursor, err);
	case FETCH_AT_END: break;
	}
	return fetch_fail(token, cursor, err, "something after the end of a FETCH");
}

/* Reads a piece of the line to its end. */
int fetch_read(struct fetch *fetch, struct lex_cursor *cursor, struct error *err)
{
	struct lex_token token;

	for (;;) {
		bool names = fetch->state == FETCH_AT_NAME || fetch->state == FETCH_IN_SECTION;

		if (fetch->state == FETCH_AT_ORIGIN &&
		    (cursor->at == cursor->end || *cursor->at != '<'))
			fetch->state = FETCH_AT_VALUE;
		if (lex_token(cursor, names, &token, err) < 0)
			return -1;
		if (token.kind == LEX_END)
			return 0;
		if (fetch_read_token(fetch, &token, cursor, err) < 0)
			return -1;
	}
}

/* Whether a literal that comes now is the message. */
bool fetch_awaits_body(const struct fetch *fetch)
{
	return fetch->state == FETCH_AT_VALUE && fetch->item == FETCH_BODY;
}

/* Notes the body that is about to stream by. */
int fetch_take_body(struct fetch *fetch, uint64_t len, struct error *err)
{
	if (fetch->values.has & (IMAP_HAS_BODY | IMAP_HAS_NIL_BODY))
		return error_set(err, ERROR_PROTOCOL, SCOPE_STORE,
				 "the server sent two bodies for one message");
	if (len > IMAP_BODY_MAX)
		return error_set(err, ERROR_PROTOCOL, SCOPE_STORE,
				 "the server announced a body of more than %u bytes",
				 IMAP_BODY_MAX);
	fetch->values.has |= IMAP_HAS_BODY;
	fetch->values.body_size = len;
	fetch->state = FETCH_AT_NAME;
	return 0;
}

/* Checks that the response is whole at the end of its line. */
int fetch_finish(const struct fetch *fetch, const struct lex_cursor *cursor, struct error *err)
{
	if (fetch->state != FETCH_AT_END)
		return lex_malformed(cursor, err, "no end of a FETCH");
	return 0;
}
