// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A scratch directory, and calls of the system that fail, are interrupted or fall short as planned.
 */
#ifndef TESTS_FILE_FIXTURE_H
#define TESTS_FILE_FIXTURE_H

#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include <stdbool.h>
#include <sys/types.h>

enum call { WRITE, READ, PREAD, FDATASYNC, FSYNC, RENAMEAT, RENAMEAT2, UNLINKAT, FLOCK, CALLS };

/* What the next calls do: the first ones fail with error; writes and reads take at most most. */
struct fixture_plan {
	int fail[CALLS]; /* how many calls fail */
	int error[CALLS];
	size_t most; /* 0: as many as asked for */
	int made[CALLS];
	char order[64]; /* one letter for each call that did something */
	bool meddle;    /* at fsync another has begun to replace the same file */
};

extern struct fixture_plan plan;
/* The directory that each test has to itself. */
extern char root[SCRATCH_PATH];
extern int dir;

int fixture_setup(void **state);
int fixture_teardown(void **state);
/* A plan of failures of one call, and nothing else. */
void plan_failure(enum call call, int times, int error);

bool exists(const char *name);
void put(const char *name, const char *text);
void assert_content(const char *name, const char *text);

#define test_in_directory(test)                                                                    \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

/* The calls themselves. */
ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __real_read(int fd, void *bytes, size_t len);
ssize_t __real_pread(int fd, void *bytes, size_t len, off_t at);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __real_unlinkat(int dirfd, const char *name, int flags);
int __real_flock(int fd, int operation);

#endif
