// SPDX-License-Identifier: GPL-3.0-or-later
#define ZLIB_CONST
#include "imap/deflate.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define DEFLATE_WINDOW (-15) /* 32 KiB; negative: raw, without header and checksum */
#define DEFLATE_MEMORY 8     /* zlib's default */

/* Bytes of a batch that cannot be compressed grow by five for each block of stored ones. */
#define DEFLATE_PACKED_MAX (IMAP_DEFLATE_BATCH_MAX + (1u << 10))

struct imap_deflate {
	z_stream out;
	size_t packed_len;
	size_t packed_at; /* those before are sent */
	z_stream in;
	bool ended; /* the server has ended its stream */
	char packed[DEFLATE_PACKED_MAX];
	char fed[IMAP_DEFLATE_FEED_MAX];
};

/* Gives zlib memory, which never fails here. */
static void *deflate_alloc(void *context, unsigned count, unsigned size)
{
	(void)context;
	return xcalloc(count, size);
}

/* Takes it back. */
static void deflate_free(void *context, void *memory)
{
	(void)context;
	free(memory);
}

/* Makes both streams. */
struct imap_deflate *imap_deflate_open(void)
{
	struct imap_deflate *d = xcalloc(1, sizeof(*d));

	d->out.zalloc = d->in.zalloc = deflate_alloc;
	d->out.zfree = d->in.zfree = deflate_free;
	int out = deflateInit2(&d->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, DEFLATE_WINDOW,
			       DEFLATE_MEMORY, Z_DEFAULT_STRATEGY);
	int in = inflateInit2(&d->in, DEFLATE_WINDOW);

	assert(out == Z_OK && in == Z_OK);
	(void)out, (void)in;
	return d;
}

/* Frees both streams. */
void imap_deflate_close(struct imap_deflate **d)
{
	if (!*d)
		return;
	deflateEnd(&(*d)->out);
	inflateEnd(&(*d)->in);
	free(*d);
	*d = NULL;
}

/* Packs a batch; there is always room for one. */
size_t imap_deflate_pack(struct imap_deflate *d, const char *bytes, size_t len)
{
	size_t part = len < IMAP_DEFLATE_BATCH_MAX ? len : IMAP_DEFLATE_BATCH_MAX;
	z_stream *out = &d->out;

	assert(d->packed_at == d->packed_len);
	out->next_in = (const Bytef *)bytes;
	out->avail_in = (uInt)part;
	out->next_out = (Bytef *)d->packed;
	out->avail_out = sizeof(d->packed);
	int rc = deflate(out, Z_SYNC_FLUSH);

	assert(rc == Z_OK && out->avail_in == 0 && out->avail_out > 0);
	(void)rc;
	d->packed_at = 0;
	d->packed_len = sizeof(d->packed) - out->avail_out;
	return part;
}

/* What is left of the batch. */
size_t imap_deflate_packed(const struct imap_deflate *d, const char **bytes)
{
	*bytes = d->packed + d->packed_at;
	return d->packed_len - d->packed_at;
}

/* Some of the batch is out. */
void imap_deflate_sent(struct imap_deflate *d, size_t len)
{
	assert(len <= d->packed_len - d->packed_at);
	d->packed_at += len;
}

/* Takes what came. */
void imap_deflate_feed(struct imap_deflate *d, const char *bytes, size_t len)
{
	assert(len <= sizeof(d->fed) && (d->in.avail_in == 0 || d->ended));
	memcpy(d->fed, bytes, len);
	d->in.next_in = (const Bytef *)d->fed;
	d->in.avail_in = (uInt)len;
}

/* Unpacks what there is room for. zlib says Z_BUF_ERROR where it has nothing more to give. */
int imap_deflate_unpack(struct imap_deflate *d, char *out, size_t len, size_t *got,
			struct error *err)
{
	uInt room = len < UINT32_MAX ? (uInt)len : UINT32_MAX;
	z_stream *in = &d->in;

	in->next_out = (Bytef *)out;
	in->avail_out = room;
	int rc = inflate(in, Z_SYNC_FLUSH);

	*got = room - in->avail_out;
	if (rc == Z_STREAM_END)
		d->ended = true;
	if (*got > 0)
		return 1;
	if (d->ended && in->avail_in > 0)
		return error_set(err, ERROR_PROTOCOL, SCOPE_STORE,
				 "the server goes on after the end of its compressed stream");
	if (rc != Z_OK && rc != Z_BUF_ERROR && rc != Z_STREAM_END)
		return error_set(err, ERROR_PROTOCOL, SCOPE_STORE,
				 "the server's compressed stream is damaged: %s",
				 in->msg ? in->msg : "no deflate");
	return 0;
}

/* D2 is settled by the login. */
bool imap_deflate_may_pay(const struct imap_pace *pace)
{
	return pace->bytes < IMAP_PACE_BYTES && pace->round_trip_ms >= IMAP_PACE_ROUND_TRIP;
}

/* D1 to D3. */
bool imap_deflate_pays(const struct imap_pace *pace)
{
	return pace->bytes >= IMAP_PACE_BYTES && pace->round_trip_ms >= IMAP_PACE_ROUND_TRIP &&
	       pace->bytes / IMAP_PACE_RATE < pace->waited_ms;
}

/* D4. */
bool imap_deflate_pays_for(const struct imap_pace *pace, uint64_t bytes)
{
	return bytes >= IMAP_PACE_ROWS && pace->round_trip_ms >= 0 &&
	       bytes / IMAP_PACE_RATE >= (uint64_t)pace->round_trip_ms;
}
