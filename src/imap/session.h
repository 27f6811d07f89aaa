// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One authenticated IMAP session: commands are queued, answers iterated.
 *
 *	imap_uid_store(s, &set, IMAP_STORE_ADD, seen);
 *	imap_uid_fetch(s, &rest, IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ, 0);
 *	while ((rc = imap_next(s, &answer, err)) == 1)
 *		switch (answer.kind) { ... }	(the caller records; queueing more is allowed)
 *
 * Queueing writes nothing by itself; imap_next sends and receives as poll allows, both directions
 * at once, so full buffers cannot deadlock. Commands are pipelined; those that must not be hold the
 * later ones back by themselves: a literal that awaits "+"; a change (STORE, EXPUNGE, COPY, MOVE)
 * until the SELECT before it is answered; a FETCH, SEARCH or STATUS until the changes before it
 * are, for servers run such pairs in any order (RFC 9051 section 5.5; Dovecot does). A change whose
 * SELECT was refused is not sent: it is answered NO here. A change that relies on another's success
 * (STORE \Deleted after COPY) is not held: await the first one's answer before queueing it.
 *
 * A queueing function copies what it is given, but a source is read when its turn comes, and
 * belongs to the session from then on (closed when done, sent or not). An APPEND that is answered
 * before it is out is sent to its end all the same, and nothing behind it begins before that.
 *
 * Long UID sets go out as several commands of at most the profile's line length; the answers of
 * all carry the tag number of the one call, and IMAP_TAGGED is reported once, with the first bad
 * status if any; a COPYUID or APPENDUID that a part's OK held comes as IMAP_STATUS_LINE before it.
 *
 * Round trips: connecting as libcurl does; then CAPABILITY where needed, and ID and NAMESPACE,
 * which share the flight of the first commands that the caller queues, as ENABLE does that of the
 * first SELECT. ID goes out where the greeting did not tell already whose server it is. COMPRESS
 * ends that flight where it is wanted outright, or else waits for a quiet moment before a message;
 * until it is answered nothing else goes out.
 */
#ifndef IMAP_SESSION_H
#define IMAP_SESSION_H

#include "base/error.h"
#include "base/uidset.h"
#include "imap/answer.h"
#include "mail/flags.h"
#include "mail/mailbox-name.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum imap_tls {
	IMAP_TLS_IMPLICIT,
	IMAP_TLS_STARTTLS,
	IMAP_TLS_NONE,
};

enum imap_auth {
	IMAP_AUTH_PLAIN = 1,
	IMAP_AUTH_LOGIN = 2,
	IMAP_AUTH_XOAUTH2 = 4,
	IMAP_AUTH_OAUTHBEARER = 8,
};

/* Whether the line is compressed (RFC 4978), where the server offers it. */
enum imap_compress {
	IMAP_COMPRESS_NO,
	IMAP_COMPRESS_YES,  /* from the first flight on: a round trip more */
	IMAP_COMPRESS_AUTO, /* once the line has shown to be slow, or for many rows: deflate.h */
};

/* How to reach and enter the account. Borrowed while a session is opened. */
struct imap_config {
	const char *host;
	uint16_t port;
	enum imap_tls tls;
	const char *ca_file;     /* NULL: the system's */
	const char *pinned_key;  /* as CURLOPT_PINNEDPUBLICKEY, or NULL */
	const char *client_cert; /* PEM files, or NULL */
	const char *client_key;
	const char *min_tls; /* "1.2" (NULL too) or "1.3" */
	const char *user;
	const char *tunnel; /* a shell command that speaks IMAP on stdin and stdout, instead of
			       host; or NULL */
	unsigned auth;    /* of enum imap_auth; 0: by what secret there is and the server offers */
	unsigned timeout; /* seconds that any wait may take without a byte; 0: 60 */
	enum imap_compress compress;
	bool probe; /* all that is asked once is asked at once, for check; else what is needed */
	bool read_only; /* SELECT is never sent, only EXAMINE; changing commands are refused
			   (asserted) */
	/*
	 * Puts the password (token false) or the OAuth2 access token (token true) into out. Asked
	 * once per login, and a token once more where the server says it expired.
	 */
	int (*secret)(void *context, bool token, struct buf *out, struct error *err);
	void *secret_context;
	bool has_token;
	/*
	 * NULL, or what another thread sets to have the login broken off, within a second; not
	 * looked at once the session is open.
	 */
	const atomic_bool *give_up;
};

/* What the server offers after login, as bits. */
enum imap_capability {
	IMAP_CAP_UIDPLUS = 1u << 0,
	IMAP_CAP_MOVE = 1u << 1,
	IMAP_CAP_CONDSTORE = 1u << 2,
	IMAP_CAP_QRESYNC = 1u << 3,
	IMAP_CAP_ESEARCH = 1u << 4,
	IMAP_CAP_LIST_STATUS = 1u << 5,
	IMAP_CAP_SPECIAL_USE = 1u << 6,
	IMAP_CAP_NAMESPACE = 1u << 7,
	IMAP_CAP_LITERAL_PLUS = 1u << 8,
	IMAP_CAP_LITERAL_MINUS = 1u << 9,
	IMAP_CAP_UTF8_ACCEPT = 1u << 10,
	IMAP_CAP_ENABLE = 1u << 11,
	IMAP_CAP_ID = 1u << 12,
	IMAP_CAP_UNSELECT = 1u << 13,
	IMAP_CAP_MULTIAPPEND = 1u << 14,
	IMAP_CAP_COMPRESS = 1u << 15,
	IMAP_CAP_OBJECTID = 1u << 18,
	IMAP_CAP_LIST_EXTENDED = 1u << 19,
	IMAP_CAP_IMAP4REV2 = 1u << 20,
	IMAP_CAP_GMAIL = 1u << 21, /* X-GM-EXT-1 */
	IMAP_CAP_CREATE_SPECIAL_USE = 1u << 22,
};

/*
 * Where all of these are offered several messages go in one APPEND: none of them is waited for, and
 * what became of each is told.
 */
#define IMAP_CAPS_APPEND_SEVERAL (IMAP_CAP_MULTIAPPEND | IMAP_CAP_LITERAL_PLUS | IMAP_CAP_UIDPLUS)

enum imap_fetch_item {
	IMAP_FETCH_FLAGS = 1u << 0,
	IMAP_FETCH_MODSEQ = 1u << 1,
	IMAP_FETCH_DATE = 1u << 2,
	IMAP_FETCH_SIZE = 1u << 3,
	IMAP_FETCH_MESSAGE_ID = 1u << 4,
	IMAP_FETCH_BODY = 1u << 5, /* BODY.PEEK[] */
	/* EMAILID, or X-GM-MSGID in its place: as offered, or neither. */
	IMAP_FETCH_EMAIL_ID = 1u << 6,
	IMAP_FETCH_GMAIL_ID = 1u << 7,
};

enum imap_store_how {
	IMAP_STORE_ADD,
	IMAP_STORE_REMOVE,
};

/*
 * The wire bytes of a message, exactly size in all. rewind is called once, before the first of
 * them; read puts up to len of them at out and says how many in *got (0: at the end); 0, or -1 with
 * err. A source that fails or ends before its size once its literal has begun breaks the session:
 * there is no other way to take a begun message back.
 */
struct imap_source {
	void (*rewind)(void *context);
	int (*read)(void *context, char *out, size_t len, size_t *got, struct error *err);
	void (*close)(void *context);
	void *context;
	uint64_t size;
};

/* A message to be appended. */
struct imap_upload {
	struct flags flags;
	int64_t date;
	struct imap_source source;
};

struct imap_profile; /* imap/quirks.h */
struct imap_session;

/* Connects, secures, logs in. -1: ERROR_UNAVAILABLE, ERROR_LOGIN or ERROR_PROTOCOL, SCOPE_STORE. */
int imap_open(const struct imap_config *config, struct imap_session **session, struct error *err);
/* LOGOUT where the line still stands (not awaited), then closes. NULL is fine. */
void imap_close(struct imap_session **session);

/* Capabilities after login and quirks: what may be used. */
unsigned imap_capabilities(const struct imap_session *session);
/*
 * The server's own words, for check: the capability line, the ID answer (or ""), the TLS version
 * and cipher (or "").
 */
const char *imap_capability_text(const struct imap_session *session);
const char *imap_server_id(const struct imap_session *session);
const char *imap_tls_text(const struct imap_session *session);
/*
 * Says that the server is about to tell so many bytes of rows, and little content will move: where
 * that pays, COMPRESS goes out next (auto). Only while nothing is on its way, else it is no use.
 */
void imap_expect_rows(struct imap_session *session, uint64_t bytes);
/* Whether the line is compressed by now. */
bool imap_is_compressed(const struct imap_session *session);
/* What this server does that the standards do not say; more may be known once ID is answered. */
const struct imap_profile *imap_profile(const struct imap_session *session);
/* The largest APPEND taken (RFC 7889), 0: not told. */
uint64_t imap_append_limit(const struct imap_session *session);
/*
 * Whether UTF8=ACCEPT is in force, namespace prefix and delimiter; known once the first answers
 * came.
 */
const struct mailbox_naming *imap_naming(const struct imap_session *session);
/*
 * Whose a mailbox is, as far as NAMESPACE told; INBOX and what lies in no namespace are personal.
 */
enum imap_owner imap_owner_of(const struct imap_session *session, const char *wire, size_t len);
/* Whether QRESYNC was ENABLEd (assumed from the moment it is queued, corrected by ENABLED). */
bool imap_has_qresync(const struct imap_session *session);

/*
 * Figures since the session was opened, without the login. sent and received are bytes as they went
 * over the line, compressed ones where it is. turns counts round trips: how often
 * something was sent while nothing was on its way, or after a wait for "+".
 */
struct imap_figures {
	uint64_t sent;
	uint64_t received;
	uint64_t commands;
	uint64_t turns;
};
struct imap_figures imap_figures(const struct imap_session *session);

/* Each queues one command and returns its tag number (> 0). Mailboxes are wire names. */
/* subscribed: \Subscribed too, only where imap_list_extended(). */
unsigned imap_list_all(struct imap_session *session, bool with_status, bool with_subscribed);
/* Whether LIST takes words about what to tell. */
bool imap_list_extended(const struct imap_session *session);
unsigned imap_lsub_all(struct imap_session *session);
unsigned imap_status(struct imap_session *session, const char *wire, size_t len);
/* Not held back by changes on their way: it may tell how the mailbox stood before some of them. */
unsigned imap_status_at_once(struct imap_session *session, const char *wire, size_t len);
/*
 * EXAMINE where read_only; (QRESYNC (uidvalidity modseq 1:known)) where all are not 0, else
 * (CONDSTORE) where offered. Of UIDs above known nothing is told: they are asked for otherwise.
 */
unsigned imap_select(struct imap_session *session, const char *wire, size_t len, bool read_only,
		     uint32_t uidvalidity, uint64_t modseq, uint32_t known);
unsigned imap_unselect(struct imap_session *session);
unsigned imap_uid_fetch(struct imap_session *session, const struct uidset *uids, unsigned items,
			uint64_t changed_since);
/* "first:*" */
unsigned imap_uid_fetch_from(struct imap_session *session, uint32_t first, unsigned items,
			     uint64_t changed_since);
unsigned imap_uid_search_all(struct imap_session *session);
unsigned imap_uid_search_deleted(struct imap_session *session);
unsigned imap_uid_store(struct imap_session *session, const struct uidset *uids,
			enum imap_store_how how, struct flags flags);
unsigned imap_uid_expunge(struct imap_session *session, const struct uidset *uids);
unsigned imap_expunge(struct imap_session *session);
unsigned imap_uid_copy(struct imap_session *session, const struct uidset *uids, const char *wire,
		       size_t len);
unsigned imap_uid_move(struct imap_session *session, const struct uidset *uids, const char *wire,
		       size_t len);
/* More than one only where MULTIAPPEND is offered: all of them are taken, or none. */
unsigned imap_append(struct imap_session *session, const char *wire, size_t len,
		     const struct imap_upload *uploads, size_t count);
/* uses: special uses of enum imap_attribute, only where CREATE-SPECIAL-USE is offered; or 0. */
unsigned imap_create(struct imap_session *session, const char *wire, size_t len, unsigned uses);
unsigned imap_delete(struct imap_session *session, const char *wire, size_t len);
/* SUBSCRIBE or UNSUBSCRIBE. */
unsigned imap_subscribe(struct imap_session *session, const char *wire, size_t len, bool subscribe);
unsigned imap_rename(struct imap_session *session, const char *from, size_t from_len,
		     const char *to, size_t to_len);

/*
 * 1: *answer, in the order of the wire; its tag is that of the oldest unanswered call where it is
 * untagged (0 where none of the caller's is). That is a hint and no proof: servers may finish
 * commands in another order, so hold a FETCH against the UIDs that were asked. 0: every command is
 * answered. -1: the session is broken (BYE, cut, time-out, protocol, a source that failed in the
 * middle of a message), what was unanswered is in doubt, only imap_close is left.
 * Session-wide answers (CAPABILITY, ENABLED, NAMESPACE, ID, ALERT) are applied before they are
 * handed out.
 */
int imap_next(struct imap_session *session, struct imap_answer *answer, struct error *err);
/*
 * Sends what is queued as far as that goes without waiting for more than COMPRESS, for who has
 * something else to do before the next imap_next. -1 as there.
 */
int imap_start(struct imap_session *session, struct error *err);

#endif
