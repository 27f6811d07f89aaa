// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/json-line.h"

#include <stdio.h>

#define LINE_MAX_BYTES (1u << 20)

void line_begin(struct line *line, const char *event, const char *channel, const char *mailbox)
{
	buf_init(&line->buf, LINE_MAX_BYTES);
	json_init(&line->json, &line->buf);
	json_object(&line->json);
	line_text(line, "event", event);
	if (channel)
		line_text(line, "channel", channel);
	if (mailbox)
		line_text(line, "mailbox", mailbox);
}

void line_text(struct line *line, const char *key, const char *text)
{
	json_key(&line->json, key);
	json_string(&line->json, text);
}

void line_count(struct line *line, const char *key, uint64_t count)
{
	json_key(&line->json, key);
	json_uint(&line->json, count);
}

void line_keywords(struct line *line, const char *key, uint32_t keywords)
{
	json_key(&line->json, key);
	json_array(&line->json);
	for (size_t i = 0; i < keywords_count(keywords); i++)
		json_string(&line->json, keywords_name(keywords, i));
	json_end_array(&line->json);
}

void line_flags(struct line *line, struct flags flags)
{
	char letters[FLAGS_LETTERS_MAX];

	flags_letters(flags, letters);
	line_text(line, "flags", letters);
	line_keywords(line, "keywords", flags.keywords);
}

void line_bool(struct line *line, const char *key, bool yes)
{
	json_key(&line->json, key);
	json_bool(&line->json, yes);
}

void line_time(struct line *line, const char *key, int64_t seconds)
{
	json_key(&line->json, key);
	json_int(&line->json, seconds);
}

void line_end(struct line *line)
{
	json_end_object(&line->json);
	fwrite(line->buf.data, 1, line->buf.len, stdout);
	buf_free(&line->buf);
}
