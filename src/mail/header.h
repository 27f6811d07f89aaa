// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Finds a message's Message-ID while its bytes stream by. Nothing else of a header is ever read:
 * evenmail parses no MIME. At most the first 64 KiB are looked at; a value longer than 998 bytes
 * is hashed as far as that. Folded lines, any case, CRLF or LF, and a missing end of the header
 * are all fine. The first Message-ID counts, even an empty one.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEADER_SCAN_MAX 65536
#define HEADER_VALUE_MAX 998

/* All zeros is the start. */
struct header_scan {
	size_t seen;  /* private: bytes looked at, CRs not counted */
	int state;    /* private */
	size_t match; /* private: how much of the name matched */
	size_t len;   /* bytes of value */
	char value[HEADER_VALUE_MAX]; /* without white space; not terminated */
};

/* Feeds bytes of the message from its start; any cut is fine. */
void header_feed(struct header_scan *scan, const char *bytes, size_t len);
/* The hash of the Message-ID seen so far, or 0 where there is none. */
uint64_t header_message_id(const struct header_scan *scan);
/*
 * 64 bits of SHA-256 of a Message-ID's value, white space (all of it) left out, so that folding
 * makes no difference, and cut at HEADER_VALUE_MAX; never 0 for a value that is not empty, 0 for
 * one that is.
 */
uint64_t header_hash_message_id(const char *value, size_t len);

#endif
