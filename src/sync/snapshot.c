// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/snapshot.h"

#include "base/alloc.h"
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

/* Everything present as the journal has it. */
void snapshot_begin(struct snapshot *snapshot, enum side side, const struct journal *journal)
{
	size_t len;
	const struct pair *pairs = journal_pairs(journal, &len);

	*snapshot = (struct snapshot){.side = side, .known_len = len};
	snapshot->permanent = side == REMOTE ? *journal_room(journal) : FLAG_ROOM_ALL;
	snapshot->permanent.mute = side == LOCAL;
	snapshot->permanent.refused = journal_refused_keywords(journal, side);
	snapshot->known = xcalloc(len ? len : 1, sizeof(*snapshot->known));
	for (size_t i = 0; i < len; i++) {
		snapshot->known[i].flags = pairs[i].flags;
		snapshot->known[i].present = pair_is_expected(&pairs[i], side);
	}
}

/* What it refused before only the journal knows. */
void snapshot_take_room(struct snapshot *snapshot, const struct flag_room *room)
{
	uint32_t refused = snapshot->permanent.refused;

	snapshot->permanent = *room;
	snapshot->permanent.refused = refused;
}

/* Where no letter means a keyword, none can mean a wrong one. */
void snapshot_take_letters(struct snapshot *snapshot, struct arena *arena,
			   const struct flags *letters)
{
	struct flags *taken;

	if (!letters || !snapshot->permanent.keywords)
		return;
	taken = arena_alloc(arena, KEYWORD_LETTERS * sizeof(*taken));
	memcpy(taken, letters, KEYWORD_LETTERS * sizeof(*taken));
	snapshot->letters = taken;
}

void snapshot_complete(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->known_len; i++)
		snapshot->known[i].present = snapshot->known[i].seen;
}

bool snapshot_lacks(const struct snapshot *snapshot, const struct pair *pairs, size_t index)
{
	return !snapshot->known[index].present && pair_is_expected(&pairs[index], snapshot->side);
}

/* True and *index where the journal knows the message. */
static bool is_known(const struct snapshot *snapshot, const struct journal *journal,
		     const struct message_key *key, size_t *index)
{
	if (snapshot->side == REMOTE)
		return journal_find_uid(journal, key->uid, index);
	return journal_find_name(journal, key->name, index);
}

/* True where what the server tells of a message is not what the journal has of its UID. */
static bool is_doubtful(const struct snapshot *snapshot, const struct pair *pair,
			const struct identity *told)
{
	bool size = told->size != SIZE_UNKNOWN && pair->size != SIZE_UNKNOWN;
	bool date = told->date != DATE_UNKNOWN && pair->date != DATE_UNKNOWN;

	return snapshot->side == REMOTE &&
	       ((size && told->size != pair->size) || (date && told->date != pair->date));
}

/* One message of a scan. */
void snapshot_see(struct snapshot *snapshot, const struct journal *journal, struct arena *arena,
		  const struct message_state *message)
{
	size_t index, len;

	if (is_known(snapshot, journal, &message->key, &index)) {
		snapshot->doubled |= snapshot->known[index].seen;
		snapshot->known[index] = (struct presence){message->flags, true, true};
		if (is_doubtful(snapshot, &journal_pairs(journal, &len)[index], &message->identity))
			uidset_add(&snapshot->doubtful, message->key.uid);
		return;
	}
	struct fresh_message *fresh =
	    array_push(snapshot->fresh, snapshot->fresh_len, snapshot->fresh_cap);
	*fresh = (struct fresh_message){.state = *message};
	if (message->key.name)
		fresh->state.key.name = arena_strdup(arena, message->key.name);
}

/* Walks what is known and not the set: a server may name a range of four thousand million. */
void snapshot_vanish(struct snapshot *snapshot, const struct journal *journal,
		     const struct uidset *uids)
{
	size_t len, kept = 0;
	const struct pair *pairs = journal_pairs(journal, &len);

	for (size_t i = 0; i < len; i++)
		if (uidset_has(uids, pairs[i].uid))
			snapshot->known[i].present = snapshot->known[i].seen = false;
	for (size_t i = 0; i < snapshot->fresh_len; i++)
		if (!uidset_has(uids, snapshot->fresh[i].state.key.uid))
			snapshot->fresh[kept++] = snapshot->fresh[i];
	snapshot->fresh_len = kept;
}

/* Orders messages of one side by their key. */
static int compare_keys(const void *a, const void *b)
{
	const struct message_key *x = &((const struct fresh_message *)a)->state.key;
	const struct message_key *y = &((const struct fresh_message *)b)->state.key;

	if (x->name)
		return strcmp(x->name, y->name);
	return (x->uid > y->uid) - (x->uid < y->uid);
}

/* After the last message of a scan. A delta may tell of one message twice. */
void snapshot_end(struct snapshot *snapshot)
{
	size_t kept = 0;

	if (!snapshot->fresh_len)
		return;
	qsort(snapshot->fresh, snapshot->fresh_len, sizeof(*snapshot->fresh), compare_keys);
	for (size_t i = 1; i < snapshot->fresh_len; i++) {
		if (compare_keys(&snapshot->fresh[kept], &snapshot->fresh[i]))
			kept++;
		snapshot->fresh[kept] = snapshot->fresh[i];
	}
	snapshot->fresh_len = kept + 1;
}

struct fresh_message *snapshot_find(const struct snapshot *snapshot, const struct message_key *key)
{
	struct fresh_message wanted = {.state.key = *key};

	if (!snapshot->fresh_len)
		return NULL;
	return bsearch(&wanted, snapshot->fresh, snapshot->fresh_len, sizeof(*snapshot->fresh),
		       compare_keys);
}

/* A ghost lets the planner see that what was sent has been deleted here since. */
void snapshot_remember(struct snapshot *snapshot, const struct journal *journal,
		       struct arena *arena, uint32_t uidvalidity)
{
	size_t len, index;
	const struct journal_note *notes = journal_notes(journal, &len);
	size_t found_len = snapshot->fresh_len;

	for (size_t i = 0; i < len; i++) {
		const struct journal_note *note = &notes[i];
		if (note->kind != JOURNAL_APPENDING ||
		    journal_find_name(journal, note->name, &index))
			continue;
		struct message_key key = {.name = note->name};
		struct fresh_message wanted = {.state.key = key};
		struct fresh_message *fresh = NULL;
		if (found_len)
			fresh = bsearch(&wanted, snapshot->fresh, found_len,
					sizeof(*snapshot->fresh), compare_keys);
		bool old = uidvalidity && note->uidvalidity && note->uidvalidity != uidvalidity;
		if (fresh) {
			fresh->base = note->flags;
			fresh->begun = true;
			fresh->floor = old ? 0 : note->floor;
			continue;
		}
		if (old)
			continue;
		key.name = arena_strdup(arena, note->name);
		fresh = array_push(snapshot->fresh, snapshot->fresh_len, snapshot->fresh_cap);
		*fresh = (struct fresh_message){
		    .state = {.key = key, .flags = note->flags, .identity = note->identity},
		    .base = note->flags,
		    .floor = note->floor,
		    .ghost = true,
		};
	}
	snapshot_end(snapshot);
}

uint32_t snapshot_floor(const struct fresh_message *fresh)
{
	return fresh->ghost || fresh->moved ? fresh->floor : 0;
}

/* What is learnt replaces what was known, but for a size that reading does not give. */
void snapshot_identify(struct snapshot *snapshot, const struct message_state *message)
{
	struct fresh_message *fresh = snapshot_find(snapshot, &message->key);
	uint64_t size;

	if (!fresh)
		return;
	size = fresh->state.identity.size;
	fresh->state.identity = message->identity;
	if (message->identity.size == SIZE_UNKNOWN)
		fresh->state.identity.size = size;
}

void snapshot_shed(struct snapshot *snapshot)
{
	free(snapshot->known);
	free(snapshot->fresh);
	uidset_free(&snapshot->doubtful);
	snapshot->known = NULL;
	snapshot->fresh = NULL;
	snapshot->known_len = snapshot->fresh_len = snapshot->fresh_cap = 0;
}

void snapshot_free(struct snapshot *snapshot)
{
	snapshot_shed(snapshot);
	*snapshot = (struct snapshot){0};
}
