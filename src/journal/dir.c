// SPDX-License-Identifier: GPL-3.0-or-later
#include "journal/dir.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "journal/escape.h"
#include "journal/record.h"
#include "mail/digest.h"
#include "mail/mailbox-name.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHANNEL_MAX ((size_t)16 * 1024)

/* Room for file_replace()'s temporary name is left. */
#define FILE_NAME_LONGEST (NAME_MAX - strlen(JOURNAL_SUFFIX) - strlen("..tmp"))
#define FILE_DIGEST_LEN   16

/* Appends '~', which no escaped name holds, and the start of the mailbox's digest. */
static void file_name_cut(struct buf *name, const char *mailbox)
{
	struct digest_stream *stream = digest_open();
	struct digest digest;
	char hex[DIGEST_HEX_SIZE];
	size_t kept = 0;

	for (;;) {
		size_t next = escape_char_len(name->data + kept, name->len - kept);

		if (kept + next > FILE_NAME_LONGEST - 1 - FILE_DIGEST_LEN)
			break;
		kept += next;
	}
	digest_update(stream, mailbox, strlen(mailbox));
	digest_finish(stream, &digest);
	digest_close(&stream);
	digest_to_hex(&digest, hex);
	buf_cut(name, kept);
	buf_putc(name, '~');
	buf_append(name, hex, FILE_DIGEST_LEN);
}

/* A leading '.' is escaped too: what begins with one is a temporary file. */
void journal_file_name(const char *mailbox, char out[NAME_MAX + 1])
{
	struct buf name;
	size_t dot = mailbox[0] == '.' ? 1 : 0;

	assert(strlen(mailbox) <= MAILBOX_NAME_MAX);
	buf_init(&name, (size_t)4 * MAILBOX_NAME_MAX);
	if (dot > 0)
		buf_puts(&name, "%2E");
	escape_put(&name, ESCAPE_FILE, mailbox + dot, strlen(mailbox) - dot);
	if (name.len > FILE_NAME_LONGEST)
		file_name_cut(&name, mailbox);
	snprintf(out, NAME_MAX + 1, "%s" JOURNAL_SUFFIX, name.data);
	buf_free(&name);
}

/* Only what journal_file_name() would give back counts: two names must not be one mailbox. */
int journal_file_mailbox(const char *file, struct buf *out)
{
	size_t suffix = strlen(JOURNAL_SUFFIX);
	size_t len = strlen(file);
	char again[NAME_MAX + 1];
	char mailbox[NAME_MAX + 1];

	if (len <= suffix || len > NAME_MAX || file[0] == '.' ||
	    strcmp(file + len - suffix, JOURNAL_SUFFIX) != 0)
		return -1;
	len -= suffix;
	memcpy(mailbox, file, len);
	if (len > FILE_DIGEST_LEN && mailbox[len - FILE_DIGEST_LEN - 1] == '~')
		return 0;
	if (escape_undo(mailbox, len, &len) < 0)
		return -1;
	journal_file_name(mailbox, again);
	if (strcmp(again, file) != 0)
		return -1;
	buf_append(out, mailbox, len);
	return 1;
}

/* Opens a file of the directory for reading; 0 and *fd -1 where there is none. */
int journal_dir_open_file(const struct journal_dir *dir, const char *name, int *fd,
			  struct error *err)
{
	struct stat st;

	*fd = -1;
	if (dir->fd < 0)
		return 0;
	*fd = openat(dir->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0 && errno == ENOENT)
		return 0;
	if (*fd < 0)
		return error_errno(err, SCOPE_MAILBOX, "cannot open %s/%s", text_show(dir->path),
				   text_show(name));
	if (fstat(*fd, &st) < 0) {
		error_errno(err, SCOPE_MAILBOX, "cannot look at %s/%s", text_show(dir->path),
			    text_show(name));
		file_close(fd);
		return -1;
	}
	if (S_ISREG(st.st_mode))
		return 0;
	file_close(fd);
	return error_set(err, ERROR_IO, SCOPE_MAILBOX, "%s/%s is no regular file",
			 text_show(dir->path), text_show(name));
}

/* Takes over what the record says. */
static void dir_keep_owner(struct journal_dir *dir, const struct record_owner *owner)
{
	char *account = xstrdup(owner->account);
	char *tree = xstrdup(owner->tree);

	free(dir->account);
	free(dir->tree);
	dir->account = account;
	dir->tree = tree;
}

/* Reads the channel's record; that there is none is fine. */
static int dir_read_channel(struct journal_dir *dir, struct error *err)
{
	struct record_owner owner = {"", "", ""};
	struct buf text;
	int fd;
	int rc = -1;

	buf_init(&text, CHANNEL_MAX);
	if (journal_dir_open_file(dir, JOURNAL_CHANNEL_FILE, &fd, err) < 0)
		goto out;
	if (fd >= 0 && file_read_all(fd, &text, err) < 0) {
		error_prefix(err, "%s/" JOURNAL_CHANNEL_FILE, text_show(dir->path));
		goto out;
	}
	if (fd >= 0 && (text.len == 0 || text.data[text.len - 1] != '\n' ||
			record_parse_channel(text.data, text.len - 1, &owner) < 0)) {
		error_set(err, ERROR_IO, SCOPE_STORE,
			  "%s/" JOURNAL_CHANNEL_FILE
			  " is damaged; move it away, and the next run writes it anew",
			  text_show(dir->path));
		goto out;
	}
	dir_keep_owner(dir, &owner);
	rc = 0;
out:
	if (rc < 0 && err != NULL)
		err->scope = SCOPE_STORE;
	file_close(&fd);
	buf_free(&text);
	return rc;
}

/*
 * What is deleted rests on the journals: who else could write them would have a say in that. Who
 * could read the directory would learn the mailboxes' names.
 */
static int dir_check_owner(const struct journal_dir *dir, struct error *err)
{
	struct stat st;

	if (dir->fd < 0)
		return 0;
	if (fstat(dir->fd, &st) < 0)
		return error_errno(err, SCOPE_STORE, "cannot look at %s", text_show(dir->path));
	if (st.st_uid != geteuid())
		return error_set(err, ERROR_IO, SCOPE_STORE, "%s belongs to another user (uid %lu)",
				 text_show(dir->path), (unsigned long)st.st_uid);
	if (st.st_mode & (S_IWOTH | S_IWGRP))
		log_warn("%s can be changed by others; chmod go-w helps", text_show(dir->path));
	else if (st.st_mode & (S_IRWXO | S_IRWXG))
		log_warn("%s can be read by others; chmod go= helps", text_show(dir->path));
	return 0;
}

/* Opens without making anything; a directory that is missing is an empty one. */
static int dir_open_to_read(struct journal_dir *dir, struct error *err)
{
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir->fd < 0 && errno != ENOENT)
		return error_errno(err, SCOPE_STORE, "cannot open the directory %s",
				   text_show(dir->path));
	return dir_check_owner(dir, err);
}

/* Makes the directory and takes its lock. */
static int dir_open_to_write(struct journal_dir *dir, struct error *err)
{
	dir->fd = file_make_dirs(dir->path, err);
	if (dir->fd < 0 || dir_check_owner(dir, err) < 0)
		return -1;
	if (lock_acquire(dir->fd, JOURNAL_LOCK_FILE, &dir->lock, err) < 0)
		return error_prefix(err, "%s", text_show(dir->path));
	return 0;
}

/* Closes again what was opened before it failed. */
int journal_dir_open(const char *path, bool exclusive, struct journal_dir **out, struct error *err)
{
	struct journal_dir *dir = xcalloc(1, sizeof(*dir));
	int rc;

	dir->path = xstrdup(path);
	dir->fd = -1;
	dir->exclusive = exclusive;
	rc = exclusive ? dir_open_to_write(dir, err) : dir_open_to_read(dir, err);
	if (rc == 0)
		rc = dir_read_channel(dir, err);
	if (rc < 0)
		journal_dir_close(&dir);
	*out = dir;
	return rc;
}

/* The lock goes before the directory's descriptor. */
void journal_dir_close(struct journal_dir **dir)
{
	if (*dir == NULL)
		return;
	lock_release(&(*dir)->lock);
	file_close(&(*dir)->fd);
	free((*dir)->account);
	free((*dir)->tree);
	free((*dir)->path);
	free(*dir);
	*dir = NULL;
}

/* As it was opened. */
bool journal_dir_is_exclusive(const struct journal_dir *dir)
{
	return dir->exclusive;
}

/* As read or set last. */
const char *journal_dir_account(const struct journal_dir *dir)
{
	return dir->account;
}

/* As read or set last. */
const char *journal_dir_tree(const struct journal_dir *dir)
{
	return dir->tree;
}

/* The arguments may be those that journal_dir_account() and journal_dir_tree() gave. */
int journal_dir_set(struct journal_dir *dir, const char *account, const char *tree,
		    struct error *err)
{
	struct record_owner owner = {.account = account, .tree = tree};
	struct buf text;
	int rc = -1;

	assert(dir->exclusive);
	buf_init(&text, CHANNEL_MAX - 1);
	record_put_channel(&text, &owner);
	if (text.full)
		error_set(err, ERROR_IO, SCOPE_STORE, "the account's name is too long to be kept");
	else
		rc = file_replace(dir->fd, JOURNAL_CHANNEL_FILE, text.data, text.len, err);
	buf_free(&text);
	if (rc < 0)
		return error_prefix(err, "%s", text_show(dir->path));
	dir_keep_owner(dir, &owner);
	return 0;
}

/* They have no suffix. */
bool journal_dir_is_own_file(const char *name)
{
	return strcmp(name, JOURNAL_CHANNEL_FILE) == 0 || strcmp(name, JOURNAL_LOCK_FILE) == 0 ||
	       strcmp(name, JOURNAL_GENERATION_FILE) == 0;
}

/*
 * Opens a file whose name was cut, and reads its beginning. *len is 0 where there is nothing to be
 * read: it is gone meanwhile, or no file that a run made. -1: it may be a journal, but the disk
 * does not tell.
 */
static int dir_read_start(const struct journal_dir *dir, const char *file, char *bytes, size_t *len,
			  struct error *err)
{
	struct error why;
	int fd;
	int rc = 0;

	*len = 0;
	if (journal_dir_open_file(dir, file, &fd, &why) < 0) {
		if (why.sys == 0 || why.sys == ELOOP)
			return 0;
		rc = -1;
	} else if (fd >= 0 && file_read_at(fd, bytes, RECORD_FIRST_MAX, 0, len, &why) < 0) {
		rc = error_prefix(&why, "%s/%s", text_show(dir->path), text_show(file));
	}
	file_close(&fd);
	if (rc < 0)
		error_set(
		    err, ERROR_IO, SCOPE_STORE,
		    "%s; whose journal it is cannot be told: where the disk has lost it, move "
		    "it away, and its mailbox is matched anew",
		    why.text);
	return rc;
}

/*
 * The mailbox that the first line of a file names, freed by the caller; NULL where there is none.
 * -1: it cannot be read.
 */
static int dir_read_mailbox(const struct journal_dir *dir, const char *file, char **mailbox,
			    struct error *err)
{
	char *bytes = xmalloc(RECORD_FIRST_MAX);
	struct record_owner owner;
	char *newline;
	size_t len;
	int rc = dir_read_start(dir, file, bytes, &len, err);

	newline = rc == 0 ? memchr(bytes, '\n', len) : NULL;
	if (newline != NULL && record_parse_first(bytes, (size_t)(newline - bytes), &owner) == 0)
		*mailbox = xstrdup(owner.mailbox);
	free(bytes);
	return rc;
}

/*
 * The mailbox of a directory's entry, freed by the caller; NULL where it is no journal. -1: that
 * cannot be told.
 */
static int dir_entry_mailbox(const struct journal_dir *dir, const char *file, char **mailbox,
			     struct error *err)
{
	struct buf name;
	int rc = 0;

	*mailbox = NULL;
	buf_init(&name, NAME_MAX);
	switch (journal_file_mailbox(file, &name)) {
	case 1: *mailbox = xstrdup(name.data); break;
	case 0: rc = dir_read_mailbox(dir, file, mailbox, err); break;
	default: break;
	}
	if (rc == 0 && *mailbox == NULL && file[0] != '.' && !journal_dir_is_own_file(file))
		log_info("%s/%s is no journal and left alone", text_show(dir->path),
			 text_show(file));
	buf_free(&name);
	return rc;
}

/* For qsort(). */
static int dir_compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* None may be NULL, which qsort(3) does not take. */
static void dir_sort_names(char **names, size_t count)
{
	if (count > 0)
		qsort(names, count, sizeof(*names), dir_compare_names);
}

/* Reads on to the end: readdir(3) tells errors by errno alone. */
static int dir_read_names(DIR *listing, char ***names, size_t *count)
{
	const struct dirent *entry;
	size_t cap = 0;

	while ((errno = 0, entry = readdir(listing)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			*array_push(*names, *count, cap) = xstrdup(entry->d_name);
	return errno != 0 ? -1 : 0;
}

/* By a descriptor of its own: closing the listing closes that. */
int journal_dir_read(const struct journal_dir *dir, char ***names, size_t *count, struct error *err)
{
	DIR *listing;
	int fd;
	int rc = -1;

	*names = NULL;
	*count = 0;
	if (dir->fd < 0)
		return 0;
	fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	listing = fd >= 0 ? fdopendir(fd) : NULL;
	if (listing != NULL)
		rc = dir_read_names(listing, names, count);
	if (rc < 0) {
		error_errno(err, SCOPE_STORE, "cannot list %s", text_show(dir->path));
		journal_names_free(*names, *count);
		*names = NULL;
		*count = 0;
	}
	if (listing != NULL)
		closedir(listing);
	else
		file_close(&fd);
	dir_sort_names(*names, *count);
	return rc;
}

/* In place: a mailbox's name for that of its file, and the rest dropped. */
int journal_dir_list(struct journal_dir *dir, char ***names, size_t *count, struct error *err)
{
	size_t files;
	int rc;

	*count = 0;
	rc = journal_dir_read(dir, names, &files, err);
	for (size_t i = 0; i < files; i++) {
		char *mailbox = NULL;

		if (rc == 0)
			rc = dir_entry_mailbox(dir, (*names)[i], &mailbox, err);
		free((*names)[i]);
		if (mailbox != NULL)
			(*names)[(*count)++] = mailbox;
	}
	dir_sort_names(*names, *count);
	if (rc == 0)
		return 0;
	journal_names_free(*names, *count);
	*names = NULL;
	*count = 0;
	return -1;
}

/* Frees what journal_dir_list() gave. */
void journal_names_free(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

/* One that is gone already is as good as removed. */
int journal_remove(struct journal_dir *dir, const char *mailbox, struct error *err)
{
	char name[NAME_MAX + 1];

	assert(dir->exclusive);
	journal_file_name(mailbox, name);
	if (unlinkat(dir->fd, name, 0) < 0) {
		if (errno == ENOENT)
			return 0;
		return error_errno(err, SCOPE_MAILBOX, "cannot remove %s/%s", text_show(dir->path),
				   text_show(name));
	}
	if (file_sync_dir(dir->fd, err) < 0)
		return error_prefix(err, "%s", text_show(dir->path));
	return 0;
}
