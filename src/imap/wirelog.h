// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The protocol as a log shows it: "C: " and "S: " lines, escaped, cut, literals as {n}.
 *
 * No secret reaches it: our own commands carry none, and of libcurl's login only the tag and the
 * command's name are shown; whatever else it sends is shown as ***, whatever it is. Nothing is
 * matched against a secret.
 */
#ifndef IMAP_WIRELOG_H
#define IMAP_WIRELOG_H

#include "base/buf.h"
#include "imap/command.h"

#include <stddef.h>
#include <stdint.h>

#define IMAP_WIRELOG_LINE_MAX 2000

/* Where the received stream stands; all of it in one line or one literal. */
struct imap_wirelog {
	struct buf line;  /* what of the line has come */
	size_t line_len;  /* its true length */
	char tail[32];    /* its last bytes: "... {123}" */
	uint64_t literal; /* bytes of a literal still to be passed over */
};

void imap_wirelog_init(struct imap_wirelog *log);
void imap_wirelog_free(struct imap_wirelog *log);

/* A command that is about to be sent. */
void imap_wirelog_command(const struct imap_command *command);
/* What came, at any cut. */
void imap_wirelog_received(struct imap_wirelog *log, const char *bytes, size_t len);
/* What libcurl sends while logging in. */
void imap_wirelog_login(const char *bytes, size_t len);

#endif
