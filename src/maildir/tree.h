// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A Maildir tree: the directory that a channel names, and the mailboxes in it.
 *
 * Layout "tree": nested directories, each with cur, new, tmp; INBOX is the directory INBOX; a/b is
 * the directory a/b. Layout "maildir++" (Courier, Dovecot): INBOX is the root itself, a/b is the
 * directory ".a.b". Names are encoded reversibly (maildir/encode.h); names that would be too long
 * for the file system are refused with a message. No name can leave the tree: directories are
 * opened beneath the root with openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS) (or component by
 * component with O_NOFOLLOW where the kernel lacks it).
 *
 * The root holds a marker, the file .evenmail with the tree's random id: a root that should have
 * it and does not is unmounted, emptied or foreign, and nothing is to be concluded from it. The
 * journal remembers the id (journal/journal.h).
 *
 * Life cycle: opened once by the channel, marked once, then shared by its threads.
 */
#ifndef MAILDIR_TREE_H
#define MAILDIR_TREE_H

#include "base/arena.h"
#include "base/error.h"
#include "maildir/encode.h"
#include "maildir/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAILDIR_ID_SIZE 17 /* 16 letters and a NUL */

struct maildir_tree;

/*
 * Opens the tree at path (a symlink at the root itself is followed, once, here). Where create is
 * set a missing root is made (0700). Where path is missing and create is not set: *tree is NULL
 * and 0 is returned. A root of another user is refused. -1: ERROR_IO, SCOPE_FATAL.
 */
int maildir_tree_open(const char *path, enum maildir_layout layout, bool create,
		      struct maildir_tree **tree, struct error *err);
void maildir_tree_close(struct maildir_tree **tree);

/* The marker's id; "" where there is no marker. */
const char *maildir_tree_id(const struct maildir_tree *tree);
/* Writes the marker durably where there is none; one that another run wrote meanwhile is taken. */
int maildir_tree_mark(struct maildir_tree *tree, struct error *err);

/*
 * The tree's generation under a key (letters and digits): a number, in a file .evenmail-KEY beside
 * the marker, that a tree restored from a backup has as it was then. 0 where there is none, or none
 * that can be understood. -1: ERROR_IO.
 */
int maildir_tree_generation(const struct maildir_tree *tree, const char *key, uint64_t *number,
			    struct error *err);
/* Sets it durably. */
int maildir_tree_set_generation(const struct maildir_tree *tree, const char *key, uint64_t number,
				struct error *err);

/* One mailbox of the tree. */
struct maildir_listing {
	const char *name; /* mail/mailbox-name.h */
	int64_t cur_ns;   /* mtimes, 0 where too young to be trusted (maildir/mailbox.h) */
	int64_t new_ns;
	uint64_t inode; /* of its directory, which renaming keeps; 0 where it cannot be opened */
};

/*
 * Lists every directory of the layout that has cur and new, sorted by name, into arena. Those
 * whose names do not decode are left out with a warning in the log.
 */
int maildir_tree_list(struct maildir_tree *tree, struct arena *arena,
		      struct maildir_listing **listing, size_t *count, struct error *err);
/* Makes cur, new, tmp (0700) durably; that they are there is fine. */
int maildir_tree_create(struct maildir_tree *tree, const char *name, struct error *err);
/*
 * Removes cur, new, tmp if nothing is in them, the table of keywords, and then the directory and
 * those above it as far as nothing else is in them; durably. That they are gone is fine. -1,
 * err->sys ENOTEMPTY: there is something in one of them, and all three are there. INBOX is refused.
 */
int maildir_tree_delete(struct maildir_tree *tree, const char *name, struct error *err);
/*
 * Renames a mailbox and all below it, durably: makes the directories above the new name, and
 * removes those above the old one as far as nothing else is in them. -1 with nothing done, and
 * err->sys: ENOENT, there is no mailbox from; EEXIST, there is a mailbox to, or something else in
 * its place (a directory that only holds other mailboxes too: these would have to go with it), or,
 * in maildir++, in that of a mailbox below; EINVAL, to is below from (for both layouts: it would
 * take a way past a name that nobody knows of, and a stop there would lose the mailbox). ENOENT
 * too where from is only the way to others. INBOX is neither.
 *
 * In layout "tree" it is one rename(2). In "maildir++" it is one for each mailbox below, then one
 * for the mailbox itself: after a stop between them every message is in a mailbox, and doing the
 * same again finishes it. An error between them leaves the same behind.
 *
 * A mailbox opened before keeps its descriptors, now of the directory under the new name: close it
 * first.
 */
int maildir_tree_rename(struct maildir_tree *tree, const char *from, const char *to,
			struct error *err);

/*
 * Opens a directory beneath the root, by its encoded path; never through a symlink. -1: errno.
 * "." is the root itself, with a descriptor of its own.
 */
int maildir_tree_open_dir(const struct maildir_tree *tree, const char *path);
enum maildir_layout maildir_tree_layout(const struct maildir_tree *tree);
/*
 * True where the inbox is not where the layout has it, but where the other one has it: with this
 * layout all mailboxes would seem to be gone.
 */
bool maildir_tree_has_other_layout(const struct maildir_tree *tree);
struct maildir_namer *maildir_tree_namer(struct maildir_tree *tree);

#endif
