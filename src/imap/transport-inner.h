// SPDX-License-Identifier: GPL-3.0-or-later
/* What the files of the transport share; nobody else includes it. */
#ifndef IMAP_TRANSPORT_INNER_H
#define IMAP_TRANSPORT_INNER_H

#include "base/buf.h"
#include "imap/deflate.h"
#include "imap/transport.h"
#include "imap/tunnel.h"
#include "imap/wirelog.h"

#include <curl/curl.h>
#include <sys/types.h>

#define IMAP_TIMEOUT_DEFAULT 60 /* seconds */

struct imap_transport {
	CURL *curl;
	curl_socket_t socket;
	char socket_name[IMAP_TUNNEL_NAME_SIZE]; /* of the tunnel, "": none */
	pid_t child;                             /* the tunnel's, 0: none */
	unsigned timeout;                        /* seconds */
	const atomic_bool *give_up;              /* as configured */
	char *name;
	struct imap_dialogue dialogue;
	struct imap_wirelog wirelog;
	struct buf tls;
	int64_t asked_ms;      /* when the login's last command went out; 0: it is answered */
	int64_t round_trip_ms; /* the shortest so far, -1: none */
	uint64_t sent;         /* bytes on the line since the login */
	uint64_t received;
	struct imap_deflate *deflate; /* NULL: not compressed */
	size_t batch;                 /* plain bytes that are packed and not all sent */
	char curl_error[CURL_ERROR_SIZE];
};

/* With what to log in, this time. */
struct imap_login {
	const char *options; /* CURLOPT_LOGIN_OPTIONS, NULL: libcurl's choice */
	bool token;          /* secret is an OAuth2 token */
	struct buf secret;   /* empty: no login is to be tried */
};

/* transport-login.c: one attempt on a new handle; the code is libcurl's, CURLE_OK: logged in. */
CURLcode imap_transport_login(struct imap_transport *transport, const struct imap_config *config,
			      const struct imap_login *login);

/* transport-error.c: says what a failed attempt means to the user; returns -1. */
int imap_transport_explain(const struct imap_transport *transport, const struct imap_config *config,
			   const struct imap_login *login, CURLcode code, struct error *err);

#endif
