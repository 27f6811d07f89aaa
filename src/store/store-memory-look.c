// SPDX-License-Identifier: GPL-3.0-or-later
/* Requests that look at a side held in memory. */
#include "store/store-memory-inner.h"

#include <string.h>

/* Tells of the names above a mailbox that are none themselves; again for each below, as some do. */
static void list_parents(struct job *job, const struct held_mailbox *mailbox)
{
	struct memory *memory = job->memory;

	for (const char *slash = strchr(mailbox->name, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		const char *name =
		    arena_strndup(&memory->arena, mailbox->name, (size_t)(slash - mailbox->name));
		if (memory_find(memory, name))
			continue;
		struct answer *answer = job_tell(job, ANSWER_MAILBOX);
		answer->mailbox = name;
		answer->attributes = MAILBOX_NOSELECT;
	}
}

/* LIST: the mailboxes in the order in which they were made. */
void job_list(struct job *job)
{
	for (size_t i = 0; i < job->memory->len; i++) {
		job->mailbox = job->memory->mailboxes[i];
		if (!job->mailbox->present)
			continue;
		struct answer *answer = job_tell(job, ANSWER_MAILBOX);
		answer->attributes = memory_attributes(job->memory, job->mailbox);
		answer->stamp = memory_stamp(job->memory, job->mailbox);
		if (job->memory->abilities.lists_parents)
			list_parents(job, job->mailbox);
	}
	job->mailbox = NULL;
}

/* True where the side can tell how it differs from what the caller knows. */
static bool is_delta(const struct job *job)
{
	const struct request *request = job->request;

	return job->memory->side == REMOTE && job->memory->abilities.condstore &&
	       !request->must_be_complete && request->known && request->base.modseq &&
	       request->base.uidvalidity == job->mailbox->uidvalidity;
}

/* What a scan tells of one message: the content is not read for it. */
static void tell_scanned(struct job *job, const struct held_message *held)
{
	struct message_state *state = &job_tell(job, ANSWER_MESSAGE)->message;
	const struct request *request = job->request;
	bool known = request->known && uidset_has(request->known, held->message.state.key.uid);

	*state = memory_show(held).state;
	state->identity.has_digest = false;
	memset(&state->identity.digest, 0, sizeof(state->identity.digest));
	if (job->memory->side == LOCAL)
		state->identity.size = SIZE_UNKNOWN;
	if (job->memory->side == LOCAL || !request->want_identity || known) {
		state->identity.has_message_id = false;
		state->identity.message_id = 0;
	}
	if (known)
		state->identity.email_id = 0;
}

/*
 * What is gone. With QRESYNC the server names all that it ever lost, for it may forget when;
 * without it, what the caller knows is held against what is there.
 */
static void tell_vanished(struct job *job)
{
	struct uidset *vanished = &job->store->vanished;
	bool qresync = job->memory->abilities.qresync;

	uidset_clear(vanished);
	for (size_t i = 0; qresync && i < job->mailbox->len; i++)
		if (!job->mailbox->messages[i]->now.present)
			uidset_add(vanished, job->mailbox->messages[i]->message.state.key.uid);
	for (uint32_t uid = qresync ? 0 : uidset_after(job->request->known, 0); uid;
	     uid = uidset_after(job->request->known, uid))
		if (!memory_find_message(job->mailbox, &(struct message_key){.uid = uid}))
			uidset_add(vanished, uid);
	if (vanished->len)
		job_tell(job, ANSWER_VANISHED)->uids = vanished;
}

/* SCAN, as the side stands at its beginning. */
void job_scan(struct job *job)
{
	bool delta = is_delta(job);

	for (size_t i = 0; i < job->mailbox->len; i++) {
		const struct held_message *held = job->mailbox->messages[i];
		if (held->now.present && (!delta || held->modseq > job->request->base.modseq))
			tell_scanned(job, held);
	}
	if (delta)
		tell_vanished(job);
	job->done.complete = !delta;
	job->done.stamp = memory_stamp(job->memory, job->mailbox);
}

/* IDENTIFY: those that are there. A server is not made to read them whole. */
void job_identify(struct job *job)
{
	for (size_t i = 0; i < job->request->count; i++) {
		const struct held_message *held = job_find_key(job, i);
		if (!held)
			continue;
		struct message_state *state = &job_tell(job, ANSWER_MESSAGE)->message;
		*state = memory_show(held).state;
		state->identity.has_digest = job->memory->side == LOCAL;
	}
}

/* FETCH: those that are there, in two pieces each. */
bool job_fetch(struct job *job)
{
	for (size_t i = 0; i < job->request->count; i++) {
		const struct held_message *held = job_find_key(job, i);
		size_t half, len;
		if (!held)
			continue;
		if (!memory_step(job->memory))
			return false;
		len = held->message.len;
		half = len / 2;
		for (size_t from = 0; from < len; from += from ? len : half ? half : len) {
			struct answer *piece = job_tell(job, ANSWER_BODY);
			piece->message.key = held->message.state.key;
			piece->data = held->message.content + from;
			piece->len = from || !half ? len - from : half;
		}
		struct answer *end = job_tell(job, ANSWER_BODY_END);
		job->memory->bodies++;
		end->message.key = held->message.state.key;
		end->message.identity.size = len;
		end->message.identity.date = DATE_UNKNOWN;
	}
	return true;
}
