// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/deliver-inner.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "maildir/content.h"
#include "maildir/keep.h"
#include "maildir/message.h"
#include "maildir/name.h"
#include "maildir/scan.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int delivery_fail(const struct maildir_delivery *delivery, const char *what, struct error *err)
{
	return error_errno(err, SCOPE_MAILBOX, "cannot %s tmp/%s", what, text_show(delivery->file));
}

struct maildir_delivery *delivery_begin(struct maildir_mailbox *mailbox, struct error *err)
{
	struct maildir_delivery *begun;
	char file[MAILDIR_FILE_SIZE];

	assert(mailbox->may_write);
	if (maildir_mailbox_open_tmp(mailbox, err) < 0)
		return NULL;
	begun = xcalloc(1, sizeof(*begun));
	begun->fd = -1;
	maildir_namer_make(maildir_tree_namer(mailbox->tree), file);
	begun->file = xstrdup(file);
	return begun;
}

int delivery_make_file(struct maildir_delivery *delivery, struct maildir_mailbox *mailbox,
		       struct error *err)
{
	struct stat st;

	delivery->fd = openat(mailbox->fds[MAILDIR_TMP], delivery->file,
			      O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (delivery->fd < 0 || (!mailbox->device && fstat(delivery->fd, &st) < 0)) {
		delivery_fail(delivery, "make", err);
		return error_prefix(err, "mailbox %s", text_show(mailbox->name));
	}
	if (!mailbox->device)
		mailbox->device = st.st_dev;
	delivery->device = mailbox->device;
	return 0;
}

/* Begins with nothing. */
int maildir_deliver_open(struct maildir_mailbox *mailbox, struct maildir_delivery **delivery,
			 struct error *err)
{
	struct maildir_delivery *opened = delivery_begin(mailbox, err);

	*delivery = NULL;
	if (!opened)
		return -1;
	if (delivery_make_file(opened, mailbox, err) < 0) {
		maildir_deliver_close(&opened, mailbox);
		return -1;
	}
	opened->intake = intake_open();
	*delivery = opened;
	return 0;
}

/* Whether there are two names for one file. */
bool maildir_deliver_is_linked(const struct maildir_delivery *delivery)
{
	return delivery->linked;
}

/* Reads what was linked or copied. */
static int finish_taken(struct maildir_delivery *delivery, struct identity *identity,
			struct error *err)
{
	if (maildir_content_identify(delivery->fd, delivery->raw, text_show(delivery->file),
				     identity, &delivery->disk_size, err) < 0)
		return -1;
	delivery->wire_size = identity->size;
	return 0;
}

/* Before the content is synced, so that no power cut leaves the one without the other. */
static int set_date(struct maildir_delivery *delivery, int64_t date, struct error *err)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = date}};

	delivery->date = DATE_UNKNOWN;
	if (date == DATE_UNKNOWN || delivery->linked)
		return 0;
	if (futimens(delivery->fd, times) < 0)
		return delivery_fail(delivery, "date", err);
	delivery->date = date;
	return 0;
}

/* The name comes last, for it tells the sizes. */
int maildir_deliver_finish(struct maildir_delivery *delivery, struct identity *identity,
			   struct error *err)
{
	char unique[MAILDIR_FILE_SIZE];
	int64_t date = identity->date;
	int rc;

	assert(!delivery->unique);
	rc = delivery->intake ? intake_finish(delivery, identity, err)
			      : finish_taken(delivery, identity, err);
	if (rc < 0 || set_date(delivery, date, err) < 0)
		return -1;
	identity->date = date;
	if (maildir_name_with_sizes(delivery->file, delivery->disk_size, delivery->wire_size,
				    unique) < 0) {
		errno = ENAMETOOLONG;
		return delivery_fail(delivery, "name", err);
	}
	delivery->unique = xstrdup(unique);
	return 0;
}

/* Its name in new or cur, up to the ":2,". */
const char *maildir_deliver_name(const struct maildir_delivery *delivery)
{
	return delivery->unique;
}

/* Where it is on disk. */
dev_t maildir_deliver_device(const struct maildir_delivery *delivery)
{
	return delivery->device;
}

/* Syncs by the descriptor it was written through, or by a new one. */
int maildir_deliver_sync(struct maildir_delivery *delivery, struct maildir_mailbox *mailbox,
			 struct error *err)
{
	if (delivery->fd < 0) {
		if (maildir_mailbox_open_tmp(mailbox, err) < 0)
			return -1;
		delivery->fd = openat(mailbox->fds[MAILDIR_TMP], delivery->file,
				      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (delivery->fd < 0)
			return delivery_fail(delivery, "open", err);
	}
	if (file_sync(delivery->fd, err) < 0)
		return error_prefix(err, "tmp/%s", text_show(delivery->file));
	return 0;
}

/* Closes its descriptor. */
void maildir_deliver_rest(struct maildir_delivery *delivery)
{
	assert(!delivery->intake);
	file_close(&delivery->fd);
}

/*
 * Dates the file in tmp, before it is put in place: a message is never seen with a wrong date. Not
 * where it has the date, nor where its inode is another message's too.
 */
static int date_file(const struct maildir_delivery *delivery, int tmp, int64_t date,
		     struct error *err)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = date}};

	if (date == DATE_UNKNOWN || date == delivery->date || delivery->linked ||
	    utimensat(tmp, delivery->file, times, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return delivery_fail(delivery, "date", err);
}

int maildir_deliver_publish(struct maildir_delivery *delivery, struct maildir_mailbox *mailbox,
			    struct flags flags, int64_t date, struct error *err)
{
	char file[MAILDIR_FILE_SIZE], letters[MAILDIR_LETTERS_MAX];
	enum maildir_dir dir;
	int tmp;

	maildir_keywords_letters(&mailbox->keywords, flags, letters);
	dir = *letters ? MAILDIR_CUR : MAILDIR_NEW;
	if (maildir_mailbox_open_tmp(mailbox, err) < 0)
		return -1;
	tmp = mailbox->fds[MAILDIR_TMP];
	if (date_file(delivery, tmp, date, err) < 0)
		return -1;
	if (dir == MAILDIR_NEW) {
		memcpy(file, delivery->unique, strlen(delivery->unique) + 1);
	} else if (maildir_name_with_flags(delivery->unique, &mailbox->keywords, flags,
					   (struct flags){0}, file) < 0) {
		errno = ENAMETOOLONG;
		return delivery_fail(delivery, "name", err);
	}
	if (file_rename_new(tmp, delivery->file, mailbox->fds[dir], file) < 0)
		return delivery_fail(delivery, "put in place", err);
	delivery->published = true;
	mailbox->dirty[dir] = true;
	if (mailbox->scan)
		maildir_scan_put(mailbox->scan, dir, file);
	return 0;
}

/* What is in tmp then is the old file's other name: it goes with the delivery. */
int maildir_deliver_replace(struct maildir_delivery *delivery, struct maildir_mailbox *mailbox,
			    const char *unique, int64_t date, struct error *err)
{
	const struct maildir_entry *entry;
	int rc;

	maildir_mailbox_forget(mailbox);
	mailbox->fresh = false;
	if (maildir_mailbox_open_tmp(mailbox, err) < 0)
		return -1;
	rc = maildir_message_find(mailbox, unique, &entry, err);
	errno = ENOENT;
	if (rc <= 0)
		return rc < 0 ? -1 : delivery_fail(delivery, "find what is to be replaced by", err);
	errno = EINVAL;
	if (maildir_name_is_raw(entry->file, delivery->disk_size) !=
	    maildir_name_is_raw(delivery->unique, delivery->disk_size))
		return delivery_fail(delivery, "give that name to", err);
	if (date_file(delivery, mailbox->fds[MAILDIR_TMP], date, err) < 0)
		return -1;
	if (maildir_keep(mailbox, entry, err) < 0)
		return -1;
	if (renameat2(mailbox->fds[MAILDIR_TMP], delivery->file, mailbox->fds[entry->dir],
		      entry->file, RENAME_EXCHANGE) < 0)
		return delivery_fail(delivery, "put in place", err);
	mailbox->dirty[entry->dir] = true;
	return 0;
}

/* Closes; what nobody published nobody will miss. */
void maildir_deliver_close(struct maildir_delivery **delivery, struct maildir_mailbox *mailbox)
{
	struct maildir_delivery *closed = *delivery;

	if (!closed)
		return;
	if (!closed->published && closed->device && mailbox &&
	    maildir_mailbox_open_tmp(mailbox, NULL) == 0)
		unlinkat(mailbox->fds[MAILDIR_TMP], closed->file, 0);
	file_close(&closed->fd);
	intake_close(closed);
	free(closed->file);
	free(closed->unique);
	free(closed);
	*delivery = NULL;
}
