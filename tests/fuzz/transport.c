// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport.h"

#include "base/alloc.h"
#include "imap/command.h"
#include "imap/dialogue.h"
#include "imap/transport.h"

#include <stdlib.h>
#include <string.h>

#define TAG_MAX 12 /* bytes of a tag that is remembered */

/* The words of the next server; a process fuzzes one at a time. */
static struct {
	const char *text;
	size_t len;
	size_t step;
} server;

/* A line to it. */
struct imap_transport {
	struct imap_dialogue dialogue;
	const char *at;
	const char *end;
	struct buf sent;   /* all that the client said */
	size_t read;       /* as far as tags were looked for in it */
	char tag[TAG_MAX]; /* of the oldest command that is not answered */
	bool has_tag;
	char told[TAG_MAX]; /* the one that the server says */
	size_t told_at;
	bool in_line;        /* the server is in the middle of a line */
	bool waited;         /* the client waits, too */
	bool compressed;
};

void transport_set(const char *text, size_t len, size_t step)
{
	server.text = text;
	server.len = len;
	server.step = step;
}

/* Greets. */
int imap_transport_open(const struct imap_config *config, const char *socket_name,
			struct imap_transport **out, struct error *err)
{
	struct imap_transport *line = xcalloc(1, sizeof(*line));
	const char *newline = memchr(server.text, '\n', server.len);

	(void)config, (void)socket_name, (void)err;
	line->end = server.text + server.len;
	line->at = newline ? newline + 1 : line->end;
	imap_dialogue_init(&line->dialogue);
	imap_dialogue_add(&line->dialogue, server.text, (size_t)(line->at - server.text));
	buf_init(&line->sent, 64u << 20);
	*out = line;
	return 0;
}

void imap_transport_close(struct imap_transport **transport)
{
	if (!*transport)
		return;
	imap_dialogue_free(&(*transport)->dialogue);
	buf_free(&(*transport)->sent);
	free(*transport);
	*transport = NULL;
}

const struct imap_dialogue *imap_transport_dialogue(const struct imap_transport *transport)
{
	return &transport->dialogue;
}

const char *imap_transport_tls(const struct imap_transport *transport)
{
	(void)transport;
	return "";
}

const char *imap_transport_name(const struct imap_transport *transport)
{
	(void)transport;
	return "fuzz";
}

/* Takes all. */
int imap_transport_send(struct imap_transport *transport, const char *bytes, size_t len,
			size_t *done, struct error *err)
{
	if (buf_append(&transport->sent, bytes, len) < 0)
		return error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE, "fuzz: the line is full");
	*done = len;
	return 1;
}

/* Whether a command awaits its answer: then its tag is known. */
static bool line_is_asked(struct imap_transport *line)
{
	while (!line->has_tag && line->read < line->sent.len) {
		const char *at = line->sent.data + line->read;
		const char *newline = memchr(at, '\n', line->sent.len - line->read);
		size_t len = strspn(at + 1, "0123456789") + 1;

		if (!newline)
			break;
		line->read = (size_t)(newline - line->sent.data) + 1;
		if (*at != IMAP_TAG_LETTER || len < 2 || len >= TAG_MAX || at[len] != ' ')
			continue;
		memcpy(line->tag, at, len);
		line->tag[len] = '\0';
		line->has_tag = true;
	}
	return line->has_tag;
}

/*
 * Whether the server speaks on. It begins a line where a command awaits its answer, and unasked
 * only where the client waits; but nothing has a tag that was not asked.
 */
static bool line_speaks(struct imap_transport *line)
{
	bool is_tag = line->end - line->at >= 2 && !memcmp(line->at, "?E", 2);

	if (line->told[line->told_at])
		return true;
	if (line->at == line->end)
		return false;
	if (is_tag)
		return line_is_asked(line);
	return line->in_line || line_is_asked(line) || line->waited;
}

/* The next byte of the server's. */
static char line_next_byte(struct imap_transport *line)
{
	if (!line->told[line->told_at] && line->end - line->at >= 2 && !memcmp(line->at, "?E", 2)) {
		line->at += 2;
		memcpy(line->told, line->tag, TAG_MAX);
		line->told_at = 0;
		line->has_tag = false;
	}
	char c = line->told[line->told_at] ? line->told[line->told_at++] : *line->at++;

	line->in_line = c != '\n';
	line->waited = false;
	return c;
}

int imap_transport_receive(struct imap_transport *transport, char *bytes, size_t len, size_t *done,
			   struct error *err)
{
	size_t most = len < server.step ? len : server.step, got = 0;

	while (got < most && line_speaks(transport))
		bytes[got++] = line_next_byte(transport);
	*done = got;
	if (got > 0)
		return 1;
	if (transport->waited || transport->at == transport->end)
		return error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE,
				 "fuzz: the server closed the line");
	return 0;
}

void imap_transport_compress(struct imap_transport *transport)
{
	transport->compressed = true;
}

bool imap_transport_is_compressed(const struct imap_transport *transport)
{
	return transport->compressed;
}

void imap_transport_count(const struct imap_transport *transport, uint64_t *sent,
			  uint64_t *received)
{
	*sent = transport->sent.len;
	*received = (uint64_t)(server.len - (size_t)(transport->end - transport->at));
}

int64_t imap_transport_round_trip(const struct imap_transport *transport)
{
	(void)transport;
	return -1;
}

/* Nothing comes of waiting here: what could be sent was taken, and what could come came. */
int imap_transport_wait(struct imap_transport *transport, bool send, struct error *err)
{
	(void)send, (void)err;
	transport->waited = true;
	return 0;
}
