// SPDX-License-Identifier: GPL-3.0-or-later
/* A store over a scripted session: imap/session-inner.h and store/store.h name things alike. */
#ifndef TESTS_STORE_IMAP_OPEN_H
#define TESTS_STORE_IMAP_OPEN_H

#include "base/error.h"

struct imap_session;

/* Opens a session to the abstract socket of that name, as alice. */
int store_imap_open_scripted(const char *host, const char *socket_name, int read_only,
			     struct imap_session **session, struct error *err);

#endif
