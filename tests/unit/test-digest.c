// SPDX-License-Identifier: GPL-3.0-or-later
/* Digests: the vectors of FIPS 180-4, reuse, cuts, hexadecimal. */
#include "mail/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The digest in hexadecimal of bytes fed in two parts. */
static void digest_hex(struct digest_stream *stream, const char *bytes, size_t len, size_t cut,
		       char out[DIGEST_HEX_SIZE])
{
	struct digest digest;

	digest_update(stream, bytes, cut);
	digest_update(stream, bytes + cut, len - cut);
	digest_finish(stream, &digest);
	digest_to_hex(&digest, out);
}

/* One stream for all, so each vector also shows that the last one left nothing behind. */
static void test_vectors(void **unused)
{
	static const char *const rows[][2] = {
	    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	struct digest_stream *stream = digest_open();

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i][0]);

		for (size_t cut = 0; cut <= len; cut++) {
			char hex[DIGEST_HEX_SIZE];

			digest_hex(stream, rows[i][0], len, cut, hex);
			assert_string_equal(hex, rows[i][1]);
		}
	}
	digest_close(&stream);
	assert_null(stream);
	digest_close(&stream);
}

static void test_equal(void **unused)
{
	struct digest a = {{0}}, b = {{0}};

	(void)unused;
	assert_false(digest_is_known(&a));
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		struct digest known = {{0}};

		known.bytes[i] = 1;
		assert_true(digest_is_known(&known));
	}
	assert_true(digest_equal(&a, &b));
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		b.bytes[i] = 1;
		assert_false(digest_equal(&a, &b));
		b.bytes[i] = 0;
	}
}

static void test_hex_round_trip(void **unused)
{
	struct digest digest, back;
	char hex[DIGEST_HEX_SIZE];

	(void)unused;
	for (unsigned start = 0; start < 256; start++) {
		for (size_t i = 0; i < DIGEST_SIZE; i++)
			digest.bytes[i] = (uint8_t)(start + i * 37);
		digest_to_hex(&digest, hex);
		assert_int_equal(strlen(hex), 64);
		assert_int_equal(digest_from_hex(&back, hex, 64), 0);
		assert_true(digest_equal(&digest, &back));
	}
}

static void test_hex_refused(void **unused)
{
	struct digest digest = {{7}}, before = digest;
	char hex[66];

	(void)unused;
	memset(hex, 'a', sizeof(hex));
	assert_int_equal(digest_from_hex(&digest, hex, 63), -1);
	assert_int_equal(digest_from_hex(&digest, hex, 65), -1);
	assert_int_equal(digest_from_hex(&digest, hex, 0), -1);
	for (size_t at = 0; at < 64; at++) {
		for (const char *bad = "g/:@`AFG \n\x80-"; *bad; bad++) {
			hex[at] = *bad;
			assert_int_equal(digest_from_hex(&digest, hex, 64), -1);
		}
		hex[at] = '\0';
		assert_int_equal(digest_from_hex(&digest, hex, 64), -1);
		hex[at] = 'f';
	}
	assert_true(digest_equal(&digest, &before));
	assert_int_equal(digest_from_hex(&digest, hex, 64), 0);
	assert_int_equal(digest.bytes[31], 0xff);
}

/* The first eight bytes of SHA-256, of exactly what is given. */
static void test_hash_id(void **unused)
{
	(void)unused;
	assert_true(digest_hash_id("abc", 3) == 0xba7816bf8f01cfeaULL);
	assert_true(digest_hash_id("", 0) == 0xe3b0c44298fc1c14ULL);
	assert_true(digest_hash_id(" abc", 4) != digest_hash_id("abc", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_equal),
	    cmocka_unit_test(test_hex_round_trip),
	    cmocka_unit_test(test_hex_refused),
	    cmocka_unit_test(test_hash_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
