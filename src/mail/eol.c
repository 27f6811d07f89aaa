// SPDX-License-Identifier: GPL-3.0-or-later
#include "mail/eol.h"

#include <string.h>

/* Gives up on this call as a whole. */
static size_t turn_raw(struct eol_unwire *state)
{
	state->raw = true;
	return 0;
}

/*
 * Converts line by line, and at the first bare CR or LF gives up: output and pending_cr stay as the
 * calls before it left them, so that the caller knows where the raw bytes begin.
 */
size_t eol_unwire(struct eol_unwire *state, const char *in, size_t len, char *out)
{
	const char *end = in + len;
	bool pending = state->pending_cr;
	size_t written = 0;

	if (state->raw || (pending && len && *in != '\n'))
		return turn_raw(state);
	while (in < end) {
		const char *lf = memchr(in, '\n', (size_t)(end - in));
		const char *stop = lf ? lf : end;
		const char *cr = pending ? in : memchr(in, '\r', (size_t)(stop - in));
		size_t text = (size_t)((cr ? cr : stop) - in);

		if (!pending && ((lf && !cr) || (cr && cr + 1 != stop)))
			return turn_raw(state);
		memcpy(out + written, in, text);
		written += text;
		if (lf)
			out[written++] = '\n';
		pending = cr && !lf;
		in = lf ? lf + 1 : end;
	}
	state->pending_cr = pending;
	return written;
}

/* The end of the message: a CR that still waits has no LF. */
void eol_unwire_end(struct eol_unwire *state)
{
	if (state->pending_cr)
		state->raw = true;
}

/* Converts back, line by line. */
size_t eol_wire(struct eol_wire *state, const char *in, size_t len, char *out)
{
	const char *end = in + len;
	size_t written = 0;

	while (in < end) {
		const char *lf = memchr(in, '\n', (size_t)(end - in));
		size_t text = (size_t)((lf ? lf : end) - in);

		memcpy(out + written, in, text);
		written += text;
		if (text)
			state->after_cr = in[text - 1] == '\r';
		if (!lf)
			break;
		if (!state->after_cr)
			out[written++] = '\r';
		out[written++] = '\n';
		state->after_cr = false;
		in = lf + 1;
	}
	return written;
}
