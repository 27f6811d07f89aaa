// SPDX-License-Identifier: GPL-3.0-or-later
#include "config-file.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char files_root[SCRATCH_PATH];

int files_begin(void **state)
{
	(void)state;
	setenv("HOME", "/home/u", 1);
	unsetenv("XDG_CONFIG_HOME");
	return scratch_make(files_root, sizeof(files_root), "config");
}

int files_end(void **state)
{
	DIR *dir = opendir(files_root);
	struct dirent *entry;

	(void)state;
	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	return rmdir(files_root);
}

const char *files_dir(void)
{
	return files_root;
}

const char *files_path(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", files_root, name);
	return path;
}

void files_write(const char *name, const void *bytes, size_t len, mode_t mode)
{
	const char *path = files_path(name);
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(file_write(fd, bytes, len, NULL), 0);
	assert_int_equal(fchmod(fd, mode), 0); /* whatever the umask */
	file_close(&fd);
}

char *files_read_source(const char *name)
{
	const char *top = getenv("srcdir");
	char *path = xasprintf("%s/%s", top != NULL ? top : ".", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf text;
	char *copy;

	if (fd < 0)
		fail_msg("%s: not there (is srcdir set?)", path);
	buf_init(&text, 1024 * 1024);
	assert_int_equal(file_read_all(fd, &text, NULL), 0);
	file_close(&fd);
	copy = xstrndup(text.data, text.len);
	buf_free(&text);
	free(path);
	return copy;
}

struct config *files_load(const char *text, mode_t mode, const char **why)
{
	static struct error err;
	const char *path;
	struct config *config;

	files_write("c", text, strlen(text), mode);
	path = files_path("c");
	error_clear(&err);
	if (config_load(path, &config, &err) == 0) {
		assert_int_equal(err.kind, ERROR_NONE);
		assert_non_null(config);
		*why = NULL;
		return config;
	}
	assert_null(config);
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_int_equal(err.scope, SCOPE_FATAL);
	assert_memory_equal(err.text, path, strlen(path));
	*why = err.text + strlen(path);
	return NULL;
}

struct config *files_load_good(const char *text)
{
	const char *why;
	struct config *config = files_load(text, 0600, &why);

	if (config == NULL)
		fail_msg("%s: %s", text, why);
	return config;
}

void files_check_refused(const char *text, const char *want)
{
	const char *why;
	struct config *config = files_load(text, 0600, &why);

	if (config != NULL)
		fail_msg("taken: %s", text);
	assert_string_equal(why, want);
}
