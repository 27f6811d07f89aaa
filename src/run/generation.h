// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Tells a Maildir tree that was restored from a backup from one whose user deleted messages.
 *
 * The tree has a generation, a number in a file in its root, under a key that belongs to one
 * channel's journals; these remember what it was last. Before a run adds to the journals what an
 * older tree does not hold, the number is raised, in the tree first and then beside the journals.
 * So the tree's is never below that of the journals, but where the tree was put back: then what it
 * lacks says nothing. A run stopped between the two leaves the tree ahead, as journals that were
 * put back do: what old journals say of messages is true of both sides, or of neither.
 *
 * A run that adds nothing raises nothing.
 */
#ifndef RUN_GENERATION_H
#define RUN_GENERATION_H

#include "run/account.h"

/* Whether the tree is older than the journals. */
int generation_is_behind(const struct account *account, bool *behind, struct error *err);
/* Makes tree and journals one generation younger than either is. */
int generation_raise(struct account *account, struct error *err);
/* The same where the plans add something; that it cannot be done hinders nothing, but is told. */
void generation_follow(struct account *account);

#endif
