// SPDX-License-Identifier: GPL-3.0-or-later
/* CREATE. */
#include "base/alloc.h"
#include "base/text.h"
#include "store/store-imap-inner.h"

#include <stdlib.h>
#include <strings.h>

struct create_state {
	uint32_t messages; /* in a mailbox that was there already, though not listed */
	unsigned uses;     /* the special uses that were asked for */
	bool without_use;  /* they were refused */
	bool refused;      /* by NO, and the mailbox may be there all the same */
	struct error error;
};

/* Another mailbox whose name differs in nothing but case, or NULL. */
static const struct remote_mailbox *find_twin(const struct store_imap *store,
					      const struct remote_mailbox *mailbox)
{
	for (size_t i = 0; i < store->len; i++) {
		const struct remote_mailbox *other = store->mailboxes[i];

		if (other != mailbox && other->listed && !strcasecmp(other->wire, mailbox->wire))
			return other;
	}
	return NULL;
}

/*
 * The mailbox was refused. A server that does not tell upper from lower case takes another for it:
 * the two would become one. Else, whatever the server said, it may be there: that is asked.
 */
static enum job_progress create_check(struct store_imap *store, struct job *job)
{
	const struct remote_mailbox *mailbox = job->mailbox, *twin = find_twin(store, mailbox);

	if (twin)
		return job_fail(
		    job, ERROR_REFUSED, SCOPE_MAILBOX,
		    "mailbox %s: the server does not tell it from its mailbox %s; rename "
		    "one of the two",
		    text_show(job->request.mailbox),
		    text_show(twin->name ? twin->name : twin->wire));
	job->create->refused = false;
	store_add_step(store, job, STEP_STATUS,
		       imap_status(store->session, mailbox->wire, mailbox->wire_len), NULL);
	return JOB_SENT;
}

/* The special uses that a new mailbox is to have: those that no other one has. */
static unsigned free_uses(const struct store_imap *store, const struct job *job)
{
	unsigned uses = store_uses(job->request.special_use);

	if (!(imap_capabilities(store->session) & IMAP_CAP_CREATE_SPECIAL_USE))
		return 0;
	for (size_t i = 0; i < store->len; i++)
		if (store->mailboxes[i]->listed)
			uses &= ~store->mailboxes[i]->attributes;
	return uses;
}

static void create_send(struct store_imap *store, struct job *job, unsigned uses)
{
	const struct remote_mailbox *mailbox = job->mailbox;

	job->create->uses = uses;
	store_add_step(store, job, STEP_CREATE,
		       imap_create(store->session, mailbox->wire, mailbox->wire_len, uses), NULL);
}

/* The answers are here: what was refused is tried another way. */
static enum job_progress create_end(struct store_imap *store, struct job *job)
{
	if (job->create->refused)
		return create_check(store, job);
	if (!job->create->without_use)
		return JOB_DONE;
	job->create->without_use = false;
	create_send(store, job, 0);
	return JOB_SENT;
}

static enum job_progress create_run(struct store_imap *store, struct job *job)
{
	const struct remote_mailbox *mailbox = job->mailbox;

	if (job->create)
		return job->steps ? JOB_SENT : create_end(store, job);
	job->create = xcalloc(1, sizeof(*job->create));
	if (mailbox->listed && !(mailbox->attributes & IMAP_NOSELECT))
		return JOB_DONE;
	create_send(store, job, free_uses(store, job));
	return JOB_SENT;
}

/* Whether it is the special use that the server does not take, or does not know. */
static bool refuses_use(const struct job *job, const struct imap_answer *answer)
{
	return job->create->uses &&
	       (answer->code == IMAP_CODE_USEATTR || answer->status == IMAP_BAD);
}

static bool create_take(struct store_imap *store, struct job *job, const struct step *step,
			const struct imap_answer *answer, struct answer *out)
{
	bool good = answer->status == IMAP_OK;

	(void)store;
	(void)out;
	if (answer->kind == IMAP_STATUS && step->kind == STEP_STATUS)
		job->create->messages = answer->mailbox.messages;
	if (answer->kind == IMAP_MALFORMED && step->kind == STEP_STATUS)
		store_describe_malformed(&job->error, job->request.mailbox, answer);
	if (answer->kind != IMAP_TAGGED)
		return false;
	if (step->kind == STEP_CREATE && !good && refuses_use(job, answer)) {
		job->create->without_use = true;
	} else if (step->kind == STEP_CREATE && !good) {
		job->create->refused = true;
		store_describe_refusal(&job->create->error, SCOPE_MAILBOX, job->request.mailbox,
				       "make it", answer);
	} else if (good) {
		job->mailbox->listed = true;
		if (step->kind == STEP_CREATE)
			job->mailbox->stamp.uidnext = 1;
		job->mailbox->attributes |= step->kind == STEP_CREATE ? job->create->uses : 0;
		job->mailbox->attributes &= ~(unsigned)(IMAP_NOSELECT | IMAP_NONEXISTENT);
	} else {
		job->error = job->create->error;
	}
	return false;
}

static bool create_tell(struct store_imap *store, struct job *job, struct answer *out)
{
	(void)store;
	if (job->create)
		out->stamp.messages = job->create->messages;
	return false;
}

static void create_free(struct job *job)
{
	free(job->create);
}

const struct job_kind create_job = {.run = create_run,
				    .take = create_take,
				    .tell = create_tell,
				    .free = create_free,
				    .changes = true};
