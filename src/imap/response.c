// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap/response.h"

#include "base/array.h"
#include "imap/code.h"
#include "imap/command.h"
#include "imap/parser.h"
#include "imap/response-mailbox.h"

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

/* Whether a response starts with a number and a word. */
static bool response_is_numbered(const struct lex_token *number, struct lex_cursor cursor)
{
	struct lex_token word;

	return number->kind == LEX_ATOM && isdigit((unsigned char)number->bytes[0]) &&
	       lex_expect(&cursor, LEX_ATOM, &word, NULL) == 0;
}

/* Of a status line only a code about the mailbox can be malformed, and its text is any text. */
bool response_may_pass(const char *line, size_t len)
{
	static const char *const names[] = {"STATUS", "SEARCH", "ESEARCH", "VANISHED"};
	struct lex_cursor cursor = {line, line + len};
	struct lex_token word;

	if (len == 0 || *cursor.at++ != '*' || lex_token(&cursor, true, &word, NULL) < 0)
		return false;
	if (response_find_status(&word) >= 0)
		return true;
	bool may = response_is_numbered(&word, cursor);

	for (size_t i = 0; i < RESPONSE_COUNT(names); i++)
		may = may || lex_is_word(&word, names[i]);
	return may && lex_skip_until(&cursor, LEX_END, NULL) == 0;
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
