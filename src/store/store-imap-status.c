// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * STATUS of one mailbox, open or not. Of the one that is open RFC 9051 would rather have it not
 * asked, for what it tells may be of an instant ago; every server answers it, and Dovecot by a
 * thousandth of what it costs to open a mailbox of 100,000 once more. For which flags it has room
 * only its opening tells, and all that STATUS does.
 */
#include "base/alloc.h"
#include "store/store-imap-inner.h"

#include <stdlib.h>

static enum job_progress status_run(struct store_imap *store, struct job *job)
{
	const struct remote_mailbox *mailbox = job->mailbox;
	unsigned (*ask)(struct imap_session *, const char *, size_t) =
	    job->request.at_once ? imap_status_at_once : imap_status;

	if (job->status)
		return job->steps ? JOB_SENT : JOB_DONE;
	job->status = xcalloc(1, sizeof(*job->status));
	if (job->request.want_room) {
		store_select(store, job, NULL);
		return JOB_SENT;
	}
	if (!job->request.at_once)
		job->mailbox->stamp = (struct stamp){0};
	store_add_step(store, job, STEP_STATUS,
		       ask(store->session, mailbox->wire, mailbox->wire_len), NULL);
	return JOB_SENT;
}

struct step *status_find_step(struct store_imap *store, struct step *step,
			      const struct imap_answer *answer)
{
	struct step *other;

	if (step->kind == STEP_STATUS)
		return step;
	TAILQ_FOREACH(other, &store->steps, link)
	if (other->job->kind == &status_job && mailbox_is_named(other->job->mailbox, answer))
		return other;
	return step;
}

/*
 * Refused or not to be read: then it tells nothing. What is told beside changes on their way is no
 * measure of what they make of the mailbox.
 */
static bool status_take(struct store_imap *store, struct job *job, const struct step *step,
			const struct imap_answer *answer, struct answer *out)
{
	(void)step;
	(void)out;
	if (answer->kind != IMAP_STATUS || !mailbox_is_named(job->mailbox, answer))
		return false;
	*job->status = stamp_of_status(&answer->mailbox);
	if (!job->request.at_once)
		mailbox_take_status(store, answer);
	return false;
}

static bool status_tell(struct store_imap *store, struct job *job, struct answer *out)
{
	const struct selection *selection = job->selection;

	(void)store;
	if (job->status)
		out->stamp = *job->status;
	if (!selection || selection->state != SELECTION_OPEN)
		return false;
	out->stamp = selection->stamp;
	out->permanent = selection->permanent;
	return false;
}

static void status_free(struct job *job)
{
	free(job->status);
}

const struct job_kind status_job = {
    .run = status_run, .take = status_take, .tell = status_tell, .free = status_free};
