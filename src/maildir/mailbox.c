// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/mailbox.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "maildir/scan.h"
#include "maildir/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define STAMP_TICK_NS   INT64_C(20000000)   /* above the kernel's tick, at most 10 ms */
#define STAMP_SECOND_NS INT64_C(2000000000) /* FAT keeps even seconds */

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static const char *const dir_names[MAILDIR_DIRS] = {"cur", "new", "tmp"};

/* Opens the mailbox's own directory. */
int maildir_mailbox_open_home(const struct maildir_mailbox *mailbox, struct error *err)
{
	struct buf path;
	int fd = -1;

	buf_init(&path, MAILDIR_PATH_MAX);
	if (maildir_encode(maildir_tree_layout(mailbox->tree), mailbox->name, &path, err) < 0)
		goto out;
	fd = maildir_tree_open_dir(mailbox->tree, path.data);
	if (fd < 0)
		error_errno(err, SCOPE_MAILBOX, "mailbox %s: cannot open its directory",
			    text_show(mailbox->name));
out:
	buf_free(&path);
	return fd;
}

/* Opens one of cur, new, tmp. */
static int open_part(struct maildir_mailbox *mailbox, int home, enum maildir_dir dir,
		     struct error *err)
{
	mailbox->fds[dir] = openat(home, dir_names[dir], OPEN_DIR);
	if (mailbox->fds[dir] < 0 && errno == ENOENT)
		return error_errno(err, SCOPE_MAILBOX,
				   "mailbox %s: its directory %s is missing: make it, if what was "
				   "in it may count as deleted",
				   text_show(mailbox->name), dir_names[dir]);
	if (mailbox->fds[dir] < 0)
		return error_errno(err, SCOPE_MAILBOX, "mailbox %s: cannot open %s",
				   text_show(mailbox->name), dir_names[dir]);
	return 0;
}

/* Notes which directory it is: other names may lead to it one day, and this one to another. */
static int note_inode(struct maildir_mailbox *mailbox, int home, struct error *err)
{
	struct stat st;

	if (fstat(home, &st) < 0)
		return error_errno(err, SCOPE_MAILBOX, "mailbox %s: cannot look at its directory",
				   text_show(mailbox->name));
	mailbox->inode = st.st_ino;
	return 0;
}

/* Opens cur and new; tmp waits for a delivery. */
int maildir_mailbox_open(struct maildir_tree *tree, const char *name, bool may_write,
			 struct maildir_mailbox **mailbox, struct error *err)
{
	struct maildir_mailbox *opened = xcalloc(1, sizeof(*opened));
	int home;

	opened->tree = tree;
	opened->name = xstrdup(name);
	opened->may_write = may_write;
	for (int i = 0; i < MAILDIR_DIRS; i++)
		opened->fds[i] = -1;
	home = maildir_mailbox_open_home(opened, err);
	if (home < 0 || note_inode(opened, home, err) < 0 ||
	    open_part(opened, home, MAILDIR_CUR, err) < 0 ||
	    open_part(opened, home, MAILDIR_NEW, err) < 0)
		maildir_mailbox_close(&opened);
	file_close(&home);
	*mailbox = opened;
	return opened ? 0 : -1;
}

/* Some programs make Maildirs without tmp. */
int maildir_mailbox_open_tmp(struct maildir_mailbox *mailbox, struct error *err)
{
	int home;
	int rc = -1;

	if (mailbox->fds[MAILDIR_TMP] >= 0)
		return 0;
	home = maildir_mailbox_open_home(mailbox, err);
	if (home < 0)
		return -1;
	if (mkdirat(home, dir_names[MAILDIR_TMP], 0700) < 0 && errno != EEXIST) {
		error_errno(err, SCOPE_MAILBOX, "mailbox %s: cannot make tmp",
			    text_show(mailbox->name));
		goto out;
	}
	rc = open_part(mailbox, home, MAILDIR_TMP, err);
out:
	file_close(&home);
	return rc;
}

/* What may be entered but not written would be found out one message after the other. */
int maildir_mailbox_check(struct maildir_mailbox *mailbox, struct error *err)
{
	if (maildir_mailbox_open_tmp(mailbox, err) < 0)
		return -1;
	for (int i = 0; i < MAILDIR_DIRS; i++)
		if (faccessat(mailbox->fds[i], ".", W_OK | X_OK, AT_EACCESS) < 0)
			return error_errno(err, SCOPE_MAILBOX,
					   "mailbox %s: nothing can be put into its directory %s",
					   text_show(mailbox->name), dir_names[i]);
	return 0;
}

/* Goes on after an error, so that the other directories are not left in doubt as well. */
int maildir_mailbox_sync(struct maildir_mailbox *mailbox, uint64_t *syncs, struct error *err)
{
	int rc = 0;

	for (int i = 0; i < MAILDIR_DIRS; i++) {
		if (!mailbox->dirty[i])
			continue;
		mailbox->dirty[i] = false;
		++*syncs;
		if (file_sync_dir(mailbox->fds[i], rc < 0 ? NULL : err) < 0 && rc == 0)
			rc = error_prefix(err, "mailbox %s: %s", text_show(mailbox->name),
					  dir_names[i]);
	}
	return rc;
}

/* Frees the last scan. */
void maildir_mailbox_forget(struct maildir_mailbox *mailbox)
{
	maildir_scan_free(&mailbox->scan);
	mailbox->fresh = mailbox->told = false;
}

/* Closes the directories. */
void maildir_mailbox_close(struct maildir_mailbox **mailbox)
{
	if (!*mailbox)
		return;
	maildir_mailbox_forget(*mailbox);
	maildir_watch_end(*mailbox);
	for (int i = 0; i < MAILDIR_DIRS; i++)
		file_close(&(*mailbox)->fds[i]);
	free((*mailbox)->name);
	free(*mailbox);
	*mailbox = NULL;
}

/*
 * A directory changed twice within one tick of the kernel's clock has the same mtime after both:
 * only an mtime that lies further back is proof that a later change would have moved it. One in
 * the future is none either.
 */
int64_t maildir_stamp_trusted(const struct stat *st, int64_t now_ns)
{
	int64_t age = st->st_mtim.tv_nsec == 0 ? STAMP_SECOND_NS : STAMP_TICK_NS;
	int64_t at;

	if (st->st_mtim.tv_sec <= 0 || st->st_mtim.tv_sec > now_ns / 1000000000)
		return 0;
	at = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
	return now_ns - at >= age ? at : 0;
}

/* Stats both; the clock is read first, which can only make an mtime look younger. */
int maildir_mailbox_stamp(const struct maildir_mailbox *mailbox, int64_t *cur_ns, int64_t *new_ns,
			  struct error *err)
{
	int64_t now = clock_wall_ns();
	struct stat cur, fresh;

	if (fstat(mailbox->fds[MAILDIR_CUR], &cur) < 0 ||
	    fstat(mailbox->fds[MAILDIR_NEW], &fresh) < 0)
		return error_errno(err, SCOPE_MAILBOX, "mailbox %s: cannot look at its directories",
				   text_show(mailbox->name));
	*cur_ns = maildir_stamp_trusted(&cur, now);
	*new_ns = maildir_stamp_trusted(&fresh, now);
	return 0;
}
