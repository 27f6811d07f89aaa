// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap/response.h"

#include "base/array.h"
#include "imap/code.h"
#include "imap/command.h"
#include "imap/parser.h"
#include "mail/digest.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define RESPONSE_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Makes room for what answers point to. */
void response_init(struct response *response)
{
	*response = (struct response){0};
	buf_init(&response->scratch, IMAP_LINE_MAX);
}

/* Frees what answers pointed to. */
void response_free(struct response *response)
{
	uidset_free(&response->uids);
	uidset_free(&response->uids_to);
	buf_free(&response->scratch);
	free(response->numbers);
	free(response->namespaces);
}

/* The buffer for strings that are put together: all room at once, so that none of them moves. */
static struct buf *response_scratch(struct response *response)
{
	if (response->scratch.len == 0)
		buf_reserve(&response->scratch, response->line_len);
	return &response->scratch;
}

/* What a string holds, its backslashes taken out. */
struct imap_string response_string(struct response *response, const struct lex_token *token)
{
	if (!token->escaped)
		return (struct imap_string){token->bytes, token->len};

	struct buf *scratch = response_scratch(response);
	size_t start = scratch->len;

	lex_unescape(token, scratch);
	return (struct imap_string){scratch->data + start, scratch->len - start};
}

/* Whether a token is the sign of a "LITERAL +" that some servers write apart. */
static bool response_is_apart(const struct buf *scratch, size_t start,
			      const struct lex_token *token)
{
	static const char literal[] = "LITERAL";
	size_t len = sizeof(literal) - 1;

	return (lex_is_word(token, "+") || lex_is_word(token, "-")) &&
	       scratch->len - start >= len &&
	       memcmp(scratch->data + scratch->len - len, literal, len) == 0;
}

/* Puts atoms together with one blank between. */
int response_join(struct response *response, struct lex_cursor *cursor, struct imap_string *out,
		  struct error *err)
{
	struct buf *scratch = response_scratch(response);
	size_t start = scratch->len;
	struct lex_token token;

	for (;;) {
		if (lex_token(cursor, false, &token, err) < 0)
			return -1;
		if (token.kind == LEX_END)
			break;
		if (token.kind != LEX_ATOM && token.kind != LEX_NIL)
			continue;
		if (scratch->len > start && !response_is_apart(scratch, start, &token))
			buf_putc(scratch, ' ');
		buf_append(scratch, token.bytes, token.len);
	}
	*out = (struct imap_string){scratch->data + start, scratch->len - start};
	return 0;
}

/* CAPABILITY, ENABLED and FLAGS: atoms. */
static int response_read_atoms(struct response *response, struct lex_cursor *cursor,
			       struct imap_answer *answer, struct error *err)
{
	return response_join(response, cursor, &answer->text, err);
}

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
static int response_read_namespace(struct response *response, struct lex_cursor *cursor,
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

	for (size_t i = 0; i < RESPONSE_COUNT(attributes); i++) {
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
static int response_read_list(struct response *response, struct lex_cursor *cursor,
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
	while (i < RESPONSE_COUNT(items) && !lex_is_word(name, items[i].name))
		i++;
	if (i == RESPONSE_COUNT(items))
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
static int response_read_status(struct response *response, struct lex_cursor *cursor,
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

/* Orders numbers, for qsort(3). */
static int response_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/*
 * SEARCH: UIDs one by one, "(MODSEQ n)" perhaps last. They are sorted before they are added: the
 * server chooses their order, and each out of order would move all others.
 */
static int response_read_search(struct response *response, struct lex_cursor *cursor,
				struct imap_answer *answer, struct error *err)
{
	bool ascending = true;
	uint32_t last = 0;

	response->numbers_len = 0;
	for (;;) {
		struct lex_cursor before = *cursor;
		struct lex_token token;
		uint64_t number;

		if (lex_token(cursor, false, &token, err) < 0)
			return -1;
		if (token.kind == LEX_END)
			break;
		if (token.kind == LEX_OPEN) {
			if (lex_skip_until(cursor, LEX_CLOSE, err) < 0)
				return -1;
			continue;
		}
		if (token.kind != LEX_ATOM ||
		    lex_number(token.bytes, token.len, UINT32_MAX, &number) < 0 || number == 0)
			return lex_malformed(&before, err, "an impossible UID");
		ascending = ascending && number > last;
		last = (uint32_t)number;
		*array_push(response->numbers, response->numbers_len, response->numbers_cap) = last;
	}
	if (!ascending)
		qsort(response->numbers, response->numbers_len, sizeof(uint32_t), response_compare);
	for (size_t i = 0; i < response->numbers_len; i++)
		uidset_add(&response->uids, response->numbers[i]);
	if (response->uids.len > IMAP_RANGES_MAX)
		return lex_malformed(cursor, err, "too many UIDs");
	answer->uids = &response->uids;
	return 0;
}

/* Reads a set of UIDs. */
static int response_read_set(struct response *response, struct lex_cursor *cursor,
			     struct error *err)
{
	struct lex_cursor before = *cursor;
	struct lex_token token;

	if (lex_expect(cursor, LEX_ATOM, &token, err) < 0)
		return -1;
	if (uidset_parse(&response->uids, token.bytes, token.len, IMAP_RANGES_MAX) < 0)
		return lex_malformed(&before, err, "a bad set of UIDs");
	return 0;
}

/* ESEARCH: without UID it holds sequence numbers, which are nothing to us. */
static int response_read_esearch(struct response *response, struct lex_cursor *cursor,
				 struct imap_answer *answer, struct error *err)
{
	bool uid = false;

	for (;;) {
		struct lex_cursor before = *cursor;
		struct lex_token token;
		int rc = 0;

		if (lex_token(cursor, false, &token, err) < 0)
			return -1;
		if (token.kind == LEX_END)
			break;
		if (token.kind == LEX_OPEN)
			rc = lex_skip_until(cursor, LEX_CLOSE, err);
		else if (token.kind != LEX_ATOM)
			rc = lex_malformed(&before, err, "something unexpected in an ESEARCH");
		else if (lex_is_word(&token, "UID"))
			uid = true;
		else if (lex_is_word(&token, "ALL"))
			rc = response_read_set(response, cursor, err);
		else
			rc = lex_skip_value(cursor, err);
		if (rc < 0)
			return -1;
	}
	answer->kind = uid ? IMAP_SEARCH : IMAP_OTHER;
	answer->uids = uid ? &response->uids : NULL;
	return 0;
}

/* VANISHED, with (EARLIER) or not. */
static int response_read_vanished(struct response *response, struct lex_cursor *cursor,
				  struct imap_answer *answer, struct error *err)
{
	struct lex_cursor before = *cursor;
	struct lex_token token;

	answer->uids = &response->uids;
	if (lex_token(cursor, false, &token, err) < 0)
		return -1;
	if (token.kind == LEX_OPEN) {
		if (lex_expect(cursor, LEX_ATOM, &token, err) < 0)
			return -1;
		if (!lex_is_word(&token, "EARLIER"))
			return lex_malformed(&before, err, "an unknown kind of VANISHED");
		answer->earlier = true;
		if (lex_expect(cursor, LEX_CLOSE, &token, err) < 0)
			return -1;
		before = *cursor;
		if (lex_token(cursor, false, &token, err) < 0)
			return -1;
	}
	if (token.kind == LEX_END)
		return 0;
	*cursor = before;
	if (response_read_set(response, cursor, err) < 0)
		return -1;
	return lex_expect(cursor, LEX_END, &token, err);
}

/* What starts with a number: EXISTS, EXPUNGE and what we do not know. */
static int response_read_numbered(struct lex_cursor *cursor, const struct lex_token *number,
				  struct imap_answer *answer, struct error *err)
{
	struct lex_cursor before = {number->bytes, cursor->end};
	struct lex_token word;
	uint64_t value;

	if (lex_number(number->bytes, number->len, UINT32_MAX, &value) < 0)
		return lex_malformed(&before, err, "a number that does not fit");
	if (lex_expect(cursor, LEX_ATOM, &word, err) < 0)
		return -1;
	answer->number = (uint32_t)value;
	answer->name = (struct imap_string){word.bytes, word.len};
	lex_rest(cursor, &answer->text.bytes, &answer->text.len);
	answer->kind = IMAP_OTHER;
	if (lex_is_word(&word, "EXISTS"))
		answer->kind = IMAP_EXISTS;
	else if (lex_is_word(&word, "EXPUNGE"))
		answer->kind = IMAP_EXPUNGE;
	if ((answer->kind == IMAP_EXPUNGE || lex_is_word(&word, "FETCH")) && value == 0)
		return lex_malformed(&before, err, "sequence number 0");
	return 0;
}

/* Which status a word is, -1 for none. */
static int response_find_status(const struct lex_token *word)
{
	static const char *const names[] = {
	    [IMAP_OK] = "OK", [IMAP_NO] = "NO", [IMAP_BAD] = "BAD", [IMAP_PREAUTH] = "PREAUTH"};

	for (size_t i = 0; i < RESPONSE_COUNT(names); i++) {
		if (lex_is_word(word, names[i]))
			return (int)i;
	}
	return -1;
}

/* An untagged response that starts with a word. */
static int response_read_named(struct response *response, struct lex_cursor *cursor,
			       const struct lex_token *word, struct imap_answer *answer,
			       struct error *err)
{
	static const struct {
		const char *name;
		enum imap_kind kind;
		int (*read)(struct response *response, struct lex_cursor *cursor,
			    struct imap_answer *answer, struct error *err);
	} readers[] = {
	    {"LIST", IMAP_LIST, response_read_list},
	    {"LSUB", IMAP_LSUB, response_read_list},
	    {"STATUS", IMAP_STATUS, response_read_status},
	    {"SEARCH", IMAP_SEARCH, response_read_search},
	    {"ESEARCH", IMAP_SEARCH, response_read_esearch},
	    {"VANISHED", IMAP_VANISHED, response_read_vanished},
	    {"FLAGS", IMAP_FLAGS, response_read_atoms},
	    {"CAPABILITY", IMAP_CAPABILITY, response_read_atoms},
	    {"ENABLED", IMAP_ENABLED, response_read_atoms},
	    {"NAMESPACE", IMAP_NAMESPACE, response_read_namespace},
	    {"BYE", IMAP_BYE, code_read},
	};
	int status = response_find_status(word);

	if (status >= 0) {
		answer->kind = IMAP_STATUS_LINE;
		answer->status = (enum imap_status)status;
		return code_read(response, cursor, answer, err);
	}
	for (size_t i = 0; i < RESPONSE_COUNT(readers); i++) {
		if (!lex_is_word(word, readers[i].name))
			continue;
		answer->kind = readers[i].kind;
		return readers[i].read(response, cursor, answer, err);
	}
	answer->kind = IMAP_OTHER;
	answer->name = (struct imap_string){word->bytes, word->len};
	lex_rest(cursor, &answer->text.bytes, &answer->text.len);
	return 0;
}

/* The end of a command: one of our tags, exactly as we wrote it. */
static int response_read_tagged(struct response *response, struct lex_cursor *cursor,
				struct imap_answer *answer, struct error *err)
{
	struct lex_cursor before = *cursor;
	struct lex_token token;
	uint64_t tag;

	if (lex_token(cursor, false, &token, err) < 0)
		return -1;
	if (token.kind != LEX_ATOM || token.len < 2 || token.bytes != before.at ||
	    token.bytes[0] != IMAP_TAG_LETTER || token.bytes[1] == '0' ||
	    lex_number(token.bytes + 1, token.len - 1, UINT_MAX, &tag) < 0)
		return lex_malformed(&before, err, "neither a tag of ours nor anything known");
	if (lex_token(cursor, true, &token, err) < 0)
		return -1;
	int status = response_find_status(&token);
	if (status < 0 || status == IMAP_PREAUTH)
		return lex_malformed(&before, err, "no status");
	answer->kind = IMAP_TAGGED;
	answer->tag = (unsigned)tag;
	answer->status = (enum imap_status)status;
	return code_read(response, cursor, answer, err);
}

/* Reads one line of any kind but FETCH. */
int response_read(struct response *response, const char *line, size_t len,
		  struct imap_answer *answer, struct error *err)
{
	struct lex_cursor cursor = {line, line + len};
	struct lex_token token;

	uidset_clear(&response->uids);
	uidset_clear(&response->uids_to);
	buf_reset(&response->scratch);
	response->line_len = len;
	if (len > 0 && line[0] == '+') {
		cursor.at++;
		answer->kind = IMAP_CONTINUE;
		lex_rest(&cursor, &answer->text.bytes, &answer->text.len);
		return 0;
	}
	if (len == 0 || line[0] != '*')
		return response_read_tagged(response, &cursor, answer, err);
	cursor.at++;
	struct lex_cursor before = cursor;
	if (lex_token(&cursor, true, &token, err) < 0)
		return -1;
	if (token.kind == LEX_ATOM && token.bytes[0] >= '0' && token.bytes[0] <= '9')
		return response_read_numbered(&cursor, &token, answer, err);
	if (token.kind != LEX_ATOM || !isalpha((unsigned char)token.bytes[0]))
		return lex_malformed(&before, err, "no response");
	return response_read_named(response, &cursor, &token, answer, err);
}

/* Tells lines apart by their first words, as far as literals are concerned. */
enum response_line response_classify(struct lex_cursor *cursor, uint32_t *sequence)
{
	struct lex_token token;
	uint64_t number;

	if (cursor->at == cursor->end || *cursor->at != '*')
		return RESPONSE_TEXT;
	cursor->at++;
	if (lex_token(cursor, true, &token, NULL) < 0)
		return RESPONSE_DATA;
	if (response_find_status(&token) >= 0 || lex_is_word(&token, "BYE"))
		return RESPONSE_TEXT;
	if (token.kind != LEX_ATOM || lex_number(token.bytes, token.len, UINT32_MAX, &number) < 0 ||
	    number == 0 || lex_token(cursor, false, &token, NULL) < 0 ||
	    !lex_is_word(&token, "FETCH"))
		return RESPONSE_DATA;
	*sequence = (uint32_t)number;
	return RESPONSE_FETCH;
}
