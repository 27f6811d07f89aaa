// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Any text as one printable word: what is not safe goes as %XX (two capital hexadecimal digits).
 * Well-formed UTF-8 from U+00A0 on passes; '%' itself never does, so it can be undone.
 */
#ifndef JOURNAL_ESCAPE_H
#define JOURNAL_ESCAPE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Which of the printable ASCII characters stay as they are. */
enum escape_set {
	ESCAPE_WORD, /* all but blank and '%': a field of a record */
	ESCAPE_FILE, /* [A-Za-z0-9._+=@-]: a file's name */
};

/* Appends text escaped. */
void escape_put(struct buf *out, enum escape_set set, const char *text, size_t len);
/*
 * Undoes it in place, and terminates: text[len] must be there to be written. The new length, or -1
 * where it is malformed or would hold a NUL.
 */
int escape_undo(char *text, size_t len, size_t *out_len);
/*
 * The length of the character (an ASCII one, a UTF-8 sequence or an escape) that escaped text
 * begins with.
 */
size_t escape_char_len(const char *text, size_t len);

#endif
