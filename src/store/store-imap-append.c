// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * APPEND: no mailbox need be open for it.
 *
 * For each APPEND a server opens the mailbox, locks it, syncs it and writes it to disk; so messages
 * for one mailbox that stand in the queue one behind the other go in one command, where the server
 * takes that (MULTIAPPEND, RFC 3502), waits for no literal (LITERAL+) and tells the UIDs (UIDPLUS),
 * which come in the order of the messages. Such a command, a batch, is led by its first message's
 * job, whose step it is; the others' jobs only wait.
 *
 * Of a batch all is taken or nothing is. A refusal does not say of which message, so each of them
 * goes once more by itself, and only the server's word on that one counts. Before that it is asked
 * whether nothing was taken, for some servers store what comes before a message that they refuse.
 */
#include "base/alloc.h"
#include "base/text.h"
#include "imap/quirks.h"
#include "store/store-imap-inner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Several of these are on their way at once: the next comes in while the server works on the one
 * before. Most of what there is to gain is gained by then.
 */
#define BATCH_MESSAGES 64
#define BATCH_BYTES    (1u << 20) /* or one message of any size */

/* A message's content: the job's, and the session's as long as it may still be read there. */
struct upload {
	struct source *source;
	unsigned users;
};

enum append_phase {
	APPEND_DUE,
	APPEND_SENT,    /* or waiting for what becomes of those that it goes with */
	APPEND_REFUSED, /* only lead: whether any was stored is to be asked */
	APPEND_OVER,
};

struct append_state {
	enum append_phase phase;
	bool alone;       /* it was refused with others, and goes by itself */
	struct job *lead; /* until it is known what became of it: whose step brings that */
	size_t count;     /* lead: how many go with it, itself one of them */
	bool stored;      /* lead: some were, though refused */
	bool doubtful;    /* it is one of such */
	struct upload *upload;
	uint32_t uid; /* as APPENDUID told, or 0 */
	uint32_t uidvalidity;
	uint32_t steps;
};

/* Back to the start of the message. */
static void upload_rewind(void *context)
{
	struct upload *upload = context;

	upload->source->rewind(upload->source);
}

/* Bytes of the message for the session. */
static int upload_read(void *context, char *out, size_t len, size_t *got, struct error *err)
{
	struct upload *upload = context;

	return upload->source->read(upload->source, out, len, got, err);
}

/* One user less; the last one closes. */
static void upload_drop(void *context)
{
	struct upload *upload = context;

	if (--upload->users)
		return;
	upload->source->close(upload->source);
	free(upload);
}

/* Takes a request's source over. */
static void append_begin(struct job *job)
{
	struct append_state *state = xcalloc(1, sizeof(*state));

	state->upload = xcalloc(1, sizeof(*state->upload));
	state->upload->source = job->request.source;
	state->upload->users = 1;
	job->request.source = NULL;
	job->append = state;
}

/*
 * The flags that may go with a message: all, as long as the mailbox was never opened. Never
 * keywords: some servers refuse a message for one (Zimbra), and it would have to be sent again.
 */
static struct flags append_flags(const struct job *job)
{
	uint32_t bits = job->request.flags.bits;

	return (struct flags){job->mailbox->has_permanent ? bits & job->mailbox->permanent.bits
							  : bits};
}

/* Whether the server says beforehand that it takes no message as large. */
static bool is_too_large(const struct store_imap *store, const struct source *source)
{
	uint64_t limit = imap_append_limit(store->session);

	return limit && source->size > limit;
}

/*
 * What need not be sent at all. No literal may hold NUL (RFC 9051 section 4.3), and some servers
 * put another byte there.
 */
static bool append_check(const struct store_imap *store, struct job *job)
{
	const struct source *source = job->request.source;

	if (source->has_nul)
		job_fail(job, ERROR_REFUSED, SCOPE_MESSAGE,
			 "mailbox %s: the message holds a NUL byte, which IMAP cannot carry",
			 text_show(job->request.mailbox));
	else if (is_too_large(store, source))
		job_fail(job, ERROR_REFUSED, SCOPE_MESSAGE,
			 "mailbox %s: the message is too large for the server: it has %s, the "
			 "server takes up to %s",
			 text_show(job->request.mailbox), text_size(source->size),
			 text_size(imap_append_limit(store->session)));
	return job->error.kind == ERROR_NONE;
}

/* Puts a job into the command that lead is about to send. */
static void batch_add(struct job *lead, struct job *job, struct imap_upload *out)
{
	struct append_state *state = job->append;

	state->phase = APPEND_SENT;
	state->lead = lead;
	state->upload->users++;
	*out = (struct imap_upload){.flags = append_flags(job),
				    .date = job->request.date,
				    .source = {.rewind = upload_rewind,
					       .read = upload_read,
					       .close = upload_drop,
					       .context = state->upload,
					       .size = state->upload->source->size}};
}

/* Adds what stands behind lead and may go with it; returns how many there are then. */
static size_t batch_gather(const struct store_imap *store, struct job *lead,
			   struct imap_upload uploads[static BATCH_MESSAGES])
{
	uint64_t bytes = uploads[0].source.size;
	size_t count = 1;

	if (lead->append->alone || store->no_multiappend ||
	    ~imap_capabilities(store->session) & IMAP_CAPS_APPEND_SEVERAL)
		return count;
	for (struct job *job = TAILQ_NEXT(lead, link); job; job = TAILQ_NEXT(job, link)) {
		const struct request *request = &job->request;

		if (count == BATCH_MESSAGES || job->kind != &append_job ||
		    strcmp(request->mailbox, lead->request.mailbox) != 0)
			break;
		if (request->source->has_nul || is_too_large(store, request->source))
			continue;
		bytes += request->source->size;
		if (bytes > BATCH_BYTES)
			break;
		job->mailbox = lead->mailbox;
		append_begin(job);
		batch_add(lead, job, &uploads[count++]);
	}
	return count;
}

/* Sends a message, and with it those behind it that may. */
static void append_send(struct store_imap *store, struct job *job)
{
	const struct remote_mailbox *mailbox = job->mailbox;
	struct imap_upload uploads[BATCH_MESSAGES];

	batch_add(job, job, &uploads[0]);
	size_t count = job->append->count = batch_gather(store, job, uploads);
	store_add_step(
	    store, job, STEP_APPEND,
	    imap_append(store->session, mailbox->wire, mailbox->wire_len, uploads, count), NULL);
}

/* Asks what is in the mailbox now, behind all that is on its way there. */
static void append_ask(struct store_imap *store, struct job *job)
{
	const struct remote_mailbox *mailbox = job->mailbox;

	store_add_step(store, job, STEP_STATUS,
		       imap_status(store->session, mailbox->wire, mailbox->wire_len), NULL);
}

/*
 * Dovecot 2.3 takes some memory, in a session that has a mailbox open, for each message that others
 * append to it, the more the more there are: its process is ended after some 18,000.
 */
static void leave_to_others(struct store_imap *store, struct job *job)
{
	if (job->request.beside && store->wire)
		store_leave(store, job);
}

static enum job_progress append_run(struct store_imap *store, struct job *job)
{
	if (!job->append) {
		if (!append_check(store, job))
			return JOB_DONE;
		append_begin(job);
		leave_to_others(store, job);
	}
	if (job->append->phase == APPEND_DUE)
		append_send(store, job);
	else if (job->append->phase == APPEND_REFUSED && !job->steps)
		append_ask(store, job);
	return job->append->phase == APPEND_OVER ? JOB_DONE : JOB_SENT;
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

/* Notes why a message was refused: LIMIT may be about a rate (Yahoo), or its size (Dovecot). */
static void append_refuse(const struct store_imap *store, struct job *job,
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

/* Whether a refusal of several would be said of each of them, too. */
static bool is_said_of_each(enum imap_code code)
{
	switch (code) {
	case IMAP_CODE_TRYCREATE:
	case IMAP_CODE_NONEXISTENT:
	case IMAP_CODE_NOPERM:
	case IMAP_CODE_INUSE:
	case IMAP_CODE_UNAVAILABLE:
	case IMAP_CODE_THROTTLED: return true;
	default: return false;
	}
}

/* Whether a job waits for what becomes of lead's command. */
static bool is_led(const struct job *job, const struct job *lead)
{
	return job->kind == &append_job && job->append && job->append->lead == lead;
}

/* The next of those that go with lead behind job, NULL at their end; lead itself is the first. */
static struct job *batch_next(struct job *lead, struct job *job)
{
	do
		job = job ? TAILQ_NEXT(job, link) : lead;
	while (job && !is_led(job, lead));
	return job;
}

/* What a job waited for is known. */
static void append_end(struct store_imap *store, struct job *job, enum append_phase phase)
{
	bool led = job->append->lead != job;

	job->append->lead = NULL;
	job->append->phase = phase;
	if (led)
		store_wake(store, job);
}

/*
 * All are taken. Another number of UIDs than of messages tells of none which it has: such a server
 * is asked for one at a time.
 */
static void batch_take(struct store_imap *store, struct job *lead, const struct imap_answer *answer)
{
	bool told = answer->code == IMAP_CODE_APPENDUID && answer->uids;
	bool each = told && uidset_count(answer->uids) == lead->append->count;
	struct stamp *stamp = &lead->mailbox->stamp;
	uint32_t uid = 0;

	if (told && !each && lead->append->count > 1)
		store->no_multiappend = true;
	stamp->messages += (uint32_t)lead->append->count;
	for (struct job *job = NULL; (job = batch_next(lead, job));) {
		if (each) {
			/* One command takes one mod-sequence at the least, whatever it carries. */
			job->append->steps = uid == 0;
			job->append->uid = uid = uidset_after(answer->uids, uid);
			job->append->uidvalidity = (uint32_t)answer->code_number;
		}
		append_end(store, job, APPEND_OVER);
	}
	stamp->uidnext = uid && uid < UINT32_MAX ? uid + 1 : 0;
}

/* None is taken, and the server's word is on each of them. */
static void batch_refuse(struct store_imap *store, struct job *lead,
			 const struct imap_answer *answer)
{
	for (struct job *job = NULL; (job = batch_next(lead, job));) {
		append_refuse(store, job, answer);
		append_end(store, job, APPEND_OVER);
	}
}

/*
 * After a refusal: each goes by itself. Or, where it is seen that the server has stored some of
 * them all the same, all are in doubt, and who asked finds out which of them are there.
 */
static void batch_part(struct store_imap *store, struct job *lead)
{
	bool stored = lead->append->stored;

	store->no_multiappend |= stored;
	for (struct job *job = NULL; (job = batch_next(lead, job));) {
		job->append->alone = true;
		job->append->doubtful = stored;
		append_end(store, job, stored ? APPEND_OVER : APPEND_DUE);
	}
}

/*
 * The end of a command. A BAD to several says that the server does not know what it offers. What
 * was in the mailbox before is known mostly, so that it can be asked whether a refusal was one of
 * all.
 */
static void batch_end(struct store_imap *store, struct job *lead, const struct imap_answer *answer)
{
	bool several = lead->append->count > 1;

	store->no_multiappend |= several && answer->status == IMAP_BAD;
	if (answer->status == IMAP_OK)
		batch_take(store, lead, answer);
	else if (!several || is_said_of_each(answer->code))
		batch_refuse(store, lead, answer);
	else if (lead->mailbox->stamp.uidnext)
		lead->append->phase = APPEND_REFUSED;
	else
		batch_part(store, lead);
}

/*
 * Whether more is in the mailbox than was told to be taken. Where only UIDNEXT has grown it was
 * given to what was then refused; where messages left meanwhile, their number says nothing.
 */
static bool has_stored(const struct job *lead, const struct imap_mailbox_status *now)
{
	const struct stamp *stamp = &lead->mailbox->stamp;
	bool counted = now->has & IMAP_HAS_MESSAGES && !lead->mailbox->thinned;

	return (now->has & IMAP_HAS_UIDNEXT) && now->uidnext != stamp->uidnext &&
	       !(counted && now->messages == stamp->messages);
}

static bool append_take(struct store_imap *store, struct job *job, const struct step *step,
			const struct imap_answer *answer, struct answer *out)
{
	bool over = answer->kind == IMAP_TAGGED;

	(void)out;
	if (over && step->kind == STEP_APPEND)
		batch_end(store, job, answer);
	else if (over && step->kind == STEP_STATUS)
		batch_part(store, job);
	else if (step->kind == STEP_STATUS && answer->kind == IMAP_STATUS &&
		 mailbox_is_named(job->mailbox, answer))
		job->append->stored = has_stored(job, &answer->mailbox);
	return false;
}

static bool append_tell(struct store_imap *store, struct job *job, struct answer *out)
{
	(void)store;
	if (job->append) {
		out->created.uid = job->append->uid;
		out->doubtful = job->append->doubtful;
		out->steps = job->append->steps;
		out->uidvalidity = job->append->uidvalidity;
	}
	return false;
}

static void append_free(struct job *job)
{
	if (job->append)
		upload_drop(job->append->upload);
	free(job->append);
}

const struct job_kind append_job = {.run = append_run,
				    .take = append_take,
				    .tell = append_tell,
				    .free = append_free,
				    .changes = true};
