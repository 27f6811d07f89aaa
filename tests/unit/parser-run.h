// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Feeds bytes to the parser, in any cut, and writes down what comes out, for tests. Every piece
 * lies in memory of its own that ends with it and is freed once it is used up, so that a sanitizer
 * sees any byte read beyond or kept.
 */
#ifndef TESTS_UNIT_PARSER_RUN_H
#define TESTS_UNIT_PARSER_RUN_H

#include "base/buf.h"
#include "imap/parser.h"

#include <stdbool.h>
#include <stddef.h>

struct parser_case {
	const char *in;
	size_t len;
	const char
	    *out; /* one line an answer; a FETCH's body in the line before; "error" at the end */
};

/* One way through the parser: what came out so far, as text. */
struct run {
	struct imap_parser *parser;
	struct buf out;
	struct buf body; /* of the FETCH being read */
	bool failed;
};

void run_start(struct run *run);
void run_end(struct run *run);
/* Feeds one piece and takes all that comes of it. */
void run_feed(struct run *run, const char *bytes, size_t len);
/* Feeds the first cut bytes, then the others step by step, and expects c->out. */
void run_check(const struct parser_case *c, size_t cut, size_t step);

#endif
