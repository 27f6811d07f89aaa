// SPDX-License-Identifier: GPL-3.0-or-later
/* What lies in a state directory besides what a run reads: journals set aside, leftovers, strays. */
#include "journal/dir.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASIDE_MARK   ".damaged-"
#define ASIDE_DIGITS 20
#define TRIES        1000

/* Another one of the same second takes the next. */
int journal_set_aside(struct journal_dir *dir, const char *mailbox, struct error *err)
{
	const int room = NAME_MAX - (int)strlen(ASIDE_MARK) - ASIDE_DIGITS;
	int64_t now = clock_wall_ns() / 1000000000;
	char file[NAME_MAX + 1], aside[NAME_MAX + 1];
	int rc = -1;

	assert(dir->exclusive);
	journal_file_name(mailbox, file);
	for (int i = 0; i < TRIES && rc < 0; i++) {
		snprintf(aside, sizeof(aside), "%.*s" ASIDE_MARK "%lld", room, file,
			 (long long)now + i);
		rc = file_rename_new(dir->fd, file, dir->fd, aside);
		if (rc < 0 && errno != EEXIST)
			break;
	}
	if (rc < 0)
		return error_errno(err, SCOPE_MAILBOX, "cannot set aside %s/%s",
				   text_show(dir->path), text_show(file));
	if (file_sync_dir(dir->fd, err) < 0)
		return error_prefix(err, "%s", text_show(dir->path));
	return 0;
}

/* What a file of the directory is; false where it is one of those that a run reads. */
static bool classify(const char *file, enum journal_stray_kind *kind)
{
	static const char temporary[] = ".tmp";
	size_t len = strlen(file), suffix = strlen(temporary);
	struct buf mailbox;
	int rc;

	buf_init(&mailbox, NAME_MAX);
	rc = journal_file_mailbox(file, &mailbox);
	buf_free(&mailbox);
	if (rc >= 0 || !strcmp(file, JOURNAL_CHANNEL_FILE) || !strcmp(file, JOURNAL_LOCK_FILE) ||
	    !strcmp(file, JOURNAL_GENERATION_FILE))
		return false;
	*kind = STRAY_FOREIGN;
	if (file[0] == '.' && len > suffix && !strcmp(file + len - suffix, temporary))
		*kind = STRAY_TEMPORARY;
	else if (strstr(file, ASIDE_MARK))
		*kind = STRAY_ASIDE;
	return true;
}

static int compare_strays(const void *a, const void *b)
{
	const struct journal_stray *one = a, *other = b;

	return strcmp(one->name, other->name);
}

/* Takes in the entries of an opened directory. */
static void read_strays(DIR *listing, struct arena *arena, struct journal_stray **strays,
			size_t *count)
{
	struct journal_stray *found = NULL, stray;
	size_t len = 0, cap = 0;
	const struct dirent *entry;

	while ((entry = readdir(listing))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    !classify(entry->d_name, &stray.kind))
			continue;
		stray.name = arena_strdup(arena, entry->d_name);
		*array_push(found, len, cap) = stray;
	}
	*count = len;
	*strays = arena_alloc(arena, (len + 1) * sizeof(**strays));
	if (len) {
		qsort(found, len, sizeof(*found), compare_strays);
		memcpy(*strays, found, len * sizeof(*found));
	}
	free(found);
}

int journal_dir_strays(const struct journal_dir *dir, struct arena *arena,
		       struct journal_stray **strays, size_t *count, struct error *err)
{
	DIR *listing;
	int fd;

	*strays = NULL;
	*count = 0;
	if (dir->fd < 0)
		return 0;
	fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	listing = fd < 0 ? NULL : fdopendir(fd);
	if (!listing) {
		error_errno(err, SCOPE_STORE, "cannot read the directory %s", text_show(dir->path));
		file_close(&fd);
		return -1;
	}
	read_strays(listing, arena, strays, count);
	closedir(listing);
	return 0;
}

/* Whoever is about to use it again holds the lock. */
int journal_dir_sweep(struct journal_dir *dir, const struct journal_stray *stray,
		      struct error *err)
{
	assert(dir->exclusive && stray->kind == STRAY_TEMPORARY);
	if (unlinkat(dir->fd, stray->name, 0) < 0 && errno != ENOENT)
		return error_errno(err, SCOPE_MAILBOX, "cannot remove %s/%s", text_show(dir->path),
				   text_show(stray->name));
	return 0;
}
