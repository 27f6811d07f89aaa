// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/mailbox-name.h"
#include "maildir/dirents.h"
#include "maildir/mailbox.h"
#include "maildir/scan.h"
#include "maildir/tree-inner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory that is still to be looked into. */
struct place {
	const char *path; /* encoded */
	const char *name; /* "" for the root of layout tree */
};

struct walk {
	struct maildir_tree *tree;
	struct arena *arena;
	struct maildir_listing *found;
	size_t count, cap;
	struct place *places;
	size_t places_len, places_cap;
	struct dirents dirents;
};

/* Looks at a directory in a mailbox's: 1, 0 where there is none of that name, -1 with errno. */
static int look_at_part(int home, const char *part, struct stat *st)
{
	if (fstatat(home, part, st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	return S_ISDIR(st->st_mode);
}

/* Whether one of the two parts of a mailbox, where the other is missing, holds a message. */
static int look_for_messages(int home, const char *part)
{
	struct dirents dirents = {0};
	struct dirent_view entry;
	int fd = openat(home, part, OPEN_DIR);
	int found;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	found = dirents_read(&dirents, fd, NULL);
	for (size_t at = 0; !found && dirents_next(&dirents, &at, &entry);)
		found = maildir_is_message(fd, &entry);
	file_close(&fd);
	dirents_free(&dirents);
	return found;
}

/*
 * Whether a directory has cur and new, when they changed, and which one it is. A failed look is no
 * answer: the mailbox would seem to be removed. Nor is half a mailbox that holds messages: it is
 * listed without times, so that scanning it fails. Many a program that copies trees leaves empty
 * directories out.
 */
int maildir_look(int home, struct maildir_listing *listing)
{
	int64_t now = clock_wall_ns();
	struct stat cur = {0}, fresh = {0}, own;
	int has_cur = look_at_part(home, "cur", &cur);
	int has_new = has_cur < 0 ? -1 : look_at_part(home, "new", &fresh);
	int rc = has_cur < 0 || has_new < 0 ? -1 : has_cur && has_new;

	if (rc == 0 && (has_cur || has_new))
		rc = look_for_messages(home, has_cur ? "cur" : "new");
	if (rc == 1 && fstat(home, &own) < 0)
		rc = -1;
	if (rc != 1)
		return rc;
	listing->cur_ns = has_cur ? maildir_stamp_trusted(&cur, now) : 0;
	listing->new_ns = has_new ? maildir_stamp_trusted(&fresh, now) : 0;
	listing->inode = own.st_ino;
	return 1;
}

/* Whether the directory at an encoded path is a mailbox. */
static bool is_mailbox(const struct maildir_tree *tree, const char *path)
{
	int home = maildir_tree_open_dir(tree, path);
	struct maildir_listing ignored;
	bool found = home >= 0 && maildir_look(home, &ignored) == 1;

	file_close(&home);
	return found;
}

bool maildir_tree_has_other_layout(const struct maildir_tree *tree)
{
	bool nested = maildir_tree_layout(tree) == MAILDIR_LAYOUT_TREE;

	return !is_mailbox(tree, nested ? "INBOX" : ".") && is_mailbox(tree, nested ? "." : "INBOX");
}

/* Whether an entry is a part of a mailbox. */
static bool is_part(const char *entry)
{
	return !strcmp(entry, "cur") || !strcmp(entry, "new") || !strcmp(entry, "tmp");
}

/* Whether an entry can be the directory of a mailbox, by its looks. */
static bool is_candidate(enum maildir_layout layout, const char *entry)
{
	if (layout == MAILDIR_LAYOUT_PLUSPLUS)
		return entry[0] == '.';
	return entry[0] != '.' && !is_part(entry);
}

/* Names a Maildir that is called as the other layout has it: its owner would miss it. */
static void name_other_layout(enum maildir_layout layout, int home, const char *entry)
{
	struct maildir_listing ignored;
	bool plusplus = layout == MAILDIR_LAYOUT_PLUSPLUS;
	int fd = log_shows(LOG_LEVEL_INFO) ? openat(home, entry, OPEN_DIR) : -1;

	if (fd >= 0 && maildir_look(fd, &ignored) == 1)
		log_info("the directory %s is left out: layout %s has mailboxes %s a dot",
			 text_show(entry), plusplus ? "maildir++" : "tree",
			 plusplus ? "behind" : "without");
	file_close(&fd);
}

/*
 * Whether an entry is a directory, or cannot be looked at: then opening it will say why. A symlink
 * to one is named, for its owner would miss it.
 */
static bool is_directory(int home, const struct dirent_view *entry)
{
	unsigned char type = entry->type;
	struct stat st;

	if (type == DT_UNKNOWN && fstatat(home, entry->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		type = IFTODT(st.st_mode);
	else if (type == DT_UNKNOWN && errno != ENOENT)
		return true;
	if (type == DT_LNK && fstatat(home, entry->name, &st, 0) == 0 && S_ISDIR(st.st_mode))
		log_warn("the directory %s is a symlink and is left out", text_show(entry->name));
	return type == DT_DIR;
}

/* Says why a directory is none of our mailboxes; Inbox is what many a program calls the inbox. */
static void leave_out(enum maildir_layout layout, const char *entry, const char *name)
{
	const char *why = "it is the name of no mailbox";

	if (mailbox_name_is_inbox(name))
		why = layout == MAILDIR_LAYOUT_TREE ? "the inbox is the directory INBOX"
						    : "the inbox is the tree's root";
	log_warn("the directory %s is left out: %s", text_show(entry), why);
}

/* Notes a directory for later, under its name. */
static void note_place(struct walk *walk, const struct place *parent, const char *entry)
{
	enum maildir_layout layout = maildir_tree_layout(walk->tree);
	bool at_root = strcmp(parent->path, ".") == 0;
	struct buf name;

	buf_init(&name, MAILBOX_NAME_MAX);
	if (maildir_decode(layout, parent->name, entry, &name) < 0)
		leave_out(layout, entry, name.data);
	else
		*array_push(walk->places, walk->places_len, walk->places_cap) = (struct place){
		    at_root ? arena_strdup(walk->arena, entry)
			    : arena_printf(walk->arena, "%s/%s", parent->path, entry),
		    arena_strdup(walk->arena, name.data)};
	buf_free(&name);
}

/*
 * A directory that cannot be opened. One of another user (lost+found) is none of our mailboxes;
 * one of our own is listed, so that scanning it fails: left out, it would look removed.
 */
static int visit_closed(struct walk *walk, const struct place *place, struct error *err)
{
	int saved = errno;
	struct stat st;
	int root = maildir_tree_open_dir(walk->tree, ".");
	int rc = root < 0 ? -1 : fstatat(root, place->path, &st, AT_SYMLINK_NOFOLLOW);

	file_close(&root);
	errno = saved;
	if (rc < 0 || errno != EACCES)
		return error_errno(err, SCOPE_STORE, "cannot open the directory %s",
				   text_show(place->path));
	if (st.st_uid != geteuid())
		log_warn("the directory %s belongs to another user and is left out",
			 text_show(place->path));
	else if (place->name[0])
		*array_push(walk->found, walk->count, walk->cap) =
		    (struct maildir_listing){.name = place->name};
	return 0;
}

/* Lists one directory where it is a mailbox, and notes those in it. */
static int visit_place(struct walk *walk, const struct place *place, struct error *err)
{
	enum maildir_layout layout = maildir_tree_layout(walk->tree);
	bool is_root = strcmp(place->path, ".") == 0;
	struct maildir_listing listing = {.name = place->name};
	struct dirent_view entry;
	int home = maildir_tree_open_dir(walk->tree, place->path);
	int rc = 0;

	if (home < 0 && errno == ENOENT)
		return 0;
	if (home < 0)
		return visit_closed(walk, place, err);
	if (place->name[0])
		rc = maildir_look(home, &listing);
	if (rc < 0)
		error_errno(err, SCOPE_STORE, "cannot look into the directory %s",
			    text_show(place->path));
	if (rc == 1)
		*array_push(walk->found, walk->count, walk->cap) = listing;
	if (rc >= 0 && (is_root || layout == MAILDIR_LAYOUT_TREE))
		rc = dirents_read(&walk->dirents, home, err);
	else
		walk->dirents.len = 0;
	for (size_t at = 0; rc >= 0 && dirents_next(&walk->dirents, &at, &entry);) {
		if (is_candidate(layout, entry.name) && is_directory(home, &entry))
			note_place(walk, place, entry.name);
		else if (entry.type == DT_DIR && !is_part(entry.name))
			name_other_layout(layout, home, entry.name);
	}
	file_close(&home);
	if (rc < 0 && err)
		err->scope = SCOPE_STORE;
	return rc < 0 ? -1 : 0;
}

/* Orders by name. */
static int compare_listings(const void *a, const void *b)
{
	const struct maildir_listing *one = a, *other = b;

	return strcmp(one->name, other->name);
}

/* Goes level by level: one descriptor is open at a time, however deep the tree. */
int maildir_tree_list(struct maildir_tree *tree, struct arena *arena,
		      struct maildir_listing **listing, size_t *count, struct error *err)
{
	bool plusplus = maildir_tree_layout(tree) == MAILDIR_LAYOUT_PLUSPLUS;
	struct walk walk = {.tree = tree, .arena = arena};
	int rc = 0;

	*array_push(walk.places, walk.places_len, walk.places_cap) =
	    (struct place){".", plusplus ? "INBOX" : ""};
	for (size_t i = 0; i < walk.places_len && rc == 0; i++) {
		struct place place = walk.places[i];

		rc = visit_place(&walk, &place, err);
	}
	*listing = NULL;
	*count = 0;
	if (rc == 0 && walk.count) {
		qsort(walk.found, walk.count, sizeof(*walk.found), compare_listings);
		*listing = arena_alloc(arena, walk.count * sizeof(*walk.found));
		memcpy(*listing, walk.found, walk.count * sizeof(*walk.found));
		*count = walk.count;
	}
	free(walk.found);
	free(walk.places);
	dirents_free(&walk.dirents);
	return rc;
}
