// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which mailboxes there are: both sides' lists and the journals' names, made into boxes. A box has
 * its local name; what the server calls it the user's map tells.
 */
#include "sync/list.h"

#include "base/array.h"
#include "base/log.h"
#include "base/map.h"
#include "base/text.h"
#include "mail/pattern.h"
#include "sync/head.h"
#include "sync/uses.h"

#include <stdlib.h>
#include <string.h>

/* The lists while boxes are made of them. */
struct listing {
	struct channel *channel;
	struct map boxes; /* by name */
	struct list_entry *entries[SIDES];
	size_t len[SIDES], cap[SIDES];
	size_t unmeant;
};

/* True where the channel's patterns, and the names of the command line, take the mailbox in. */
static bool is_wanted(const struct channel *channel, const char *name)
{
	const struct channel_setup *setup = &channel->setup;

	if (!mailbox_patterns_match(setup->patterns, setup->patterns_len, name))
		return false;
	for (size_t i = 0; i < setup->only_len; i++)
		if (!strcmp(setup->only[i], name))
			return true;
	return !setup->only_len;
}

/*
 * The box of that local name, made where there is none yet; NULL where it is not wanted, or the
 * server can have none of that name.
 */
static struct box *box_of(struct listing *listing, const char *name)
{
	struct channel *channel = listing->channel;
	const char *remote;
	size_t index;

	if (map_get(&listing->boxes, name, strlen(name), &index))
		return &channel->boxes[index];
	if (!is_wanted(channel, name))
		return NULL;
	remote = name_map_to_remote(&channel->names, &channel->arena, name);
	if (!remote) {
		log_info("%s: the local mailbox %s is left out: \"map\" gives its name on the "
			 "server to another",
			 channel->setup.name, text_show(name));
		return NULL;
	}
	struct box *box = array_push(channel->boxes, channel->len, channel->cap);
	name = arena_strdup(&channel->arena, name);
	*box = (struct box){.name = name,
			    .at = {name, remote},
			    .wanted = {name, remote},
			    .allowed = channel->setup.allow_deletions};
	map_put(&listing->boxes, box->name, strlen(box->name), channel->len - 1);
	return box;
}

/* Remembers a mailbox that is there and not wanted. */
static void leave_out(struct channel *channel, enum side side, const struct list_entry *entry,
		      const char *unnamed)
{
	struct left_out *left =
	    array_push(channel->left_out, channel->left_out_len, channel->left_out_cap);

	*left = (struct left_out){entry->name, side, unnamed, entry->stamp};
}

/* True where a run that names no mailboxes would take it in. */
static bool is_unnamed(const struct channel *channel, const struct list_entry *entry,
		       const char *name)
{
	const struct channel_setup *setup = &channel->setup;

	return setup->only_len && !is_wanted(channel, name) &&
	       !(entry->attributes & MAILBOX_NOSELECT) &&
	       mailbox_patterns_match(setup->patterns, setup->patterns_len, name) &&
	       (!(entry->attributes & MAILBOX_FOREIGN) ||
		mailbox_patterns_name(setup->patterns, setup->patterns_len, name));
}

/*
 * Whether a mailbox is another user's, or shared, and nobody means it, though the patterns take in
 * all: an account may see thousands of those. One that is here too stays even.
 */
static bool is_unmeant(const struct listing *listing, const struct list_entry *entry,
		       const char *name)
{
	const struct channel_setup *setup = &listing->channel->setup;
	size_t index;

	return entry->attributes & MAILBOX_FOREIGN && !setup->only_len &&
	       is_wanted(listing->channel, name) && !strcmp(name, entry->name) &&
	       !map_get(&listing->boxes, name, strlen(name), &index) &&
	       !mailbox_patterns_name(setup->patterns, setup->patterns_len, name);
}

/* The local name of an entry; NULL where the map covers it up. */
static const char *local_name(struct listing *listing, enum side side,
			      const struct list_entry *entry)
{
	struct channel *channel = listing->channel;
	const char *name = entry->name;

	if (side == REMOTE)
		name = name_map_to_local(&channel->names, &channel->arena, name);
	if (!name)
		log_info("%s: the server's mailbox %s is left out: \"map\" gives its local name to "
			 "another",
			 channel->setup.name, text_show(entry->name));
	return name;
}

/* Leaves the box what was read ahead for it. */
static void take_journal(struct box *box, struct list_entry *entry)
{
	box->journal = entry->journal;
	box->survey.torn = entry->torn;
	entry->journal = NULL;
}

/* Makes boxes of one side's list. */
static void make_boxes(struct listing *listing, enum side side)
{
	for (size_t i = 0; i < listing->len[side]; i++) {
		struct list_entry *entry = &listing->entries[side][i];
		const char *name = local_name(listing, side, entry);
		bool mean = name && !is_unmeant(listing, entry, name);
		struct box *box = mean ? box_of(listing, name) : NULL;
		listing->unmeant += name && !mean && !(entry->attributes & MAILBOX_NOSELECT);
		if (!box) {
			bool unnamed = name && is_unnamed(listing->channel, entry, name);
			leave_out(listing->channel, side, entry, unnamed ? name : NULL);
			continue;
		}
		box->exists[side] = true;
		box->listed[side] = entry->stamp;
		if (side == REMOTE)
			box->attributes = entry->attributes;
		if (entry->journal)
			take_journal(box, entry);
	}
}

/*
 * Reads a local mailbox's journal: its head, and the rows where the mailbox has changed, for then
 * they are needed in any case. While the server makes its list, that takes no time. What cannot be
 * read is found out again later.
 */
static void read_ahead(const struct channel *channel, struct list_entry *entry)
{
	struct error err;

	if (!is_wanted(channel, entry->name) ||
	    journal_open(channel->setup.journals, entry->name, &entry->journal, &err))
		return;
	const struct journal_head *head = journal_head(entry->journal);
	const struct stamp then = head_stamp(head, LOCAL);
	uint64_t size = journal_size(entry->journal);
	if (!head->pairs || stamp_unchanged(LOCAL, &then, &entry->stamp))
		return;
	if (journal_load(entry->journal, &err))
		journal_close(&entry->journal);
	else
		entry->torn = journal_size(entry->journal) != size;
}

/* Takes in the list of one side. */
static int take_list(struct listing *listing, enum side side, struct error *err)
{
	struct channel *channel = listing->channel;
	struct answer answer;
	int rc;

	while ((rc = store_next(channel->setup.stores[side], &answer, err)) == 1) {
		if (answer.kind == ANSWER_DONE && answer.error.kind != ERROR_NONE) {
			*err = answer.error;
			return -1;
		}
		if (answer.kind != ANSWER_MAILBOX)
			continue;
		struct list_entry *entry =
		    array_push(listing->entries[side], listing->len[side], listing->cap[side]);
		*entry = (struct list_entry){.name = arena_strdup(&channel->arena, answer.mailbox),
					     .attributes = answer.attributes,
					     .stamp = answer.stamp};
	}
	return rc;
}

/* Boxes that only the journal remembers: gone on both sides, or a reason to ask. */
static int list_journals(struct listing *listing, struct error *err)
{
	char **names;
	size_t count;

	if (journal_dir_list(listing->channel->setup.journals, &names, &count, err))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct box *box = box_of(listing, names[i]);
		if (box)
			box->has_journal = true;
	}
	journal_names_free(names, count);
	return 0;
}

static int compare_boxes(const void *a, const void *b)
{
	return strcmp(((const struct box *)a)->name, ((const struct box *)b)->name);
}

/* A mailbox named on the command line that is nowhere is the user's mistake. */
static int check_only(const struct channel *channel, struct error *err)
{
	for (size_t i = 0; i < channel->setup.only_len; i++) {
		bool found = false;
		for (size_t k = 0; k < channel->len; k++)
			found |= !strcmp(channel->boxes[k].name, channel->setup.only[i]);
		if (!found)
			return error_set(err, ERROR_USAGE, SCOPE_FATAL,
					 "%s/%s: no such mailbox on either side, or the channel's "
					 "\"mailboxes\" leaves it out",
					 channel->setup.name, text_show(channel->setup.only[i]));
	}
	return 0;
}

/* Both lists are there: what they tell together. */
static int join_lists(struct listing *listing, struct error *err)
{
	struct channel *channel = listing->channel;

	uses_resolve(channel, listing->entries[REMOTE], listing->len[REMOTE]);
	for (enum side side = LOCAL; side < SIDES; side++)
		make_boxes(listing, side);
	if (list_journals(listing, err))
		return -1;
	if (listing->unmeant)
		log_info("%s: %zu mailboxes of other users, or shared ones, are left out: only a "
			 "pattern that does not begin with a wildcard takes them in",
			 channel->setup.name, listing->unmeant);
	if (channel->len)
		qsort(channel->boxes, channel->len, sizeof(*channel->boxes), compare_boxes);
	return check_only(channel, err);
}

/* Frees what no box was made of. */
static void listing_free(struct listing *listing)
{
	map_free(&listing->boxes);
	for (size_t i = 0; i < listing->len[LOCAL]; i++)
		journal_close(&listing->entries[LOCAL][i].journal);
	for (enum side side = LOCAL; side < SIDES; side++)
		free(listing->entries[side]);
}

int channel_list(struct channel *channel, struct error *err)
{
	const struct request request = {.kind = REQUEST_LIST,
					.want_subscribed = channel->setup.policy.subscriptions};
	struct listing listing = {.channel = channel};
	int rc = -1;

	for (enum side side = LOCAL; side < SIDES; side++)
		if (store_submit(channel->setup.stores[side], &request, err))
			goto out;
	if (store_start(channel->setup.stores[REMOTE], err) || take_list(&listing, LOCAL, err))
		goto out;
	for (size_t i = 0; i < listing.len[LOCAL]; i++)
		read_ahead(channel, &listing.entries[LOCAL][i]);
	if (take_list(&listing, REMOTE, err))
		goto out;
	rc = join_lists(&listing, err);
out:
	listing_free(&listing);
	return rc;
}
