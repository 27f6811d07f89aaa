// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * IDENTIFY and FETCH: what identifies messages, and their content.
 *
 * Bodies are asked for in pieces of some 512 messages or 1 MiB, several of them on their way: each
 * costs the server a look at its mailbox, but one that is refused, or told of in a line that cannot
 * be read, is asked for again message by message, so that one bad message keeps no other back. They
 * stream through: whether a body counts is known only at its end, so one that came in vain is ended
 * by an ANSWER_BODY_END without a UID. Several FETCHes of one mailbox run behind one SELECT: a row
 * is for the one that asked for its UID.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "store/store-imap-inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_MESSAGES 512
#define PIECE_BYTES    (1u << 20)
#define AHEAD_MESSAGES 2048 /* on their way over all pieces */
#define AHEAD_BYTES    (24u << 20)
#define SIZE_GUESS     (64u << 10) /* of a message of which nothing is known */

struct fetch_state {
	size_t next;         /* the first key that was not asked for yet */
	struct uidset got;   /* what came whole */
	struct uidset named; /* of what the server spoke, be it without giving it */
	struct uidset there; /* what did not come, and is listed all the same */
	bool asked_again;    /* whether it is */
	struct uidset retry; /* refused together with others: to be asked for singly */
	bool malformed;      /* something of the piece that arrives cannot be read: error says so */
	bool doubt;          /* of any piece */
	struct error error;
};

/* Whether the job's mailbox may still turn out to be the one that was meant. */
static bool may_go_on(struct job *job)
{
	return !job->selection || job->selection->state == SELECTION_PENDING ||
	       !job_check_selection(job);
}

/* Whether a row comes from the mailbox that was meant. */
static bool is_meant(const struct job *job, const struct step *step)
{
	const struct selection *selection = step->selection;

	return step->kind != STEP_SELECT && selection->state == SELECTION_OPEN &&
	       (!job->request.uidvalidity ||
		job->request.uidvalidity == selection->stamp.uidvalidity);
}

/* The expected size of a key's content; no body is larger than 4 GiB (imap/parser.h). */
static uint64_t size_of(const struct request *request, size_t index)
{
	if (!request->sizes || request->sizes[index] == SIZE_UNKNOWN)
		return SIZE_GUESS;
	return request->sizes[index] < UINT32_MAX ? request->sizes[index] : UINT32_MAX;
}

/* Asks for the content of some messages. */
static void send_piece(struct store_imap *store, struct job *job, size_t first, size_t count,
		       uint64_t bytes)
{
	struct uidset uids = {0};
	struct step *step;

	for (size_t i = first; i < first + count; i++)
		uidset_add(&uids, job->request.keys[i].uid);
	store_ensure_selected(store, job);
	step = store_add_step(
	    store, job, STEP_BODY,
	    imap_uid_fetch(store->session, &uids, IMAP_FETCH_SIZE | IMAP_FETCH_BODY, 0),
	    job->selection);
	step->first = first;
	step->count = count;
	step->bytes = bytes;
	store->bodies += count;
	store->bodies_bytes += bytes;
	uidset_free(&uids);
}

/* Whether more bodies may be asked for. */
static bool has_room(const struct store_imap *store)
{
	return store->steps_len < STORE_WINDOW_STEPS && store->bodies < AHEAD_MESSAGES &&
	       store->bodies_bytes < AHEAD_BYTES;
}

/* Asks for the next piece. */
static void send_next(struct store_imap *store, struct job *job)
{
	const struct request *request = &job->request;
	struct fetch_state *fetch = job->fetch;
	size_t first = fetch->next, count = 0;
	uint64_t bytes = 0;

	while (first + count < request->count && count < PIECE_MESSAGES) {
		uint64_t size = size_of(request, first + count);

		if (count && (size > PIECE_BYTES || bytes + size > PIECE_BYTES))
			break;
		bytes += size;
		count++;
	}
	fetch->next += count;
	send_piece(store, job, first, count, bytes);
}

/* Asks again, one by one, for those that were refused together. */
static void send_retries(struct store_imap *store, struct job *job)
{
	struct fetch_state *fetch = job->fetch;
	uint32_t uid;
	size_t index;

	for (uid = uidset_after(&fetch->retry, 0); uid; uid = uidset_after(&fetch->retry, uid))
		if (uids_find_key(&job->request, uid, &index))
			send_piece(store, job, index, 1, size_of(&job->request, index));
	uidset_clear(&fetch->retry);
}

/*
 * Asks whether that of which the server spoke without giving it is still there: it may just have
 * gone, which is nobody's fault, and which some servers (Courier) see only where the mailbox is
 * opened anew.
 */
static void ask_again(struct store_imap *store, struct job *job)
{
	struct fetch_state *fetch = job->fetch;
	struct uidset missing = {0};

	if (fetch->doubt)
		uids_add_keys(&job->request, &fetch->named);
	uids_add_minus(&fetch->named, &fetch->got, &missing);
	fetch->asked_again = true;
	if (missing.len) {
		store_select(store, job, NULL);
		store_add_step(store, job, STEP_DETAILS,
			       imap_uid_fetch(store->session, &missing, IMAP_FETCH_FLAGS, 0),
			       job->selection);
	}
	uidset_free(&missing);
}

/* Says what the server lists and does not give: the mailbox is not even. */
static void fail_missing(struct job *job)
{
	const struct uidset *there = &job->fetch->there;

	if (there->len && job->error.kind == ERROR_NONE)
		job_fail(job, ERROR_PROTOCOL, SCOPE_MAILBOX,
			 "mailbox %s: the server lists message UID %u%s, but does not give its "
			 "content; the next run asks again",
			 text_show(job->request.mailbox), uidset_after(there, 0),
			 uidset_count(there) > 1 ? " and others" : "");
}

static enum job_progress fetch_run(struct store_imap *store, struct job *job)
{
	bool good;

	if (!job->fetch)
		job->fetch = xcalloc(1, sizeof(*job->fetch));
	good = may_go_on(job);
	while (good && job->fetch->next < job->request.count) {
		if (!has_room(store))
			return JOB_WAITS;
		send_next(store, job);
	}
	if (good)
		send_retries(store, job);
	if (good && !job->steps && !job->fetch->asked_again && job->error.kind == ERROR_NONE)
		ask_again(store, job);
	if (!job->steps)
		fail_missing(job);
	return job->steps ? JOB_SENT : JOB_DONE;
}

/* Whether a UID was asked for and has not come yet. */
static bool is_wanted(const struct job *job, uint32_t uid, size_t *index)
{
	return uids_find_key(&job->request, uid, index) && !uidset_has(&job->fetch->got, uid);
}

struct step *fetch_find_step(struct store_imap *store, struct step *step, uint32_t uid)
{
	struct step *other;
	size_t index;

	if (is_wanted(step->job, uid, &index))
		return step;
	TAILQ_FOREACH(other, &store->steps, link)
	if (other->kind == STEP_BODY && other->selection == step->selection &&
	    is_wanted(other->job, uid, &index))
		return other;
	return step;
}

/* A piece of a body. */
static bool take_body(struct store_imap *store, const struct job *job, const struct step *step,
		      const struct imap_answer *answer, struct answer *out)
{
	struct arrival *body = &store->arrival;
	size_t index, rest = sizeof(body->head) - body->head_len;

	if (!body->begun) {
		body->begun = true;
		body->unwanted = step->kind != STEP_BODY || !is_meant(job, step) ||
				 (answer->fetch.has & IMAP_HAS_UID &&
				  !is_wanted(job, answer->fetch.uid, &index));
	}
	if (body->unwanted)
		return false;
	if (rest > answer->data.len)
		rest = answer->data.len;
	memcpy(body->head + body->head_len, answer->data.bytes, rest);
	body->head_len += rest;
	body->handed = true;
	out->kind = ANSWER_BODY;
	out->data = answer->data.bytes;
	out->len = answer->data.len;
	return true;
}

/*
 * Whether what came is what Courier says instead of a message that was expunged a moment ago; one
 * of the very size that was listed is taken for a message that only looks so.
 */
static bool is_excuse(const struct arrival *body, const struct job *job, size_t index,
		      const struct imap_fetch *row)
{
	static const char from[] = "From: System Administrator <";
	static const char subject[] = "Subject: message unavailable";
	const uint64_t *sizes = job->request.sizes;

	if (body->head_len < sizeof(from) || memcmp(body->head, from, sizeof(from) - 1) ||
	    !memmem(body->head, body->head_len, subject, sizeof(subject) - 1))
		return false;
	return !sizes || sizes[index] != row->body_size;
}

/* Whether the body of a whole FETCH response counts. */
static bool is_body(const struct arrival *body, const struct job *job, const struct step *step,
		    const struct imap_fetch *row, size_t *index)
{
	const uint64_t *sizes = job->request.sizes;
	unsigned needed = IMAP_HAS_UID | IMAP_HAS_BODY;

	if (body->unwanted || step->kind != STEP_BODY || !is_meant(job, step) ||
	    (row->has & needed) != needed || !is_wanted(job, row->uid, index))
		return false;
	if (!row->body_size)
		return row->has & IMAP_HAS_SIZE && !row->size && sizes && !sizes[*index];
	return !is_excuse(body, job, *index, row);
}

/* Says that the server lists a message and gives no content: usual once, where it just went. */
static void log_nothing(const struct job *job, const struct step *step,
			const struct imap_fetch *row)
{
	size_t index;

	if (step->kind == STEP_BODY && is_meant(job, step) && row->has & IMAP_HAS_UID &&
	    row->has & (IMAP_HAS_BODY | IMAP_HAS_NIL_BODY) && is_wanted(job, row->uid, &index))
		log_info("mailbox %s: message UID %u came without its content",
			 text_show(job->request.mailbox), row->uid);
}

/*
 * Notes that the server knows a message that has not come, and where it was asked again, lists it.
 */
static void note_named(struct job *job, const struct step *step, const struct imap_fetch *row)
{
	struct fetch_state *fetch = job->fetch;
	size_t index;

	if (!is_meant(job, step) || !(row->has & IMAP_HAS_UID) || !is_wanted(job, row->uid, &index))
		return;
	if (step->kind == STEP_BODY)
		uidset_add(&fetch->named, row->uid);
	else if (step->kind == STEP_DETAILS && row->has & IMAP_HAS_FLAGS)
		uidset_add(&fetch->there, row->uid);
}

/* The end of a FETCH response, with a body or without. */
static bool take_fetch(struct store_imap *store, struct job *job, const struct step *step,
		       const struct imap_fetch *row, struct answer *out)
{
	struct arrival *body = &store->arrival;
	size_t index;
	bool good = is_body(body, job, step, row, &index), handed = body->handed;

	body->begun = body->unwanted = body->handed = false;
	body->head_len = 0;
	if (!good) {
		note_named(job, step, row);
		log_nothing(job, step, row);
	}
	if (!good && !handed)
		return false;
	out->kind = ANSWER_BODY_END;
	if (!good)
		return true;
	uidset_add(&job->fetch->got, row->uid);
	if (row->has & IMAP_HAS_SIZE && row->size != row->body_size)
		log_info("mailbox %s: message UID %u has %" PRIu64
			 " bytes, though the server gives "
			 "its size as %" PRIu64,
			 text_show(job->request.mailbox), row->uid, row->body_size, row->size);
	out->message.key.uid = row->uid;
	out->message.identity = (struct identity){.size = row->body_size, .date = DATE_UNKNOWN};
	if (handed)
		return true;
	store->held = *out;
	store->has_held = true;
	out->kind = ANSWER_BODY;
	out->data = "";
	return true;
}

/* Whether a refusal says that another time will do. */
static bool is_passing(enum imap_code code)
{
	switch (code) {
	case IMAP_CODE_INUSE:
	case IMAP_CODE_UNAVAILABLE:
	case IMAP_CODE_SERVERBUG:
	case IMAP_CODE_LIMIT:
	case IMAP_CODE_THROTTLED: return true;
	default: return false;
	}
}

/* Has what did not come of a piece asked for one by one; false where the piece is one message. */
static bool retry_piece(struct job *job, const struct step *step)
{
	struct fetch_state *fetch = job->fetch;
	const struct message_key *keys = job->request.keys;

	for (size_t i = step->first; step->count > 1 && i < step->first + step->count; i++)
		if (!uidset_has(&fetch->got, keys[i].uid))
			uidset_add(&fetch->retry, keys[i].uid);
	return step->count > 1;
}

/* A piece was refused: its messages are asked for one by one, or this one is the refused. */
static void take_refusal(struct job *job, const struct step *step, const struct imap_answer *answer)
{
	struct fetch_state *fetch = job->fetch;
	const struct message_key *keys = job->request.keys;
	char what[64];

	if (retry_piece(job, step) || uidset_has(&fetch->got, keys[step->first].uid) ||
	    answer->code == IMAP_CODE_EXPUNGEISSUED)
		return;
	bool for_good = !is_passing(answer->code);
	if (for_good)
		uidset_add(&job->refused, keys[step->first].uid);
	if (job->error.kind != ERROR_NONE)
		return;
	snprintf(what, sizeof(what), "give message UID %u", keys[step->first].uid);
	store_describe_refusal(&job->error, for_good ? SCOPE_MESSAGE : SCOPE_MAILBOX,
			       job->request.mailbox, what, answer);
}

/* A piece of which something could not be read is over. */
static void end_malformed(struct job *job, const struct step *step)
{
	struct fetch_state *fetch = job->fetch;
	uint32_t uid = job->request.keys[step->first].uid;

	if (!retry_piece(job, step) && !uidset_has(&fetch->got, uid) &&
	    job->error.kind == ERROR_NONE)
		job->error = fetch->error;
}

/*
 * Something cannot be read: what did not come with it is asked for again. It may have been for any
 * FETCH of that selection.
 */
static void take_malformed(struct store_imap *store, struct job *job, const struct step *step,
			   const struct imap_answer *answer)
{
	struct fetch_state *fetch = job->fetch;
	const struct step *other;

	TAILQ_FOREACH(other, &store->steps, link)
	if (other->kind == STEP_BODY && other->selection == step->selection)
		other->job->fetch->doubt = true;
	fetch->doubt = true;
	fetch->malformed |= step->kind == STEP_BODY;
	store_describe_malformed(&fetch->error, job->request.mailbox, answer);
	if (step->kind == STEP_DETAILS && job->error.kind == ERROR_NONE)
		job->error = fetch->error;
}

/* The end of a piece. */
static void take_end(struct job *job, const struct step *step, const struct imap_answer *answer)
{
	if (step->selection->state == SELECTION_OPEN && answer->status != IMAP_OK)
		take_refusal(job, step, answer);
	else if (step->selection->state == SELECTION_OPEN && job->fetch->malformed)
		end_malformed(job, step);
	job->fetch->malformed = false;
}

static bool fetch_take(struct store_imap *store, struct job *job, const struct step *step,
		       const struct imap_answer *answer, struct answer *out)
{
	switch (answer->kind) {
	case IMAP_BODY_DATA: return take_body(store, job, step, answer, out);
	case IMAP_FETCH: return take_fetch(store, job, step, &answer->fetch, out);
	case IMAP_MALFORMED: take_malformed(store, job, step, answer); return false;
	case IMAP_TAGGED:
		if (step->kind != STEP_BODY)
			return false;
		store->bodies -= step->count;
		store->bodies_bytes -= step->bytes;
		take_end(job, step, answer);
		return false;
	default: return false;
	}
}

static void fetch_free(struct job *job)
{
	if (!job->fetch)
		return;
	uidset_free(&job->fetch->got);
	uidset_free(&job->fetch->named);
	uidset_free(&job->fetch->there);
	uidset_free(&job->fetch->retry);
	free(job->fetch);
}

const struct job_kind fetch_job = {.run = fetch_run, .take = fetch_take, .free = fetch_free};

/* One call: the session cuts it into lines. */
static enum job_progress identify_run(struct store_imap *store, struct job *job)
{
	unsigned items = IMAP_FETCH_DATE | IMAP_FETCH_SIZE | IMAP_FETCH_MESSAGE_ID;
	struct uidset uids = {0};

	if (!store->no_email_id)
		items |= IMAP_FETCH_EMAIL_ID;
	if (!may_go_on(job) || job->selection || !job->request.count)
		return job->steps ? JOB_SENT : JOB_DONE;
	uids_add_keys(&job->request, &uids);
	store_ensure_selected(store, job);
	store_add_step(store, job, STEP_DETAILS, imap_uid_fetch(store->session, &uids, items, 0),
		       job->selection);
	uidset_free(&uids);
	return JOB_SENT;
}

static bool identify_take(struct store_imap *store, struct job *job, const struct step *step,
			  const struct imap_answer *answer, struct answer *out)
{
	const struct imap_fetch *row = &answer->fetch;
	unsigned needed = IMAP_HAS_UID | IMAP_HAS_SIZE | IMAP_HAS_MESSAGE_ID;
	size_t index;

	(void)store;
	if (answer->kind == IMAP_TAGGED && answer->status != IMAP_OK && step->kind != STEP_SELECT)
		store_describe_refusal(&job->error, SCOPE_MAILBOX, job->request.mailbox,
				       "tell what identifies its messages", answer);
	if (answer->kind == IMAP_MALFORMED)
		store_describe_malformed(&job->error, job->request.mailbox, answer);
	if (answer->kind != IMAP_FETCH || (row->has & needed) != needed || !is_meant(job, step) ||
	    !uids_find_key(&job->request, row->uid, &index))
		return false;
	out->kind = ANSWER_MESSAGE;
	out->message.key.uid = row->uid;
	out->message.flags = row->flags;
	out->message.identity = (struct identity){
	    .size = row->size,
	    .date = row->has & IMAP_HAS_DATE ? row->date : DATE_UNKNOWN,
	    .message_id = row->message_id,
	    .has_message_id = true,
	    .email_id = row->has & IMAP_HAS_EMAIL_ID ? row->email_id : 0,
	};
	return true;
}

const struct job_kind identify_job = {.run = identify_run, .take = identify_take};
