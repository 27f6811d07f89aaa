// SPDX-License-Identifier: GPL-3.0-or-later
/* What users do: on the disk as a mail program does it, on the server through its own door. */
#include "content.h"
#include "rig.h"

#include "base/alloc.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The scene cannot be set: nothing of what follows would mean anything. */
static _Noreturn void give_up(const char *what)
{
	perror(what);
	abort();
}

/* A mailbox's directory, or one of its parts; freed by the caller. */
static char *path_of(const struct rig *rig, const char *mailbox, const char *part)
{
	return xasprintf("%s/mail/%s%s%s", rig->root, mailbox, *part ? "/" : "", part);
}

/* Makes every directory above the last name, too. */
static void make_directories(char *path)
{
	for (char *at = strchr(path + 1, '/');; at = strchr(at + 1, '/')) {
		if (at)
			*at = '\0';
		mkdir(path, 0700);
		if (!at)
			return;
		*at = '/';
	}
}

void local_create(struct rig *rig, const char *mailbox)
{
	static const char *const parts[] = {"tmp", "new", "cur"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		char *path = path_of(rig, mailbox, parts[i]);

		make_directories(path);
		free(path);
	}
}

/* Writes what stands for a message on the disk: without CRs. */
static void write_file(const char *path, unsigned token)
{
	FILE *file = fopen(path, "we");
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = content_date(token)}};
	struct buf content;

	if (!file)
		give_up(path);
	buf_init(&content, CONTENT_MAX);
	content_make(token, &content);
	for (size_t i = 0; i < content.len; i++)
		if (content.data[i] != '\r')
			fputc(content.data[i], file);
	fclose(file);
	buf_free(&content);
	if (utimensat(AT_FDCWD, path, times, 0) < 0)
		give_up(path);
}

void local_put(struct rig *rig, const char *mailbox, unsigned token, const char *flags)
{
	char *part = path_of(rig, mailbox, *flags ? "cur" : "new");
	char *path = xasprintf("%s/%u.U%u.user%s%s", part, token, ++rig->files,
			       *flags ? ":2," : "", flags);

	write_file(path, token);
	free(part);
	free(path);
}

/* The file of a message: its path, freed by the caller. */
static char *find(const struct rig *rig, const char *mailbox, unsigned token)
{
	static const char *const parts[] = {"cur", "new"};
	char start[64];
	char *found = NULL;

	snprintf(start, sizeof(start), "Message-ID: <%u@rig>", token);
	for (size_t i = 0; i < 2 && !found; i++) {
		char *part = path_of(rig, mailbox, parts[i]);
		DIR *listing = opendir(part);
		struct dirent *entry;

		while (listing && !found && (entry = readdir(listing))) {
			char *path = xasprintf("%s/%s", part, entry->d_name);
			FILE *file = fopen(path, "re");
			char head[64] = "";

			if (file && fgets(head, sizeof(head), file) &&
			    strncmp(head, start, strlen(start)) == 0)
				found = xstrdup(path);
			if (file)
				fclose(file);
			free(path);
		}
		if (listing)
			closedir(listing);
		free(part);
	}
	if (!found)
		give_up(start);
	return found;
}

/* The part of a path behind the last slash. */
static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static void rename_file(const char *from, const char *to)
{
	if (rename(from, to) < 0)
		give_up(to);
}

void local_flag(struct rig *rig, const char *mailbox, unsigned token, const char *flags)
{
	char *from = find(rig, mailbox, token);
	char *cur = path_of(rig, mailbox, "cur");
	const char *name = name_of(from);
	char *to = xasprintf("%s/%.*s:2,%s", cur, (int)strcspn(name, ":"), name, flags);

	rename_file(from, to);
	free(from);
	free(cur);
	free(to);
}

void local_remove(struct rig *rig, const char *mailbox, unsigned token)
{
	char *path = find(rig, mailbox, token);

	if (unlink(path) < 0)
		give_up(path);
	free(path);
}

void local_move(struct rig *rig, const char *mailbox, unsigned token, const char *target)
{
	char *from = find(rig, mailbox, token);
	char *part = path_of(rig, target, strstr(from, ":2,") ? "cur" : "new");
	char *to = xasprintf("%s/%s", part, name_of(from));

	rename_file(from, to);
	free(from);
	free(part);
	free(to);
}

void local_copy(struct rig *rig, const char *mailbox, unsigned token, const char *target)
{
	char *from = find(rig, mailbox, token);
	const char *letters = strstr(from, ":2,");

	local_put(rig, target, token, letters ? letters + 3 : "");
	free(from);
}

void local_rename(struct rig *rig, const char *mailbox, const char *target)
{
	char *from = path_of(rig, mailbox, ""), *to = path_of(rig, target, "");

	rename_file(from, to);
	free(from);
	free(to);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

void local_destroy(struct rig *rig, const char *mailbox)
{
	char *path = path_of(rig, mailbox, "");

	if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0)
		give_up(path);
	free(path);
}

void local_name_keywords(struct rig *rig, const char *mailbox, const char *lines)
{
	char *path = path_of(rig, mailbox, "dovecot-keywords");
	FILE *file = fopen(path, "we");

	if (!file || fputs(lines, file) < 0 || fclose(file) != 0)
		give_up(path);
	free(path);
}

/* The key of a message on the server. */
static struct message_key key_of(const struct rig *rig, const char *mailbox, unsigned token)
{
	for (size_t i = 0; i < memory_count(rig->server, mailbox); i++) {
		struct memory_message message = memory_get(rig->server, mailbox, i);

		if (content_token(message.content, message.len) == token)
			return message.state.key;
	}
	give_up(mailbox);
}

static struct flags flags_of(const char *letters)
{
	bool others;

	return flags_from_letters(letters, strlen(letters), &others);
}

void remote_put(struct rig *rig, const char *mailbox, unsigned token, const char *flags)
{
	struct buf content;

	buf_init(&content, CONTENT_MAX);
	content_make(token, &content);
	memory_deliver(rig->server, mailbox, content.data, content.len, flags_of(flags),
		       content_date(token));
	buf_free(&content);
}

void remote_flag(struct rig *rig, const char *mailbox, unsigned token, const char *flags,
		 const char *keyword)
{
	struct message_key key = key_of(rig, mailbox, token);
	struct flags add = flags_of(flags);

	if (keyword)
		add.keywords = keywords_of(keyword, strlen(keyword));
	memory_flag(rig->server, mailbox, &key, add, (struct flags){0});
}

void remote_remove(struct rig *rig, const char *mailbox, unsigned token)
{
	struct message_key key = key_of(rig, mailbox, token);

	memory_expunge(rig->server, mailbox, &key);
}

void remote_move(struct rig *rig, const char *mailbox, unsigned token, const char *target)
{
	struct message_key key = key_of(rig, mailbox, token);

	memory_move(rig->server, mailbox, &key, target, true);
}

void remote_copy(struct rig *rig, const char *mailbox, unsigned token, const char *target)
{
	struct message_key key = key_of(rig, mailbox, token);

	memory_copy(rig->server, mailbox, &key, target);
}
