// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/dotlock.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BOOT_FILE     "/proc/sys/kernel/random/boot_id"
#define MARK_START    "evenmail lock 1 " /* before the boot id and its newline */
#define MARK_MAX      128
#define STALE_SECONDS 120
#define PATIENCE_MS   2000
#define PATIENCE_STEP 20

/* Says what failed with the lock. */
static int fail(const struct maildir_mailbox *mailbox, struct error *err)
{
	return error_errno(err, SCOPE_MAILBOX, "mailbox %s: cannot lock " MAILDIR_KEYWORDS_FILE,
			   text_show(mailbox->name));
}

/* Appends the line of this kernel's locks; nothing where the kernel has no name. */
static void append_mark(struct buf *out)
{
	int fd = open(BOOT_FILE, O_RDONLY | O_CLOEXEC);
	const size_t start = sizeof(MARK_START) - 1;

	buf_append(out, MARK_START, start);
	if (fd < 0 || file_read_all(fd, out, NULL) < 0 || out->len == start)
		buf_reset(out);
	file_close(&fd);
}

/* Nothing else has such names, and nobody's sweep takes them while this process lives. */
int maildir_dotlock_make_file(struct maildir_mailbox *mailbox, mode_t mode,
			      char file[MAILDIR_FILE_SIZE])
{
	maildir_namer_make(maildir_tree_namer(mailbox->tree), file);
	return openat(mailbox->fds[MAILDIR_TMP], file,
		      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
}

/*
 * Without the flock, which some file systems lack, it would look like a dead one's: no mark then.
 */
static int mark_lock(const struct maildir_mailbox *mailbox, int lock, struct error *err)
{
	struct buf mark;
	int rc = 0;

	buf_init(&mark, MARK_MAX);
	if (file_lock(lock, LOCK_EX | LOCK_NB) == 0) {
		append_mark(&mark);
		rc = file_write(lock, mark.data, mark.len, err);
		if (rc < 0)
			error_prefix(err, "mailbox %s: " MAILDIR_DOTLOCK_FILE,
				     text_show(mailbox->name));
	}
	buf_free(&mark);
	return rc;
}

/* Whether what fd has open is a lock of this kernel whose holder has ended. It is flocked then. */
static bool is_abandoned(int fd)
{
	struct buf mark, found;
	struct stat st;
	bool same;

	buf_init(&mark, MARK_MAX);
	buf_init(&found, MARK_MAX);
	append_mark(&mark);
	same = mark.len && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       file_read_all(fd, &found, NULL) == 0 && found.len == mark.len &&
	       memcmp(found.data, mark.data, mark.len) == 0;
	buf_free(&mark);
	buf_free(&found);
	return same && file_lock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* Whether a lock is so old that nobody can hold it any more. */
static bool is_stale(int home)
{
	struct stat st;

	return fstatat(home, MAILDIR_DOTLOCK_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       time(NULL) - st.st_mtim.tv_sec > STALE_SECONDS;
}

/*
 * Removes a lock that nobody holds any more. Of two that find an abandoned one, the second finds it
 * gone once it has the flock, and so leaves the first one's new lock alone.
 */
static bool break_lock(const struct maildir_mailbox *mailbox, int home)
{
	int fd = openat(home, MAILDIR_DOTLOCK_FILE,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool gone = (fd >= 0 && is_abandoned(fd) && file_is_at(fd, home, MAILDIR_DOTLOCK_FILE)) ||
		    is_stale(home);

	if (gone) {
		unlinkat(home, MAILDIR_DOTLOCK_FILE, 0);
		log_info("mailbox %s: removed " MAILDIR_DOTLOCK_FILE
			 ", which nobody holds any more",
			 text_show(mailbox->name));
	}
	file_close(&fd);
	return gone;
}

/* Puts a file from tmp in the lock's place, waiting for who holds it. */
static int place_lock(const struct maildir_mailbox *mailbox, int home, const char *file,
		      struct error *err)
{
	for (int waited = 0;; waited += PATIENCE_STEP) {
		if (file_rename_new(mailbox->fds[MAILDIR_TMP], file, home, MAILDIR_DOTLOCK_FILE) ==
		    0)
			return 0;
		if (errno != EEXIST)
			return fail(mailbox, err);
		if (break_lock(mailbox, home))
			continue;
		if (waited >= PATIENCE_MS)
			return error_set(err, ERROR_IO, SCOPE_MAILBOX,
					 "mailbox %s: another program holds " MAILDIR_DOTLOCK_FILE
					 "; the next run tries again",
					 text_show(mailbox->name));
		clock_sleep_ms(PATIENCE_STEP);
	}
}

/* It is marked before it is seen: there is no instant in which a stop leaves one without a mark. */
int maildir_dotlock_take(struct maildir_mailbox *mailbox, int home, mode_t mode, struct error *err)
{
	char file[MAILDIR_FILE_SIZE];
	int lock;

	if (maildir_mailbox_open_tmp(mailbox, err) < 0)
		return -1;
	lock = maildir_dotlock_make_file(mailbox, mode, file);
	if (lock < 0)
		return fail(mailbox, err);
	if (mark_lock(mailbox, lock, err) < 0 || place_lock(mailbox, home, file, err) < 0) {
		unlinkat(mailbox->fds[MAILDIR_TMP], file, 0);
		file_close(&lock);
	}
	return lock;
}

/* The flock ends with the descriptor, after the name: what others find is held or gone. */
void maildir_dotlock_drop(int home, int *lock)
{
	if (file_is_at(*lock, home, MAILDIR_DOTLOCK_FILE))
		unlinkat(home, MAILDIR_DOTLOCK_FILE, 0);
	file_close(lock);
}
