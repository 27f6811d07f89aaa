// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/rename.h"

#include "base/alloc.h"
#include "base/array.h"
#include "mail/mailbox-name.h"
#include "sync/hold-back.h"
#include "sync/planner.h"
#include "sync/subscribe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the search knows. */
struct search {
	struct channel *channel;
	struct planner_name *names; /* beside boxes, then those left out */
	size_t names_len;
	struct planner_rename *list;
	size_t len, cap;
};

/*
 * Whether a mailbox was renamed cannot be told: it is left alone. Taken for one that was deleted it
 * would be deleted on the other side, and the next run, which sees that it was renamed, would take
 * that for the other user's doing, and delete the rest. (A damaged journal is set aside later, and
 * nothing is deleted without one.)
 */
static void leave_alone(struct channel *channel, size_t index, const struct error *err)
{
	if (channel->boxes[index].error.kind == ERROR_NONE && err->sys != EBADMSG)
		box_fail(&channel->boxes[index], err);
}

/* Opens a journal to see whether its mailbox was renamed. */
static void open_journal(struct search *search, size_t index)
{
	struct box *box = &search->channel->boxes[index];
	struct error err;

	if (!box->journal &&
	    journal_open(search->channel->setup.journals, box->name, &box->journal, &err)) {
		leave_alone(search->channel, index, &err);
		return;
	}
	const struct journal_head *head = journal_head(box->journal);
	if (head->even || head->pairs)
		search->names[index].head = head;
}

/* Names that may be either end of a rename; false where there can be none. */
static bool collect_names(struct search *search)
{
	struct channel *channel = search->channel;
	size_t old = 0, new = 0;

	search->names = xcalloc(channel->len + channel->left_out_len + 1, sizeof(*search->names));
	search->names_len = channel->len + channel->left_out_len;
	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		old += box->has_journal;
		new += !box->has_journal;
		search->names[i] = (struct planner_name){
		    .name = box->name,
		    .at = {box->at[LOCAL], box->at[REMOTE]},
		    .exists = {box->exists[LOCAL],
			       box->exists[REMOTE] && !(box->attributes & MAILBOX_NOSELECT)},
		    .occupies = {box->exists[LOCAL], box->exists[REMOTE]},
		    .listed = {box->listed[LOCAL], box->listed[REMOTE]},
		};
	}
	for (size_t i = 0; i < channel->left_out_len; i++) {
		const struct left_out *left = &channel->left_out[i];
		struct planner_name *name = &search->names[channel->len + i];
		*name = (struct planner_name){.name = left->name, .left_out = true};
		name->at[LOCAL] = name->at[REMOTE] = left->name;
		name->occupies[left->side] = true;
	}
	return old && new;
}

/* Candidates that another one with an id makes needless to look into. */
static void drop_needless(struct search *search)
{
	size_t kept = 0;

	for (size_t i = 0; i < search->len; i++) {
		const struct planner_rename *rename = &search->list[i];
		bool needless = false;
		for (size_t k = 0; k < search->len && !rename->sure[LOCAL]; k++)
			needless |= search->list[k].sure[LOCAL] && search->list[k].renamed[LOCAL] &&
				    (search->list[k].from == rename->from ||
				     search->list[k].to == rename->to);
		if (!needless || !rename->renamed[LOCAL])
			search->list[kept++] = *rename;
	}
	search->len = kept;
}

/* All pairs of names that may be one mailbox. */
static void collect_candidates(struct search *search, planner_may_be *may_be)
{
	struct channel *channel = search->channel;
	struct planner_rename rename;

	search->len = 0;
	for (size_t from = 0; from < channel->len; from++)
		for (size_t to = 0; to < channel->len && search->names[from].head; to++) {
			if (channel->boxes[to].has_journal ||
			    !may_be(&channel->setup.policy, &search->names[from],
				    &search->names[to], &rename))
				continue;
			rename.from = from;
			rename.to = to;
			*array_push(search->list, search->len, search->cap) = rename;
		}
}

/* True where a candidate's new mailbox is the old one, as far as can be told so far. */
static bool is_likely(const struct planner_rename *rename)
{
	const struct planner_likeness *local = &rename->alike[LOCAL];

	return rename->renamed[REMOTE] || rename->sure[LOCAL] || local->found > local->expected / 2;
}

/* Of one that both sides renamed neither new mailbox goes to the other side as something new. */
static void leave_alone_all(struct search *search, size_t from, const struct error *err)
{
	const struct planner_name *met = search->names[from].met;

	leave_alone(search->channel, from, err);
	if (met)
		leave_alone(search->channel, (size_t)(met - search->names), err);
	for (size_t i = 0; i < search->len; i++)
		if (search->list[i].from == from && is_likely(&search->list[i]))
			leave_alone(search->channel, search->list[i].to, err);
}

/* Reads the journals of the candidates. */
static void load_journals(struct search *search)
{
	for (size_t i = 0; i < search->len; i++) {
		struct planner_rename *rename = &search->list[i];
		struct box *box = &search->channel->boxes[rename->from];
		const struct pair *pairs;
		struct error err;
		size_t len;
		if (journal_load(box->journal, &err)) {
			leave_alone_all(search, rename->from, &err);
			search->list[i--] = search->list[--search->len];
			continue;
		}
		pairs = journal_pairs(box->journal, &len);
		for (size_t k = 0; k < len; k++)
			for (enum side side = LOCAL; side < SIDES; side++)
				rename->alike[side].expected += pair_is_expected(&pairs[k], side);
	}
}

/* What one message of a new mailbox says of a candidate. */
static void compare_message(const struct channel *channel, struct planner_rename *rename,
			    enum side side, const struct message_state *message)
{
	const struct journal *journal = channel->boxes[rename->from].journal;
	struct planner_likeness *alike = &rename->alike[side];
	const struct identity *identity = &message->identity;
	const struct pair *pair;

	pair = side == LOCAL ? journal_pair_of_name(journal, message->key.name)
			     : journal_pair_of_uid(journal, message->key.uid);
	if (!pair || !pair_is_expected(pair, side))
		return;
	if (side == REMOTE && (identity->size != pair->size ||
			       (pair->date != DATE_UNKNOWN && identity->date != pair->date)))
		alike->others++;
	else
		alike->found++;
}

/* True where a candidate cannot be judged without a look into its new mailbox on that side. */
static bool wants_look(const struct planner_rename *rename, enum side side)
{
	return rename->renamed[side] && (side == LOCAL || !rename->sure[REMOTE]);
}

/* A mailbox could not be looked into: nothing is known of what it may have been before. */
static void drop_candidates(struct search *search, size_t to, const struct error *err)
{
	size_t kept = 0;

	leave_alone(search->channel, to, err);
	for (size_t i = 0; i < search->len; i++)
		if (search->list[i].to == to)
			leave_alone_all(search, search->list[i].from, err);
	for (size_t i = 0; i < search->len; i++)
		if (search->list[i].to != to)
			search->list[kept++] = search->list[i];
	search->len = kept;
}

/* Looks into the new mailboxes of one side: one flight. */
static int look(struct search *search, enum side side, struct error *err)
{
	struct channel *channel = search->channel;
	bool *asked = xcalloc(channel->len + 1, sizeof(*asked));
	struct answer answer;
	int rc = 0;

	for (size_t i = 0; i < search->len && !rc; i++) {
		size_t to = search->list[i].to;
		const struct request request = {.kind = REQUEST_SCAN,
						.ticket = to,
						.mailbox = channel->boxes[to].at[side],
						.must_be_complete = true};
		if (!wants_look(&search->list[i], side) || asked[to])
			continue;
		asked[to] = true;
		rc = store_submit(channel->setup.stores[side], &request, err);
	}
	while (!rc && (rc = store_next(channel->setup.stores[side], &answer, err)) == 1) {
		rc = 0;
		for (size_t i = 0; i < search->len && answer.kind == ANSWER_MESSAGE; i++)
			if (search->list[i].to == answer.ticket)
				compare_message(channel, &search->list[i], side, &answer.message);
		if (answer.kind == ANSWER_DONE && answer.error.kind != ERROR_NONE)
			drop_candidates(search, answer.ticket, &answer.error);
	}
	free(asked);
	return rc;
}

/* Reads what is known of the candidates, and looks into their new mailboxes. */
static int look_into(struct search *search, struct error *err)
{
	load_journals(search);
	return look(search, LOCAL, err) || look(search, REMOTE, err) ? -1 : 0;
}

/* One box takes what another one has on a side. */
static void take_side(struct box *to, struct box *from, enum side side)
{
	to->at[side] = from->at[side];
	to->exists[side] = true;
	to->listed[side] = from->listed[side];
	from->exists[side] = false;
	from->renamed.away = true;
	if (side == REMOTE)
		to->attributes = from->attributes;
}

/*
 * The new name's box takes the journal, and the other side as long as that has the old name; turn
 * is how many are to be renamed before it.
 */
static void merge(const struct search *search, const struct planner_rename *rename, size_t turn)
{
	struct box *boxes = search->channel->boxes;
	struct box *from = &boxes[rename->from], *to = &boxes[rename->to];
	const struct planner_name *met = search->names[rename->from].met;

	/* As planner_meet did with the names. */
	if (met)
		take_side(from, &boxes[met - search->names], REMOTE);
	to->renamed.from = from->name;
	to->renamed.turn = turn;
	journal_close(&to->journal);
	to->journal = from->journal;
	to->has_journal = true;
	from->journal = NULL;
	from->renamed.away = true;
	for (enum side side = LOCAL; side < SIDES; side++)
		if (!rename->renamed[side])
			take_side(to, from, side);
}

/*
 * Takes out the boxes of old names under which nothing is left. What is there is left to the next
 * run: until then nothing is removed, for it may have been moved there.
 */
static void drop_merged(struct channel *channel)
{
	size_t kept = 0;

	for (size_t i = 0; i < channel->len; i++) {
		const struct box *box = &channel->boxes[i];
		if (box->renamed.away && !box->exists[LOCAL] && !box->exists[REMOTE])
			continue;
		for (enum side side = LOCAL; side < SIDES && box->renamed.away; side++)
			channel->held_back[side] = true;
		channel->boxes[kept++] = *box;
	}
	channel->len = kept;
}

int rename_find(struct channel *channel, struct error *err)
{
	struct search search = {.channel = channel};
	int rc = 0;

	if (!collect_names(&search) || channel->setup.only_len)
		goto out;
	for (size_t i = 0; i < channel->len; i++)
		if (channel->boxes[i].has_journal)
			open_journal(&search, i);
	collect_candidates(&search, planner_may_be_half);
	rc = look_into(&search, err);
	if (rc)
		goto out;
	planner_meet(search.names, search.names_len, search.list, search.len);
	collect_candidates(&search, planner_may_be_renamed);
	drop_needless(&search);
	rc = look_into(&search, err);
	if (rc)
		goto out;
	planner_renames(search.names, search.names_len, search.list, &search.len);
	for (size_t i = 0; i < search.len; i++)
		merge(&search, &search.list[i], i);
out:
	drop_merged(channel);
	free(search.names);
	free(search.list);
	return rc;
}

/*
 * Below a mailbox that was renamed on side, the names are others now; those of what is yet to be
 * made there are not.
 */
static void follow_rename(struct channel *channel, enum side side, const char *from, const char *to)
{
	size_t len = strlen(from);

	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		if (box->exists[side] && mailbox_name_is_below(box->at[side], from))
			box->at[side] =
			    arena_printf(&channel->arena, "%s%s", to, box->at[side] + len);
	}
}

/*
 * True for what may be refused for good, with nothing done. After a failed sync, say, it may be
 * done or not.
 */
static bool is_refusal(const struct error *err)
{
	switch (err->sys) {
	case 0:
	case EEXIST:
	case EINVAL:
	case EACCES:
	case EPERM:
	case EXDEV:
	case ENAMETOOLONG: return true;
	default: return false;
	}
}

/* True where a mailbox of the new name was made since they were listed: the next run sees both. */
static bool has_come(const struct channel *channel, enum side side, const char *name)
{
	const struct request request = {.kind = REQUEST_STATUS, .mailbox = name};
	struct answer answer;
	struct error ignored;

	return !store_do(channel->setup.stores[side], &request, &answer, &ignored);
}

/*
 * Renames one mailbox on the side that does not have the new name yet. Where that is refused, which
 * may be for good, its messages are kept even all the same; but not where the next run takes what
 * has the new name here for the one that has it there.
 */
static int rename_on(struct channel *channel, struct box *box, enum side side, struct error *err)
{
	const char *from = box->at[side];
	const struct request request = {
	    .kind = REQUEST_RENAME, .mailbox = from, .target = box->wanted[side]};
	struct answer answer;

	if (store_do(channel->setup.stores[side], &request, &answer, err)) {
		if (err->scope >= SCOPE_STORE)
			return -1;
		if (is_refusal(err) &&
		    (err->sys != EEXIST || !has_come(channel, side, box->wanted[side]))) {
			box->renamed.refused = *err;
			return 0;
		}
		hold_back(channel, box, side, err);
		box->active = false;
		return 0;
	}
	box->at[side] = box->wanted[side];
	follow_rename(channel, side, from, box->wanted[side]);
	return 0;
}

/* A subscription is to a name, and does not follow by itself. */
static void carry_subscription(struct channel *channel, const struct box *box)
{
	for (size_t i = 0; i < box->plan.len; i++) {
		if (box->plan.ops[i].kind != OP_RENAME)
			continue;
		subscribe_wish(channel, box->plan.ops[i].name, false);
		subscribe_wish(channel, box->wanted[REMOTE], true);
	}
}

/*
 * The journal goes along, but what its head says of unchanged sides does not: a run that did not
 * see the rename may have added to it what was in the old name's place.
 */
static int carry_journal(struct box *box, struct error *err)
{
	struct journal_head head = *journal_head(box->journal);

	head.cur_ns = head.new_ns = 0;
	head.highestmodseq = 0;
	if (journal_commit(box->journal, &head, err))
		return -1;
	return journal_carry(box->journal, box->name, err);
}

/* Renames one mailbox where it is due, and lets its journal follow. */
static int rename_box(struct channel *channel, struct box *box, struct error *err)
{
	struct error why;

	for (enum side side = LOCAL; side < SIDES; side++) {
		if (!plan_count(&box->plan, OP_RENAME, side))
			continue;
		if (strcmp(box->at[side], box->wanted[side]) != 0 &&
		    rename_on(channel, box, side, err))
			return -1;
		if (!box->active || box->renamed.refused.kind != ERROR_NONE)
			return 0;
		box->wrote[side] = true;
		box->tally.renamed[side]++;
		if (side == REMOTE && box->attributes & MAILBOX_SUBSCRIBED)
			carry_subscription(channel, box);
	}
	if (carry_journal(box, &why)) {
		box_fail(box, &why);
		box->active = false;
	}
	return 0;
}

/* The renamed box whose turn it is; NULL after the last. */
static struct box *box_of_turn(const struct channel *channel, size_t turn)
{
	for (size_t i = 0; i < channel->len; i++)
		if (channel->boxes[i].renamed.from && channel->boxes[i].renamed.turn == turn)
			return &channel->boxes[i];
	return NULL;
}

int rename_apply(struct channel *channel, struct error *err)
{
	struct box *box;

	for (size_t turn = 0; (box = box_of_turn(channel, turn)); turn++)
		if (box->active && rename_box(channel, box, err))
			return -1;
	return 0;
}

void rename_fail_refused(struct channel *channel)
{
	for (size_t i = 0; i < channel->len; i++)
		if (channel->boxes[i].renamed.refused.kind != ERROR_NONE)
			box_fail(&channel->boxes[i], &channel->boxes[i].renamed.refused);
}
