// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reads one whole logical line (held literals in it) into an answer: every response but FETCH,
 * which is read piece by piece (imap/fetch.h). Memory for what an answer points to is kept from
 * line to line, so that reading allocates nothing once it has grown.
 *
 * Lenient, as servers are: blanks missing or doubled, "LITERAL +", a NIL or empty delimiter,
 * PERMANENTFLAGS of any shape, malformed APPENDUID and COPYUID (IMAP_CODE_OTHER: the new UIDs are
 * then found otherwise), MODSEQ -1, UIDVALIDITY and UIDNEXT 0 in STATUS (not told), VANISHED
 * without UIDs, a MAILBOXID that is none (not told), others' NAMESPACEs of any shape. Malformed:
 * numbers that do not fit, UID 0, names and lists that are none.
 */
#ifndef IMAP_RESPONSE_H
#define IMAP_RESPONSE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/uidset.h"
#include "imap/answer.h"
#include "imap/lex.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct response {
	struct uidset uids;
	struct uidset uids_to;
	struct buf scratch; /* strings that had to be put together */
	struct imap_namespace *namespaces;
	size_t namespaces_len;
	size_t namespaces_cap;
	uint32_t *numbers; /* of a SEARCH */
	size_t numbers_len;
	size_t numbers_cap;
	size_t line_len; /* of the line being read: scratch never needs more */
};

enum response_line {
	RESPONSE_TEXT,  /* ends in human text: no literal can be in it */
	RESPONSE_FETCH, /* "* n FETCH" */
	RESPONSE_DATA,
};

void response_init(struct response *response);
void response_free(struct response *response);
/* What a line is by its start; for RESPONSE_FETCH the cursor is moved behind "FETCH". */
enum response_line response_classify(struct lex_cursor *cursor, uint32_t *sequence);
/* Fills a zeroed answer. -1: malformed. */
int response_read(struct response *response, const char *line, size_t len,
		  struct imap_answer *answer, struct error *err);
/*
 * Whether a malformed line can be passed over: it is untagged and about one mailbox, and its
 * strings and lists are whole, so that nothing else can have begun in it.
 */
bool response_may_pass(const char *line, size_t len);

/* For imap/code.c: what an astring holds, in place or in scratch. */
struct imap_string response_string(struct response *response, const struct lex_token *token);
/* All atoms up to the cursor's end, one blank between, brackets of lists left out. */
int response_join(struct response *response, struct lex_cursor *cursor, struct imap_string *out,
		  struct error *err);

#endif
