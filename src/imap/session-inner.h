// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the files of the session share; nobody else includes it.
 *
 * A request is one command on the wire. Requests stand in one list from the oldest unanswered to
 * the newest; `unsent` is the first that has not begun to go out. One call of the caller's is one
 * request, or several neighbours in the list (a UID set cut into chunks).
 */
#ifndef IMAP_SESSION_INNER_H
#define IMAP_SESSION_INNER_H

#include "base/buf.h"
#include "imap/command.h"
#include "imap/deflate.h"
#include "imap/parser.h"
#include "imap/quirks.h"
#include "imap/session.h"
#include "imap/transport.h"

#include <sys/queue.h>

#define SESSION_OUT_MAX  (64u << 10) /* bytes made ready for sending */
#define SESSION_IN_MAX   (64u << 10) /* bytes received at once */
#define SESSION_TEXT_MAX (64u << 10) /* bytes kept of a server's line */

/*
 * What may be on its way unanswered: enough for any line (4 MiB is 300 ms at 100 Mbit/s), little
 * enough that a cut leaves few uploads in doubt.
 */
#define SESSION_WINDOW_COMMANDS 256
#define SESSION_WINDOW_BYTES    (4u << 20)

/* The longest literal that LITERAL- lets go unasked (RFC 7888). */
#define SESSION_LITERAL_MINUS_MAX 4096

enum request_kind {
	REQUEST_PLAIN,
	/*
	 * Tells the state of messages: goes out only once every change before it was answered.
	 * Servers may run them in any order (RFC 9051 section 5.5), and do: Dovecot answers a
	 * SEARCH with UIDs that the EXPUNGE before it takes away.
	 */
	REQUEST_READ,
	REQUEST_BODIES,   /* REQUEST_READ, and the answer carries messages */
	REQUEST_APPEND,   /* carries messages */
	REQUEST_SELECT,   /* opens a mailbox */
	REQUEST_UNSELECT, /* closes it */
	/*
	 * Changes the selected mailbox: goes out only once every SELECT before it was answered, and
	 * not at all where the last one failed: a server that stayed in the mailbox before would
	 * change that one.
	 */
	REQUEST_CHANGE,
	REQUEST_CLOSE, /* REQUEST_CHANGE, and closes the mailbox */
	REQUEST_ID,
	REQUEST_ENABLE,
	REQUEST_CAPABILITY,
	REQUEST_NAMESPACE,
	REQUEST_COMPRESS,
};

/* The first bad answer of a call, kept until the call's last request is answered. */
struct kept_answer {
	struct imap_answer answer;
	struct buf text;
	struct buf code_text;
};

struct imap_request {
	TAILQ_ENTRY(imap_request) link;
	enum request_kind kind;
	unsigned tag;  /* on the wire */
	unsigned call; /* as the caller knows it; 0: one of the session's own */
	bool refused;  /* not sent: the mailbox that it was for is not open */
	bool answered; /* early, while it was still going out: no more in the list */
	uint64_t size; /* on the wire */
	struct imap_command command;
	struct imap_source *sources; /* of its streamed literals, in their order */
	size_t sources_len;
	struct kept_answer *bad;
};

TAILQ_HEAD(request_list, imap_request);

/* What goes out: the bytes made ready, and where in the current request the encoder stands. */
struct session_out {
	char bytes[SESSION_OUT_MAX];
	size_t len;
	size_t sent;
	struct imap_request *current; /* NULL: between requests */
	size_t text_at;
	size_t literal;    /* index of the next */
	bool announced;    /* it was */
	bool waiting;      /* for "+" */
	uint64_t streamed; /* of it */
	size_t source;     /* index of the next */
	bool broken;       /* nothing more can be sent; what the server still says is read */
};

#define SESSION_NAMESPACES_MAX 64 /* what comes after them is personal */

/* Whose the mailboxes of a prefix are. */
struct session_namespace {
	enum imap_owner owner;
	char *prefix;
	size_t len;
};

/* What is known of the server. */
struct session_server {
	unsigned capabilities; /* as offered */
	uint64_t append_limit;
	struct buf capability_text;
	struct buf greeting; /* until ID is answered it stands for it */
	struct buf id;
	struct imap_profile profile;
	struct mailbox_naming naming;
	struct session_namespace *namespaces; /* all of them; the personal ones first */
	size_t namespaces_len;
	bool qresync;
	bool enable_due; /* ENABLE is to go out before the first SELECT */
	bool enabled;    /* an ENABLED came */
};

/* Whether and when the line becomes a compressed one. */
struct session_compress {
	enum imap_compress wanted;
	bool asked;   /* COMPRESS was queued */
	bool waiting; /* it is on its way: nothing else may go out */
	size_t bulk;  /* requests on their way that carry messages */
	struct imap_pace pace;
};

struct imap_session {
	struct imap_transport *transport;
	struct imap_parser *parser;
	char *host;
	bool read_only;
	bool probe;
	bool dead;          /* imap_next failed: only imap_close is left */
	bool selected;      /* the last SELECT that was answered was answered OK */
	size_t selecting;   /* SELECTs on their way */
	size_t changing;    /* changes on their way */
	struct buf mailbox; /* the wire name in the last SELECT that was queued */
	unsigned next_tag;
	struct request_list requests;
	struct imap_request *unsent; /* NULL: all have begun to go out */
	size_t window_commands;
	uint64_t window_bytes;
	struct kept_answer *handed;  /* what the last answer points into */
	struct kept_answer *pending; /* to be handed out next */
	struct session_server server;
	struct session_compress compress;
	struct session_out out;
	struct imap_figures figures;
	char in[SESSION_IN_MAX];
};

/*
 * session.c: over an abstract Unix socket, as over a tunnel, where the name is not NULL (for
 * tests).
 */
int imap_open_over(const struct imap_config *config, const char *socket_name,
		   struct imap_session **session, struct error *err);

/* session-capability.c: reads the atoms of a CAPABILITY answer into server. */
void session_set_capabilities(struct session_server *server, const char *text, size_t len);
/* What the quirks leave of the capabilities. */
unsigned session_usable(const struct session_server *server);

/* session.c: chooses the profile by what is known so far. */
void session_choose_profile(struct imap_session *session);

/* session-namespace.c: takes over what NAMESPACE told. */
void session_set_namespaces(struct session_server *server, const struct imap_answer *answer);
void session_free_namespaces(struct session_server *server);

/* session-queue.c: a new request, its command begun; to be put at the end by session_queue_end. */
struct imap_request *session_queue_begin(struct imap_session *session, enum request_kind kind,
					 const char *words);
unsigned session_queue_end(struct imap_session *session, struct imap_request *request);
/*
 * The same before all that has not begun to go out; only while nothing is on its way, for the parts
 * of one call must stay neighbours. Returns the request.
 */
struct imap_request *session_queue_first(struct imap_session *session,
					 struct imap_request *request);
/* The session's own commands: what the server is asked for once, ahead of the caller's. */
void session_queue_capability(struct imap_session *session);
void session_queue_setup(struct imap_session *session);
/* Closes a request's sources once; frees it, sources and all. */
void session_request_close_sources(struct imap_request *request);
void session_request_free(struct imap_request *request);
void session_kept_free(struct kept_answer **kept);

/* session-send.c: makes bytes ready as far as room and window allow; -1 where a source failed. */
int session_fill(struct imap_session *session, struct error *err);
/* Sends what is ready: 1 something went, 0 not now, -1 the line is broken. */
int session_flush(struct imap_session *session, struct error *err);
/* The server's "+". */
void session_continue(struct imap_session *session);
/* Takes a request that has been answered out of the list, and frees it once it is out. */
void session_retire(struct imap_session *session, struct imap_request *request);

/*
 * session-compress.c: at the end of the first flight, where the line is to be compressed outright.
 */
void session_queue_compress(struct imap_session *session);
/* Whether a request, or its answer, carries messages. */
bool session_is_bulk(const struct imap_request *request);
/* What moved, and how long the line was waited for. */
void session_compress_note(struct imap_session *session, size_t bytes, int64_t waited_ms);
/*
 * The request that may go out in place of this one: itself, COMPRESS before it, or NULL while what
 * is on its way must first be answered.
 */
struct imap_request *session_compress_before(struct imap_session *session,
					     struct imap_request *request);
/* COMPRESS was answered. */
void session_compress_answered(struct imap_session *session, bool ok);

/*
 * session-answer.c: 1: the answer is for the caller (tag set), 0: it is not, -1: the session is
 * over.
 */
int session_apply(struct imap_session *session, struct imap_answer *answer, struct error *err);
/* 1: *answer is one that no byte of the server is needed for. Ends the life of the one before. */
int session_take_ready(struct imap_session *session, struct imap_answer *answer);

#endif
