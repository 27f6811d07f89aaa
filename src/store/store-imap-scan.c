// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * SCAN: what a mailbox holds, by the cheapest way that the server has.
 *
 * All ways send what they need behind the SELECT at once, and then hold the rows against EXISTS.
 * A delta that does not fit is no delta: everything is listed. A listing that does not fit is asked
 * for once more, and then is an error; so is one of which a line cannot be read. Only what fits is
 * evidence that a message is gone.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "imap/quirks.h"
#include "store/store-imap-inner.h"

#include <inttypes.h>
#include <stdlib.h>

#define VERIFIED_MESSAGES 4 /* of the newest known: the last may have been expunged again */

enum scan_way {
	SCAN_ALL,       /* every message with all that is wanted of it */
	SCAN_FLAGS,     /* every message's flags, the rest only of new ones */
	SCAN_CONDSTORE, /* flags that changed, and what is new; who is gone by counting */
	SCAN_QRESYNC,   /* the same, and who is gone, with the SELECT */
};

enum scan_phase {
	SCAN_START,
	SCAN_LISTING,
	SCAN_SEARCHING, /* for all UIDs, because the count does not fit */
	SCAN_DETAILING, /* of messages that are neither new nor known */
};

struct scan_state {
	enum scan_way way;
	enum scan_phase phase;
	struct stamp stamp; /* as the listing's SELECT told */
	struct flag_room permanent;
	const struct uidset *known; /* the caller's, or none */
	struct uidset none;
	struct uidset seen;     /* said to be there, by a row with flags or by the search */
	struct uidset before;   /* likewise, in listings that count as nothing by now */
	struct uidset told;     /* of those not known: told with all that was asked */
	struct uidset found;    /* by the search */
	struct uidset vanished; /* as the server says; at the end: of the known */
	uint32_t exists;        /* when the last row came */
	uint32_t top_sequence;  /* of the rows of this listing: order must be the same as of UIDs */
	uint32_t top_uid;
	bool doubt;   /* something came that cannot be */
	bool refused; /* one of the commands was: error says so */
	bool malformed; /* one of the answers is: likewise */
	bool retried;
	bool complete;
	bool vanished_told;
	struct error error;
};

/* What is asked of a message that the caller does not know. */
static unsigned items_of(const struct store_imap *store, const struct job *job)
{
	unsigned items = IMAP_FETCH_FLAGS | IMAP_FETCH_DATE | IMAP_FETCH_SIZE;

	if (!store->no_email_id)
		items |= IMAP_FETCH_EMAIL_ID;
	return job->request.want_identity ? items | IMAP_FETCH_MESSAGE_ID : items;
}

/* The cheapest way for what the caller knows. */
static enum scan_way choose_way(struct store_imap *store, const struct request *request)
{
	if (!request->base.uidvalidity || !request->base.uidnext || !request->known ||
	    request->must_be_complete)
		return SCAN_ALL;
	if (request->base.modseq && imap_has_qresync(store->session))
		return SCAN_QRESYNC;
	if (request->base.modseq && imap_capabilities(store->session) & IMAP_CAP_CONDSTORE)
		return SCAN_CONDSTORE;
	return request->known->len ? SCAN_FLAGS : SCAN_ALL;
}

static void add_fetch(struct store_imap *store, struct job *job, enum step_kind kind,
		      uint32_t first, unsigned items, uint64_t changed_since)
{
	store_add_step(store, job, kind,
		       imap_uid_fetch_from(store->session, first, items, changed_since),
		       job->selection);
}

/* From which UID on messages are asked for whole: new ones, and those known that are verified. */
static uint32_t first_of_new(const struct request *request)
{
	uint32_t first = request->base.uidnext;
	uint32_t left = request->verify_known ? VERIFIED_MESSAGES : 0;

	for (size_t i = request->known->len; i-- && left;) {
		const struct uid_range *range = &request->known->ranges[i];
		if (range->first >= first)
			continue;
		uint32_t end = range->last < first ? range->last + 1 : first;
		uint32_t count = end - range->first < left ? end - range->first : left;
		first = end - count;
		left -= count;
	}
	return first;
}

/* Sends a listing, its SELECT ahead of it: one flight. */
static enum job_progress scan_send(struct store_imap *store, struct job *job)
{
	struct scan_state *scan = job->scan;
	const struct stamp *base = &job->request.base;
	unsigned items = items_of(store, job);

	scan->phase = SCAN_LISTING;
	store_select(store, job, scan->way == SCAN_QRESYNC ? base : NULL);
	switch (scan->way) {
	case SCAN_ALL:
		if (scan->known->len)
			items &= ~(unsigned)IMAP_FETCH_MESSAGE_ID;
		add_fetch(store, job, STEP_ROWS, 1, items, 0);
		return JOB_SENT;
	case SCAN_FLAGS: add_fetch(store, job, STEP_ROWS, 1, IMAP_FETCH_FLAGS, 0); break;
	case SCAN_CONDSTORE:
		add_fetch(store, job, STEP_CHANGED, 1, IMAP_FETCH_FLAGS, base->modseq);
		break;
	case SCAN_QRESYNC: break;
	}
	add_fetch(store, job, STEP_NEW, first_of_new(&job->request), items, 0);
	return JOB_SENT;
}

static enum job_progress scan_start(struct store_imap *store, struct job *job)
{
	struct scan_state *scan = xcalloc(1, sizeof(*scan));

	job->scan = scan;
	scan->way = choose_way(store, &job->request);
	scan->known =
	    job->request.known && job->request.base.uidvalidity ? job->request.known : &scan->none;
	return scan_send(store, job);
}

/*
 * Lists everything from the start; what was found so far counts as nothing. It may have been told
 * already: what is not found again goes with the vanished.
 */
static enum job_progress scan_anew(struct store_imap *store, struct job *job, const char *why)
{
	struct scan_state *scan = job->scan;

	log_info("mailbox %s: %s; all its messages are listed", text_show(job->request.mailbox),
		 why);
	scan->way = SCAN_ALL;
	uids_add_all(&scan->seen, &scan->before);
	uidset_clear(&scan->seen);
	uidset_clear(&scan->told);
	uidset_clear(&scan->vanished);
	scan->doubt = scan->refused = scan->malformed = false;
	return scan_send(store, job);
}

/* The same for the one time that a complete listing may fail. */
static enum job_progress scan_retry(struct store_imap *store, struct job *job, const char *why)
{
	job->scan->retried = true;
	return scan_anew(store, job, why);
}

/*
 * Holds a row's place against those before it: the higher its sequence number, the higher its UID.
 * One UID under two numbers breaks that too.
 */
static void check_order(struct scan_state *scan, const struct imap_fetch *row)
{
	if (row->sequence > scan->top_sequence) {
		scan->doubt |= row->uid <= scan->top_uid;
		scan->top_sequence = row->sequence;
		scan->top_uid = row->uid;
	} else {
		scan->doubt |= row->uid > scan->top_uid;
	}
}

/* Whether a row of this step is of the mailbox that the caller means. */
static bool is_meant(const struct job *job, const struct step *step)
{
	const struct selection *selection = job->selection;
	uint32_t uidvalidity = selection->stamp.uidvalidity;

	if (step->kind == STEP_SELECT)
		return job->scan->way == SCAN_QRESYNC && job->scan->phase == SCAN_LISTING;
	if (selection->state != SELECTION_OPEN ||
	    (job->request.uidvalidity && job->request.uidvalidity != uidvalidity))
		return false;
	if (job->scan->phase != SCAN_LISTING && job->scan->stamp.uidvalidity != uidvalidity)
		return false;
	return job->scan->way == SCAN_ALL || job->request.base.uidvalidity == uidvalidity;
}

/* Fills a message with what a row tells. */
static void fill_message(const struct imap_fetch *row, struct answer *out)
{
	out->kind = ANSWER_MESSAGE;
	out->message.key.uid = row->uid;
	out->message.flags = row->flags;
	out->message.identity = (struct identity){
	    .size = row->has & IMAP_HAS_SIZE && row->size < SIZE_UNKNOWN ? row->size : SIZE_UNKNOWN,
	    .date = row->has & IMAP_HAS_DATE ? row->date : DATE_UNKNOWN,
	    .message_id = row->has & IMAP_HAS_MESSAGE_ID ? row->message_id : 0,
	    .has_message_id = row->has & IMAP_HAS_MESSAGE_ID,
	    .email_id = row->has & IMAP_HAS_EMAIL_ID ? row->email_id : 0,
	};
}

/*
 * Takes in a row. One without flags is no row of ours. One of a message that is not known is told
 * only with all that was asked of it; a mere change of its flags leaves it to be asked for.
 */
static bool scan_take_row(struct job *job, const struct step *step, const struct imap_fetch *row,
			  struct answer *out)
{
	struct scan_state *scan = job->scan;
	unsigned needed = IMAP_HAS_UID | IMAP_HAS_FLAGS;

	if ((row->has & needed) != needed)
		return false;
	if (!is_meant(job, step))
		return false;
	if (step->kind == STEP_SELECT && !job->selection->began) {
		scan->doubt = true;
		return false;
	}
	check_order(scan, row);
	uidset_add(&scan->seen, row->uid);
	scan->exists = job->selection->exists;
	fill_message(row, out);
	if (uidset_has(scan->known, row->uid))
		return true;
	if (step->kind != STEP_DETAILS &&
	    (!(row->has & IMAP_HAS_SIZE) ||
	     (job->request.want_identity && !(row->has & IMAP_HAS_MESSAGE_ID))))
		return false;
	if (uidset_has(&scan->told, row->uid))
		return false;
	uidset_add(&scan->told, row->uid);
	return true;
}

/* What a SELECT tells besides of itself; what came before CLOSED was of the mailbox before. */
static void scan_take_opening(struct job *job, const struct step *step,
			      const struct imap_answer *answer)
{
	struct scan_state *scan = job->scan;
	bool meant = is_meant(job, step);

	if (answer->kind == IMAP_STATUS_LINE && answer->code == IMAP_CODE_CLOSED) {
		scan->doubt |= meant && (scan->seen.len > 0 || scan->vanished.len > 0);
	} else if (answer->kind == IMAP_VANISHED && answer->earlier && meant) {
		scan->doubt |= !job->selection->began;
		uids_add_all(answer->uids, &scan->vanished);
	} else if (answer->kind == IMAP_TAGGED) {
		scan->top_sequence = scan->top_uid = 0;
		if (scan->phase != SCAN_LISTING)
			return;
		scan->stamp = job->selection->stamp;
		scan->permanent = job->selection->permanent;
		scan->exists = job->selection->exists;
		if (scan->stamp.uidvalidity != job->request.base.uidvalidity)
			scan->known = &scan->none;
	}
}

/*
 * Notes that a command was refused; with nothing to list, some servers do that. One that is BAD may
 * be so for the ids that the server offers: they are not asked for again.
 */
static void scan_take_refusal(struct store_imap *store, struct job *job, const struct step *step,
			      const struct imap_answer *answer)
{
	struct scan_state *scan = job->scan;
	bool fetch = step->kind != STEP_SELECT && step->kind != STEP_SEARCH;

	store->no_email_id |= fetch && answer->status == IMAP_BAD;

	if (!job->selection->exists && step->kind != STEP_SELECT)
		return;
	scan->refused = true;
	if (step->kind != STEP_SELECT)
		store_describe_refusal(&scan->error, SCOPE_MAILBOX, job->request.mailbox,
				       "list its messages", answer);
}

static bool scan_take(struct store_imap *store, struct job *job, const struct step *step,
		      const struct imap_answer *answer, struct answer *out)
{
	struct scan_state *scan = job->scan;

	if (step->kind == STEP_SELECT)
		scan_take_opening(job, step, answer);
	switch (answer->kind) {
	case IMAP_FETCH: return scan_take_row(job, step, &answer->fetch, out);
	case IMAP_SEARCH:
		if (step->kind == STEP_SEARCH && answer->uids)
			uids_add_all(answer->uids, &scan->found);
		return false;
	case IMAP_MALFORMED:
		scan->malformed = true;
		store_describe_malformed(&scan->error, job->request.mailbox, answer);
		return false;
	case IMAP_EXPUNGE:
	case IMAP_VANISHED: scan->top_sequence = scan->top_uid = 0; return false;
	case IMAP_TAGGED:
		if (answer->status != IMAP_OK)
			scan_take_refusal(store, job, step, answer);
		return false;
	default: return false;
	}
}

/* Whether so many messages are as many as there are, now or when the last row came. */
static bool fits(const struct job *job, uint64_t count)
{
	return !job->scan->doubt && !job->scan->refused &&
	       (count == job->scan->exists || count == job->selection->exists);
}

/*
 * Asks what is wanted of messages that are there and neither known nor told; or the scan is over.
 * One that is still missing then went meanwhile, or the server keeps it back: a head that counts
 * it would hide it for ever.
 */
static enum job_progress scan_details(struct store_imap *store, struct job *job)
{
	struct scan_state *scan = job->scan;
	struct uidset unknown = {0}, wanted = {0};
	bool asked = scan->phase == SCAN_DETAILING;

	uids_add_minus(&scan->seen, scan->known, &unknown);
	uids_add_minus(&unknown, &scan->told, &wanted);
	uidset_free(&unknown);
	if (wanted.len && !asked) {
		scan->phase = SCAN_DETAILING;
		store_ensure_selected(store, job);
		store_add_step(store, job, STEP_DETAILS,
			       imap_uid_fetch(store->session, &wanted, items_of(store, job), 0),
			       job->selection);
	}
	uint32_t missing = asked ? uidset_after(&wanted, 0) : 0;
	asked = asked || !wanted.len;
	uidset_free(&wanted);
	if (!missing)
		return asked ? JOB_DONE : JOB_SENT;
	if (!scan->retried)
		return scan_retry(store, job, "messages went while they were listed");
	if (scan->refused)
		job->error = scan->error;
	else
		job_fail(
		    job, ERROR_PROTOCOL, SCOPE_MAILBOX,
		    "mailbox %s: the server lists message UID %u, but tells nothing of it; the "
		    "next run looks again",
		    text_show(job->request.mailbox), missing);
	return JOB_DONE;
}

/* The listing of every message is here. */
static enum job_progress scan_end_all(struct store_imap *store, struct job *job)
{
	struct scan_state *scan = job->scan;
	uint64_t rows = uidset_count(&scan->seen);

	if (!fits(job, rows)) {
		if (!scan->retried)
			return scan_retry(store, job, "the server's list does not fit its count");
		if (scan->refused) {
			job->error = scan->error;
			return JOB_DONE;
		}
		return job_fail(job, ERROR_PROTOCOL, SCOPE_MAILBOX,
				"mailbox %s: the server says that it holds %u messages, but listed "
				"%" PRIu64 "%s, twice; nothing is concluded from that, the next "
				"run looks again",
				text_show(job->request.mailbox), job->selection->exists, rows,
				scan->doubt ? ", out of order or doubly" : "");
	}
	scan->complete = true;
	return scan_details(store, job);
}

/* What a delta leaves: everybody known but the vanished, and whoever was seen. */
static uint64_t count_delta(struct scan_state *scan)
{
	struct uidset gone = {0}, really = {0};

	uids_add_common(scan->known, &scan->vanished, &gone);
	uids_add_minus(&gone, &scan->seen, &really);
	uidset_free(&gone);
	uidset_free(&scan->vanished);
	scan->vanished = really;
	return uidset_count(scan->known) - uidset_count(&scan->vanished) +
	       uidset_count(&scan->seen) - uids_count_common(scan->known, &scan->seen);
}

/* Why a delta cannot be trusted whatever it says, or NULL. */
static const char *distrust(const struct job *job)
{
	const struct stamp *base = &job->request.base, *now = &job->scan->stamp;

	if (now->uidvalidity != base->uidvalidity)
		return "the server gave it a new UIDVALIDITY";
	if (now->uidnext && now->uidnext < base->uidnext)
		return "the server's UIDNEXT went back";
	if (job->scan->way != SCAN_FLAGS && now->modseq < base->modseq)
		return "the server's HIGHESTMODSEQ went back";
	return NULL;
}

/*
 * Whether there were messages at the base that the caller does not know (the policy leaves them
 * alone). A count that fits says nothing then: one of them may stand in for one that is gone.
 */
static bool has_strangers(const struct job *job)
{
	const struct stamp *base = &job->request.base;
	struct uid_range below = {1, base->uidnext - 1};
	const struct uidset there = {.ranges = &below, .len = 1};

	return uids_count_common(job->scan->known, &there) < base->messages;
}

/* A delta is here. */
static enum job_progress scan_end_delta(struct store_imap *store, struct job *job)
{
	struct scan_state *scan = job->scan;
	uint64_t count = count_delta(scan);

	if (fits(job, count) && (scan->way == SCAN_QRESYNC || !has_strangers(job)))
		return scan_details(store, job);
	if (scan->way == SCAN_QRESYNC || scan->doubt || scan->refused)
		return scan_anew(store, job, "the server's changes do not fit its count");
	log_info("mailbox %s: %" PRIu64
		 " messages expected, the server holds %u: that does not tell who is gone, all "
		 "UIDs are asked for",
		 text_show(job->request.mailbox), count, job->selection->exists);
	scan->phase = SCAN_SEARCHING;
	store_ensure_selected(store, job);
	store_add_step(store, job, STEP_SEARCH, imap_uid_search_all(store->session),
		       job->selection);
	return JOB_SENT;
}

/* All UIDs are here: what is not among them is gone. */
static enum job_progress scan_end_search(struct store_imap *store, struct job *job)
{
	struct scan_state *scan = job->scan;
	uint64_t count = uidset_count(&scan->found);

	if (scan->refused || scan->doubt || count != job->selection->exists ||
	    uids_count_common(&scan->seen, &scan->found) != uidset_count(&scan->seen))
		return scan_anew(store, job, "the server's search does not fit its count");
	uids_add_minus(scan->known, &scan->found, &scan->vanished);
	uids_add_all(&scan->found, &scan->seen);
	return scan_details(store, job);
}

/* Something that was told cannot be read. */
static enum job_progress scan_end_malformed(struct store_imap *store, struct job *job)
{
	if (!job->scan->retried)
		return scan_retry(store, job, "an answer of the server's cannot be read");
	job->error = job->scan->error;
	return JOB_DONE;
}

/* A step of the scan is over with all its commands. */
static enum job_progress scan_end(struct store_imap *store, struct job *job)
{
	struct scan_state *scan = job->scan;
	const char *why = NULL;

	if (scan->way == SCAN_QRESYNC && job->selection->state == SELECTION_FAILED &&
	    job->selection->bad)
		return scan_anew(store, job, "the server refused QRESYNC");
	if (scan->malformed)
		return scan_end_malformed(store, job);
	if (job_check_selection(job))
		return JOB_DONE;
	switch (scan->phase) {
	case SCAN_START:
	case SCAN_LISTING:
		if (scan->way == SCAN_ALL)
			return scan_end_all(store, job);
		why = distrust(job);
		if (why)
			return scan_anew(store, job, why);
		return scan->way == SCAN_FLAGS ? scan_end_all(store, job)
					       : scan_end_delta(store, job);
	case SCAN_SEARCHING:
		if (job->selection->stamp.uidvalidity == scan->stamp.uidvalidity)
			return scan_end_search(store, job);
		return scan_anew(store, job, "its UIDVALIDITY changed");
	case SCAN_DETAILING: break;
	}
	return scan_details(store, job);
}

static enum job_progress scan_run(struct store_imap *store, struct job *job)
{
	if (!job->scan)
		return scan_start(store, job);
	return job->steps ? JOB_SENT : scan_end(store, job);
}

/* A server that shows only so many messages does not say that the others are gone (Yahoo). */
static void apply_visible_max(struct store_imap *store, struct job *job)
{
	struct scan_state *scan = job->scan;
	unsigned max = imap_profile(store->session)->visible_max;

	if (!max || scan->stamp.messages < max)
		return;
	log_info("mailbox %s: the server shows its newest %u messages only: none is taken for "
		 "deleted",
		 text_show(job->request.mailbox), max);
	scan->complete = false;
	uidset_clear(&scan->vanished);
}

static bool scan_tell(struct store_imap *store, struct job *job, struct answer *out)
{
	const struct stamp *base = &job->request.base;
	struct scan_state *scan = job->scan;
	uint32_t highest;

	if (job->error.kind != ERROR_NONE || !scan)
		return false;
	if (!scan->vanished_told) {
		uids_add_minus(&scan->before, &scan->seen, &scan->vanished);
		apply_visible_max(store, job);
		scan->vanished_told = true;
		if (scan->vanished.len) {
			out->kind = ANSWER_VANISHED;
			out->uids = &scan->vanished;
			return true;
		}
	}
	highest = uids_highest(&scan->seen);
	if (uids_highest(scan->known) > highest)
		highest = uids_highest(scan->known);
	if (!scan->stamp.uidnext && highest < UINT32_MAX) {
		scan->stamp.uidnext = highest + 1;
		/* a guess below the last one would look like a server gone back in time */
		if (base->uidvalidity == scan->stamp.uidvalidity && base->uidnext > highest)
			scan->stamp.uidnext = base->uidnext;
	}
	out->stamp = scan->stamp;
	out->permanent = scan->permanent;
	out->complete = scan->complete;
	return false;
}

static void scan_free(struct job *job)
{
	struct scan_state *scan = job->scan;

	if (!scan)
		return;
	uidset_free(&scan->seen);
	uidset_free(&scan->before);
	uidset_free(&scan->told);
	uidset_free(&scan->found);
	uidset_free(&scan->vanished);
	free(scan);
}

const struct job_kind scan_job = {
    .run = scan_run, .take = scan_take, .tell = scan_tell, .free = scan_free};
