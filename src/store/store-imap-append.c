// SPDX-License-Identifier: GPL-3.0-or-later
/* APPEND: no mailbox need be open for it. */
#include "base/alloc.h"
#include "base/text.h"
#include "imap/quirks.h"
#include "store/store-imap-inner.h"

#include <errno.h>
#include <stdlib.h>

struct append_state {
	uint32_t uid; /* as APPENDUID told, or 0 */
	uint32_t uidvalidity;
};

/* Back to the start of the message. */
static void source_rewind(void *context)
{
	struct source *source = context;

	source->rewind(source);
}

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

	if (job->append)
		return job->steps ? JOB_SENT : JOB_DONE;
	job->append = xcalloc(1, sizeof(*job->append));
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
	const struct imap_upload upload = {.flags = append_flags(job),
					   .date = job->request.date,
					   .source = {.rewind = source_rewind,
						      .read = source_read,
						      .close = source_close,
						      .context = job->request.source,
						      .size = job->request.source->size}};
	job->request.source = NULL;
	store_add_step(store, job, STEP_APPEND,
		       imap_append(store->session, mailbox->wire, mailbox->wire_len, &upload, 1),
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
		job->append->uid = uidset_after(answer->uids, 0);
		job->append->uidvalidity = (uint32_t)answer->code_number;
	}
	return false;
}

static bool append_tell(struct store_imap *store, struct job *job, struct answer *out)
{
	(void)store;
	if (job->append) {
		out->created.uid = job->append->uid;
		out->steps = job->append->uid != 0;
		out->uidvalidity = job->append->uidvalidity;
	}
	return false;
}

static void append_free(struct job *job)
{
	free(job->append);
}

const struct job_kind append_job = {.run = append_run,
				    .take = append_take,
				    .tell = append_tell,
				    .free = append_free,
				    .changes = true};
