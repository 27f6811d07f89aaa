// SPDX-License-Identifier: GPL-3.0-or-later
/* Deliveries whose content another file has: linked to it, or copied byte by byte. */
#include "maildir/deliver-inner.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "maildir/message.h"
#include "maildir/name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_CHUNK ((size_t)1024 * 1024 * 1024)

/*
 * Links what fd has open, by way of /proc: whatever the file is called by now, it is the very one
 * that was looked at. Where that fails, for whatever reason, a copy does as well.
 */
static bool link_file(struct maildir_delivery *delivery, const struct maildir_mailbox *mailbox,
		      int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, mailbox->fds[MAILDIR_TMP], delivery->file, AT_SYMLINK_FOLLOW) <
	    0)
		return false;
	return true;
}

/* Copies a file; what the kernel does not copy by itself is read and written. */
static int copy_file(struct maildir_delivery *delivery, int fd, struct error *err)
{
	char *chunk;
	ssize_t done;
	int rc = 0;

	do
		done = copy_file_range(fd, NULL, delivery->fd, NULL, COPY_CHUNK, 0);
	while (done > 0 || (done < 0 && errno == EINTR));
	chunk = xmalloc(DELIVER_CHUNK);
	while (rc == 0) {
		done = read(fd, chunk, DELIVER_CHUNK);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			rc = delivery_fail(delivery, "copy to", err);
		if (done <= 0)
			break;
		rc = file_write(delivery->fd, chunk, (size_t)done, err);
		if (rc < 0)
			error_prefix(err, "tmp/%s", text_show(delivery->file));
	}
	free(chunk);
	return rc;
}

/* Only a file of our own is shared: whoever owns it can change it. */
static int take_file(struct maildir_delivery *delivery, struct maildir_mailbox *mailbox,
		     int *fd, const struct stat *st, int64_t date, struct error *err)
{
	if (st->st_uid == geteuid() && st->st_mtim.tv_sec == date &&
	    link_file(delivery, mailbox, *fd)) {
		delivery->linked = true;
		delivery->device = st->st_dev;
		delivery->fd = *fd;
		*fd = -1;
		return 0;
	}
	if (delivery_make_file(delivery, mailbox, err) < 0)
		return -1;
	return copy_file(delivery, *fd, err);
}

/* Fills tmp with the bytes and the times of what fd has open, and puts it in place durably. */
static int carry_open(struct maildir_delivery *delivery, struct maildir_mailbox *mailbox, int fd,
		      enum maildir_dir dir, const char *file, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return delivery_fail(delivery, "copy to", err);
	errno = EINVAL;
	if (!S_ISREG(st.st_mode))
		return delivery_fail(delivery, "copy to", err);
	const struct timespec times[2] = {st.st_atim, st.st_mtim};
	if (delivery_make_file(delivery, mailbox, err) < 0 || copy_file(delivery, fd, err) < 0)
		return -1;
	if (futimens(delivery->fd, times) < 0)
		return delivery_fail(delivery, "date", err);
	if (maildir_deliver_sync(delivery, mailbox, err) < 0)
		return -1;
	if (file_rename_new(mailbox->fds[MAILDIR_TMP], delivery->file, mailbox->fds[dir], file) < 0)
		return delivery_fail(delivery, "put in place", err);
	delivery->published = true;
	return file_sync_dir(mailbox->fds[dir], err);
}

/* Whoever moves a message unlinks the original afterwards: until then there are two. */
int maildir_deliver_carry(struct maildir_mailbox *mailbox, int from_dir, const char *from,
			  enum maildir_dir dir, const char *file, struct error *err)
{
	struct maildir_delivery *begun = delivery_begin(mailbox, err);
	int fd, rc;

	if (!begun)
		return -1;
	fd = openat(from_dir, from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	rc = fd < 0 ? delivery_fail(begun, "copy to", err)
		    : carry_open(begun, mailbox, fd, dir, file, err);
	file_close(&fd);
	maildir_deliver_close(&begun, mailbox);
	return rc;
}

/* What is read to identify it is what it holds, so that a change meanwhile is none of ours. */
int maildir_deliver_link(struct maildir_mailbox *mailbox, struct maildir_mailbox *from,
			 const char *unique, int64_t date, struct maildir_delivery **delivery,
			 struct error *err)
{
	const struct maildir_entry *entry;
	struct maildir_delivery *begun;
	struct stat st;
	int fd;
	int rc = maildir_message_open(from, unique, &fd, &entry, &st, err);

	*delivery = NULL;
	if (rc <= 0)
		return rc;
	begun = delivery_begin(mailbox, err);
	rc = -1;
	if (begun) {
		begun->raw = maildir_name_is_raw(entry->file, (uint64_t)st.st_size);
		rc = take_file(begun, mailbox, &fd, &st, date, err);
	}
	if (begun && rc < 0)
		maildir_deliver_close(&begun, mailbox);
	file_close(&fd);
	*delivery = begun;
	return rc < 0 ? -1 : 1;
}
