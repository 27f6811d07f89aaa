// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/list.h"

#include "base/array.h"
#include "base/log.h"
#include "base/map.h"
#include "base/text.h"
#include "mail/pattern.h"
#include "sync/head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a side tells of a mailbox. */
struct entry {
	const char *name;
	unsigned attributes;
	struct stamp stamp;
	struct journal *journal; /* opened already, or NULL */
	bool torn;               /* in reading, it was cut back */
};

/* The lists while boxes are made of them. */
struct listing {
	struct channel *channel;
	struct map boxes; /* by name */
	struct entry *entries[SIDES];
	size_t len[SIDES], cap[SIDES];
	size_t unmeant;
};

#define USE_NAMES 5

/* Names that serve a use where no attribute says so, the likeliest first; the first is also what
 * such a mailbox is called where one is made. */
static const struct {
	unsigned use;
	const char *names[USE_NAMES];
} uses[] = {
    {MAILBOX_ARCHIVE, {"Archive", "Archives"}},
    {MAILBOX_DRAFTS, {"Drafts"}},
    {MAILBOX_JUNK, {"Junk", "Spam", "Junk E-mail", "Bulk Mail"}},
    {MAILBOX_SENT, {"Sent", "Sent Items", "Sent Messages", "Sent Mail"}},
    {MAILBOX_TRASH, {"Trash", "Deleted Items", "Deleted Messages", "Deleted"}},
};

#define USES (sizeof(uses) / sizeof(*uses))

/* The place of a name among those that serve a use, from 0; USE_NAMES where it is none. */
static size_t rank_of(unsigned use, const char *name)
{
	for (size_t i = 0; i < USES; i++)
		for (size_t k = 0; uses[i].use == use && k < USE_NAMES && uses[i].names[k]; k++)
			if (!strcasecmp(name, uses[i].names[k]))
				return k;
	return USE_NAMES;
}

unsigned list_use_of_name(const struct channel *channel, const char *remote)
{
	const struct name_map *map = &channel->names;

	for (size_t i = 0; i < channel->setup.map.len; i++)
		if (map->pairs[i].use && !map->pairs[i].remote &&
		    !strcmp(map->pairs[i].local, remote))
			return map->pairs[i].use & ~channel->uses;
	for (size_t i = 0; i < USES; i++)
		if (!strcasecmp(remote, uses[i].names[0]))
			return uses[i].use & ~channel->uses;
	return 0;
}

/* True for a mailbox that may serve a use: another user's, or a shared one, has it for others. */
static bool may_serve(const struct entry *entry)
{
	return !(entry->attributes & (MAILBOX_NOSELECT | MAILBOX_FOREIGN)) &&
	       strcmp(entry->name, "INBOX") != 0;
}

/* The server's mailbox for a use, by its attribute or else by a name; NULL where there is none. */
static const char *find_use(const struct listing *listing, unsigned use)
{
	size_t best = USE_NAMES;
	const char *name = NULL;

	for (size_t i = 0; i < listing->len[REMOTE]; i++) {
		const struct entry *entry = &listing->entries[REMOTE][i];
		size_t rank = rank_of(use, entry->name);
		if (!may_serve(entry))
			continue;
		if (entry->attributes & use)
			return entry->name;
		if (rank < best) {
			best = rank;
			name = entry->name;
		}
	}
	return name;
}

/* What the server's trash is to be called where it has none. */
static const char *name_trash(struct channel *channel)
{
	const struct name_map *map = &channel->names;
	const char *remote = name_map_to_remote(map, &channel->arena, "Trash");

	for (size_t i = 0; i < map->len; i++)
		if (map->pairs[i].use == MAILBOX_TRASH)
			return map->pairs[i].local;
	return remote ? remote : "Trash";
}

/* Which mailbox of the server each use of the map is, and which is the trash. */
static void resolve_uses(struct listing *listing)
{
	struct channel *channel = listing->channel;
	const struct name_map *map = &channel->setup.map;
	struct name_pair *pairs =
	    arena_alloc(&channel->arena, (map->len + 1) * sizeof(*pairs));

	for (size_t i = 0; i < listing->len[REMOTE]; i++)
		if (may_serve(&listing->entries[REMOTE][i]))
			channel->uses |=
			    listing->entries[REMOTE][i].attributes & MAILBOX_SPECIAL_USES;
	for (size_t i = 0; i < map->len; i++) {
		pairs[i] = map->pairs[i];
		if (pairs[i].use)
			pairs[i].remote = find_use(listing, pairs[i].use);
	}
	channel->names = (struct name_map){pairs, map->len};
	channel->trash[REMOTE] = find_use(listing, MAILBOX_TRASH);
	if (!channel->trash[REMOTE])
		channel->trash[REMOTE] = name_trash(channel);
	channel->trash[LOCAL] =
	    name_map_to_local(&channel->names, &channel->arena, channel->trash[REMOTE]);
	if (!channel->trash[LOCAL])
		channel->trash[LOCAL] = channel->trash[REMOTE];
}

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

/* The box of that local name, made where there is none yet; NULL where it is not wanted, or the
 * server can have none of that name. */
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
static void leave_out(struct channel *channel, enum side side, const struct entry *entry,
		      const char *unnamed)
{
	struct left_out *left =
	    array_push(channel->left_out, channel->left_out_len, channel->left_out_cap);

	*left = (struct left_out){entry->name, side, unnamed, entry->stamp};
}

/* True where a run that names no mailboxes would take it in. */
static bool is_unnamed(const struct channel *channel, const struct entry *entry, const char *name)
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
static bool is_unmeant(const struct listing *listing, const struct entry *entry, const char *name)
{
	const struct channel_setup *setup = &listing->channel->setup;
	size_t index;

	return entry->attributes & MAILBOX_FOREIGN && !setup->only_len &&
	       is_wanted(listing->channel, name) && !strcmp(name, entry->name) &&
	       !map_get(&listing->boxes, name, strlen(name), &index) &&
	       !mailbox_patterns_name(setup->patterns, setup->patterns_len, name);
}

/* The local name of an entry; NULL where the map covers it up. */
static const char *local_name(struct listing *listing, enum side side, const struct entry *entry)
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
static void take_journal(struct box *box, struct entry *entry)
{
	box->journal = entry->journal;
	box->survey.torn = entry->torn;
	entry->journal = NULL;
}

/* Makes boxes of one side's list. */
static void make_boxes(struct listing *listing, enum side side)
{
	for (size_t i = 0; i < listing->len[side]; i++) {
		struct entry *entry = &listing->entries[side][i];
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
static void read_ahead(const struct channel *channel, struct entry *entry)
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
		struct entry *entry =
		    array_push(listing->entries[side], listing->len[side], listing->cap[side]);
		*entry = (struct entry){.name = arena_strdup(&channel->arena, answer.mailbox),
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

	resolve_uses(listing);
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
