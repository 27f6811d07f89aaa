// SPDX-License-Identifier: GPL-3.0-or-later
/* What a login that failed means, and what the user can do about it. */
#include "base/stop.h"
#include "base/text.h"
#include "imap/transport-inner.h"

#include <openssl/evp.h>
#include <string.h>

#define ERROR_WORDS_MAX 600
#define ERROR_INPUT_MAX 300 /* bytes of a server's words that are shown */

/*
 * Appends a server's words, without the period that would stand within our sentence. OAuth2
 * refusals come as base64 of JSON (RFC 7628 section 3.2.3), which is shown decoded.
 */
static void error_put_words(struct buf *out, struct imap_words words)
{
	unsigned char plain[ERROR_WORDS_MAX];
	int len = -1;

	while (words.len > 0 && strchr(". ", words.bytes[words.len - 1]))
		words.len--;
	if (words.len > 0 && words.len % 4 == 0 && words.len / 4 * 3 <= sizeof(plain))
		len = EVP_DecodeBlock(plain, (const unsigned char *)words.bytes, (int)words.len);
	while (len > 0 && plain[len - 1] == '\0')
		len--;
	if (len > 0 && plain[0] == '{')
		text_escape(out, (const char *)plain, (size_t)len, ERROR_INPUT_MAX);
	else if (words.len > 0)
		text_escape(out, words.bytes, words.len, ERROR_INPUT_MAX);
	else
		buf_puts(out, "it gave no reason");
}

/* libcurl's own words, or the code's where it left none. */
static const char *error_curl_words(const struct imap_transport *transport, CURLcode code)
{
	return text_show(transport->curl_error[0] ? transport->curl_error
						  : curl_easy_strerror(code));
}

/* The server would not have it: either the secret, or every way that we may use. */
static int error_login(const struct imap_transport *transport, const struct imap_config *config,
		       const struct imap_login *login, struct error *err)
{
	struct imap_words words, offer = imap_dialogue_offer(&transport->dialogue);
	enum imap_refusal refusal = imap_dialogue_refusal(&transport->dialogue, &words);
	struct buf said;

	buf_init(&said, 4 * ERROR_WORDS_MAX);
	error_put_words(&said, refusal == IMAP_REFUSAL_NONE ? offer : words);
	if (refusal == IMAP_REFUSAL_LATER)
		error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE, "%s: no login now: %s",
			  transport->name, said.data);
	else if (refusal == IMAP_REFUSAL_NONE)
		error_set(err, ERROR_LOGIN, SCOPE_STORE,
			  "%s: the server offers no way to log in that may be used here; "
			  "check tls and auth; it offers: %s",
			  transport->name, said.data);
	else
		error_set(err, ERROR_LOGIN, SCOPE_STORE,
			  "%s: the server refused the login of %s: %s; check user and %s",
			  transport->name, text_show(config->user), said.data,
			  login->token ? "token-command" : "password");
	buf_free(&said);
	return -1;
}

/* The certificate is not what was asked for. */
static int error_certificate(const struct imap_transport *transport,
			     const struct imap_config *config, CURLcode code, struct error *err)
{
	const char *words = error_curl_words(transport, code);

	switch (code) {
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return error_set(err, ERROR_LOGIN, SCOPE_STORE,
				 "%s: the server's key is not the one in pinned-key: either the "
				 "server has a new one, or this is another server",
				 transport->name);
	case CURLE_SSL_CACERT_BADFILE:
		return error_set(err, ERROR_CONFIG, SCOPE_STORE,
				 "%s: ca-file %s cannot be used: %s", transport->name,
				 config->ca_file ? text_show(config->ca_file) : "of the system",
				 words);
	case CURLE_SSL_CERTPROBLEM:
		return error_set(err, ERROR_CONFIG, SCOPE_STORE,
				 "%s: client-cert or client-key cannot be used: %s",
				 transport->name, words);
	default:
		return error_set(
		    err, ERROR_LOGIN, SCOPE_STORE,
		    "%s: the server's certificate is not trusted: %s; check host, or name "
		    "the certificate's issuer with ca-file",
		    transport->name, words);
	}
}

/* Why the TLS handshake may have failed although somebody answered; words are OpenSSL's. */
static const char *handshake_hint(const struct imap_config *config, const char *words)
{
	if (config->min_tls && !strcmp(config->min_tls, "1.3"))
		return "; if it knows no TLS 1.3, set min-tls: 1.2";
	if (strstr(words, "alert protocol version") || strstr(words, "unsupported protocol"))
		return "; the server speaks no TLS 1.2 or later: what is older is not safe";
	if (config->tls == IMAP_TLS_IMPLICIT)
		return "; if it speaks TLS only after STARTTLS, set tls: starttls";
	return "";
}

/* The line or the greeting failed. */
static int error_unavailable(const struct imap_transport *transport,
			     const struct imap_config *config, CURLcode code, struct error *err)
{
	struct imap_words words;

	if (imap_dialogue_refusal(&transport->dialogue, &words) == IMAP_REFUSAL_LATER) {
		struct buf said;

		buf_init(&said, 4 * ERROR_WORDS_MAX);
		error_put_words(&said, words);
		error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE, "%s: the server hung up: %s",
			  transport->name, said.data);
		buf_free(&said);
		return -1;
	}
	/* A command that ends at once may be gone before libcurl has looked at its socket. */
	if (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING ||
	    (config->tunnel && code == CURLE_COULDNT_CONNECT))
		return error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE,
				 "%s: the %s closed the line before the login was done",
				 transport->name, config->tunnel ? "command" : "server");
	const char *said = error_curl_words(transport, code);

	return error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE, "%s: %s%s", transport->name, said,
			 code == CURLE_SSL_CONNECT_ERROR ? handshake_hint(config, said) : "");
}

/* Tells kinds of failure apart: those that the user must mend, and those that may pass. */
int imap_transport_explain(const struct imap_transport *transport, const struct imap_config *config,
			   const struct imap_login *login, CURLcode code, struct error *err)
{
	switch (code) {
	case CURLE_ABORTED_BY_CALLBACK:
		if (stop_check(err) < 0)
			return -1;
		break;
	case CURLE_LOGIN_DENIED:
	case CURLE_AUTH_ERROR: return error_login(transport, config, login, err);
	case CURLE_USE_SSL_FAILED:
		return error_set(
		    err, ERROR_LOGIN, SCOPE_STORE,
		    "%s: the server offers no STARTTLS on this port: nothing secret was "
		    "sent; check port and tls",
		    transport->name);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM: return error_certificate(transport, config, code, err);
	case CURLE_URL_MALFORMAT:
		return error_set(err, ERROR_CONFIG, SCOPE_STORE, "host %s is no host's name",
				 transport->name);
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_NOT_BUILT_IN:
	case CURLE_UNKNOWN_OPTION:
		return error_set(err, ERROR_CONFIG, SCOPE_STORE, "%s: %s", transport->name,
				 error_curl_words(transport, code));
	default: break;
	}
	return error_unavailable(transport, config, code, err);
}
