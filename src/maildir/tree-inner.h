// SPDX-License-Identifier: GPL-3.0-or-later
/* What the parts of a tree share: its state, and the making and removing of directories. */
#ifndef MAILDIR_TREE_INNER_H
#define MAILDIR_TREE_INNER_H

#include "maildir/tree.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct maildir_tree {
	int root;
	enum maildir_layout layout;
	char *path; /* for messages */
	char id[MAILDIR_ID_SIZE];
	struct maildir_namer namer;
};

/* list.c: whether an opened directory is a mailbox; then fills all of listing but its name. */
int maildir_look(int home, struct maildir_listing *listing);

/* change.c: makes every directory of an encoded path durably. -1, or a descriptor of the last. */
int maildir_make_path(const struct maildir_tree *tree, const char *path, struct error *err);
/*
 * Removes the directory at path and those above it, durably, as long as nothing else is in them;
 * path is cut short on the way.
 */
int maildir_remove_path(struct maildir_tree *tree, char *path, struct error *err);
/* Removes those of cur, new and tmp that are empty. */
void maildir_remove_leftovers(int home);

#endif
