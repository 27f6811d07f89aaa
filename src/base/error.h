// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What went wrong, told once where it arises.
 *
 * A function that can fail takes a struct error as its last argument and returns -1 (or NULL)
 * after filling it; callers above add context with error_prefix() and pass it on. The kind decides
 * the exit status and whether a retry makes sense; the scope decides who carries on: a message's
 * error leaves the mailbox going, a mailbox's the account, a store's ends all work on that
 * account, a fatal one the run.
 *
 * The text is for the user: what, where, why and, where there is a remedy, what to do. It holds no
 * secret, and bytes from outside are in it only through text_escape(). It never ends in a period
 * or newline.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

enum error_kind {
	ERROR_NONE,
	ERROR_USAGE,       /* the command line: exit status 64 */
	ERROR_CONFIG,      /* the configuration: 78 */
	ERROR_UNAVAILABLE, /* the server cannot be reached, hung up, or timed out: 69 */
	ERROR_PROTOCOL,    /* the server said what no server may say: 69 */
	ERROR_REFUSED,     /* the server said NO or BAD to a command: 1 where it concerns a part */
	ERROR_LOGIN,       /* login or certificate refused: 77 */
	ERROR_IO,          /* the local disk: 74 */
	ERROR_LOCKED,      /* another run holds the lock: 75 */
	ERROR_SAFETY,      /* a safety check said no: 2 */
	ERROR_STOPPED,     /* a signal asked us to stop: 1 */
	ERROR_INTERNAL,    /* our own bug: 70 */
};

enum error_scope {
	SCOPE_MESSAGE,
	SCOPE_MAILBOX,
	SCOPE_STORE,
	SCOPE_FATAL,
};

#define ERROR_TEXT_MAX 1024

struct error {
	enum error_kind kind;
	enum error_scope scope;
	int sys;                   /* errno where the system said why, else 0 */
	char text[ERROR_TEXT_MAX]; /* always terminated; cut with "..." where too long */
};

/* Forgets what err held. */
void error_clear(struct error *err);

/* Fills err; returns -1, so that "return error_set(...)" reads well. err may be NULL. */
int error_set(struct error *err, enum error_kind kind, enum error_scope scope, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with kind ERROR_IO and ": " and the text of errno (as it was at the call) added. */
int error_errno(struct error *err, enum error_scope scope, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the text; returns -1. */
int error_prefix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
