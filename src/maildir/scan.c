// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/scan.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "maildir/dirents.h"
#include "maildir/name.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A file whose unique name another file has, or had an instant ago. */
struct rival {
	const char *file;
	enum maildir_dir dir;
};

/* One look at the directories, in the making. */
struct look {
	struct maildir_mailbox *mailbox;
	struct maildir_scan *scan;
	struct rival *rivals;
	size_t count, cap;
	struct dirents dirents;
};

/* Parses the name. */
struct maildir_entry maildir_entry_of(struct maildir_keywords *keywords, enum maildir_dir dir,
				      const char *file)
{
	struct maildir_name name;

	maildir_name_parse(file, &name);
	return (struct maildir_entry){
	    .file = file,
	    .unique_len = name.unique_len,
	    .dir = dir,
	    .flags = maildir_keywords_flags(keywords, name.letters, name.letters_len),
	    .wire_size = name.wire_size};
}

/* Looks in the map. */
struct maildir_entry *maildir_scan_find(const struct maildir_scan *scan, const char *unique,
					size_t len)
{
	size_t index;

	return map_get(&scan->by_unique, unique, len, &index) ? &scan->entries[index] : NULL;
}

/* The map's key is the file's name that was put first; it stays in the arena. */
void maildir_scan_put(struct maildir_scan *scan, enum maildir_dir dir, const char *file)
{
	struct maildir_entry entry = maildir_entry_of(scan->keywords, dir, arena_strdup(&scan->arena, file));
	struct maildir_entry *known = maildir_scan_find(scan, entry.file, entry.unique_len);

	if (known) {
		*known = entry;
		return;
	}
	map_put(&scan->by_unique, entry.file, entry.unique_len, scan->count);
	*array_push(scan->entries, scan->count, scan->cap) = entry;
}

/* Takes the name out of the map. */
void maildir_scan_remove(struct maildir_scan *scan, const char *unique)
{
	map_remove(&scan->by_unique, unique, strlen(unique));
}

/* Frees all. */
void maildir_scan_free(struct maildir_scan **scan)
{
	if (!*scan)
		return;
	map_free(&(*scan)->by_unique);
	arena_free(&(*scan)->arena);
	free((*scan)->entries);
	free(*scan);
	*scan = NULL;
}

/* Only where the directory does not tell is the file asked. */
bool maildir_is_message(int fd, const struct dirent_view *view)
{
	struct stat st;

	if (view->name[0] == '.')
		return false;
	if (view->type != DT_UNKNOWN)
		return view->type == DT_REG;
	return fstatat(fd, view->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* Takes a file in; one whose unique name is known is put aside. */
static void take_file(struct look *look, enum maildir_dir dir, const char *file)
{
	struct maildir_entry entry = maildir_entry_of(look->scan->keywords, dir, file);
	struct maildir_entry *known = maildir_scan_find(look->scan, entry.file, entry.unique_len);

	if (!known)
		maildir_scan_put(look->scan, dir, file);
	else if (known->dir != dir || strcmp(known->file, file) != 0)
		*array_push(look->rivals, look->count, look->cap) =
		    (struct rival){arena_strdup(&look->scan->arena, file), dir};
}

/*
 * Reads one directory. Where the file system gives it in pieces only, no reading is one instant:
 * a second one catches what was renamed behind the back of the first.
 */
static int read_dir(struct look *look, enum maildir_dir dir, struct error *err)
{
	int fd = look->mailbox->fds[dir];
	unsigned passes = 1;

	for (unsigned pass = 0; pass < passes; pass++) {
		struct dirent_view view;

		if (dirents_read(&look->dirents, fd, err) < 0)
			return -1;
		if (!look->dirents.at_once)
			passes = 2;
		for (size_t at = 0; dirents_next(&look->dirents, &at, &view);)
			if (maildir_is_message(fd, &view))
				take_file(look, dir, view.name);
	}
	return 0;
}

/* Gives the second of two files a unique name of its own, where that may be done. */
static void separate_rival(struct look *look, const struct rival *rival)
{
	struct maildir_mailbox *mailbox = look->mailbox;
	int fd = mailbox->fds[rival->dir];
	char file[MAILDIR_FILE_SIZE];

	if (!mailbox->may_write) {
		log_info("mailbox %s: two files have the unique name of %s: one is left out",
			 text_show(mailbox->name), text_show(rival->file));
		return;
	}
	if (maildir_namer_rename(maildir_tree_namer(mailbox->tree), rival->file, file) < 0 ||
	    file_rename_new(fd, rival->file, fd, file) < 0)
		return; /* gone meanwhile: the next scan tells */
	mailbox->dirty[rival->dir] = true;
	maildir_scan_put(look->scan, rival->dir, file);
	log_info("mailbox %s: two files have the unique name of %s: one is now %s",
		 text_show(mailbox->name), text_show(rival->file), text_show(file));
}

/*
 * Tells a file that was renamed between two looks from two files with one unique name. A file that
 * is linked under both is one that is just being moved.
 */
static void settle_rival(struct look *look, struct rival *rival)
{
	struct maildir_name name;
	struct maildir_entry *known;
	struct stat known_st, rival_st;
	bool known_there, rival_there;

	maildir_name_parse(rival->file, &name);
	known = maildir_scan_find(look->scan, rival->file, name.unique_len);
	known_there = fstatat(look->mailbox->fds[known->dir], known->file, &known_st,
			      AT_SYMLINK_NOFOLLOW) == 0;
	rival_there = fstatat(look->mailbox->fds[rival->dir], rival->file, &rival_st,
			      AT_SYMLINK_NOFOLLOW) == 0;
	if (known_there && rival_there && known_st.st_ino != rival_st.st_ino) {
		struct rival second = *rival;

		if (rival->dir < known->dir ||
		    (rival->dir == known->dir && strcmp(rival->file, known->file) < 0)) {
			second = (struct rival){known->file, known->dir};
			maildir_scan_put(look->scan, rival->dir, rival->file);
		}
		separate_rival(look, &second);
	} else if (known_there == rival_there ? rival->dir == MAILDIR_CUR : rival_there) {
		maildir_scan_put(look->scan, rival->dir, rival->file);
	}
}

/* Looks once: new, cur, new. */
static int look_once(struct maildir_mailbox *mailbox, struct maildir_scan **scan, struct error *err)
{
	struct look look = {.mailbox = mailbox, .scan = xcalloc(1, sizeof(**scan))};
	int rc = -1;

	look.scan->keywords = &mailbox->keywords;
	if (read_dir(&look, MAILDIR_NEW, err) < 0 || read_dir(&look, MAILDIR_CUR, err) < 0 ||
	    read_dir(&look, MAILDIR_NEW, err) < 0) {
		error_prefix(err, "mailbox %s", text_show(mailbox->name));
		goto out;
	}
	for (size_t i = 0; i < look.count; i++)
		settle_rival(&look, &look.rivals[i]);
	rc = 0;
out:
	free(look.rivals);
	dirents_free(&look.dirents);
	if (rc < 0)
		maildir_scan_free(&look.scan);
	*scan = look.scan;
	return rc;
}

/* Looks once more and holds the names against that. */
int maildir_confirm_absent(struct maildir_mailbox *mailbox, const char *const *uniques,
			   size_t count, bool *absent, struct maildir_scan *found,
			   struct error *err)
{
	struct maildir_scan *scan;

	if (look_once(mailbox, &scan, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct maildir_entry *entry =
		    maildir_scan_find(scan, uniques[i], strlen(uniques[i]));

		absent[i] = !entry;
		if (entry)
			maildir_scan_put(found, entry->dir, entry->file);
	}
	maildir_scan_free(&scan);
	return 0;
}

/* Looks for what an earlier look saw and a later one did not. */
static int recover_missed(struct maildir_mailbox *mailbox, const struct maildir_scan *earlier,
			  struct maildir_scan *later, struct error *err)
{
	const char **missed = NULL;
	size_t count = 0, cap = 0;
	bool *absent;
	int rc = 0;

	for (size_t i = 0; i < earlier->count; i++) {
		const struct maildir_entry *entry = &earlier->entries[i];

		if (!maildir_scan_find(later, entry->file, entry->unique_len))
			*array_push(missed, count, cap) =
			    arena_strndup(&later->arena, entry->file, entry->unique_len);
	}
	if (count) {
		absent = xcalloc(count, sizeof(*absent));
		rc = maildir_confirm_absent(mailbox, missed, count, absent, later, err);
		free(absent);
	}
	free(missed);
	return rc;
}

/* Looks at the mtimes once more. */
bool maildir_is_quiet(const struct maildir_mailbox *mailbox, int64_t cur_ns, int64_t new_ns)
{
	int64_t cur_now, new_now;

	return cur_ns && new_ns && maildir_mailbox_stamp(mailbox, &cur_now, &new_now, NULL) == 0 &&
	       cur_now == cur_ns && new_now == new_ns;
}

/* Looks a second time unless the first was of a mailbox at rest. */
int maildir_scan_take(struct maildir_mailbox *mailbox, struct maildir_scan **scan,
		      struct error *err)
{
	struct maildir_scan *first;
	int64_t cur_ns, new_ns;
	int rc = 0;

	*scan = NULL;
	if (maildir_mailbox_stamp(mailbox, &cur_ns, &new_ns, err) < 0 ||
	    maildir_keywords_read(mailbox, err) < 0 || look_once(mailbox, &first, err) < 0)
		return -1;
	if (maildir_is_quiet(mailbox, cur_ns, new_ns)) {
		*scan = first;
		first = NULL;
	} else if (look_once(mailbox, scan, err) < 0 ||
		   recover_missed(mailbox, first, *scan, err) < 0) {
		maildir_scan_free(scan);
		rc = -1;
	}
	maildir_scan_free(&first);
	if (*scan) {
		(*scan)->cur_ns = cur_ns;
		(*scan)->new_ns = new_ns;
		(*scan)->inode = mailbox->inode;
		(*scan)->room = maildir_keywords_room(&mailbox->keywords);
		mailbox->keywords.scanned = true;
	}
	return rc;
}
