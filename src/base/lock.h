// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One run at a time: flock(2) on a file that stays. The holder's pid, host and start are written
 * into it for the message that the second run prints, and for that only: what it says keeps nobody
 * out. The kernel drops the lock with its holder (on NFS the server does, with the client's lease),
 * so there are no stale locks, and no text left by a killed process, another boot or another host
 * is one.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include "base/error.h"

struct lock;

/*
 * Takes dirfd/name (made with mode 0600, never through a symlink). -1: ERROR_LOCKED names the
 * holder; all errors have the scope SCOPE_STORE.
 */
int lock_acquire(int dirfd, const char *name, struct lock **lock, struct error *err);
/* Releases; *lock becomes NULL; NULL is fine. */
void lock_release(struct lock **lock);

#endif
