// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "maildir/keywords.h"
#include "maildir/tree-inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOORS 3

/* Going: without tmp nothing can be delivered into the others. Coming: cur makes it a mailbox. */
static const char *const doors[DOORS] = {"tmp", "new", "cur"};

/* Makes a directory where it is missing, and opens it. Its entry is durable then. */
static int make_dir(int parent, const char *entry, struct error *err)
{
	int fd;

	if (mkdirat(parent, entry, 0700) < 0 && errno != EEXIST)
		return error_errno(err, SCOPE_MAILBOX, "cannot make the directory %s",
				   text_show(entry));
	fd = openat(parent, entry, OPEN_DIR);
	if (fd < 0)
		return error_errno(err, SCOPE_MAILBOX, "cannot open the directory %s",
				   text_show(entry));
	if (file_sync_dir(parent, err) < 0)
		file_close(&fd);
	return fd;
}

/* Makes every directory of an encoded path and opens the last. */
int maildir_make_path(const struct maildir_tree *tree, const char *path, struct error *err)
{
	int fd = maildir_tree_open_dir(tree, ".");

	if (fd < 0)
		return error_errno(err, SCOPE_MAILBOX, "cannot open %s", text_show(tree->path));
	for (const char *at = path; strcmp(path, ".") != 0 && *at && fd >= 0;) {
		size_t len = strcspn(at, "/");
		char *entry = xstrndup(at, len);
		int parent = fd;

		fd = make_dir(parent, entry, err);
		file_close(&parent);
		free(entry);
		at += len + (at[len] == '/');
	}
	return fd;
}

/* cur comes last: a directory counts as a mailbox once it has new and cur. */
int maildir_tree_create(struct maildir_tree *tree, const char *name, struct error *err)
{
	struct buf path;
	int home = -1;
	int rc = -1;

	buf_init(&path, MAILDIR_PATH_MAX);
	if (maildir_encode(tree->layout, name, &path, err) < 0)
		goto out;
	home = maildir_make_path(tree, path.data, err);
	rc = home < 0 ? -1 : 0;
	for (size_t i = 0; i < DOORS && rc == 0; i++) {
		int part = make_dir(home, doors[i], err);

		rc = part < 0 ? -1 : 0;
		file_close(&part);
	}
	if (rc < 0)
		error_prefix(err, "mailbox %s", text_show(name));
out:
	file_close(&home);
	buf_free(&path);
	return rc;
}

/* Removes a directory if it is empty; 1, 0 where it is not there or not empty (errno), -1. */
static int remove_dir(int parent, const char *entry, struct error *err)
{
	int rc;

	rc = unlinkat(parent, entry, AT_REMOVEDIR);
	if (rc == 0)
		return 1;
	if (errno == EEXIST)
		errno = ENOTEMPTY;
	if (errno == ENOENT || errno == ENOTEMPTY)
		return 0;
	return error_errno(err, SCOPE_MAILBOX, "cannot remove the directory %s", text_show(entry));
}

/* What is in use stays. */
void maildir_remove_leftovers(int home)
{
	for (size_t i = 0; i < DOORS; i++)
		remove_dir(home, doors[i], NULL);
}

/* Removes cur, new and tmp, all or none of them. */
static int remove_doors(int home, struct error *err)
{
	for (size_t i = 0; i < DOORS; i++) {
		int rc = remove_dir(home, doors[i], err);

		if (rc == 1 || (rc == 0 && errno == ENOENT))
			continue;
		if (rc == 0)
			error_errno(err, SCOPE_MAILBOX,
				    "its directory is not removed, for there is something in %s",
				    doors[i]);
		while (i-- > 0)
			mkdirat(home, doors[i], 0700);
		return -1;
	}
	/* It explains letters in names that are no more, and may be of our own making. */
	unlinkat(home, MAILDIR_KEYWORDS_FILE, 0);
	return file_sync_dir(home, err);
}

/* Removes the directory at path and those above it, as long as nothing else is in them. */
int maildir_remove_path(struct maildir_tree *tree, char *path, struct error *err)
{
	int rc = 1;

	while (rc == 1 && *path) {
		char *slash = strrchr(path, '/');
		const char *entry = slash ? slash + 1 : path;
		int parent;

		if (slash)
			*slash = '\0';
		parent = maildir_tree_open_dir(tree, slash ? path : ".");
		if (parent < 0)
			return error_errno(err, SCOPE_MAILBOX, "cannot open %s",
					   text_show(slash ? path : tree->path));
		rc = remove_dir(parent, entry, err);
		if (rc == 1 && file_sync_dir(parent, err) < 0)
			rc = -1;
		file_close(&parent);
		if (!slash)
			break;
	}
	return rc < 0 ? -1 : 0;
}

/* What a stopped run left of the three goes as well. */
int maildir_tree_delete(struct maildir_tree *tree, const char *name, struct error *err)
{
	struct buf path;
	int home = -1;
	int rc = -1;

	buf_init(&path, MAILDIR_PATH_MAX);
	if (!strcmp(name, "INBOX")) {
		error_set(err, ERROR_INTERNAL, SCOPE_MAILBOX, "INBOX is never deleted");
		goto out;
	}
	if (maildir_encode(tree->layout, name, &path, err) < 0)
		goto out;
	home = maildir_tree_open_dir(tree, path.data);
	if (home < 0 && errno == ENOENT)
		rc = 0;
	else if (home < 0)
		error_errno(err, SCOPE_MAILBOX, "cannot open its directory");
	else if (remove_doors(home, err) == 0)
		rc = maildir_remove_path(tree, path.data, err);
	if (rc < 0)
		error_prefix(err, "mailbox %s", text_show(name));
out:
	file_close(&home);
	buf_free(&path);
	return rc;
}
