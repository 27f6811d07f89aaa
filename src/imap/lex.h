// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The one tokenizer, in two steps.
 *
 * struct lex cuts the stream into logical lines: text up to a line feed, and where that text ends
 * in "{n}" the n bytes of the literal and the text after them, and so on. Only its user can tell
 * whether such an end announces a literal (a status line's human text may end in "{5}" too), and
 * whether the literal is to be held as part of the line or handed out as it arrives; so the lexer
 * stops there and is told. Lines that lie whole in the fed bytes are never copied, and neither are
 * streamed literals; the only search is one memchr per piece of text.
 *
 *	lex_feed(&lex, bytes, len);
 *	for (;;) switch (lex_next(&lex, err)) {
 *	case LEX_MORE: (all is used up; feed)
 *	case LEX_ANNOUNCED: lex_hold(&lex, err), lex_stream(&lex) or lex_refuse(&lex);
 *	case LEX_DATA: lex.data (a piece of a streamed literal)
 *	case LEX_LINE: lex_line(&lex, &bytes, &len)
 *	}
 *
 * struct lex_cursor then reads tokens of a line, held literals included, so content can look like
 * anything. Lenient: blanks may be missing or doubled, a line may end in a bare LF, atoms may hold
 * whatever is no blank, control, bracket of a list, quote or "{".
 */
#ifndef IMAP_LEX_H
#define IMAP_LEX_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lex_event {
	LEX_FAILED = -1, /* the line is too long, or a literal's length overflows: err says so */
	LEX_MORE,
	LEX_ANNOUNCED, /* the line so far ends in "{n}": lex.announced */
	LEX_DATA,
	LEX_LINE,
};

enum lex_state {
	LEX_IN_TEXT,
	LEX_IN_ANNOUNCEMENT,
	LEX_IN_HELD,
	LEX_IN_STREAM,
	LEX_AT_REFUSED,
	LEX_AT_END,
};

struct lex_announced {
	size_t at;    /* offset of the "{", or of the "~" before it, in the line */
	uint64_t len; /* n */
};

/* Read data and announced only; the rest is private. */
struct lex {
	const char *in; /* what was fed; borrowed */
	size_t in_len;
	size_t in_at;
	size_t line_at;   /* where in it the line starts, while nothing is held */
	size_t text_at;   /* where in the line the text after the last literal starts */
	struct buf held;  /* the line so far, where it does not lie whole in what was fed */
	uint64_t pending; /* bytes of the literal yet to come */
	enum lex_state state;
	struct lex_announced announced;
	const char *data;
	size_t data_len;
};

void lex_init(struct lex *lex);
void lex_free(struct lex *lex);
/* Only when lex_next said LEX_MORE, or first. bytes are borrowed until it says so again. */
void lex_feed(struct lex *lex, const char *bytes, size_t len);
enum lex_event lex_next(struct lex *lex, struct error *err);
/* After LEX_ANNOUNCED: the literal becomes part of the line; -1 where the line gets too long. */
int lex_hold(struct lex *lex, struct error *err);
/*
 * After LEX_ANNOUNCED: the literal comes as LEX_DATA, and the line goes on after its announcement.
 */
void lex_stream(struct lex *lex);
/* After LEX_ANNOUNCED: it is no literal, the line ends here; LEX_LINE comes next. */
void lex_refuse(struct lex *lex);
/* The line so far; after LEX_LINE without its line end. Valid until lex_next is called again. */
void lex_line(const struct lex *lex, const char **bytes, size_t *len);

enum lex_kind {
	LEX_END,     /* of the line, or of what the cursor was given */
	LEX_OPEN,    /* ( */
	LEX_CLOSE,   /* ) */
	LEX_BRACKET, /* [ or ], bytes tells which: only where asked for */
	LEX_ATOM,
	LEX_NIL, /* an atom, in any case */
	LEX_QUOTED,
	LEX_LITERAL,
};

struct lex_token {
	enum lex_kind kind;
	bool escaped; /* of LEX_QUOTED: bytes has backslashes to take out: lex_unescape */
	const char *bytes;
	size_t len;
};

struct lex_cursor {
	const char *at;
	const char *end;
};

/*
 * The next token. With brackets, [ and ] end an atom and are tokens. -1: malformed, err is filled.
 */
int lex_token(struct lex_cursor *cursor, bool brackets, struct lex_token *token, struct error *err);
/* The same, and the token must be of this kind. */
int lex_expect(struct lex_cursor *cursor, enum lex_kind kind, struct lex_token *token,
	       struct error *err);
/* The same, and the token must be an atom or a string. */
int lex_expect_string(struct lex_cursor *cursor, struct lex_token *token, struct error *err);
/* Skips one value: a list with all in it, or a single token. */
int lex_skip_value(struct lex_cursor *cursor, struct error *err);
/* Skips values up to a LEX_CLOSE or LEX_END, and that too. */
int lex_skip_until(struct lex_cursor *cursor, enum lex_kind kind, struct error *err);
/* The rest as text, one blank before it left out. */
void lex_rest(struct lex_cursor *cursor, const char **bytes, size_t *len);

/* Whether an atom or string may stand there: anything but brackets and the end. */
bool lex_is_string(const struct lex_token *token);
/* Whether an atom is this word, in any case. */
bool lex_is_word(const struct lex_token *token, const char *word);
/* Whether a token is an object id (RFC 8474): 1 to 255 letters, digits, "-" and "_". */
bool lex_is_object_id(const struct lex_token *token);
/* Appends a quoted string's bytes without its backslashes. */
void lex_unescape(const struct lex_token *token, struct buf *out);
/* Reads digits and nothing else; -1 where there are others, none, or the number is above max. */
int lex_number(const char *bytes, size_t len, uint64_t max, uint64_t *out);

/* Fills err: what is wrong and the place, escaped. Returns -1. */
int lex_malformed(const struct lex_cursor *cursor, struct error *err, const char *what);

#endif
