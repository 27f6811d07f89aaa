// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Writes down what a program does to the disk, for tests/e2e/power.py to make of it what a power
 * cut may leave: preloaded, and for tests only. Each change goes into the file that POWER_LOG names
 * as one line, in the order in which they came about, under one lock:
 *
 *	C DIR NAME TIME FILE    a file came to be in a directory, whose mtime is TIME by then
 *	D DIR NAME TIME FILE    a directory
 *	L DIR NAME TIME FILE    one that was there got this name too
 *	R DIR NAME TIME DIR NAME TIME    renamed, from and to
 *	U DIR NAME TIME         unlinked, or a directory removed
 *	W FILE OFFSET BYTES     written
 *	T FILE SIZE             cut, or extended
 *	M FILE TIME             its mtime was set
 *	S FILE                  synced: a file or a directory
 *	A FILE                  the whole file system that it is on
 *
 * Nothing is synced in fact: what a sync is worth is for the reader of the log to say.
 *
 * FILE and DIR are DEVICE:INODE, TIME is in nanoseconds, NAME and BYTES are hexadecimal.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MOST ((size_t)4 << 20)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static char line[LINE_MOST];
static size_t line_len;

/* The function that ours stands before. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Ends the program: what is not written down must not be done. */
static void give_up(const char *what)
{
	fprintf(stderr, "power: %s: %s\n", what, strerror(errno));
	_exit(70);
}

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("POWER_LOG");

	if (path == NULL)
		return;
	log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0)
		give_up(path);
}

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line + line_len, sizeof(line) - line_len, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(line) - line_len)
		give_up("a line too long");
	line_len += (size_t)len;
}

static void put_hex(const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *at = bytes;

	if (len * 2 + 2 > sizeof(line) - line_len)
		give_up("a line too long");
	for (size_t i = 0; i < len; i++) {
		line[line_len++] = digits[at[i] >> 4];
		line[line_len++] = digits[at[i] & 15];
	}
	line[line_len] = '\0';
}

/* Appends the line to the log. */
static void end_line(void)
{
	put("\n");
	if (NEXT(write)(log_fd, line, line_len) != (ssize_t)line_len)
		give_up("the log");
	line_len = 0;
}

static void put_file(const struct stat *st)
{
	put(" %llu:%llu", (unsigned long long)st->st_dev, (unsigned long long)st->st_ino);
}

static void put_time(const struct timespec *time)
{
	put(" %lld", (long long)time->tv_sec * 1000000000 + time->tv_nsec);
}

/* The directory that a path ends in, the last name, and the directory's mtime. */
static void put_name(int dirfd, const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[4096];
	struct stat st;

	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 0,
		 slash ? path : "");
	if (slash == path)
		memcpy(parent, "/", 2);
	if (parent[0] != '\0' ? fstatat(dirfd, parent, &st, 0) < 0
	    : dirfd == AT_FDCWD ? stat(".", &st) < 0
				: fstat(dirfd, &st) < 0)
		give_up(path);
	put_file(&st);
	put(" ");
	path = slash ? slash + 1 : path;
	put_hex(path, strlen(path));
	put_time(&st.st_mtim);
}

/* A file's line: by its descriptor, where it is one of a disk. */
static bool begin_file(char kind, int fd)
{
	struct stat st;

	if (log_fd < 0 || fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return false;
	put("%c", kind);
	put_file(&st);
	return true;
}

/* A name's line: what is there now. */
static void log_name(char kind, int dirfd, const char *path)
{
	struct stat st;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		give_up(path);
	put("%c", kind);
	put_name(dirfd, path);
	put_file(&st);
	end_line();
}

/* Opens; what was not there before came to be. */
static int open_at(int dirfd, const char *path, int flags, mode_t mode)
{
	struct stat st;
	bool was;
	int fd, saved;

	if (log_fd < 0 || !(flags & O_CREAT))
		return NEXT(openat)(dirfd, path, flags, mode);
	pthread_mutex_lock(&lock);
	was = fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
	fd = NEXT(openat)(dirfd, path, flags, mode);
	saved = errno;
	if (fd >= 0 && !was)
		log_name('C', dirfd, path);
	if (fd >= 0 && was && flags & O_TRUNC && begin_file('T', fd)) {
		put(" 0");
		end_line();
	}
	pthread_mutex_unlock(&lock);
	errno = saved;
	return fd;
}

/* The mode of an open call's arguments. */
#define MODE(flags)                                                                                \
	__extension__({                                                                            \
		va_list args;                                                                      \
		va_start(args, flags);                                                             \
		mode_t found = (flags) & O_CREAT ? va_arg(args, mode_t) : 0;                       \
		va_end(args);                                                                      \
		found;                                                                             \
	})

int open(const char *path, int flags, ...)
{
	return open_at(AT_FDCWD, path, flags, MODE(flags));
}

int open64(const char *path, int flags, ...)
{
	return open_at(AT_FDCWD, path, flags, MODE(flags));
}

int openat(int dirfd, const char *path, int flags, ...)
{
	return open_at(dirfd, path, flags, MODE(flags));
}

int openat64(int dirfd, const char *path, int flags, ...)
{
	return open_at(dirfd, path, flags, MODE(flags));
}

/* What was written at an offset. */
static void log_bytes(int fd, off_t offset, const void *bytes, size_t len)
{
	if (!begin_file('W', fd))
		return;
	put(" %lld ", (long long)offset);
	put_hex(bytes, len);
	end_line();
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	ssize_t done;
	int saved;

	if (log_fd < 0)
		return NEXT(write)(fd, bytes, len);
	pthread_mutex_lock(&lock);
	done = NEXT(write)(fd, bytes, len);
	saved = errno;
	if (done > 0)
		log_bytes(fd, lseek(fd, 0, SEEK_CUR) - done, bytes, (size_t)done);
	pthread_mutex_unlock(&lock);
	errno = saved;
	return done;
}

static ssize_t write_at(int fd, const void *bytes, size_t len, off_t offset)
{
	ssize_t done;
	int saved;

	if (log_fd < 0)
		return NEXT(pwrite)(fd, bytes, len, offset);
	pthread_mutex_lock(&lock);
	done = NEXT(pwrite)(fd, bytes, len, offset);
	saved = errno;
	if (done > 0)
		log_bytes(fd, offset, bytes, (size_t)done);
	pthread_mutex_unlock(&lock);
	errno = saved;
	return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	return write_at(fd, bytes, len, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset)
{
	return write_at(fd, bytes, len, offset);
}

/* As a file system that does not know how: the program reads and writes instead. */
ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t len,
			unsigned flags)
{
	if (log_fd < 0)
		return NEXT(copy_file_range)(from, from_at, to, to_at, len, flags);
	errno = EXDEV;
	return -1;
}

static int cut(int fd, off_t size)
{
	int rc, saved;

	pthread_mutex_lock(&lock);
	rc = NEXT(ftruncate)(fd, size);
	saved = errno;
	if (rc == 0 && begin_file('T', fd)) {
		put(" %lld", (long long)size);
		end_line();
	}
	pthread_mutex_unlock(&lock);
	errno = saved;
	return rc;
}

int ftruncate(int fd, off_t size)
{
	return cut(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	return cut(fd, size);
}

/* Does CALL, and LOG where it went well. */
#define LOGGED(call, log)                                                                          \
	__extension__({                                                                            \
		pthread_mutex_lock(&lock);                                                         \
		int rc_ = (call), saved_ = errno;                                                  \
		if (rc_ == 0 && log_fd >= 0) {                                                     \
			log;                                                                       \
		}                                                                                  \
		pthread_mutex_unlock(&lock);                                                       \
		errno = saved_;                                                                    \
		rc_;                                                                               \
	})

static void log_rename(int from_dir, const char *from, int to_dir, const char *to)
{
	put("R");
	put_name(from_dir, from);
	put_name(to_dir, to);
	end_line();
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return LOGGED(NEXT(renameat)(from_dir, from, to_dir, to),
		      log_rename(from_dir, from, to_dir, to));
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return LOGGED(NEXT(renameat2)(from_dir, from, to_dir, to, flags),
		      log_rename(from_dir, from, to_dir, to));
}

int rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	return LOGGED(NEXT(linkat)(from_dir, from, to_dir, to, flags), log_name('L', to_dir, to));
}

static void log_unlink(int dirfd, const char *path)
{
	put("U");
	put_name(dirfd, path);
	end_line();
}

int unlinkat(int dirfd, const char *path, int flags)
{
	return LOGGED(NEXT(unlinkat)(dirfd, path, flags), log_unlink(dirfd, path));
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdirat(int dirfd, const char *path, mode_t mode)
{
	return LOGGED(NEXT(mkdirat)(dirfd, path, mode), log_name('D', dirfd, path));
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

static void log_time(int dirfd, const char *path)
{
	struct stat st;

	if (path != NULL ? fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0
			 : fstat(dirfd, &st) < 0)
		give_up("a file's time");
	put("M");
	put_file(&st);
	put_time(&st.st_mtim);
	end_line();
}

int utimensat(int dirfd, const char *path, const struct timespec times[2], int flags)
{
	return LOGGED(NEXT(utimensat)(dirfd, path, times, flags), log_time(dirfd, path));
}

int futimens(int fd, const struct timespec times[2])
{
	return LOGGED(NEXT(futimens)(fd, times), log_time(fd, NULL));
}

static void log_sync(char kind, int fd)
{
	if (begin_file(kind, fd))
		end_line();
}

int fsync(int fd)
{
	return LOGGED(log_fd < 0 ? NEXT(fsync)(fd) : 0, log_sync('S', fd));
}

int fdatasync(int fd)
{
	return LOGGED(log_fd < 0 ? NEXT(fdatasync)(fd) : 0, log_sync('S', fd));
}

int syncfs(int fd)
{
	return LOGGED(log_fd < 0 ? NEXT(syncfs)(fd) : 0, log_sync('A', fd));
}
