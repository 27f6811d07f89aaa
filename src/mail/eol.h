// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Line endings: on the wire and in the digest a message has CRLF; in a Maildir file a line ends in
 * a bare LF, and the message comes back by making each bare LF a CRLF again.
 *
 * That holds for a message in which CR and LF come only as CRLF ("clean"). One with a bare LF or a
 * bare CR is stored as it came ("raw"). A bare CR survives reading; a bare LF would not: so the
 * name of a raw file says S (its size on disk) = W (its size on the wire), and such a file is read
 * byte by byte as it is (see maildir/name.h).
 */
#ifndef MAIL_EOL_H
#define MAIL_EOL_H

#include <stdbool.h>
#include <stddef.h>

/* Wire to file. All zeros is the start. */
struct eol_unwire {
	bool pending_cr; /* the last byte taken was a CR, not yet written */
	bool raw;        /* a bare CR or LF was seen: the file must hold the bytes as they came */
};

/*
 * Takes len wire bytes, writes at most len file bytes to out and returns how many. The call that
 * meets a bare CR or LF sets raw, returns 0 and leaves pending_cr as it found it: the caller
 * expands what the calls before gave (eol_wire), adds a CR where pending_cr, and stores these bytes
 * and all that follow as they come.
 */
size_t eol_unwire(struct eol_unwire *state, const char *in, size_t len, char *out);
/* After the last byte: sets raw where a lone CR ends the message; pending_cr then still says so. */
void eol_unwire_end(struct eol_unwire *state);

/* File to wire. All zeros is the start. */
struct eol_wire {
	bool after_cr;
};

/*
 * Takes len file bytes, writes at most 2 * len wire bytes to out (bare LF to CRLF); returns how
 * many.
 */
size_t eol_wire(struct eol_wire *state, const char *in, size_t len, char *out);

#endif
