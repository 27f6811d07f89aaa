// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/file.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_READ_CHUNK ((size_t)64 * 1024)

/* Writes on after signals and short writes. */
int file_write(int fd, const void *bytes, size_t len, struct error *err)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t done = write(fd, at, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			errno = EIO; /* or this would never end */
		if (done <= 0)
			return error_errno(err, SCOPE_MAILBOX, "cannot write");
		at += done;
		len -= (size_t)done;
	}
	return 0;
}

/* Reads on after signals. */
static ssize_t file_read_some(int fd, void *bytes, size_t len, struct error *err)
{
	ssize_t done;

	do
		done = read(fd, bytes, len);
	while (done < 0 && errno == EINTR);
	if (done < 0)
		error_errno(err, SCOPE_MAILBOX, "cannot read");
	return done;
}

/* What exactly fills out is not too long: one byte more is asked for to tell. */
int file_read_all(int fd, struct buf *out, struct error *err)
{
	for (;;) {
		size_t room = out->max - out->len;
		size_t chunk = room < FILE_READ_CHUNK ? room : FILE_READ_CHUNK;
		char probe;
		char *to = chunk > 0 ? buf_reserve(out, chunk) : &probe;
		ssize_t done = file_read_some(fd, to, chunk > 0 ? chunk : 1, err);

		if (done < 0)
			return -1;
		if (done == 0)
			return 0;
		if (chunk == 0) {
			out->full = true;
			return error_set(err, ERROR_IO, SCOPE_MAILBOX,
					 "cannot read: longer than the %s allowed",
					 text_size(out->max));
		}
		out->len += (size_t)done;
	}
}

/* Reads on after signals and short reads. */
int file_read_at(int fd, void *bytes, size_t len, uint64_t offset, size_t *got, struct error *err)
{
	*got = 0;
	while (*got < len) {
		ssize_t done = pread(fd, (char *)bytes + *got, len - *got, (off_t)(offset + *got));

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return error_errno(err, SCOPE_MAILBOX, "cannot read");
		if (done == 0)
			break;
		*got += (size_t)done;
	}
	return 0;
}

/* Goes on after signals. */
int file_lock(int fd, int operation)
{
	int rc;

	do
		rc = flock(fd, operation);
	while (rc < 0 && errno == EINTR);
	return rc;
}

/* Goes on after signals. */
int file_cut(int fd, uint64_t size)
{
	int rc;

	do
		rc = ftruncate(fd, (off_t)size);
	while (rc < 0 && errno == EINTR);
	return rc;
}

/*
 * A failed sync is never tried again on the same descriptor: the kernel has marked the pages as
 * clean by then, and the second try would lie.
 */
int file_sync(int fd, struct error *err)
{
	int rc;

	do
		rc = fdatasync(fd);
	while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return error_errno(err, SCOPE_MAILBOX, "cannot sync");
	return 0;
}

/*
 * EINVAL comes from file systems that have no such sync for directories: nothing better is to be
 * had.
 */
int file_sync_dir(int fd, struct error *err)
{
	int rc;

	do
		rc = fsync(fd);
	while (rc < 0 && errno == EINTR);
	if (rc < 0 && errno != EINVAL)
		return error_errno(err, SCOPE_MAILBOX, "cannot sync the directory");
	return 0;
}

/* Makes the directory name in parent (which may be O_PATH) and its entry durable. */
static int file_make_dir(int parent, const char *name, struct error *err)
{
	int fd, rc;

	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return error_errno(err, SCOPE_STORE, "cannot make the directory %s",
				   text_show(name));
	fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, SCOPE_STORE, "cannot open the directory above %s",
				   text_show(name));
	rc = file_sync_dir(fd, err);
	if (rc < 0 && err != NULL)
		err->scope = SCOPE_STORE;
	file_close(&fd);
	return rc;
}

/* Opens the directory name in parent, which closes; makes it first where it is missing. */
static int file_enter_dir(int parent, const char *name, int flags, struct error *err)
{
	int fd = openat(parent, name, flags);

	if (fd < 0 && errno == ENOENT) {
		if (file_make_dir(parent, name, err) < 0)
			goto out;
		fd = openat(parent, name, flags);
	}
	if (fd < 0)
		error_errno(err, SCOPE_STORE, "cannot open the directory %s", text_show(name));
out:
	file_close(&parent);
	return fd;
}

/*
 * Goes down one name at a time. Directories on the way need only be searchable (O_PATH) and may be
 * symlinks; the last may not.
 */
int file_make_dirs(const char *path, struct error *err)
{
	const int passing = O_PATH | O_DIRECTORY | O_CLOEXEC;
	const int last = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	const char *at = path + strspn(path, "/");
	int fd = open(path[0] == '/' ? "/" : ".", *at != '\0' ? passing : last);

	if (fd < 0)
		return error_errno(err, SCOPE_STORE, "cannot open the directory %s",
				   text_show(path));
	while (*at != '\0') {
		size_t len = strcspn(at, "/");
		const char *next = at + len + strspn(at + len, "/");
		char name[NAME_MAX + 1];

		if (len > NAME_MAX) {
			file_close(&fd);
			errno = ENAMETOOLONG;
			error_errno(err, SCOPE_STORE, "cannot open the directory");
			return error_prefix(err, "%s", text_show(path));
		}
		memcpy(name, at, len);
		name[len] = '\0';
		fd = file_enter_dir(fd, name, *next != '\0' ? passing : last, err);
		if (fd < 0)
			return error_prefix(err, "%s", text_show(path));
		at = next;
	}
	return fd;
}

/* Compares what is open with what the name leads to now. */
bool file_is_at(int fd, int dirfd, const char *name)
{
	struct stat open_file, named;

	return fstat(fd, &open_file) == 0 &&
	       fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

/*
 * Opens the temporary file of file_replace(), locked. Its name is always the same, so that what a
 * stop leaves behind is taken up by the next call and does not pile up; the lock keeps two that
 * replace the same file from writing into each other's. A file that another renamed away while we
 * waited for its lock is not ours.
 */
static int file_open_temporary(int dirfd, const char *name, struct error *err)
{
	for (;;) {
		int rc;
		int fd = openat(dirfd, name,
				O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);

		if (fd < 0)
			return error_errno(err, SCOPE_MAILBOX, "cannot make %s", text_show(name));
		rc = file_lock(fd, LOCK_EX);
		if (rc == 0 && file_is_at(fd, dirfd, name))
			rc = file_cut(fd, 0);
		else if (rc == 0)
			rc = 1;
		if (rc == 0)
			return fd;
		if (rc < 0)
			error_errno(err, SCOPE_MAILBOX, "cannot lock %s", text_show(name));
		file_close(&fd);
		if (rc < 0)
			return -1;
	}
}

/* Renames over name and makes that durable. */
static int file_rename_over(int dirfd, const char *from, const char *name, struct error *err)
{
	if (renameat(dirfd, from, dirfd, name) < 0)
		return error_errno(err, SCOPE_MAILBOX, "cannot rename");
	return file_sync_dir(dirfd, err);
}

/* The name of the temporary file. */
static int file_name_temporary(const char *name, char out[NAME_MAX + 1], struct error *err)
{
	if (snprintf(out, NAME_MAX + 1, ".%s.tmp", name) <= NAME_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return error_errno(err, SCOPE_MAILBOX, "cannot replace %s", text_show(name));
}

int file_replace_begin(int dirfd, const char *name, struct error *err)
{
	char temporary[NAME_MAX + 1];
	int fd = -1;

	if (file_name_temporary(name, temporary, err) == 0)
		fd = file_open_temporary(dirfd, temporary, err);
	return fd < 0 ? error_prefix(err, "cannot replace %s", text_show(name)) : fd;
}

/* Where it fails before the rename, the old content is there and the temporary file is not. */
int file_replace_end(int dirfd, const char *name, int *fd, int written, struct error *err)
{
	char temporary[NAME_MAX + 1];
	int rc = file_name_temporary(name, temporary, err) < 0 ? -1 : written;

	if (rc == 0)
		rc = file_sync(*fd, err);
	if (rc == 0)
		rc = file_rename_over(dirfd, temporary, name, err);
	if (rc < 0 && file_is_at(*fd, dirfd, temporary))
		unlinkat(dirfd, temporary, 0);
	file_close(fd);
	return rc < 0 ? error_prefix(err, "cannot replace %s", text_show(name)) : 0;
}

/* All of it in one piece. */
int file_replace(int dirfd, const char *name, const void *bytes, size_t len, struct error *err)
{
	int fd = file_replace_begin(dirfd, name, err);

	if (fd < 0)
		return -1;
	return file_replace_end(dirfd, name, &fd, file_write(fd, bytes, len, err), err);
}

/*
 * Links and unlinks. Where the old name cannot be removed, the new one is taken back: one message
 * under two names would be two messages.
 */
static int file_link_new(int from_dir, const char *from, int to_dir, const char *to)
{
	int saved;

	if (linkat(from_dir, from, to_dir, to, 0) < 0)
		return -1;
	if (unlinkat(from_dir, from, 0) == 0)
		return 0;
	saved = errno;
	unlinkat(to_dir, to, 0);
	errno = saved;
	return -1;
}

/* EINVAL and ENOSYS: the file system or the kernel knows no RENAME_NOREPLACE. */
int file_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
	int rc;

	rc = renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
	if (rc < 0 && (errno == EINVAL || errno == ENOSYS))
		rc = file_link_new(from_dir, from, to_dir, to);
	return rc;
}

/* Closes; what close(2) would report, a sync has reported before. */
void file_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}
