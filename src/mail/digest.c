// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail/digest.h"

#include "base/alloc.h"
#include "base/hex.h"

#include <openssl/evp.h>

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct digest_stream {
	EVP_MD_CTX *context;
};

/*
 * OpenSSL fails here only for want of memory or of a provider that has SHA-256: like base/alloc.h
 * this ends the run, which is safe at any instant.
 */
static void must(int ok)
{
	if (ok == 1)
		return;
	fputs("evenmail: OpenSSL cannot compute SHA-256\n", stderr);
	exit(70);
}

/* A stream at its start. */
struct digest_stream *digest_open(void)
{
	struct digest_stream *stream = xmalloc(sizeof(*stream));

	stream->context = EVP_MD_CTX_new();
	must(stream->context != NULL);
	must(EVP_DigestInit_ex2(stream->context, EVP_sha256(), NULL));
	return stream;
}

/* Adds bytes. */
void digest_update(struct digest_stream *stream, const void *bytes, size_t len)
{
	must(EVP_DigestUpdate(stream->context, bytes, len));
}

/* Takes the digest and starts anew. */
void digest_finish(struct digest_stream *stream, struct digest *out)
{
	unsigned size = 0;

	must(EVP_DigestFinal_ex(stream->context, out->bytes, &size));
	assert(size == DIGEST_SIZE);
	must(EVP_DigestInit_ex2(stream->context, NULL, NULL));
}

/* Frees the stream; NULL is fine. */
void digest_close(struct digest_stream **stream)
{
	if (!*stream)
		return;
	EVP_MD_CTX_free((*stream)->context);
	free(*stream);
	*stream = NULL;
}

/* Whether both are the same. */
bool digest_equal(const struct digest *a, const struct digest *b)
{
	return memcmp(a->bytes, b->bytes, DIGEST_SIZE) == 0;
}

/* Whether it is not all zeros. */
bool digest_is_known(const struct digest *digest)
{
	static const struct digest none;

	return !digest_equal(digest, &none);
}

/* Cuts the digest of an identifier down to a number. */
uint64_t digest_hash_id(const char *id, size_t len)
{
	struct digest_stream *stream = digest_open();
	struct digest digest;
	uint64_t hash = 0;

	digest_update(stream, id, len);
	digest_finish(stream, &digest);
	digest_close(&stream);
	for (size_t i = 0; i < sizeof(hash); i++)
		hash = hash << 8 | digest.bytes[i];
	return hash ? hash : 1;
}

/* Writes 64 lower case digits. */
void digest_to_hex(const struct digest *digest, char out[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		*out++ = digits[digest->bytes[i] >> 4];
		*out++ = digits[digest->bytes[i] & 15];
	}
	*out = '\0';
}

/* Reads 64 digits; out is set only where all are good. */
int digest_from_hex(struct digest *out, const char *hex, size_t len)
{
	struct digest digest;
	bool good = true;

	if (len != DIGEST_SIZE * 2)
		return -1;
	for (size_t i = 0; i < DIGEST_SIZE; i += 4) {
		uint32_t number;

		good &= hex_read(hex + 2 * i, &number);
		number = htobe32(number);
		memcpy(digest.bytes + i, &number, sizeof(number));
	}
	if (!good)
		return -1;
	*out = digest;
	return 0;
}
