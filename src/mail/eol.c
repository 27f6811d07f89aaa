// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail/eol.h"

/*
 * Converts, and at the first bare CR or LF gives up on this call as a whole: output and pending_cr
 * stay as the calls before it left them, so that the caller knows where the raw bytes begin.
 */
size_t eol_unwire(struct eol_unwire *state, const char *in, size_t len, char *out)
{
	bool cr = state->pending_cr;
	size_t written = 0;

	for (size_t i = 0; i < len && !state->raw; i++) {
		if (cr != (in[i] == '\n'))
			state->raw = true;
		cr = in[i] == '\r';
		if (!cr)
			out[written++] = in[i];
	}
	if (state->raw)
		return 0;
	state->pending_cr = cr;
	return written;
}

/* The end of the message: a CR that still waits has no LF. */
void eol_unwire_end(struct eol_unwire *state)
{
	if (state->pending_cr)
		state->raw = true;
}

/* Converts back. */
size_t eol_wire(struct eol_wire *state, const char *in, size_t len, char *out)
{
	size_t written = 0;

	for (size_t i = 0; i < len; i++) {
		if (in[i] == '\n' && !state->after_cr)
			out[written++] = '\r';
		out[written++] = in[i];
		state->after_cr = in[i] == '\r';
	}
	return written;
}
