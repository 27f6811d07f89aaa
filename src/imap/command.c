// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap/command.h"

#include "base/array.h"
#include "imap/session.h"
#include "mail/date.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes an empty command. */
void imap_command_init(struct imap_command *command)
{
	*command = (struct imap_command){0};
	buf_init(&command->text, IMAP_COMMAND_MAX);
}

/* Frees what a command holds. */
void imap_command_free(struct imap_command *command)
{
	buf_free(&command->text);
	free(command->literals);
	*command = (struct imap_command){0};
}

/* Starts a command with its tag. */
void imap_command_begin(struct imap_command *command, unsigned tag, const char *words)
{
	assert(command->text.len == 0 && tag > 0);
	buf_printf(&command->text, "%c%u %s", IMAP_TAG_LETTER, tag, words);
}

/* Ends a command's last line. */
void imap_command_end(struct imap_command *command)
{
	buf_puts(&command->text, "\r\n");
	assert(!command->text.full);
}

/* Appends a word of our own. */
void imap_command_put_text(struct imap_command *command, const char *text)
{
	buf_putc(&command->text, ' ');
	buf_puts(&command->text, text);
}

/* Appends words of our own with numbers in them. */
void imap_command_put_format(struct imap_command *command, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	int len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	assert(len >= 0 && (size_t)len < sizeof(text));
	imap_command_put_text(command, text);
}

/* Notes a literal at the end of the text so far. */
static void command_note_literal(struct imap_command *command, uint64_t len, bool streamed)
{
	*array_push(command->literals, command->literals_len, command->literals_cap) =
	    (struct imap_literal){.at = command->text.len, .len = len, .streamed = streamed};
}

/* Whether every byte may stand between quotes without doubt at any server. */
static bool command_is_printable(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] < ' ' || bytes[i] > '~')
			return false;
	}
	return true;
}

/* Appends a string from outside so that it stays one argument. */
void imap_command_put_astring(struct imap_command *command, const char *bytes, size_t len)
{
	struct buf *text = &command->text;

	buf_putc(text, ' ');
	if (!command_is_printable(bytes, len)) {
		command_note_literal(command, len, false);
		buf_append(text, bytes, len);
		return;
	}
	buf_putc(text, '"');
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '"' || bytes[i] == '\\')
			buf_putc(text, '\\');
		buf_putc(text, bytes[i]);
	}
	buf_putc(text, '"');
}

/* Appends a flag list. */
void imap_command_put_flags(struct imap_command *command, struct flags flags)
{
	buf_puts(&command->text, " (");
	flags_to_imap(flags, &command->text);
	buf_putc(&command->text, ')');
}

/* Appends an INTERNALDATE. */
void imap_command_put_date(struct imap_command *command, int64_t seconds)
{
	char date[DATE_IMAP_SIZE];

	date_to_imap(seconds, date);
	imap_command_put_format(command, "\"%s\"", date);
}

/* Appends what a FETCH asks for; the body comes last, so that its owner is known before it. */
void imap_command_put_items(struct imap_command *command, unsigned items, uint64_t changed_since)
{
	static const struct {
		enum imap_fetch_item item;
		const char *name;
	} names[] = {
	    {IMAP_FETCH_FLAGS, " FLAGS"},
	    {IMAP_FETCH_MODSEQ, " MODSEQ"},
	    {IMAP_FETCH_DATE, " INTERNALDATE"},
	    {IMAP_FETCH_SIZE, " RFC822.SIZE"},
	    {IMAP_FETCH_EMAIL_ID, " EMAILID"},
	    {IMAP_FETCH_GMAIL_ID, " X-GM-MSGID"},
	    {IMAP_FETCH_MESSAGE_ID, " BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"},
	    {IMAP_FETCH_BODY, " BODY.PEEK[]"},
	};

	buf_puts(&command->text, " (UID");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (items & names[i].item)
			buf_puts(&command->text, names[i].name);
	}
	buf_putc(&command->text, ')');
	if (changed_since > 0)
		imap_command_put_format(command, "(CHANGEDSINCE %" PRIu64 ")", changed_since);
}

/* Appends a literal whose bytes are not here. */
void imap_command_put_stream(struct imap_command *command, uint64_t size)
{
	buf_putc(&command->text, ' ');
	command_note_literal(command, size, true);
}

/* All of another command's text and literals: it was only put to, neither begun nor ended. */
static void put_command(struct imap_command *command, const struct imap_command *args)
{
	size_t base = command->text.len;

	buf_append(&command->text, args->text.data, args->text.len);
	for (size_t i = 0; i < args->literals_len; i++) {
		struct imap_literal literal = args->literals[i];

		literal.at += base;
		*array_push(command->literals, command->literals_len, command->literals_cap) =
		    literal;
	}
}

/* How much of a line arguments take: all but what their literals hold. */
static size_t command_line_len(const struct imap_command *args)
{
	size_t len = args->text.len;

	for (size_t i = 0; i < args->literals_len; i++) {
		if (!args->literals[i].streamed)
			len -= (size_t)args->literals[i].len;
		len += IMAP_ANNOUNCE_MAX;
	}
	return len;
}

/* Builds the next command over a chunk of a UID set. */
void imap_command_build_uids(struct imap_command *command, unsigned tag, const char *words,
			     const struct uidset *uids, size_t *next, size_t line_max,
			     const struct imap_command *args)
{
	struct buf set;

	assert(*next < uids->len);
	imap_command_begin(command, tag, words);
	size_t taken = command->text.len + strlen(" \r\n") + (args ? command_line_len(args) : 0);
	buf_init(&set, IMAP_COMMAND_MAX / 2);
	uidset_format(uids, next, taken < line_max ? line_max - taken : 0, &set);
	imap_command_put_text(command, set.data);
	buf_free(&set);
	if (args)
		put_command(command, args);
	imap_command_end(command);
}

/* Announces a literal. */
size_t imap_command_announce(const struct imap_literal *literal, bool wait, char *out)
{
	int len =
	    snprintf(out, IMAP_ANNOUNCE_MAX, "{%" PRIu64 "%s}\r\n", literal->len, wait ? "" : "+");

	assert(len > 0 && len < IMAP_ANNOUNCE_MAX);
	return (size_t)len;
}
