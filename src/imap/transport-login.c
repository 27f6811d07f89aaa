// SPDX-License-Identifier: GPL-3.0-or-later
/* libcurl set up for one connection and one login. */
#include "base/clock.h"
#include "base/stop.h"
#include "imap/transport-inner.h"

#include <stdio.h>
#include <string.h>

#define LOGIN_URL_MAX   512
#define LOGIN_KEEPALIVE 60L /* seconds of silence before the first probe */

static const char tls_words[] = "SSL connection using ";

/*
 * The answer to a command came: how long it was on its way. Through proxies and tunnels this tells
 * what the time of the connection does not.
 */
static void login_note_answer(struct imap_transport *transport)
{
	int64_t took = clock_ms() - transport->asked_ms;

	if (transport->asked_ms == 0)
		return;
	transport->asked_ms = 0;
	if (transport->round_trip_ms < 0 || took < transport->round_trip_ms)
		transport->round_trip_ms = took;
}

/* Keeps the server's lines of the login. */
static size_t login_header(char *bytes, size_t size, size_t count, void *context)
{
	struct imap_transport *transport = context;

	login_note_answer(transport);
	imap_dialogue_add(&transport->dialogue, bytes, size * count);
	imap_wirelog_received(&transport->wirelog, bytes, size * count);
	return size * count;
}

/* Notes what libcurl sends, and keeps the one line that tells the TLS version and cipher. */
static int login_debug(CURL *curl, curl_infotype type, char *bytes, size_t len, void *context)
{
	struct imap_transport *transport = context;
	size_t start = strlen(tls_words);

	(void)curl;
	if (type == CURLINFO_HEADER_OUT) {
		transport->asked_ms = clock_ms();
		imap_wirelog_login(bytes, len);
	}
	if (type == CURLINFO_TEXT && len > start && memcmp(bytes, tls_words, start) == 0) {
		buf_reset(&transport->tls);
		buf_append(&transport->tls, bytes + start, len - start);
		while (transport->tls.len > 0 && transport->tls.data[transport->tls.len - 1] <= ' ')
			transport->tls.data[--transport->tls.len] = '\0';
	}
	return 0;
}

/* Breaks the login off where a stop was asked for, or nobody needs it any more. */
static int login_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct imap_transport *transport = context;

	(void)a, (void)b, (void)c, (void)d;
	return stop_requested() || (transport->give_up && atomic_load(transport->give_up));
}

/* Where to connect. Over a tunnel the host is never looked up, and no proxy stands between. */
static CURLcode login_set_address(struct imap_transport *transport,
				  const struct imap_config *config)
{
	CURL *curl = transport->curl;
	char url[LOGIN_URL_MAX];
	CURLcode code = CURLE_OK;

	if (transport->socket_name[0]) {
		code = curl_easy_setopt(curl, CURLOPT_ABSTRACT_UNIX_SOCKET, transport->socket_name);
		if (!code)
			code = curl_easy_setopt(curl, CURLOPT_PROXY, "");
		return code ? code : curl_easy_setopt(curl, CURLOPT_URL, "imap://localhost");
	}
	if (strpbrk(config->host, "/?#@; \\"))
		return CURLE_URL_MALFORMAT;
	const char *open = strchr(config->host, ':') ? "[" : "";
	const char *close = *open ? "]" : "";
	int len = snprintf(url, sizeof(url), "imap%s://%s%s%s:%u",
			   config->tls == IMAP_TLS_IMPLICIT ? "s" : "", open, config->host, close,
			   (unsigned)config->port);

	if (len < 0 || (size_t)len >= sizeof(url))
		return CURLE_URL_MALFORMAT;
	curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPIDLE, LOGIN_KEEPALIVE);
	return curl_easy_setopt(curl, CURLOPT_URL, url);
}

/* Sets every text that is not NULL. */
static CURLcode login_set_texts(CURL *curl, const struct imap_config *config)
{
	const struct {
		CURLoption option;
		const char *text;
	} texts[] = {
	    {CURLOPT_PROTOCOLS_STR, "imap,imaps"},         {CURLOPT_CAINFO, config->ca_file},
	    {CURLOPT_PINNEDPUBLICKEY, config->pinned_key}, {CURLOPT_SSLCERT, config->client_cert},
	    {CURLOPT_SSLKEY, config->client_key},
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && !code; i++) {
		if (texts[i].text)
			code = curl_easy_setopt(curl, texts[i].option, texts[i].text);
	}
	return code;
}

/* TLS is asked for in full or not at all: nothing between, which a server could bargain down. */
static CURLcode login_set_tls(CURL *curl, const struct imap_config *config, bool tunnelled)
{
	bool newest = config->min_tls && strcmp(config->min_tls, "1.3") == 0;
	bool none = tunnelled || config->tls == IMAP_TLS_NONE;
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
	    {CURLOPT_USE_SSL, none ? CURLUSESSL_NONE : CURLUSESSL_ALL},
	    {CURLOPT_SSL_VERIFYPEER, 1},
	    {CURLOPT_SSL_VERIFYHOST, 2},
	    {CURLOPT_SSLVERSION, newest ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2},
	    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
	    {CURLOPT_NOSIGNAL, 1},
	    {CURLOPT_CONNECT_ONLY, 1},
	    {CURLOPT_VERBOSE, 1},
	    {CURLOPT_NOPROGRESS, 0},
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && !code; i++)
		code = curl_easy_setopt(curl, numbers[i].option, numbers[i].value);
	return code;
}

/*
 * Has what is said told to the transport. VERBOSE prints nothing where there is a debug function.
 */
static void login_set_ears(struct imap_transport *transport)
{
	CURL *curl = transport->curl;

	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transport->curl_error);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, login_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, transport);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, login_header);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, transport);
	curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, login_debug);
	curl_easy_setopt(curl, CURLOPT_DEBUGDATA, transport);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, login_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transport);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)transport->timeout);
	curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)transport->timeout);
}

/* Who logs in, and how. Without a user libcurl connects and leaves it at that. */
static CURLcode login_set_user(CURL *curl, const struct imap_config *config,
			       const struct imap_login *login)
{
	CURLoption secret = login->token ? CURLOPT_XOAUTH2_BEARER : CURLOPT_PASSWORD;

	if (login->secret.len == 0)
		return CURLE_OK;
	CURLcode code = curl_easy_setopt(curl, CURLOPT_USERNAME, config->user);

	if (!code)
		code = curl_easy_setopt(curl, secret, login->secret.data);
	if (!code && login->options)
		code = curl_easy_setopt(curl, CURLOPT_LOGIN_OPTIONS, login->options);
	return code;
}

/* Connects and logs in. */
CURLcode imap_transport_login(struct imap_transport *transport, const struct imap_config *config,
			      const struct imap_login *login)
{
	transport->curl = curl_easy_init();
	if (!transport->curl)
		return CURLE_OUT_OF_MEMORY;
	login_set_ears(transport);
	CURLcode code = login_set_address(transport, config);

	if (!code)
		code = login_set_texts(transport->curl, config);
	if (!code)
		code = login_set_tls(transport->curl, config, transport->socket_name[0] != '\0');
	if (!code)
		code = login_set_user(transport->curl, config, login);
	if (!code)
		code = curl_easy_perform(transport->curl);
	if (!code)
		code =
		    curl_easy_getinfo(transport->curl, CURLINFO_ACTIVESOCKET, &transport->socket);
	return code;
}
