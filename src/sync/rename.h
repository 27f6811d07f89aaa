// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Mailboxes that were renamed on one side: found before the survey, so that their messages are held
 * against the journal of the old name; carried out before everything else.
 *
 * The journal goes along after the mailbox. A run that is stopped between the two leaves a mailbox
 * that has its new name on both sides and a journal of the old name: the next run finds it by the
 * same evidence, on both sides now, and carries only the journal over.
 */
#ifndef SYNC_RENAME_H
#define SYNC_RENAME_H

#include "sync/channel.h"

/*
 * Finds mailboxes that were renamed and makes one box of the two names of each, with the journal of
 * the old one. -1: the lane's session is broken.
 */
int rename_find(struct channel *channel, struct error *err);
/* Renames them on the other side too, and their journals. */
int rename_apply(struct channel *channel, struct error *err);
/* After all else: boxes that could not be renamed have failed. */
void rename_fail_refused(struct channel *channel);

#endif
