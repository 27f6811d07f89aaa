// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The text of one command, built piece by piece: begin, put its arguments, end, send, free.
 *
 *	imap_command_begin(&c, tag, "APPEND");		E7 APPEND
 *	imap_command_put_astring(&c, wire, len);	 "INBOX"
 *	imap_command_put_flags(&c, flags);		 (\Seen)
 *	imap_command_put_date(&c, date);		 " 1-Jul-2026 10:00:00 +0000"
 *	imap_command_put_stream(&c, size);		(a literal whose bytes the sender reads
 *elsewhere) imap_command_end(&c);				CR LF
 *
 * Every put writes its own blank before it. Literals are noted, not written as "{n}": how a literal
 * is announced ("{n+}", "{n}" and a wait for "+") is the sender's business, by capabilities. The
 * sender walks text and literals together: text up to literals[0].at, the announcement, the
 * literal's len bytes (of text from at on, or of the stream), and so on; at last the rest of text.
 *
 * Nothing that a user or a server named can end a command: what is not printable ASCII goes out as
 * a literal, all else quoted. Open struct; all growth is bounded by IMAP_COMMAND_MAX, far above
 * what a name of one line (IMAP_LINE_MAX) and a chunk of UIDs can reach.
 */
#ifndef IMAP_COMMAND_H
#define IMAP_COMMAND_H

#include "base/buf.h"
#include "base/uidset.h"
#include "mail/flags.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAP_COMMAND_MAX (8u << 20)

/* Tags are this letter and the command's number: "E7". */
#define IMAP_TAG_LETTER 'E'

struct imap_literal {
	size_t at;    /* offset in the command's text at which it is announced */
	uint64_t len; /* its bytes */
	bool
	    streamed; /* they are not in text: a message of an APPEND, in the order of the puts */
};

struct imap_command {
	struct buf text; /* everything but announcements and streamed bytes */
	struct imap_literal *literals;
	size_t literals_len;
	size_t literals_cap;
};

void imap_command_init(struct imap_command *command);
void imap_command_free(struct imap_command *command);

/* "E<tag> <words>"; words goes out as it is: "UID FETCH". The command must be empty. */
void imap_command_begin(struct imap_command *command, unsigned tag, const char *words);
/* The final CR LF. */
void imap_command_end(struct imap_command *command);

/* Text of our own, as it is: "RETURN (ALL)". Never anything from outside. */
void imap_command_put_text(struct imap_command *command, const char *text);
void imap_command_put_format(struct imap_command *command, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A mailbox name or another string from outside: quoted, or a literal. */
void imap_command_put_astring(struct imap_command *command, const char *bytes, size_t len);
/* "(\Seen \Flagged)", "()" for none. */
void imap_command_put_flags(struct imap_command *command, struct flags flags);
/* A date-time in quotes. */
void imap_command_put_date(struct imap_command *command, int64_t seconds);
/*
 * Items of enum imap_fetch_item in brackets, UID always among them, BODY last; with changed_since
 * not 0 " (CHANGEDSINCE n)".
 */
void imap_command_put_items(struct imap_command *command, unsigned items, uint64_t changed_since);
/* A literal of size bytes that the sender streams. */
void imap_command_put_stream(struct imap_command *command, uint64_t size);

/*
 * One whole command "E<tag> <words> <uids> <args>" over as many of the ranges from *next on as a
 * line of line_max bytes holds (what literals hold does not count), at least one. args may be
 * NULL.
 *	for (size_t next = 0; next < uids->len;) {
 *		imap_command_init(&c);
 *		imap_command_build_uids(&c, tag++, "UID FETCH", uids, &next, line_max, &args);
 *	}
 */
void imap_command_build_uids(struct imap_command *command, unsigned tag, const char *words,
			     const struct uidset *uids, size_t *next, size_t line_max,
			     const struct imap_command *args);

/*
 * Writes how a literal is announced, CR LF included, into out (at most IMAP_ANNOUNCE_MAX bytes,
 * terminated) and returns its length: "{12+}" where waiting is not needed, else "{12}".
 */
#define IMAP_ANNOUNCE_MAX 32
size_t imap_command_announce(const struct imap_literal *literal, bool wait, char *out);

#endif
