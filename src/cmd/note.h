// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The journal's rows and its notes (intents and refusals), as status, journal and explain show
 * them.
 */
#ifndef CMD_NOTE_H
#define CMD_NOTE_H

#include "cmd/json-line.h"
#include "journal/journal.h"

/* One line on stdout, indented. */
void note_print(const struct journal_note *note);
/* The same as {"event":"note",...}. */
void note_print_json(const char *channel, const char *mailbox, const struct journal_note *note);

/* The keys of both: from "note" on; from "uid" on, what is not known left out. */
void note_put(struct line *line, const struct journal_note *note);
void pair_put(struct line *line, const struct pair *pair);

#endif
