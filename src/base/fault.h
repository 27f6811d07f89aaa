// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where a test can stop a run, or have a call of it fail. A build with --enable-faults passes every
 * system call that our code makes on files through base/fault-calls.c (by the linker's --wrap), and
 * what goes to and comes from the server through the macros below; any other build contains nothing
 * of it.
 *
 * Stops. Before each call with a durable effect, in the midst of each write, and before and after
 * each message to the server there is a point; the state after an effect is the one before the
 * next. EVENMAIL_STOP_AT=n ends the process by SIGKILL at the n-th point passed, and
 * EVENMAIL_STOP_COUNT=FILE has the number of points passed written there at exit. With
 * EVENMAIL_STOP_SIGNAL=NUMBER it gets another signal there, EVENMAIL_STOP_TIMES=n times.
 *
 * Failures. EVENMAIL_FAIL_WITH=KIND counts the calls that can fail in that way; of those
 * EVENMAIL_FAIL_AT=n lets the n-th fail, EVENMAIL_FAIL_COUNT=FILE has their number written there at
 * exit, and EVENMAIL_FAIL_WHERE=TEXT takes only files with that text in their path. KIND is ENOSPC,
 * EDQUOT, EIO, EROFS, EMFILE, ENOMEM (system calls), EINTR, "short" (reads and writes), "sync" (to
 * disk, with EIO), "alloc" (malloc and its like) or "line" (the connection); a "+" behind it lets
 * all calls from the n-th on fail, as a full disk does.
 *
 * A sync that failed has lost what it was for, and the next one on that descriptor would say that
 * all is well: a process that tries it with a file ends, with exit status 70.
 *
 * Bounds that only large mailboxes would reach can be set by the environment, too, for small ones
 * to do.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#ifdef EVENMAIL_FAULTS
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a call does, which decides how it can fail. */
enum fault_call {
	FAULT_OPEN,
	FAULT_CREATE, /* opens and makes */
	FAULT_READ,
	FAULT_WRITE,
	FAULT_SYNC,
	FAULT_PLACE, /* rename, link, mkdir */
	FAULT_REMOVE,
	FAULT_CUT,
	FAULT_DATE,
	FAULT_LOCK,
	FAULT_LOOK, /* stat, listing a directory */
	FAULT_ALLOC,
	FAULT_LINE,
};

/* For a test that runs many runs in one process: what the environment says otherwise. */
struct fault_plan {
	uint64_t stop_at;  /* 0: nowhere */
	uint64_t at;       /* 0: only count */
	const char *with;  /* see above; NULL: nothing fails. Borrowed */
	const char *where; /* or NULL; borrowed */
};

/* Begins to count anew. */
void fault_arm(const struct fault_plan *plan);
/* Points passed since, */
uint64_t fault_passed(void);
/* calls that could have failed, */
uint64_t fault_counted(void);
/* and what the first that did was: "write FILE", or "" where none did yet. */
const char *fault_struck(void);

void fault_point(const char *name);
/* The same; name is relative to fd, or NULL: fd itself. */
void fault_effect(const char *what, int fd, const char *name);
/* True, with errno, where this call is to fail; what and the file are for fault_struck(). */
bool fault_fails(enum fault_call call, const char *what, int fd, const char *name);
/* How many of len bytes this call is to read or write. */
size_t fault_shorten(enum fault_call call, int fd, size_t len);
/* True where the connection is to break now. */
bool fault_line(const char *what, int line);
/* The number that the environment has under that name, else the bound. */
uint64_t fault_bound(const char *name, uint64_t bound);
#else
#define fault_point(name)        ((void)0)
#define fault_line(what, line)   (false)
#define fault_bound(name, bound) (bound)
#endif

#endif
