// SPDX-License-Identifier: GPL-3.0-or-later
/* The generations of a tree, a file each beside the marker. */
#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"
#include "maildir/tree-inner.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GENERATION_FILE  ".evenmail-"            /* before the key */
#define GENERATION_START "evenmail generation 1 " /* before the number and a newline */
#define GENERATION_MAX   64

/* The file's name. */
static void name_file(const char *key, char out[GENERATION_MAX])
{
	int len = snprintf(out, GENERATION_MAX, GENERATION_FILE "%s", key);

	assert(len > 0 && len < GENERATION_MAX && !strchr(key, '/'));
}

/* The number; 0 where the text is none of ours. */
static uint64_t read_number(const char *text)
{
	const size_t start = strlen(GENERATION_START);
	char again[GENERATION_MAX];
	uint64_t number;

	if (strncmp(text, GENERATION_START, start) != 0)
		return 0;
	number = strtoull(text + start, NULL, 10);
	snprintf(again, sizeof(again), GENERATION_START "%" PRIu64 "\n", number);
	return strcmp(again, text) == 0 ? number : 0;
}

int maildir_tree_generation(const struct maildir_tree *tree, const char *key, uint64_t *number,
			    struct error *err)
{
	char file[GENERATION_MAX];
	struct buf text;
	int fd, rc;

	*number = 0;
	name_file(key, file);
	fd = openat(tree->root, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return error_errno(err, SCOPE_FATAL, "cannot open %s in %s", file,
				   text_show(tree->path));
	buf_init(&text, GENERATION_MAX);
	rc = file_read_all(fd, &text, err);
	if (rc == 0 && text.len > 0)
		*number = read_number(text.data);
	else if (text.full)
		rc = 0;
	else if (rc < 0)
		error_prefix(err, "%s in %s", file, text_show(tree->path));
	if (rc < 0 && err)
		err->scope = SCOPE_FATAL;
	file_close(&fd);
	buf_free(&text);
	return rc;
}

int maildir_tree_set_generation(const struct maildir_tree *tree, const char *key, uint64_t number,
				struct error *err)
{
	char file[GENERATION_MAX], text[GENERATION_MAX];

	name_file(key, file);
	snprintf(text, sizeof(text), GENERATION_START "%" PRIu64 "\n", number);
	if (file_replace(tree->root, file, text, strlen(text), err) < 0)
		return error_prefix(err, "%s", text_show(tree->path));
	return 0;
}
