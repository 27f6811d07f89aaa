// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap/transport.h"

#include "base/alloc.h"
#include "base/fault.h"
#include "base/stop.h"
#include "base/text.h"
#include "imap/transport-inner.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRANSPORT_SECRET_MAX (64u << 10)
#define TRANSPORT_TLS_MAX    256

/*
 * What may be used with a password, by order of libcurl's liking: nothing that a ticket or a
 * domain is needed for, which libcurl would otherwise prefer where the server offers it, and fail.
 */
#define OPTIONS_PASSWORD "AUTH=SCRAM-SHA-256;AUTH=SCRAM-SHA-1;AUTH=PLAIN;AUTH=LOGIN"
#define OPTIONS_TOKEN    "AUTH=OAUTHBEARER;AUTH=XOAUTH2"

/*
 * libcurl 8.0 brought a word for the plain LOGIN command; before, only its free choice leads there.
 */
#define CURL_WITH_PLAIN_LOGIN 0x080000

static pthread_once_t transport_once = PTHREAD_ONCE_INIT;

/* Prepares libcurl once, before any thread's first handle. */
static void transport_init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Makes a transport that is not connected. */
static struct imap_transport *transport_new(const struct imap_config *config)
{
	struct imap_transport *transport = xcalloc(1, sizeof(*transport));

	transport->socket = CURL_SOCKET_BAD;
	transport->give_up = config->give_up;
	transport->timeout = config->timeout ? config->timeout : IMAP_TIMEOUT_DEFAULT;
	transport->name = xstrdup(config->tunnel ? "tunnel" : text_show(config->host));
	imap_dialogue_init(&transport->dialogue);
	imap_wirelog_init(&transport->wirelog);
	buf_init(&transport->tls, TRANSPORT_TLS_MAX);
	transport->round_trip_ms = -1;
	return transport;
}

/* Closes all that a transport holds. */
void imap_transport_close(struct imap_transport **transport)
{
	struct imap_transport *t = *transport;

	if (!t)
		return;
	curl_easy_cleanup(t->curl);
	imap_tunnel_close(&t->child);
	imap_deflate_close(&t->deflate);
	imap_dialogue_free(&t->dialogue);
	imap_wirelog_free(&t->wirelog);
	buf_free(&t->tls);
	free(t->name);
	free(t);
	*transport = NULL;
}

/* The words for libcurl that mean these mechanisms; NULL for auth 0 and a password. */
static const char *transport_options(unsigned auth, bool token)
{
	static const char *const passwords[] = {OPTIONS_PASSWORD, "AUTH=PLAIN", "AUTH=LOGIN",
						"AUTH=PLAIN;AUTH=LOGIN"};
	static const char *const tokens[] = {OPTIONS_TOKEN, "AUTH=XOAUTH2", "AUTH=OAUTHBEARER",
					     OPTIONS_TOKEN};
	unsigned plain = auth & (IMAP_AUTH_PLAIN | IMAP_AUTH_LOGIN);
	unsigned bearer = auth & (IMAP_AUTH_XOAUTH2 | IMAP_AUTH_OAUTHBEARER);

	_Static_assert(IMAP_AUTH_LOGIN == 2 && IMAP_AUTH_OAUTHBEARER == 8, "indexes of the tables");
	return token ? tokens[bearer / IMAP_AUTH_XOAUTH2] : passwords[plain];
}

/* Asks for the secret. What would end a line of the protocol is refused, not sent. */
static int transport_ask_secret(const struct imap_config *config, struct imap_login *login,
				struct error *err)
{
	if (config->secret(config->secret_context, login->token, &login->secret, err) < 0)
		return -1;
	if (login->secret.len == 0)
		return error_set(err, ERROR_LOGIN, SCOPE_STORE, "the %s of %s is empty",
				 login->token ? "token" : "password", text_show(config->user));
	for (size_t i = 0; i < login->secret.len; i++) {
		if (memchr("\r\n", login->secret.data[i], 3))
			return error_set(
			    err, ERROR_LOGIN, SCOPE_STORE, "the %s of %s holds more than one line",
			    login->token ? "token" : "password", text_show(config->user));
	}
	return 0;
}

/* Whether the login is done, as libcurl takes it, but must not be believed. */
static int transport_check(const struct imap_transport *transport, const struct imap_config *config,
			   const struct imap_login *login, struct error *err)
{
	bool preauth = imap_dialogue_is_preauth(&transport->dialogue);

	if (preauth && !transport->socket_name[0] && config->tls != IMAP_TLS_IMPLICIT)
		return error_set(
		    err, ERROR_LOGIN, SCOPE_STORE,
		    "%s: the server asks for no login (PREAUTH) on a line without TLS: "
		    "anybody could have said that; check port and tls",
		    transport->name);
	if (!preauth && login->secret.len == 0)
		return error_set(err, ERROR_LOGIN, SCOPE_STORE,
				 "%s: the server wants a login: set user and a password",
				 transport->name);
	return 0;
}

/* One attempt: *code is libcurl's where it came that far. */
static int transport_try(const struct imap_config *config, const struct imap_login *login,
			 const char *socket_name, struct imap_transport **out, CURLcode *code,
			 struct error *err)
{
	struct imap_transport *transport = transport_new(config);

	*out = transport;
	*code = CURLE_OK;
	if (socket_name)
		snprintf(transport->socket_name, sizeof(transport->socket_name), "%s", socket_name);
	else if (config->tunnel && imap_tunnel_open(config->tunnel, transport->socket_name,
						    &transport->child, err) < 0)
		return -1;
	*code = imap_transport_login(transport, config, login);
	if (*code)
		return imap_transport_explain(transport, config, login, *code, err);
	return transport_check(transport, config, login, err);
}

/*
 * Whether a refused login may be tried once more, in another way: with a fresh token, for they
 * expire; or with the plain LOGIN command, where no mechanism was shared and so nothing was tried.
 */
static bool transport_retry(const struct imap_transport *transport,
			    const struct imap_config *config, struct imap_login *login,
			    CURLcode code)
{
	struct imap_words words, offer = imap_dialogue_offer(&transport->dialogue);
	enum imap_refusal refusal = imap_dialogue_refusal(&transport->dialogue, &words);

	if (code != CURLE_LOGIN_DENIED && code != CURLE_AUTH_ERROR)
		return false;
	if (login->token)
		return refusal == IMAP_REFUSAL_LOGIN;
	if (refusal != IMAP_REFUSAL_NONE || imap_words_have(offer, "LOGINDISABLED") ||
	    config->auth == IMAP_AUTH_PLAIN)
		return false;
	bool word = curl_version_info(CURLVERSION_NOW)->version_num >= CURL_WITH_PLAIN_LOGIN;

	login->options = word ? "AUTH=+LOGIN" : NULL;
	return true;
}

/* Connects and logs in, in at most two attempts. */
int imap_transport_open(const struct imap_config *config, const char *socket_name,
			struct imap_transport **out, struct error *err)
{
	struct imap_login login = {0};
	bool asked = config->user && config->secret;
	CURLcode code = CURLE_OK;
	int rc = 0;

	pthread_once(&transport_once, transport_init_curl);
	*out = NULL;
	login.token = config->has_token;
	login.options = transport_options(config->auth, login.token);
	buf_init(&login.secret, TRANSPORT_SECRET_MAX);
	for (int attempt = 0; attempt < 2; attempt++) {
		buf_reset(&login.secret);
		if (asked)
			rc = transport_ask_secret(config, &login, err);
		if (rc < 0)
			break;
		rc = transport_try(config, &login, socket_name, out, &code, err);
		if (rc == 0 || socket_name || !transport_retry(*out, config, &login, code))
			break;
		imap_transport_close(out);
	}
	buf_free_secret(&login.secret);
	if (rc < 0)
		imap_transport_close(out);
	return rc;
}

/* The dialogue up to the login. */
const struct imap_dialogue *imap_transport_dialogue(const struct imap_transport *transport)
{
	return &transport->dialogue;
}

/* The TLS version and cipher. */
const char *imap_transport_tls(const struct imap_transport *transport)
{
	return transport->tls.len > 0 ? transport->tls.data : "";
}

/* How to call the server. */
const char *imap_transport_name(const struct imap_transport *transport)
{
	return transport->name;
}

/* Has both directions compressed. */
void imap_transport_compress(struct imap_transport *transport)
{
	assert(!transport->deflate);
	transport->deflate = imap_deflate_open();
}

/* Whether they are. */
bool imap_transport_is_compressed(const struct imap_transport *transport)
{
	return transport->deflate != NULL;
}

/* The bytes on the line. */
void imap_transport_count(const struct imap_transport *transport, uint64_t *sent,
			  uint64_t *received)
{
	*sent = transport->sent;
	*received = transport->received;
}

/* The shortest round trip. */
int64_t imap_transport_round_trip(const struct imap_transport *transport)
{
	return transport->round_trip_ms;
}

/* Sends what can be sent at once, as it is. */
static int line_send(struct imap_transport *transport, const char *bytes, size_t len, size_t *done,
		     struct error *err)
{
	CURLcode code = fault_line("send", transport->socket) ? CURLE_SEND_ERROR
					   : curl_easy_send(transport->curl, bytes, len, done);

	if (code == CURLE_AGAIN || (code == CURLE_OK && *done == 0))
		return 0;
	if (code)
		return error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE, "%s: the line broke: %s",
				 transport->name, curl_easy_strerror(code));
	transport->sent += *done;
	return 1;
}

/* Receives what is there, as it is. */
static int line_receive(struct imap_transport *transport, char *bytes, size_t len, size_t *done,
			struct error *err)
{
	CURLcode code = curl_easy_recv(transport->curl, bytes, len, done);

	if (code == CURLE_OK && fault_line("receive", transport->socket))
		code = CURLE_RECV_ERROR;
	if (code == CURLE_AGAIN)
		return 0;
	if (code)
		return error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE, "%s: the line broke: %s",
				 transport->name, curl_easy_strerror(code));
	if (*done == 0)
		return error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE,
				 "%s: the server closed the line", transport->name);
	transport->received += *done;
	return 1;
}

/* Sends a batch; its bytes are done once all that they were packed into is out. */
static int packed_send(struct imap_transport *transport, const char *bytes, size_t len,
		       size_t *done, struct error *err)
{
	struct imap_deflate *deflate = transport->deflate;
	const char *packed;
	size_t left, part;

	if (transport->batch == 0)
		transport->batch = imap_deflate_pack(deflate, bytes, len);
	assert(transport->batch <= len);
	while ((left = imap_deflate_packed(deflate, &packed)) > 0) {
		int rc = line_send(transport, packed, left, &part, err);

		if (rc != 1)
			return rc;
		imap_deflate_sent(deflate, part);
	}
	*done = transport->batch;
	transport->batch = 0;
	return 1;
}

/* Receives until something can be unpacked: a server may send blocks that hold nothing. */
static int packed_receive(struct imap_transport *transport, char *bytes, size_t len, size_t *done,
			  struct error *err)
{
	char packed[IMAP_DEFLATE_FEED_MAX];
	int rc;

	while ((rc = imap_deflate_unpack(transport->deflate, bytes, len, done, err)) == 0) {
		size_t got;

		if (stop_check(err) < 0)
			return -1;
		rc = line_receive(transport, packed, sizeof(packed), &got, err);
		if (rc != 1)
			return rc;
		imap_deflate_feed(transport->deflate, packed, got);
	}
	return rc < 0 ? error_prefix(err, "%s", transport->name) : 1;
}

/* Sends what can be sent at once. */
int imap_transport_send(struct imap_transport *transport, const char *bytes, size_t len,
			size_t *done, struct error *err)
{
	return transport->deflate ? packed_send(transport, bytes, len, done, err)
				  : line_send(transport, bytes, len, done, err);
}

/* Receives what is there. */
int imap_transport_receive(struct imap_transport *transport, char *bytes, size_t len, size_t *done,
			   struct error *err)
{
	int rc = transport->deflate ? packed_receive(transport, bytes, len, done, err)
				    : line_receive(transport, bytes, len, done, err);

	if (rc == 1)
		imap_wirelog_received(&transport->wirelog, bytes, *done);
	return rc;
}

/* Waits for the line, or for a stop. */
int imap_transport_wait(struct imap_transport *transport, bool send, struct error *err)
{
	struct pollfd fds[] = {
	    {.fd = transport->socket, .events = (short)(POLLIN | (send ? POLLOUT : 0))},
	    {.fd = stop_fd(), .events = POLLIN},
	};
	int ready;

	do
		ready = poll(fds, 2, (int)transport->timeout * 1000);
	while (ready < 0 && errno == EINTR && !stop_requested());
	if (stop_check(err) < 0)
		return -1;
	if (ready < 0)
		return error_errno(err, SCOPE_STORE, "poll");
	if (ready == 0)
		return error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE,
				 "%s: nothing came for %u seconds", transport->name,
				 transport->timeout);
	return 0;
}
