// SPDX-License-Identifier: GPL-3.0-or-later
#include "content.h"

#include <stdio.h>
#include <string.h>

#define DATE_FIRST 1700000000

void content_make(unsigned token, struct buf *out)
{
	buf_reset(out);
	buf_printf(out, "Message-ID: <%u@rig>\r\nSubject: message %u\r\n\r\n", token, token);
	for (unsigned line = 0; line < (token % 10 == 5 ? 4000u : 2u); line++)
		buf_printf(out, "%u: what is in line %u\r\n", token, line);
	if (token % 10 == 7)
		buf_printf(out, "a bare\ror two\n");
}

int64_t content_date(unsigned token)
{
	return DATE_FIRST + token * 60;
}

unsigned content_token(const char *content, size_t len)
{
	unsigned token = 0;
	struct buf made;

	if (len == 0 || sscanf(content, "Message-ID: <%u@rig>", &token) != 1)
		return 0;
	buf_init(&made, CONTENT_MAX);
	content_make(token, &made);
	if (made.len != len || memcmp(made.data, content, len) != 0)
		token = 0;
	buf_free(&made);
	return token;
}
