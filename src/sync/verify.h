// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Holds both sides of a mailbox against its journal: every file is read and hashed, every message
 * on the server looked at by what a list tells of it (and, deep, downloaded and hashed). What does
 * not fit becomes a finding; what is new or gone is one too, for nobody but the user knows whether
 * it was meant.
 *
 *	channel_list
 *	verify_mailbox for each box	fills a result
 *	verify_free
 *
 * Without repair nothing is changed on either side. With it only what can be proved is mended:
 *	a file that is damaged, while the server has the bytes that were agreed on, is fetched
 *	again; the damaged one is kept beside (REQUEST_PUBLISH of a draft that replaces);
 *	a journal that differs from two equal sides, or lacks a digest, learns it;
 *	a journal that is damaged is set aside: the next run pairs the messages anew.
 * Nothing is ever deleted or restored: what is gone on one side may have been deleted there.
 */
#ifndef SYNC_VERIFY_H
#define SYNC_VERIFY_H

#include "sync/channel.h"

enum finding_kind {
	FINDING_JOURNAL,         /* the journal's file is damaged, or another's */
	FINDING_NO_JOURNAL,      /* the mailbox was never synced */
	FINDING_MAILBOX_MISSING, /* it is gone on a side */
	FINDING_UIDVALIDITY,     /* the server's UIDs mean nothing to the journal */
	FINDING_UNLISTED,        /* a side could not be looked at */
	FINDING_FILE_MISSING,
	FINDING_FILE_UNREADABLE,
	FINDING_FILE_DAMAGED,   /* other bytes than were agreed on */
	FINDING_DIGEST_UNKNOWN, /* the journal does not know what the bytes should be */
	FINDING_MESSAGE_MISSING,
	FINDING_MESSAGE_OTHER,   /* size, date or identifiers are others */
	FINDING_MESSAGE_DAMAGED, /* deep: other bytes than were agreed on */
	FINDING_MESSAGE_UNREADABLE,
	FINDING_UNPAIRED, /* a message on one side that the journal does not know */
	FINDING_COPIES,   /* equal messages in one mailbox: harmless */
	FINDING_NOTE,   /* the journal remembers a refusal, or what a stopped run was about to do */
	FINDING_LITTER, /* left in tmp */
	FINDING_STRAY,  /* a file of the state directory that is none of ours */
};

struct finding {
	enum finding_kind kind;
	enum side side; /* which it concerns; of NOTE: as the journal has it */
	uint32_t uid;   /* or 0 */
	const char *name; /* a file's, or NULL */
	const char *text; /* what is wrong, and what comes of it */
	size_t pair;      /* of FILE_*, DIGEST_UNKNOWN: index in the journal */
	bool harmless;    /* it is no difference */
	bool mended;
	const char *mending; /* how, or why not; NULL where nothing was tried */
};

struct verify_result {
	struct arena arena;
	struct finding *findings;
	size_t len, cap;
	size_t messages;     /* pairs looked at */
	uint64_t read;       /* bytes of messages, from files */
	uint64_t downloaded; /* and from the server */
};

struct verify_how {
	bool deep;
	bool repair; /* the journals are opened exclusively, the local store may write */
};

/* Looks at one box of a channel that was listed. -1: the session is broken. */
int verify_mailbox(struct channel *channel, const struct box *box, const struct verify_how *how,
		   struct verify_result *result, struct error *err);
/* Adds a finding; text is borrowed, or the result's arena's. Valid until the next one. */
struct finding *verify_add(struct verify_result *result, enum finding_kind kind, enum side side,
			   const char *text);
/* The same with the text of an error. */
struct finding *verify_add_error(struct verify_result *result, enum finding_kind kind,
				 enum side side, const struct error *why);
/* Notes what came of mending it: how it was mended; or, where that is NULL, why it could not be. */
void verify_note_mending(struct verify_result *result, struct finding *finding, const char *how,
			 const struct error *why);
/* "file-damaged", ... */
const char *finding_name(enum finding_kind kind);
void verify_free(struct verify_result *result);

#endif
