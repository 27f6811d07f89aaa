// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/deliver.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/eol.h"
#include "mail/header.h"
#include "maildir/content.h"
#include "maildir/keep.h"
#include "maildir/message.h"
#include "maildir/name.h"
#include "maildir/scan.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DELIVER_CHUNK ((size_t)64 * 1024)
#define COPY_CHUNK    ((size_t)1024 * 1024 * 1024)

/* What is needed only while content comes in. */
struct intake {
	struct eol_unwire eol;
	struct digest_stream *digest;
	struct header_scan header;
	size_t len; /* bytes in out, which wait to be written */
	char out[DELIVER_CHUNK + 1];
};

struct maildir_delivery {
	int fd;
	dev_t device;
	bool linked; /* fd is read only, and no byte of it is ours */
	bool raw;    /* linked or copied: as the other's name had it */
	bool published;
	uint64_t disk_size;
	uint64_t wire_size;
	int64_t date;          /* its mtime, where it was set; or unknown */
	struct intake *intake; /* NULL once finished, and where nothing is written */
	char *file;            /* in tmp */
	char *unique;          /* with its sizes; NULL before it is finished */
};

/* Says which file it is about. */
static int fail(const struct maildir_delivery *delivery, const char *what, struct error *err)
{
	return error_errno(err, SCOPE_MAILBOX, "cannot %s tmp/%s", what, text_show(delivery->file));
}

/* Chooses a name for a file in tmp; NULL where there is no tmp. */
static struct maildir_delivery *begin(struct maildir_mailbox *mailbox, struct error *err)
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

/* Nobody else may read mail on its way, and nothing that is there is written to. */
static int make_file(struct maildir_delivery *delivery, const struct maildir_mailbox *mailbox,
		     struct error *err)
{
	struct stat st;

	delivery->fd = openat(mailbox->fds[MAILDIR_TMP], delivery->file,
			      O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (delivery->fd < 0 || fstat(delivery->fd, &st) < 0) {
		fail(delivery, "make", err);
		return error_prefix(err, "mailbox %s", text_show(mailbox->name));
	}
	delivery->device = st.st_dev;
	return 0;
}

/* Its buffer is not cleared: that would take longer than most messages do. */
static struct intake *open_intake(void)
{
	struct intake *intake = xmalloc(sizeof(*intake));

	intake->eol = (struct eol_unwire){0};
	intake->digest = digest_open();
	intake->header = (struct header_scan){0};
	intake->len = 0;
	return intake;
}

/* Begins with nothing. */
int maildir_deliver_open(struct maildir_mailbox *mailbox, struct maildir_delivery **delivery,
			 struct error *err)
{
	struct maildir_delivery *opened = begin(mailbox, err);

	*delivery = NULL;
	if (!opened)
		return -1;
	if (make_file(opened, mailbox, err) < 0) {
		maildir_deliver_close(&opened, mailbox);
		return -1;
	}
	opened->intake = open_intake();
	*delivery = opened;
	return 0;
}

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
			rc = fail(delivery, "copy to", err);
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
static int take_file(struct maildir_delivery *delivery, const struct maildir_mailbox *mailbox,
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
	if (make_file(delivery, mailbox, err) < 0)
		return -1;
	return copy_file(delivery, *fd, err);
}

/* Fills tmp with the bytes and the times of what fd has open, and puts it in place durably. */
static int carry_open(struct maildir_delivery *delivery, struct maildir_mailbox *mailbox, int fd,
		      enum maildir_dir dir, const char *file, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(delivery, "copy to", err);
	errno = EINVAL;
	if (!S_ISREG(st.st_mode))
		return fail(delivery, "copy to", err);
	const struct timespec times[2] = {st.st_atim, st.st_mtim};
	if (make_file(delivery, mailbox, err) < 0 || copy_file(delivery, fd, err) < 0)
		return -1;
	if (futimens(delivery->fd, times) < 0)
		return fail(delivery, "date", err);
	if (maildir_deliver_sync(delivery, mailbox, err) < 0)
		return -1;
	if (file_rename_new(mailbox->fds[MAILDIR_TMP], delivery->file, mailbox->fds[dir], file) < 0)
		return fail(delivery, "put in place", err);
	delivery->published = true;
	return file_sync_dir(mailbox->fds[dir], err);
}

/* Whoever moves a message unlinks the original afterwards: until then there are two. */
int maildir_deliver_carry(struct maildir_mailbox *mailbox, int from_dir, const char *from,
			  enum maildir_dir dir, const char *file, struct error *err)
{
	struct maildir_delivery *begun = begin(mailbox, err);
	int fd, rc;

	if (!begun)
		return -1;
	fd = openat(from_dir, from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	rc = fd < 0 ? fail(begun, "copy to", err)
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
	begun = begin(mailbox, err);
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

/* Whether there are two names for one file. */
bool maildir_deliver_is_linked(const struct maildir_delivery *delivery)
{
	return delivery->linked;
}

/* Writes what waits. */
static int flush(struct maildir_delivery *delivery, struct error *err)
{
	struct intake *intake = delivery->intake;

	if (file_write(delivery->fd, intake->out, intake->len, err) < 0)
		return error_prefix(err, "tmp/%s", text_show(delivery->file));
	delivery->disk_size += intake->len;
	intake->len = 0;
	return 0;
}

/* Reads or writes all of a piece in the middle of the file. */
static int move_piece(struct maildir_delivery *delivery, char *bytes, size_t len, uint64_t offset,
		      bool out, struct error *err)
{
	while (len) {
		ssize_t done = out ? pwrite(delivery->fd, bytes, len, (off_t)offset)
				   : pread(delivery->fd, bytes, len, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			errno = EIO;
		if (done <= 0)
			return fail(delivery, out ? "write" : "read", err);
		bytes += done;
		offset += (uint64_t)done;
		len -= (size_t)done;
	}
	return 0;
}

/*
 * Makes every LF in the file CRLF again, in place and from the end, so that nothing is overwritten
 * before it was read. full_size is what that will come to.
 */
static int expand(struct maildir_delivery *delivery, uint64_t full_size, struct error *err)
{
	const size_t chunk = DELIVER_CHUNK / 2;
	char *in = xmalloc(chunk), *out = xmalloc(2 * chunk);
	uint64_t from = delivery->disk_size, to = full_size;
	int rc = 0;

	while (from > 0 && rc == 0) {
		size_t len = from < chunk ? (size_t)from : chunk;
		struct eol_wire eol = {0};
		size_t wire_len;

		from -= len;
		rc = move_piece(delivery, in, len, from, false, err);
		if (rc < 0)
			break;
		wire_len = eol_wire(&eol, in, len, out);
		assert(to >= wire_len);
		to -= wire_len;
		rc = move_piece(delivery, out, wire_len, to, true, err);
	}
	assert(rc < 0 || to == 0);
	delivery->disk_size = full_size;
	if (rc == 0 && lseek(delivery->fd, (off_t)full_size, SEEK_SET) < 0)
		rc = fail(delivery, "write", err);
	free(in);
	free(out);
	return rc;
}

/* Goes on without converting; a CR that waited is one of the bytes as they came. */
static int turn_raw(struct maildir_delivery *delivery, struct error *err)
{
	struct intake *intake = delivery->intake;

	if (flush(delivery, err) < 0 ||
	    expand(delivery, delivery->wire_size - intake->eol.pending_cr, err) < 0)
		return -1;
	if (intake->eol.pending_cr)
		intake->out[intake->len++] = '\r';
	return 0;
}

/* Takes up to DELIVER_CHUNK / 2 bytes. */
static int take_piece(struct maildir_delivery *delivery, const char *bytes, size_t len,
		      struct error *err)
{
	struct intake *intake = delivery->intake;
	bool was_raw = intake->eol.raw;

	if (intake->len + len > DELIVER_CHUNK && flush(delivery, err) < 0)
		return -1;
	if (!was_raw)
		intake->len += eol_unwire(&intake->eol, bytes, len, intake->out + intake->len);
	if (intake->eol.raw) {
		if (!was_raw && turn_raw(delivery, err) < 0)
			return -1;
		memcpy(intake->out + intake->len, bytes, len);
		intake->len += len;
	}
	delivery->wire_size += len;
	return 0;
}

/* Takes content in pieces that the buffer holds. */
int maildir_deliver_write(struct maildir_delivery *delivery, const char *bytes, size_t len,
			  struct error *err)
{
	assert(delivery->intake);
	digest_update(delivery->intake->digest, bytes, len);
	header_feed(&delivery->intake->header, bytes, len);
	while (len) {
		size_t piece = len < DELIVER_CHUNK / 2 ? len : DELIVER_CHUNK / 2;

		if (take_piece(delivery, bytes, piece, err) < 0)
			return -1;
		bytes += piece;
		len -= piece;
	}
	return 0;
}

/* Frees what only content needs. */
static void close_intake(struct maildir_delivery *delivery)
{
	if (!delivery->intake)
		return;
	digest_close(&delivery->intake->digest);
	free(delivery->intake);
	delivery->intake = NULL;
}

/* Ends what was written. */
static int finish_intake(struct maildir_delivery *delivery, struct identity *identity,
			 struct error *err)
{
	struct intake *intake = delivery->intake;

	if (!intake->eol.raw) {
		eol_unwire_end(&intake->eol);
		if (intake->eol.raw && turn_raw(delivery, err) < 0)
			return -1;
	}
	if (flush(delivery, err) < 0)
		return -1;
	*identity = (struct identity){
	    .size = delivery->wire_size,
	    .message_id = header_message_id(&intake->header),
	    .has_message_id = true,
	    .has_digest = true,
	};
	digest_finish(intake->digest, &identity->digest);
	close_intake(delivery);
	return 0;
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
		return fail(delivery, "date", err);
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
	rc = delivery->intake ? finish_intake(delivery, identity, err)
			      : finish_taken(delivery, identity, err);
	if (rc < 0 || set_date(delivery, date, err) < 0)
		return -1;
	identity->date = date;
	if (maildir_name_with_sizes(delivery->file, delivery->disk_size, delivery->wire_size,
				    unique) < 0) {
		errno = ENAMETOOLONG;
		return fail(delivery, "name", err);
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
			return fail(delivery, "open", err);
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
	return fail(delivery, "date", err);
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
		return fail(delivery, "name", err);
	}
	if (file_rename_new(tmp, delivery->file, mailbox->fds[dir], file) < 0)
		return fail(delivery, "put in place", err);
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
		return rc < 0 ? -1 : fail(delivery, "find what is to be replaced by", err);
	errno = EINVAL;
	if (maildir_name_is_raw(entry->file, delivery->disk_size) !=
	    maildir_name_is_raw(delivery->unique, delivery->disk_size))
		return fail(delivery, "give that name to", err);
	if (date_file(delivery, mailbox->fds[MAILDIR_TMP], date, err) < 0)
		return -1;
	if (maildir_keep(mailbox, entry, err) < 0)
		return -1;
	if (renameat2(mailbox->fds[MAILDIR_TMP], delivery->file, mailbox->fds[entry->dir],
		      entry->file, RENAME_EXCHANGE) < 0)
		return fail(delivery, "put in place", err);
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
	close_intake(closed);
	free(closed->file);
	free(closed->unique);
	free(closed);
	*delivery = NULL;
}
