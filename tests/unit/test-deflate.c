// SPDX-License-Identifier: GPL-3.0-or-later
/* One raw deflate stream each way, against a zlib of the test's own; and the rule of auto. */
#include "imap/deflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT_MAX     (1u << 20)
#define DAMAGE       30 /* bytes */

/* The other end of the line. */
struct peer {
	z_stream deflate;
	z_stream inflate;
	char plain[TEXT_MAX];
	char packed[2 * TEXT_MAX];
	size_t len; /* of packed */
};

/* Makes a peer. */
static struct peer *peer_open(void)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	assert_int_equal(deflateInit2(&peer->deflate, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY),
			 Z_OK);
	assert_int_equal(inflateInit2(&peer->inflate, -15), Z_OK);
	return peer;
}

/* Frees a peer. */
static void peer_close(struct peer *peer)
{
	deflateEnd(&peer->deflate);
	inflateEnd(&peer->inflate);
	free(peer);
}

/* Packs len bytes of plain, and ends them with this flush. */
static void peer_pack(struct peer *peer, size_t len, int flush)
{
	peer->deflate.next_in = (Bytef *)peer->plain;
	peer->deflate.avail_in = (uInt)len;
	peer->deflate.next_out = (Bytef *)peer->packed;
	peer->deflate.avail_out = sizeof(peer->packed);
	deflate(&peer->deflate, flush);
	assert_int_equal(peer->deflate.avail_in, 0);
	peer->len = sizeof(peer->packed) - peer->deflate.avail_out;
}

/* Unpacks what came; all that was packed must come out of it at once. Returns how much. */
static size_t peer_unpack(struct peer *peer, const char *bytes, size_t len, size_t at)
{
	peer->inflate.next_in = (Bytef *)bytes;
	peer->inflate.avail_in = (uInt)len;
	peer->inflate.next_out = (Bytef *)peer->plain + at;
	peer->inflate.avail_out = (uInt)(sizeof(peer->plain) - at);
	int rc = inflate(&peer->inflate, Z_SYNC_FLUSH);

	assert_true(rc == Z_OK || rc == Z_BUF_ERROR);
	assert_int_equal(peer->inflate.avail_in, 0);
	return sizeof(peer->plain) - at - peer->inflate.avail_out;
}

/* What mail is like to a compressor: words, or bytes without any order. */
static void fill(char *out, size_t len, bool noise)
{
	static const char words[] = "Received: from mail.example.org by imap.example.org\r\n";
	uint32_t seed = 12345;

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		out[i] = noise ? (char)(seed >> 24) : words[i % (sizeof(words) - 1)];
	}
}

/* Feeds and unpacks all with a buffer of this size; -1 where the stream is damaged. */
static int take_all(struct imap_deflate *deflate, const char *packed, size_t len, size_t cut,
		    size_t room, char *out, size_t *out_len, struct error *err)
{
	char *some = malloc(room); /* exactly so large, for the sanitizer */
	int rc = 0;

	*out_len = 0;
	for (size_t at = 0; at < len && rc == 0; at += cut) {
		size_t got;

		imap_deflate_feed(deflate, packed + at, cut < len - at ? cut : len - at);
		while ((rc = imap_deflate_unpack(deflate, some, room, &got, err)) == 1) {
			assert_true(got > 0 && got <= room);
			memcpy(out + *out_len, some, got);
			*out_len += got;
		}
	}
	free(some);
	return rc;
}

/* What the server packs is read at every cut, into buffers of any size. */
static void test_unpack(void **unused)
{
	static const size_t lens[] = {0, 1, 2, 1000, 65536, 300000};
	static const size_t cuts[] = {1, 2, 7, 1000, IMAP_DEFLATE_FEED_MAX};
	static const size_t rooms[] = {1, 3, 4096, 65536};
	char *out = malloc(TEXT_MAX);

	(void)unused;
	for (size_t i = 0; i < COUNT(lens) * COUNT(cuts) * COUNT(rooms) * 2; i++) {
		size_t len = lens[i / 2 % COUNT(lens)], got;
		struct imap_deflate *deflate = imap_deflate_open();
		struct peer *peer = peer_open();
		struct error err;

		fill(peer->plain, len, i % 2);
		peer_pack(peer, len, Z_SYNC_FLUSH);
		assert_int_equal(take_all(deflate, peer->packed, peer->len,
					  cuts[i / 2 / COUNT(lens) % COUNT(cuts)],
					  rooms[i / 2 / COUNT(lens) / COUNT(cuts)], out, &got,
					  &err),
				 0);
		assert_int_equal(got, len);
		assert_memory_equal(out, peer->plain, len);
		peer_close(peer);
		imap_deflate_close(&deflate);
		assert_null(deflate);
	}
	free(out);
}

/* Packs a batch and lets the peer read it, sent in pieces of this size. */
static size_t send_batch(struct imap_deflate *deflate, struct peer *peer, const char *bytes,
			 size_t len, size_t piece, size_t at)
{
	size_t taken = imap_deflate_pack(deflate, bytes, len), left, got = 0;
	const char *packed;

	while ((left = imap_deflate_packed(deflate, &packed)) > 0) {
		size_t part = piece < left ? piece : left;

		got += peer_unpack(peer, packed, part, at + got);
		imap_deflate_sent(deflate, part);
	}
	assert_int_equal(got, taken);
	return taken;
}

/* Each batch can be read to its last byte as soon as it is out, and is bounded. */
static void test_pack(void **unused)
{
	static const size_t lens[] = {1,
				      2,
				      100,
				      IMAP_DEFLATE_BATCH_MAX - 1,
				      IMAP_DEFLATE_BATCH_MAX,
				      IMAP_DEFLATE_BATCH_MAX + 1,
				      300000};
	char *text = malloc(TEXT_MAX);

	(void)unused;
	for (size_t i = 0; i < COUNT(lens) * 2 * 2; i++) {
		struct imap_deflate *deflate = imap_deflate_open();
		struct peer *peer = peer_open();
		size_t len = lens[i / 4], at = 0;

		fill(text, len, i % 2);
		while (at < len) {
			size_t part =
			    send_batch(deflate, peer, text + at, len - at, i & 2 ? 1 : 5000, at);

			assert_int_equal(part, len - at < IMAP_DEFLATE_BATCH_MAX
						   ? len - at
						   : IMAP_DEFLATE_BATCH_MAX);
			at += part;
		}
		assert_memory_equal(peer->plain, text, len);
		peer_close(peer);
		imap_deflate_close(&deflate);
	}
	free(text);
}

/* Words come out much smaller, later batches by what was said in earlier ones. */
static void test_ratio(void **unused)
{
	struct imap_deflate *deflate = imap_deflate_open();
	char text[1000];
	const char *packed;
	size_t first;

	(void)unused;
	fill(text, sizeof(text), true);
	imap_deflate_pack(deflate, text, sizeof(text));
	first = imap_deflate_packed(deflate, &packed);
	assert_true(first > 900);
	imap_deflate_sent(deflate, first);
	imap_deflate_pack(deflate, text, sizeof(text));
	assert_true(imap_deflate_packed(deflate, &packed) < 50);
	imap_deflate_close(&deflate);
}

/* The directions do not mix: packing between two feeds changes nothing. */
static void test_both_ways(void **unused)
{
	struct imap_deflate *deflate = imap_deflate_open();
	struct peer *peer = peer_open();
	char out[4000], text[4000];
	struct error err;
	size_t got;

	(void)unused;
	for (int round = 0; round < 100; round++) {
		fill(peer->plain, sizeof(out), round % 2);
		peer_pack(peer, sizeof(out), Z_SYNC_FLUSH);
		fill(text, sizeof(text), round % 3);
		imap_deflate_feed(deflate, peer->packed, peer->len / 2);
		size_t len = 0;

		while (imap_deflate_unpack(deflate, out + len, sizeof(out) - len, &got, &err) == 1)
			len += got;
		assert_int_equal(send_batch(deflate, peer, text, sizeof(text), 100, 0),
				 sizeof(text));
		assert_memory_equal(peer->plain, text, sizeof(text));
		imap_deflate_feed(deflate, peer->packed + peer->len / 2, peer->len - peer->len / 2);
		while (len < sizeof(out) &&
		       imap_deflate_unpack(deflate, out + len, sizeof(out) - len, &got, &err) == 1)
			len += got;
		assert_int_equal(len, sizeof(out));
		fill(peer->plain, sizeof(out), round % 2);
		assert_memory_equal(out, peer->plain, sizeof(out));
		assert_int_equal(imap_deflate_unpack(deflate, out, sizeof(out), &got, &err), 0);
	}
	peer_close(peer);
	imap_deflate_close(&deflate);
}

/* A stream that ends is read to its end; what goes on behind it is refused. */
static void test_end(void **unused)
{
	struct imap_deflate *deflate = imap_deflate_open();
	struct peer *peer = peer_open();
	struct error err = {0};
	char out[64];
	size_t len;

	(void)unused;
	memcpy(peer->plain, "* BYE\r\n", 7);
	peer_pack(peer, 7, Z_FINISH);
	assert_int_equal(take_all(deflate, peer->packed, peer->len, 1, 64, out, &len, &err), 0);
	assert_int_equal(len, 7);
	assert_memory_equal(out, "* BYE\r\n", 7);
	assert_int_equal(take_all(deflate, "x", 1, 1, 64, out, &len, &err), -1);
	assert_int_equal(err.kind, ERROR_PROTOCOL);
	assert_int_equal(err.scope, SCOPE_STORE);
	imap_deflate_close(&deflate);

	/* All in one piece. */
	deflate = imap_deflate_open();
	peer->packed[peer->len] = 'x';
	assert_int_equal(take_all(deflate, peer->packed, peer->len + 1, 100, 64, out, &len, &err),
			 -1);
	assert_int_equal(len, 7);
	peer_close(peer);
	imap_deflate_close(&deflate);
}

/* Bytes that are no deflate: refused where a block should begin, once for all; harmless elsewhere.
 */
static void test_damage(void **unused)
{
	struct peer *peer = peer_open();
	char *packed = malloc(sizeof(peer->packed)), out[2000];
	struct error err;
	size_t len;

	(void)unused;
	fill(peer->plain, 1000, true);
	fill(peer->plain + 500, 500, false);
	peer_pack(peer, 1000, Z_SYNC_FLUSH);
	for (size_t at = 0; at <= peer->len; at++) {
		struct imap_deflate *deflate = imap_deflate_open();

		memcpy(packed, peer->packed, at);
		memset(packed + at, 0xff, DAMAGE);
		int rc = take_all(deflate, packed, at + DAMAGE, 9, 2000, out, &len, &err);

		assert_true(rc == -1 || (at > 0 && at < peer->len));
		if (rc < 0) {
			assert_int_equal(err.kind, ERROR_PROTOCOL);
			assert_int_equal(err.scope, SCOPE_STORE);
			assert_int_equal(imap_deflate_unpack(deflate, out, 10, &len, &err), -1);
		}
		imap_deflate_close(&deflate);
	}
	free(packed);
	peer_close(peer);
}

/* A megabyte in a kilobyte comes out piece by piece, never more than there is room for. */
static void test_swelling(void **unused)
{
	struct imap_deflate *deflate = imap_deflate_open();
	struct peer *peer = peer_open();
	struct error err;
	char out[1000];
	size_t total = 0, got;
	int rc;

	(void)unused;
	memset(peer->plain, 'x', TEXT_MAX);
	peer_pack(peer, TEXT_MAX, Z_SYNC_FLUSH);
	assert_true(peer->len < 2000);
	imap_deflate_feed(deflate, peer->packed, peer->len);
	while ((rc = imap_deflate_unpack(deflate, out, sizeof(out), &got, &err)) == 1)
		total += got;
	assert_int_equal(rc, 0);
	assert_int_equal(total, TEXT_MAX);
	peer_close(peer);
	imap_deflate_close(&deflate);
}

/* D4, at each limit and beside it. */
static void test_pays_for(void **unused)
{
	static const struct {
		int64_t round_trip_ms;
		uint64_t bytes;
		bool pays;
	} rows[] = {
	    {0, IMAP_PACE_ROWS - 1, false},
	    {0, IMAP_PACE_ROWS, true},
	    {-1, UINT64_MAX, false},
	    {40, 159999, false},
	    {40, 160000, true},
	    {INT64_MAX, UINT64_MAX, false},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct imap_pace pace = {.round_trip_ms = rows[i].round_trip_ms};

		assert_int_equal(imap_deflate_pays_for(&pace, rows[i].bytes), rows[i].pays);
	}
}

/* D1 to D3, at each limit and beside it. */
static void test_pays(void **unused)
{
	static const struct {
		struct imap_pace pace;
		bool pays;
	} rows[] = {
	    {{0, 0, 0}, false},
	    {{-1, UINT64_MAX, UINT64_MAX}, false},
	    /* D1 */
	    {{100, 0, UINT64_MAX}, false},
	    {{100, IMAP_PACE_BYTES - 1, UINT64_MAX}, false},
	    {{100, IMAP_PACE_BYTES, UINT64_MAX}, true},
	    /* D2 */
	    {{0, IMAP_PACE_BYTES, 1000000}, false},
	    {{IMAP_PACE_ROUND_TRIP - 1, IMAP_PACE_BYTES, 1000000}, false},
	    {{IMAP_PACE_ROUND_TRIP, IMAP_PACE_BYTES, 1000000}, true},
	    /* D3: 8 MB in two seconds, and a little faster or slower */
	    {{50, 8000000, 1999}, false},
	    {{50, 8000000, 2000}, false},
	    {{50, 8000000, 2001}, true},
	    {{50, 8003999, 2001}, true},
	    {{50, 8004000, 2001}, false},
	    {{50, UINT64_MAX, 1}, false},
	    /* A DSL line, a mobile one, a fast one far away. */
	    {{25, 2000000, 1600}, true},
	    {{80, 1100000, 9000}, true},
	    {{200, 20000000, 900}, false},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		print_message("row %zu\n", i);
		assert_int_equal(imap_deflate_pays(&rows[i].pace), rows[i].pays);
	}
}

/* Open until enough has moved, unless the round trip has settled it. */
static void test_may_pay(void **unused)
{
	static const struct {
		struct imap_pace pace;
		bool may;
	} rows[] = {
	    {{-1, 0, 0}, false},
	    {{IMAP_PACE_ROUND_TRIP - 1, 0, 0}, false},
	    {{IMAP_PACE_ROUND_TRIP, 0, 0}, true},
	    {{IMAP_PACE_ROUND_TRIP, IMAP_PACE_BYTES - 1, 0}, true},
	    {{IMAP_PACE_ROUND_TRIP, IMAP_PACE_BYTES, 0}, false},
	    {{IMAP_PACE_ROUND_TRIP, IMAP_PACE_BYTES, UINT64_MAX}, false},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(imap_deflate_may_pay(&rows[i].pace), rows[i].may);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_unpack),   cmocka_unit_test(test_pack),
	    cmocka_unit_test(test_ratio),    cmocka_unit_test(test_both_ways),
	    cmocka_unit_test(test_end),      cmocka_unit_test(test_damage),
	    cmocka_unit_test(test_swelling), cmocka_unit_test(test_pays),
	    cmocka_unit_test(test_pays_for),
	    cmocka_unit_test(test_may_pay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
