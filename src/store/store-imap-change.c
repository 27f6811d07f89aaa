// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * REMOVE, MOVE and COPY: what changes a mailbox, or fills another from it. Nothing is sent before
 * its SELECT was answered and its UIDVALIDITY is the one that was meant.
 *
 * Without UIDPLUS (or where UID EXPUNGE is refused, though offered) EXPUNGE would take everything
 * that is marked as deleted, others' messages too: it is sent only where a search shows that
 * nothing but ours is marked. Without MOVE a message is copied and, once the copy is sure, removed.
 */
#include "base/alloc.h"
#include "base/array.h"
#include "base/log.h"
#include "base/text.h"
#include "store/store-imap-inner.h"

#include <inttypes.h>
#include <stdlib.h>

enum change_phase {
	CHANGE_START,
	CHANGE_MOVING,    /* UID MOVE */
	CHANGE_COPYING,   /* UID COPY */
	CHANGE_MARKING,   /* the mailbox is awaited, then \Deleted is set */
	CHANGE_EXPUNGING, /* UID EXPUNGE */
	CHANGE_SEARCH,    /* the mailbox is awaited, then the marked are asked for */
	CHANGE_SEARCHING,
	CHANGE_PURGING, /* a bare EXPUNGE */
};

/* What became of one message. */
struct uid_move {
	uint32_t from;
	uint32_t to;
};

struct change_state {
	enum change_phase phase;
	struct uidset uids;     /* to be removed */
	bool told;              /* of any: that it is gone */
	bool again;             /* they were marked and expunged once more */
	struct uidset copied;   /* by COPY or MOVE, as the server tells */
	struct uid_move *moves; /* by COPY or MOVE, as the server tells */
	size_t moves_len, moves_cap;
	size_t moves_told;
	uint32_t arrivals; /* COPYUIDs that told of something new: the target got it */
	uint32_t uidvalidity; /* of where they went */
	struct uidset marked; /* found to be deleted */
	bool refused;         /* the command of this phase */
	bool final;           /* and by a reason that another command would meet too */
	struct error error;
};

/* Whether the commands of a change can go out now; JOB_DONE where they never can. */
static enum job_progress open_for_change(struct store_imap *store, struct job *job)
{
	if (!job->selection || job->selection->state != SELECTION_FAILED)
		store_ensure_selected(store, job);
	if (job->selection->state == SELECTION_PENDING)
		return JOB_WAITS;
	return job_check_selection(job) ? JOB_DONE : JOB_SENT;
}

static void add_step(struct store_imap *store, struct job *job, enum step_kind kind, unsigned tag)
{
	job->mailbox->thinned |= kind == STEP_EXPUNGE || kind == STEP_MOVE;
	store_add_step(store, job, kind, tag, job->selection);
}

/* Ends a job with what its last command was refused for; uids were left undone. */
static enum job_progress end_refused(struct job *job, const struct uidset *uids)
{
	if (job->error.kind == ERROR_NONE)
		job->error = job->change->error;
	uids_add_all(uids, &job->refused);
	return JOB_DONE;
}

/* Makes the state of a change at its turn; its set is the keys. */
static void change_begin(struct job *job)
{
	if (job->change)
		return;
	job->change = xcalloc(1, sizeof(*job->change));
	uids_add_keys(&job->request, &job->change->uids);
}

/* Marks the messages, and removes them at once where the server can remove just them. */
static enum job_progress mark_send(struct store_imap *store, struct job *job)
{
	const struct flags deleted = {FLAG_DELETED};
	struct change_state *change = job->change;

	change->refused = change->final = false;
	trace_expect(job, &change->uids);
	add_step(store, job, STEP_STORE,
		 imap_uid_store(store->session, &change->uids, IMAP_STORE_ADD, deleted));
	if (!(imap_capabilities(store->session) & IMAP_CAP_UIDPLUS) || store->no_uid_expunge) {
		change->phase = CHANGE_SEARCHING;
		add_step(store, job, STEP_SEARCH, imap_uid_search_deleted(store->session));
		return JOB_WAITS;
	}
	change->phase = CHANGE_EXPUNGING;
	add_step(store, job, STEP_EXPUNGE, imap_uid_expunge(store->session, &change->uids));
	return JOB_SENT;
}

/* Asks which messages are marked. */
static enum job_progress search_send(struct store_imap *store, struct job *job)
{
	job->change->phase = CHANGE_SEARCHING;
	job->change->refused = job->change->final = false;
	uidset_clear(&job->change->marked);
	add_step(store, job, STEP_SEARCH, imap_uid_search_deleted(store->session));
	return JOB_WAITS;
}

/* Leaves ours marked, for others' are marked too. */
static enum job_progress leave_marked(struct job *job, const struct uidset *ours)
{
	log_warn(
	    "mailbox %s: %" PRIu64 " deleted messages stay on the server, marked as deleted: "
	    "others are marked there too, and this server can only remove all of them at once; "
	    "expunge the mailbox, or unmark those, in a mail program",
	    text_show(job->request.mailbox), uidset_count(ours));
	uids_add_all(ours, &job->refused);
	return JOB_DONE;
}

/* The marked are known: those that are gone already are none of them. */
static enum job_progress search_end(struct store_imap *store, struct job *job)
{
	struct change_state *change = job->change;
	struct uidset ours = {0};
	enum job_progress progress;

	if (change->refused)
		return end_refused(job, &change->uids);
	if (!store_is_selected(store, job)) {
		change->phase = CHANGE_SEARCH;
		return JOB_WAITS;
	}
	uids_add_common(&change->marked, &change->uids, &ours);
	if (uidset_count(&ours) != uidset_count(&change->marked)) {
		progress = leave_marked(job, &ours);
	} else if (!ours.len) {
		progress = JOB_DONE;
	} else {
		change->phase = CHANGE_PURGING;
		add_step(store, job, STEP_EXPUNGE, imap_expunge(store->session));
		progress = JOB_SENT;
	}
	uidset_free(&ours);
	return progress;
}

/*
 * UID EXPUNGE was answered. Dovecot says OK to one that comes while another session adds a message,
 * and may remove nothing: where it tells of nothing that went, all is said once more. One that is
 * refused though offered is not tried again.
 */
static enum job_progress expunge_end(struct store_imap *store, struct job *job)
{
	struct change_state *change = job->change;

	if (!change->refused && (change->told || change->again))
		return JOB_DONE;
	if (!change->refused) {
		change->again = true;
		return JOB_SENT;
	}
	if (change->final)
		return end_refused(job, &change->uids);
	if (!store->no_uid_expunge)
		log_info(
		    "mailbox %s: UID EXPUNGE was refused though the server offers it: not used "
		    "again in this session",
		    text_show(job->request.mailbox));
	store->no_uid_expunge = true;
	change->phase = CHANGE_SEARCH;
	return JOB_SENT;
}

/* Takes a removal one phase on; all its commands of the last phase were answered. */
static enum job_progress remove_step(struct store_imap *store, struct job *job)
{
	struct change_state *change = job->change;
	enum job_progress progress;

	if (change->phase == CHANGE_EXPUNGING && expunge_end(store, job) == JOB_DONE)
		return JOB_DONE;
	if (change->phase == CHANGE_SEARCHING) {
		progress = search_end(store, job);
		if (change->phase != CHANGE_SEARCH)
			return progress;
	}
	if (change->phase == CHANGE_PURGING)
		return change->refused ? end_refused(job, &change->marked) : JOB_DONE;
	progress = open_for_change(store, job);
	if (progress != JOB_SENT)
		return progress;
	return change->phase == CHANGE_SEARCH ? search_send(store, job) : mark_send(store, job);
}

/* Whether later jobs must stay behind until this one has sent its last command. */
static enum job_progress await(const struct job *job)
{
	switch (job->change->phase) {
	case CHANGE_MOVING:
	case CHANGE_EXPUNGING:
	case CHANGE_PURGING: return JOB_SENT;
	default: return JOB_WAITS;
	}
}

static enum job_progress remove_run(struct store_imap *store, struct job *job)
{
	change_begin(job);
	if (!job->request.count)
		return JOB_DONE;
	return job->steps ? await(job) : remove_step(store, job);
}

/* Copies into the target. */
static void copy_send(struct store_imap *store, struct job *job,
		      const struct remote_mailbox *target)
{
	struct change_state *change = job->change;

	change->phase = CHANGE_COPYING;
	add_step(store, job, STEP_COPY,
		 imap_uid_copy(store->session, &change->uids, target->wire, target->wire_len));
}

/* Moves, or copies where the server cannot. */
static enum job_progress move_send(struct store_imap *store, struct job *job)
{
	struct change_state *change = job->change;
	const struct remote_mailbox *target =
	    mailbox_of_name(store, job->request.target, &job->error);
	bool can = imap_capabilities(store->session) & IMAP_CAP_MOVE && !store->no_move;

	if (!target)
		return JOB_DONE;
	change->refused = change->final = false;
	trace_expect(job, &change->uids);
	if (can) {
		change->phase = CHANGE_MOVING;
		add_step(
		    store, job, STEP_MOVE,
		    imap_uid_move(store->session, &change->uids, target->wire, target->wire_len));
		return JOB_SENT;
	}
	copy_send(store, job, target);
	return JOB_WAITS;
}

/* What a command that was refused in part has moved already needs no other. */
static void drop_copied(struct change_state *change)
{
	struct uidset left = {0};

	uids_add_minus(&change->uids, &change->copied, &left);
	uidset_free(&change->uids);
	change->uids = left;
	uidset_clear(&change->copied);
}

/*
 * UID MOVE was answered. What the server does not name among the moved is left undone: some say OK
 * and move nothing. One that is refused though offered is not tried again.
 */
static enum job_progress move_end(struct store_imap *store, struct job *job)
{
	struct change_state *change = job->change;

	if (!change->refused && change->copied.len)
		uids_add_minus(&change->uids, &change->copied, &job->refused);
	if (!change->refused)
		return JOB_DONE;
	drop_copied(change);
	if (change->final)
		return end_refused(job, &change->uids);
	if (!store->no_move)
		log_info(
		    "mailbox %s: UID MOVE was refused though the server offers it: messages are "
		    "copied and removed instead in this session",
		    text_show(job->request.mailbox));
	store->no_move = true;
	change->phase = CHANGE_START;
	return change->uids.len ? JOB_SENT : JOB_DONE;
}

/*
 * UID COPY was answered: where the server tells what it copied, just that is removed here. What it
 * did not copy stays.
 */
static enum job_progress copy_end(struct job *job)
{
	struct change_state *change = job->change;
	struct uidset left = {0}, done = {0};

	if (change->refused && !change->copied.len)
		return end_refused(job, &change->uids);
	if (change->copied.len) {
		uids_add_minus(&change->uids, &change->copied, &left);
		uids_add_common(&change->uids, &change->copied, &done);
		uidset_free(&change->uids);
		change->uids = done;
	}
	if (change->refused)
		job->error = change->error;
	uids_add_all(&left, &job->refused);
	uidset_free(&left);
	change->phase = CHANGE_MARKING;
	return change->uids.len ? JOB_SENT : JOB_DONE;
}

static enum job_progress move_run(struct store_imap *store, struct job *job)
{
	enum job_progress progress;

	change_begin(job);
	if (!job->request.count)
		return JOB_DONE;
	if (job->steps)
		return await(job);
	if (job->change->phase == CHANGE_MOVING && move_end(store, job) == JOB_DONE)
		return JOB_DONE;
	if (job->change->phase == CHANGE_COPYING && copy_end(job) == JOB_DONE)
		return JOB_DONE;
	if (job->change->phase != CHANGE_START)
		return remove_step(store, job);
	progress = open_for_change(store, job);
	return progress == JOB_SENT ? move_send(store, job) : progress;
}

/*
 * A copy's last command was answered. What the server does not name among the copied is left
 * undone; where it names none, all were copied, nobody knows where to.
 */
static enum job_progress copy_finish(struct job *job)
{
	struct change_state *change = job->change;

	if (change->refused)
		job->error = change->error;
	if (change->refused || change->copied.len) {
		uids_add_minus(&change->uids, &change->copied, &job->refused);
		return JOB_DONE;
	}
	for (size_t i = 0; i < job->request.count; i++)
		*array_push(change->moves, change->moves_len, change->moves_cap) =
		    (struct uid_move){.from = job->request.keys[i].uid};
	return JOB_DONE;
}

static enum job_progress copy_run(struct store_imap *store, struct job *job)
{
	const struct remote_mailbox *target;
	enum job_progress progress;

	change_begin(job);
	if (!job->request.count)
		return JOB_DONE;
	if (job->steps)
		return job->change->phase == CHANGE_COPYING ? JOB_SENT : JOB_WAITS;
	if (job->change->phase == CHANGE_COPYING)
		return copy_finish(job);
	target = mailbox_of_name(store, job->request.target, &job->error);
	if (!target)
		return JOB_DONE;
	progress = open_for_change(store, job);
	if (progress != JOB_SENT)
		return progress;
	copy_send(store, job, target);
	return JOB_SENT;
}

/* What a refused command was to do. */
static const char *purpose(enum step_kind kind)
{
	switch (kind) {
	case STEP_STORE: return "change flags";
	case STEP_EXPUNGE: return "remove messages";
	case STEP_SEARCH: return "tell which messages are deleted";
	case STEP_COPY: return "copy messages";
	default: return "move messages";
	}
}

/* Whether another command for the same end would be refused for the same reason. */
static bool is_final(enum imap_code code)
{
	return code == IMAP_CODE_TRYCREATE || code == IMAP_CODE_NONEXISTENT ||
	       code == IMAP_CODE_OVERQUOTA || code == IMAP_CODE_NOPERM;
}

/* Notes what came of a command. */
static void change_take_end(struct job *job, const struct step *step,
			    const struct imap_answer *answer)
{
	struct change_state *change = job->change;

	if (answer->status == IMAP_OK || step->kind == STEP_SELECT)
		return;
	if (!change->refused)
		store_describe_refusal(&change->error, SCOPE_MAILBOX, job->request.mailbox,
				       purpose(step->kind), answer);
	change->final |= is_final(answer->code) || step->kind == STEP_STORE;
	change->refused = true;
}

/*
 * Notes a COPYUID: the n-th of one set became the n-th of the other. It can name no more than was
 * asked for; one that does is as good as none, and so is what it says of a message twice.
 */
static void note_moves(struct change_state *change, const struct imap_answer *answer)
{
	uint32_t from = 0, to = 0;
	size_t before = change->moves_len;

	if (!answer->uids || !answer->uids_to ||
	    uidset_count(answer->uids) > uidset_count(&change->uids))
		return;
	change->uidvalidity = (uint32_t)answer->code_number;
	while ((from = uidset_after(answer->uids, from)) &&
	       (to = uidset_after(answer->uids_to, to))) {
		if (!uidset_has(&change->uids, from) || uidset_has(&change->copied, from))
			continue;
		uidset_add(&change->copied, from);
		*array_push(change->moves, change->moves_len, change->moves_cap) =
		    (struct uid_move){from, to};
	}
	change->arrivals += change->moves_len > before;
}

/* Where a message went, once all that was to be done about it is done. */
static bool move_tell(struct store_imap *store, struct job *job, struct answer *out)
{
	struct change_state *change = job->change;

	(void)store;
	out->target_steps = change ? change->arrivals : 0;
	while (change && change->moves_told < change->moves_len) {
		const struct uid_move *move = &change->moves[change->moves_told++];
		if (uidset_has(&job->refused, move->from))
			continue;
		out->kind = ANSWER_MOVED;
		out->message.key.uid = move->from;
		out->created.uid = move->to;
		out->uidvalidity = change->uidvalidity;
		return true;
	}
	return false;
}

static bool change_take(struct store_imap *store, struct job *job, const struct step *step,
			const struct imap_answer *answer, struct answer *out)
{
	struct change_state *change = job->change;

	(void)store;
	(void)out;
	if (step->kind == STEP_STORE || step->kind == STEP_EXPUNGE)
		change->told |= answer->kind == IMAP_EXPUNGE || answer->kind == IMAP_VANISHED;
	if (answer->kind == IMAP_SEARCH && step->kind == STEP_SEARCH && answer->uids)
		uids_add_all(answer->uids, &change->marked);
	if (answer->kind == IMAP_MALFORMED && step->kind == STEP_SEARCH) {
		change->refused = change->final = true;
		store_describe_malformed(&change->error, job->request.mailbox, answer);
	}
	if (answer->code == IMAP_CODE_COPYUID &&
	    (step->kind == STEP_COPY || step->kind == STEP_MOVE))
		note_moves(change, answer);
	trace_take(job, step, answer);
	if (answer->kind == IMAP_TAGGED)
		change_take_end(job, step, answer);
	return false;
}

static void change_free(struct job *job)
{
	if (!job->change)
		return;
	uidset_free(&job->change->uids);
	uidset_free(&job->change->copied);
	uidset_free(&job->change->marked);
	free(job->change->moves);
	free(job->change);
}

const struct job_kind remove_job = {
    .run = remove_run, .take = change_take, .free = change_free, .changes = true};
const struct job_kind move_job = {
    .run = move_run, .take = change_take, .tell = move_tell, .free = change_free, .changes = true};
const struct job_kind copy_job = {
    .run = copy_run, .take = change_take, .tell = move_tell, .free = change_free, .changes = true};
