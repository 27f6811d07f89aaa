// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The local side: a Maildir tree as a store. Everything is done when the next answer is asked for.
 */
#ifndef STORE_STORE_MAILDIR_H
#define STORE_STORE_MAILDIR_H

#include "maildir/tree.h"
#include "store/store.h"

/* The tree is borrowed; several stores (one a lane) may share it. */
struct store *store_maildir_open(struct maildir_tree *tree);

#endif
