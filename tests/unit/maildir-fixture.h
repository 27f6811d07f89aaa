// SPDX-License-Identifier: GPL-3.0-or-later
/* A Maildir tree in a directory of its own, for tests; failing to set it up fails the test. */
#ifndef MAILDIR_FIXTURE_H
#define MAILDIR_FIXTURE_H

#include "maildir/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	char path[256];
	struct maildir_tree *tree;
};

/* Removes one file, for nftw. */
static inline int fixture_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Opens a tree of the layout in a new directory. */
static inline struct fixture *fixture_open(enum maildir_layout layout)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const char *base = getenv("TMPDIR");
	struct error err = {0};

	assert_non_null(fixture);
	snprintf(fixture->path, sizeof(fixture->path), "%s/evenmail-maildir-XXXXXX",
		 base ? base : "/tmp");
	assert_non_null(mkdtemp(fixture->path));
	if (maildir_tree_open(fixture->path, layout, true, &fixture->tree, &err) < 0)
		fail_msg("%s", err.text);
	return fixture;
}

static inline int fixture_setup(void **state)
{
	*state = fixture_open(MAILDIR_LAYOUT_TREE);
	return 0;
}

static inline int fixture_setup_plusplus(void **state)
{
	*state = fixture_open(MAILDIR_LAYOUT_PLUSPLUS);
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;

	maildir_tree_close(&fixture->tree);
	nftw(fixture->path, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
	free(fixture);
	return 0;
}

/* The path of something below the root, in a buffer that the next call overwrites. */
static inline const char *fixture_path(const struct fixture *fixture, const char *below)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", fixture->path, below);
	return path;
}

/* Makes a mailbox. */
static inline void fixture_create(struct fixture *fixture, const char *name)
{
	struct error err = {0};

	if (maildir_tree_create(fixture->tree, name, &err) < 0)
		fail_msg("%s", err.text);
}

/* Writes a file. */
static inline void fixture_put(const struct fixture *fixture, const char *below, const void *bytes,
			       size_t len)
{
	FILE *file = fopen(fixture_path(fixture, below), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* Reads a file of up to size bytes; returns its length. */
static inline size_t fixture_get(const struct fixture *fixture, const char *below, char *out,
				 size_t size)
{
	FILE *file = fopen(fixture_path(fixture, below), "r");
	size_t len;

	if (!file)
		fail_msg("%s is not there", below);
	len = fread(out, 1, size, file);
	fclose(file);
	return len;
}

static inline bool fixture_has(const struct fixture *fixture, const char *below)
{
	struct stat st;

	return lstat(fixture_path(fixture, below), &st) == 0;
}

/* How many entries a directory has; the last one's name goes to name, unless NULL. */
static inline size_t fixture_count(const struct fixture *fixture, const char *below,
				   char name[MAILDIR_FILE_SIZE])
{
	DIR *dir = opendir(fixture_path(fixture, below));
	struct dirent *entry;
	size_t count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (name)
			memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
		count++;
	}
	closedir(dir);
	return count;
}

/* Sets the mtimes of a mailbox's cur and new so far back that they are trusted. */
static inline void fixture_age(const struct fixture *fixture, const char *mailbox)
{
	static const char *const parts[] = {"cur", "new"};
	const struct timespec times[2] = {{1700000000, 1}, {1700000000, 500}};

	for (size_t i = 0; i < 2; i++) {
		char below[512];

		snprintf(below, sizeof(below), "%s/%s", mailbox, parts[i]);
		assert_int_equal(utimensat(AT_FDCWD, fixture_path(fixture, below), times, 0), 0);
	}
}

#endif
