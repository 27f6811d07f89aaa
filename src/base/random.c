// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

/*
 * Fills len bytes (at most 256, which getrandom(2) never cuts short). Without randomness unique
 * names would not be unique, so there is no going on: a kernel that cannot is told of, exit 70.
 */
static void random_fill(void *bytes, size_t len)
{
	ssize_t got;

	do
		got = getrandom(bytes, len, 0);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)len) {
		fputs("evenmail: the kernel gives no random bytes\n", stderr);
		_exit(70);
	}
}

/* A number, each as likely as any other. */
uint64_t random_u64(void)
{
	uint64_t number;

	random_fill(&number, sizeof(number));
	return number;
}

/* Bytes above the last multiple of 62 are thrown away: else some letters would be likelier. */
void random_word(char *out, size_t len)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	const unsigned count = sizeof(letters) - 1;
	const unsigned limit = 256 / count * count;
	unsigned char bytes[64];
	size_t at = sizeof(bytes);

	for (size_t i = 0; i < len;) {
		if (at == sizeof(bytes)) {
			random_fill(bytes, sizeof(bytes));
			at = 0;
		}
		if (bytes[at] < limit)
			out[i++] = letters[bytes[at] % count];
		at++;
	}
	out[len] = '\0';
}
