// SPDX-License-Identifier: GPL-3.0-or-later
/* Reads the untagged responses about mailboxes and their names; imap/response.h rules. */
#ifndef IMAP_RESPONSE_MAILBOX_H
#define IMAP_RESPONSE_MAILBOX_H

#include "base/error.h"
#include "imap/answer.h"
#include "imap/lex.h"
#include "imap/response.h"

#include <stdint.h>

/* What follows the word NAMESPACE. -1: malformed; for the others likewise. */
int response_read_namespace(struct response *response, struct lex_cursor *cursor,
			    struct imap_answer *answer, struct error *err);
/* LIST and LSUB. */
int response_read_list(struct response *response, struct lex_cursor *cursor,
		       struct imap_answer *answer, struct error *err);
int response_read_status(struct response *response, struct lex_cursor *cursor,
			 struct imap_answer *answer, struct error *err);
/* "(id)" (RFC 8474) as digest_hash_id of it; -1 where it is not of that shape. */
int response_take_id(struct lex_cursor *cursor, uint64_t *out);

#endif
