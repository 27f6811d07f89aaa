// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What identifies a message across the two sides when no journal does.
 *
 * Size and Message-ID are cheap to ask a server for; the digest is certain, but costs the message.
 * No field of the message is trusted as state: identity only pairs what is unpaired, and k equal
 * messages stay k (FAULTS: copies are never merged).
 */
#ifndef MAIL_IDENTITY_H
#define MAIL_IDENTITY_H

#include "base/order.h"
#include "mail/digest.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SIZE_BITS    62                               /* what a size takes */
#define SIZE_UNKNOWN ((UINT64_C(1) << SIZE_BITS) - 1) /* above any other */
#define DATE_UNKNOWN INT64_MIN

struct identity {
	uint64_t size : SIZE_BITS; /* bytes in CRLF form (RFC822.SIZE), or SIZE_UNKNOWN */
	bool has_message_id : 1;   /* it was asked for: 0 then means that the message has none */
	bool has_digest : 1;
	int64_t date;        /* INTERNALDATE, or the file's mtime: seconds since the epoch */
	uint64_t message_id; /* header_hash_message_id of it; 0: none, or not asked yet */
	uint64_t email_id;   /* a hash of EMAILID (RFC 8474) or X-GM-MSGID; 0: none is told */
	struct digest digest;
};

_Static_assert(sizeof(struct identity) <= 64, "what identifies a message costs 64 bytes");

/* For qsort: by size and digest, which both have. */
static inline int identity_compare_bytes(const struct identity *a, const struct identity *b)
{
	int order = order_u64(a->size, b->size);

	return order ? order : memcmp(&a->digest, &b->digest, sizeof(a->digest));
}

/* For qsort: by size, Message-ID and date. */
static inline int identity_compare_details(const struct identity *a, const struct identity *b)
{
	int order = order_u64(a->size, b->size);

	if (!order)
		order = order_u64(a->message_id, b->message_id);
	return order ? order : order_i64(a->date, b->date);
}

#endif
