// SPDX-License-Identifier: GPL-3.0-or-later
#include "store-imap-open.h"

#include "imap/session-inner.h"

/* Asked for ahead of the greeting, though no script of the store's has a login. */
static int give_secret(void *context, bool token, struct buf *out, struct error *err)
{
	(void)context, (void)token, (void)err;
	return buf_puts(out, "sesame");
}

int store_imap_open_scripted(const char *host, const char *socket_name, int read_only,
			     struct imap_session **session, struct error *err)
{
	const struct imap_config config = {.host = host,
					   .user = "alice",
					   .secret = give_secret,
					   .timeout = 60,
					   .read_only = read_only};

	return imap_open_over(&config, socket_name, session, err);
}
