// SPDX-License-Identifier: GPL-3.0-or-later
/* The tokenizer's two steps: cutting the stream into logical lines, and a line into tokens. */
#include "imap/lex.h"

#include "base/alloc.h"
#include "imap/parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define TEXT(text)   (text), sizeof(text) - 1

/* What to do with every announced literal. */
enum choice {
	HOLD,
	STREAM,
	REFUSE,
};

static void take_announced(struct lex *lex, enum choice choice)
{
	switch (choice) {
	case HOLD: assert_int_equal(lex_hold(lex, NULL), 0); break;
	case STREAM: lex_stream(lex); break;
	case REFUSE: lex_refuse(lex); break;
	}
}

/* Writes "<line>" for lines and "data" for streamed bytes; pieces of a literal run together. */
static void write_events(struct lex *lex, enum choice choice, struct buf *out)
{
	enum lex_event event;
	const char *line;
	size_t len;

	while ((event = lex_next(lex, NULL)) != LEX_MORE) {
		switch (event) {
		case LEX_ANNOUNCED:
			lex_line(lex, &line, &len);
			assert_true(line[lex->announced.at] == '{' ||
				    line[lex->announced.at] == '~');
			take_announced(lex, choice);
			break;
		case LEX_DATA: buf_append(out, lex->data, lex->data_len); break;
		case LEX_LINE:
			lex_line(lex, &line, &len);
			buf_putc(out, '<');
			buf_append(out, line, len);
			buf_putc(out, '>');
			break;
		default: fail(); break;
		}
	}
}

static void check_stream(const char *in, size_t in_len, enum choice choice, const char *out,
			 size_t out_len, size_t cut, size_t step)
{
	struct lex lex;
	struct buf got;

	lex_init(&lex);
	buf_init(&got, 1u << 16);
	for (size_t at = 0; at < in_len;) {
		size_t len = at == 0 ? cut : step;
		len = len < in_len - at ? len : in_len - at;
		char *piece = xmalloc(len);

		memcpy(piece, in + at, len);
		lex_feed(&lex, piece, len);
		write_events(&lex, choice, &got);
		free(piece);
		at += len;
	}
	assert_int_equal(got.len, out_len);
	assert_memory_equal(got.data, out, out_len);
	buf_free(&got);
	lex_free(&lex);
}

static void lines(void **state)
{
	static const struct {
		const char *in;
		size_t in_len;
		enum choice choice;
		const char *out;
		size_t out_len;
	} cases[] = {
	    {TEXT("a\r\nb\n\r\n\n"), HOLD, TEXT("<a><b><><>")},
	    {TEXT("a\rb\0c\r\r\n"), HOLD, TEXT("<a\rb\0c\r>")},
	    {TEXT("a {3}\r\n\r\n) b\r\nc\r\n"), HOLD, TEXT("<a {3}\r\n\r\n) b><c>")},
	    {TEXT("a {3}\r\n\r\n) b\r\nc\r\n"), STREAM, TEXT("\r\n)<a {3}\r\n b><c>")},
	    {TEXT("a {3}\r\n\r\n"), REFUSE, TEXT("<a {3}><>")},
	    {TEXT("{1}\n\n{2+}\r\n{}~{0}\r\n\r\n"), HOLD, TEXT("<{1}\n\n{2+}\r\n{}~{0}\r\n>")},
	    {TEXT("{1}\n\n{2+}\r\n{}~{0}\r\n\r\n"), STREAM, TEXT("\n{}<{1}\n{2+}\r\n~{0}\r\n>")},
	    /* ends that announce nothing */
	    {TEXT("{}\r\n{+}\r\n{-1}\r\n{1x}\r\n1}\r\n}\r\n{1} \r\n"), HOLD,
	     TEXT("<{}><{+}><{-1}><{1x}><1}><}><{1} >")},
	    /* a brace inside a literal does not join one after it */
	    {TEXT("{1}\r\n{5}\r\n"), HOLD, TEXT("<{1}\r\n{5}>")},
	    /* a literal's last CR is not the line's */
	    {TEXT("{1}\n\r\n"), HOLD, TEXT("<{1}\n\r>")},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t cut = 1; cut <= cases[i].in_len; cut++) {
			check_stream(cases[i].in, cases[i].in_len, cases[i].choice, cases[i].out,
				     cases[i].out_len, cut, cases[i].in_len);
			check_stream(cases[i].in, cases[i].in_len, cases[i].choice, cases[i].out,
				     cases[i].out_len, cut, 1);
		}
	}
}

/* Lines and literals that lie whole in what was fed are pointed to, not copied. */
static void copies_nothing(void **state)
{
	static const char in[] = "first\r\nx {3}\r\nabc y\r\n";
	const char *line;
	size_t len;
	struct lex lex;
	(void)state;

	lex_init(&lex);
	lex_feed(&lex, in, sizeof(in) - 1);
	assert_int_equal(lex_next(&lex, NULL), LEX_LINE);
	lex_line(&lex, &line, &len);
	assert_ptr_equal(line, in);
	assert_int_equal(len, 5);
	assert_int_equal(lex_next(&lex, NULL), LEX_ANNOUNCED);
	assert_int_equal(lex.announced.at, 2);
	assert_int_equal(lex.announced.len, 3);
	assert_int_equal(lex_hold(&lex, NULL), 0);
	assert_int_equal(lex_next(&lex, NULL), LEX_LINE);
	lex_line(&lex, &line, &len);
	assert_ptr_equal(line, in + 7);
	assert_int_equal(len, strlen("x {3}\r\nabc y"));
	assert_int_equal(lex_next(&lex, NULL), LEX_MORE);
	assert_int_equal(lex.held.cap, 0);
	lex_free(&lex);
}

/* A literal that fills the line's bound is held, one byte more is refused before it comes. */
static void held_bound(void **state)
{
	static const char *const in[] = {"{1048566}\r\n", "{18446744073709551615}\r\n"};
	struct error err;
	struct lex lex;
	(void)state;

	for (size_t over = 0; over <= 1; over++) {
		char announced[32];
		size_t len = IMAP_LINE_MAX - strlen("{1048565}\r\n") + over;

		snprintf(announced, sizeof(announced), "{%zu}\r\n", len);
		lex_init(&lex);
		lex_feed(&lex, announced, strlen(announced));
		assert_int_equal(lex_next(&lex, &err), LEX_ANNOUNCED);
		assert_int_equal(lex.announced.len, len);
		assert_int_equal(lex_hold(&lex, &err), over ? -1 : 0);
		lex_free(&lex);
	}
	for (size_t i = 0; i < COUNT(in); i++) {
		lex_init(&lex);
		lex_feed(&lex, in[i], strlen(in[i]));
		assert_int_equal(lex_next(&lex, &err), LEX_ANNOUNCED);
		assert_int_equal(lex_hold(&lex, &err), -1);
		assert_int_equal(err.kind, ERROR_PROTOCOL);
		lex_free(&lex);
	}
	lex_init(&lex);
	lex_feed(&lex, TEXT("{18446744073709551616}\r\n"));
	assert_int_equal(lex_next(&lex, &err), LEX_FAILED);
	assert_int_equal(err.kind, ERROR_PROTOCOL);
	lex_free(&lex);
}

/* Tokens as letters: ( ) [ ] as they are, a atom, n NIL, q quoted, e quoted and escaped, l literal.
 */
static void tokens(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		bool brackets;
		const char *out; /* kinds and what they hold; "!" where malformed */
	} cases[] = {
	    {TEXT(""), false, ""},
	    {TEXT("   "), false, ""},
	    {TEXT("a bc"), false, "a<a>a<bc>"},
	    {TEXT("(a)( b )"), false, "(a<a>)(a<b>)"},
	    {TEXT("(a)"), false, "(a<a>)"},
	    {TEXT("NIL nil NILx"), false, "n<NIL>n<nil>a<NILx>"},
	    {TEXT("a\"b\"c"), false, "a<a>q<b>a<c>"},
	    {TEXT("\"\""), false, "q<>"},
	    {TEXT("\"a\\\"b\\\\\""), false, "e<a\"b\\>"},
	    {TEXT("\")(\""), false, "q<)(>"},
	    {TEXT("\"{3}\" x"), false, "q<{3}>a<x>"},
	    {TEXT("{3}\r\nab)c"), false, "l<ab)>a<c>"},
	    {TEXT("~{2}\nabc"), false, "l<ab>a<c>"},
	    {TEXT("{0}\r\n"), false, "l<>"},
	    {TEXT("a{1}\r\nbc"), false, "a<a>l<b>a<c>"},
	    {TEXT("BODY[1]<0>"), false, "a<BODY[1]<0>>"},
	    {TEXT("BODY[1]<0>"), true, "a<BODY>[a<1>]a<<0>>"},
	    {TEXT("\\Seen \\* ~a %"), false, "a<\\Seen>a<\\*>a<~a>a<%>"},
	    {TEXT("\303\251\377"), false, "a<\303\251\377>"},
	    {TEXT("a\tb"), false, "a<a>!"},
	    {TEXT("a\rb"), false, "a<a>!"},
	    {TEXT("\0"), false, "!"},
	    {TEXT("\x7f"), false, "!"},
	    {TEXT("\"a"), false, "!"},
	    {TEXT("\"a\\"), false, "!"},
	    {TEXT("\"a\\\""), false, "!"},
	    {TEXT("\"a\rb\""), false, "!"},
	    {TEXT("\"a\nb\""), false, "!"},
	    {TEXT("\"a\0b\""), false, "!"},
	    {TEXT("\"a\\\0b\""), false, "!"},
	    {TEXT("{3}\r\nab"), false, "!"},
	    {TEXT("{3}"), false, "!"},
	    {TEXT("{3} \r\nabc"), false, "!"},
	    {TEXT("{x}\r\nabc"), false, "!"},
	    {TEXT("{3 {3}\r\nabc"), false, "!"},
	    {TEXT("{18446744073709551615}\r\nabc"), false, "!"},
	    {TEXT("{18446744073709551616}\r\nabc"), false, "!"},
	};
	static const char kinds[] = ".()[anql";
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *line = xmalloc(cases[i].len + 1);
		/* right up to the end of the memory */
		char *start = line + 1;
		memcpy(start, cases[i].in, cases[i].len);
		struct lex_cursor cursor = {start, start + cases[i].len};
		struct lex_token token;
		struct buf out;
		int rc;

		buf_init(&out, 1024);
		while ((rc = lex_token(&cursor, cases[i].brackets, &token, NULL)) == 0 &&
		       token.kind != LEX_END) {
			if (token.kind < LEX_ATOM) {
				buf_putc(&out, *token.bytes);
				assert_true(token.kind == LEX_BRACKET ||
					    kinds[token.kind] == *token.bytes);
				continue;
			}
			buf_putc(&out, (char)(token.escaped ? 'e' : kinds[token.kind]));
			buf_putc(&out, '<');
			if (token.escaped)
				lex_unescape(&token, &out);
			else
				buf_append(&out, token.bytes, token.len);
			buf_putc(&out, '>');
		}
		buf_puts(&out, rc < 0 ? "!" : "");
		assert_string_equal(out.data, cases[i].out);
		buf_free(&out);
		free(line);
	}
}

/* FAULTS 36 */
static void numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int rc;
		uint64_t number;
	} cases[] = {
	    {"0", 0, 0, 0},
	    {"1", 0, -1, 0},
	    {"007", 10, 0, 7},
	    {"5", 4, -1, 0},
	    {"10", 10, 0, 10},
	    {"11", 10, -1, 0},
	    {"4294967295", UINT32_MAX, 0, UINT32_MAX},
	    {"4294967296", UINT32_MAX, -1, 0},
	    {"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
	    {"18446744073709551616", UINT64_MAX, -1, 0},
	    {"99999999999999999999", UINT64_MAX, -1, 0},
	    {"", 9, -1, 0},
	    {"-1", 9, -1, 0},
	    {"+1", 9, -1, 0},
	    {" 1", 9, -1, 0},
	    {"1 ", 9, -1, 0},
	    {"0x1", 9, -1, 0},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t number = 0;

		assert_int_equal(
		    lex_number(cases[i].text, strlen(cases[i].text), cases[i].max, &number),
		    cases[i].rc);
		assert_int_equal(number, cases[i].number);
	}
}

/* FAULTS 37 */
static void values_are_skipped(void **state)
{
	static const struct {
		const char *in;
		int rc;
		const char *rest;
	} cases[] = {
	    {"a b", 0, " b"},          {"(a (b) \")\") c", 0, " c"},
	    {"({1}\r\n) x)y", 0, "y"}, {"NIL)", 0, ")"},
	    {"\"a b\"c", 0, "c"},      {"", -1, NULL},
	    {")", -1, NULL},           {"(a", -1, NULL},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct lex_cursor cursor = {cases[i].in, cases[i].in + strlen(cases[i].in)};

		assert_int_equal(lex_skip_value(&cursor, NULL), cases[i].rc);
		if (cases[i].rc == 0)
			assert_string_equal(cursor.at, cases[i].rest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines),      cmocka_unit_test(copies_nothing),
	    cmocka_unit_test(held_bound), cmocka_unit_test(tokens),
	    cmocka_unit_test(numbers),    cmocka_unit_test(values_are_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
