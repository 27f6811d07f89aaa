// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reads one FETCH response token by token, so that its body literal may stream by in the middle:
 * what stands before an announced literal is read first, and tells whether that literal is the
 * body. What is not asked for by us is skipped, to any shape within IMAP_DEPTH_MAX.
 *
 * Lenient: an INTERNALDATE, EMAILID or X-GM-MSGID that cannot be read, NIL for anything but UID,
 * and MODSEQ -1 (Zimbra) count as not told. Malformed: UID 0, numbers that do not fit, two bodies,
 * two different UIDs.
 */
#ifndef IMAP_FETCH_H
#define IMAP_FETCH_H

#include "base/error.h"
#include "imap/answer.h"
#include "imap/lex.h"

#include <stdbool.h>
#include <stdint.h>

enum fetch_state {
	FETCH_AT_START,
	FETCH_AT_NAME,
	FETCH_IN_SECTION,
	FETCH_AT_ORIGIN,
	FETCH_AT_VALUE,
	FETCH_IN_LIST,
	FETCH_AT_END,
};

enum fetch_item {
	FETCH_OTHER,
	FETCH_UID,
	FETCH_FLAGS,
	FETCH_MODSEQ,
	FETCH_DATE,
	FETCH_SIZE,
	FETCH_MESSAGE_ID,
	FETCH_EMAIL_ID, /* EMAILID (RFC 8474) */
	FETCH_GMAIL_ID, /* X-GM-MSGID */
	FETCH_BODY,
};

/* Read values only, once the line is whole; the rest is private. */
struct fetch {
	enum fetch_state state;
	enum fetch_item item; /* the one whose section or value is being read */
	unsigned depth;       /* lists open */
	unsigned words;       /* of the section so far */
	bool wanted;          /* every one of them is what HEADER.FIELDS (MESSAGE-ID) has there */
	struct imap_fetch values;
};

/* Starts a response; sequence is the number before FETCH. */
void fetch_start(struct fetch *fetch, uint32_t sequence);
/* Reads all tokens of a piece of the line. -1: malformed. */
int fetch_read(struct fetch *fetch, struct lex_cursor *cursor, struct error *err);
/* Whether the value due now is the body. */
bool fetch_awaits_body(const struct fetch *fetch);
/*
 * The body comes as a literal of len bytes: it is read by somebody else. -1: the second body, or
 * too long.
 */
int fetch_take_body(struct fetch *fetch, uint64_t len, struct error *err);
/* The line is over. -1: the response is not. */
int fetch_finish(const struct fetch *fetch, const struct lex_cursor *cursor, struct error *err);

#endif
