// SPDX-License-Identifier: GPL-3.0-or-later
/* evenmail.yaml(5) and the examples against the code: each key, each word, each whole file. */
#include "base/alloc.h"
#include "config-file.h"
#include "config/schema.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANUAL "man/evenmail.yaml.5"

/* A key's item in the manual, as a copy: from ".It Cm path " to the next item or the list's end. */
static char *find_item(const char *manual, const char *path)
{
	char *head = xasprintf("\n.It Cm %s ", path);
	const char *item = strstr(manual, head);
	const char *next, *end;

	free(head);
	if (item == NULL)
		return NULL;
	next = strstr(item + 1, "\n.It ");
	end = strstr(item, "\n.El");
	assert_non_null(end);
	return xstrndup(item, (size_t)((next != NULL && next < end ? next : end) - item));
}

/* Every key that works has an item that tells its words, bounds and default. */
static void test_supported(void **state)
{
	char *manual = files_read_source(MANUAL);
	size_t len, supported = 0;
	const struct schema_row *rows = schema_rows(&len);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		char *item;
		char bounds[32];

		if (rows[i].status != SCHEMA_SUPPORTED)
			continue;
		supported++;
		item = find_item(manual, rows[i].path);
		if (item == NULL)
			fail_msg("%s has no item", rows[i].path);
		for (size_t j = 0; rows[i].words != NULL && rows[i].words[j] != NULL; j++)
			if (strstr(item, rows[i].words[j]) == NULL)
				fail_msg("%s lacks %s", rows[i].path, rows[i].words[j]);
		if (rows[i].fallback != NULL &&
		    (strstr(item, "default") == NULL || strstr(item, rows[i].fallback) == NULL))
			fail_msg("%s lacks its default, %s", rows[i].path, rows[i].fallback);
		snprintf(bounds, sizeof(bounds), "number, %u to %u)", rows[i].min, rows[i].max);
		bounds[strlen(bounds) - 1] = '\n';
		if (rows[i].max != 0 && strstr(item, bounds) == NULL)
			fail_msg("%s lacks its bounds", rows[i].path);
		free(item);
	}
	assert_true(supported > 20);
	free(manual);
}

/* Every key that does not work yet is named in that section, and has no item. */
static void test_later(void **state)
{
	char *manual = files_read_source(MANUAL);
	char *section = strstr(manual, "\n.Sh NOT SUPPORTED YET\n");
	char *end = strstr(section + 1, "\n.Sh ");
	size_t len, named = 0, later = 0;
	const struct schema_row *rows = schema_rows(&len);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		char *line = xasprintf("\n.Cm %s ", rows[i].path);
		const char *at = strstr(section, line);
		char *item = find_item(manual, rows[i].path);

		if ((rows[i].status == SCHEMA_LATER) != (at != NULL && at < end))
			fail_msg("%s is on the wrong side", rows[i].path);
		if ((rows[i].status == SCHEMA_SUPPORTED) != (item != NULL))
			fail_msg("%s has an item or lacks one", rows[i].path);
		later += rows[i].status == SCHEMA_LATER;
		free(item);
		free(line);
	}
	for (char *at = section; (at = strstr(at + 1, "\n.Cm ")) != NULL && at < end;)
		named++;
	assert_int_equal(named, later);
	free(manual);
}

/* No item is of a key that is not there. */
static void test_items(void **state)
{
	char *manual = files_read_source(MANUAL);
	size_t len;
	const struct schema_row *rows = schema_rows(&len);

	(void)state;
	for (char *at = manual; (at = strstr(at, "\n.It Cm ")) != NULL;) {
		size_t i = 0;
		char *path;

		at += strlen("\n.It Cm ");
		path = xstrndup(at, strcspn(at, " \n"));
		while (i < len && strcmp(rows[i].path, path) != 0)
			i++;
		if (i == len)
			fail_msg("%s is no key", path);
		free(path);
	}
	free(manual);
}

/* Undoes what a backslash is in the manual's source. */
static void undo_backslashes(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		*to++ = *from;
		if (from[0] == '\\' && from[1] == 'e')
			from++;
	}
	*to = '\0';
}

/* What the manual shows as a whole configuration is one. */
static void test_displays(void **state)
{
	static const char begin[] = "\n.Bd -literal -offset indent\n";
	char *manual = files_read_source(MANUAL);
	size_t count = 0;

	(void)state;
	for (char *at = manual; (at = strstr(at, begin)) != NULL; count++) {
		char *end = strstr(at, "\n.Ed\n");
		struct config *config;
		char *text;

		assert_non_null(end);
		at += sizeof(begin) - 1;
		text = xstrndup(at, (size_t)(end + 1 - at));
		undo_backslashes(text);
		config = files_load_good(text);
		assert_true(config->len > 0);
		config_free(&config);
		free(text);
	}
	assert_int_equal(count, 7);
	free(manual);
}

/* Every example is a whole configuration, and every one is distributed. */
static void test_examples(void **state)
{
	const char *top = getenv("srcdir");
	char *path = xasprintf("%s/examples/config", top != NULL ? top : ".");
	char *list = files_read_source("examples/files.mk");
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t count = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		char *name = xasprintf("examples/config/%s", entry->d_name);
		struct config *config;
		char *text;

		if (entry->d_name[0] != '.') {
			text = files_read_source(name);
			config = files_load_good(text);
			config_free(&config);
			free(text);
			if (strstr(list, name) == NULL)
				fail_msg("%s is not distributed", name);
			count++;
		}
		free(name);
	}
	assert_true(count >= 8);
	closedir(dir);
	free(list);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_supported), cmocka_unit_test(test_later),
	    cmocka_unit_test(test_items),     cmocka_unit_test(test_displays),
	    cmocka_unit_test(test_examples),
	};

	return cmocka_run_group_tests(tests, files_begin, files_end);
}
