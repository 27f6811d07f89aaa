// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A writer of JSON (RFC 8259), one value a line. Strings that are not UTF-8 have their bad bytes
 * written as U+FFFD; all controls are escaped, for a line may be shown on a terminal. Commas are
 * put by the writer; nesting is at most 16 deep (asserted).
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct json {
	struct buf *out;
	unsigned depth;
	bool comma[17];
	bool after_key;
};

void json_init(struct json *json, struct buf *out);
void json_object(struct json *json);
void json_array(struct json *json);
/* Ends the innermost object or array. */
void json_end_object(struct json *json);
void json_end_array(struct json *json);
void json_key(struct json *json, const char *key);
void json_string(struct json *json, const char *text); /* NULL is null */
void json_uint(struct json *json, uint64_t number);
void json_int(struct json *json, int64_t number);
void json_bool(struct json *json, bool yes);

#endif
