// SPDX-License-Identifier: GPL-3.0-or-later
/* Whose mailboxes are whose (RFC 2342). */
#include "base/alloc.h"
#include "imap/session-inner.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Forgets them. */
void session_free_namespaces(struct session_server *server)
{
	for (size_t i = 0; i < server->namespaces_len; i++)
		free(server->namespaces[i].prefix);
	free(server->namespaces);
	server->namespaces = NULL;
	server->namespaces_len = 0;
}

/* Names are made in the first personal one; a prefix beyond all bounds is as good as none. */
static void set_naming(struct mailbox_naming *naming, const struct imap_answer *answer)
{
	const struct imap_namespace *first = answer->namespaces;

	naming->delimiter = '\0';
	if (!answer->namespaces_len || first->owner != IMAP_PERSONAL)
		return;
	naming->delimiter = first->delimiter;
	if (!first->prefix.bytes || first->prefix.len >= sizeof(naming->prefix) ||
	    memchr(first->prefix.bytes, '\0', first->prefix.len))
		return;
	memcpy(naming->prefix, first->prefix.bytes, first->prefix.len);
	naming->prefix[first->prefix.len] = '\0';
}

/* Keeps all, for the time that mailboxes are listed. */
void session_set_namespaces(struct session_server *server, const struct imap_answer *answer)
{
	size_t len = answer->namespaces_len;

	set_naming(&server->naming, answer);
	session_free_namespaces(server);
	if (len > SESSION_NAMESPACES_MAX)
		len = SESSION_NAMESPACES_MAX;
	if (!len)
		return;
	server->namespaces = xcalloc(len, sizeof(*server->namespaces));
	server->namespaces_len = len;
	for (size_t i = 0; i < len; i++) {
		const struct imap_namespace *told = &answer->namespaces[i];

		server->namespaces[i] = (struct session_namespace){
		    .owner = told->owner,
		    .prefix =
			xstrndup(told->prefix.len ? told->prefix.bytes : "", told->prefix.len),
		    .len = told->prefix.len};
	}
}

/* Whether a mailbox is in a namespace, or is the name above it ("user" of "user."). */
static bool holds(const struct session_namespace *namespace, const char *wire, size_t len)
{
	size_t needed = namespace->len;

	if (len < needed)
		needed = len + 1 == needed ? len : SIZE_MAX;
	return needed <= len && !memcmp(wire, namespace->prefix, needed);
}

/*
 * The longest prefix counts, and of two alike the personal one: Cyrus has "" for what is shared
 * beside "INBOX." for what is ours. A server that names nothing as ours does not mean that nothing
 * is.
 */
enum imap_owner imap_owner_of(const struct imap_session *session, const char *wire, size_t len)
{
	const struct session_server *server = &session->server;
	const struct session_namespace *best = NULL;

	if (!server->namespaces_len || server->namespaces[0].owner != IMAP_PERSONAL ||
	    (len == 5 && !strncasecmp(wire, "INBOX", 5)))
		return IMAP_PERSONAL;
	for (size_t i = 0; i < server->namespaces_len; i++) {
		const struct session_namespace *namespace = &server->namespaces[i];

		if (holds(namespace, wire, len) && (!best || namespace->len > best->len))
			best = namespace;
	}
	return best ? best->owner : IMAP_PERSONAL;
}
