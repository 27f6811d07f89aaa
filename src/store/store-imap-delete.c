// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * DELETE. IMAP has no "delete if empty": the figures are asked for just before, so that what came
 * since the survey is seen.
 */
#include "base/alloc.h"
#include "base/text.h"
#include "store/store-imap-inner.h"

#include <errno.h>
#include <stdlib.h>

struct delete_state {
	bool sent;    /* the DELETE itself */
	bool gone;    /* there is no such mailbox any more */
	bool counted; /* the server told how many messages there are */
	uint32_t messages;
};

/* Some servers refuse to delete the mailbox that is open, or end the session. */
static void leave_mailbox(struct store_imap *store, struct job *job)
{
	if (store->wire && store->wire->mailbox == job->mailbox)
		store_leave(store, job);
}

/* Asks what is in it. */
static enum job_progress delete_ask(struct store_imap *store, struct job *job)
{
	const struct remote_mailbox *mailbox = job->mailbox;

	job->delete = xcalloc(1, sizeof(*job->delete));
	leave_mailbox(store, job);
	store_add_step(store, job, STEP_STATUS,
		       imap_status(store->session, mailbox->wire, mailbox->wire_len), NULL);
	return JOB_SENT;
}

static enum job_progress delete_run(struct store_imap *store, struct job *job)
{
	struct remote_mailbox *mailbox = job->mailbox;

	if (job->steps)
		return JOB_SENT;
	if (!job->delete)
		return delete_ask(store, job);
	if (job->delete->sent || job->delete->gone || job->error.kind != ERROR_NONE)
		return JOB_DONE;
	if (!job->delete->counted || job->delete->messages) {
		job_fail(job, ERROR_REFUSED, SCOPE_MAILBOX,
			 "mailbox %s: it is not deleted on the server, for there is something in "
			 "it again; the next run looks again",
			 text_show(job->request.mailbox));
		job->error.sys = ENOTEMPTY;
		return JOB_DONE;
	}
	job->delete->sent = true;
	store_add_step(store, job, STEP_DELETE,
		       imap_delete(store->session, mailbox->wire, mailbox->wire_len), NULL);
	return JOB_SENT;
}

/* A refused STATUS tells that it is gone only where the server says so, or LIST did not name it. */
static void delete_take_end(struct job *job, const struct step *step,
			    const struct imap_answer *answer)
{
	bool good = answer->status == IMAP_OK;

	if (step->kind == STEP_UNSELECT || (good && step->kind == STEP_STATUS))
		return;
	if (good) {
		job->mailbox->listed = false;
		return;
	}
	if (answer->code == IMAP_CODE_NONEXISTENT || !job->mailbox->listed)
		job->delete->gone = true;
	else
		store_describe_refusal(&job->error, SCOPE_MAILBOX, job->request.mailbox,
				       "delete it", answer);
}

static bool delete_take(struct store_imap *store, struct job *job, const struct step *step,
			const struct imap_answer *answer, struct answer *out)
{
	(void)store;
	(void)out;
	if (answer->kind == IMAP_TAGGED)
		delete_take_end(job, step, answer);
	else if (answer->kind == IMAP_STATUS && mailbox_is_named(job->mailbox, answer)) {
		job->delete->counted = answer->mailbox.has & IMAP_HAS_MESSAGES;
		job->delete->messages = answer->mailbox.messages;
	}
	return false;
}

static void delete_free(struct job *job)
{
	free(job->delete);
}

const struct job_kind delete_job = {
    .run = delete_run, .take = delete_take, .free = delete_free, .changes = true};
