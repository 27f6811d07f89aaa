// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The line to a server: libcurl resolves, connects, secures and logs in; then bytes go through it.
 *
 * Non-blocking both ways: send and receive do what can be done at once, wait polls for either.
 * Receive until it says 0 before waiting: TLS may hold bytes that poll does not see.
 *
 * A handle per connection, never shared or reused. The password leaves only over TLS, through a
 * tunnel, or where the configuration said tls none; a server that skips the login (PREAUTH) is
 * believed only over TLS or through a tunnel.
 */
#ifndef IMAP_TRANSPORT_H
#define IMAP_TRANSPORT_H

#include "base/error.h"
#include "imap/dialogue.h"
#include "imap/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct imap_transport;

/*
 * Connects and logs in as config says; or, where socket_name is not NULL, over that abstract Unix
 * socket as over a tunnel, in one attempt (for tests). -1: ERROR_LOGIN where the user must do
 * something, ERROR_CONFIG where a certificate file cannot be used, else ERROR_UNAVAILABLE or
 * ERROR_STOPPED.
 */
int imap_transport_open(const struct imap_config *config, const char *socket_name,
			struct imap_transport **out, struct error *err);
/* Closes the line and reaps the tunnel's child. NULL is fine. */
void imap_transport_close(struct imap_transport **transport);

/* The dialogue up to the login, and the TLS version and cipher ("" without TLS). */
const struct imap_dialogue *imap_transport_dialogue(const struct imap_transport *transport);
const char *imap_transport_tls(const struct imap_transport *transport);
/* How to call the server in messages: the host's name, or "tunnel". */
const char *imap_transport_name(const struct imap_transport *transport);

/*
 * 1: *done bytes moved (at least one). 0: not now. -1: the line is broken, or (receive) was closed
 * or, where compressed, damaged (ERROR_PROTOCOL). Bytes that were offered for sending and not done
 * must be offered again, with any others behind them: they may be packed already.
 */
int imap_transport_send(struct imap_transport *transport, const char *bytes, size_t len,
			size_t *done, struct error *err);
int imap_transport_receive(struct imap_transport *transport, char *bytes, size_t len, size_t *done,
			   struct error *err);

/* Both directions are compressed from the next byte on, as after the OK to COMPRESS (RFC 4978). */
void imap_transport_compress(struct imap_transport *transport);
bool imap_transport_is_compressed(const struct imap_transport *transport);
/* Bytes that went over the line since the login, as they went: compressed ones where they were. */
void imap_transport_count(const struct imap_transport *transport, uint64_t *sent,
			  uint64_t *received);
/* The shortest time in milliseconds from a command of the login to its answer; below 0: none. */
int64_t imap_transport_round_trip(const struct imap_transport *transport);

/*
 * Waits until bytes can be received, or sent where send says so. -1: time-out, or a stop was asked
 * for.
 */
int imap_transport_wait(struct imap_transport *transport, bool send, struct error *err);

#endif
