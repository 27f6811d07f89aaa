// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The generation of the Maildir tree that the journals of a channel speak of: a file beside them.
 */
#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"
#include "journal/dir.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GENERATION_START "evenmail-generation 1 "
#define GENERATION_MAX   128

/* Writes the file's one line. */
static void put_line(const struct journal_generation *generation, char out[GENERATION_MAX])
{
	snprintf(out, GENERATION_MAX, GENERATION_START "%s %" PRIu64 "\n", generation->key,
		 generation->number);
}

/* Takes a line apart; all zero where it is none of ours. */
static void take_line(const char *line, struct journal_generation *generation)
{
	const char *key = line + strlen(GENERATION_START);
	char again[GENERATION_MAX];

	if (strncmp(line, GENERATION_START, strlen(GENERATION_START)) != 0 ||
	    strcspn(key, " ") != JOURNAL_KEY_SIZE - 1)
		return;
	memcpy(generation->key, key, JOURNAL_KEY_SIZE - 1);
	generation->number = strtoull(key + JOURNAL_KEY_SIZE - 1, NULL, 10);
	put_line(generation, again);
	if (strcmp(again, line) != 0 || strchr(generation->key, '/') != NULL)
		*generation = (struct journal_generation){0};
}

/* One that cannot be understood is as good as none: the next is begun under a new key. */
int journal_dir_generation(const struct journal_dir *dir, struct journal_generation *generation,
			   struct error *err)
{
	struct buf text;
	int fd;
	int rc = 0;

	*generation = (struct journal_generation){0};
	if (journal_dir_open_file(dir, JOURNAL_GENERATION_FILE, &fd, err) < 0)
		return -1;
	if (fd < 0)
		return 0;
	buf_init(&text, GENERATION_MAX - 1);
	if (file_read_all(fd, &text, err) < 0 && !text.full)
		rc = error_prefix(err, "%s/" JOURNAL_GENERATION_FILE, text_show(dir->path));
	else if (text.len > 0 && !text.full)
		take_line(text.data, generation);
	file_close(&fd);
	buf_free(&text);
	return rc;
}

int journal_dir_set_generation(struct journal_dir *dir, const struct journal_generation *generation,
			       struct error *err)
{
	char line[GENERATION_MAX];

	assert(dir->exclusive && strlen(generation->key) == JOURNAL_KEY_SIZE - 1);
	put_line(generation, line);
	if (file_replace(dir->fd, JOURNAL_GENERATION_FILE, line, strlen(line), err) < 0)
		return error_prefix(err, "%s", text_show(dir->path));
	return 0;
}
