// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * STATUS of one mailbox, open or not. Of the one that is open RFC 9051 would rather have it not
 * asked, for what it tells may be of an instant ago; every server answers it, and Dovecot by a
 * thousandth of what it costs to open a mailbox of 100,000 once more. For which flags it has room
 * only its opening tells, and all that STATUS does.
 */
#include "store/store-imap-inner.h"

static enum job_progress status_run(struct store_imap *store, struct job *job)
{
	struct remote_mailbox *mailbox = job->mailbox;

	if (job->sent)
		return job->steps ? JOB_SENT : JOB_DONE;
	job->sent = true;
	if (job->request.want_room) {
		store_select(store, job, NULL);
		return JOB_SENT;
	}
	mailbox->stamp = (struct stamp){0};
	store_add_step(store, job, STEP_STATUS,
		       imap_status(store->session, mailbox->wire, mailbox->wire_len), NULL);
	return JOB_SENT;
}

/* Refused or not to be read: then it tells nothing. */
static bool status_take(struct store_imap *store, struct job *job, const struct step *step,
			const struct imap_answer *answer, struct answer *out)
{
	(void)job;
	(void)step;
	(void)out;
	if (answer->kind == IMAP_STATUS)
		mailbox_take_status(store, answer);
	return false;
}

static bool status_tell(struct store_imap *store, struct job *job, struct answer *out)
{
	const struct selection *selection = job->selection;

	(void)store;
	if (!job->request.want_room && job->mailbox)
		out->stamp = job->mailbox->stamp;
	if (!selection || selection->state != SELECTION_OPEN)
		return false;
	out->stamp = selection->stamp;
	out->permanent = selection->permanent;
	return false;
}

const struct job_kind status_job = {.run = status_run, .take = status_take, .tell = status_tell};
