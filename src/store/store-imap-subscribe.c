// SPDX-License-Identifier: GPL-3.0-or-later
/* SUBSCRIBE and UNSUBSCRIBE: needs no open mailbox, nor that there is one of the name. */
#include "store/store-imap-inner.h"

static enum job_progress subscribe_run(struct store_imap *store, struct job *job)
{
	const struct remote_mailbox *mailbox = job->mailbox;

	if (job->sent)
		return job->steps ? JOB_SENT : JOB_DONE;
	job->sent = true;
	store_add_step(store, job, STEP_SUBSCRIBE,
		       imap_subscribe(store->session, mailbox->wire, mailbox->wire_len,
				      !job->request.unsubscribe),
		       NULL);
	return JOB_SENT;
}

/* Nobody is subscribed to what the server does not know. */
static bool subscribe_take(struct store_imap *store, struct job *job, const struct step *step,
			   const struct imap_answer *answer, struct answer *out)
{
	bool unsubscribe = job->request.unsubscribe;

	(void)store;
	(void)step;
	(void)out;
	if (answer->kind != IMAP_TAGGED)
		return false;
	if (answer->status != IMAP_OK &&
	    !(unsubscribe && answer->code == IMAP_CODE_NONEXISTENT))
		store_describe_refusal(&job->error, SCOPE_MAILBOX, job->request.mailbox,
				       unsubscribe ? "unsubscribe from it" : "subscribe to it",
				       answer);
	return false;
}

const struct job_kind subscribe_job = {
    .run = subscribe_run, .take = subscribe_take, .changes = true};
