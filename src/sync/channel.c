// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/channel.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/log.h"
#include "base/map.h"
#include "base/text.h"
#include "mail/pattern.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void channel_open(struct channel *channel, const struct channel_setup *setup)
{
	*channel = (struct channel){.setup = *setup};
}

/* Frees what one box holds; an open transaction of its journal is dropped. */
static void box_free(struct box *box)
{
	journal_close(&box->journal);
	for (enum side side = LOCAL; side < SIDES; side++)
		snapshot_free(&box->sides[side]);
	match_free(&box->match);
	plan_free(&box->plan);
	plan_free(&box->late);
	arena_free(&box->arena);
}

void channel_close(struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++)
		box_free(&channel->boxes[i]);
	free(channel->boxes);
	free(channel->left_out);
	arena_free(&channel->arena);
	*channel = (struct channel){0};
}

void box_fail(struct box *box, const struct error *err)
{
	box->undone = true;
	if (box->error.kind == ERROR_NONE)
		box->error = *err;
}

/*
 * UIDs mean something under one UIDVALIDITY only. A head of another one, or of a server that went
 * back in time, says nothing of the pairs that are there now: it is begun anew with just that.
 */
int box_commit(struct box *box, struct error *err)
{
	const struct journal_head *head = journal_head(box->journal);
	const struct journal_head begun = {.uidvalidity = box->sides[REMOTE].stamp.uidvalidity};
	bool stands = !begun.uidvalidity ||
		      (head->uidvalidity == begun.uidvalidity && !(box->former && head->uidnext));

	return journal_commit(box->journal, stands ? NULL : &begun, err);
}

int store_do(struct store *store, const struct request *request, struct answer *answer,
	     struct error *err)
{
	int rc;

	if (store_submit(store, request, err))
		return -1;
	while ((rc = store_next(store, answer, err)) == 1)
		if (answer->kind == ANSWER_DONE)
			break;
	if (rc != 1)
		return rc ? -1 : error_set(err, ERROR_INTERNAL, SCOPE_FATAL, "a request was lost");
	if (answer->error.kind != ERROR_NONE) {
		*err = answer->error;
		return -1;
	}
	return 0;
}

void box_known_uids(const struct box *box, struct uidset *out)
{
	size_t len;
	const struct pair *pairs = journal_pairs(box->journal, &len);

	for (size_t i = 0; i < len; i++)
		if (!(pairs[i].gone & 1u << REMOTE))
			uidset_add(out, pairs[i].uid);
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

/* The box of that name, made where there is none yet; NULL where it is not wanted. */
static struct box *box_of(struct channel *channel, struct map *map, const char *name)
{
	size_t index;

	if (map_get(map, name, strlen(name), &index))
		return &channel->boxes[index];
	if (!is_wanted(channel, name))
		return NULL;
	struct box *box = array_push(channel->boxes, channel->len, channel->cap);
	name = arena_strdup(&channel->arena, name);
	*box = (struct box){
	    .name = name, .at = {name, name}, .wanted = {name, name}, .allowed = channel->setup.allow_deletions};
	map_put(map, box->name, strlen(box->name), channel->len - 1);
	return box;
}

/* Names that serve as trash where no attribute says so, the likeliest first. */
static const char *const trash_names[] = {"Trash", "Deleted Items", "Deleted Messages", "Deleted"};

/* Notes a mailbox that may be the trash: an attribute beats a name, an earlier name a later. */
static void note_trash(struct channel *channel, const char *name, unsigned attributes, size_t *rank)
{
	size_t this = sizeof(trash_names) / sizeof(*trash_names) + 1;

	for (size_t i = 0; i < sizeof(trash_names) / sizeof(*trash_names); i++)
		if (!strcasecmp(name, trash_names[i]))
			this = i + 1;
	if (attributes & MAILBOX_TRASH)
		this = 0;
	if (this >= *rank || attributes & MAILBOX_NOSELECT)
		return;
	*rank = this;
	channel->trash[REMOTE] = arena_strdup(&channel->arena, name);
}

/* Remembers a name that is there and not wanted. */
static void leave_out(struct channel *channel, enum side side, const char *name)
{
	struct left_out *left =
	    array_push(channel->left_out, channel->left_out_len, channel->left_out_cap);

	*left = (struct left_out){arena_strdup(&channel->arena, name), side};
}

/*
 * Whether a mailbox is another user's, or shared, and nobody means it, though the patterns take in
 * all: an account may see thousands of those. One that is here too stays even.
 */
static bool is_unmeant(const struct channel *channel, const struct map *map,
		       const struct answer *answer)
{
	const struct channel_setup *setup = &channel->setup;
	const char *name = answer->mailbox;
	size_t index;

	return answer->attributes & MAILBOX_FOREIGN && !setup->only_len &&
	       is_wanted(channel, name) && !map_get(map, name, strlen(name), &index) &&
	       !mailbox_patterns_name(setup->patterns, setup->patterns_len, name);
}

/* Takes in the list of one side. */
static int list_side(struct channel *channel, struct map *map, enum side side, struct error *err)
{
	struct answer answer;
	size_t rank = sizeof(trash_names) / sizeof(*trash_names) + 1, unmeant = 0;
	int rc;

	while ((rc = store_next(channel->setup.stores[side], &answer, err)) == 1) {
		if (answer.kind == ANSWER_DONE && answer.error.kind != ERROR_NONE) {
			*err = answer.error;
			return -1;
		}
		if (answer.kind != ANSWER_MAILBOX)
			continue;
		if (side == REMOTE)
			note_trash(channel, answer.mailbox, answer.attributes, &rank);
		bool mean = !is_unmeant(channel, map, &answer);
		struct box *box = mean ? box_of(channel, map, answer.mailbox) : NULL;
		unmeant += !mean && !(answer.attributes & MAILBOX_NOSELECT);
		if (!box) {
			leave_out(channel, side, answer.mailbox);
			continue;
		}
		box->exists[side] = true;
		box->listed[side] = answer.stamp;
		if (side == REMOTE)
			box->attributes = answer.attributes;
	}
	if (unmeant)
		log_info("%s: %zu mailboxes of other users, or shared ones, are left out: only a "
			 "pattern that does not begin with a wildcard takes them in",
			 channel->setup.name, unmeant);
	return rc;
}

/* Boxes that only the journal remembers: gone on both sides, or a reason to ask. */
static int list_journals(struct channel *channel, struct map *map, struct error *err)
{
	char **names;
	size_t count;

	if (journal_dir_list(channel->setup.journals, &names, &count, err))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct box *box = box_of(channel, map, names[i]);
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

int channel_list(struct channel *channel, struct error *err)
{
	const struct request request = {.kind = REQUEST_LIST};
	struct map map = {0};
	int rc = -1;

	for (enum side side = LOCAL; side < SIDES; side++)
		if (store_submit(channel->setup.stores[side], &request, err))
			goto out;
	for (enum side side = LOCAL; side < SIDES; side++)
		if (list_side(channel, &map, side, err))
			goto out;
	if (list_journals(channel, &map, err))
		goto out;
	if (channel->len)
		qsort(channel->boxes, channel->len, sizeof(*channel->boxes), compare_boxes);
	if (!channel->trash[REMOTE])
		channel->trash[REMOTE] = trash_names[0];
	channel->trash[LOCAL] = channel->trash[REMOTE];
	rc = check_only(channel, err);
out:
	map_free(&map);
	return rc;
}
