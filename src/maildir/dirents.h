// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A directory's entries, read by one getdents64(2) into a buffer larger than the directory.
 *
 * The kernel holds the directory's lock during one such call, so what it gives is how the
 * directory stood at one instant. readdir(3) makes several calls, and a file that is renamed
 * between them may be missed: in a busy directory of 10,000 files more than half of its scans do.
 */
#ifndef MAILDIR_DIRENTS_H
#define MAILDIR_DIRENTS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* All zeros is an empty one; it may be read into again. */
struct dirents {
	char *data;
	size_t len;
	size_t cap;
	bool
	    at_once; /* one call took it all; false where the file system gives it in pieces only */
};

struct dirent_view {
	const char *name;   /* lives as long as the struct dirents holds it */
	unsigned char type; /* DT_REG and so on; DT_UNKNOWN where the file system does not tell */
};

/* Reads the directory fd from its start. -1: SCOPE_MAILBOX. */
int dirents_read(struct dirents *dirents, int fd, struct error *err);
/*
 * Reads the next piece, from the start where that is wanted: 1, or 0 at the end. Pieces are of many
 * instants: they are for directories that nobody changes meanwhile. -1: SCOPE_MAILBOX.
 */
int dirents_read_piece(struct dirents *dirents, int fd, bool first, struct error *err);
/*
 * 1 and the entry at *at, which moves on (start with 0); 0 at the end. "." and ".." are left out.
 */
int dirents_next(const struct dirents *dirents, size_t *at, struct dirent_view *view);
/*
 * Keeps only the names of the entries that keeps() wants, one behind the other, and gives back all
 * other room: some 25 bytes an entry. How many there are, each to be had by dirents_next_name.
 */
size_t dirents_pack(struct dirents *dirents, int fd,
		    bool (*keeps)(void *context, int fd, const struct dirent_view *view),
		    void *context);
/* The name at *at, which moves on (start with 0); NULL at the end. After dirents_pack. */
const char *dirents_next_name(const struct dirents *dirents, size_t *at);
void dirents_free(struct dirents *dirents);

#endif
