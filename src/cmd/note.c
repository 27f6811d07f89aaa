// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/note.h"

#include "base/text.h"
#include "cmd/json-line.h"

#include <stdio.h>

static const char *kind_name(enum journal_note_kind kind)
{
	switch (kind) {
	case JOURNAL_PUBLISHING: return "publishing";
	case JOURNAL_APPENDING: return "appending";
	case JOURNAL_MOVING: return "moving";
	case JOURNAL_REMOVING: return "removing";
	case JOURNAL_REFUSED: break;
	}
	return "refused";
}

void note_print(const struct journal_note *note)
{
	printf("    %s: %s", kind_name(note->kind), side_name(note->side));
	if (note->uid)
		printf(" UID %u", note->uid);
	if (note->name)
		printf(" %s", text_show(note->name));
	if (note->identity.size != SIZE_UNKNOWN)
		printf(", %s", text_size(note->identity.size));
	if (note->text)
		printf("%s%s", note->kind == JOURNAL_MOVING ? " to " : ": ", text_show(note->text));
	putchar('\n');
}

void note_put(struct line *line, const struct journal_note *note)
{
	line_text(line, "note", kind_name(note->kind));
	line_text(line, "side", side_name(note->side));
	if (note->uid)
		line_count(line, "uid", note->uid);
	if (note->name)
		line_text(line, "name", note->name);
	if (note->identity.size != SIZE_UNKNOWN)
		line_count(line, "size", note->identity.size);
	if (note->text)
		line_text(line, note->kind == JOURNAL_MOVING ? "target" : "reason", note->text);
}

void note_print_json(const char *channel, const char *mailbox, const struct journal_note *note)
{
	struct line line;

	line_begin(&line, "note", channel, mailbox);
	note_put(&line, note);
	line_end(&line);
}

void pair_put(struct line *line, const struct pair *pair)
{
	char hex[DIGEST_HEX_SIZE];

	line_count(line, "uid", pair->uid);
	line_text(line, "name", pair->name);
	line_flags(line, pair->flags);
	if (pair->gone)
		line_text(line, "gone", side_name(pair->gone & 1u << LOCAL ? LOCAL : REMOTE));
	if (pair->size != SIZE_UNKNOWN)
		line_count(line, "size", pair->size);
	if (pair->date != DATE_UNKNOWN)
		line_time(line, "date", pair->date);
	digest_to_hex(&pair->digest, hex);
	if (digest_is_known(&pair->digest))
		line_text(line, "digest", hex);
}
