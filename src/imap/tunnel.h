// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A command that speaks IMAP on its stdin and stdout: "ssh -q host doveadm exec imap".
 *
 * libcurl reaches it by the name of an abstract Unix socket: libcurl 7.88 does not heed a socket
 * that is connected already (curl issue 10626). The child takes one connection, from this process
 * and no other, and becomes the command.
 */
#ifndef IMAP_TUNNEL_H
#define IMAP_TUNNEL_H

#include "base/error.h"

#include <sys/types.h>

#define IMAP_TUNNEL_NAME_SIZE 16

/*
 * Starts the child that will be /bin/sh -c command, with the connection as its stdin and stdout,
 * stderr as ours, and no other descriptor. name is for CURLOPT_ABSTRACT_UNIX_SOCKET; *pid is to be
 * given to imap_tunnel_close.
 */
int imap_tunnel_open(const char *command, char name[IMAP_TUNNEL_NAME_SIZE], pid_t *pid,
		     struct error *err);

/* Listens at a free abstract name: -1 or the descriptor. What imap_tunnel_open does first. */
int imap_tunnel_listen(char name[IMAP_TUNNEL_NAME_SIZE], struct error *err);

/*
 * Waits for the child, whose connection has been closed: it gets some time to end by itself, then
 * SIGTERM, then SIGKILL. *pid becomes 0.
 */
void imap_tunnel_close(pid_t *pid);

#endif
