// SPDX-License-Identifier: GPL-3.0-or-later
/* Reads what follows OK, NO, BAD, BYE and PREAUTH: a response code in square brackets, and text. */
#ifndef IMAP_CODE_H
#define IMAP_CODE_H

#include "base/error.h"
#include "imap/answer.h"
#include "imap/lex.h"
#include "imap/response.h"

/*
 * Fills code, code_number, code_text, uids, uids_to and text. -1: a number that does not fit.
 */
int code_read(struct response *response, struct lex_cursor *cursor, struct imap_answer *answer,
	      struct error *err);

#endif
