// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap/response-mailbox.h"

#include "base/array.h"
#include "mail/digest.h"

#include <stdbool.h>
#include <stddef.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The hierarchy delimiter of LIST and NAMESPACE. */
static int response_read_delimiter(struct response *response, struct lex_cursor *cursor, char *out,
				   struct error *err)
{
	struct lex_cursor before = *cursor;
	struct lex_token token;

	if (lex_expect_string(cursor, &token, err) < 0)
		return -1;
	struct imap_string text = response_string(response, &token);
	if (token.kind == LEX_NIL || text.len == 0)
		*out = '\0';
	else if (text.len == 1)
		*out = text.bytes[0];
	else
		return lex_malformed(&before, err, "an impossible delimiter");
	return 0;
}

/* The namespaces of one kind of owner. */
static int response_read_owned(struct response *response, struct lex_cursor *cursor,
			       enum imap_owner owner, struct error *err)
{
	struct imap_namespace namespace = {.owner = owner};
	struct lex_token token;

	if (lex_token(cursor, false, &token, err) < 0)
		return -1;
	if (token.kind == LEX_NIL)
		return 0;
	if (token.kind != LEX_OPEN)
		return lex_malformed(cursor, err, "no list in a NAMESPACE");
	for (;;) {
		if (lex_token(cursor, false, &token, err) < 0)
			return -1;
		if (token.kind == LEX_CLOSE)
			return 0;
		if (token.kind != LEX_OPEN)
			return lex_malformed(cursor, err, "no list in a NAMESPACE");
		if (lex_expect_string(cursor, &token, err) < 0 ||
		    response_read_delimiter(response, cursor, &namespace.delimiter, err) < 0)
			return -1;
		namespace.prefix = response_string(response, &token);
		if (token.kind == LEX_NIL)
			namespace.prefix.len = 0;
		if (lex_skip_until(cursor, LEX_CLOSE, err) < 0)
			return -1;
		*array_push(response->namespaces, response->namespaces_len,
			    response->namespaces_cap) = namespace;
	}
}

/* NAMESPACE: ours, then others' and shared ones; where those make no sense they are left out. */
int response_read_namespace(struct response *response, struct lex_cursor *cursor,
			    struct imap_answer *answer, struct error *err)
{
	response->namespaces_len = 0;
	if (response_read_owned(response, cursor, IMAP_PERSONAL, err) < 0)
		return -1;
	for (enum imap_owner owner = IMAP_OTHERS; owner < IMAP_OWNERS; owner++) {
		struct lex_cursor ahead = *cursor;

		if (response_read_owned(response, &ahead, owner, NULL) < 0)
			break;
		*cursor = ahead;
	}
	answer->namespaces = response->namespaces;
	answer->namespaces_len = response->namespaces_len;
	return lex_skip_until(cursor, LEX_END, err);
}

/* One attribute of a LIST; those unknown say nothing to us. */
static unsigned response_find_attribute(const struct lex_token *token)
{
	static const struct {
		const char *name;
		unsigned bits;
	} attributes[] = {
	    {"\\Noselect", IMAP_NOSELECT},
	    {"\\NonExistent", IMAP_NONEXISTENT | IMAP_NOSELECT},
	    {"\\Noinferiors", IMAP_NOINFERIORS},
	    {"\\All", IMAP_ALL},
	    {"\\Archive", IMAP_ARCHIVE},
	    {"\\Drafts", IMAP_DRAFTS},
	    {"\\Flagged", IMAP_FLAGGED},
	    {"\\Junk", IMAP_JUNK},
	    {"\\Sent", IMAP_SENT},
	    {"\\Trash", IMAP_TRASH},
	    {"\\Subscribed", IMAP_SUBSCRIBED},
	};

	for (size_t i = 0; i < COUNT(attributes); i++) {
		if (lex_is_word(token, attributes[i].name))
			return attributes[i].bits;
	}
	return 0;
}

/* The attributes of a LIST. */
static int response_read_attributes(struct lex_cursor *cursor, unsigned *out, struct error *err)
{
	struct lex_cursor before = *cursor;
	struct lex_token token;

	if (lex_token(cursor, false, &token, err) < 0)
		return -1;
	if (token.kind == LEX_NIL)
		return 0;
	if (token.kind != LEX_OPEN)
		return lex_malformed(&before, err, "no list of attributes");
	for (;;) {
		before = *cursor;
		if (lex_token(cursor, false, &token, err) < 0)
			return -1;
		if (token.kind == LEX_CLOSE)
			return 0;
		if (!lex_is_string(&token))
			return lex_malformed(&before, err, "no attribute");
		*out |= response_find_attribute(&token);
	}
}

/* LIST, with or without extended data, and LSUB. */
int response_read_list(struct response *response, struct lex_cursor *cursor,
		       struct imap_answer *answer, struct error *err)
{
	struct lex_token token;

	if (response_read_attributes(cursor, &answer->attributes, err) < 0 ||
	    response_read_delimiter(response, cursor, &answer->delimiter, err) < 0 ||
	    lex_expect_string(cursor, &token, err) < 0)
		return -1;
	answer->name = response_string(response, &token);
	if (lex_token(cursor, false, &token, err) < 0)
		return -1;
	if (token.kind == LEX_OPEN) {
		if (lex_skip_until(cursor, LEX_CLOSE, err) < 0)
			return -1;
		return lex_expect(cursor, LEX_END, &token, err);
	}
	if (token.kind != LEX_END)
		return lex_malformed(cursor, err, "something after a LIST");
	return 0;
}

/* Takes an object id in its brackets. */
int response_take_id(struct lex_cursor *cursor, uint64_t *out)
{
	struct lex_token id, token;

	if (lex_expect(cursor, LEX_OPEN, &token, NULL) < 0 ||
	    lex_token(cursor, false, &id, NULL) < 0 || !lex_is_object_id(&id) ||
	    lex_expect(cursor, LEX_CLOSE, &token, NULL) < 0)
		return -1;
	*out = digest_hash_id(id.bytes, id.len);
	return 0;
}

/* MAILBOXID of STATUS; one that cannot be read is not told. */
static int response_take_mailbox_id(struct imap_mailbox_status *mailbox, struct lex_cursor *cursor,
				    struct error *err)
{
	struct lex_cursor ahead = *cursor;

	if (response_take_id(&ahead, &mailbox->mailbox_id) < 0)
		return lex_skip_value(cursor, err);
	mailbox->has |= IMAP_HAS_MAILBOX_ID;
	*cursor = ahead;
	return 0;
}

/* What one item of STATUS is told by, and where it goes. */
static int response_take_status(struct imap_mailbox_status *mailbox, const struct lex_token *name,
				struct lex_cursor *cursor, struct error *err)
{
	static const struct {
		const char *name;
		int has;
		uint64_t max;
		bool from_one; /* 0 is as good as not told */
	} items[] = {
	    {"MESSAGES", IMAP_HAS_MESSAGES, UINT32_MAX, false},
	    {"UIDNEXT", IMAP_HAS_UIDNEXT, UINT32_MAX, true},
	    {"UIDVALIDITY", IMAP_HAS_UIDVALIDITY, UINT32_MAX, true},
	    {"HIGHESTMODSEQ", IMAP_HAS_HIGHESTMODSEQ, UINT64_MAX, false},
	};
	struct lex_cursor before = *cursor;
	struct lex_token token;
	uint64_t number;
	size_t i = 0;

	if (lex_is_word(name, "MAILBOXID"))
		return response_take_mailbox_id(mailbox, cursor, err);
	while (i < COUNT(items) && !lex_is_word(name, items[i].name))
		i++;
	if (i == COUNT(items))
		return lex_skip_value(cursor, err);
	if (lex_token(cursor, false, &token, err) < 0)
		return -1;
	if (token.kind == LEX_NIL ||
	    (items[i].has == IMAP_HAS_HIGHESTMODSEQ && lex_is_word(&token, "-1")))
		return 0;
	if (token.kind != LEX_ATOM || lex_number(token.bytes, token.len, items[i].max, &number) < 0)
		return lex_malformed(&before, err, "a bad number in a STATUS");
	if (number == 0 && items[i].from_one)
		return 0;
	mailbox->has |= items[i].has;
	switch (items[i].has) {
	case IMAP_HAS_MESSAGES: mailbox->messages = (uint32_t)number; break;
	case IMAP_HAS_UIDNEXT: mailbox->uidnext = (uint32_t)number; break;
	case IMAP_HAS_UIDVALIDITY: mailbox->uidvalidity = (uint32_t)number; break;
	default: mailbox->highestmodseq = number; break;
	}
	return 0;
}

/* STATUS: a mailbox and what is told about it. */
int response_read_status(struct response *response, struct lex_cursor *cursor,
			 struct imap_answer *answer, struct error *err)
{
	struct lex_token token;

	if (lex_expect_string(cursor, &token, err) < 0)
		return -1;
	answer->name = response_string(response, &token);
	if (lex_expect(cursor, LEX_OPEN, &token, err) < 0)
		return -1;
	for (;;) {
		struct lex_cursor before = *cursor;

		if (lex_token(cursor, false, &token, err) < 0)
			return -1;
		if (token.kind == LEX_CLOSE)
			return lex_expect(cursor, LEX_END, &token, err);
		if (token.kind != LEX_ATOM)
			return lex_malformed(&before, err, "no item in a STATUS");
		if (response_take_status(&answer->mailbox, &token, cursor, err) < 0)
			return -1;
	}
}
