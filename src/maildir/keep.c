// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/keep.h"

#include "base/file.h"
#include "base/text.h"
#include "maildir/name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT_MAX 100 /* files of one name */

/* Whether two names are of the very same file. */
static bool is_same(int dir, const char *file, int other_dir, const char *other_file)
{
	struct stat one, other;

	return fstatat(dir, file, &one, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(other_dir, other_file, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
	       one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

/* Makes the directory where it is missing. */
static int open_kept(const struct maildir_mailbox *mailbox, struct error *err)
{
	const char *name = maildir_tree_layout(mailbox->tree) == MAILDIR_LAYOUT_TREE
			       ? "." MAILDIR_KEPT
			       : MAILDIR_KEPT;
	int home = maildir_mailbox_open_home(mailbox, err);
	int kept = -1;

	if (home < 0)
		return -1;
	if (mkdirat(home, name, 0700) == 0 || errno == EEXIST)
		kept = openat(home, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (kept < 0)
		error_errno(err, SCOPE_MAILBOX, "mailbox %s: cannot make the directory %s",
			    text_show(mailbox->name), name);
	else if (file_sync_dir(home, err) < 0)
		file_close(&kept);
	file_close(&home);
	return kept;
}

/* Gives a file a second name in the directory kept, where others may have been kept before. */
static int link_kept(int dir, const char *file, int kept)
{
	char name[MAILDIR_FILE_SIZE];

	for (int i = 0; i < KEPT_MAX; i++) {
		int room = snprintf(name, sizeof(name), "%s%s%.0d", file, i ? "~" : "", i);
		if (room >= (int)sizeof(name)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (linkat(dir, file, kept, name, 0) == 0)
			return 0;
		if (errno != EEXIST || is_same(dir, file, kept, name))
			return errno == EEXIST ? 0 : -1;
	}
	return -1;
}

int maildir_keep(const struct maildir_mailbox *mailbox, const struct maildir_entry *entry,
		 struct error *err)
{
	int kept = open_kept(mailbox, err);
	int rc;

	if (kept < 0)
		return -1;
	rc = link_kept(mailbox->fds[entry->dir], entry->file, kept);
	if (rc < 0)
		error_errno(err, SCOPE_MESSAGE, "mailbox %s: cannot keep %s in " MAILDIR_KEPT,
			    text_show(mailbox->name), text_show(entry->file));
	else
		rc = file_sync_dir(kept, err);
	file_close(&kept);
	return rc;
}
