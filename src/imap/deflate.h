// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * COMPRESS=DEFLATE (RFC 4978): one raw deflate stream each way, over bytes that others move.
 *
 * Out: pack a batch, send what is packed, pack the next. Each batch ends in a sync flush, so that
 * the server can read all of it. In: feed what came, unpack until it says 0, feed more. Unpacked
 * bytes are handed on as they come and never gathered: what a small answer may swell to is bounded
 * by the reader, as everything is that a server says. Some 300 KB of memory, whatever comes.
 */
#ifndef IMAP_DEFLATE_H
#define IMAP_DEFLATE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAP_DEFLATE_BATCH_MAX (32u << 10) /* plain bytes packed at once */
#define IMAP_DEFLATE_FEED_MAX  (16u << 10) /* packed bytes fed at once */

struct imap_deflate;

struct imap_deflate *imap_deflate_open(void);
/* NULL is fine. */
void imap_deflate_close(struct imap_deflate **deflate);

/* Packs up to a batch of bytes; returns how many. Only once all that was packed before is sent. */
size_t imap_deflate_pack(struct imap_deflate *deflate, const char *bytes, size_t len);
/* What is packed and not sent yet; 0: nothing. */
size_t imap_deflate_packed(const struct imap_deflate *deflate, const char **bytes);
/* So many of the packed bytes are sent. */
void imap_deflate_sent(struct imap_deflate *deflate, size_t len);

/* Takes a copy of what came. Only at first, and after imap_deflate_unpack said 0. */
void imap_deflate_feed(struct imap_deflate *deflate, const char *bytes, size_t len);
/*
 * 1: *got plain bytes (at least one) are at out. 0: more must be fed. -1: what came is no deflate
 * stream, or goes on after the stream's end (ERROR_PROTOCOL, SCOPE_STORE); what was good before the
 * damage is handed out first.
 */
int imap_deflate_unpack(struct imap_deflate *deflate, char *out, size_t len, size_t *got,
			struct error *err);

/* What was seen of a line that is not compressed. */
struct imap_pace {
	int64_t round_trip_ms; /* the shortest of the login's; below 0: none was seen */
	uint64_t bytes;        /* moved while messages were on their way */
	uint64_t waited_ms;    /* for the line in that time */
};

#define IMAP_PACE_BYTES      (1u << 20)
#define IMAP_PACE_ROUND_TRIP 10   /* milliseconds */
#define IMAP_PACE_RATE       4000 /* bytes a millisecond: 4 MB/s */
#define IMAP_PACE_ROWS       (16u << 10)

/*
 * Whether compression pays on a line of this pace (compress: auto). It costs a round trip, and
 * servers deflate some 30 MB of mail a second, which slows a fast line, while mail shrinks to a
 * half or three quarters. So not
 *	D1 before IMAP_PACE_BYTES have moved: a run with little to do ends without;
 *	D2 where the round trip is below IMAP_PACE_ROUND_TRIP: this machine or its neighbour, slow
 *	   only where the server's own work is slow, which compression would add to;
 *	D3 where the line moves IMAP_PACE_RATE or more. Only the time that was waited for the line
 *	   counts, so that a slow disk here is not taken for a slow line.
 */
bool imap_deflate_pays(const struct imap_pace *pace);
/*
 * Whether compression pays for so many bytes of rows that the server is about to tell, where little
 * content will follow: rows shrink to a fifth and less, and to deflate them costs nothing worth
 * telling. So not
 *	D4 where they are below IMAP_PACE_ROWS, or would take a line of IMAP_PACE_RATE less
 *	   time than the round trip that COMPRESS costs, or where no round trip was seen.
 */
bool imap_deflate_pays_for(const struct imap_pace *pace, uint64_t bytes);
/* Whether it may still come to pay, D1 alone being against it: so little is to be asked ahead. */
bool imap_deflate_may_pay(const struct imap_pace *pace);

#endif
