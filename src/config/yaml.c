// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/yaml.h"

#include "base/map.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct yaml_reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the one being looked at */
	const char *file;
	const char *bytes;
	size_t len;
	struct arena *arena;
	struct error *err;
};

static int yaml_read_value(struct yaml_reader *reader, unsigned depth, struct yaml_node *node);

/* Says what is wrong at a node. */
int yaml_error(struct error *err, const char *file, const struct yaml_node *at, const char *fmt,
	       ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return error_set(err, ERROR_CONFIG, SCOPE_FATAL, "%s:%u:%u: %s", text_show(file), at->line,
			 at->column, text);
}

/* Says what is wrong at the current event. */
static int yaml_refuse(struct yaml_reader *reader, const char *what)
{
	const yaml_mark_t *mark = &reader->event.start_mark;
	struct yaml_node at = {.line = (unsigned)mark->line + 1,
			       .column = (unsigned)mark->column + 1};

	return yaml_error(reader->err, reader->file, &at, "%s", what);
}

/* Finds the line and column of a byte, where libyaml gives only its offset. */
static struct yaml_node yaml_position(const struct yaml_reader *reader, size_t offset)
{
	struct yaml_node at = {.line = 1, .column = 1};

	for (size_t i = 0; i < offset && i < reader->len; i++) {
		at.column++;
		if (reader->bytes[i] == '\n') {
			at.line++;
			at.column = 1;
		}
	}
	return at;
}

#define NEEDS_QUOTES "; a value that begins with * or ! needs quotes"

/* Patterns of mailboxes, and passwords, are often written without their quotes. */
static const char *yaml_hint(const char *problem, const char *context)
{
	if (strstr(context, "scanning an alias") != NULL ||
	    strstr(context, "scanning a tag") != NULL)
		return NEEDS_QUOTES;
	if (strstr(problem, "cannot start any token") != NULL)
		return "; a value that begins with % or @ needs quotes, and tabs are no "
		       "indentation";
	return "";
}

/* Tells libyaml's own complaint; its texts never quote the file. */
static int yaml_refuse_syntax(struct yaml_reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	struct yaml_node at = {.line = (unsigned)parser->problem_mark.line + 1,
			       .column = (unsigned)parser->problem_mark.column + 1};
	const char *problem = parser->problem != NULL ? parser->problem : "no memory";
	const char *context = parser->context != NULL ? parser->context : "";

	if (parser->error == YAML_READER_ERROR)
		at = yaml_position(reader, parser->problem_offset);
	return yaml_error(reader->err, reader->file, &at, "not YAML: %s%s%s%s", problem,
			  context[0] != '\0' ? " " : "", context, yaml_hint(problem, context));
}

/* Overwrites the text of the current event and frees it. */
static void yaml_drop_event(struct yaml_reader *reader)
{
	if (reader->event.type == YAML_SCALAR_EVENT)
		explicit_bzero(reader->event.data.scalar.value, reader->event.data.scalar.length);
	yaml_event_delete(&reader->event);
}

/* Goes to the next event. */
static int yaml_next_event(struct yaml_reader *reader)
{
	yaml_drop_event(reader);
	if (yaml_parser_parse(&reader->parser, &reader->event) == 0)
		return yaml_refuse_syntax(reader);
	return 0;
}

/* Makes a node where the current event begins. */
static struct yaml_node *yaml_new_node(struct yaml_reader *reader)
{
	struct yaml_node *node = arena_alloc(reader->arena, sizeof(*node));

	node->line = (unsigned)reader->event.start_mark.line + 1;
	node->column = (unsigned)reader->event.start_mark.column + 1;
	return node;
}

/* Refuses what could make one value stand in two places, or be of another type than it looks. */
static int yaml_check_plain(struct yaml_reader *reader, const yaml_char_t *anchor,
			    const yaml_char_t *tag)
{
	if (anchor != NULL)
		return yaml_refuse(reader, "anchors (&name) are not allowed here");
	if (tag != NULL)
		return yaml_refuse(reader, "tags (!name) are not allowed here" NEEDS_QUOTES);
	return 0;
}

/* Copies a scalar. */
static int yaml_read_text(struct yaml_reader *reader, struct yaml_node *node)
{
	const char *value = (const char *)reader->event.data.scalar.value;
	size_t len = reader->event.data.scalar.length;

	if (yaml_check_plain(reader, reader->event.data.scalar.anchor,
			     reader->event.data.scalar.tag) < 0)
		return -1;
	if (memchr(value, '\0', len) != NULL)
		return yaml_refuse(reader, "a NUL byte is not allowed in a value");
	node->kind = YAML_KIND_TEXT;
	node->quoted = reader->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->text = arena_strndup(reader->arena, value, len);
	return 0;
}

/* Reads the members of a list up to its end; each is linked before it is read, to be wiped. */
static int yaml_read_list(struct yaml_reader *reader, unsigned depth, struct yaml_node *list)
{
	struct yaml_node **tail = &list->children;

	list->kind = YAML_KIND_LIST;
	if (yaml_check_plain(reader, reader->event.data.sequence_start.anchor,
			     reader->event.data.sequence_start.tag) < 0)
		return -1;
	while (yaml_next_event(reader) == 0) {
		if (reader->event.type == YAML_SEQUENCE_END_EVENT)
			return 0;
		*tail = yaml_new_node(reader);
		if (yaml_read_value(reader, depth + 1, *tail) < 0)
			return -1;
		tail = &(*tail)->next;
	}
	return -1;
}

/* Reads one key and its value; keys remembers what the map has had. */
static int yaml_read_member(struct yaml_reader *reader, unsigned depth, struct map *keys,
			    struct yaml_node **member)
{
	struct yaml_node *key;

	if (reader->event.type != YAML_SCALAR_EVENT)
		return yaml_refuse(reader, "a key must be a word");
	key = yaml_new_node(reader);
	*member = arena_alloc(reader->arena, sizeof(**member));
	(*member)->key = key;
	if (yaml_read_text(reader, key) < 0)
		return -1;
	if (!map_put(keys, key->text, strlen(key->text), key->line))
		return yaml_error(reader->err, reader->file, key, "\"%s\" stands here twice",
				  text_show(key->text));
	if (yaml_next_event(reader) < 0)
		return -1;
	(*member)->line = (unsigned)reader->event.start_mark.line + 1;
	(*member)->column = (unsigned)reader->event.start_mark.column + 1;
	return yaml_read_value(reader, depth + 1, *member);
}

/* Reads the members of a map up to its end. */
static int yaml_read_map(struct yaml_reader *reader, unsigned depth, struct yaml_node *map)
{
	struct yaml_node **tail = &map->children;
	struct map keys = {0};
	int rc;

	map->kind = YAML_KIND_MAP;
	rc = yaml_check_plain(reader, reader->event.data.mapping_start.anchor,
			      reader->event.data.mapping_start.tag);
	while (rc == 0 && (rc = yaml_next_event(reader)) == 0) {
		if (reader->event.type == YAML_MAPPING_END_EVENT)
			break;
		rc = yaml_read_member(reader, depth, &keys, tail);
		if (rc == 0)
			tail = &(*tail)->next;
	}
	map_free(&keys);
	return rc;
}

/* Reads the value that the current event begins; afterwards the current event is its last. */
static int yaml_read_value(struct yaml_reader *reader, unsigned depth, struct yaml_node *node)
{
	if (depth > YAML_DEPTH_MAX)
		return yaml_refuse(reader, "nested too deeply");
	switch (reader->event.type) {
	case YAML_SCALAR_EVENT: return yaml_read_text(reader, node);
	case YAML_SEQUENCE_START_EVENT: return yaml_read_list(reader, depth, node);
	case YAML_MAPPING_START_EVENT: return yaml_read_map(reader, depth, node);
	default: return yaml_refuse(reader, "aliases (*name) are not allowed here" NEEDS_QUOTES);
	}
}

/* Reads the one document that there may be. */
static int yaml_read_document(struct yaml_reader *reader, struct yaml_node **root)
{
	if (yaml_next_event(reader) < 0 || yaml_next_event(reader) < 0)
		return -1; /* the first is the start of the stream */
	if (reader->event.type == YAML_STREAM_END_EVENT)
		return 0;
	if (yaml_next_event(reader) < 0)
		return -1;
	*root = yaml_new_node(reader);
	if (yaml_read_value(reader, 1, *root) < 0)
		return -1;
	if (yaml_next_event(reader) < 0 || yaml_next_event(reader) < 0)
		return -1; /* the first is the end of the document */
	if (reader->event.type != YAML_STREAM_END_EVENT)
		return yaml_refuse(reader, "a second document is not allowed here");
	return 0;
}

/* Overwrites what libyaml still holds of the file, for it only frees. */
static void yaml_wipe_parser(yaml_parser_t *parser)
{
	explicit_bzero(parser->raw_buffer.start,
		       (size_t)(parser->raw_buffer.end - parser->raw_buffer.start));
	explicit_bzero(parser->buffer.start, (size_t)(parser->buffer.end - parser->buffer.start));
}

/* Reads the bytes as UTF-8, whatever they look like; a byte order mark is no part of line 1. */
int yaml_read(const char *file, const char *bytes, size_t len, struct arena *arena,
	      struct yaml_node **root, struct error *err)
{
	bool marked = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0;
	struct yaml_reader reader = {.file = file,
				     .bytes = bytes + (marked ? 3 : 0),
				     .len = len - (marked ? 3 : 0),
				     .arena = arena,
				     .err = err};
	int rc;

	*root = NULL;
	if (yaml_parser_initialize(&reader.parser) == 0)
		return error_set(err, ERROR_CONFIG, SCOPE_FATAL, "no memory to read %s",
				 text_show(file));
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)reader.bytes,
				     reader.len);
	rc = yaml_read_document(&reader, root);
	yaml_drop_event(&reader);
	yaml_wipe_parser(&reader.parser);
	yaml_parser_delete(&reader.parser);
	return rc;
}

/* Overwrites a tree; the depth is bounded by reading. */
void yaml_wipe(struct yaml_node *root)
{
	for (; root != NULL; root = root->next) {
		if (root->text != NULL)
			explicit_bzero(root->text, strlen(root->text));
		yaml_wipe(root->key);
		yaml_wipe(root->children);
	}
}
