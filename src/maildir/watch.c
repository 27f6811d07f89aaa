// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/watch.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/map.h"
#include "maildir/scan.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define WATCHED  2    /* cur and new */
#define DRAIN_AT 1024 /* renames, two events each: the kernel keeps 16,384 */
#define EVENTS   ((size_t)64 * 1024)
#define PROC_PATH_SIZE 64

#define MAGIC_F2FS     0xf2f52010u
#define MAGIC_ZFS      0x2fc12fc1u
#define MAGIC_BCACHEFS 0xca451a4eu

#define MASK                                                                                       \
	(IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF |     \
	 IN_ONLYDIR)

/* Two sequences are the same where these are: the hash is seeded. */
struct maildir_watch {
	int fd;
	int wds[WATCHED];
	uint64_t noted; /* of what we did, */
	uint64_t told;  /* and of what the kernel told */
	unsigned undrained;
};

/* One change more. */
static void fold(uint64_t *sequence, uint32_t what, int wd, const char *name)
{
	const uint64_t words[] = {*sequence, (uint64_t)what << 32 | (uint32_t)wd,
				  map_hash(name, strlen(name))};

	*sequence = map_hash(words, sizeof(words));
}

/* Whether a directory is on a file system of this machine alone. */
static bool is_ours(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	switch ((uint32_t)fs.f_type) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case TMPFS_MAGIC:
	case OVERLAYFS_SUPER_MAGIC:
	case MAGIC_F2FS:
	case MAGIC_ZFS:
	case MAGIC_BCACHEFS: return true;
	default: return false;
	}
}

/* Watches one directory by its descriptor: its name may lead elsewhere by now. */
static bool add_dir(struct maildir_watch *watch, const struct maildir_mailbox *mailbox,
		    enum maildir_dir dir)
{
	char path[PROC_PATH_SIZE];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", mailbox->fds[dir]);
	watch->wds[dir] =
	    is_ours(mailbox->fds[dir]) ? inotify_add_watch(watch->fd, path, MASK) : -1;
	return watch->wds[dir] >= 0;
}

/*
 * What changed after the scan and before the watch shows in the times. A scan that was made since
 * to find a file again may have seen what nobody was told of.
 */
void maildir_watch_begin(struct maildir_mailbox *mailbox)
{
	const struct maildir_scan *scan = mailbox->scan;
	struct maildir_watch *watch;

	if (mailbox->watch || !mailbox->told || !scan->cur_ns || !scan->new_ns)
		return;
	watch = xcalloc(1, sizeof(*watch));
	mailbox->watch = watch;
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0 || !add_dir(watch, mailbox, MAILDIR_CUR) ||
	    !add_dir(watch, mailbox, MAILDIR_NEW) ||
	    !maildir_is_quiet(mailbox, scan->cur_ns, scan->new_ns))
		maildir_watch_end(mailbox);
}

/* Reads all that the kernel has to tell. An overflow is told with a wd that is none of ours. */
static void drain(struct maildir_watch *watch)
{
	char *events = xcalloc(1, EVENTS);
	ssize_t got;

	while ((got = read(watch->fd, events, EVENTS)) > 0)
		for (size_t at = 0; at + sizeof(struct inotify_event) <= (size_t)got;) {
			const struct inotify_event *event = (const void *)(events + at);

			fold(&watch->told, event->mask, event->wd, event->len ? event->name : "");
			at += sizeof(*event) + event->len;
		}
	free(events);
	watch->undrained = 0;
}

void maildir_watch_note(struct maildir_mailbox *mailbox, enum maildir_dir from_dir,
			const char *from, enum maildir_dir to_dir, const char *to)
{
	struct maildir_watch *watch = mailbox->watch;

	if (!watch)
		return;
	fold(&watch->noted, IN_MOVED_FROM, watch->wds[from_dir], from);
	fold(&watch->noted, IN_MOVED_TO, watch->wds[to_dir], to);
	if (++watch->undrained == DRAIN_AT)
		drain(watch);
}

/* Whether the name of one of its directories still leads to the one that is open. */
static bool is_same_dir(const struct maildir_mailbox *mailbox, int home, enum maildir_dir dir)
{
	struct stat named, opened;
	const char *name = dir == MAILDIR_CUR ? "cur" : "new";

	return fstatat(home, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(mailbox->fds[dir], &opened) == 0 && named.st_ino == opened.st_ino &&
	       named.st_dev == opened.st_dev;
}

/* Whether the mailbox's name still leads to it. */
static bool is_in_place(const struct maildir_mailbox *mailbox)
{
	struct stat st;
	int home = maildir_mailbox_open_home(mailbox, NULL);
	bool same = home >= 0 && fstat(home, &st) == 0 && st.st_ino == mailbox->inode &&
		    is_same_dir(mailbox, home, MAILDIR_CUR) &&
		    is_same_dir(mailbox, home, MAILDIR_NEW);

	file_close(&home);
	return same;
}

bool maildir_watch_is_alone(struct maildir_mailbox *mailbox)
{
	struct maildir_watch *watch = mailbox->watch;

	if (!watch)
		return false;
	drain(watch);
	if (watch->told == watch->noted && is_in_place(mailbox))
		return true;
	maildir_watch_end(mailbox);
	return false;
}

void maildir_watch_end(struct maildir_mailbox *mailbox)
{
	if (!mailbox->watch)
		return;
	file_close(&mailbox->watch->fd);
	free(mailbox->watch);
	mailbox->watch = NULL;
}
