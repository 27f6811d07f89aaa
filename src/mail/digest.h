// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The identity of content: SHA-256 of a message in CRLF form, as the server holds it.
 */
#ifndef MAIL_DIGEST_H
#define MAIL_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 32
#define DIGEST_HEX_SIZE 65 /* its NUL counted */

struct digest {
	uint8_t bytes[DIGEST_SIZE];
};

/* Of OpenSSL's EVP; may be reused after digest_finish. Where that fails the run ends (exit 70). */
struct digest_stream;

struct digest_stream *digest_open(void);
void digest_update(struct digest_stream *stream, const void *bytes, size_t len);
/* The digest of all since the start or the last finish. */
void digest_finish(struct digest_stream *stream, struct digest *out);
/* NULL is fine; *stream becomes NULL. */
void digest_close(struct digest_stream **stream);

/*
 * 64 bits of SHA-256 of an identifier (an object id of RFC 8474, say), exactly these bytes; never
 * 0, which stands for none.
 */
uint64_t digest_hash_id(const char *id, size_t len);

bool digest_equal(const struct digest *a, const struct digest *b);
/* Whether it is one: all zeros stand for none. */
bool digest_is_known(const struct digest *digest);
void digest_to_hex(const struct digest *digest, char out[DIGEST_HEX_SIZE]);
/* 0, or -1 where it is not 64 hexadecimal digits as digest_to_hex() writes them. */
int digest_from_hex(struct digest *out, const char *hex, size_t len);

#endif
