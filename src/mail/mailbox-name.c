// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail/mailbox-name.h"

#include "base/text.h"
#include "mail/ascii.h"
#include "mail/utf7.h"

#include <string.h>

#define INBOX       "INBOX"
#define INBOX_LEN   (sizeof(INBOX) - 1)
#define SHOWN_MAX   200                    /* bytes of a bad name that a message shows */
#define WIRE_MAX    (4 * MAILBOX_NAME_MAX) /* above what modified UTF-7 makes of a name */
#define TOO_LONG    "its name is too long"
#define HAS_CONTROL "its name holds a control character"

/* Tells why a name is none, with the name made harmless. */
static int refuse_name(struct error *err, enum error_kind kind, const char *name, size_t len,
		       const char *why)
{
	struct buf shown;

	buf_init(&shown, 8 * SHOWN_MAX);
	text_escape(&shown, name, len, SHOWN_MAX);
	error_set(err, kind, SCOPE_MAILBOX, "mailbox \"%s\": %s", shown.data, why);
	buf_free(&shown);
	return -1;
}

/* What is wrong with the characters of a name, or NULL. */
static const char *find_bad_character(const char *name, size_t len)
{
	while (len) {
		uint32_t point = 0;
		size_t size = utf8_read(name, len, &point);

		if (!size)
			return "its name is not UTF-8";
		if (point < 0x20 || (point >= 0x7f && point < 0xa0))
			return HAS_CONTROL;
		name += size;
		len -= size;
	}
	return NULL;
}

/* What is wrong with a name, or NULL. */
static const char *find_fault(const char *name, size_t len)
{
	size_t start = 0;

	if (len == 0)
		return "its name is empty";
	if (len > MAILBOX_NAME_MAX)
		return TOO_LONG;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && name[i] != '/')
			continue;
		if (i == start)
			return "its name has an empty part";
		if (i - start > MAILBOX_COMPONENT_MAX)
			return "a part of its name is too long";
		start = i + 1;
	}
	return find_bad_character(name, len);
}

/* Holds a name against the rules. */
int mailbox_name_check(const char *name, size_t len, struct error *err)
{
	const char *fault = find_fault(name, len);

	return fault ? refuse_name(err, ERROR_REFUSED, name, len, fault) : 0;
}

/* INBOX has no case (RFC 9051 section 5.1). */
bool mailbox_name_is_inbox(const char *name)
{
	return ascii_is_word(name, strlen(name), INBOX);
}

/* A name ends where a component does: "Workshop" is not below "Work". */
bool mailbox_name_is_below(const char *name, const char *above)
{
	size_t len = strlen(above);

	return !strncmp(name, above, len) && name[len] == '/';
}

/* Appends bytes; a first component INBOX of any case is written in capitals. */
static void append_with_inbox(struct buf *out, const char *bytes, size_t len, char delimiter)
{
	bool inbox = len >= INBOX_LEN && ascii_is_word(bytes, INBOX_LEN, INBOX) &&
		     (len == INBOX_LEN || (delimiter && bytes[INBOX_LEN] == delimiter));
	size_t skip = inbox ? INBOX_LEN : 0;

	if (inbox)
		buf_puts(out, INBOX);
	buf_append(out, bytes + skip, len - skip);
}

/* Whether the wire name lies in the namespace; the INBOX of a prefix has no case either. */
static bool has_prefix(const struct mailbox_naming *naming, const char *wire, size_t len)
{
	size_t prefix_len = strlen(naming->prefix);
	size_t caseless = 0;

	if (prefix_len == 0 || len < prefix_len)
		return false;
	if (prefix_len >= INBOX_LEN && ascii_is_word(wire, INBOX_LEN, INBOX) &&
	    ascii_is_word(naming->prefix, INBOX_LEN, INBOX))
		caseless = INBOX_LEN;
	return memcmp(wire + caseless, naming->prefix + caseless, prefix_len - caseless) == 0;
}

/*
 * Whether nothing but INBOX is left once every prefix is off. Such names keep what they have: if
 * "INBOX.INBOX" lost its prefix, two mailboxes would have one name.
 */
static bool is_only_inbox(const struct mailbox_naming *naming, const char *wire, size_t len)
{
	while (has_prefix(naming, wire, len)) {
		wire += strlen(naming->prefix);
		len -= strlen(naming->prefix);
	}
	return ascii_is_word(wire, len, INBOX);
}

/*
 * How many bytes of an escape, or of what would pass for one, start here: '%', any number of "25",
 * and "2F". 0 where it is none.
 */
static size_t escape_len(const char *text, size_t len)
{
	size_t i = 1;

	if (*text != '%')
		return 0;
	while (len - i >= 2 && memcmp(text + i, "25", 2) == 0)
		i += 2;
	return len - i >= 2 && memcmp(text + i, "2F", 2) == 0 ? i + 2 : 0;
}

/* Appends a component's text as it stands in a name. */
static void append_escaped(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '/')
			buf_puts(out, "%2F");
		else if (escape_len(text + i, len - i))
			buf_puts(out, "%25");
		else
			buf_putc(out, text[i]);
	}
}

/* Appends the text that a name's component says. */
static void append_unescaped(struct buf *out, const char *component, size_t len)
{
	size_t used;

	for (size_t i = 0; i < len; i += used) {
		size_t escape = escape_len(component + i, len - i);

		used = escape ? 3 : 1;
		if (escape == 3)
			buf_putc(out, '/');
		else
			buf_putc(out, component[i]);
	}
}

/* The length of the component at the start of text. */
static size_t component_len(const char *text, size_t len, char delimiter)
{
	const char *end = delimiter ? memchr(text, delimiter, len) : NULL;

	return end ? (size_t)(end - text) : len;
}

/* Appends UTF-8 text, parted by the server's delimiter, as a name. */
static void append_name(const struct mailbox_naming *naming, const struct buf *text,
			struct buf *name)
{
	const char *at = text->data;
	size_t left = text->len;

	for (;;) {
		size_t len = component_len(at, left, naming->delimiter);

		append_escaped(name, at, len);
		if (len == left)
			break;
		buf_putc(name, '/');
		at += len + 1;
		left -= len + 1;
	}
}

/* Decodes wire bytes to UTF-8; what is wrong with them, or NULL. */
static const char *decode_wire(const struct mailbox_naming *naming, const char *wire, size_t len,
			       struct buf *text)
{
	bool plain = true;

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)wire[i] < ' ' || wire[i] == 0x7f)
			return HAS_CONTROL;
		plain = plain && ascii_is_printable(wire[i]);
	}
	if (!naming->utf8 && !plain)
		return "its name is neither modified UTF-7 nor ASCII";
	if (naming->utf8 || utf7_decode(wire, len, text) == -1)
		buf_append(text, wire, len);
	return text->full ? TOO_LONG : NULL;
}

/* Makes a name of a wire name; why it has none, or NULL. */
static const char *name_of_wire(const struct mailbox_naming *naming, const char *wire, size_t len,
				struct buf *name)
{
	struct buf text, plain;
	const char *fault;

	buf_init(&text, MAILBOX_NAME_MAX);
	buf_init(&plain, MAILBOX_NAME_MAX);
	if (!is_only_inbox(naming, wire, len) && has_prefix(naming, wire, len)) {
		wire += strlen(naming->prefix);
		len -= strlen(naming->prefix);
	}
	fault = decode_wire(naming, wire, len, &plain);
	if (fault)
		goto out;
	append_with_inbox(&text, plain.data, plain.len, naming->delimiter);
	append_name(naming, &text, name);
	fault = name->full ? TOO_LONG : find_fault(name->data, name->len);
out:
	buf_free(&plain);
	buf_free(&text);
	return fault;
}

/* Wire to name. */
int mailbox_name_from_wire(const struct mailbox_naming *naming, const char *wire, size_t len,
			   struct buf *out, struct error *err)
{
	struct buf name;
	const char *fault;
	int rc = 0;

	buf_init(&name, MAILBOX_NAME_MAX);
	fault = name_of_wire(naming, wire, len, &name);
	if (!fault && buf_append(out, name.data, name.len) == -1)
		fault = TOO_LONG;
	if (fault)
		rc = refuse_name(err, ERROR_PROTOCOL, wire, len, fault);
	buf_free(&name);
	return rc;
}

/* Appends the text of all components, joined by the delimiter; why the server cannot hold it. */
static const char *append_text(const struct mailbox_naming *naming, const char *name, size_t len,
			       struct buf *text)
{
	for (;;) {
		size_t part = component_len(name, len, '/');
		size_t start = text->len;

		append_unescaped(text, name, part);
		if (naming->delimiter &&
		    memchr(text->data + start, naming->delimiter, text->len - start))
			return "its name holds the character by which the server parts names";
		if (part == len)
			return NULL;
		if (!naming->delimiter)
			return "the server has no mailboxes inside mailboxes";
		buf_putc(text, naming->delimiter);
		name += part + 1;
		len -= part + 1;
	}
}

/* Makes a wire name of a name that has been checked; why the server cannot hold it, or NULL. */
static const char *wire_of_name(const struct mailbox_naming *naming, const char *name, size_t len,
				struct buf *wire)
{
	struct buf plain, text, encoded;
	const char *fault;

	buf_init(&plain, MAILBOX_NAME_MAX);
	buf_init(&text, MAILBOX_NAME_MAX);
	buf_init(&encoded, WIRE_MAX);
	fault = append_text(naming, name, len, &plain);
	if (fault)
		goto out;
	append_with_inbox(&text, plain.data, plain.len, naming->delimiter);
	if (naming->utf8)
		buf_append(&encoded, text.data, text.len);
	else
		utf7_encode(text.data, text.len, &encoded);
	if (!is_only_inbox(naming, encoded.data, encoded.len))
		buf_puts(wire, naming->prefix);
	buf_append(wire, encoded.data, encoded.len);
out:
	buf_free(&encoded);
	buf_free(&text);
	buf_free(&plain);
	return fault;
}

/* Name to wire. */
int mailbox_name_to_wire(const struct mailbox_naming *naming, const char *name, struct buf *out,
			 struct error *err)
{
	struct buf wire;
	const char *fault;
	size_t len = strlen(name);
	int rc = 0;

	if (mailbox_name_check(name, len, err) == -1)
		return -1;
	buf_init(&wire, WIRE_MAX + sizeof(naming->prefix));
	fault = wire_of_name(naming, name, len, &wire);
	if (!fault && buf_append(out, wire.data, wire.len) == -1)
		fault = TOO_LONG;
	if (fault)
		rc = refuse_name(err, ERROR_REFUSED, name, len, fault);
	buf_free(&wire);
	return rc;
}
