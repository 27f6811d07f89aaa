// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Bytes of the server in, typed answers out: the one tokenizer's user.
 *
 * Incremental: fed any cut of the stream, one byte at a time included. A body literal (BODY[] of a
 * FETCH) is handed out in pieces as it arrives and never held; every other literal is held and
 * bounded. What is unknown is skipped whole, to any shape within the bounds.
 *
 * Bounds, each an error past it: a line with its held literals 1 MiB, nesting 64, a UID set
 * 100,000 ranges, a body literal 4 GiB - 1. A number that does not fit its type is malformed.
 * UID 0 is malformed. After an error the stream is lost and the parser stays in error.
 *
 * A malformed line is an error where what comes after it may be part of it: a string or list in it
 * does not end, or it goes wrong behind a message's literal, whose length may be what is wrong.
 * Else, and where it is about one mailbox, it is IMAP_MALFORMED, and all others are read.
 */
#ifndef IMAP_PARSER_H
#define IMAP_PARSER_H

#include "base/error.h"
#include "imap/answer.h"

#define IMAP_LINE_MAX   (1u << 20)
#define IMAP_DEPTH_MAX  64
#define IMAP_RANGES_MAX 100000
#define IMAP_BODY_MAX   0xffffffffu

struct imap_parser;

struct imap_parser *imap_parser_open(void);
void imap_parser_close(struct imap_parser **parser);

/*
 * Takes the next len bytes from the wire: at the start, and whenever imap_parser_next said 0, which
 * means that all bytes before are used up. They are borrowed, not copied, until it says so again;
 * IMAP_BODY_DATA points right into them.
 */
void imap_parser_feed(struct imap_parser *parser, const char *bytes, size_t len);

/*
 * 1: *answer is the next one. 0: more bytes are needed. -1: the server broke the protocol
 * (ERROR_PROTOCOL, SCOPE_STORE; the text shows the place, escaped).
 */
int imap_parser_next(struct imap_parser *parser, struct imap_answer *answer, struct error *err);

#endif
