// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/explain.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/text.h"
#include "mail/header.h"
#include "sync/head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A Message-ID's hash with its brackets, which are part of its value. */
static uint64_t hash_in_brackets(const char *text)
{
	char *whole = xasprintf("<%s>", text);
	uint64_t hash = header_hash_message_id(whole, strlen(whole));

	free(whole);
	return hash;
}

/* A number: a UID. */
static int read_uid(const char *text, struct explain_word *word, struct error *err)
{
	char *end;

	errno = 0;
	unsigned long long uid = strtoull(text, &end, 10);
	if (errno || !uid || uid > UINT32_MAX)
		return error_set(err, ERROR_USAGE, SCOPE_FATAL, "%s: no UID is that",
				 text_show(text));
	word->uid = (uint32_t)uid;
	return 0;
}

/*
 * Of a path the last component counts, of that what stands before the flags. A Message-ID may look
 * like a path, so that a word with an @ in it may be either.
 */
int explain_read_word(const char *text, struct explain_word *word, struct error *err)
{
	const char *slash = strrchr(text, '/');
	bool brackets = strchr(text, '<') && strchr(text, '>');

	*word = (struct explain_word){0};
	if (*text && !text[strspn(text, "0123456789")])
		return read_uid(text, word, err);
	if (brackets || strchr(text, '@')) {
		word->ids[0] = header_hash_message_id(text, strlen(text));
		word->ids[1] = brackets ? word->ids[0] : hash_in_brackets(text);
	}
	if (brackets)
		slash = NULL;
	word->name = slash ? slash + 1 : text;
	const char *flags = strstr(word->name, ":2,");
	word->len = flags ? (size_t)(flags - word->name) : strlen(word->name);
	if (!word->len)
		return error_set(err, ERROR_USAGE, SCOPE_FATAL,
				 "\"%s\" names no message: say a UID, a Message-ID or a file",
				 text_show(text));
	return 0;
}

/* True where the message is the one that was asked for. */
static bool fits(const struct explain_word *word, const struct sighting *it)
{
	uint64_t ids[] = {it->pair ? it->pair->message_id : 0, it->identity[LOCAL].message_id,
			  it->identity[REMOTE].message_id};

	if (!word->name)
		return it->uid == word->uid;
	if (it->name && strlen(it->name) == word->len && !strncmp(it->name, word->name, word->len))
		return true;
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
		if (ids[i] && (ids[i] == word->ids[0] || ids[i] == word->ids[1]))
			return true;
	return false;
}

/* Takes a message in where it is wanted. */
static void offer(struct sighting_list *list, const struct explain_word *word,
		  const struct sighting *it)
{
	if (fits(word, it))
		*array_push(list->rows, list->len, list->cap) = *it;
}

/* What a pair's bytes are known to be, on either side. */
static struct identity identity_of_pair(const struct pair *pair)
{
	return (struct identity){
	    .size = pair->size, .date = pair->date, .message_id = pair->message_id};
}

/* The pairs that the survey knew. The journal on the disk may lack those that it healed. */
static void offer_pairs(const struct explain_scene *scene, const struct explain_word *word,
			struct sighting_list *list)
{
	size_t len;
	const struct pair *pairs = journal_pairs(scene->box->journal, &len);

	for (size_t i = 0; i < len; i++) {
		struct sighting it = {.uid = pairs[i].uid,
				      .name = pairs[i].name,
				      .pair = journal_pair_of_uid(scene->journal, pairs[i].uid)};
		for (enum side side = LOCAL; side < SIDES; side++) {
			const struct presence *held = &scene->box->sides[side].known[i];
			it.there[side] = held->present;
			it.flags[side] = held->flags;
			it.identity[side] = identity_of_pair(&pairs[i]);
		}
		offer(list, word, &it);
	}
}

/* Pairs on the disk that the survey did not know: it was not made, or began without them. */
static void offer_rest(const struct explain_scene *scene, const struct explain_word *word,
		       struct sighting_list *list)
{
	size_t len;
	const struct pair *pairs = journal_pairs(scene->journal, &len);

	for (size_t i = 0; i < len; i++) {
		const struct message_key key = {.name = pairs[i].name};
		const struct sighting it = {
		    .uid = pairs[i].uid, .name = pairs[i].name, .pair = &pairs[i]};
		if (scene->box->active && (journal_pair_of_uid(scene->box->journal, pairs[i].uid) ||
					   snapshot_find(&scene->box->sides[LOCAL], &key)))
			continue;
		offer(list, word, &it);
	}
}

/* Adds what one side holds of a message that no pair knows. */
static void see(struct sighting *it, enum side side, const struct fresh_message *fresh)
{
	if (side == REMOTE)
		it->uid = fresh->state.key.uid;
	else
		it->name = fresh->state.key.name;
	it->there[side] = !fresh->ghost;
	it->flags[side] = fresh->state.flags;
	it->identity[side] = fresh->state.identity;
}

/* What is new: on both sides one message where they match, else by itself. */
static void offer_fresh(const struct explain_scene *scene, const struct explain_word *word,
			struct sighting_list *list)
{
	const struct snapshot *sides = scene->box->sides;
	const struct match_result *match = &scene->box->match;
	bool *done = xcalloc(sides[REMOTE].fresh_len + 1, sizeof(*done));
	const struct fresh_message **partner =
	    xcalloc(sides[LOCAL].fresh_len + 1, sizeof(const struct fresh_message *));

	for (size_t i = 0; i < match->len; i++) {
		const struct match *one = &match->matches[i];
		const struct fresh_message *local = &sides[LOCAL].fresh[one->index[LOCAL]];
		const struct fresh_message *remote = &sides[REMOTE].fresh[one->index[REMOTE]];
		if (remote->state.key.uid < snapshot_floor(local))
			continue;
		done[one->index[REMOTE]] = true;
		partner[one->index[LOCAL]] = remote;
	}
	for (size_t i = 0; i < sides[LOCAL].fresh_len; i++) {
		struct sighting it = {0};
		see(&it, LOCAL, &sides[LOCAL].fresh[i]);
		if (partner[i])
			see(&it, REMOTE, partner[i]);
		it.pair = journal_pair_of_name(scene->journal, it.name);
		offer(list, word, &it);
	}
	for (size_t i = 0; i < sides[REMOTE].fresh_len; i++) {
		struct sighting it = {0};
		see(&it, REMOTE, &sides[REMOTE].fresh[i]);
		if (!done[i])
			offer(list, word, &it);
	}
	free(done);
	free(partner);
}

void explain_find(const struct explain_scene *scene, const struct explain_word *word,
		  struct sighting_list *list)
{
	if (scene->box->active) {
		offer_pairs(scene, word, list);
		offer_fresh(scene, word, list);
	}
	offer_rest(scene, word, list);
}

/* True where an operation of its own mailbox is about the message. */
static bool is_about(const struct op *op, const struct sighting *it)
{
	return op->kind != OP_RENAME && ((op->uid && op->uid == it->uid) ||
					 (op->name && it->name && !strcmp(op->name, it->name)));
}

/* True where a move of another mailbox ends in the message. */
static bool ends_in(const struct op *op, const struct sighting *it)
{
	return (op->there.uid && op->there.uid == it->uid) ||
	       (op->there.name && it->name && !strcmp(op->there.name, it->name));
}

const struct op *explain_next_op(const struct explain_scene *scene, const struct sighting *sighting,
				 struct op_place *at, const struct box **box)
{
	const struct channel *channel = scene->channel;
	size_t own = (size_t)(scene->box - channel->boxes);

	for (; at->box < channel->len; at->box++, at->op = 0) {
		const struct plan *plan = &channel->boxes[at->box].plan;
		*box = &channel->boxes[at->box];
		while (at->op < plan->len) {
			const struct op *op = &plan->ops[at->op++];
			bool arrives = op->kind == OP_MOVE && op->target == own;
			if (at->box == own ? is_about(op, sighting)
					   : arrives && ends_in(op, sighting))
				return op;
		}
	}
	return NULL;
}

bool explain_is_note_of(const struct journal_note *note, const struct sighting *sighting)
{
	return (note->uid && note->uid == sighting->uid) ||
	       (note->name && sighting->name && !strcmp(note->name, sighting->name));
}

/* True where the journal remembers that the other side would not take it. */
static bool was_refused(const struct explain_scene *scene, const struct sighting *sighting)
{
	size_t len;
	const struct journal_note *notes = journal_notes(scene->journal, &len);

	for (size_t i = 0; i < len; i++)
		if (notes[i].kind == JOURNAL_REFUSED && explain_is_note_of(&notes[i], sighting))
			return true;
	return false;
}

/* Why a whole mailbox is left as it is. */
static enum rule why_not_mailbox(const struct box *box, const char **text)
{
	*text = box->error.kind != ERROR_NONE ? box->error.text : rule_text(box->rule);
	return box->error.kind != ERROR_NONE ? RULE_NONE : box->rule;
}

/* The planner leaves no trace of what it leaves alone; the values that it saw tell why. */
enum rule explain_why_not(const struct explain_scene *scene, const struct sighting *sighting,
			  const char **text)
{
	const bool *there = sighting->there;
	enum rule rule = RULE_NONE;

	if (!scene->box->active)
		return why_not_mailbox(scene->box, text);
	if (there[LOCAL] != there[REMOTE] && sighting->pair)
		rule = RULE_M3_KEEP;
	else if (there[LOCAL] != there[REMOTE])
		rule = was_refused(scene, sighting) ? RULE_M9_REFUSED : RULE_M8_LEAVE;
	if (rule != RULE_NONE) {
		*text = rule_text(rule);
	} else if (there[LOCAL] && !flags_equal(sighting->flags[LOCAL], sighting->flags[REMOTE])) {
		*text = "the flags differ, and are not to be changed as configured, or cannot be "
			"kept there";
		rule = RULE_M4_FLAGS;
	} else {
		*text = there[LOCAL] ? "both sides and the journal agree" : "it is on neither side";
	}
	return rule;
}

/* Counts one operation to those like it. */
static void count_op(struct op_count_list *list, const struct op *op, const struct box *from)
{
	for (size_t i = 0; i < list->len; i++) {
		struct op_count *row = &list->rows[i];
		if (row->op->kind == op->kind && row->op->rule == op->rule &&
		    row->op->side == op->side && row->op->blocked == op->blocked &&
		    row->from == from && row->op->target == op->target) {
			row->count++;
			return;
		}
	}
	*array_push(list->rows, list->len, list->cap) =
	    (struct op_count){.op = op, .from = from, .count = 1};
}

void explain_count(const struct explain_scene *scene, struct op_count_list *list)
{
	const struct channel *channel = scene->channel;
	size_t own = (size_t)(scene->box - channel->boxes);

	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		for (size_t k = 0; k < box->plan.len; k++) {
			const struct op *op = &box->plan.ops[k];
			if (i == own)
				count_op(list, op, NULL);
			else if (op->kind == OP_MOVE && op->target == own)
				count_op(list, op, box);
		}
	}
}

struct stamp explain_stamp(const struct explain_scene *scene, enum side side, bool *changed)
{
	const struct stamp then = head_stamp(journal_head(scene->journal), side);
	const struct stamp *listed = &scene->box->listed[side];

	*changed = !stamp_unchanged(side, &then, listed);
	if (side == REMOTE && !listed->uidvalidity && scene->box->active)
		return scene->box->sides[side].stamp;
	return *listed;
}

const char *explain_attribute(unsigned bit)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
	    {MAILBOX_NOSELECT, "\\Noselect"},
	    {MAILBOX_ALL, "\\All"},
	    {MAILBOX_ARCHIVE, "\\Archive"},
	    {MAILBOX_DRAFTS, "\\Drafts"},
	    {MAILBOX_FLAGGED, "\\Flagged"},
	    {MAILBOX_JUNK, "\\Junk"},
	    {MAILBOX_SENT, "\\Sent"},
	    {MAILBOX_TRASH, "\\Trash"},
	    {MAILBOX_SUBSCRIBED, "\\Subscribed"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].bit == bit)
			return names[i].name;
	return "";
}
