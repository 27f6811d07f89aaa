// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/arena.h"
#include "base/array.h"
#include "base/file.h"
#include "base/text.h"
#include "mail/mailbox-name.h"
#include "maildir/tree-inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One directory that gets another name. */
struct step {
	const char *from, *to; /* encoded paths */
};

struct renaming {
	struct maildir_tree *tree;
	const char *from, *to; /* mailboxes */
	struct arena arena;
	struct step *steps;
	size_t count, cap;
};

/* Says why nothing is done; sys is the errno that the caller knows it by. */
static int refuse(int sys, const struct renaming *renaming, struct error *err)
{
	errno = sys;
	return error_errno(err, SCOPE_MAILBOX, "cannot rename it to %s", text_show(renaming->to));
}

/* What is left of name after the mailbox above and its '/', or NULL where name is not below it. */
static const char *name_below(const char *above, const char *name)
{
	size_t len = strlen(above);

	return strncmp(name, above, len) == 0 && name[len] == '/' ? name + len + 1 : NULL;
}

/* The encoded path of a mailbox, in the arena, or NULL. */
static const char *encode(struct renaming *renaming, const char *name, struct error *err)
{
	struct buf path;
	const char *kept = NULL;

	buf_init(&path, MAILDIR_PATH_MAX);
	if (maildir_encode(renaming->tree->layout, name, &path, err) == 0)
		kept = arena_strdup(&renaming->arena, path.data);
	buf_free(&path);
	return kept;
}

/* Adds a mailbox's directory to those that are renamed. */
static int add_step(struct renaming *renaming, const char *from, const char *to, struct error *err)
{
	struct step step = {encode(renaming, from, err), encode(renaming, to, err)};

	if (!step.from || !step.to)
		return -1;
	*array_push(renaming->steps, renaming->count, renaming->cap) = step;
	return 0;
}

/*
 * A mailbox below has to have a name afterwards, or it would be listed no more; where its directory
 * is not within the other's, it has a step of its own.
 */
static int add_below(struct renaming *renaming, const char *name, const char *rest,
		     struct error *err)
{
	const char *to = arena_printf(&renaming->arena, "%s/%s", renaming->to, rest);

	if (renaming->tree->layout == MAILDIR_LAYOUT_PLUSPLUS)
		return add_step(renaming, name, to, err);
	return encode(renaming, to, err) ? 0 : -1;
}

/* Finds what is to be renamed. The mailbox itself is the last: while it is there, something is. */
static int choose_steps(struct renaming *renaming, struct error *err)
{
	struct maildir_listing *listing;
	bool found = false;
	size_t count;

	if (maildir_tree_list(renaming->tree, &renaming->arena, &listing, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const char *rest = name_below(renaming->from, listing[i].name);

		found = found || strcmp(listing[i].name, renaming->from) == 0;
		if (rest && add_below(renaming, listing[i].name, rest, err) < 0)
			return -1;
	}
	if (!found)
		return refuse(ENOENT, renaming, err);
	return add_step(renaming, renaming->from, renaming->to, err);
}

/* Removes a directory that is no mailbox, and whatever of it is empty; true where it is gone. */
static bool remove_leftover(struct renaming *renaming, const char *path, int home)
{
	struct maildir_listing ignored;
	int fd;

	if (maildir_look(home, &ignored) != 0)
		return false;
	maildir_remove_leftovers(home);
	maildir_remove_path(renaming->tree, arena_strdup(&renaming->arena, path), NULL);
	fd = maildir_tree_open_dir(renaming->tree, path);
	if (fd >= 0)
		file_close(&fd);
	return fd < 0 && errno == ENOENT;
}

/* Nothing may be at a target but what a stopped run left: empty directories. */
static int check_target(struct renaming *renaming, const char *path, struct error *err)
{
	int home = maildir_tree_open_dir(renaming->tree, path);
	int rc = 0;

	if (home >= 0)
		rc = remove_leftover(renaming, path, home) ? 0 : refuse(EEXIST, renaming, err);
	else if (errno == ENOTDIR || errno == ELOOP)
		rc = refuse(EEXIST, renaming, err);
	else if (errno != ENOENT)
		rc = refuse(errno, renaming, err);
	file_close(&home);
	return rc;
}

/* The directory that an encoded path is in. */
static char *parent_of(struct renaming *renaming, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? arena_strndup(&renaming->arena, path, (size_t)(slash - path))
		     : arena_strdup(&renaming->arena, ".");
}

/* The last part of an encoded path. */
static const char *entry_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * Renames one directory, replacing nothing. Where the file system knows no RENAME_NOREPLACE,
 * rename(2) does: over a directory it puts another only if nothing is in it.
 */
static int rename_dir(int from_dir, const char *from, int to_dir, const char *to)
{
	int rc;

	rc = renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
	if (rc < 0 && (errno == EINVAL || errno == ENOSYS))
		rc = renameat(from_dir, from, to_dir, to);
	return rc;
}

/* Goes the steps, which all lead from one directory to one other, and makes them durable. */
static int go_steps(const struct renaming *renaming, int from_dir, int to_dir, struct error *err)
{
	for (size_t i = 0; i < renaming->count; i++) {
		const struct step *step = &renaming->steps[i];

		if (rename_dir(from_dir, entry_of(step->from), to_dir, entry_of(step->to)) < 0)
			return refuse(errno, renaming, err);
	}
	if (file_sync_dir(to_dir, err) < 0 || file_sync_dir(from_dir, err) < 0)
		return -1;
	return 0;
}

/* Makes the directory that it goes to, and removes the one that it came from if that is empty. */
static int carry_out(struct renaming *renaming, struct error *err)
{
	const struct step *last = &renaming->steps[renaming->count - 1];
	char *from_parent = parent_of(renaming, last->from);
	const char *to_parent = parent_of(renaming, last->to);
	int from_dir = maildir_tree_open_dir(renaming->tree, from_parent);
	int to_dir = -1;
	int rc = -1;

	if (from_dir < 0) {
		refuse(errno, renaming, err);
		goto out;
	}
	to_dir = maildir_make_path(renaming->tree, to_parent, err);
	if (to_dir >= 0)
		rc = go_steps(renaming, from_dir, to_dir, err);
	if (rc == 0 && strcmp(from_parent, ".") != 0)
		rc = maildir_remove_path(renaming->tree, from_parent, err);
out:
	file_close(&to_dir);
	file_close(&from_dir);
	return rc;
}

/* All that can be known to be in the way is looked for before the first directory is renamed. */
static int prepare(struct renaming *renaming, struct error *err)
{
	if (!encode(renaming, renaming->to, err))
		return -1;
	if (mailbox_name_is_inbox(renaming->from) || mailbox_name_is_inbox(renaming->to))
		return error_set(err, ERROR_INTERNAL, SCOPE_MAILBOX,
				 "INBOX is never renamed, nor another mailbox to it");
	if (name_below(renaming->from, renaming->to))
		return refuse(EINVAL, renaming, err);
	if (choose_steps(renaming, err) < 0)
		return -1;
	for (size_t i = 0; i < renaming->count; i++)
		if (check_target(renaming, renaming->steps[i].to, err) < 0)
			return -1;
	return 0;
}

int maildir_tree_rename(struct maildir_tree *tree, const char *from, const char *to,
			struct error *err)
{
	struct renaming renaming = {.tree = tree, .from = from, .to = to};
	int rc = prepare(&renaming, err);

	if (rc == 0)
		rc = carry_out(&renaming, err);
	if (rc < 0)
		error_prefix(err, "mailbox %s", text_show(from));
	free(renaming.steps);
	arena_free(&renaming.arena);
	return rc;
}
