// SPDX-License-Identifier: GPL-3.0-or-later
/* Requests that change a side held in memory. */
#include "store/store-memory-inner.h"

#include <errno.h>
#include <string.h>

/* One change. False: the side is broken, and nothing was changed. */
static bool may_change(struct job *job)
{
	if (!memory_step(job->memory))
		return false;
	job->memory->changes++;
	return true;
}

/* False where there is no such mailbox, or a user deleted it just now: the request has failed. */
static bool is_there(struct job *job, const struct held_mailbox *mailbox)
{
	if (mailbox && mailbox->present)
		return true;
	error_set(&job->done.error, ERROR_REFUSED, SCOPE_MAILBOX, "there is no such mailbox");
	return false;
}

/* CREATE: that it is there already is no error. */
bool job_create(struct job *job)
{
	if (job->mailbox)
		return true;
	if (!may_change(job))
		return false;
	/* A user may have come between. */
	if (!memory_find(job->memory, job->request->mailbox))
		memory_make(job->memory, job->request->mailbox, 0);
	return true;
}

/* DELETE: that it is gone already is no error. */
bool job_delete(struct job *job)
{
	if (!job->mailbox)
		return true;
	if (!may_change(job))
		return false;
	/* A user may have come between. */
	job->mailbox = memory_find(job->memory, job->request->mailbox);
	for (size_t i = 0; job->mailbox && i < job->mailbox->len; i++)
		if (job->mailbox->messages[i]->now.present) {
			error_set(&job->done.error, ERROR_REFUSED, SCOPE_MAILBOX,
				  "mailbox %s: it is not empty", job->request->mailbox);
			job->done.error.sys = ENOTEMPTY;
			return true;
		}
	if (job->mailbox)
		memory_unmake(job->mailbox);
	return true;
}

/* Why a rename was refused. */
static void refuse_rename(struct job *job, int reason)
{
	errno = reason;
	error_errno(&job->done.error, SCOPE_MAILBOX, "mailbox %s: cannot be renamed to %s",
		    job->request->mailbox, job->request->target);
	if (job->memory->side == REMOTE)
		job->done.error.kind = ERROR_REFUSED;
}

/* RENAME: on a disk one step, and one more until it is durable. */
bool job_rename(struct job *job)
{
	if (!may_change(job))
		return false;
	int reason = memory_rename_all(job->memory, job->request->mailbox, job->request->target);
	if (reason) {
		refuse_rename(job, reason);
		return true;
	}
	if (job->memory->side == LOCAL && !may_change(job))
		return false;
	memory_settle_names(job->memory);
	return true;
}

/* SUBSCRIBE: a name that is no mailbox can only be left. */
bool job_subscribe(struct job *job)
{
	bool leave = job->request->unsubscribe;

	if (!may_change(job))
		return false;
	if (leave || is_there(job, job->mailbox))
		memory_set_subscribed(job->memory, job->request->mailbox, !leave);
	return true;
}

/* Puts an appended message in place, or refuses it. */
static bool append_content(struct job *job, const struct buf *content)
{
	const struct memory_abilities *abilities = &job->memory->abilities;
	const struct request *request = job->request;
	struct memory_message message = {
	    .content = arena_strndup(&job->memory->arena, content->data, content->len),
	    .len = content->len};

	if (abilities->append_max && content->len > abilities->append_max) {
		error_set(&job->done.error, ERROR_REFUSED, SCOPE_MESSAGE, "message too large");
		return true;
	}
	if (!may_change(job))
		return false;
	if (!is_there(job, job->mailbox))
		return true;
	memory_identify(message.content, message.len, &message.state.identity);
	message.state.identity.email_id = memory_new_email_id(job->memory);
	const struct held_message *held =
	    memory_add(job->memory, job->mailbox, &message, NULL, request->flags, request->date);
	job->memory->bodies++;
	job->done.uidvalidity = job->mailbox->uidvalidity;
	job->done.steps = 1;
	if (abilities->uidplus)
		job->done.created = held->message.state.key;
	return true;
}

/* APPEND. */
bool job_append(struct job *job)
{
	struct buf content;
	bool rc = true;

	buf_init(&content, UINT32_MAX);
	if (!memory_read(job->request->source, &content, &job->done.error))
		rc = append_content(job, &content);
	buf_free(&content);
	return rc;
}

/* FLAG, REMOVE: one message. */
static bool change(struct job *job, struct held_message *held)
{
	const struct request *request = job->request;
	struct message_standing to = held->now;

	if (!may_change(job))
		return false;
	/* A user may have come between. */
	if (!held->now.present)
		return true;
	if (request->kind == REQUEST_REMOVE)
		to = (struct message_standing){0};
	else
		to.flags = flags_minus(
		    flags_union(flags_minus(held->now.flags, request->remove), request->add),
		    job->memory->abilities.lacking);
	job->done.steps += memory_change(job->memory, job->mailbox, held, &to);
	held->foreign = false;
	return true;
}

/* MOVE, COPY: one message; a move that is not one step has it in both places in between. */
static bool move(struct job *job, struct held_message *held)
{
	struct held_mailbox *target = memory_find(job->memory, job->request->target);
	bool stays = job->request->kind == REQUEST_COPY;

	if (!may_change(job))
		return false;
	if (!is_there(job, target) || !held->now.present)
		return true;
	struct held_message *moved =
	    memory_add(job->memory, target, &held->message, held->message.state.key.name,
		       held->now.flags, held->message.state.identity.date);
	moved->content_durable = held->content_durable;
	job->done.target_steps++;
	if (!stays && job->memory->abilities.atomic_move)
		held->fate = moved->fate;
	else if (!stays && !may_change(job))
		return false;
	if (job->memory->side == LOCAL || job->memory->abilities.uidplus) {
		struct answer *told = job_tell(job, ANSWER_MOVED);
		told->message.key = held->message.state.key;
		told->uidvalidity = target->uidvalidity;
		told->created = moved->message.state.key;
	}
	held->foreign &= stays;
	if (!stays)
		job->done.steps +=
		    memory_change(job->memory, job->mailbox, held, &(struct message_standing){0});
	return true;
}

/* FLAG, REMOVE, MOVE, COPY: what is gone already is left out, but where it is the only one here. */
bool job_change(struct job *job)
{
	const struct request *request = job->request;

	for (size_t i = 0; i < request->count; i++) {
		struct held_message *held = job_find_key(job, i);
		if (!held && job->memory->side == LOCAL && request->count == 1 &&
		    request->kind != REQUEST_REMOVE) {
			errno = ENOENT;
			error_errno(&job->done.error, SCOPE_MESSAGE, "message %s",
				    request->keys[i].name);
		}
		if (held && !(request->target ? move(job, held) : change(job, held)))
			return false;
	}
	return true;
}

/* DATE. */
bool job_date(struct job *job)
{
	for (size_t i = 0; i < job->request->count; i++) {
		struct held_message *held = job_find_key(job, i);
		if (!may_change(job))
			return false;
		if (held)
			held->message.state.identity.date = job->request->date;
	}
	return true;
}

/* SETTLE: one step, for nothing of it counts before all of it does. */
bool job_settle(struct job *job)
{
	if (!may_change(job))
		return false;
	memory_settle_drafts(job->store);
	if (!job->request->mailbox || is_there(job, job->mailbox))
		memory_settle(job->memory, job->mailbox);
	return true;
}

/* PUBLISH. */
bool job_publish(struct job *job)
{
	if (!may_change(job))
		return false;
	memory_publish(job->request->draft, job->request->flags, job->request->date,
		       &job->done.error);
	return true;
}
