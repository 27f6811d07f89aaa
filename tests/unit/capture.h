// SPDX-License-Identifier: GPL-3.0-or-later
/* What is printed meanwhile. */
#ifndef TESTS_CAPTURE_H
#define TESTS_CAPTURE_H

#include "base/buf.h"

#include <stdio.h>

/* One standard stream, turned into a file meanwhile. */
struct capture {
	FILE *stream;
	int saved;
	int file;
	struct buf said;
};

void capture_begin(struct capture *capture, FILE *stream);
/* The stream is as before; said holds what was printed, until buf_free(). */
void capture_end(struct capture *capture);

#endif
