// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/encode.h"

#include "base/text.h"
#include "mail/mailbox-name.h"
#include "maildir/keywords.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define COMPONENT_TEXT_MAX ((size_t)3 * MAILBOX_NAME_MAX)

/* The value of a hexadecimal digit, or -1. */
static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Whether text starts with something that decoding takes for an escape. */
static bool is_escape(const char *text, size_t len)
{
	return len >= 3 && text[0] == '%' && hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0;
}

/*
 * The length of what mail/mailbox-name.h writes for a '/' within a component ("%2F", and "%252F"
 * for such a text itself), 0 where there is none: it means the same here, and stays as it is.
 */
static size_t slash_escape(const char *text, size_t len)
{
	size_t i = 1;

	if (len < 3 || text[0] != '%')
		return 0;
	while (i + 4 <= len && memcmp(text + i, "25", 2) == 0)
		i += 2;
	return memcmp(text + i, "2F", 2) == 0 ? i + 2 : 0;
}

/*
 * Whether a component is what a Maildir has of its own: its directories, and the keywords' file
 * with all that is made beside it.
 */
static bool is_reserved(const char *text, size_t len)
{
	static const char keywords[] = MAILDIR_KEYWORDS_FILE;
	const size_t start = sizeof(keywords) - 1;

	return (len == 3 && (memcmp(text, "cur", 3) == 0 || memcmp(text, "new", 3) == 0 ||
			     memcmp(text, "tmp", 3) == 0)) ||
	       (len >= start && memcmp(text, keywords, start) == 0);
}

/* Whether the byte at index i of a component has to be escaped; controls are in no name. */
static bool needs_escape(enum maildir_layout layout, const char *text, size_t len, size_t i)
{
	char c = text[i];

	if (is_escape(text + i, len - i))
		return true;
	if (layout == MAILDIR_LAYOUT_PLUSPLUS)
		return c == '.';
	return i == 0 && (c == '.' || c == '~' || is_reserved(text, len));
}

/* Appends one component. */
static void encode_component(enum maildir_layout layout, const char *text, size_t len,
			     struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		size_t slash = slash_escape(text + i, len - i);
		if (slash) {
			buf_append(out, text + i, slash);
			i += slash - 1;
		} else if (needs_escape(layout, text, len, i)) {
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)text[i]);
		} else {
			buf_putc(out, text[i]);
		}
	}
}

/* Appends the bytes that an encoded component stands for. */
static void decode_component(const char *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		size_t slash = slash_escape(text + i, len - i);
		if (slash) {
			buf_append(out, text + i, slash);
			i += slash - 1;
		} else if (is_escape(text + i, len - i)) {
			buf_putc(out, (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
			i += 2;
		} else {
			buf_putc(out, text[i]);
		}
	}
}

/* Says that a name is too long for a directory. */
static int refuse_long(const char *name, struct error *err)
{
	return error_set(err, ERROR_REFUSED, SCOPE_MAILBOX,
			 "mailbox %s: its name is too long for a directory of the file system",
			 text_show(name));
}

/* Whether a mailbox would lie where the root has its marker. */
static bool is_marker(enum maildir_layout layout, const char *name)
{
	return layout == MAILDIR_LAYOUT_PLUSPLUS && strcmp(name, &MAILDIR_MARKER[1]) == 0;
}

/* Appends all components; the layouts part them in different ways. */
static int encode_components(enum maildir_layout layout, const char *name, struct buf *out,
			     struct error *err)
{
	size_t entry = out->len;

	for (const char *at = name;;) {
		size_t len = strcspn(at, "/");

		if (layout == MAILDIR_LAYOUT_PLUSPLUS)
			buf_putc(out, '.');
		else
			entry = out->len;
		if (is_marker(layout, name)) {
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)*at);
			encode_component(layout, at + 1, len - 1, out);
		} else {
			encode_component(layout, at, len, out);
		}
		if (out->full || out->len - entry > MAILDIR_ENTRY_MAX)
			return refuse_long(name, err);
		if (at[len] == '\0')
			return 0;
		if (layout == MAILDIR_LAYOUT_TREE)
			buf_putc(out, '/');
		at += len + 1;
	}
}

/* INBOX is the root in maildir++; however it is written, it is one mailbox. */
int maildir_encode(enum maildir_layout layout, const char *name, struct buf *out, struct error *err)
{
	bool inbox = mailbox_name_is_inbox(name);

	if (mailbox_name_check(name, strlen(name), err) < 0)
		return -1;
	if (inbox && layout == MAILDIR_LAYOUT_PLUSPLUS)
		return buf_putc(out, '.');
	return encode_components(layout, inbox ? "INBOX" : name, out, err);
}

/* Appends the components of an entry of maildir++, ".a.b" to "a/b". */
static int decode_plusplus(const char *entry, struct buf *out)
{
	if (entry[0] != '.')
		return -1;
	for (const char *at = entry + 1;;) {
		size_t len = strcspn(at, ".");

		decode_component(at, len, out);
		if (at[len] == '\0')
			return 0;
		buf_putc(out, '/');
		at += len + 1;
	}
}

/* Whether a name's first component is INBOX in another case: it would clash with the real one. */
static bool is_false_inbox(const char *name)
{
	size_t len = strcspn(name, "/");

	return len == 5 && strncasecmp(name, "INBOX", 5) == 0 && memcmp(name, "INBOX", 5) != 0;
}

/* Whether encoding name again ends in the very entry that it was decoded from. */
static bool is_faithful(enum maildir_layout layout, const char *name, const char *entry)
{
	struct buf path;
	const char *last;
	bool same = false;

	buf_init(&path, COMPONENT_TEXT_MAX);
	if (maildir_encode(layout, name, &path, NULL) == 0) {
		last = strrchr(path.data, '/');
		same = strcmp(last ? last + 1 : path.data, entry) == 0;
	}
	buf_free(&path);
	return same;
}

/* Holds the result against the encoding, so that no two directories can have one name. */
int maildir_decode(enum maildir_layout layout, const char *parent, const char *entry,
		   struct buf *out)
{
	size_t start = out->len;
	int rc = 0;

	if (layout == MAILDIR_LAYOUT_PLUSPLUS) {
		rc = decode_plusplus(entry, out);
	} else {
		if (*parent)
			buf_printf(out, "%s/", parent);
		decode_component(entry, strlen(entry), out);
	}
	if (rc < 0 || out->full || strlen(out->data + start) != out->len - start ||
	    is_false_inbox(out->data + start) || !is_faithful(layout, out->data + start, entry))
		return -1;
	return 0;
}
