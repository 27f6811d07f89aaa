// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/move.h"

#include "base/alloc.h"
#include "base/array.h"
#include "sync/flag-room.h"
#include "sync/hold-back.h"
#include "sync/proof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ONE_COMMAND 50 /* so many UIDs are never parted among several commands */

/* One message on its way. */
struct moving {
	struct op *op;
	size_t from; /* the index of the box that it leaves, or that holds the original */
	size_t to;   /* and of the one where it arrives */
	size_t turn; /* how many others of the same original and box come before it */
	bool done;
};

/* The messages of one request: those of one turn between the same two boxes. */
struct convoy {
	size_t first;
	size_t count;
	struct message_key *keys;
};

struct moves {
	struct channel *channel;
	enum op_kind kind; /* MOVE or CLONE */
	enum side side;
	bool strays;         /* only of messages without a pair; else of none */
	struct moving *list; /* sorted: from, target, turn, key */
	size_t len, cap;
	struct convoy *convoys; /* by ticket */
	size_t convoys_len, convoys_cap;
};

/* The key of a message in the mailbox that it leaves, or that holds the original. */
static struct message_key key_of(const struct op *op)
{
	if (op->kind == OP_CLONE)
		return op->there;
	return op->side == REMOTE ? (struct message_key){.uid = op->uid}
				  : (struct message_key){.name = op->name};
}

/* How the other side's file is called. */
static const char *file_of(const struct op *op)
{
	return op->kind == OP_CLONE ? op->name : op->there.name;
}

static int compare_moving(const void *a, const void *b)
{
	const struct moving *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	if (x->turn != y->turn)
		return x->turn < y->turn ? -1 : 1;
	const struct message_key one = key_of(x->op), other = key_of(y->op);
	if (x->op->side == LOCAL)
		return strcmp(one.name, other.name);
	return (one.uid > other.uid) - (one.uid < other.uid);
}

/* The indexes of the two boxes of an operation of one's plan. */
static struct moving moving_of(struct op *op, size_t box)
{
	if (op->kind == OP_CLONE)
		return (struct moving){.op = op, .from = op->target, .to = box};
	return (struct moving){.op = op, .from = box, .to = op->target};
}

/* True where both are of one original and go to one mailbox. */
static bool is_twin(const struct moving *a, const struct moving *b)
{
	const struct message_key x = key_of(a->op), y = key_of(b->op);

	return a->from == b->from && a->to == b->to && x.uid == y.uid &&
	       (!x.name || !strcmp(x.name, y.name));
}

/* Sorts them; what is copied several times into a mailbox is so by as many requests. */
static void sort(struct moves *moves)
{
	bool twins = false;

	if (moves->len)
		qsort(moves->list, moves->len, sizeof(*moves->list), compare_moving);
	for (size_t i = 1; i < moves->len; i++) {
		struct moving *moving = &moves->list[i];
		if (!is_twin(moving - 1, moving))
			continue;
		moving->turn = moving[-1].turn + 1;
		twins = true;
	}
	if (twins)
		qsort(moves->list, moves->len, sizeof(*moves->list), compare_moving);
}

/* Collects the operations whose boxes are in order. Of the others, neither end is even. */
static void collect(struct moves *moves)
{
	struct channel *channel = moves->channel;

	for (size_t i = 0; i < channel->len; i++) {
		struct box *box = &channel->boxes[i];
		for (size_t k = 0; k < box->plan.len; k++) {
			struct op *op = &box->plan.ops[k];
			if (op->kind != moves->kind || op->side != moves->side || op->blocked ||
			    op_is_stray(op) != moves->strays)
				continue;
			const struct moving moving = moving_of(op, i);
			struct box *to = &channel->boxes[moving.to];
			if (!box->active || !to->active || box->error.kind != ERROR_NONE)
				box->undone = to->undone = true;
			else
				*array_push(moves->list, moves->len, moves->cap) = moving;
		}
	}
	sort(moves);
}

/* Notes in the mailbox where it arrives what is about to arrive. */
static void note_arrival(struct moves *moves, const struct moving *moving)
{
	const struct op *op = moving->op;
	struct box *target = &moves->channel->boxes[moving->to];
	const struct stamp *stamp = &target->sides[REMOTE].stamp;
	struct journal_note note = {.side = moves->side,
				    .flags = op->kind == OP_CLONE ? op->had : op->flags,
				    .identity = plan_identity(op)};

	if (moves->side == REMOTE) {
		note.kind = JOURNAL_APPENDING;
		note.name = file_of(op);
		note.uidvalidity = stamp->uidvalidity;
		note.floor = stamp->uidnext ? stamp->uidnext : 1;
	} else {
		note.kind = JOURNAL_PUBLISHING;
		note.uid = op->there.uid;
		note.name = op->name;
	}
	journal_note(target->journal, &note);
}

/* Notes in the mailbox that it leaves what is about to leave the server there. */
static void note_departure(struct moves *moves, const struct moving *moving)
{
	if (moves->kind == OP_MOVE && moves->side == REMOTE)
		box_note_removal(&moves->channel->boxes[moving->from], moving->op->uid);
}

/* Makes a box's notes durable; one whose journal cannot be written takes no part any more. */
static void commit_box(struct box *box)
{
	struct error err;

	if (!box->active || !box_commit(box, &err))
		return;
	box_fail(box, &err);
	box->active = false;
}

/* Makes the notes durable. */
static void commit_notes(struct moves *moves)
{
	for (size_t i = 0; i < moves->len; i++) {
		note_arrival(moves, &moves->list[i]);
		note_departure(moves, &moves->list[i]);
	}
	for (size_t i = 0; i < moves->len; i++) {
		commit_box(&moves->channel->boxes[moves->list[i].from]);
		commit_box(&moves->channel->boxes[moves->list[i].to]);
	}
}

/* The UIDVALIDITY of the UIDs that are known of a box; one that is only looked into has no scan. */
static uint32_t uidvalidity_of(const struct box *box)
{
	return box->active ? box->sides[REMOTE].stamp.uidvalidity
			   : journal_head(box->journal)->uidvalidity;
}

/* Submits the messages of one convoy, of which first is the first. Returns the next. */
static size_t submit_convoy(struct moves *moves, size_t first, int *rc, struct error *err)
{
	struct channel *channel = moves->channel;
	struct box *box = &channel->boxes[moves->list[first].from];
	size_t target = moves->list[first].to, end = first;
	struct convoy *convoy = array_push(moves->convoys, moves->convoys_len, moves->convoys_cap);

	*convoy = (struct convoy){.first = first,
				  .keys = xcalloc(moves->len - first, sizeof(*convoy->keys))};
	for (; end < moves->len && moves->list[end].from == moves->list[first].from &&
	       moves->list[end].to == target && moves->list[end].turn == moves->list[first].turn;
	     end++)
		convoy->keys[convoy->count++] = key_of(moves->list[end].op);
	const struct request request = {
	    .kind = moves->kind == OP_CLONE ? REQUEST_COPY : REQUEST_MOVE,
	    .ticket = moves->convoys_len - 1,
	    .mailbox = box->at[moves->side],
	    .keys = convoy->keys,
	    .count = convoy->count,
	    .uidvalidity = uidvalidity_of(box),
	    .target = channel->boxes[target].at[moves->side],
	};
	if (channel->boxes[target].active && (box->active || moves->kind == OP_CLONE))
		*rc = store_submit(channel->setup.stores[moves->side], &request, err);
	else
		box->undone = channel->boxes[target].undone = true;
	return end;
}

/*
 * Asks of each mailbox that messages are moved to on the server, behind them. One to which flags
 * come is opened in the end, for only that tells whether there is room for them.
 */
static int submit_proofs(const struct moves *moves, struct error *err)
{
	bool *asked = xcalloc(moves->channel->len, sizeof(*asked));
	int rc = 0;

	for (size_t i = 0; i < moves->len; i++)
		asked[moves->list[i].to] |= box_may_drop_flags(
		    &moves->channel->boxes[moves->list[i].to], moves->list[i].op->flags);
	for (size_t i = 0; i < moves->convoys_len && !rc; i++) {
		size_t to = moves->list[moves->convoys[i].first].to;
		if (!asked[to])
			rc = proof_submit(moves->channel, to, err);
		asked[to] = true;
	}
	free(asked);
	return rc;
}

/* The message of a convoy that has that key in the mailbox it leaves. */
static struct moving *find_moving(struct moves *moves, const struct convoy *convoy,
				  const struct message_key *key)
{
	struct op op = {.kind = OP_MOVE, .side = moves->side, .uid = key->uid, .name = key->name};
	const struct moving wanted = {.op = &op,
				      .from = moves->list[convoy->first].from,
				      .to = moves->list[convoy->first].to,
				      .turn = moves->list[convoy->first].turn};

	return bsearch(&wanted, &moves->list[convoy->first], convoy->count, sizeof(*moves->list),
		       compare_moving);
}

/*
 * Whether the server says where it is, and speaks of the same mailbox as we: some get the answer's
 * numbers wrong.
 */
static bool is_there(const struct moves *moves, const struct box *target,
		     const struct answer *answer)
{
	uint32_t expected = target->sides[REMOTE].stamp.uidvalidity;

	if (moves->side == LOCAL)
		return true;
	return answer->created.uid && (!expected || answer->uidvalidity == expected);
}

/* What is still to be done about the flags of a copy that has these. */
static void plan_late(struct box *box, const struct op *op, uint32_t uid, struct flags had)
{
	const struct flags reach = box_flags_there(box, op->flags);
	struct op *late;

	if (flags_equal(reach, had))
		return;
	late = plan_add(&box->late, OP_FLAG, REMOTE, op->rule);
	late->uid = uid;
	late->name = op->name;
	late->add = flags_minus(reach, had);
	late->remove = flags_minus(had, reach);
	late = plan_add(&box->late, OP_AGREE, REMOTE, op->rule);
	late->uid = uid;
	late->name = op->name;
	late->flags = reach;
}

/* Of a copy: its pair. */
static void note_cloned(struct box *box, const struct op *op, uint32_t uid)
{
	const struct identity identity = plan_identity(op);
	const struct flags had = box_flags_there(box, op->had);
	const struct pair pair = pair_of(uid, op->name, had, &identity);

	journal_put(box->journal, &pair);
	plan_late(box, op, uid, had);
	box->tally.cloned[REMOTE]++;
}

/*
 * A server that folds equal messages of a mailbox into one has made no copy, and never will: that
 * is remembered, as of an upload.
 */
static void note_folded(struct channel *channel, struct box *box, const struct op *op, uint32_t uid)
{
	struct error why;

	error_set(&why, ERROR_REFUSED, SCOPE_MESSAGE,
		  "the server keeps one copy only: it holds the same message as UID %u", uid);
	journal_end_note(box->journal, JOURNAL_APPENDING, 0, op->name);
	journal_note(box->journal, &(struct journal_note){.kind = JOURNAL_REFUSED,
							  .side = LOCAL,
							  .name = op->name,
							  .identity = plan_identity(op),
							  .text = why.text});
	hold_back(channel, box, REMOTE, &why);
}

/*
 * True where another message's pair has the name under which a file arrived: its user took that
 * message's file away just before. A pair of that name would forget it, and the server's message
 * would be known to nobody: what came stays undone, and the next run sees what is where.
 */
static bool is_name_taken(const struct box *target, const struct message_key *arrived, uint32_t uid)
{
	const struct pair *pair =
	    arrived->name ? journal_pair_of_name(target->journal, arrived->name) : NULL;

	return pair && pair->uid != uid;
}

/* It has arrived under that key: its pair is journaled there, and forgotten where it was. */
static void note_moved(struct moves *moves, const struct convoy *convoy,
		       const struct answer *answer)
{
	struct moving *moving = find_moving(moves, convoy, &answer->message.key);
	struct box *box, *target;

	if (!moving || moving->done)
		return;
	box = &moves->channel->boxes[moving->from];
	target = &moves->channel->boxes[moving->to];
	const struct op *op = moving->op;
	uint32_t uid = moves->side == REMOTE ? answer->created.uid : op->there.uid;
	bool known = journal_pair_of_uid(target->journal, uid);
	if ((known && (op->kind == OP_MOVE || box_is_made_anew(target))) ||
	    !is_there(moves, target, answer) ||
	    (moves->side == LOCAL && is_name_taken(target, &answer->created, uid)))
		return;
	moving->done = true;
	if (known) {
		note_folded(moves->channel, target, op, uid);
		return;
	}
	if (moves->side == REMOTE)
		own_note_added(&target->own, uid);
	if (moves->side == REMOTE && !target->sides[REMOTE].stamp.uidvalidity)
		target->sides[REMOTE].stamp.uidvalidity = answer->uidvalidity;
	if (op->kind == OP_CLONE) {
		note_cloned(target, op, uid);
		return;
	}
	const struct identity identity = plan_identity(op);
	const struct pair pair =
	    moves->side == REMOTE
		? pair_of(uid, op->there.name, box_flags_there(target, op->flags), &identity)
		: pair_of(uid, answer->created.name, op->flags, &identity);
	journal_put(target->journal, &pair);
	if (moves->side == REMOTE) {
		box_note_flags_sent(target, pair.flags);
		uidset_add(&box->own.gone, op->uid);
	}
	if (moves->strays)
		moving->op->kind = OP_NONE;
	else
		journal_forget(box->journal, op->uid);
	box->tally.moved[moves->side]++;
}

/*
 * What the server would not copy is sent to it. True for that. Of several commands nobody knows
 * which were carried out, where the server tells no UIDs: those are left to the next run.
 */
static bool send_instead(const struct moves *moves, const struct convoy *convoy,
			 const struct moving *moving, const struct answer *answer)
{
	struct op *op = moving->op;

	if (op->kind != OP_CLONE || answer->error.kind != ERROR_REFUSED ||
	    convoy->count > ONE_COMMAND || !answer->refused ||
	    !uidset_has(answer->refused, op->there.uid))
		return false;
	journal_end_note(moves->channel->boxes[moving->to].journal, JOURNAL_APPENDING, 0, op->name);
	op->kind = OP_COPY;
	op->rule = RULE_M7_COPY;
	return true;
}

/*
 * What a request took in both mailboxes, on the server. A copy has the flags that its original had
 * just then, and nothing tells whether those were still the ones that were seen.
 */
static void note_own(const struct moves *moves, struct box *box, struct box *target,
		     const struct answer *answer, size_t arrived)
{
	if (moves->side != REMOTE)
		return;
	target->own.steps += answer->target_steps;
	if (moves->kind == OP_CLONE) {
		target->own.others = true;
		return;
	}
	target->own.came = true;
	box->own.left = true;
	own_note_done(&box->own, answer, arrived);
}

/*
 * The end of a request. What the server moved without saying where to is found by its note; what
 * it did not move stays where it is until the next run.
 */
static void end_convoy(struct moves *moves, const struct convoy *convoy,
		       const struct answer *answer)
{
	struct box *box = &moves->channel->boxes[moves->list[convoy->first].from];
	struct box *target = &moves->channel->boxes[moves->list[convoy->first].to];
	bool failed = answer->error.kind != ERROR_NONE && answer->error.sys != ENOENT;
	size_t arrived = 0;

	target->wrote[moves->side] = true;
	if (moves->kind == OP_MOVE)
		box->wrote[moves->side] = true;
	if (target->active)
		box_refuse_keywords(target, moves->side, answer->refused_keywords);
	for (size_t i = convoy->first; i < convoy->first + convoy->count; i++) {
		if (moves->list[i].done) {
			arrived++;
			continue;
		}
		if (send_instead(moves, convoy, &moves->list[i], answer))
			continue;
		if (failed)
			box_fail(moves->kind == OP_MOVE ? box : target, &answer->error);
		else if (moves->strays)
			moves->list[i].op->kind = OP_NONE;
		target->undone = true;
		box->undone |= moves->kind == OP_MOVE;
		target->own.lost_append |= moves->side == REMOTE && !failed;
	}
	note_own(moves, box, target, answer, arrived);
}

/* Takes in all answers. */
static int collect_answers(struct moves *moves, struct error *err)
{
	struct store *store = moves->channel->setup.stores[moves->side];
	struct answer answer;
	int rc;

	while ((rc = store_next(store, &answer, err)) == 1) {
		if (proof_take(moves->channel, &answer))
			continue;
		const struct convoy *convoy = &moves->convoys[answer.ticket];
		if (answer.kind == ANSWER_MOVED)
			note_moved(moves, convoy, &answer);
		else if (answer.kind == ANSWER_DONE)
			end_convoy(moves, convoy, &answer);
	}
	return rc;
}

/*
 * A file that was copied, be it to move it, may have got the time of that for its date. On the
 * server the message keeps its own, and so it is to be the file's. A file that is gone by now is
 * the next run's.
 */
static int give_dates(struct moves *moves, struct error *err)
{
	struct store *store = moves->channel->setup.stores[LOCAL];
	struct answer answer;

	for (size_t i = 0; i < moves->len; i++) {
		const struct moving *moving = &moves->list[i];
		const struct message_key key = {.name = file_of(moving->op)};
		const struct request request = {.kind = REQUEST_DATE,
						.mailbox =
						    moves->channel->boxes[moving->to].at[LOCAL],
						.keys = &key,
						.count = 1,
						.date = moving->op->identity.date};
		if (moving->done && moving->op->redate && request.date != DATE_UNKNOWN &&
		    store_do(store, &request, &answer, err) && err->scope >= SCOPE_STORE)
			return -1;
	}
	return 0;
}

/*
 * Commits where they arrived before where they left: a stop between leaves a pair too much, not too
 * little.
 */
static void commit_moves(struct moves *moves)
{
	struct channel *channel = moves->channel;

	for (int arrived = 1; arrived >= 0; arrived--)
		for (size_t i = 0; i < moves->len; i++) {
			struct box *box =
			    &channel->boxes[arrived ? moves->list[i].to : moves->list[i].from];
			struct error err;
			if (!box->active || !box_commit(box, &err))
				continue;
			box_fail(box, &err);
			box->active = false;
		}
}

/* All of one kind on one side, once they are collected. */
static int carry_out(struct moves *moves, struct error *err)
{
	struct store *local = moves->channel->setup.stores[LOCAL];
	int rc = 0;

	for (size_t i = 0; i < moves->len && !rc;)
		i = submit_convoy(moves, i, &rc, err);
	if (!rc && moves->side == REMOTE && moves->kind == OP_MOVE)
		rc = submit_proofs(moves, err);
	if (!rc)
		rc = collect_answers(moves, err);
	if (!rc && moves->side == REMOTE)
		rc = give_dates(moves, err);
	if (!rc && moves->side == LOCAL)
		rc = store_settle(local, NULL, err);
	return rc;
}

static void free_moves(struct moves *moves)
{
	for (size_t i = 0; i < moves->convoys_len; i++)
		free(moves->convoys[i].keys);
	free(moves->convoys);
	free(moves->list);
}

/* Operations of one kind on one side: noted before they are begun. */
static int apply(struct channel *channel, enum op_kind kind, enum side side, struct error *err)
{
	struct moves moves = {.channel = channel, .kind = kind, .side = side};
	int rc = 0;

	collect(&moves);
	if (moves.len) {
		commit_notes(&moves);
		rc = carry_out(&moves, err);
	}
	if (!rc)
		commit_moves(&moves);
	free_moves(&moves);
	return rc;
}

int move_apply_strays(struct channel *channel, enum side side, struct error *err)
{
	struct moves moves = {.channel = channel, .kind = OP_MOVE, .side = side, .strays = true};
	int rc = 0;

	collect(&moves);
	if (moves.len)
		rc = carry_out(&moves, err);
	for (size_t i = 0; i < moves.len && side == REMOTE; i++)
		channel->boxes[moves.list[i].to].undone = true;
	free_moves(&moves);
	return rc;
}

int move_apply(struct channel *channel, enum side side, struct error *err)
{
	return apply(channel, OP_MOVE, side, err);
}

int move_apply_copies(struct channel *channel, struct error *err)
{
	return apply(channel, OP_CLONE, REMOTE, err);
}
