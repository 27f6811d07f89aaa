// SPDX-License-Identifier: GPL-3.0-or-later
/* The server's part of a transcript. */
#include "script.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#define SERVER_SECONDS  120 /* then a test hangs */
#define SERVER_QUIET_MS 40
#define SERVER_CHUNK    65536

/* What a flush adds behind the last byte's code: who has all before may be gone. */
#define SERVER_FLUSH 8

struct server {
	int listener;
	int fd;
	int single;
	unsigned slow; /* milliseconds */
	const char *greeting; /* its words, or NULL */
	int packed;    /* both directions are compressed, by streams of the server's own */
	z_stream deflate;
	z_stream inflate;
	char raw[SERVER_CHUNK];
	size_t line; /* of the script, for messages */
	char in[SERVER_CHUNK];
	size_t in_len;
	size_t in_at;
};

/* Ends with what is wrong. */
static _Noreturn void server_fail(const struct server *server, const char *what, const char *want,
				  size_t want_len, const char *got, size_t got_len)
{
	fprintf(stderr, "script line %zu: %s\n  want: %.*s\n  got:  %.*s\n", server->line, what,
		(int)want_len, want, (int)got_len, got);
	exit(1);
}

/* Takes the next client; the one before must have been served. */
static void server_take_client(struct server *server)
{
	if (server->fd >= 0)
		close(server->fd);
	server->in_len = server->in_at = 0;
	server->fd = accept(server->listener, NULL, NULL);
}

/* Turns both directions round. */
static void server_pack(struct server *server)
{
	if (deflateInit2(&server->deflate, 1, Z_DEFLATED, -MAX_WBITS, 1, Z_DEFAULT_STRATEGY) !=
		Z_OK ||
	    inflateInit2(&server->inflate, -MAX_WBITS) != Z_OK)
		exit(99);
	server->packed = 1;
}

/* Reads compressed bytes until some can be unpacked; 0 at the end, or where they are none. */
static size_t server_read_packed(struct server *server)
{
	z_stream *stream = &server->inflate;

	for (;;) {
		stream->next_out = (Bytef *)server->in;
		stream->avail_out = sizeof(server->in);
		int rc = inflate(stream, Z_SYNC_FLUSH);

		if (stream->avail_out < sizeof(server->in))
			return sizeof(server->in) - stream->avail_out;
		if (rc != Z_OK && rc != Z_BUF_ERROR)
			return 0;
		ssize_t got = read(server->fd, server->raw, sizeof(server->raw));

		if (got <= 0)
			return 0;
		stream->next_in = (Bytef *)server->raw;
		stream->avail_in = (uInt)got;
	}
}

/* Reads what is there; 0 at the end. */
static size_t server_read(struct server *server)
{
	if (server->in_at == server->in_len) {
		server->in_at = 0;
		if (server->packed) {
			server->in_len = server_read_packed(server);
		} else {
			ssize_t got = read(server->fd, server->in, sizeof(server->in));

			server->in_len = got > 0 ? (size_t)got : 0;
		}
	}
	return server->in_len - server->in_at;
}

/* Sends bytes as they are; where so wished each by itself, the last few together. */
static void server_send_raw(struct server *server, const char *bytes, size_t len, size_t last)
{
	while (len > 0) {
		ssize_t part = write(server->fd, bytes, server->single && len > last ? 1 : len);

		if (part <= 0)
			server_fail(server, "cannot send", bytes, len, "", 0);
		bytes += part;
		len -= (size_t)part;
	}
}

/* Sends bytes, compressed where that was agreed. */
static void server_send(struct server *server, const char *bytes, size_t len)
{
	char packed[2 * SERVER_CHUNK];
	z_stream *stream = &server->deflate;

	if (!server->packed) {
		server_send_raw(server, bytes, len, 1);
		return;
	}
	stream->next_in = (Bytef *)bytes;
	stream->avail_in = (uInt)len;
	do {
		stream->next_out = (Bytef *)packed;
		stream->avail_out = sizeof(packed);
		deflate(stream, Z_SYNC_FLUSH);
		server_send_raw(server, packed, sizeof(packed) - stream->avail_out, SERVER_FLUSH);
	} while (stream->avail_out == 0);
}

/* Lets the line be a slow one. */
static void server_wait(const struct server *server)
{
	if (server->slow > 0)
		poll(NULL, 0, (int)server->slow);
}

/* Takes exactly these bytes. */
static void server_expect(struct server *server, const char *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		size_t have = server_read(server), part = have < len - done ? have : len - done;
		const char *got = server->in + server->in_at;

		if (have == 0)
			server_fail(server, "the client hung up", bytes + done, len - done, "", 0);
		if (memcmp(got, bytes + done, part) != 0)
			server_fail(server, "the client says something else", bytes + done,
				    len - done, got, have < 200 ? have : 200);
		done += part;
		server->in_at += part;
	}
}

/* Takes a line of any content. */
static void server_take_line(struct server *server, char *line, size_t size)
{
	size_t len = 0;

	while (len + 1 < size && server_read(server) > 0) {
		line[len++] = server->in[server->in_at++];
		if (line[len - 1] == '\n')
			break;
	}
	line[len] = '\0';
}

/* Answers one of libcurl's commands, whose tags are its own business. */
static void server_answer(struct server *server, const char *verb, const char *before,
			  const char *after)
{
	char line[1024], out[2048];

	server_take_line(server, line, sizeof(line));
	size_t tag = strcspn(line, " ");

	if (strncmp(line + tag + 1, verb, strlen(verb)) != 0)
		server_fail(server, "libcurl says something else", verb, strlen(verb), line,
			    strlen(line));
	snprintf(out, sizeof(out), "%s%.*s OK %sdone\r\n", before, (int)tag, line, after);
	server_wait(server);
	server_send(server, out, strlen(out));
}

/* Plays what goes before the session. */
static void server_greet(struct server *server, const char *how, const char *capabilities)
{
	char told[1024];
	int preauth = strcmp(how, "preauth") == 0;

	snprintf(told, sizeof(told), "* CAPABILITY %s\r\n",
		 preauth ? capabilities : "IMAP4rev1 SASL-IR AUTH=PLAIN");
	char greeting[256];

	snprintf(greeting, sizeof(greeting), "* %s %s\r\n", preauth ? "PREAUTH" : "OK",
		 server->greeting ? server->greeting : "welcome");
	server_send(server, greeting, strlen(greeting));
	server_answer(server, "CAPABILITY", told, "");
	if (preauth)
		return;
	snprintf(told, sizeof(told), "[CAPABILITY %s] ", capabilities);
	server_answer(server, "AUTHENTICATE PLAIN AGFsaWNlAHNlc2FtZQ==", "",
		      strcmp(how, "login") == 0 ? told : "");
}

/* Sends, or takes, n times 'x'. Of many the first are enough to be sent one by one. */
static void server_filler(struct server *server, size_t n, int send)
{
	char filler[1000];
	int single = server->single;

	memset(filler, 'x', sizeof(filler));
	while (n > 0) {
		size_t part = n < sizeof(filler) ? n : sizeof(filler);

		if (send)
			server_send(server, filler, part);
		else
			server_expect(server, filler, part);
		n -= part;
		server->single = 0;
	}
	server->single = single;
}

/* Nothing may come. */
static void server_stay_quiet(struct server *server)
{
	struct pollfd wait = {.fd = server->fd, .events = POLLIN};

	if (server->in_at < server->in_len || poll(&wait, 1, SERVER_QUIET_MS) != 0) {
		size_t have = server_read(server);

		server_fail(server, "the client should wait", "", 0, server->in + server->in_at,
			    have);
	}
}

/* The client must hang up in the middle of a line or literal. */
static _Noreturn void server_expect_break(struct server *server)
{
	char last = 'x';

	while (server_read(server) > 0) {
		last = server->in[server->in_len - 1];
		server->in_at = server->in_len;
	}
	if (last == '\n')
		server_fail(server, "the client said all of it", "", 0, "", 0);
	exit(0);
}

/* Plays one line. */
static void server_play(struct server *server, const struct script_line *line)
{
	char side = line->word[0];
	struct buf bytes;

	if (strcmp(line->word, "quiet") == 0)
		server_stay_quiet(server);
	if (strcmp(line->word, "deflate") == 0)
		server_pack(server);
	if (strcmp(line->word, "deaf") == 0)
		shutdown(server->fd, SHUT_RD);
	if (strcmp(line->word, "again") == 0)
		server_take_client(server);
	if (strcmp(line->word, "broken") == 0)
		server_expect_break(server);
	if (strcmp(line->word, "cut") == 0)
		exit(0);
	if ((side != 'C' && side != 'S') || strlen(line->word) != 2)
		return;
	if (side == 'S')
		server_wait(server);
	if (line->word[1] == '#') {
		server_filler(server, (size_t)strtoul(line->text, NULL, 10), side == 'S');
		return;
	}
	buf_init(&bytes, 1u << 20);
	script_unescape(line->text, &bytes);
	if (line->word[1] == ':')
		buf_puts(&bytes, "\r\n");
	if (line->word[1] == '!')
		server_send_raw(server, bytes.data, bytes.len, bytes.len);
	else if (side == 'S')
		server_send(server, bytes.data, bytes.len);
	else
		server_expect(server, bytes.data, bytes.len);
	buf_free(&bytes);
}

/* After the script only LOGOUT may come, then the end. */
static _Noreturn void server_end(struct server *server)
{
	char line[256];

	server_take_line(server, line, sizeof(line));
	if (line[0] && !strstr(line, " LOGOUT\r\n"))
		server_fail(server, "more than the script has", "", 0, line, strlen(line));
	server_take_line(server, line, sizeof(line));
	if (line[0])
		server_fail(server, "more after the end", "", 0, line, strlen(line));
	exit(0);
}

/* Takes the client and plays the script to it. */
_Noreturn void script_serve(const struct script *script, int listener, int single)
{
	static struct server server;

	signal(SIGPIPE, SIG_IGN);
	alarm(SERVER_SECONDS);
	server.single = single;
	server.listener = listener;
	server.fd = -1;
	for (size_t i = 0; i < script->len; i++) {
		if (strcmp(script->lines[i].word, "slow") == 0)
			server.slow = (unsigned)strtoul(script->lines[i].text, NULL, 10);
		if (strcmp(script->lines[i].word, "greeting") == 0)
			server.greeting = script->lines[i].text;
	}
	server_take_client(&server);
	for (size_t i = 0; i < script->len; i++) {
		const struct script_line *line = &script->lines[i];

		server.line = line->number;
		if (strcmp(line->word, "preauth") == 0 || strcmp(line->word, "login") == 0 ||
		    strcmp(line->word, "untold") == 0)
			server_greet(&server, line->word, line->text);
		else
			server_play(&server, line);
	}
	server_end(&server);
}
