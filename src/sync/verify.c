// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/verify.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/text.h"
#include "sync/verify-inner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ASKED_MAX 16 /* files that cannot be read, each asked why */

const char *finding_name(enum finding_kind kind)
{
	static const char *const names[] = {
	    [FINDING_JOURNAL] = "journal-damaged",
	    [FINDING_NO_JOURNAL] = "never-synced",
	    [FINDING_MAILBOX_MISSING] = "mailbox-missing",
	    [FINDING_UIDVALIDITY] = "uidvalidity-changed",
	    [FINDING_UNLISTED] = "mailbox-unreadable",
	    [FINDING_FILE_MISSING] = "file-missing",
	    [FINDING_FILE_UNREADABLE] = "file-unreadable",
	    [FINDING_FILE_DAMAGED] = "file-damaged",
	    [FINDING_DIGEST_UNKNOWN] = "digest-unknown",
	    [FINDING_MESSAGE_MISSING] = "message-missing",
	    [FINDING_MESSAGE_OTHER] = "message-other",
	    [FINDING_MESSAGE_DAMAGED] = "message-damaged",
	    [FINDING_MESSAGE_UNREADABLE] = "message-unreadable",
	    [FINDING_UNPAIRED] = "unpaired",
	    [FINDING_COPIES] = "copies",
	    [FINDING_NOTE] = "note",
	    [FINDING_LITTER] = "litter",
	    [FINDING_STRAY] = "stray-file",
	};

	return names[kind];
}

struct finding *verify_add(struct verify_result *result, enum finding_kind kind, enum side side,
			   const char *text)
{
	struct finding *finding = array_push(result->findings, result->len, result->cap);

	*finding = (struct finding){.kind = kind, .side = side, .text = text};
	return finding;
}

struct finding *verify_add_error(struct verify_result *result, enum finding_kind kind,
				 enum side side, const struct error *why)
{
	return verify_add(result, kind, side, arena_strdup(&result->arena, why->text));
}

void verify_note_mending(struct verify_result *result, struct finding *finding, const char *how,
			 const struct error *why)
{
	finding->mended = how != NULL;
	finding->mending = how ? how : arena_strdup(&result->arena, why->text);
}

struct finding *verify_add_pair(struct verification *it, enum finding_kind kind, enum side side,
				size_t pair, const char *text)
{
	struct finding *finding = verify_add(it->result, kind, side, text);

	finding->pair = pair;
	finding->uid = it->pairs[pair].uid;
	finding->name = arena_strdup(&it->result->arena, it->pairs[pair].name);
	return finding;
}

void verify_free(struct verify_result *result)
{
	free(result->findings);
	arena_free(&result->arena);
	*result = (struct verify_result){0};
}

/* Takes in one message of a list: beside its pair, or as one that the journal does not know. */
static void see(struct verification *it, enum side side, const struct message_state *message)
{
	size_t index;
	bool known = side == REMOTE
			 ? journal_find_uid(it->journal, message->key.uid, &index)
			 : journal_find_name(it->journal, message->key.name, &index);

	snapshot_see(&it->sides[side], it->journal, &it->result->arena, message);
	if (known && side == REMOTE)
		it->held[REMOTE][index] = (struct held){message->identity, true};
}

/* Why the server's UIDs are not the journal's, or NULL. */
static const char *distrust(struct verification *it, const struct stamp *now)
{
	const struct journal_head *head = journal_head(it->journal);

	if (!it->len || !head->uidvalidity || head->uidvalidity == now->uidvalidity)
		return NULL;
	return arena_printf(&it->result->arena,
			    "UIDVALIDITY is %u and was %u: the next sync pairs the messages anew, "
			    "none is deleted or doubled",
			    now->uidvalidity, head->uidvalidity);
}

/* The list of a side is here, whole or not: then it says nothing about any message. */
static void end_list(struct verification *it, enum side side, const struct answer *answer)
{
	const char *why;

	snapshot_complete(&it->sides[side]);
	if (answer->error.kind != ERROR_NONE) {
		verify_add_error(it->result, FINDING_UNLISTED, side, &answer->error);
		return;
	}
	why = side == REMOTE ? distrust(it, &answer->stamp) : NULL;
	if (why)
		verify_add(it->result, FINDING_UIDVALIDITY, REMOTE, why);
	it->looked[side] = !why;
}

/* Lists one side whole. On the server no more than what identifies is asked for. */
static int list_side(struct verification *it, enum side side, struct error *err)
{
	struct store *store = it->channel->setup.stores[side];
	const struct request request = {.kind = REQUEST_SCAN,
					.mailbox = it->box->at[side],
					.want_identity = true,
					.must_be_complete = true};
	struct answer answer;
	int rc = store_submit(store, &request, err);

	while (!rc && (rc = store_next(store, &answer, err)) == 1) {
		rc = 0;
		if (answer.kind == ANSWER_MESSAGE)
			see(it, side, &answer.message);
		else if (answer.kind == ANSWER_DONE)
			end_list(it, side, &answer);
	}
	snapshot_end(&it->sides[side]);
	return rc;
}

/* Reads files. What can be read is put into held, beside keys; the rest stays unknown there. */
static int read_files(struct verification *it, const struct message_key *keys, size_t count,
		      struct held *held, struct error *err)
{
	struct store *store = it->channel->setup.stores[LOCAL];
	const struct request request = {.kind = REQUEST_IDENTIFY,
					.mailbox = it->box->at[LOCAL],
					.keys = keys,
					.count = count};
	struct answer answer;
	size_t at = 0;
	int rc = count ? store_submit(store, &request, err) : 0;

	while (count && !rc && (rc = store_next(store, &answer, err)) == 1) {
		rc = 0;
		it->unread |= answer.kind == ANSWER_DONE && answer.error.kind != ERROR_NONE;
		if (answer.kind != ANSWER_MESSAGE)
			continue;
		while (keys[at].name != answer.message.key.name)
			at++;
		held[at++] = (struct held){answer.message.identity, true};
		it->result->read += answer.message.identity.size;
	}
	return rc;
}

/*
 * Why one file cannot be read; NULL where it can by now, or is gone. Each time the directory is
 * read anew, so of many the last are taken to be as those before them.
 */
static const char *ask_why(struct verification *it, const char *name)
{
	const struct message_key key = {.name = name};
	const struct request request = {.kind = REQUEST_IDENTIFY,
					.mailbox = it->box->at[LOCAL],
					.keys = &key,
					.count = 1};
	struct answer answer;
	struct error err;

	if (it->asked == ASKED_MAX)
		return "its file cannot be read, or is gone: there are too many to look at each";
	it->asked++;
	if (!store_do(it->channel->setup.stores[LOCAL], &request, &answer, &err))
		return NULL;
	return arena_strdup(&it->result->arena, err.text);
}

/*
 * Reads every file of the mailbox, those that the list missed included: a look-up by name counts.
 */
static int read_all(struct verification *it, struct error *err)
{
	const struct snapshot *local = &it->sides[LOCAL];
	struct message_key *keys = xcalloc(it->len + local->fresh_len + 1, sizeof(*keys));
	int rc;

	for (size_t i = 0; i < it->len; i++)
		keys[i].name = it->pairs[i].name;
	rc = read_files(it, keys, it->len, it->held[LOCAL], err);
	it->fresh = xcalloc(local->fresh_len + 1, sizeof(*it->fresh));
	for (size_t i = 0; i < local->fresh_len; i++)
		keys[i] = local->fresh[i].state.key;
	if (!rc)
		rc = read_files(it, keys, local->fresh_len, it->fresh, err);
	free(keys);
	return rc;
}

/* What the next sync makes of a message that is gone on that side. */
static const char *foretell(const struct verification *it, enum side gone)
{
	bool follows = policy_deletes(&it->channel->setup.policy, other_side(gone));

	if (gone == LOCAL)
		return follows ? "its file is gone; if that was no deletion or move, put it back: "
				 "the next sync takes it for one, and follows on the server"
			       : "its file is gone; the next sync takes that for a deletion, and "
				 "keeps the message on the server only";
	return follows ? "it is gone from the server: the next sync takes that for a deletion or "
			 "move, and follows here"
		       : "it is gone from the server: the next sync takes that for a deletion, and "
			 "keeps the file";
}

/* One pair's file. */
static void check_file(struct verification *it, size_t i)
{
	const struct pair *pair = &it->pairs[i];
	const struct held *held = &it->held[LOCAL][i];
	const char *why;

	if (!held->known) {
		bool asks = it->unread || it->sides[LOCAL].known[i].seen;
		why = asks ? ask_why(it, pair->name) : NULL;
		verify_add_pair(it, why ? FINDING_FILE_UNREADABLE : FINDING_FILE_MISSING, LOCAL, i,
				why ? why : foretell(it, LOCAL));
	} else if (pair->size != SIZE_UNKNOWN && pair->size != held->identity.size) {
		why = arena_printf(&it->result->arena,
				   "its file is damaged: a message of %ju bytes, and %ju were "
				   "agreed on",
				   (uintmax_t)held->identity.size, (uintmax_t)pair->size);
		verify_add_pair(it, FINDING_FILE_DAMAGED, LOCAL, i, why);
	} else if (!digest_is_known(&pair->digest)) {
		verify_add_pair(it, FINDING_DIGEST_UNKNOWN, LOCAL, i,
				"the journal does not know its digest");
	} else if (!digest_equal(&pair->digest, &held->identity.digest)) {
		verify_add_pair(it, FINDING_FILE_DAMAGED, LOCAL, i,
				"its file is damaged: the bytes are not those that were agreed on");
	}
}

/* What the server tells of a message otherwise than was agreed on; NULL where nothing. */
static const char *compare(const struct pair *pair, const struct identity *told)
{
	if (told->size != SIZE_UNKNOWN && pair->size != SIZE_UNKNOWN && told->size != pair->size)
		return "the server has another message under its UID: the size differs";
	if (told->email_id && pair->email_id && told->email_id != pair->email_id)
		return "the server has another message under its UID: the EMAILID differs";
	if (told->has_message_id && told->message_id && pair->message_id &&
	    told->message_id != pair->message_id)
		return "the server has another message under its UID: the Message-ID differs";
	if (told->date != DATE_UNKNOWN && pair->date != DATE_UNKNOWN && told->date != pair->date)
		return "the server has another INTERNALDATE for it";
	return NULL;
}

/* One pair's message on the server, by what the list told. */
static void check_message(struct verification *it, size_t i)
{
	const struct held *held = &it->held[REMOTE][i];
	const char *why;

	if (!held->known) {
		verify_add_pair(it, FINDING_MESSAGE_MISSING, REMOTE, i, foretell(it, REMOTE));
		return;
	}
	why = compare(&it->pairs[i], &held->identity);
	if (why)
		verify_add_pair(it, FINDING_MESSAGE_OTHER, REMOTE, i, why);
}

/* Every pair, as far as its sides were looked at. */
static void check_pairs(struct verification *it)
{
	for (size_t i = 0; i < it->len; i++) {
		if (it->looked[LOCAL] && pair_is_expected(&it->pairs[i], LOCAL))
			check_file(it, i);
		if (it->looked[REMOTE] && pair_is_expected(&it->pairs[i], REMOTE))
			check_message(it, i);
	}
	it->result->messages += it->len;
}

/* True where a refusal is noted of that message: the note tells of it. */
static bool is_refused(const struct verification *it, enum side side, const struct message_key *key)
{
	size_t len;
	const struct journal_note *notes = journal_notes(it->journal, &len);

	for (size_t i = 0; i < len; i++)
		if (notes[i].kind == JOURNAL_REFUSED && notes[i].side == side &&
		    (side == REMOTE ? notes[i].uid == key->uid
				    : notes[i].name && !strcmp(notes[i].name, key->name)))
			return true;
	return false;
}

/* What only one side has. */
static void check_fresh(struct verification *it, enum side side)
{
	static const char *const texts[SIDES][2] = {
	    {"it is new here, and is to stay so as configured",
	     "it is new here, and waits for the next sync"},
	    {"it is new on the server, and is to stay there only as configured",
	     "it is new on the server, and waits for the next sync"}};
	const struct snapshot *snapshot = &it->sides[side];
	bool wanted = it->channel->setup.policy.change[other_side(side)] & CHANGE_NEW;

	for (size_t i = 0; it->looked[side] && i < snapshot->fresh_len; i++) {
		const struct message_key *key = &snapshot->fresh[i].state.key;
		if (is_refused(it, side, key))
			continue;
		struct finding *finding =
		    verify_add(it->result, FINDING_UNPAIRED, side, texts[side][wanted]);
		finding->harmless = !wanted;
		finding->uid = key->uid;
		finding->name = key->name;
	}
}

/* What the journal remembers besides pairs. */
static void check_notes(struct verification *it)
{
	static const char *const texts[] = {
	    [JOURNAL_PUBLISHING] = "a stopped run was about to put this file in place: the next "
				   "sync looks whether it did",
	    [JOURNAL_APPENDING] =
		"a stopped run was about to upload this file: the next sync looks "
		"whether it did",
	    [JOURNAL_REMOVING] =
		"a stopped run was about to remove this message: the next sync looks "
		"whether it did",
	    [JOURNAL_MOVING] =
		"a stopped run was about to move or copy this message: the next sync "
		"looks whether it did",
	};
	size_t len;
	const struct journal_note *notes = journal_notes(it->journal, &len);
	struct arena *arena = &it->result->arena;

	for (size_t i = 0; i < len; i++) {
		const char *text =
		    notes[i].kind == JOURNAL_REFUSED
			? arena_printf(arena, "refused: %s", notes[i].text ? notes[i].text : "")
			: texts[notes[i].kind];
		struct finding *finding =
		    verify_add(it->result, FINDING_NOTE, notes[i].side, text);
		finding->uid = notes[i].uid;
		finding->name = notes[i].name ? arena_strdup(arena, notes[i].name) : NULL;
	}
}

/* Orders what was read by its bytes. */
static int compare_held(const void *a, const void *b)
{
	return identity_compare_bytes(a, b);
}

/* Files with the same bytes: told, for who looks for doubled mail, and harmless as such. */
static void check_copies(struct verification *it)
{
	size_t fresh_len = it->sides[LOCAL].fresh_len, len = 0, run = 1;
	struct identity *all = xcalloc(it->len + fresh_len + 1, sizeof(*all));

	for (size_t i = 0; i < it->len; i++)
		if (it->held[LOCAL][i].known)
			all[len++] = it->held[LOCAL][i].identity;
	for (size_t i = 0; it->fresh && i < fresh_len; i++)
		if (it->fresh[i].known)
			all[len++] = it->fresh[i].identity;
	qsort(all, len, sizeof(*all), compare_held);
	for (size_t i = 1; i <= len; i++, run++) {
		if (i < len && !identity_compare_bytes(&all[i - 1], &all[i]))
			continue;
		if (run > 1)
			verify_add(it->result, FINDING_COPIES, LOCAL,
				   arena_printf(&it->result->arena,
						"%zu files are equal, of %ju bytes each", run,
						(uintmax_t)all[i - 1].size))
			    ->harmless = true;
		run = 0;
	}
	free(all);
}

/* What the mailbox's existence tells; false where there is no more to be looked at. */
static bool check_existence(struct verification *it)
{
	static const char *const texts[SIDES] = {
	    "the mailbox is gone here: a sync follows that on the server, or asks first",
	    "the mailbox is gone from the server: a sync follows that here, or asks first"};
	const struct box *box = it->box;
	bool there[SIDES] = {box->exists[LOCAL],
			     box->exists[REMOTE] && !(box->attributes & MAILBOX_NOSELECT)};

	if (!journal_size(it->journal)) {
		if (there[LOCAL] || there[REMOTE])
			verify_add(it->result, FINDING_NO_JOURNAL, there[LOCAL] ? LOCAL : REMOTE,
				   "it was never synced: the next sync takes it in");
		return false;
	}
	for (enum side side = LOCAL; side < SIDES; side++) {
		it->looked[side] = there[side];
		if (!there[side] && there[other_side(side)])
			verify_add(it->result, FINDING_MAILBOX_MISSING, side, texts[side]);
	}
	if (!there[LOCAL] && !there[REMOTE])
		verify_add(it->result, FINDING_MAILBOX_MISSING, REMOTE,
			   "the mailbox is gone on both sides: the next sync forgets it");
	return there[LOCAL] || there[REMOTE];
}

/* Looks at both sides of a mailbox whose journal is loaded. */
static int look(struct verification *it, struct error *err)
{
	it->pairs = journal_pairs(it->journal, &it->len);
	if (!check_existence(it))
		return 0;
	for (enum side side = LOCAL; side < SIDES; side++) {
		it->held[side] = xcalloc(it->len + 1, sizeof(**it->held));
		snapshot_begin(&it->sides[side], side, it->journal);
		bool there = it->looked[side];
		it->looked[side] = false;
		if (there && list_side(it, side, err))
			return -1;
	}
	if (it->looked[LOCAL] && read_all(it, err))
		return -1;
	check_pairs(it);
	for (enum side side = LOCAL; side < SIDES; side++)
		check_fresh(it, side);
	check_notes(it);
	check_copies(it);
	if (it->how->deep && it->looked[REMOTE] && verify_bodies(it, err))
		return -1;
	return it->how->repair ? verify_repair(it, err) : 0;
}

/* The journal cannot be read: the sides have nothing to be held against. */
static void add_damaged(struct verification *it, const struct error *why)
{
	struct verify_result *result = it->result;
	struct finding *finding = verify_add_error(result, FINDING_JOURNAL, LOCAL, why);
	struct error err;

	/* One that is another mailbox's, or of another version, is whole: its owner may want it. */
	if (!it->how->repair || why->sys != EBADMSG)
		return;
	bool aside = !journal_set_aside(it->channel->setup.journals, it->box->name, &err);
	verify_note_mending(result, finding,
			    aside ? "it is set aside: the next sync pairs the messages anew" : NULL,
			    &err);
}

int verify_mailbox(struct channel *channel, const struct box *box, const struct verify_how *how,
		   struct verify_result *result, struct error *err)
{
	struct verification it = {
	    .channel = channel, .box = box, .how = how, .result = result};
	struct error why = {0};
	int rc = 0;

	if (journal_open(channel->setup.journals, box->name, &it.journal, &why) ||
	    journal_load(it.journal, &why))
		add_damaged(&it, &why);
	else
		rc = look(&it, err);
	for (enum side side = LOCAL; side < SIDES; side++) {
		snapshot_free(&it.sides[side]);
		free(it.held[side]);
	}
	free(it.fresh);
	journal_close(&it.journal);
	return rc;
}
