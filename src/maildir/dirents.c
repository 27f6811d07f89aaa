// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/dirents.h"

#include "base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRENTS_MIN    ((size_t)64 * 1024)
#define DIRENTS_MAX    ((size_t)1 << 30) /* some ten million files */
#define DIRENTS_RECORD 512               /* more than the longest entry takes */

/* Makes room for cap bytes; what was there is void. */
static void dirents_reserve(struct dirents *dirents, size_t cap)
{
	if (cap <= dirents->cap)
		return;
	free(dirents->data);
	dirents->data = xmalloc(cap);
	dirents->cap = cap;
}

/*
 * A first guess: an entry takes up to about twice the room in memory that ext4 gives it on disk,
 * and tmpfs counts 20 bytes where memory takes 100.
 */
static size_t dirents_guess(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size < 0 || (uint64_t)st.st_size > DIRENTS_MAX / 8)
		return DIRENTS_MIN;
	return DIRENTS_MIN + (size_t)st.st_size * 6;
}

/*
 * Fills the buffer: 1 where there may be more than fitted, 0 where that is all. A call that gives
 * less than fits, and is not the last, comes of a file system that gives pieces (FUSE, NFS).
 */
static int dirents_fill(struct dirents *dirents, int fd, struct error *err)
{
	dirents->len = 0;
	for (unsigned calls = 0; dirents->cap - dirents->len >= DIRENTS_RECORD; calls++) {
		ssize_t got =
		    getdents64(fd, dirents->data + dirents->len, dirents->cap - dirents->len);

		if (got < 0)
			return error_errno(err, SCOPE_MAILBOX, "cannot read a directory");
		dirents->at_once = calls <= 1;
		if (got == 0)
			return 0;
		dirents->len += (size_t)got;
	}
	return 1;
}

/*
 * Starts anew with a larger buffer until all fits: what was read in two calls is not one instant.
 */
int dirents_read(struct dirents *dirents, int fd, struct error *err)
{
	int rc;

	dirents_reserve(dirents, dirents_guess(fd));
	for (;;) {
		if (lseek(fd, 0, SEEK_SET) < 0)
			return error_errno(err, SCOPE_MAILBOX, "cannot rewind a directory");
		rc = dirents_fill(dirents, fd, err);
		if (rc <= 0)
			return rc;
		if (dirents->cap > DIRENTS_MAX / 2)
			return error_set(err, ERROR_IO, SCOPE_MAILBOX,
					 "a directory holds too many files");
		dirents_reserve(dirents, dirents->cap * 2);
	}
}

/* One call. */
int dirents_read_piece(struct dirents *dirents, int fd, bool first, struct error *err)
{
	ssize_t got;

	dirents_reserve(dirents, DIRENTS_MIN);
	if (first && lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, SCOPE_MAILBOX, "cannot rewind a directory");
	got = getdents64(fd, dirents->data, dirents->cap);
	if (got < 0)
		return error_errno(err, SCOPE_MAILBOX, "cannot read a directory");
	dirents->len = (size_t)got;
	return got > 0;
}

/* Steps over a record. */
int dirents_next(const struct dirents *dirents, size_t *at, struct dirent_view *view)
{
	while (*at < dirents->len) {
		const struct dirent64 *entry = (const void *)(dirents->data + *at);

		*at += entry->d_reclen;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		view->name = entry->d_name;
		view->type = entry->d_type;
		return 1;
	}
	return 0;
}

/* A name lies behind more bytes of its own entry than it is moved over. */
size_t dirents_pack(struct dirents *dirents, int fd,
		    bool (*keeps)(void *context, int fd, const struct dirent_view *view),
		    void *context)
{
	struct dirent_view view;
	size_t count = 0, kept = 0;

	for (size_t at = 0; dirents_next(dirents, &at, &view);) {
		const size_t size = strlen(view.name) + 1;

		if (!keeps(context, fd, &view))
			continue;
		memmove(dirents->data + kept, view.name, size);
		kept += size;
		count++;
	}
	dirents->len = kept;
	dirents->cap = kept + 1;
	dirents->data = xreallocarray(dirents->data, dirents->cap, 1);
	return count;
}

const char *dirents_next_name(const struct dirents *dirents, size_t *at)
{
	const char *name = dirents->data + *at;

	if (*at == dirents->len)
		return NULL;
	*at += strlen(name) + 1;
	return name;
}

/* Frees the buffer. */
void dirents_free(struct dirents *dirents)
{
	free(dirents->data);
	*dirents = (struct dirents){0};
}
