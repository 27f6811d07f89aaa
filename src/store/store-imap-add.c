// SPDX-License-Identifier: GPL-3.0-or-later
/* CREATE and APPEND: what is added to the account. Neither needs an open mailbox. */
#include "base/alloc.h"
#include "base/text.h"
#include "imap/quirks.h"
#include "store/store-imap-inner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct add_state {
	uint32_t uid; /* APPEND: as APPENDUID told, or 0 */
	uint32_t uidvalidity;
	uint32_t messages; /* CREATE: in a mailbox that was there already, though not listed */
	unsigned uses;     /* CREATE: the special uses that were asked for */
	bool without_use;  /* CREATE: they were refused */
	bool refused;      /* CREATE: by NO, and the mailbox may be there all the same */
	struct error error;
};

/* Bytes of the message for the session. */
static int source_read(void *context, char *out, size_t len, size_t *got, struct error *err)
{
	struct source *source = context;

	return source->read(source, out, len, got, err);
}

static void source_close(void *context)
{
	struct source *source = context;

	source->close(source);
}

/*
 * The flags that may go with a message: all, as long as the mailbox was never opened. Never
 * keywords: some servers refuse a message for one (Zimbra), and its content cannot be sent twice.
 */
static struct flags append_flags(const struct job *job)
{
	uint32_t bits = job->request.flags.bits;

	return (struct flags){job->mailbox->has_permanent ? bits & job->mailbox->permanent.bits
							  : bits};
}

static enum job_progress append_run(struct store_imap *store, struct job *job)
{
	const struct remote_mailbox *mailbox = job->mailbox;
	uint64_t limit = imap_append_limit(store->session);

	if (job->add)
		return job->steps ? JOB_SENT : JOB_DONE;
	job->add = xcalloc(1, sizeof(*job->add));
	/* No literal may hold one (RFC 9051 section 4.3), and some servers put another byte there. */
	if (job->request.source->has_nul)
		return job_fail(job, ERROR_REFUSED, SCOPE_MESSAGE,
				"mailbox %s: the message holds a NUL byte, which IMAP cannot carry",
				text_show(job->request.mailbox));
	if (limit && job->request.source->size > limit)
		return job_fail(
		    job, ERROR_REFUSED, SCOPE_MESSAGE,
		    "mailbox %s: the message is too large for the server: it has %s, the "
		    "server takes up to %s",
		    text_show(job->request.mailbox), text_size(job->request.source->size),
		    text_size(limit));
	const struct imap_source source = {.read = source_read,
					   .close = source_close,
					   .context = job->request.source,
					   .size = job->request.source->size};
	job->request.source = NULL;
	store_add_step(store, job, STEP_APPEND,
		       imap_append(store->session, mailbox->wire, mailbox->wire_len,
				   append_flags(job), job->request.date, &source),
		       NULL);
	return JOB_SENT;
}

/*
 * Whom a refused upload concerns: the mailbox, where any message would have been refused, so that
 * this one is tried again; else the message.
 */
static enum error_scope append_scope(enum imap_code code)
{
	switch (code) {
	case IMAP_CODE_TRYCREATE:
	case IMAP_CODE_NONEXISTENT:
	case IMAP_CODE_OVERQUOTA:
	case IMAP_CODE_LIMIT:
	case IMAP_CODE_NOPERM:
	case IMAP_CODE_INUSE:
	case IMAP_CODE_UNAVAILABLE:
	case IMAP_CODE_SERVERBUG:
	case IMAP_CODE_THROTTLED: return SCOPE_MAILBOX;
	default: return SCOPE_MESSAGE;
	}
}

/* Notes why a message was refused: LIMIT may be about a rate (Yahoo), or about its size (Dovecot). */
static void append_take_refusal(const struct store_imap *store, struct job *job,
				const struct imap_answer *answer)
{
	struct imap_answer refusal = *answer;

	if (answer->code == IMAP_CODE_LIMIT && imap_profile(store->session)->limits_message)
		refusal.code = IMAP_CODE_TOOBIG;
	store_describe_refusal(&job->error, append_scope(refusal.code), job->request.mailbox,
			       "take a message", &refusal);
	if (refusal.code == IMAP_CODE_OVERQUOTA)
		job->error.sys = EDQUOT;
}

static bool append_take(struct store_imap *store, struct job *job, const struct step *step,
			const struct imap_answer *answer, struct answer *out)
{
	(void)step;
	(void)out;
	if (answer->kind != IMAP_TAGGED)
		return false;
	if (answer->status != IMAP_OK) {
		append_take_refusal(store, job, answer);
	} else if (answer->code == IMAP_CODE_APPENDUID && answer->uids &&
		   uidset_count(answer->uids) == 1) {
		job->add->uid = uidset_after(answer->uids, 0);
		job->add->uidvalidity = (uint32_t)answer->code_number;
	}
	return false;
}

static bool append_tell(struct store_imap *store, struct job *job, struct answer *out)
{
	(void)store;
	if (job->add) {
		out->created.uid = job->add->uid;
		out->steps = job->add->uid != 0;
		out->uidvalidity = job->add->uidvalidity;
	}
	return false;
}

static void add_free(struct job *job)
{
	free(job->add);
}

const struct job_kind append_job = {
    .run = append_run, .take = append_take, .tell = append_tell, .free = add_free, .changes = true};

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
	job->add->refused = false;
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

	job->add->uses = uses;
	store_add_step(store, job, STEP_CREATE,
		       imap_create(store->session, mailbox->wire, mailbox->wire_len, uses), NULL);
}

/* The answers are here: what was refused is tried another way. */
static enum job_progress create_end(struct store_imap *store, struct job *job)
{
	if (job->add->refused)
		return create_check(store, job);
	if (!job->add->without_use)
		return JOB_DONE;
	job->add->without_use = false;
	create_send(store, job, 0);
	return JOB_SENT;
}

static enum job_progress create_run(struct store_imap *store, struct job *job)
{
	const struct remote_mailbox *mailbox = job->mailbox;

	if (job->add)
		return job->steps ? JOB_SENT : create_end(store, job);
	job->add = xcalloc(1, sizeof(*job->add));
	if (mailbox->listed && !(mailbox->attributes & IMAP_NOSELECT))
		return JOB_DONE;
	create_send(store, job, free_uses(store, job));
	return JOB_SENT;
}

/* Whether it is the special use that the server does not take, or does not know. */
static bool refuses_use(const struct job *job, const struct imap_answer *answer)
{
	return job->add->uses &&
	       (answer->code == IMAP_CODE_USEATTR || answer->status == IMAP_BAD);
}

static bool create_take(struct store_imap *store, struct job *job, const struct step *step,
			const struct imap_answer *answer, struct answer *out)
{
	bool good = answer->status == IMAP_OK;

	(void)store;
	(void)out;
	if (answer->kind == IMAP_STATUS && step->kind == STEP_STATUS)
		job->add->messages = answer->mailbox.messages;
	if (answer->kind == IMAP_MALFORMED && step->kind == STEP_STATUS)
		store_describe_malformed(&job->error, job->request.mailbox, answer);
	if (answer->kind != IMAP_TAGGED)
		return false;
	if (step->kind == STEP_CREATE && !good && refuses_use(job, answer)) {
		job->add->without_use = true;
	} else if (step->kind == STEP_CREATE && !good) {
		job->add->refused = true;
		store_describe_refusal(&job->add->error, SCOPE_MAILBOX, job->request.mailbox,
				       "make it", answer);
	} else if (good) {
		job->mailbox->listed = true;
		job->mailbox->attributes |= step->kind == STEP_CREATE ? job->add->uses : 0;
		job->mailbox->attributes &= ~(unsigned)(IMAP_NOSELECT | IMAP_NONEXISTENT);
	} else {
		job->error = job->add->error;
	}
	return false;
}

static bool create_tell(struct store_imap *store, struct job *job, struct answer *out)
{
	(void)store;
	if (job->add)
		out->stamp.messages = job->add->messages;
	return false;
}

const struct job_kind create_job = {
    .run = create_run, .take = create_take, .tell = create_tell, .free = add_free, .changes = true};
