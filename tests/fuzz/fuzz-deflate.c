// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * FAULTS 36: the compressed line. Whatever comes is unpacked to the same in any cut, within the
 * room given, or refused; and what was packed here is unpacked to what it was.
 */
#include "base/buf.h"
#include "fuzz.h"
#include "imap/deflate.h"

#include <string.h>

#define PLAIN_MAX (1u << 20) /* bytes after which the reader, as the session, has enough */

/* Unpacks all that was fed, a piece of at most room bytes at a time; what unpack said last. */
static int deflate_take(struct imap_deflate *deflate, size_t room, struct buf *out)
{
	char piece[4096];
	struct error err = {0};
	size_t got;
	int rc;

	while ((rc = imap_deflate_unpack(deflate, piece, room, &got, &err)) == 1) {
		FUZZ_CHECK(got > 0 && got <= room);
		size_t left = PLAIN_MAX - out->len;

		FUZZ_CHECK(buf_append(out, piece, got < left ? got : left) == 0);
		if (got > left)
			return -1;
	}
	if (rc < 0)
		FUZZ_CHECK(err.kind == ERROR_PROTOCOL && err.scope == SCOPE_STORE && *err.text);
	return rc;
}

/* Feeds bytes in blocks; what was unpacked is in out. */
static int deflate_read(const char *bytes, size_t len, size_t step, size_t room, struct buf *out)
{
	struct imap_deflate *deflate = imap_deflate_open();
	int rc = 0;

	buf_init(out, PLAIN_MAX);
	for (size_t at = 0; at < len && rc == 0; at += step) {
		imap_deflate_feed(deflate, bytes + at, step < len - at ? step : len - at);
		rc = deflate_take(deflate, room, out);
	}
	imap_deflate_close(&deflate);
	return rc;
}

/* Packs bytes and unpacks them again. */
static void deflate_return(const char *bytes, size_t len)
{
	struct imap_deflate *out = imap_deflate_open(), *in = imap_deflate_open();
	size_t done = 0;
	struct buf plain;

	buf_init(&plain, PLAIN_MAX);
	while (done < len) {
		const char *packed;
		size_t left;

		done += imap_deflate_pack(out, bytes + done, len - done);
		while ((left = imap_deflate_packed(out, &packed)) > 0) {
			size_t part = left < 1000 ? left : 1000;

			imap_deflate_feed(in, packed, part);
			imap_deflate_sent(out, part);
			FUZZ_CHECK(deflate_take(in, 4096, &plain) == 0);
		}
	}
	FUZZ_CHECK(plain.len == len);
	FUZZ_CHECK(len == 0 || !memcmp(plain.data, bytes, len));
	buf_free(&plain);
	imap_deflate_close(&out);
	imap_deflate_close(&in);
}

/* Unpacks in three cuts, then packs. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > IMAP_DEFLATE_FEED_MAX)
		return -1;
	const char *bytes = (const char *)data + 1;
	size_t len = size - 1;
	const size_t steps[] = {len, 1, 1 + data[0]}, rooms[] = {4096, 1 + data[0], 100};
	struct buf plain[3];
	int rc[3];

	for (size_t i = 0; i < 3; i++) {
		rc[i] = deflate_read(bytes, len, steps[i], rooms[i], &plain[i]);
		FUZZ_CHECK(rc[i] == rc[0] && plain[i].len == plain[0].len);
		FUZZ_CHECK(!plain[0].len || !memcmp(plain[i].data, plain[0].data, plain[0].len));
	}
	for (size_t i = 0; i < 3; i++)
		buf_free(&plain[i]);
	deflate_return(bytes, len);
	return 0;
}
