// SPDX-License-Identifier: GPL-3.0-or-later
#include "journal/notes.h"

#include "base/alloc.h"
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

#define UID_KEY_SIZE (2 + sizeof(uint32_t))

/*
 * Keys as the map borrows them: 'u', kind, UID, and 'n', kind, name. The note's strings are the
 * ends of name_key and of what follows it.
 */
struct note_keys {
	char uid_key[UID_KEY_SIZE];
	size_t name_len; /* of name_key; 0 where there is no name */
	char name_key[];
};

/* Writes the key of a kind and a UID. */
static void notes_make_uid_key(char key[UID_KEY_SIZE], enum journal_note_kind kind, uint32_t uid)
{
	key[0] = 'u';
	key[1] = (char)kind;
	memcpy(key + 2, &uid, sizeof(uid));
}

/* The index of the note of that kind and UID. */
static bool notes_find_uid(const struct notes *notes, enum journal_note_kind kind, uint32_t uid,
			   size_t *index)
{
	char key[UID_KEY_SIZE];

	if (uid == 0 || notes->len == 0)
		return false;
	notes_make_uid_key(key, kind, uid);
	return map_get(&notes->places, key, sizeof(key), index);
}

/* The index of the note of that kind and name. */
static bool notes_find_name(const struct notes *notes, enum journal_note_kind kind,
			    const char *name, size_t *index)
{
	size_t len;
	char *key;
	bool found;

	if (name == NULL || notes->len == 0)
		return false;
	len = strlen(name) + 2;
	key = xmalloc(len);
	key[0] = 'n';
	key[1] = (char)kind;
	memcpy(key + 2, name, len - 2);
	found = map_get(&notes->places, key, len, index);
	free(key);
	return found;
}

/* Puts the keys of the note at index into the map. */
static void notes_place(struct notes *notes, size_t index)
{
	const struct note_keys *keys = notes->keys[index];

	if (notes->list[index].uid != 0)
		map_put(&notes->places, keys->uid_key, UID_KEY_SIZE, index);
	if (keys->name_len > 0)
		map_put(&notes->places, keys->name_key, keys->name_len, index);
}

/* Takes the note at index out; the last takes its place. */
static void notes_remove(struct notes *notes, size_t index)
{
	struct note_keys *keys = notes->keys[index];

	if (notes->list[index].uid != 0)
		map_remove(&notes->places, keys->uid_key, UID_KEY_SIZE);
	if (keys->name_len > 0)
		map_remove(&notes->places, keys->name_key, keys->name_len);
	free(keys);
	notes->len--;
	if (index == notes->len)
		return;
	notes->list[index] = notes->list[notes->len];
	notes->keys[index] = notes->keys[notes->len];
	notes_place(notes, index);
}

/*
 * A UID and a name may be those of two notes. Both are found before one goes, for name may be a
 * note's own; the later goes first, so that the place of the other stays.
 */
bool notes_end(struct notes *notes, enum journal_note_kind kind, uint32_t uid, const char *name)
{
	size_t by_uid, by_name;
	bool has_uid = notes_find_uid(notes, kind, uid, &by_uid);
	bool has_name = notes_find_name(notes, kind, name, &by_name);

	if (has_uid && has_name && by_uid > by_name) {
		notes_remove(notes, by_uid);
		has_uid = false;
	}
	if (has_name)
		notes_remove(notes, by_name);
	if (has_uid && !(has_name && by_uid == by_name))
		notes_remove(notes, by_uid);
	return has_uid || has_name;
}

/* Copies the strings into one piece of memory that goes with the note. */
static struct note_keys *notes_make_keys(struct journal_note *note)
{
	size_t name = note->name != NULL ? strlen(note->name) + 1 : 0;
	size_t text = note->text != NULL ? strlen(note->text) + 1 : 0;
	struct note_keys *keys = xcalloc(1, sizeof(*keys) + 2 + name + text);

	notes_make_uid_key(keys->uid_key, note->kind, note->uid);
	keys->name_key[0] = 'n';
	keys->name_key[1] = (char)note->kind;
	if (name > 0) {
		keys->name_len = name + 1; /* its NUL out, the two before it in */
		note->name = memcpy(keys->name_key + 2, note->name, name);
	}
	if (text > 0)
		note->text = memcpy(keys->name_key + 2 + name, note->text, text);
	return keys;
}

/* Equal, or both none. */
static bool notes_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* As the journal's text would give it back: what is not known is nothing. */
static struct journal_note notes_normal(const struct journal_note *note)
{
	struct journal_note normal = *note;

	if (!note->identity.has_message_id)
		normal.identity.message_id = 0;
	if (!note->identity.has_digest)
		normal.identity.digest = (struct digest){0};
	if (note->name != NULL && note->name[0] == '\0')
		normal.name = NULL;
	if (note->text != NULL && note->text[0] == '\0')
		normal.text = NULL;
	return normal;
}

/* Every field counts. */
static bool notes_same_identity(const struct identity *a, const struct identity *b)
{
	return a->size == b->size && a->date == b->date && a->message_id == b->message_id &&
	       a->has_message_id == b->has_message_id && a->email_id == b->email_id &&
	       a->has_digest == b->has_digest && digest_equal(&a->digest, &b->digest);
}

/* Every field counts, of two of the same kind. */
static bool notes_same(const struct journal_note *a, const struct journal_note *b)
{
	return a->side == b->side && a->uid == b->uid && a->uidvalidity == b->uidvalidity &&
	       a->floor == b->floor && flags_equal(a->flags, b->flags) &&
	       notes_same_identity(&a->identity, &b->identity) &&
	       notes_same_text(a->name, b->name) && notes_same_text(a->text, b->text);
}

/* Replaces one that differs; what is the same already is left alone. */
bool notes_put(struct notes *notes, const struct journal_note *note)
{
	struct journal_note normal = notes_normal(note);
	struct note_keys *keys;
	size_t index;

	if ((notes_find_uid(notes, normal.kind, normal.uid, &index) ||
	     notes_find_name(notes, normal.kind, normal.name, &index)) &&
	    notes_same(&notes->list[index], &normal))
		return false;
	keys = notes_make_keys(&normal); /* first: its strings may be those of what it replaces */
	notes_end(notes, normal.kind, normal.uid, normal.name);
	notes->keys =
	    array_grow(notes->keys, &notes->keys_cap, notes->len + 1, sizeof(*notes->keys));
	notes->keys[notes->len] = keys;
	*array_push(notes->list, notes->len, notes->cap) = normal;
	notes_place(notes, notes->len - 1);
	return true;
}

/* From the last on, for one that ends is replaced by the last. */
bool notes_reset(struct notes *notes)
{
	bool ended = false;

	for (size_t i = notes->len; i-- > 0;) {
		if (notes->list[i].kind == JOURNAL_REFUSED && notes->list[i].side == LOCAL)
			continue;
		notes_remove(notes, i);
		ended = true;
	}
	return ended;
}

/* Frees all; the notes are none then. */
void notes_free(struct notes *notes)
{
	for (size_t i = 0; i < notes->len; i++)
		free(notes->keys[i]);
	free(notes->keys);
	free(notes->list);
	map_free(&notes->places);
	*notes = (struct notes){0};
}
