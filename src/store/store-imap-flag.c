// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * FLAG: changes of flags. Nothing is sent before the SELECT was answered, for only then is known
 * which flags the mailbox keeps.
 *
 * Keywords go out apart from the flags that every server has, and their answers are looked at:
 * PERMANENTFLAGS promises more than some servers keep (Dovecot refuses long ones, Cyrus more than
 * so many, others take them and forget them). What is refused together is tried one by one. A
 * keyword that was refused by itself, or did not arrive, is no error: it is told as refused.
 */
#include "base/alloc.h"
#include "base/array.h"
#include "store/store-imap-inner.h"

#include <stdlib.h>
#include <string.h>

/* One STORE of keywords; its number is its step's first. */
struct attempt {
	uint32_t keywords;
	uint32_t arrived; /* those that a message has now */
	bool remove;
	bool answered; /* a message's flags came */
	bool refused;
};

struct flag_state {
	bool sent;
	bool singly;
	struct uidset uids;
	struct attempt *attempts;
	size_t len, cap;
	uint32_t refused;
};

/* Sends one change of the flags that are no keywords. */
static void send_bits(struct store_imap *store, struct job *job, enum imap_store_how how,
		      uint32_t bits)
{
	const struct uidset *uids = &job->flag->uids;

	if (bits)
		store_add_step(store, job, STEP_STORE,
			       imap_uid_store(store->session, uids, how, (struct flags){bits}),
			       job->selection);
}

/* Sends one change of keywords, and remembers it to judge its answer by. */
static void send_keywords(struct store_imap *store, struct job *job, uint32_t keywords, bool remove)
{
	struct flag_state *state = job->flag;
	const struct flags flags = {.keywords = keywords};

	if (!keywords || keywords == KEYWORDS_UNKNOWN)
		return;
	*array_push(state->attempts, state->len, state->cap) =
	    (struct attempt){.keywords = keywords, .remove = remove};
	struct step *step =
	    store_add_step(store, job, STEP_STORE,
			   imap_uid_store(store->session, &state->uids,
					  remove ? IMAP_STORE_REMOVE : IMAP_STORE_ADD, flags),
			   job->selection);
	step->first = state->len;
}

/* Sends all that the mailbox can keep. */
static enum job_progress send_all(struct store_imap *store, struct job *job)
{
	const struct flag_room *room = &job->selection->permanent;
	const struct flags none = {0};
	struct flags add = flags_reach(none, job->request.add, room);
	struct flags remove = flags_reach(none, job->request.remove, room);

	job->flag->sent = true;
	trace_expect(job, &job->flag->uids);
	send_bits(store, job, IMAP_STORE_ADD, add.bits);
	send_bits(store, job, IMAP_STORE_REMOVE, remove.bits);
	send_keywords(store, job, add.keywords, false);
	send_keywords(store, job, remove.keywords, true);
	return job->steps ? JOB_SENT : JOB_DONE;
}

/* Tries one by one the keywords of an attempt that was refused. */
static void retry_singly(struct store_imap *store, struct job *job, struct attempt attempt)
{
	for (size_t i = 0; attempt.refused && i < keywords_count(attempt.keywords); i++) {
		const char *name = keywords_name(attempt.keywords, i);
		send_keywords(store, job, keywords_of(name, strlen(name)), attempt.remove);
	}
}

/* Whether anything was refused that may be taken in parts. */
static bool is_divisible(const struct flag_state *state)
{
	for (size_t i = 0; i < state->len; i++)
		if (state->attempts[i].refused && keywords_count(state->attempts[i].keywords) > 1)
			return true;
	return false;
}

/* Notes what was refused, or was taken and did not arrive. */
static void judge(struct flag_state *state)
{
	for (size_t i = 0; i < state->len; i++) {
		const struct attempt *attempt = &state->attempts[i];
		uint32_t refused = 0;
		if (attempt->refused && (state->singly || keywords_count(attempt->keywords) == 1))
			refused = attempt->keywords;
		else if (!attempt->refused && !attempt->remove && attempt->answered)
			refused = keywords_minus(attempt->keywords, attempt->arrived);
		state->refused = keywords_union(state->refused, refused);
	}
}

/* All was answered: goes on one by one, or ends. */
static enum job_progress flag_end(struct store_imap *store, struct job *job)
{
	struct flag_state *state = job->flag;
	size_t first = state->len;

	judge(state);
	if (!is_divisible(state) || state->singly || job->error.kind != ERROR_NONE)
		return JOB_DONE;
	store_ensure_selected(store, job);
	if (job->selection->state == SELECTION_PENDING)
		return JOB_WAITS;
	if (job_check_selection(job))
		return JOB_DONE;
	state->singly = true;
	for (size_t i = 0; i < first; i++)
		if (keywords_count(state->attempts[i].keywords) > 1)
			retry_singly(store, job, state->attempts[i]);
	for (size_t i = 0; i < first; i++)
		state->attempts[i].refused = false;
	return JOB_SENT;
}

static enum job_progress flag_run(struct store_imap *store, struct job *job)
{
	if (!job->request.count)
		return JOB_DONE;
	if (!job->flag) {
		job->flag = xcalloc(1, sizeof(*job->flag));
		uids_add_keys(&job->request, &job->flag->uids);
	}
	if (job->flag->sent)
		return job->steps ? JOB_SENT : flag_end(store, job);
	if (!job->selection || job->selection->state != SELECTION_FAILED)
		store_ensure_selected(store, job);
	if (job->selection->state == SELECTION_PENDING)
		return JOB_WAITS;
	return job_check_selection(job) ? JOB_DONE : send_all(store, job);
}

/* Whether a refusal can be about the keyword: all else that a server may say is not. */
static bool is_about_keywords(const struct imap_answer *answer)
{
	if (answer->status == IMAP_BAD)
		return true;
	return answer->code == IMAP_CODE_NONE || answer->code == IMAP_CODE_OTHER ||
	       answer->code == IMAP_CODE_LIMIT || answer->code == IMAP_CODE_CANNOT ||
	       answer->code == IMAP_CODE_CLIENTBUG;
}

/* Notes what came of one STORE. */
static void take_end(struct job *job, const struct step *step, struct attempt *attempt,
		     const struct imap_answer *answer)
{
	if (answer->status == IMAP_OK || step->kind == STEP_SELECT)
		return;
	if (attempt && is_about_keywords(answer)) {
		attempt->refused = true;
		return;
	}
	if (job->error.kind == ERROR_NONE)
		store_describe_refusal(&job->error, SCOPE_MAILBOX, job->request.mailbox,
				       "change flags", answer);
	uids_add_all(&job->flag->uids, &job->refused);
}

static bool flag_take(struct store_imap *store, struct job *job, const struct step *step,
		      const struct imap_answer *answer, struct answer *out)
{
	struct flag_state *state = job->flag;
	struct attempt *attempt = NULL;

	(void)store;
	(void)out;
	trace_take(job, step, answer);
	if (step->kind == STEP_STORE && step->first)
		attempt = &state->attempts[step->first - 1];
	if (answer->kind == IMAP_TAGGED)
		take_end(job, step, attempt, answer);
	if (attempt && answer->kind == IMAP_FETCH && (answer->fetch.has & IMAP_HAS_FLAGS) &&
	    (answer->fetch.has & IMAP_HAS_UID) && uidset_has(&state->uids, answer->fetch.uid)) {
		attempt->answered = true;
		attempt->arrived = keywords_union(attempt->arrived, answer->fetch.flags.keywords);
	}
	if (attempt && answer->kind == IMAP_MALFORMED) /* they may have arrived there */
		attempt->arrived = attempt->keywords;
	return false;
}

static bool flag_tell(struct store_imap *store, struct job *job, struct answer *out)
{
	(void)store;
	if (job->flag)
		out->refused_keywords = job->flag->refused;
	if (job->selection)
		out->permanent = job->selection->permanent;
	return false;
}

static void flag_free(struct job *job)
{
	if (!job->flag)
		return;
	uidset_free(&job->flag->uids);
	free(job->flag->attempts);
	free(job->flag);
}

const struct job_kind flag_job = {
    .run = flag_run, .take = flag_take, .tell = flag_tell, .free = flag_free, .changes = true};
