// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap/lex.h"

#include "base/text.h"
#include "imap/parser.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#define LEX_PLACE_MAX     60  /* bytes of the wire that an error shows */
#define LEX_OBJECT_ID_MAX 255 /* bytes (RFC 8474) */

/* Makes a lexer at the start of a line. */
void lex_init(struct lex *lex)
{
	*lex = (struct lex){.in = ""};
	buf_init(&lex->held, IMAP_LINE_MAX);
}

/* Frees what a lexer holds. */
void lex_free(struct lex *lex)
{
	buf_free(&lex->held);
}

/* Takes the next bytes of the stream. */
void lex_feed(struct lex *lex, const char *bytes, size_t len)
{
	assert(lex->in_at == lex->in_len);
	lex->in = bytes;
	lex->in_len = len;
	lex->in_at = 0;
	lex->line_at = 0;
}

/* The line so far, its line end included. */
static void lex_raw(const struct lex *lex, const char **bytes, size_t *len)
{
	if (lex->held.len > 0) {
		*bytes = lex->held.data;
		*len = lex->held.len;
	} else {
		*bytes = lex->in + lex->line_at;
		*len = lex->in_at - lex->line_at;
	}
}

/* The line so far. */
void lex_line(const struct lex *lex, const char **bytes, size_t *len)
{
	lex_raw(lex, bytes, len);
	if (lex->state != LEX_AT_END)
		return;
	(*len)--;
	if (*len > lex->text_at && (*bytes)[*len - 1] == '\r')
		(*len)--;
}

/* Says that a line outgrew its bound. */
static int lex_too_long(struct error *err)
{
	return error_set(err, ERROR_PROTOCOL, SCOPE_STORE,
			 "the server sent a line of more than %u bytes", IMAP_LINE_MAX);
}

/* Makes the next len bytes part of the line, in place where it lies whole in what was fed. */
static int lex_extend(struct lex *lex, size_t len, struct error *err)
{
	const char *line;
	size_t line_len;

	lex_raw(lex, &line, &line_len);
	if (len > IMAP_LINE_MAX - line_len)
		return lex_too_long(err);
	if (lex->held.len > 0)
		buf_append(&lex->held, lex->in + lex->in_at, len);
	lex->in_at += len;
	return 0;
}

/* Copies a line that what was fed does not hold whole. */
static void lex_keep(struct lex *lex)
{
	if (lex->held.len == 0)
		buf_append(&lex->held, lex->in + lex->line_at, lex->in_at - lex->line_at);
}

/* Whether a piece of text ends in "{n}" or "{n+}" before its line feed: 1, 0; -1 on overflow. */
static int lex_find_announcement(const char *line, size_t from, size_t len,
				 struct lex_announced *out)
{
	size_t end = len - 1;

	if (end > from && line[end - 1] == '\r')
		end--;
	if (end == from || line[end - 1] != '}')
		return 0;
	end--;
	if (end > from && line[end - 1] == '+')
		end--;
	size_t at = end;
	while (at > from && line[at - 1] >= '0' && line[at - 1] <= '9')
		at--;
	if (at == end || at == from || line[at - 1] != '{')
		return 0;
	if (lex_number(line + at, end - at, UINT64_MAX, &out->len) < 0)
		return -1;
	at--;
	out->at = at > from && line[at - 1] == '~' ? at - 1 : at;
	return 1;
}

/* Reads on to the next line feed and looks at what stands before it. */
static enum lex_event lex_next_text(struct lex *lex, struct error *err)
{
	const char *start = lex->in + lex->in_at;
	size_t left = lex->in_len - lex->in_at;
	const char *feed = left > 0 ? memchr(start, '\n', left) : NULL;

	if (lex_extend(lex, feed ? (size_t)(feed - start) + 1 : left, err) < 0)
		return LEX_FAILED;
	if (!feed) {
		lex_keep(lex);
		return LEX_MORE;
	}

	const char *line;
	size_t len;
	lex_raw(lex, &line, &len);
	int found = lex_find_announcement(line, lex->text_at, len, &lex->announced);
	if (found < 0) {
		struct lex_cursor cursor = {line + lex->text_at, line + len};
		return lex_malformed(&cursor, err, "a literal of impossible length");
	}
	lex->state = found ? LEX_IN_ANNOUNCEMENT : LEX_AT_END;
	return found ? LEX_ANNOUNCED : LEX_LINE;
}

/* Reads a literal into the line. */
static enum lex_event lex_next_held(struct lex *lex, struct error *err)
{
	size_t left = lex->in_len - lex->in_at;
	size_t take = lex->pending < left ? (size_t)lex->pending : left;

	if (lex_extend(lex, take, err) < 0)
		return LEX_FAILED;
	lex->pending -= take;
	if (lex->pending > 0) {
		lex_keep(lex);
		return LEX_MORE;
	}
	const char *line;
	lex_raw(lex, &line, &lex->text_at);
	lex->state = LEX_IN_TEXT;
	return lex_next_text(lex, err);
}

/* Hands out a literal's next piece. */
static enum lex_event lex_next_streamed(struct lex *lex, struct error *err)
{
	size_t left = lex->in_len - lex->in_at;

	if (lex->pending == 0) {
		lex->text_at = lex->held.len;
		lex->state = LEX_IN_TEXT;
		return lex_next_text(lex, err);
	}
	if (left == 0)
		return LEX_MORE;
	lex->data = lex->in + lex->in_at;
	lex->data_len = lex->pending < left ? (size_t)lex->pending : left;
	lex->in_at += lex->data_len;
	lex->pending -= lex->data_len;
	return LEX_DATA;
}

/* The next event. */
enum lex_event lex_next(struct lex *lex, struct error *err)
{
	switch (lex->state) {
	case LEX_IN_HELD: return lex_next_held(lex, err);
	case LEX_IN_STREAM: return lex_next_streamed(lex, err);
	case LEX_AT_REFUSED: lex->state = LEX_AT_END; return LEX_LINE;
	case LEX_AT_END:
		buf_reset(&lex->held);
		lex->line_at = lex->in_at;
		lex->text_at = 0;
		lex->state = LEX_IN_TEXT;
		break;
	case LEX_IN_TEXT: break;
	case LEX_IN_ANNOUNCEMENT: assert(false); break;
	}
	return lex_next_text(lex, err);
}

/* Takes the announced literal into the line, if it fits. */
int lex_hold(struct lex *lex, struct error *err)
{
	const char *line;
	size_t len;

	assert(lex->state == LEX_IN_ANNOUNCEMENT);
	lex_raw(lex, &line, &len);
	if (lex->announced.len > IMAP_LINE_MAX - len)
		return lex_too_long(err);
	lex->pending = lex->announced.len;
	lex->state = LEX_IN_HELD;
	return 0;
}

/* Hands the announced literal out; the line before it is copied, for it no longer lies whole. */
void lex_stream(struct lex *lex)
{
	assert(lex->state == LEX_IN_ANNOUNCEMENT);
	lex_keep(lex);
	lex->pending = lex->announced.len;
	lex->state = LEX_IN_STREAM;
}

/* Takes the announcement for the line's text. */
void lex_refuse(struct lex *lex)
{
	assert(lex->state == LEX_IN_ANNOUNCEMENT);
	lex->state = LEX_AT_REFUSED;
}

/* Says what is wrong with a line, and where. */
int lex_malformed(const struct lex_cursor *cursor, struct error *err, const char *what)
{
	struct buf place;

	buf_init(&place, (size_t)8 * LEX_PLACE_MAX);
	text_escape(&place, cursor->at, (size_t)(cursor->end - cursor->at), LEX_PLACE_MAX);
	error_set(err, ERROR_PROTOCOL, SCOPE_STORE, "the server's answer has %s at \"%s\"", what,
		  place.data);
	buf_free(&place);
	return -1;
}

/* Reads a number of digits only. */
int lex_number(const char *bytes, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t number = 0;

	if (len == 0)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] < '0' || bytes[i] > '9')
			return -1;
		uint64_t digit = (uint64_t)(bytes[i] - '0');
		if (digit > max || number > (max - digit) / 10)
			return -1;
		number = number * 10 + digit;
	}
	*out = number;
	return 0;
}

/* Whether a byte may be part of an atom here. */
static bool lex_is_atom_byte(char c, bool brackets)
{
	switch (c) {
	case ' ':
	case '(':
	case ')':
	case '"':
	case '{':
	case 0x7f: return false;
	case '[':
	case ']': return !brackets;
	default: return (unsigned char)c > ' ';
	}
}

/* Reads an atom; at least one byte of it. */
static int lex_read_atom(struct lex_cursor *cursor, bool brackets, struct lex_token *token,
			 struct error *err)
{
	const char *at = cursor->at;

	while (at < cursor->end && lex_is_atom_byte(*at, brackets))
		at++;
	if (at == cursor->at)
		return lex_malformed(cursor, err, "an unexpected byte");
	*token = (struct lex_token){LEX_ATOM, false, cursor->at, (size_t)(at - cursor->at)};
	if (lex_is_word(token, "NIL"))
		token->kind = LEX_NIL;
	cursor->at = at;
	return 0;
}

/* Reads a quoted string, the cursor being at its first quote. */
static int lex_read_quoted(struct lex_cursor *cursor, struct lex_token *token, struct error *err)
{
	const char *at = cursor->at + 1;
	bool escaped = false;

	for (; at < cursor->end && *at != '"'; at++) {
		if (*at == '\\') {
			escaped = true;
			at++;
		}
		if (at == cursor->end || *at == '\r' || *at == '\n' || *at == '\0')
			break;
	}
	if (at == cursor->end || *at != '"')
		return lex_malformed(cursor, err, "an unending quoted string");
	*token =
	    (struct lex_token){LEX_QUOTED, escaped, cursor->at + 1, (size_t)(at - cursor->at) - 1};
	cursor->at = at + 1;
	return 0;
}

/* Reads a held literal, the cursor being at its opening brace. */
static int lex_read_literal(struct lex_cursor *cursor, struct lex_token *token, struct error *err)
{
	const char *feed = memchr(cursor->at, '\n', (size_t)(cursor->end - cursor->at));
	struct lex_announced announced;

	if (!feed ||
	    lex_find_announcement(cursor->at, 0, (size_t)(feed + 1 - cursor->at), &announced) <=
		0 ||
	    announced.at != 0 || announced.len > (size_t)(cursor->end - (feed + 1)))
		return lex_malformed(cursor, err, "a brace that announces no literal");
	*token = (struct lex_token){LEX_LITERAL, false, feed + 1, (size_t)announced.len};
	cursor->at = feed + 1 + announced.len;
	return 0;
}

/* Reads one token of any kind. */
int lex_token(struct lex_cursor *cursor, bool brackets, struct lex_token *token, struct error *err)
{
	while (cursor->at < cursor->end && *cursor->at == ' ')
		cursor->at++;
	*token = (struct lex_token){LEX_END, false, cursor->at, 0};
	if (cursor->at == cursor->end)
		return 0;
	switch (*cursor->at) {
	case '(': token->kind = LEX_OPEN; break;
	case ')': token->kind = LEX_CLOSE; break;
	case '"': return lex_read_quoted(cursor, token, err);
	case '{': return lex_read_literal(cursor, token, err);
	case '~':
		if (cursor->end - cursor->at > 1 && cursor->at[1] == '{')
			return lex_read_literal(cursor, token, err);
		return lex_read_atom(cursor, brackets, token, err);
	case '[':
	case ']':
		if (!brackets)
			return lex_read_atom(cursor, brackets, token, err);
		token->kind = LEX_BRACKET;
		break;
	default: return lex_read_atom(cursor, brackets, token, err);
	}
	token->len = 1;
	cursor->at++;
	return 0;
}

/* Reads a token that must be of one kind. */
int lex_expect(struct lex_cursor *cursor, enum lex_kind kind, struct lex_token *token,
	       struct error *err)
{
	struct lex_cursor before = *cursor;

	if (lex_token(cursor, false, token, err) < 0)
		return -1;
	if (token->kind != kind)
		return lex_malformed(&before, err, "something unexpected");
	return 0;
}

/* Reads a token that must be an atom or a string. */
int lex_expect_string(struct lex_cursor *cursor, struct lex_token *token, struct error *err)
{
	struct lex_cursor before = *cursor;

	if (lex_token(cursor, false, token, err) < 0)
		return -1;
	if (!lex_is_string(token))
		return lex_malformed(&before, err, "no string");
	return 0;
}

/* Skips one value of any shape. */
int lex_skip_value(struct lex_cursor *cursor, struct error *err)
{
	struct lex_token token;
	unsigned depth = 0;

	do {
		struct lex_cursor before = *cursor;

		if (lex_token(cursor, false, &token, err) < 0)
			return -1;
		if (token.kind == LEX_OPEN && ++depth > IMAP_DEPTH_MAX)
			return lex_malformed(&before, err, "lists nested too deeply");
		if (token.kind == LEX_END || (token.kind == LEX_CLOSE && depth == 0))
			return lex_malformed(&before, err, "no value");
		if (token.kind == LEX_CLOSE)
			depth--;
	} while (depth > 0);
	return 0;
}

/* Skips values up to the end of a list or of the line, and over it. */
int lex_skip_until(struct lex_cursor *cursor, enum lex_kind kind, struct error *err)
{
	for (;;) {
		struct lex_cursor before = *cursor;
		struct lex_token token;

		if (lex_token(cursor, false, &token, err) < 0)
			return -1;
		if (token.kind == kind)
			return 0;
		*cursor = before;
		if (lex_skip_value(cursor, err) < 0)
			return -1;
	}
}

/* Reads the rest of a line as text. */
void lex_rest(struct lex_cursor *cursor, const char **bytes, size_t *len)
{
	if (cursor->at < cursor->end && *cursor->at == ' ')
		cursor->at++;
	*bytes = cursor->at;
	*len = (size_t)(cursor->end - cursor->at);
	cursor->at = cursor->end;
}

/* Whether a token is an astring, loosely. */
bool lex_is_string(const struct lex_token *token)
{
	return token->kind >= LEX_ATOM;
}

/*
 * Compares an atom with a word of ours. Bytes that differ in more than the bit of their case tell
 * most words apart at once; every item of every FETCH comes by here.
 */
bool lex_is_word(const struct lex_token *token, const char *word)
{
	if ((token->kind != LEX_ATOM && token->kind != LEX_NIL) ||
	    ((token->bytes[0] ^ word[0]) & ~0x20) != 0)
		return false;
	return strlen(word) == token->len && strncasecmp(token->bytes, word, token->len) == 0;
}

/* What an object id may hold. */
bool lex_is_object_id(const struct lex_token *token)
{
	if (token->kind != LEX_ATOM || token->len > LEX_OBJECT_ID_MAX)
		return false;
	for (size_t i = 0; i < token->len; i++) {
		unsigned char c = (unsigned char)token->bytes[i];

		if (!isalnum(c) && c != '-' && c != '_')
			return false;
	}
	return true;
}

/* Takes the backslashes out of a quoted string. */
void lex_unescape(const struct lex_token *token, struct buf *out)
{
	for (size_t i = 0; i < token->len; i++) {
		if (token->bytes[i] == '\\' && i + 1 < token->len)
			i++;
		buf_putc(out, token->bytes[i]);
	}
}
