// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What lies in a state directory besides what a run reads: journals set aside, leftovers, strays.
 */
#include "journal/dir.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ASIDE_MARK   ".damaged-"
#define ASIDE_DIGITS 20

/* Another one of the same second takes the next. */
int journal_set_aside(struct journal_dir *dir, const char *mailbox, struct error *err)
{
	const int room = NAME_MAX - (int)strlen(ASIDE_MARK) - ASIDE_DIGITS;
	int64_t when = clock_wall_ns() / 1000000000;
	char file[NAME_MAX + 1], aside[NAME_MAX + 1];
	int rc;

	assert(dir->exclusive);
	journal_file_name(mailbox, file);
	do {
		snprintf(aside, sizeof(aside), "%.*s" ASIDE_MARK "%lld", room, file,
			 (long long)when++);
		rc = file_rename_new(dir->fd, file, dir->fd, aside);
	} while (rc < 0 && errno == EEXIST);
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
	if (rc >= 0 || journal_dir_is_own_file(file))
		return false;
	*kind = STRAY_FOREIGN;
	if (file[0] == '.' && len > suffix && !strcmp(file + len - suffix, temporary))
		*kind = STRAY_TEMPORARY;
	else if (strstr(file, ASIDE_MARK))
		*kind = STRAY_ASIDE;
	return true;
}

int journal_dir_strays(const struct journal_dir *dir, struct arena *arena,
		       struct journal_stray **strays, size_t *count, struct error *err)
{
	char **names;
	size_t len;

	*strays = NULL;
	*count = 0;
	if (journal_dir_read(dir, &names, &len, err) < 0)
		return -1;
	*strays = arena_alloc(arena, (len + 1) * sizeof(**strays));
	for (size_t i = 0; i < len; i++) {
		struct journal_stray *stray = &(*strays)[*count];

		if (!classify(names[i], &stray->kind))
			continue;
		stray->name = arena_strdup(arena, names[i]);
		++*count;
	}
	journal_names_free(names, len);
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
