// SPDX-License-Identifier: GPL-3.0-or-later
#include "maildir/scan.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/file.h"
#include "base/log.h"
#include "base/map.h"
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
	size_t seen[MAILDIR_TMP]; /* most files that one reading found */
	struct rival *rivals;
	size_t count, cap;
};

/* Parses the name. */
struct maildir_entry maildir_entry_of(struct maildir_keywords *keywords, enum maildir_dir dir,
				      const char *file)
{
	struct maildir_name name;

	maildir_name_parse(file, &name);
	return (struct maildir_entry){
	    .file = file,
	    .unique_len = (unsigned)name.unique_len,
	    .dir = dir,
	    .flags = maildir_keywords_flags(keywords, name.letters, name.letters_len)};
}

/* The slot of a unique name with that hash, or NULL. */
static uint32_t *find_slot(const struct maildir_scan *scan, const char *unique, size_t len,
			   uint32_t hash)
{
	uint32_t *slot;

	for (size_t at = slots_begin(&scan->by_unique, hash);
	     (slot = slots_next(&scan->by_unique, &at)) != NULL;) {
		const struct maildir_entry *entry = &scan->entries[slots_index(slot)];

		if (entry->hash == hash && entry->unique_len == len &&
		    memcmp(entry->file, unique, len) == 0)
			break;
	}
	return slot;
}

/* Looks in the table. */
struct maildir_entry *maildir_scan_find(const struct maildir_scan *scan, const char *unique,
					size_t len)
{
	uint32_t *slot = find_slot(scan, unique, len, (uint32_t)map_hash(unique, len));

	return slot ? &scan->entries[slots_index(slot)] : NULL;
}

bool maildir_scan_find_other(const struct maildir_scan *scan, const char *unique,
			     unsigned char *type)
{
	size_t found;

	if (!map_get(&scan->others, unique, strlen(unique), &found))
		return false;
	*type = (unsigned char)found;
	return true;
}

/* Fills the table anew, with room for so many in all. */
static void index_entries(struct maildir_scan *scan, size_t count)
{
	slots_reset(&scan->by_unique, count);
	for (size_t i = 0; i < scan->count; i++)
		if (!scan->entries[i].gone)
			slots_add(&scan->by_unique, scan->entries[i].hash, i);
}

/* Adds an entry whose unique name is not known; it borrows its name. */
static void add_entry(struct maildir_scan *scan, const struct maildir_entry *entry)
{
	if (slots_are_full(&scan->by_unique))
		index_entries(scan, scan->count + 1);
	*array_push(scan->entries, scan->count, scan->cap) = *entry;
	slots_add(&scan->by_unique, entry->hash, scan->count - 1);
}

/* Makes room for so many more at once: growing step by step would cost as much again. */
static void expect_entries(struct maildir_scan *scan, size_t more)
{
	const size_t count = scan->count + more;

	if (count <= scan->cap)
		return;
	scan->entries = array_reserve(scan->entries, &scan->cap, count, sizeof(*scan->entries));
	index_entries(scan, count);
}

/* The name that was there first stays in memory: somebody may still look at it. */
void maildir_scan_put(struct maildir_scan *scan, enum maildir_dir dir, const char *file)
{
	struct maildir_entry entry =
	    maildir_entry_of(scan->keywords, dir, arena_strdup(&scan->arena, file));
	uint32_t *slot;

	entry.hash = (uint32_t)map_hash(file, entry.unique_len);
	slot = find_slot(scan, file, entry.unique_len, entry.hash);
	if (slot)
		scan->entries[slots_index(slot)] = entry;
	else
		add_entry(scan, &entry);
}

/* Takes the name out of the table. */
void maildir_scan_remove(struct maildir_scan *scan, const char *unique)
{
	const size_t len = strlen(unique);
	uint32_t *slot = find_slot(scan, unique, len, (uint32_t)map_hash(unique, len));

	if (!slot)
		return;
	scan->entries[slots_index(slot)].gone = true;
	slots_remove(slot);
}

/* Frees all. */
void maildir_scan_free(struct maildir_scan **scan)
{
	if (!*scan)
		return;
	for (size_t i = 0; i < (*scan)->held_len; i++)
		dirents_free(&(*scan)->held[i]);
	free((*scan)->held);
	slots_free(&(*scan)->by_unique);
	map_free(&(*scan)->others);
	arena_free(&(*scan)->arena);
	free((*scan)->entries);
	free(*scan);
	*scan = NULL;
}

/*
 * What a directory holds under a name: DT_REG for a message, DT_UNKNOWN for what is none of ours or
 * gone. Only where the directory does not tell is the file asked. One that does not answer is not
 * gone.
 */
static unsigned char find_type(int fd, const struct dirent_view *view)
{
	struct stat st;

	if (view->name[0] == '.')
		return DT_UNKNOWN;
	if (view->type != DT_UNKNOWN)
		return view->type;
	if (fstatat(fd, view->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? DT_UNKNOWN : DT_REG;
	return (unsigned char)IFTODT(st.st_mode);
}

bool maildir_is_message(int fd, const struct dirent_view *view)
{
	return find_type(fd, view) == DT_REG;
}

/* Wants messages; of what is in the place of one, the unique name is noted. */
static bool sort_out(void *context, int fd, const struct dirent_view *view)
{
	struct maildir_scan *scan = context;
	const unsigned char type = find_type(fd, view);
	struct maildir_name name;

	if (type == DT_REG || type == DT_UNKNOWN)
		return type == DT_REG;
	maildir_name_parse(view->name, &name);
	map_put(&scan->others, arena_strndup(&scan->arena, view->name, name.unique_len),
		name.unique_len, type);
	return false;
}

/* Takes a file in, with a name that it borrows; one whose unique name is known is put aside. */
static void take_file(struct look *look, enum maildir_dir dir, const char *file)
{
	struct maildir_entry entry = maildir_entry_of(look->scan->keywords, dir, file);
	const struct maildir_entry *known;
	uint32_t *slot;

	entry.hash = (uint32_t)map_hash(file, entry.unique_len);
	slot = find_slot(look->scan, file, entry.unique_len, entry.hash);
	if (!slot) {
		add_entry(look->scan, &entry);
		return;
	}
	known = &look->scan->entries[slots_index(slot)];
	if (known->dir != dir || strcmp(known->file, file) != 0)
		*array_push(look->rivals, look->count, look->cap) = (struct rival){file, dir};
}

/* Takes in what was read, which is held as long as a name in it is of use. */
static void take_all(struct look *look, enum maildir_dir dir, struct dirents *dirents)
{
	struct maildir_scan *scan = look->scan;
	const size_t before = scan->count + look->count;
	const size_t count = dirents_pack(dirents, look->mailbox->fds[dir], sort_out, scan);
	const char *name;

	if (count > look->seen[dir]) {
		expect_entries(scan, count - look->seen[dir]);
		look->seen[dir] = count;
	}
	for (size_t at = 0; (name = dirents_next_name(dirents, &at)) != NULL;)
		take_file(look, dir, name);
	if (scan->count + look->count > before)
		*array_push(scan->held, scan->held_len, scan->held_cap) = *dirents;
	else
		dirents_free(dirents);
}

/*
 * Reads one directory. Where the file system gives it in pieces only, no reading is one instant:
 * a second one catches what was renamed behind the back of the first.
 */
static int read_dir(struct look *look, enum maildir_dir dir, struct error *err)
{
	unsigned passes = 1;

	for (unsigned pass = 0; pass < passes; pass++) {
		struct dirents dirents = {0};

		if (dirents_read(&dirents, look->mailbox->fds[dir], err) < 0) {
			dirents_free(&dirents);
			return -1;
		}
		if (!dirents.at_once)
			passes = 2;
		take_all(look, dir, &dirents);
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
