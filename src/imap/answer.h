// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a server says, as one typed value: an untagged response, a tagged one, a continuation
 * request, or a piece of a message's body. Pointers inside an answer are valid until the next
 * answer is asked for. Strings from the wire are (pointer, length) and hostile.
 *
 * RFC 9051 section 7; 4315 (UIDPLUS), 4731 (ESEARCH), 5161 (ENABLE), 5258/5819 (LIST-EXTENDED,
 * LIST-STATUS), 6154 (SPECIAL-USE), 6851 (MOVE), 7162 (CONDSTORE, QRESYNC), 7889 (APPENDLIMIT),
 * 8474 (OBJECTID).
 */
#ifndef IMAP_ANSWER_H
#define IMAP_ANSWER_H

#include "base/uidset.h"
#include "mail/flags.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct imap_string {
	const char *bytes; /* not terminated; NULL: NIL */
	size_t len;
};

enum imap_kind {
	IMAP_TAGGED,      /* status, tag, code, text */
	IMAP_CONTINUE,    /* "+": text */
	IMAP_STATUS_LINE, /* untagged OK, NO, BAD, PREAUTH: status, code, text */
	IMAP_BYE,         /* text */
	IMAP_CAPABILITY,  /* text: the atoms, blank between */
	IMAP_ENABLED,     /* text: likewise */
	IMAP_NAMESPACE,   /* namespaces */
	IMAP_LIST,        /* name, delimiter, attributes */
	IMAP_LSUB,        /* likewise */
	IMAP_STATUS,      /* name, mailbox */
	IMAP_FLAGS,       /* text: the atoms */
	IMAP_EXISTS,      /* number */
	IMAP_EXPUNGE,     /* number: a sequence number, evidence of nothing */
	IMAP_SEARCH,      /* uids (SEARCH or ESEARCH) */
	IMAP_VANISHED,    /* uids, earlier */
	/*
	 * data: the next piece of the body literal of the FETCH that is being read; fetch: what
	 * that FETCH told before its body (the UID may still come after it), body_size included.
	 */
	IMAP_BODY_DATA,
	IMAP_FETCH, /* fetch: one whole FETCH response; its body, if any, has been handed out */
	/*
	 * An untagged response about a mailbox that cannot be read, though it is clear where it
	 * ends: what it was to tell is not known. text: why, for the user.
	 */
	IMAP_MALFORMED,
	IMAP_OTHER, /* anything else. name: its word ("ID"); text: the rest, as it is */
};

enum imap_status {
	IMAP_OK,
	IMAP_NO,
	IMAP_BAD,
	IMAP_PREAUTH,
};

/* Response codes that mean something to us. */
enum imap_code {
	IMAP_CODE_NONE,
	IMAP_CODE_OTHER,
	IMAP_CODE_ALERT,
	IMAP_CODE_CAPABILITY,    /* code_text: the atoms */
	IMAP_CODE_UIDVALIDITY,   /* code_number */
	IMAP_CODE_UIDNEXT,       /* code_number */
	IMAP_CODE_HIGHESTMODSEQ, /* code_number */
	IMAP_CODE_NOMODSEQ,
	IMAP_CODE_PERMANENTFLAGS, /* code_text: the atoms */
	IMAP_CODE_READ_ONLY,
	IMAP_CODE_READ_WRITE,
	IMAP_CODE_CLOSED,
	IMAP_CODE_TRYCREATE,
	IMAP_CODE_NONEXISTENT,
	IMAP_CODE_ALREADYEXISTS,
	IMAP_CODE_OVERQUOTA,
	IMAP_CODE_LIMIT,
	IMAP_CODE_TOOBIG,
	IMAP_CODE_UNAVAILABLE,
	IMAP_CODE_INUSE,
	IMAP_CODE_EXPUNGEISSUED,
	IMAP_CODE_SERVERBUG,
	IMAP_CODE_CLIENTBUG,
	IMAP_CODE_CANNOT,
	IMAP_CODE_NOPERM,
	IMAP_CODE_AUTHENTICATIONFAILED,
	IMAP_CODE_AUTHORIZATIONFAILED,
	IMAP_CODE_EXPIRED,
	IMAP_CODE_APPENDUID, /* code_number: UIDVALIDITY; uids */
	IMAP_CODE_COPYUID,   /* code_number: UIDVALIDITY; uids: source; uids_to: destination */
	IMAP_CODE_MODIFIED,  /* uids */
	IMAP_CODE_MAILBOXID, /* code_number: digest_hash_id of it */
	IMAP_CODE_THROTTLED,
	IMAP_CODE_USEATTR,
};

/* Attributes of LIST, and special uses (RFC 6154). */
enum imap_attribute {
	IMAP_NOSELECT = 1u << 0, /* also \NonExistent */
	IMAP_NOINFERIORS = 1u << 1,
	IMAP_ALL = 1u << 2,
	IMAP_ARCHIVE = 1u << 3,
	IMAP_DRAFTS = 1u << 4,
	IMAP_FLAGGED = 1u << 5,
	IMAP_JUNK = 1u << 6,
	IMAP_SENT = 1u << 7,
	IMAP_TRASH = 1u << 8,
	IMAP_NONEXISTENT = 1u << 9,
	IMAP_SUBSCRIBED = 1u << 10, /* only where it was asked for */
};

/* What STATUS says; a member is there where its bit is set. */
struct imap_mailbox_status {
	enum {
		IMAP_HAS_UIDVALIDITY = 1,
		IMAP_HAS_UIDNEXT = 2,
		IMAP_HAS_MESSAGES = 4,
		IMAP_HAS_HIGHESTMODSEQ = 8,
		IMAP_HAS_MAILBOX_ID = 16,
	} has;
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint32_t messages;
	uint64_t highestmodseq;
	uint64_t mailbox_id; /* digest_hash_id of MAILBOXID */
};

/* What FETCH says; a member is there where its bit is set. */
struct imap_fetch {
	enum {
		IMAP_HAS_UID = 1,
		IMAP_HAS_FLAGS = 2,
		IMAP_HAS_MODSEQ = 4,
		IMAP_HAS_DATE = 8,
		IMAP_HAS_SIZE = 16,
		IMAP_HAS_MESSAGE_ID = 32, /* a BODY[HEADER.FIELDS (MESSAGE-ID)] came */
		IMAP_HAS_BODY = 64,       /* a BODY[] came as a literal and whole */
		IMAP_HAS_NIL_BODY = 128,  /* a BODY[] came as NIL or as a quoted string */
		IMAP_HAS_EMAIL_ID = 256,
	} has;
	uint32_t sequence;
	uint32_t uid;
	struct flags flags;
	uint64_t modseq;
	int64_t date;
	uint64_t size;       /* RFC822.SIZE */
	uint64_t message_id; /* header_message_id of what came, 0 where there is none */
	uint64_t email_id;   /* X-GM-MSGID, or digest_hash_id of EMAILID; not 0 */
	uint64_t body_size;  /* the literal's length */
};

/* Whose mailboxes a namespace holds (RFC 2342). */
enum imap_owner {
	IMAP_PERSONAL,
	IMAP_OTHERS,
	IMAP_SHARED,
	IMAP_OWNERS,
};

struct imap_namespace {
	enum imap_owner owner;
	struct imap_string prefix;
	char delimiter; /* 0: NIL */
};

struct imap_answer {
	enum imap_kind kind;
	enum imap_status status;
	unsigned tag; /* which command: what the queueing function returned */
	enum imap_code code;
	uint64_t code_number;
	/* Where the code says nothing else: what follows its name; of IMAP_CODE_OTHER all of it. */
	struct imap_string code_text;
	struct imap_string text;
	struct imap_string name;
	char delimiter; /* 0: NIL */
	unsigned attributes;
	uint32_t number;
	bool earlier;
	const struct uidset *uids;
	const struct uidset *uids_to;
	const struct imap_namespace *namespaces; /* the personal ones first */
	size_t namespaces_len;
	struct imap_mailbox_status mailbox;
	struct imap_fetch fetch;
	struct imap_string data;
};

#endif
