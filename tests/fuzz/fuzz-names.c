// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * FAULTS 33, 34, 35: names. Whatever a server or a directory calls things: what was encoded is
 * decoded to what it was, what was decoded is encoded to what it was, and no path leaves the tree.
 * The first byte of the input says which of the encodings, the second one how.
 */
#include "fuzz.h"
#include "journal/dir.h"
#include "mail/mailbox-name.h"
#include "mail/pattern.h"
#include "mail/utf7.h"
#include "maildir/encode.h"
#include "maildir/name.h"

#include <string.h>
#include <strings.h>

/* Those of a name's letters. */
static uint32_t names_flags(const struct maildir_name *name)
{
	bool others;

	return flags_from_letters(name->letters, name->letters_len, &others).bits;
}

/* A file's name with other flags keeps all else, and has those flags. */
static void names_file(const char *file, unsigned how)
{
	static const struct maildir_keywords none;
	const struct flags add = {how & FLAG_ALL}, remove = {(how >> 2) & FLAG_ALL};
	struct maildir_name before, after;
	char out[MAILDIR_FILE_SIZE], again[MAILDIR_FILE_SIZE];

	if (strlen(file) > MAILDIR_FILE_MAX)
		return;
	maildir_name_parse(file, &before);
	FUZZ_CHECK(before.unique_len <= strlen(file));
	maildir_name_is_raw(file, how);
	if (maildir_name_with_flags(file, &none, add, remove, out) < 0)
		return;
	maildir_name_parse(out, &after);
	FUZZ_CHECK(names_flags(&after) == ((names_flags(&before) & ~remove.bits) | add.bits));
	FUZZ_CHECK(after.unique_len == before.unique_len && !memcmp(out, file, after.unique_len));
	FUZZ_CHECK(maildir_name_with_flags(out, &none, add, remove, again) == 0);
	FUZZ_CHECK(!strcmp(out, again));
}

/* No component of a path may lead elsewhere or into a Maildir's own directories. */
static void names_check_path(enum maildir_layout layout, const char *path)
{
	static const char *const own[] = {"cur", "new", "tmp"};

	for (const char *at = path; strcmp(path, "."); at++) {
		size_t len = strcspn(at, "/");

		FUZZ_CHECK(len > 0 && len <= MAILDIR_ENTRY_MAX);
		FUZZ_CHECK(len != 2 || memcmp(at, "..", 2) != 0);
		FUZZ_CHECK(layout == MAILDIR_LAYOUT_PLUSPLUS || *at != '.');
		FUZZ_CHECK(layout == MAILDIR_LAYOUT_TREE || !at[len]);
		for (size_t i = 0; i < 3; i++)
			FUZZ_CHECK(len != 3 || memcmp(at, own[i], 3) != 0);
		at += len;
		if (!*at)
			return;
	}
}

/* Decodes a path entry by entry into name. */
static void names_decode(enum maildir_layout layout, const char *path, struct buf *name)
{
	char entry[MAILDIR_ENTRY_MAX + 1], parent[MAILBOX_NAME_MAX + 1] = "";

	for (const char *at = path;; at++) {
		size_t len = strcspn(at, "/");

		snprintf(entry, sizeof(entry), "%.*s", (int)len, at);
		buf_reset(name);
		FUZZ_CHECK(maildir_decode(layout, parent, entry, name) == 0);
		snprintf(parent, sizeof(parent), "%s", name->data);
		at += len;
		if (!*at)
			return;
	}
}

/* Whether a name begins with INBOX in another case, as no name does (mail/mailbox-name.h). */
static bool names_is_false_inbox(const char *name)
{
	return strcspn(name, "/") == 5 && !strncasecmp(name, "INBOX", 5) &&
	       memcmp(name, "INBOX", 5);
}

/* A mailbox's path and file of the journal, and back. */
static void names_mailbox(const char *name, enum maildir_layout layout)
{
	char file[NAME_MAX + 1];
	struct buf path, back;
	struct error err;

	if (mailbox_name_check(name, strlen(name), &err) < 0 || names_is_false_inbox(name))
		return;
	buf_init(&path, MAILDIR_PATH_MAX);
	buf_init(&back, MAILBOX_NAME_MAX);
	if (maildir_encode(layout, name, &path, &err) == 0) {
		names_check_path(layout, path.data);
		if (strcmp(path.data, ".") != 0) {
			names_decode(layout, path.data, &back);
			FUZZ_CHECK(!strcmp(back.data, name));
		}
	}
	journal_file_name(name, file);
	FUZZ_CHECK(*file != '.' && !strchr(file, '/') && strlen(file) <= NAME_MAX);
	buf_reset(&back);
	if (journal_file_mailbox(file, &back))
		FUZZ_CHECK(!strcmp(back.data, name));
	buf_free(&path);
	buf_free(&back);
}

/* What a directory calls an entry: what has a name has that path. */
static void names_entry(const char *entry, enum maildir_layout layout)
{
	struct buf name, path;

	buf_init(&name, MAILBOX_NAME_MAX);
	buf_init(&path, MAILDIR_PATH_MAX);
	if (!strchr(entry, '/') && maildir_decode(layout, "", entry, &name) == 0) {
		FUZZ_CHECK(maildir_encode(layout, name.data, &path, NULL) == 0);
		FUZZ_CHECK(!strcmp(path.data, entry));
	}
	buf_reset(&name);
	if (journal_file_mailbox(entry, &name) == 1) {
		char file[NAME_MAX + 1];

		journal_file_name(name.data, file);
		FUZZ_CHECK(!strcmp(file, entry));
	}
	buf_free(&name);
	buf_free(&path);
}

/* Modified UTF-7 to UTF-8 and back, and the other way round. */
static void names_utf7(const char *text, size_t len)
{
	struct buf there, back;

	buf_init(&there, 1 << 20);
	buf_init(&back, 1 << 20);
	if (utf7_decode(text, len, &there) == 0) {
		FUZZ_CHECK(utf8_is_valid(there.data, there.len));
		FUZZ_CHECK(utf7_encode(there.data, there.len, &back) == 0);
		FUZZ_CHECK(back.len == len && !memcmp(back.data, text, len));
	}
	buf_reset(&there);
	buf_reset(&back);
	FUZZ_CHECK((utf7_encode(text, len, &there) == 0) == utf8_is_valid(text, len));
	if (utf8_is_valid(text, len)) {
		FUZZ_CHECK(utf7_decode(there.data, there.len, &back) == 0);
		FUZZ_CHECK(back.len == len && !memcmp(back.data, text, len));
	}
	buf_free(&there);
	buf_free(&back);
}

/* A wire name becomes a name or none; and what goes out for that name means it again. */
static void names_wire(const char *text, size_t len, unsigned how)
{
	static const char *const prefixes[] = {"", "INBOX.", "INBOX/", "a&-/"};
	static const char delimiters[] = {'/', '.', '\0', '%', '^', '\\', '&', '-'};
	struct mailbox_naming naming = {.delimiter = delimiters[how % 8], .utf8 = how & 8};
	struct buf name, wire, back;
	struct error err;

	snprintf(naming.prefix, sizeof(naming.prefix), "%s", prefixes[(how >> 4) % 4]);
	buf_init(&name, MAILBOX_NAME_MAX);
	buf_init(&wire, 1 << 20);
	buf_init(&back, MAILBOX_NAME_MAX);
	if (mailbox_name_from_wire(&naming, text, len, &name, &err) == 0) {
		FUZZ_CHECK(mailbox_name_check(name.data, name.len, &err) == 0);
		FUZZ_CHECK(!names_is_false_inbox(name.data));
		names_mailbox(name.data, how & 64 ? MAILDIR_LAYOUT_TREE : MAILDIR_LAYOUT_PLUSPLUS);
		if (mailbox_name_to_wire(&naming, name.data, &wire, &err) == 0) {
			FUZZ_CHECK(!mailbox_name_from_wire(&naming, wire.data, wire.len, &back,
							   &err));
			FUZZ_CHECK(!strcmp(back.data, name.data));
		}
	} else {
		FUZZ_CHECK(err.kind == ERROR_PROTOCOL && err.scope == SCOPE_MAILBOX);
		FUZZ_CHECK(name.len == 0);
	}
	buf_free(&name);
	buf_free(&wire);
	buf_free(&back);
}

/* The first line is a pattern, the second a name; that it ends in time is the check. */
static void names_pattern(char *text)
{
	char *name = strchr(text, '\n');
	const char *patterns[] = {text};

	if (!name || strlen(text) > 300)
		return;
	*name = '\0';
	mailbox_patterns_match(patterns, 1, name + 1);
	mailbox_patterns_name(patterns, 1, name + 1);
}

/* One of the encodings. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[4096];

	if (size < 2 || size - 2 >= sizeof(text))
		return -1;
	enum maildir_layout layout = data[1] & 1 ? MAILDIR_LAYOUT_TREE : MAILDIR_LAYOUT_PLUSPLUS;

	memcpy(text, data + 2, size - 2);
	text[size - 2] = '\0';
	switch (data[0] % 6) {
	case 0: names_file(text, data[1]); break;
	case 1: names_mailbox(text, layout); break;
	case 2: names_entry(text, layout); break;
	case 3: names_utf7(text, size - 2); break;
	case 4: names_wire(text, size - 2, data[1]); break;
	case 5: names_pattern(text); break;
	}
	return 0;
}
