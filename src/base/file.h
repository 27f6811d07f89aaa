// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Files and directories, with errors told and EINTR and short writes handled; every durable step
 * passes a fault point (base/fault.h).
 *
 * All paths are relative to an open directory; symlinks are never followed at the last component.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/error.h"

#include <stddef.h>

/* Writes all of it. */
int file_write(int fd, const void *bytes, size_t len, struct error *err);
/* Appends the rest of fd to out; -1 also where out is full. */
int file_read_all(int fd, struct buf *out, struct error *err);
int file_sync(int fd, struct error *err);      /* fdatasync */
int file_sync_dir(int fd, struct error *err);  /* fsync of a directory */
/* Makes every missing directory of path (mode 0700) and opens the last. -1 or a descriptor. */
int file_make_dirs(const char *path, struct error *err);
/*
 * Replaces dirfd/name by bytes so that after any stop the old or the new content is there:
 * a temporary file in the same directory, synced, renamed over, directory synced. Mode 0600.
 */
int file_replace(int dirfd, const char *name, const void *bytes, size_t len, struct error *err);
/* rename(2) that never replaces: RENAME_NOREPLACE, or link and unlink where the file system lacks it. */
int file_rename_new(int from_dir, const char *from, int to_dir, const char *to);
/* close(2) of *fd unless -1; it becomes -1. */
void file_close(int *fd);

#endif
