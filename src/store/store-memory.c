// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/store-memory.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/buf.h"
#include "store/store-memory-inner.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One request while it is carried out. */
struct job {
	struct store_memory *store;
	struct memory *memory;
	const struct request *request;
	struct held_mailbox *mailbox; /* NULL where there is none */
	struct answer done;
};

/* One more answer to the request; its kind is the caller's. */
static struct answer *tell(struct job *job, enum answer_kind kind)
{
	struct store_memory *store = job->store;
	struct answer *answer = array_push(store->answers, store->answers_len, store->answers_cap);

	*answer = (struct answer){.kind = kind,
				  .ticket = job->request->ticket,
				  .mailbox = job->mailbox ? job->mailbox->name : NULL};
	return answer;
}

/* One change. False: the side is broken, and nothing was changed. */
static bool may_change(struct job *job)
{
	if (!memory_step(job->memory))
		return false;
	job->memory->changes++;
	return true;
}

/* Tells of the names above a mailbox that are none themselves; again for each below, as some do. */
static void list_parents(struct job *job, const struct held_mailbox *mailbox)
{
	struct memory *memory = job->memory;

	for (const char *slash = strchr(mailbox->name, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		const char *name = arena_strndup(&memory->arena, mailbox->name,
						 (size_t)(slash - mailbox->name));
		if (memory_find(memory, name))
			continue;
		struct answer *answer = tell(job, ANSWER_MAILBOX);
		answer->mailbox = name;
		answer->attributes = MAILBOX_NOSELECT;
	}
}

/* LIST: the mailboxes in the order in which they were made. */
static void list(struct job *job)
{
	for (size_t i = 0; i < job->memory->len; i++) {
		job->mailbox = job->memory->mailboxes[i];
		if (!job->mailbox->present)
			continue;
		struct answer *answer = tell(job, ANSWER_MAILBOX);
		answer->attributes = memory_attributes(job->memory, job->mailbox);
		answer->stamp = memory_stamp(job->memory, job->mailbox);
		if (job->memory->abilities.lists_parents)
			list_parents(job, job->mailbox);
	}
	job->mailbox = NULL;
}

/* CREATE: that it is there already is no error. */
static bool create(struct job *job)
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
static bool delete (struct job *job)
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
static bool rename_mailbox(struct job *job)
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

/* False where there is no such mailbox, or a user deleted it just now: the request has failed. */
static bool is_there(struct job *job, const struct held_mailbox *mailbox)
{
	if (mailbox && mailbox->present)
		return true;
	error_set(&job->done.error, ERROR_REFUSED, SCOPE_MAILBOX, "there is no such mailbox");
	return false;
}

/* SUBSCRIBE: a name that is no mailbox can only be left. */
static bool subscribe(struct job *job)
{
	bool leave = job->request->unsubscribe;

	if (!may_change(job))
		return false;
	if (leave || is_there(job, job->mailbox))
		memory_set_subscribed(job->memory, job->request->mailbox, !leave);
	return true;
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
	struct message_state *state = &tell(job, ANSWER_MESSAGE)->message;
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
		tell(job, ANSWER_VANISHED)->uids = vanished;
}

/* SCAN, as the side stands at its beginning. */
static void scan(struct job *job)
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

/* The message of one of the request's keys, or NULL. */
static struct held_message *find_key(const struct job *job, size_t index)
{
	return memory_find_message(job->mailbox, &job->request->keys[index]);
}

/* IDENTIFY: those that are there. A server is not made to read them whole. */
static void identify(struct job *job)
{
	for (size_t i = 0; i < job->request->count; i++) {
		const struct held_message *held = find_key(job, i);
		if (!held)
			continue;
		struct message_state *state = &tell(job, ANSWER_MESSAGE)->message;
		*state = memory_show(held).state;
		state->identity.has_digest = job->memory->side == LOCAL;
	}
}

/* FETCH: those that are there, in two pieces each. */
static bool fetch(struct job *job)
{
	for (size_t i = 0; i < job->request->count; i++) {
		const struct held_message *held = find_key(job, i);
		size_t half, len;
		if (!held)
			continue;
		if (!memory_step(job->memory))
			return false;
		len = held->message.len;
		half = len / 2;
		for (size_t from = 0; from < len; from += from ? len : half ? half : len) {
			struct answer *piece = tell(job, ANSWER_BODY);
			piece->message.key = held->message.state.key;
			piece->data = held->message.content + from;
			piece->len = from || !half ? len - from : half;
		}
		struct answer *end = tell(job, ANSWER_BODY_END);
		job->memory->bodies++;
		end->message.key = held->message.state.key;
		end->message.identity.size = len;
		end->message.identity.date = DATE_UNKNOWN;
	}
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
static bool append(struct job *job)
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
	struct answer *told = tell(job, ANSWER_MOVED);
	told->message.key = held->message.state.key;
	told->uidvalidity = target->uidvalidity;
	if (job->memory->side == LOCAL || job->memory->abilities.uidplus)
		told->created = moved->message.state.key;
	held->foreign &= stays;
	if (!stays)
		job->done.steps += memory_change(job->memory, job->mailbox, held,
						 &(struct message_standing){0});
	return true;
}

/* FLAG, REMOVE, MOVE, COPY: what is gone already is left out, but where it is the only one here. */
static bool change_all(struct job *job)
{
	const struct request *request = job->request;

	for (size_t i = 0; i < request->count; i++) {
		struct held_message *held = find_key(job, i);
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
static bool give_date(struct job *job)
{
	for (size_t i = 0; i < job->request->count; i++) {
		struct held_message *held = find_key(job, i);
		if (!may_change(job))
			return false;
		if (held)
			held->message.state.identity.date = job->request->date;
	}
	return true;
}

/* SETTLE: one step, for nothing of it counts before all of it does. */
static bool settle(struct job *job)
{
	if (!may_change(job))
		return false;
	memory_settle_drafts(job->store);
	memory_settle(job->memory, job->mailbox);
	return true;
}

/* PUBLISH. */
static bool publish(struct job *job)
{
	if (!may_change(job))
		return false;
	memory_publish(job->request->draft, job->request->flags, job->request->date,
		       &job->done.error);
	return true;
}

/* Looks whether the request can be carried out at all. */
static bool is_possible(struct job *job)
{
	const struct request *request = job->request;
	struct error *err = &job->done.error;
	enum request_kind kind = request->kind;

	if (kind == REQUEST_LIST || kind == REQUEST_SETTLE || kind == REQUEST_CREATE ||
	    kind == REQUEST_DELETE || kind == REQUEST_RENAME || kind == REQUEST_SUBSCRIBE)
		return true;
	if (!job->mailbox)
		error_set(err, job->memory->side == LOCAL ? ERROR_IO : ERROR_REFUSED, SCOPE_MAILBOX,
			  "mailbox %s: there is none", request->mailbox);
	else if (job->memory->shut && !strcmp(job->memory->shut, request->mailbox))
		error_set(err, job->memory->side == LOCAL ? ERROR_IO : ERROR_REFUSED, SCOPE_MAILBOX,
			  "mailbox %s: it cannot be opened", request->mailbox);
	else if (job->memory->side == REMOTE && request->uidvalidity &&
		 request->uidvalidity != job->mailbox->uidvalidity)
		error_set(err, ERROR_REFUSED, SCOPE_MAILBOX, "mailbox %s: another UIDVALIDITY",
			  request->mailbox);
	else
		return true;
	return false;
}

/* Carries a request out. False: the side broke in its midst. */
static bool carry_out(struct job *job)
{
	switch (job->request->kind) {
	case REQUEST_LIST: list(job); return true;
	case REQUEST_CREATE: return create(job);
	case REQUEST_DELETE: return delete (job);
	case REQUEST_STATUS: job->done.stamp = memory_stamp(job->memory, job->mailbox); return true;
	case REQUEST_SCAN: scan(job); return true;
	case REQUEST_IDENTIFY: identify(job); return true;
	case REQUEST_FETCH: return fetch(job);
	case REQUEST_APPEND: return append(job);
	case REQUEST_DATE: return give_date(job);
	case REQUEST_FLAG:
	case REQUEST_REMOVE:
	case REQUEST_MOVE:
	case REQUEST_COPY: return change_all(job);
	case REQUEST_SETTLE: return settle(job);
	case REQUEST_PUBLISH: return publish(job);
	case REQUEST_RENAME: return rename_mailbox(job);
	case REQUEST_SUBSCRIBE: return subscribe(job);
	}
	return false;
}

static struct flag_room room_of(const struct memory *memory)
{
	return (struct flag_room){.bits = FLAG_ALL & ~memory->abilities.lacking.bits,
				  .any_keyword = true,
				  .refused = memory->abilities.lacking.keywords};
}

/* The first request that waits; its answers are there afterwards. False: the side broke. */
static bool serve(struct store_memory *store)
{
	const struct request *request = &store->queue[store->first++];
	struct job job = {.store = store, .memory = store->memory, .request = request};
	bool whole = true;

	if (store->memory->watcher)
		store->memory->watcher(store->memory->context);
	store->told = store->answers_len = 0;
	if (request->mailbox)
		job.mailbox = memory_find(store->memory, request->mailbox);
	job.done = (struct answer){.kind = ANSWER_DONE,
				   .ticket = request->ticket,
				   .mailbox = request->mailbox,
				   .permanent = room_of(store->memory)};
	if (is_possible(&job))
		whole = carry_out(&job);
	if (request->source)
		request->source->close(request->source);
	if (whole)
		*array_push(store->answers, store->answers_len, store->answers_cap) = job.done;
	return whole;
}

static bool is_broken(const struct store_memory *store)
{
	return store->memory->stop && store->memory->stop->broken;
}

/*
 * What was on its way when the line broke arrives or not; nobody hears of it. A disk has nothing on
 * its way.
 */
static void end_unheard(struct store_memory *store)
{
	if (store->over)
		return;
	store->over = true;
	while (store->store.side == REMOTE && store->first < store->len && serve(store))
		continue;
	store->told = store->answers_len = 0;
}

/* The next answer. */
static int memory_next(struct store *head, struct answer *answer, struct error *err)
{
	struct store_memory *store = (struct store_memory *)head;

	if (!is_broken(store) && store->told == store->answers_len) {
		if (store->first == store->len) {
			store->first = store->len = 0;
			return 0;
		}
		serve(store);
	}
	if (!store->over && store->told < store->answers_len &&
	    (!is_broken(store) || store->answers[store->told].kind != ANSWER_DONE)) {
		*answer = store->answers[store->told++];
		return 1;
	}
	end_unheard(store);
	return error_set(err, store->store.side == LOCAL ? ERROR_IO : ERROR_UNAVAILABLE,
			 SCOPE_STORE, "the %s side broke", side_name(store->store.side));
}

/* Queues. */
static int memory_submit(struct store *head, const struct request *request, struct error *err)
{
	struct store_memory *store = (struct store_memory *)head;

	if (!is_broken(store)) {
		*array_push(store->queue, store->len, store->cap) = *request;
		return 0;
	}
	if (request->source)
		request->source->close(request->source);
	return error_set(err, store->store.side == LOCAL ? ERROR_IO : ERROR_UNAVAILABLE,
			 SCOPE_STORE, "the %s side broke", side_name(store->store.side));
}

/* What still waits is dropped. */
static void memory_close(struct store *head)
{
	struct store_memory *store = (struct store_memory *)head;

	for (; store->first < store->len; store->first++)
		if (store->queue[store->first].source)
			store->queue[store->first].source->close(store->queue[store->first].source);
	memory_drop_drafts(store);
	uidset_free(&store->vanished);
	free(store->queue);
	free(store->answers);
	free(store);
}

static const struct store_ops local_ops = {
    .submit = memory_submit,
    .next = memory_next,
    .open_source = memory_open_source,
    .open_draft = memory_open_draft,
    .link_draft = memory_link_draft,
    .write_draft = memory_write_draft,
    .finish_draft = memory_finish_draft,
    .drop_draft = memory_drop_draft,
    .close = memory_close,
};

static const struct store_ops remote_ops = {
    .submit = memory_submit, .next = memory_next, .close = memory_close};

struct store *store_memory_open(struct memory *memory)
{
	struct store_memory *store = xcalloc(1, sizeof(*store));

	store->store = (struct store){.ops = memory->side == LOCAL ? &local_ops : &remote_ops,
				      .side = memory->side,
				      .atomic_move = memory->abilities.atomic_move};
	store->memory = memory;
	return &store->store;
}
