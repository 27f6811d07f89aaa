// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/own.h"

void own_note_added(struct own_changes *own, uint32_t uid)
{
	own->added++;
	if (uid > own->top_uid)
		own->top_uid = uid;
}

void own_note_done(struct own_changes *own, const struct answer *answer, size_t removed)
{
	own->removed += (uint32_t)removed;
	own->steps += answer->steps;
	own->others |= answer->others;
	if (answer->stamp.modseq)
		own->stood = answer->stamp;
}

/*
 * UIDNEXT rises with each message that comes, and by their UIDs it is known that ours are all that
 * came; MESSAGES then tells whether others went, and HIGHESTMODSEQ whether flags were changed: it
 * rises with every change, and each of ours surely took its steps.
 */
bool own_expect(const struct own_changes *own, const struct stamp *before, struct stamp *now)
{
	if (!before->uidvalidity || !before->uidnext || !before->modseq || !own->steps)
		return false;
	if (own->others || own->lost_append || own->removed > before->messages + own->added)
		return false;
	if (own->added && own->top_uid - before->uidnext != own->added - 1)
		return false;
	*now = *before;
	now->uidnext += own->added;
	now->messages += own->added - own->removed;
	now->modseq += own->steps;
	return true;
}
