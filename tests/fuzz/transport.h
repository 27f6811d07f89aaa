// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A line to a server that says what a fuzzer made up: imap/transport.h once more, in memory, in
 * place of the real one.
 *
 * The first line of the text is the greeting; what follows comes after the login. "?E" in it stands
 * for the tag of the oldest command that is not answered yet, and waits for one to come; so a text
 * need not know when its client says what. At the text's end, and where both sides would wait for
 * each other, the server closes the line.
 */
#ifndef TESTS_FUZZ_TRANSPORT_H
#define TESTS_FUZZ_TRANSPORT_H

#include <stddef.h>

/* For sessions opened from now on; borrowed. Pieces of at most step bytes come at once. */
void transport_set(const char *text, size_t len, size_t step);

#endif
