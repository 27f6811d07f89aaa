// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/json.h"

#include "base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#define JSON_DEPTH_MAX 16

/* Begins writing to out, which may hold other lines already. */
void json_init(struct json *json, struct buf *out)
{
	*json = (struct json){.out = out};
}

/* Puts the comma that the next member needs; what follows a key needs none. */
static void json_begin_value(struct json *json)
{
	if (json->after_key)
		json->after_key = false;
	else if (json->depth > 0 && json->comma[json->depth])
		buf_putc(json->out, ',');
	json->comma[json->depth] = true;
}

/* Ends the line where a whole value is done. */
static void json_end_value(struct json *json)
{
	if (json->depth == 0)
		buf_putc(json->out, '\n');
}

/* Goes one level down. */
static void json_open(struct json *json, char bracket)
{
	assert(json->depth < JSON_DEPTH_MAX);
	json_begin_value(json);
	buf_putc(json->out, bracket);
	json->depth++;
	json->comma[json->depth] = false;
}

/* Comes one level up. */
static void json_close(struct json *json, char bracket)
{
	assert(json->depth > 0 && !json->after_key);
	buf_putc(json->out, bracket);
	json->depth--;
	json_end_value(json);
}

/* Begins an object. */
void json_object(struct json *json)
{
	json_open(json, '{');
}

/* Begins an array. */
void json_array(struct json *json)
{
	json_open(json, '[');
}

/* Ends an object. */
void json_end_object(struct json *json)
{
	json_close(json, '}');
}

/* Ends an array. */
void json_end_array(struct json *json)
{
	json_close(json, ']');
}

/* Writes one ASCII character of a string. */
static void json_put_ascii(struct buf *out, unsigned char c)
{
	if (c == '"' || c == '\\')
		buf_printf(out, "\\%c", c);
	else if (c == '\n')
		buf_puts(out, "\\n");
	else if (c < 0x20 || c == 0x7F)
		buf_printf(out, "\\u%04X", c);
	else
		buf_putc(out, (char)c);
}

/* Writes a character of two or three bytes by its number. */
static void json_put_number(struct buf *out, const char *bytes, size_t width)
{
	unsigned number = (unsigned char)bytes[0] & (width == 2 ? 0x1Fu : 0x0Fu);

	for (size_t i = 1; i < width; i++)
		number = number << 6 | ((unsigned char)bytes[i] & 0x3Fu);
	buf_printf(out, "\\u%04X", number);
}

/*
 * Writes a string; DEL, C1 and what turns the direction of writing are escaped too, for the line
 * may be shown on a terminal.
 */
static void json_put_string(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	buf_putc(out, '"');
	for (size_t i = 0; i < len;) {
		size_t width = text_utf8_width(text + i, len - i);

		if (width == 0)
			buf_puts(out, "\xEF\xBF\xBD");
		else if (width == 1)
			json_put_ascii(out, (unsigned char)text[i]);
		else if (!text_is_harmless(text + i, width))
			json_put_number(out, text + i, width);
		else
			buf_append(out, text + i, width);
		i += width > 0 ? width : 1;
	}
	buf_putc(out, '"');
}

/* Writes a member's name; its value must come next. */
void json_key(struct json *json, const char *key)
{
	assert(json->depth > 0 && !json->after_key);
	json_begin_value(json);
	json_put_string(json->out, key);
	buf_putc(json->out, ':');
	json->after_key = true;
}

/* Writes a string or null. */
void json_string(struct json *json, const char *text)
{
	json_begin_value(json);
	if (text == NULL)
		buf_puts(json->out, "null");
	else
		json_put_string(json->out, text);
	json_end_value(json);
}

/* Writes a number. */
void json_uint(struct json *json, uint64_t number)
{
	json_begin_value(json);
	buf_printf(json->out, "%" PRIu64, number);
	json_end_value(json);
}

/* Writes a number that may be negative. */
void json_int(struct json *json, int64_t number)
{
	json_begin_value(json);
	buf_printf(json->out, "%" PRId64, number);
	json_end_value(json);
}

/* Writes true or false. */
void json_bool(struct json *json, bool yes)
{
	json_begin_value(json);
	buf_puts(json->out, yes ? "true" : "false");
	json_end_value(json);
}
