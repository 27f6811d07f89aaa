// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A transcript: one file that holds both sides of a conversation with exact bytes, in order.
 *
 * For the server:
 *	preauth CAPS	greet with PREAUTH, and answer libcurl's CAPABILITY with CAPS
 *	login CAPS	greet, take PLAIN, and tell CAPS in the login's OK
 *	untold		greet, take PLAIN, and tell no capabilities after it
 *	C: text		exactly this line must come, with CR LF
 *	C+ text		exactly these bytes must come
 *	C# n		n bytes 'x' must come
 *	quiet		nothing more may come for a while
 *	broken		the client must hang up before it has said all of what it says now
 *	S: text		send this line, with CR LF
 *	S+ text		send these bytes
 *	S# n		send n bytes 'x'
 *	deflate		both directions are compressed from here on
 *	S! text		send these bytes as they are, where all others are compressed
 *	greeting WORDS	anywhere: what stands in the greeting after OK or PREAUTH
 *	slow MS		anywhere: wait so long before each answer of the login and each line
 *	deaf		read no more: what the client sends fails
 *	cut		close the line here; the script is at its end
 *	again		close the line and take the client's next one
 * At the end of the script the client must close the line; it may say LOGOUT before.
 *
 * For the client of a session, see tests/unit/test-session.c (of a login: test-transport.c):
 *	> action	queue a command, or another deed
 *	= text		what imap_next must say next, as text
 *	host NAME, read-only, probe, stall, compress no|yes|auto	the configuration
 *
 * '#' and empty lines are left out. In text, \r \n \\ and \xNN stand for their bytes,
 * and any other backslash for itself.
 */
#ifndef TESTS_IMAPD_SCRIPT_H
#define TESTS_IMAPD_SCRIPT_H

#include "base/buf.h"

#include <stddef.h>

struct script_line {
	size_t number; /* in the file */
	char *word;    /* "C:", "S#", "preauth", ">", ... */
	char *text;    /* the rest, escapes not yet read */
};

struct script {
	struct script_line *lines;
	size_t len;
	size_t cap;
};

/* Reads a transcript; the test ends where it cannot be read. */
void script_load(struct script *script, const char *path);
void script_free(struct script *script);
/* Appends text to out, escapes read. */
void script_unescape(const char *text, struct buf *out);

/*
 * Plays the server's part to the client that connects to listener. Never returns: 0 is the
 * status where all went as written; else what was wrong is on stderr. With single, every byte is
 * sent by itself.
 */
_Noreturn void script_serve(const struct script *script, int listener, int single);

#endif
