// SPDX-License-Identifier: GPL-3.0-or-later
#include "journal/notes.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#define NOTES_KEPT 64 /* room for so many is not given back when the last one ends */

/* Of few kinds, so that those with the same UID may well collide. */
static uint32_t notes_hash_uid(uint32_t uid)
{
	return (uint32_t)map_hash(&uid, sizeof(uid));
}

static uint32_t notes_hash_name(const char *name)
{
	return (uint32_t)map_hash(name, strlen(name));
}

/* The slot of the note of that kind and UID, or NULL. */
static uint32_t *notes_uid_slot(const struct notes *notes, enum journal_note_kind kind,
				uint32_t uid)
{
	uint32_t *slot = NULL;

	if (uid == 0 || notes->len == 0)
		return NULL;
	for (size_t at = slots_begin(&notes->uids, notes_hash_uid(uid));
	     (slot = slots_next(&notes->uids, &at)) != NULL;) {
		const struct journal_note *note = &notes->list[slots_index(slot)];

		if (note->uid == uid && note->kind == kind)
			break;
	}
	return slot;
}

/* The slot of the note of that kind and name, or NULL. */
static uint32_t *notes_name_slot(const struct notes *notes, enum journal_note_kind kind,
				 const char *name)
{
	uint32_t *slot = NULL;

	if (name == NULL || notes->len == 0)
		return NULL;
	for (size_t at = slots_begin(&notes->names, notes_hash_name(name));
	     (slot = slots_next(&notes->names, &at)) != NULL;) {
		const struct journal_note *note = &notes->list[slots_index(slot)];

		if (note->kind == kind && strcmp(note->name, name) == 0)
			break;
	}
	return slot;
}

/* Adds the note at index to the tables, which have room. */
static void notes_place(struct notes *notes, size_t index)
{
	const struct journal_note *note = &notes->list[index];

	if (note->uid != 0)
		slots_add(&notes->uids, notes_hash_uid(note->uid), index);
	if (note->name != NULL)
		slots_add(&notes->names, notes_hash_name(note->name), index);
}

/* Makes room in the tables for one more. */
static void notes_make_room(struct notes *notes)
{
	if (!slots_are_full(&notes->uids) && !slots_are_full(&notes->names))
		return;
	slots_reset(&notes->uids, notes->len + 1);
	slots_reset(&notes->names, notes->len + 1);
	for (size_t i = 0; i < notes->len; i++)
		notes_place(notes, i);
}

/* Has the slots of the note at index lead to another place. */
static void notes_replace(struct notes *notes, size_t index, size_t place)
{
	const struct journal_note *note = &notes->list[index];
	uint32_t *by_uid = notes_uid_slot(notes, note->kind, note->uid);
	uint32_t *by_name = notes_name_slot(notes, note->kind, note->name);

	if (by_uid != NULL)
		slots_set(by_uid, place);
	if (by_name != NULL)
		slots_set(by_name, place);
}

/* Takes the note at index out; the last takes its place. */
static void notes_remove(struct notes *notes, size_t index)
{
	const struct journal_note *note = &notes->list[index];
	uint32_t *by_uid = notes_uid_slot(notes, note->kind, note->uid);
	uint32_t *by_name = notes_name_slot(notes, note->kind, note->name);
	size_t last = notes->len - 1;

	if (by_uid != NULL)
		slots_remove(by_uid);
	if (by_name != NULL)
		slots_remove(by_name);
	free(notes->texts[index]);
	if (index != last) {
		notes_replace(notes, last, index);
		notes->list[index] = notes->list[last];
		notes->texts[index] = notes->texts[last];
	}
	notes->len--;
	if (notes->len == 0 && notes->cap > NOTES_KEPT)
		notes_free(notes);
}

/*
 * A UID and a name may be those of two notes. Both are found before one goes, for name may be a
 * note's own; the later goes first, so that the place of the other stays.
 */
bool notes_end(struct notes *notes, enum journal_note_kind kind, uint32_t uid, const char *name)
{
	const uint32_t *uid_slot = notes_uid_slot(notes, kind, uid);
	const uint32_t *name_slot = notes_name_slot(notes, kind, name);
	bool has_uid = uid_slot != NULL, has_name = name_slot != NULL, found = has_uid || has_name;
	size_t by_uid = has_uid ? slots_index(uid_slot) : 0;
	size_t by_name = has_name ? slots_index(name_slot) : 0;

	if (has_uid && has_name && by_uid > by_name) {
		notes_remove(notes, by_uid);
		has_uid = false;
	}
	if (has_name)
		notes_remove(notes, by_name);
	if (has_uid && !(has_name && by_uid == by_name))
		notes_remove(notes, by_uid);
	return found;
}

/* Copies the strings into one piece of memory that goes with the note; NULL where it has none. */
static char *notes_keep_texts(struct journal_note *note)
{
	size_t name = note->name != NULL ? strlen(note->name) + 1 : 0;
	size_t text = note->text != NULL ? strlen(note->text) + 1 : 0;
	char *texts;

	if (name + text == 0)
		return NULL;
	texts = xmalloc(name + text);
	if (name > 0)
		note->name = memcpy(texts, note->name, name);
	if (text > 0)
		note->text = memcpy(texts + name, note->text, text);
	return texts;
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
	const uint32_t *slot = notes_uid_slot(notes, normal.kind, normal.uid);
	char *texts;

	if (slot == NULL)
		slot = notes_name_slot(notes, normal.kind, normal.name);
	bool known = slot != NULL;
	if (known && notes_same(&notes->list[slots_index(slot)], &normal))
		return false;
	texts = notes_keep_texts(&normal); /* first: they may be those of what it replaces */
	if (known)
		notes_end(notes, normal.kind, normal.uid, normal.name);
	notes_make_room(notes);
	notes->texts =
	    array_grow(notes->texts, &notes->texts_cap, notes->len + 1, sizeof(*notes->texts));
	notes->texts[notes->len] = texts;
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
		free(notes->texts[i]);
	free(notes->texts);
	free(notes->list);
	slots_free(&notes->uids);
	slots_free(&notes->names);
	*notes = (struct notes){0};
}
