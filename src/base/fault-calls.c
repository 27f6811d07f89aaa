// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the linker puts in the place of each system call on files that our code makes: a point to
 * stop at before each durable effect, and a chance to fail (base/fault.h). Which calls those are is
 * in configure.ac beside --enable-faults. Tests that replace some themselves come first, so all
 * are weak. What is no regular file or directory (a pipe, a terminal) is left alone.
 */
#include "base/fault.h"

#ifdef EVENMAIL_FAULTS

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Declares a call's real one, and its replacement. */
#define WRAP(type, name, ...)                                                                      \
	type __real_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__);                                                           \
	__attribute__((weak)) type __wrap_##name(__VA_ARGS__)

int __real_fstat(int fd, struct stat *st);

/* Pipes and sockets have no durable state. */
static bool is_file(int fd)
{
	struct stat st;
	int saved = errno;
	bool file = __real_fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));

	errno = saved;
	return file;
}

#define DESCRIPTORS 4096

/* Those of which a sync has failed. */
static atomic_bool unsynced[DESCRIPTORS];

/* A descriptor that is new has no past. */
static int begin_descriptor(int fd)
{
	if (fd >= 0 && fd < DESCRIPTORS)
		atomic_store(&unsynced[fd], false);
	return fd;
}

/* After a failed sync of the file the next one would lie: whoever tries it ends here. */
static void expect_no_second_sync(int fd)
{
	if (fd < 0 || fd >= DESCRIPTORS || !atomic_load(&unsynced[fd]))
		return;
	fprintf(stderr, "evenmail: synced again after that has failed: descriptor %d\n", fd);
	_exit(70);
}

/* Notes where it failed, but for directories: another name in one may be synced later. */
static int end_sync(int fd, int rc)
{
	struct stat st;
	int saved = errno;

	if (rc < 0 && saved != EINTR && fd >= 0 && fd < DESCRIPTORS && __real_fstat(fd, &st) == 0 &&
	    S_ISREG(st.st_mode))
		atomic_store(&unsynced[fd], true);
	errno = saved;
	return rc;
}

/* A call with a durable effect that cannot be done in part; true where it is to fail. */
static bool effect_fails(enum fault_call call, const char *what, int fd, const char *name)
{
	if (fault_fails(call, what, fd, name))
		return true;
	fault_effect(what, fd, name);
	return false;
}

/* Opening is an effect where it makes or empties a file. */
static bool open_fails(int dir, const char *path, int flags)
{
	if (flags & (O_CREAT | O_TRUNC))
		return effect_fails(FAULT_CREATE, "create", dir, path);
	return fault_fails(FAULT_OPEN, "open", dir, path);
}

/* The mode that follows flags, where one does. */
#define TAKE_MODE(mode, flags)                                                                     \
	do {                                                                                       \
		va_list args;                                                                      \
		va_start(args, flags);                                                             \
		if ((flags) & O_CREAT)                                                             \
			(mode) = va_arg(args, mode_t);                                             \
		va_end(args);                                                                      \
	} while (0)

WRAP(int, open, const char *path, int flags, ...)
{
	mode_t mode = 0;

	TAKE_MODE(mode, flags);
	return open_fails(-1, path, flags) ? -1 : begin_descriptor(__real_open(path, flags, mode));
}

WRAP(int, openat, int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;

	TAKE_MODE(mode, flags);
	return open_fails(dir, path, flags)
		   ? -1
		   : begin_descriptor(__real_openat(dir, path, flags, mode));
}

/*
 * Our code uses it for openat2(2), which the library does not have, and tests for whatever it is.
 */
WRAP(long, syscall, long number, ...)
{
	va_list args;
	long values[6];

	va_start(args, number);
	for (size_t i = 0; i < 6; i++)
		values[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_openat2 &&
	    fault_fails(FAULT_OPEN, "open", (int)values[0], (const char *)values[1]))
		return -1;
	long rc = __real_syscall(number, values[0], values[1], values[2], values[3], values[4],
				 values[5]);
	return number == SYS_openat2 ? begin_descriptor((int)rc) : rc;
}

WRAP(ssize_t, read, int fd, void *bytes, size_t len)
{
	if (!is_file(fd))
		return __real_read(fd, bytes, len);
	if (fault_fails(FAULT_READ, "read", fd, NULL))
		return -1;
	return __real_read(fd, bytes, fault_shorten(FAULT_READ, fd, len));
}

WRAP(ssize_t, pread, int fd, void *bytes, size_t len, off_t at)
{
	if (fault_fails(FAULT_READ, "read", fd, NULL))
		return -1;
	return __real_pread(fd, bytes, fault_shorten(FAULT_READ, fd, len), at);
}

WRAP(ssize_t, write, int fd, const void *bytes, size_t len)
{
	if (!is_file(fd))
		return __real_write(fd, bytes, len);
	if (effect_fails(FAULT_WRITE, "write", fd, NULL))
		return -1;
	len = fault_shorten(FAULT_WRITE, fd, len);
	if (len > 1) {
		ssize_t half = __real_write(fd, bytes, len / 2);

		if (half < (ssize_t)(len / 2))
			return half;
		fault_effect("write in part", fd, NULL);
		ssize_t rest = __real_write(fd, (const char *)bytes + half, len - (size_t)half);

		return rest < 0 ? half : half + rest;
	}
	return __real_write(fd, bytes, len);
}

WRAP(ssize_t, pwrite, int fd, const void *bytes, size_t len, off_t at)
{
	if (effect_fails(FAULT_WRITE, "write", fd, NULL))
		return -1;
	return __real_pwrite(fd, bytes, fault_shorten(FAULT_WRITE, fd, len), at);
}

WRAP(ssize_t, copy_file_range, int from, off_t *from_at, int to, off_t *to_at, size_t len,
     unsigned flags)
{
	if (effect_fails(FAULT_WRITE, "copy", to, NULL))
		return -1;
	return __real_copy_file_range(from, from_at, to, to_at, fault_shorten(FAULT_WRITE, to, len),
				      flags);
}

WRAP(int, fdatasync, int fd)
{
	expect_no_second_sync(fd);
	return end_sync(fd, effect_fails(FAULT_SYNC, "sync", fd, NULL) ? -1 : __real_fdatasync(fd));
}

WRAP(int, fsync, int fd)
{
	expect_no_second_sync(fd);
	return end_sync(fd, effect_fails(FAULT_SYNC, "sync", fd, NULL) ? -1 : __real_fsync(fd));
}

WRAP(int, syncfs, int fd)
{
	return effect_fails(FAULT_SYNC, "sync all", fd, NULL) ? -1 : __real_syncfs(fd);
}

WRAP(int, ftruncate, int fd, off_t len)
{
	return effect_fails(FAULT_CUT, "cut", fd, NULL) ? -1 : __real_ftruncate(fd, len);
}

WRAP(int, renameat, int from_dir, const char *from, int to_dir, const char *to)
{
	return effect_fails(FAULT_PLACE, "rename to", to_dir, to)
		   ? -1
		   : __real_renameat(from_dir, from, to_dir, to);
}

WRAP(int, renameat2, int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return effect_fails(FAULT_PLACE, "rename to", to_dir, to)
		   ? -1
		   : __real_renameat2(from_dir, from, to_dir, to, flags);
}

WRAP(int, linkat, int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	return effect_fails(FAULT_PLACE, "link", to_dir, to)
		   ? -1
		   : __real_linkat(from_dir, from, to_dir, to, flags);
}

WRAP(int, mkdirat, int dir, const char *name, mode_t mode)
{
	return effect_fails(FAULT_PLACE, "mkdir", dir, name) ? -1
							     : __real_mkdirat(dir, name, mode);
}

WRAP(int, unlinkat, int dir, const char *name, int flags)
{
	return effect_fails(FAULT_REMOVE, flags & AT_REMOVEDIR ? "rmdir" : "unlink", dir, name)
		   ? -1
		   : __real_unlinkat(dir, name, flags);
}

WRAP(int, futimens, int fd, const struct timespec times[2])
{
	return effect_fails(FAULT_DATE, "date", fd, NULL) ? -1 : __real_futimens(fd, times);
}

WRAP(int, utimensat, int dir, const char *name, const struct timespec times[2], int flags)
{
	return effect_fails(FAULT_DATE, "date", dir, name)
		   ? -1
		   : __real_utimensat(dir, name, times, flags);
}

WRAP(int, flock, int fd, int operation)
{
	return fault_fails(FAULT_LOCK, "lock", fd, NULL) ? -1 : __real_flock(fd, operation);
}

WRAP(int, fstat, int fd, struct stat *st)
{
	return fault_fails(FAULT_LOOK, "stat", fd, NULL) ? -1 : __real_fstat(fd, st);
}

WRAP(int, fstatat, int dir, const char *name, struct stat *st, int flags)
{
	return fault_fails(FAULT_LOOK, "stat", dir, name) ? -1
							  : __real_fstatat(dir, name, st, flags);
}

WRAP(ssize_t, getdents64, int fd, void *entries, size_t len)
{
	return fault_fails(FAULT_LOOK, "list", fd, NULL) ? -1
							 : __real_getdents64(fd, entries, len);
}

WRAP(struct dirent *, readdir, DIR *listing)
{
	return fault_fails(FAULT_LOOK, "list", dirfd(listing), NULL) ? NULL
								     : __real_readdir(listing);
}

WRAP(void *, malloc, size_t size)
{
	return fault_fails(FAULT_ALLOC, "malloc", -1, NULL) ? NULL : __real_malloc(size);
}

WRAP(void *, calloc, size_t count, size_t size)
{
	return fault_fails(FAULT_ALLOC, "calloc", -1, NULL) ? NULL : __real_calloc(count, size);
}

WRAP(void *, realloc, void *old, size_t size)
{
	return fault_fails(FAULT_ALLOC, "realloc", -1, NULL) ? NULL : __real_realloc(old, size);
}

#endif
