// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Files and directories, with errors told and EINTR and short writes handled.
 *
 * Names are relative to an open directory; symlinks are never followed at the last component.
 * Errors have the scope SCOPE_MAILBOX, those of file_make_dirs() SCOPE_STORE; who knows better sets
 * another.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes all of it. */
int file_write(int fd, const void *bytes, size_t len, struct error *err);
/* Appends the rest of fd to out; -1 also where out is full. */
int file_read_all(int fd, struct buf *out, struct error *err);
/* Reads len bytes at an offset, or as many as there are: *got. */
int file_read_at(int fd, void *bytes, size_t len, uint64_t offset, size_t *got, struct error *err);
/* flock(2) that goes on after signals: 0, or -1 with errno. */
int file_lock(int fd, int operation);
/* ftruncate(2) that goes on after signals: 0, or -1 with errno. */
int file_cut(int fd, uint64_t size);
int file_sync(int fd, struct error *err);     /* fdatasync */
int file_sync_dir(int fd, struct error *err); /* fsync of a directory */
/*
 * Makes every missing directory of path (mode 0700, durable) and opens the last; path is absolute
 * or begins in the working directory, and only its last name may not be a symlink. -1 or a
 * descriptor.
 */
int file_make_dirs(const char *path, struct error *err);
/*
 * Replaces dirfd/name by bytes so that after any stop the old or the new content is there:
 * a temporary file in the same directory, synced, renamed over, directory synced. Mode 0600.
 * The temporary file is .NAME.tmp, so name has at most 250 bytes; one that a stop left behind is
 * used again.
 */
int file_replace(int dirfd, const char *name, const void *bytes, size_t len, struct error *err);
/*
 * The same in pieces: a descriptor to write the new content to (-1: an error), and the end, which
 * closes it. written is -1 where writing failed, with err set: then the old content stays.
 */
int file_replace_begin(int dirfd, const char *name, struct error *err);
int file_replace_end(int dirfd, const char *name, int *fd, int written, struct error *err);
/*
 * rename(2) that never replaces: RENAME_NOREPLACE, or link and unlink where the file system lacks
 * it; a stop between those two leaves the file under both names. 0, or -1 with errno, EEXIST where
 * to is taken. Syncs nothing.
 */
int file_rename_new(int from_dir, const char *from, int to_dir, const char *to);
/* True where dirfd/name is the very file that fd has open. */
bool file_is_at(int fd, int dirfd, const char *name);
/* close(2) of *fd unless -1; it becomes -1. errno stays. */
void file_close(int *fd);

#endif
