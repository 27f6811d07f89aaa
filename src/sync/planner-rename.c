// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/planner.h"

#include "mail/mailbox-name.h"

#include <string.h>

/*
 * Whether the server's new mailbox may be the journal's old one: its MAILBOXID says so for certain,
 * or else its UIDs may go on where the old one's ended.
 */
static bool may_be_on_server(const struct journal_head *head, const struct stamp *now, bool *sure)
{
	if (head->mailbox_id && now->mailbox_id) {
		*sure = head->mailbox_id == now->mailbox_id;
		return *sure;
	}
	if (!head->uidvalidity || head->uidvalidity != now->uidvalidity || !head->uidnext)
		return false;
	return now->uidnext >= head->uidnext && now->modseq >= head->highestmodseq;
}

/*
 * True where a side has the mailbox that the journal knows by this name, and not one that was made
 * under the name of one that went.
 */
static bool has_old(const struct planner_name *from, enum side side)
{
	const struct journal_head *head = from->head;
	const struct stamp *now = &from->listed[side];

	if (!from->exists[side])
		return false;
	if (side == LOCAL)
		return !head->inode || !now->inode || head->inode == now->inode;
	if (head->mailbox_id && now->mailbox_id)
		return head->mailbox_id == now->mailbox_id;
	return !head->uidvalidity || !now->uidvalidity || head->uidvalidity == now->uidvalidity;
}

/* True where one is known, the other new, and to take one name for the other is no nonsense. */
static bool may_be_one(const struct planner_name *from, const struct planner_name *to)
{
	return from->head && !to->head && !from->left_out && !to->left_out &&
	       strcmp(from->name, "INBOX") != 0 && strcmp(to->name, "INBOX") != 0 &&
	       !mailbox_name_is_below(to->name, from->name) &&
	       !mailbox_name_is_below(from->name, to->name);
}

bool planner_may_be_half(const struct policy *policy, const struct planner_name *from,
			 const struct planner_name *to, struct planner_rename *out)
{
	*out = (struct planner_rename){.was_empty = true};
	if (!may_be_one(from, to) || from->occupies[LOCAL] || from->occupies[REMOTE] ||
	    to->exists[LOCAL] == to->exists[REMOTE] ||
	    !(policy->change[REMOTE] & CHANGE_MAILBOXES))
		return false;
	out->renamed[LOCAL] = to->exists[LOCAL];
	out->renamed[REMOTE] = to->exists[REMOTE];
	if (out->renamed[REMOTE])
		return may_be_on_server(from->head, &to->listed[REMOTE], &out->sure[REMOTE]);
	out->sure[LOCAL] = from->head->inode && from->head->inode == to->listed[LOCAL].inode;
	return true;
}

bool planner_may_be_renamed(const struct policy *policy, const struct planner_name *from,
			    const struct planner_name *to, struct planner_rename *out)
{
	*out = (struct planner_rename){0};
	if (!may_be_one(from, to))
		return false;
	for (enum side side = LOCAL; side < SIDES; side++) {
		if (to->exists[side] == has_old(from, side))
			return false;
		out->renamed[side] = to->exists[side];
		if (!to->exists[side] && !(policy->change[side] & CHANGE_MAILBOXES))
			return false;
	}
	out->sure[LOCAL] = from->head->inode && from->head->inode == to->listed[LOCAL].inode;
	out->was_empty = !from->listed[REMOTE].messages;
	if (!out->renamed[REMOTE])
		return out->renamed[LOCAL];
	return may_be_on_server(from->head, &to->listed[REMOTE], &out->sure[REMOTE]);
}

/*
 * Whether what was found in the new mailbox speaks for it. On the server some UID must name the
 * message that the journal says, and none another; on the disk the directory's inode and one known
 * file are enough (inodes are used again, so without a file nothing may be at stake), else most of
 * the files must be there.
 */
static bool is_alike(const struct planner_rename *rename)
{
	const struct planner_likeness *local = &rename->alike[LOCAL];
	const struct planner_likeness *remote = &rename->alike[REMOTE];

	if (rename->renamed[REMOTE] && !rename->sure[REMOTE] && (remote->others || !remote->found))
		return false;
	if (!rename->renamed[LOCAL])
		return true;
	if (rename->sure[LOCAL])
		return local->found || (!local->expected && rename->was_empty);
	return local->found > local->expected / 2;
}

/* How strong the evidence is: ids tell only where it was renamed. */
static unsigned rank_of(const struct planner_rename *rename)
{
	return rename->sure[LOCAL] + rename->sure[REMOTE];
}

/* True where another candidate for one of the two names, on the same side, is as good or better. */
static bool is_contested(const struct planner_rename *list, size_t len, size_t index)
{
	const struct planner_rename *rename = &list[index];

	for (size_t i = 0; i < len; i++)
		if (i != index && !list[i].refuted &&
		    list[i].renamed[LOCAL] == rename->renamed[LOCAL] &&
		    (list[i].from == rename->from || list[i].to == rename->to) &&
		    rank_of(&list[i]) >= rank_of(rename))
			return true;
	return false;
}

/* True where the rename of one name to the other is on the list. */
static bool is_listed(const struct planner_name *names, const struct planner_rename *list,
		      size_t len, size_t from, const char *parent_to, const char *rest)
{
	size_t prefix = strlen(parent_to);

	for (size_t i = 0; i < len; i++) {
		const char *to = names[list[i].to].name;
		if (list[i].from == from && !list[i].refuted && !strncmp(to, parent_to, prefix) &&
		    !strcmp(to + prefix, rest))
			return true;
	}
	return false;
}

/*
 * True where carrying the rename out would do more than that: something below the old name would go
 * along that does not go there on the other side, or something is at the new name or below it.
 */
static bool takes_others_along(const struct planner_name *names, size_t names_len,
			       const struct planner_rename *list, size_t len,
			       const struct planner_rename *rename)
{
	const struct planner_name *from = &names[rename->from], *to = &names[rename->to];

	for (enum side side = LOCAL; side < SIDES; side++)
		for (size_t i = 0; i < names_len && !rename->renamed[side]; i++) {
			const struct planner_name *name = &names[i];
			if (!name->occupies[side] || i == rename->from)
				continue;
			if (!strcmp(name->at[side], to->at[side]) ||
			    mailbox_name_is_below(name->at[side], to->at[side]))
				return true;
			if (mailbox_name_is_below(name->at[side], from->at[side]) &&
			    (name->left_out || (name->exists[side] &&
						!(mailbox_name_is_below(name->name, from->name) &&
						  is_listed(names, list, len, i, to->name,
							    name->name + strlen(from->name))))))
				return true;
		}
	return false;
}

/*
 * True where a third mailbox has the UIDVALIDITY of the new name as well: of a server that has one
 * for all of them it says nothing, and equal messages under equal UIDs say little. Moved to a new
 * mailbox they look like that, too.
 */
static bool has_common_uidvalidity(const struct planner_name *names, size_t len,
				   const struct planner_rename *rename)
{
	uint32_t uidvalidity = names[rename->to].listed[REMOTE].uidvalidity;

	if (!rename->renamed[REMOTE] || rename->sure[REMOTE])
		return false;
	for (size_t i = 0; i < len; i++)
		if (i != rename->from && i != rename->to && names[i].exists[REMOTE] &&
		    names[i].listed[REMOTE].uidvalidity == uidvalidity)
			return true;
	return false;
}

/* Refutes what would do more than to rename; what does not go stays in the way of others. */
static void refute_takers(const struct planner_name *names, size_t names_len,
			  struct planner_rename *list, size_t len)
{
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < len; i++)
			if (!list[i].refuted &&
			    takes_others_along(names, names_len, list, len, &list[i]))
				again = list[i].refuted = true;
	}
}

/* Takes out those that are refuted. */
static void drop_refuted(struct planner_rename *list, size_t *len)
{
	size_t kept = 0;

	for (size_t i = 0; i < *len; i++)
		if (!list[i].refuted)
			list[kept++] = list[i];
	*len = kept;
}

/* Refutes what the looks do not bear out, or bear out for others as well. */
static void judge(const struct planner_name *names, size_t names_len, struct planner_rename *list,
		  size_t len)
{
	for (size_t i = 0; i < len; i++)
		list[i].refuted =
		    !is_alike(&list[i]) || has_common_uidvalidity(names, names_len, &list[i]);
	for (size_t i = 0; i < len; i++)
		list[i].contested = !list[i].refuted && is_contested(list, len, i);
	for (size_t i = 0; i < len; i++)
		list[i].refuted |= list[i].contested;
}

/* True where the two are one mailbox, and the server's name can become the local one. */
static bool do_meet(const struct planner_name *names, const struct planner_rename *local,
		    const struct planner_rename *remote)
{
	const char *here = names[local->to].at[REMOTE], *there = names[remote->to].at[REMOTE];

	return local->from == remote->from && local->renamed[LOCAL] && remote->renamed[REMOTE] &&
	       !mailbox_name_is_below(here, there) && !mailbox_name_is_below(there, here);
}

/* The server's mailbox is the old name's. */
static void meet_names(struct planner_name *from, struct planner_name *met)
{
	from->at[REMOTE] = met->at[REMOTE];
	from->listed[REMOTE] = met->listed[REMOTE];
	from->exists[REMOTE] = from->occupies[REMOTE] = true;
	met->exists[REMOTE] = met->occupies[REMOTE] = false;
	from->met = met;
}

void planner_meet(struct planner_name *names, size_t names_len, struct planner_rename *halves,
		  size_t len)
{
	judge(names, names_len, halves, len);
	drop_refuted(halves, &len);
	for (size_t i = 0; i < len; i++)
		for (size_t k = 0; k < len; k++)
			if (do_meet(names, &halves[i], &halves[k]))
				meet_names(&names[halves[k].from], &names[halves[k].to]);
}

/*
 * True where one can be carried out only after the other: to go below a mailbox that is yet to be
 * renamed is to go along with it, and what is above a mailbox is there once that is.
 */
static bool waits_for(const struct planner_name *names, const struct planner_rename *rename,
		      const struct planner_rename *other)
{
	for (enum side side = LOCAL; side < SIDES; side++) {
		const char *to = names[rename->to].at[side];
		if (rename->renamed[side] || other->renamed[side])
			continue;
		if (mailbox_name_is_below(to, names[other->from].at[side]) ||
		    mailbox_name_is_below(to, names[other->to].at[side]))
			return true;
	}
	return false;
}

/* The index of one, from first on, that waits for no other of these; len where there is none. */
static size_t find_ready(const struct planner_name *names, const struct planner_rename *list,
			 size_t len, size_t first)
{
	for (size_t i = first; i < len; i++) {
		size_t k = first;
		while (k < len && !waits_for(names, &list[i], &list[k]))
			k++;
		if (k == len)
			return i;
	}
	return len;
}

/*
 * Puts them into the order in which they can be carried out. How many can: the others wait for each
 * other, and are taken out.
 */
static size_t put_in_order(const struct planner_name *names, struct planner_rename *list,
			   size_t len)
{
	size_t placed = 0;

	for (size_t ready; (ready = find_ready(names, list, len, placed)) < len; placed++) {
		const struct planner_rename rename = list[ready];
		list[ready] = list[placed];
		list[placed] = rename;
	}
	return placed;
}

/*
 * B5: a mailbox that is gone under one name and new under another on the same side was renamed
 * there, so it is renamed on the other side too, with all that it holds: its UIDs, flags and dates
 * stay, nothing is sent, and the journal goes along. Where both sides renamed it, to different
 * names, planner_meet has seen to it. Where the evidence fits several names, or renaming would take
 * something along that was not renamed, in whatever order, nothing is concluded: the messages are
 * moved one by one (V1), which ends in the same state.
 */
void planner_renames(const struct planner_name *names, size_t names_len,
		     struct planner_rename *list, size_t *len)
{
	size_t left;

	judge(names, names_len, list, *len);
	do {
		refute_takers(names, names_len, list, *len);
		drop_refuted(list, len);
		left = *len;
		*len = put_in_order(names, list, left);
	} while (*len < left);
}
