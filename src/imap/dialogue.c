// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap/dialogue.h"

#include <string.h>
#include <strings.h>

/* One line of the dialogue, cut into what stands before the text. */
struct line {
	bool tagged;            /* neither "*" nor "+" */
	bool asks;              /* "+": word is what it asks */
	struct imap_words word; /* OK, NO, BAD, BYE, PREAUTH, CAPABILITY, ... */
	struct imap_words rest; /* what follows it */
};

/* Makes an empty dialogue. */
void imap_dialogue_init(struct imap_dialogue *dialogue)
{
	buf_init(&dialogue->lines, IMAP_DIALOGUE_MAX);
}

/* Frees a dialogue. */
void imap_dialogue_free(struct imap_dialogue *dialogue)
{
	buf_free(&dialogue->lines);
}

/* Keeps what the server said. */
void imap_dialogue_add(struct imap_dialogue *dialogue, const char *bytes, size_t len)
{
	buf_append(&dialogue->lines, bytes, len);
}

/* Cuts the next blank-separated word off. */
static struct imap_words words_next(struct imap_words *from)
{
	while (from->len > 0 && *from->bytes == ' ') {
		from->bytes++;
		from->len--;
	}
	const char *end = from->len > 0 ? memchr(from->bytes, ' ', from->len) : NULL;
	size_t len = end ? (size_t)(end - from->bytes) : from->len;
	struct imap_words word = {from->bytes, len};

	from->bytes += len;
	from->len -= len;
	return word;
}

/* Whether a word is this one, in any case. */
static bool words_equal(struct imap_words word, const char *text)
{
	return word.len == strlen(text) && strncasecmp(word.bytes, text, word.len) == 0;
}

/* Whether atoms hold one. */
bool imap_words_have(struct imap_words words, const char *atom)
{
	while (words.len > 0) {
		if (words_equal(words_next(&words), atom))
			return true;
	}
	return false;
}

/* The line that starts at *at, which moves to the next; false at the end. */
static bool dialogue_line(const struct imap_dialogue *dialogue, size_t *at, struct line *line)
{
	const struct buf *lines = &dialogue->lines;

	if (*at >= lines->len)
		return false;
	struct imap_words rest = {lines->data + *at, lines->len - *at};
	const char *end = memchr(rest.bytes, '\n', rest.len);

	rest.len = end ? (size_t)(end - rest.bytes) : rest.len;
	*at += rest.len + 1;
	if (rest.len > 0 && rest.bytes[rest.len - 1] == '\r')
		rest.len--;
	struct imap_words tag = words_next(&rest);

	line->asks = words_equal(tag, "+");
	line->tagged = !words_equal(tag, "*") && !line->asks;
	line->word = words_next(&rest);
	line->rest = rest;
	if (rest.len > 0)
		line->rest = (struct imap_words){rest.bytes + 1, rest.len - 1};
	return true;
}

/* The atoms of a CAPABILITY line or of a CAPABILITY code; bytes NULL where the line has none. */
static struct imap_words line_capabilities(const struct line *line)
{
	static const char code[] = "[CAPABILITY ";
	size_t len = sizeof(code) - 1;

	if (!line->tagged && words_equal(line->word, "CAPABILITY"))
		return line->rest;
	if (line->rest.len > len && strncasecmp(line->rest.bytes, code, len) == 0) {
		const char *end = memchr(line->rest.bytes, ']', line->rest.len);

		if (end)
			return (struct imap_words){line->rest.bytes + len,
						   (size_t)(end - line->rest.bytes) - len};
	}
	return (struct imap_words){0};
}

/* Reads the first line's word. */
bool imap_dialogue_is_preauth(const struct imap_dialogue *dialogue)
{
	struct line line;
	size_t at = 0;

	return dialogue_line(dialogue, &at, &line) && !line.tagged &&
	       words_equal(line.word, "PREAUTH");
}

/* What follows the first line's word. */
struct imap_words imap_dialogue_greeting(const struct imap_dialogue *dialogue)
{
	struct line line;
	size_t at = 0;

	if (!dialogue_line(dialogue, &at, &line) || line.tagged)
		return (struct imap_words){0};
	return line.rest;
}

/*
 * Walks to the last tagged line. A capability told before the tagged line ahead of it is from
 * before the login (or before TLS) and counts for nothing.
 */
struct imap_words imap_dialogue_capabilities(const struct imap_dialogue *dialogue)
{
	struct imap_words pending = {0}, found = {0};
	struct line line;

	for (size_t at = 0; dialogue_line(dialogue, &at, &line);) {
		struct imap_words here = line_capabilities(&line);

		if (here.bytes)
			pending = here;
		if (!line.tagged)
			continue;
		found = words_equal(line.word, "OK") ? pending : (struct imap_words){0};
		pending = (struct imap_words){0};
	}
	return found;
}

/* The last capabilities told at all. */
struct imap_words imap_dialogue_offer(const struct imap_dialogue *dialogue)
{
	struct imap_words found = {0};
	struct line line;

	for (size_t at = 0; dialogue_line(dialogue, &at, &line);) {
		struct imap_words here = line_capabilities(&line);

		if (here.bytes)
			found = here;
	}
	return found;
}

/* Whether a refusal says that another try may do. */
static bool words_say_later(struct imap_words words)
{
	static const char *const codes[] = {
	    "[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]", "[THROTTLED]", "[CONTACTADMIN]",
	};
	struct imap_words code = words_next(&words);

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (words_equal(code, codes[i]))
			return true;
	}
	return false;
}

/*
 * Finds the last NO, BAD or BYE; or the "+" of XOAUTH2 that says in base64 why it refuses, at
 * which libcurl gives up.
 */
enum imap_refusal imap_dialogue_refusal(const struct imap_dialogue *dialogue,
					struct imap_words *words)
{
	enum imap_refusal refusal = IMAP_REFUSAL_NONE;
	struct line line = {0};

	*words = (struct imap_words){0};
	for (size_t at = 0; dialogue_line(dialogue, &at, &line);) {
		bool no = words_equal(line.word, "NO") || words_equal(line.word, "BAD");
		bool bye = !line.tagged && words_equal(line.word, "BYE");

		if (line.tagged && no)
			refusal =
			    words_say_later(line.rest) ? IMAP_REFUSAL_LATER : IMAP_REFUSAL_LOGIN;
		else if (bye && refusal == IMAP_REFUSAL_NONE)
			refusal = IMAP_REFUSAL_LATER;
		else
			continue;
		*words = line.rest;
	}
	if (refusal == IMAP_REFUSAL_NONE && line.asks) {
		refusal = IMAP_REFUSAL_LOGIN;
		*words = line.word;
	}
	return refusal;
}
