// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * FAULTS 36, 37: the tokenizer and the responses, from the server's bytes to typed answers. The
 * same bytes mean the same in one block, one byte at a time and in blocks of the length that the
 * first byte of the input says.
 */
#include "../unit/parser-run.h"
#include "fuzz.h"

#include <string.h>

/* Writes down what the bytes mean, fed in blocks of that length. */
static void wire_read(struct run *run, const char *bytes, size_t len, size_t step)
{
	run_start(run);
	for (size_t at = 0; at < len; at += step)
		run_feed(run, bytes + at, step < len - at ? step : len - at);
}

/* Reads in three ways. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return -1;
	const char *bytes = (const char *)data + 1;
	size_t len = size - 1, steps[] = {len, 1, 2 + data[0]};
	struct run runs[3];

	for (size_t i = 0; i < 3; i++) {
		wire_read(&runs[i], bytes, len, steps[i]);
		FUZZ_CHECK(runs[i].out.len == runs[0].out.len);
		FUZZ_CHECK(!memcmp(runs[i].out.data, runs[0].out.data, runs[0].out.len));
		FUZZ_CHECK(runs[i].failed == runs[0].failed);
	}
	for (size_t i = 0; i < 3; i++)
		run_end(&runs[i]);
	return 0;
}
