// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/store-memory.h"

#include "base/alloc.h"
#include "base/array.h"
#include "store/store-memory-inner.h"

#include <stdlib.h>
#include <string.h>

struct answer *job_tell(struct job *job, enum answer_kind kind)
{
	struct store_memory *store = job->store;
	struct answer *answer = array_push(store->answers, store->answers_len, store->answers_cap);

	*answer = (struct answer){.kind = kind,
				  .ticket = job->request->ticket,
				  .mailbox = job->mailbox ? job->mailbox->name : NULL};
	return answer;
}

struct held_message *job_find_key(const struct job *job, size_t index)
{
	return memory_find_message(job->mailbox, &job->request->keys[index]);
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
	case REQUEST_LIST: job_list(job); return true;
	case REQUEST_CREATE: return job_create(job);
	case REQUEST_DELETE: return job_delete(job);
	case REQUEST_STATUS: job->done.stamp = memory_stamp(job->memory, job->mailbox); return true;
	case REQUEST_SCAN: job_scan(job); return true;
	case REQUEST_IDENTIFY: job_identify(job); return true;
	case REQUEST_FETCH: return job_fetch(job);
	case REQUEST_APPEND: return job_append(job);
	case REQUEST_DATE: return job_date(job);
	case REQUEST_FLAG:
	case REQUEST_REMOVE:
	case REQUEST_MOVE:
	case REQUEST_COPY: return job_change(job);
	case REQUEST_SETTLE: return job_settle(job);
	case REQUEST_PUBLISH: return job_publish(job);
	case REQUEST_RENAME: return job_rename(job);
	case REQUEST_SUBSCRIBE: return job_subscribe(job);
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
