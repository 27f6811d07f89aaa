// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/message.h"

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "maildir/deliver.h"
#include "maildir/name.h"
#include "maildir/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* A file that is renamed that often while we look for it is renamed by a program gone wild. */
#define CHASES_MAX 50

/* Scans anew. */
static int refresh(struct maildir_mailbox *mailbox, struct error *err)
{
	maildir_mailbox_forget(mailbox);
	if (maildir_scan_take(mailbox, &mailbox->scan, err) < 0)
		return -1;
	mailbox->fresh = true;
	return 0;
}

/* Looks in the last scan, then in a new one. */
int maildir_message_find(struct maildir_mailbox *mailbox, const char *unique,
			 const struct maildir_entry **entry, struct error *err)
{
	if (!mailbox->scan && refresh(mailbox, err) < 0)
		return -1;
	*entry = maildir_scan_find(mailbox->scan, unique, strlen(unique));
	if (!*entry && !mailbox->fresh) {
		if (refresh(mailbox, err) < 0)
			return -1;
		*entry = maildir_scan_find(mailbox->scan, unique, strlen(unique));
	}
	return *entry ? 1 : 0;
}

/* Says why a message could not be dealt with; errno tells. */
static int fail(const struct maildir_mailbox *mailbox, const char *unique, const char *what,
		struct error *err)
{
	return error_errno(err, SCOPE_MESSAGE, "mailbox %s: cannot %s message %s",
			   text_show(mailbox->name), what, text_show(unique));
}

/*
 * After an attempt that failed: 0 where the file was renamed and another attempt is worth it.
 * EEXIST comes from a second file with that name, which a scan gives a name of its own.
 */
static int chase(struct maildir_mailbox *mailbox, const char *unique, const char *what,
		 unsigned *chases, struct error *err)
{
	if ((errno != ENOENT && errno != EEXIST) || ++*chases > CHASES_MAX)
		return fail(mailbox, unique, what, err);
	return refresh(mailbox, err);
}

/* That what has a message's name is no regular file by now: the message is not deleted for that. */
static int fail_other(const struct maildir_mailbox *mailbox, const char *unique, unsigned char type,
		      struct error *err)
{
	const char *name = type == DT_LNK   ? "symbolic link"
			   : type == DT_DIR ? "directory"
					    : "special file";

	return error_set(err, ERROR_REFUSED, SCOPE_MESSAGE,
			 "mailbox %s: the file of message %s is a %s now, which is not read: put "
			 "the file back, or remove the %s to delete the message",
			 text_show(mailbox->name), text_show(unique), name, name);
}

/* Never waits for a FIFO's writer, and follows no symlink to what is no mail. */
int maildir_message_open(struct maildir_mailbox *mailbox, const char *unique, int *fd,
			 const struct maildir_entry **entry, struct stat *st, struct error *err)
{
	unsigned chases = 0;
	unsigned char type;

	*fd = -1;
	for (;;) {
		int rc = maildir_message_find(mailbox, unique, entry, err);

		if (rc == 0 && maildir_scan_find_other(mailbox->scan, unique, &type))
			return fail_other(mailbox, unique, type, err);
		if (rc <= 0)
			return rc;
		*fd = openat(mailbox->fds[(*entry)->dir], (*entry)->file,
			     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (*fd >= 0)
			break;
		if (chase(mailbox, unique, "open", &chases, err) < 0)
			return -1;
	}
	if (fstat(*fd, st) < 0) {
		fail(mailbox, unique, "look at", err);
		file_close(fd);
		return -1;
	}
	if (!S_ISREG(st->st_mode)) {
		file_close(fd);
		return error_set(err, ERROR_IO, SCOPE_MESSAGE,
				 "mailbox %s: message %s is no regular file",
				 text_show(mailbox->name), text_show(unique));
	}
	return 1;
}

/*
 * Where the letters are right already, the file keeps its name and its place. Keywords without a
 * letter are left out.
 */
int maildir_message_flag(struct maildir_mailbox *mailbox, const char *unique, struct flags add,
			 struct flags remove, struct error *err)
{
	unsigned chases = 0;

	for (;;) {
		const struct maildir_entry *entry;
		struct flags want;
		char file[MAILDIR_FILE_SIZE];
		enum maildir_dir dir;
		int rc = maildir_message_find(mailbox, unique, &entry, err);

		if (rc <= 0)
			return rc;
		add.keywords = keywords_intersect(add.keywords, mailbox->keywords.named);
		want = flags_union(flags_minus(entry->flags, remove), add);
		if (flags_equal(want, entry->flags))
			return 1;
		if (maildir_name_with_flags(entry->file, &mailbox->keywords, add, remove, file) <
		    0) {
			errno = ENAMETOOLONG;
			return fail(mailbox, unique, "flag", err);
		}
		dir = entry->dir;
		if (file_rename_new(mailbox->fds[dir], entry->file, mailbox->fds[MAILDIR_CUR],
				    file) == 0) {
			maildir_watch_note(mailbox, dir, entry->file, MAILDIR_CUR, file);
			mailbox->dirty[dir] = mailbox->dirty[MAILDIR_CUR] = true;
			maildir_scan_put(mailbox->scan, MAILDIR_CUR, file);
			return 1;
		}
		if (chase(mailbox, unique, "flag", &chases, err) < 0)
			return -1;
	}
}

int maildir_message_date(struct maildir_mailbox *mailbox, const char *unique, int64_t date,
			 struct error *err)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = date}};
	unsigned chases = 0;

	for (;;) {
		const struct maildir_entry *entry;
		int rc = maildir_message_find(mailbox, unique, &entry, err);

		if (rc <= 0)
			return rc;
		if (utimensat(mailbox->fds[entry->dir], entry->file, times, AT_SYMLINK_NOFOLLOW) ==
		    0)
			return 1;
		if (chase(mailbox, unique, "date", &chases, err) < 0)
			return -1;
	}
}

/* Unlinks. */
int maildir_message_remove(struct maildir_mailbox *mailbox, const char *unique, struct error *err)
{
	unsigned chases = 0;

	for (;;) {
		const struct maildir_entry *entry;
		int rc = maildir_message_find(mailbox, unique, &entry, err);

		if (rc <= 0)
			return rc;
		if (unlinkat(mailbox->fds[entry->dir], entry->file, 0) == 0) {
			mailbox->dirty[entry->dir] = true;
			maildir_scan_remove(mailbox->scan, unique);
			return 1;
		}
		if (chase(mailbox, unique, "remove", &chases, err) < 0)
			return -1;
	}
}

/* The same keywords by the target's letters. Those that find none there are lost to the file. */
static int translate_letters(const struct maildir_mailbox *mailbox, struct maildir_mailbox *target,
			     const struct maildir_entry *entry, char out[MAILDIR_FILE_SIZE],
			     uint32_t *left_out, struct error *err)
{
	const struct flags none = {0}, keywords = {.keywords = entry->flags.keywords};
	char bare[MAILDIR_FILE_SIZE];
	uint32_t none_left;

	memcpy(out, entry->file, strlen(entry->file) + 1);
	if (!keywords.keywords)
		return 0;
	if (maildir_keywords_claim(target, keywords.keywords, &none_left, err) < 0)
		return -1;
	*left_out = keywords_union(*left_out, none_left);
	if (maildir_name_with_flags(entry->file, &mailbox->keywords, none, keywords, bare) < 0 ||
	    maildir_name_with_flags(bare, &target->keywords, keywords, none, out) < 0) {
		errno = ENAMETOOLONG;
		return fail(mailbox, entry->file, "move", err);
	}
	return 0;
}

/* The file's name in the target: a fresh unique name where the old one is taken. */
static int choose_name(struct maildir_mailbox *target, const char *unique, const char *file,
		       bool taken, char out[MAILDIR_FILE_SIZE], struct error *err)
{
	if (!taken) {
		memcpy(out, file, strlen(file) + 1);
		return 0;
	}
	if (maildir_namer_rename(maildir_tree_namer(target->tree), file, out) < 0) {
		errno = ENAMETOOLONG;
		return fail(target, unique, "move", err);
	}
	log_info("mailbox %s: message %s goes in as %s: it holds that name already",
		 text_show(target->name), text_show(unique), text_show(out));
	return 0;
}

/* The unique name of a file. */
static void write_unique(const char *file, char out[MAILDIR_FILE_SIZE])
{
	struct maildir_name name;

	maildir_name_parse(file, &name);
	memcpy(out, file, name.unique_len);
	out[name.unique_len] = '\0';
}

/*
 * The same where the two are on different file systems: the copy is durable before the original
 * goes. An original that was renamed meanwhile may have other flags by now: the copy goes back.
 */
static int carry(const struct maildir_mailbox *mailbox, const struct maildir_entry *entry,
		 struct maildir_mailbox *target, const char *file)
{
	const enum maildir_dir dir = entry->dir;
	struct error why;

	if (maildir_deliver_carry(target, mailbox->fds[dir], entry->file, dir, file, &why) < 0) {
		log_info("%s", why.text);
		errno = why.sys ? why.sys : EIO;
		return -1;
	}
	if (unlinkat(mailbox->fds[dir], entry->file, 0) < 0) {
		int saved = errno;
		unlinkat(target->fds[dir], file, 0);
		errno = saved;
		return -1;
	}
	return 0;
}

/* Renames, or carries over, into the same directory of the other mailbox. */
static int rename_or_carry(const struct maildir_mailbox *mailbox, const struct maildir_entry *entry,
			   struct maildir_mailbox *target, const char *file)
{
	if (file_rename_new(mailbox->fds[entry->dir], entry->file, target->fds[entry->dir], file) ==
	    0)
		return 0;
	return errno == EXDEV ? carry(mailbox, entry, target, file) : -1;
}

/* Renames across mailboxes; parts of a tree may be mounted. */
int maildir_message_move(struct maildir_mailbox *mailbox, const char *unique,
			 struct maildir_mailbox *target, char placed[MAILDIR_FILE_SIZE],
			 uint32_t *left_out, struct error *err)
{
	const struct maildir_entry *entry;
	unsigned chases = 0;
	int taken = maildir_message_find(target, unique, &entry, err);

	while (taken >= 0) {
		char file[MAILDIR_FILE_SIZE], translated[MAILDIR_FILE_SIZE];
		enum maildir_dir dir;
		int rc = maildir_message_find(mailbox, unique, &entry, err);

		if (rc <= 0)
			return rc;
		if (translate_letters(mailbox, target, entry, translated, left_out, err) < 0 ||
		    choose_name(target, unique, translated, taken, file, err) < 0)
			return -1;
		dir = entry->dir;
		if (rename_or_carry(mailbox, entry, target, file) == 0) {
			mailbox->dirty[dir] = target->dirty[dir] = true;
			maildir_scan_remove(mailbox->scan, unique);
			maildir_scan_put(target->scan, dir, file);
			write_unique(file, placed);
			return 1;
		}
		if (errno == EEXIST)
			taken = 1;
		if (chase(mailbox, unique, "move", &chases, err) < 0)
			return -1;
	}
	return -1;
}
