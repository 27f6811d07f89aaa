// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the fuzzers share. Each is a program of libFuzzer's: it calls LLVMFuzzerTestOneInput with
 * bytes that it makes up, and writes down those with which the program ends. tests/fuzz/run runs
 * them all.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What must hold whatever the input is; libFuzzer reports the end of the program as a find. */
#define FUZZ_CHECK(holds)                                                                          \
	do {                                                                                       \
		if (!(holds)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds); \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
