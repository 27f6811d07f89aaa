// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap/parser.h"

#include "base/alloc.h"
#include "imap/fetch.h"
#include "imap/lex.h"
#include "imap/response.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct imap_parser {
	struct lex lex;
	struct response response;
	struct fetch fetch; /* the FETCH that is being read */
	bool classified;    /* of the current line: kind and resume are known */
	enum response_line kind;
	size_t resume;  /* of a FETCH: where in its line reading goes on */
	bool malformed; /* of a FETCH: error says why, its literals are held from there on */
	bool failed;
	struct error error; /* why, once malformed or failed */
};

/* Makes a parser at the start of a line. */
struct imap_parser *imap_parser_open(void)
{
	struct imap_parser *parser = xcalloc(1, sizeof(*parser));

	lex_init(&parser->lex);
	response_init(&parser->response);
	return parser;
}

/* Frees a parser. */
void imap_parser_close(struct imap_parser **parser)
{
	if (!*parser)
		return;
	lex_free(&(*parser)->lex);
	response_free(&(*parser)->response);
	free(*parser);
	*parser = NULL;
}

/* Takes bytes from the wire; after an error they are nothing to us. */
void imap_parser_feed(struct imap_parser *parser, const char *bytes, size_t len)
{
	if (!parser->failed)
		lex_feed(&parser->lex, bytes, len);
}

/* Finds out what the line is that has come to its end or to a literal. */
static void parser_classify(struct imap_parser *parser, const char *line, size_t len)
{
	struct lex_cursor cursor = {line, line + len};
	uint32_t sequence = 0;

	if (parser->classified)
		return;
	parser->classified = true;
	parser->malformed = false;
	parser->kind = response_classify(&cursor, &sequence);
	if (parser->kind != RESPONSE_FETCH)
		return;
	fetch_start(&parser->fetch, sequence);
	parser->resume = (size_t)(cursor.at - line);
}

/* Decides what an announced literal is: part of human text, a body to hand out, or to be held. */
static int parser_take_literal(struct imap_parser *parser, struct error *err)
{
	size_t at = parser->lex.announced.at;
	const char *line;
	size_t len;

	lex_line(&parser->lex, &line, &len);
	parser_classify(parser, line, at);
	if (parser->kind == RESPONSE_TEXT) {
		lex_refuse(&parser->lex);
		return 0;
	}
	if (parser->kind != RESPONSE_FETCH || parser->malformed)
		return lex_hold(&parser->lex, err);

	struct lex_cursor cursor = {line + parser->resume, line + at};
	if (fetch_read(&parser->fetch, &cursor, err) < 0) {
		parser->malformed = true;
		return parser->fetch.values.has & IMAP_HAS_BODY ? -1 : lex_hold(&parser->lex, err);
	}
	parser->resume = at;
	if (!fetch_awaits_body(&parser->fetch))
		return lex_hold(&parser->lex, err);
	if (fetch_take_body(&parser->fetch, parser->lex.announced.len, err) < 0)
		return -1;
	parser->resume = len;
	lex_stream(&parser->lex);
	return 0;
}

/* Reads what is left of a FETCH as an answer. */
static int parser_end_fetch(struct imap_parser *parser, const char *line, size_t len,
			    struct imap_answer *answer, struct error *err)
{
	struct lex_cursor cursor = {line + parser->resume, line + len};

	if (parser->malformed || fetch_read(&parser->fetch, &cursor, err) < 0 ||
	    fetch_finish(&parser->fetch, &cursor, err) < 0)
		return -1;
	answer->kind = IMAP_FETCH;
	answer->fetch = parser->fetch.values;
	return 0;
}

/* Makes an answer of a whole line; of one that cannot be read, too, if only it is that one. */
static int parser_take_line(struct imap_parser *parser, struct imap_answer *answer,
			    struct error *err)
{
	const char *line;
	size_t len;
	int rc;

	lex_line(&parser->lex, &line, &len);
	parser_classify(parser, line, len);
	parser->classified = false;
	*answer = (struct imap_answer){0};
	if (parser->kind == RESPONSE_FETCH)
		rc = parser_end_fetch(parser, line, len, answer, err);
	else
		rc = response_read(&parser->response, line, len, answer, err);
	if (rc == 0)
		return 0;
	if ((parser->kind == RESPONSE_FETCH && parser->fetch.values.has & IMAP_HAS_BODY) ||
	    !response_may_pass(line, len))
		return -1;
	*answer = (struct imap_answer){.kind = IMAP_MALFORMED,
				       .text = {err->text, strlen(err->text)}};
	return 0;
}

/* Remembers why the stream is lost. */
static int parser_fail(struct imap_parser *parser, struct error *err)
{
	parser->failed = true;
	if (err)
		*err = parser->error;
	return -1;
}

/* The next answer. */
int imap_parser_next(struct imap_parser *parser, struct imap_answer *answer, struct error *err)
{
	struct error *why = &parser->error;

	if (parser->failed)
		return parser_fail(parser, err);
	for (;;) {
		switch (lex_next(&parser->lex, why)) {
		case LEX_FAILED: return parser_fail(parser, err);
		case LEX_MORE: return 0;
		case LEX_ANNOUNCED:
			if (parser_take_literal(parser, why) < 0)
				return parser_fail(parser, err);
			break;
		case LEX_DATA:
			*answer = (struct imap_answer){.kind = IMAP_BODY_DATA};
			answer->fetch = parser->fetch.values;
			answer->data = (struct imap_string){parser->lex.data, parser->lex.data_len};
			return 1;
		case LEX_LINE:
			if (parser_take_line(parser, answer, why) < 0)
				return parser_fail(parser, err);
			return 1;
		}
	}
}
