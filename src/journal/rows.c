// SPDX-License-Identifier: GPL-3.0-or-later
#include "journal/rows.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/array.h"
#include "base/map.h"
#include "base/random.h"
#include "base/slots.h"
#include "journal/notes.h"

#include <stdlib.h>
#include <string.h>

/*
 * Both tables hold an index of pairs in 4 bytes: with their share of empty slots and the names'
 * hashes 18 bytes a row beside the 80 of the pair itself, and its name.
 */
struct rows {
	struct pair *pairs; /* name is NULL in one that is gone */
	uint32_t *hashes;   /* beside pairs: of their names */
	size_t len, cap, hashes_cap;
	size_t gone;
	bool unsorted; /* a UID came after a larger one */
	struct slots uids;
	struct slots names;
	uint64_t factor;    /* of the UIDs' hash */
	struct arena arena; /* the names */
	struct notes notes;
	uint32_t refused[SIDES]; /* keywords */
	struct flag_room room;   /* of the server */
};

/* UIDs come from the server: a factor of our own keeps it from choosing those that collide. */
struct rows *rows_open(void)
{
	struct rows *rows = xcalloc(1, sizeof(struct rows));

	rows->factor = random_u64() | 1;
	rows->room = FLAG_ROOM_ALL;
	return rows;
}

/* NULL is fine. */
void rows_close(struct rows **rows)
{
	if (*rows == NULL)
		return;
	free((*rows)->pairs);
	free((*rows)->hashes);
	slots_free(&(*rows)->uids);
	slots_free(&(*rows)->names);
	arena_free(&(*rows)->arena);
	notes_free(&(*rows)->notes);
	free(*rows);
	*rows = NULL;
}

/* The upper half of a product is spread evenly. */
static uint32_t rows_hash_uid(const struct rows *rows, uint32_t uid)
{
	return (uint32_t)(uid * rows->factor >> 32);
}

/* Names come from other programs: the hash is seeded. */
static uint32_t rows_hash_name(const char *name)
{
	return (uint32_t)map_hash(name, strlen(name));
}

/* The slot of a UID, or NULL. A file is mostly read with its UIDs ascending: none is there yet. */
static uint32_t *rows_uid_slot(const struct rows *rows, uint32_t uid)
{
	uint32_t *slot;

	if (!rows->unsorted && rows->len > 0 && uid > rows->pairs[rows->len - 1].uid)
		return NULL;
	for (size_t at = slots_begin(&rows->uids, rows_hash_uid(rows, uid));
	     (slot = slots_next(&rows->uids, &at)) != NULL;)
		if (rows->pairs[slots_index(slot)].uid == uid)
			break;
	return slot;
}

/* The slot of a name with that hash, or NULL. */
static uint32_t *rows_name_slot(const struct rows *rows, const char *name, uint32_t hash)
{
	uint32_t *slot;

	for (size_t at = slots_begin(&rows->names, hash);
	     (slot = slots_next(&rows->names, &at)) != NULL;)
		if (rows->hashes[slots_index(slot)] == hash &&
		    strcmp(rows->pairs[slots_index(slot)].name, name) == 0)
			break;
	return slot;
}

/* Fills both tables anew, with room for count rows. */
static void rows_index(struct rows *rows, size_t count)
{
	slots_reset(&rows->uids, count + 1);
	slots_reset(&rows->names, count + 1);
	for (size_t i = 0; i < rows->len; i++) {
		if (rows->pairs[i].name == NULL)
			continue;
		slots_add(&rows->uids, rows_hash_uid(rows, rows->pairs[i].uid), i);
		slots_add(&rows->names, rows->hashes[i], i);
	}
}

/* Growing the tables step by step would cost as much as filling them. */
void rows_expect(struct rows *rows, size_t count)
{
	rows->pairs = array_reserve(rows->pairs, &rows->cap, count, sizeof(*rows->pairs));
	rows->hashes = array_reserve(rows->hashes, &rows->hashes_cap, count, sizeof(*rows->hashes));
	rows_index(rows, count);
}

/* For qsort(). */
static int rows_compare(const void *a, const void *b)
{
	uint32_t left = ((const struct pair *)a)->uid;
	uint32_t right = ((const struct pair *)b)->uid;

	return (left > right) - (left < right);
}

/* Sorts; the hashes beside the pairs are reckoned again. */
static void rows_sort(struct rows *rows)
{
	qsort(rows->pairs, rows->len, sizeof(*rows->pairs), rows_compare);
	for (size_t i = 0; i < rows->len; i++)
		rows->hashes[i] = rows_hash_name(rows->pairs[i].name);
	rows->unsorted = false;
}

/* Drops those gone and sorts. */
static void rows_settle(struct rows *rows)
{
	size_t kept = 0;

	if (!rows->unsorted && rows->gone == 0)
		return;
	for (size_t i = 0; i < rows->len; i++) {
		if (rows->pairs[i].name == NULL)
			continue;
		rows->hashes[kept] = rows->hashes[i];
		rows->pairs[kept++] = rows->pairs[i];
	}
	rows->len = kept;
	rows->gone = 0;
	if (rows->unsorted)
		rows_sort(rows);
	rows_index(rows, rows->len);
}

/* Takes a pair out, leaving its place for rows_settle(). */
static void rows_drop(struct rows *rows, struct pair *pair)
{
	uint32_t hash = rows->hashes[pair - rows->pairs];

	slots_remove(rows_uid_slot(rows, pair->uid));
	slots_remove(rows_name_slot(rows, pair->name, hash));
	pair->name = NULL;
	rows->gone++;
}

/* Appends a pair that is not there; its name is copied. */
static void rows_add(struct rows *rows, const struct pair *pair, uint32_t hash)
{
	if (rows->len > 0 && rows->pairs[rows->len - 1].uid > pair->uid)
		rows->unsorted = true;
	if (slots_are_full(&rows->uids) || slots_are_full(&rows->names))
		rows_index(rows, rows->len - rows->gone);
	rows->hashes =
	    array_grow(rows->hashes, &rows->hashes_cap, rows->len + 1, sizeof(*rows->hashes));
	rows->hashes[rows->len] = hash;
	*array_push(rows->pairs, rows->len, rows->cap) = *pair;
	rows->pairs[rows->len - 1].name = arena_strdup(&rows->arena, pair->name);
	slots_add(&rows->uids, rows_hash_uid(rows, pair->uid), rows->len - 1);
	slots_add(&rows->names, hash, rows->len - 1);
}

/* Gives a pair another name; its place in the table of names is another then. */
static void rows_rename(struct rows *rows, struct pair *pair, const char *name, uint32_t hash)
{
	size_t index = (size_t)(pair - rows->pairs);

	slots_remove(rows_name_slot(rows, pair->name, rows->hashes[index]));
	pair->name = arena_strdup(&rows->arena, name);
	rows->hashes[index] = hash;
	if (slots_are_full(&rows->names))
		rows_index(rows, rows->len - rows->gone);
	else
		slots_add(&rows->names, hash, index);
}

/* All but the flags, of two with the same UID. */
static bool rows_same_message(const struct pair *a, const struct pair *b)
{
	return a->gone == b->gone && a->size == b->size && a->date == b->date &&
	       a->message_id == b->message_id && a->email_id == b->email_id &&
	       digest_equal(&a->digest, &b->digest) && strcmp(a->name, b->name) == 0;
}

/* A pair in rows, to be changed. */
static struct pair *rows_at_uid(const struct rows *rows, uint32_t uid)
{
	uint32_t *slot = rows_uid_slot(rows, uid);

	return slot != NULL ? &rows->pairs[slots_index(slot)] : NULL;
}

/* Puts in place of old (NULL: none) under the same UID; returns where. */
static struct pair *rows_replace(struct rows *rows, struct pair *old, const struct pair *pair,
				 uint32_t hash)
{
	const char *name;

	if (old == NULL) {
		rows_add(rows, pair, hash);
		return &rows->pairs[rows->len - 1];
	}
	if (strcmp(old->name, pair->name) != 0)
		rows_rename(rows, old, pair->name, hash);
	name = old->name;
	*old = *pair;
	old->name = name;
	return old;
}

/* Keeps those gone fewer than those there, so that they cost nothing to speak of. */
static void rows_tidy(struct rows *rows)
{
	if (rows->gone > SLOTS_MIN && rows->gone > rows->len / 2)
		rows_settle(rows);
}

/* The notes end last, by a name of our own: the caller's may be that of a note. */
enum rows_change rows_put(struct rows *rows, const struct pair *pair)
{
	uint32_t uid = pair->uid;
	uint32_t hash = rows_hash_name(pair->name);
	struct pair *old = rows_at_uid(rows, uid);
	uint32_t *named = rows_name_slot(rows, pair->name, hash);
	bool same = old != NULL && rows_same_message(old, pair);
	bool same_flags = same && flags_equal(old->flags, pair->flags);
	bool ended;

	if (named != NULL && &rows->pairs[slots_index(named)] != old)
		rows_drop(rows, &rows->pairs[slots_index(named)]);
	if (!same_flags)
		old = rows_replace(rows, old, pair, hash);
	ended = notes_end(&rows->notes, JOURNAL_PUBLISHING, uid, old->name);
	ended |= notes_end(&rows->notes, JOURNAL_APPENDING, uid, old->name);
	rows_tidy(rows);
	if (ended)
		return ROWS_PAIR;
	return same_flags ? ROWS_SAME : same ? ROWS_FLAGS : ROWS_PAIR;
}

/* A pair that is not there has no flags. */
bool rows_flag(struct rows *rows, uint32_t uid, struct flags flags)
{
	struct pair *pair = rows_at_uid(rows, uid);

	if (pair == NULL || flags_equal(pair->flags, flags))
		return false;
	pair->flags = flags;
	return true;
}

/* A note may be there without its pair. */
bool rows_forget(struct rows *rows, uint32_t uid)
{
	struct pair *pair = rows_at_uid(rows, uid);
	bool ended = notes_end(&rows->notes, JOURNAL_MOVING, uid, NULL);

	ended |= notes_end(&rows->notes, JOURNAL_REMOVING, uid, NULL);
	if (pair == NULL)
		return ended;
	rows_drop(rows, pair);
	rows_tidy(rows);
	return true;
}

/* Notes are kept in a module of their own. */
bool rows_note(struct rows *rows, const struct journal_note *note)
{
	return notes_put(&rows->notes, note);
}

/* Notes are kept in a module of their own. */
bool rows_end_note(struct rows *rows, enum journal_note_kind kind, uint32_t uid, const char *name)
{
	return notes_end(&rows->notes, kind, uid, name);
}

/* The names stay in memory: a caller may still hold pairs of before. */
bool rows_reset(struct rows *rows)
{
	bool ended = notes_reset(&rows->notes);

	ended |= rows->refused[LOCAL] || rows->refused[REMOTE];
	rows->refused[LOCAL] = rows->refused[REMOTE] = 0;
	ended |= rows_set_room(rows, &FLAG_ROOM_ALL);
	if (rows_count(rows) == 0)
		return ended;
	rows->len = 0;
	rows->gone = 0;
	rows->unsorted = false;
	rows_index(rows, 0);
	return true;
}

/* Puts them in order first. */
const struct pair *rows_pairs(struct rows *rows, size_t *count)
{
	rows_settle(rows);
	*count = rows->len;
	return rows->pairs;
}

/* Nothing is brought into order: that takes memory and time. */
const struct pair *rows_next(const struct rows *rows, size_t *at)
{
	while (*at < rows->len) {
		const struct pair *pair = &rows->pairs[(*at)++];

		if (pair->name != NULL)
			return pair;
	}
	return NULL;
}

/* Those gone are not counted. */
size_t rows_count(const struct rows *rows)
{
	return rows->len - rows->gone;
}

/* NULL where there is none. */
const struct pair *rows_of_uid(const struct rows *rows, uint32_t uid)
{
	return rows_at_uid(rows, uid);
}

/* NULL where there is none. */
const struct pair *rows_of_name(const struct rows *rows, const char *name)
{
	uint32_t *slot = rows_name_slot(rows, name, rows_hash_name(name));

	return slot != NULL ? &rows->pairs[slots_index(slot)] : NULL;
}

/* In no order. */
const struct journal_note *rows_notes(const struct rows *rows, size_t *count)
{
	*count = rows->notes.len;
	return rows->notes.list;
}

/* What cannot be remembered is asked again. */
bool rows_refuse(struct rows *rows, enum side side, uint32_t keywords)
{
	uint32_t both = keywords_union(rows->refused[side], keywords);

	if (both == KEYWORDS_UNKNOWN || both == rows->refused[side])
		return false;
	rows->refused[side] = both;
	return true;
}

uint32_t rows_refused(const struct rows *rows, enum side side)
{
	return rows->refused[side];
}

bool rows_set_room(struct rows *rows, const struct flag_room *room)
{
	if (flag_room_equal(&rows->room, room))
		return false;
	rows->room = *room;
	return true;
}

const struct flag_room *rows_room(const struct rows *rows)
{
	return &rows->room;
}
