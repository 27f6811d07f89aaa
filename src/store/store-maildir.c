// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/store-maildir.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "maildir/message.h"
#include "maildir/watch.h"
#include "store/store-maildir-inner.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

bool note_error(struct progress *progress, const struct error *error)
{
	if (progress->error.kind == ERROR_NONE)
		progress->error = *error;
	return error->scope != SCOPE_MESSAGE;
}

int report_gone(const char *mailbox, const char *name, struct error *err)
{
	errno = ENOENT;
	return error_errno(err, SCOPE_MESSAGE, "mailbox %s: message %s is gone", text_show(mailbox),
			   text_show(name));
}

/*
 * REMOVE: what was agreed on may go. A file that some program wrote anew under its name, as mu4e
 * does with drafts, holds what was nowhere else yet.
 */
static int remove_message(struct store_maildir *store, const struct request *request,
			  struct maildir_mailbox *mailbox, const char *name, struct error *err)
{
	const struct identity *agreed =
	    request->agreed ? &request->agreed[store->progress.index - 1] : NULL;
	int other = agreed ? maildir_content_is_other(mailbox, name, agreed, err) : 0;

	if (other == 0)
		return maildir_message_remove(mailbox, name, err);
	if (other < 0)
		return -1;
	log_warn("mailbox %s: message %s is deleted on the server, but its file was changed here "
		 "since both sides were even: it stays, as a new message",
		 text_show(mailbox->name), text_show(name));
	store->progress.kept++;
	return 1;
}

/* Does to one message what the request wants; 1, 0 where it is gone, -1. */
static int change_message(struct store_maildir *store, const struct request *request,
			  const char *name, struct error *err)
{
	struct maildir_mailbox *mailbox = cache_get(store, request->mailbox, err);
	struct maildir_mailbox *target;

	if (!mailbox)
		return -1;
	switch (request->kind) {
	case REQUEST_FLAG:
		return maildir_message_flag(mailbox, name, request->add, request->remove, err);
	case REQUEST_DATE: return maildir_message_date(mailbox, name, request->date, err);
	case REQUEST_REMOVE: return remove_message(store, request, mailbox, name, err);
	default:
		target = cache_get(store, request->target, err);
		return target ? maildir_message_move(mailbox, name, target, store->name,
						     &store->progress.refused_keywords, err)
			      : -1;
	}
}

/* FLAG: before the first file is renamed, a watch is begun, and new keywords get letters. */
static int begin_flags(struct store_maildir *store, const struct request *request)
{
	struct progress *progress = &store->progress;
	struct maildir_mailbox *mailbox = cache_get(store, request->mailbox, &progress->error);

	if (!mailbox)
		return -1;
	maildir_watch_begin(mailbox);
	return maildir_keywords_claim(mailbox, request->add.keywords, &progress->refused_keywords,
				      &progress->error);
}

/*
 * FLAG, REMOVE, MOVE: one after the other; a move is told each. What a MUA removed meanwhile, the
 * next scan tells.
 */
static int step_change(struct store_maildir *store, const struct request *request,
		       struct answer *answer)
{
	struct progress *progress = &store->progress;

	if (request->kind == REQUEST_FLAG && begin_flags(store, request) < 0)
		return 0;
	while (progress->index < request->count) {
		const struct message_key *key = &request->keys[progress->index++];
		struct error error = {0};
		int rc = change_message(store, request, key->name, &error);

		if (rc == 0 && request->kind != REQUEST_REMOVE && request->count == 1)
			rc = report_gone(request->mailbox, key->name, &error);
		if (rc < 0 && note_error(progress, &error))
			return 0;
		if (rc != 1 || request->kind != REQUEST_MOVE)
			continue;
		answer->kind = ANSWER_MOVED;
		answer->message.key = *key;
		answer->created.name = store->name;
		return 1;
	}
	return 0;
}

/*
 * SETTLE: contents before names. What others changed in a mailbox is settled as if this store had
 * changed it.
 */
static void settle(struct store_maildir *store, const struct request *request)
{
	struct error *err = &store->progress.error;
	struct error directories = {0};
	struct maildir_mailbox *mailbox;

	draft_settle_all(store, err);
	mailbox = request->mailbox ? cache_get(store, request->mailbox, err) : NULL;
	if (mailbox)
		mailbox->dirty[MAILDIR_CUR] = mailbox->dirty[MAILDIR_NEW] = true;
	if (cache_settle(store, &directories) < 0)
		*err = directories;
}

/* DELETE: opened once more first, so that our own leftovers in tmp are swept; then it is let go. */
static void delete_mailbox(struct store_maildir *store, const char *name, struct error *err)
{
	cache_get(store, name, NULL);
	cache_drop(store, name);
	maildir_tree_delete(store->tree, name, err);
}

/* RENAME: what is known under either name is of another directory then. */
static void rename_mailbox(struct store_maildir *store, const struct request *request,
			   struct error *err)
{
	cache_drop(store, request->mailbox);
	cache_drop(store, request->target);
	maildir_tree_rename(store->tree, request->mailbox, request->target, err);
}

/* Whether a request of that kind changes something. */
static bool is_change(enum request_kind kind)
{
	return kind == REQUEST_CREATE || kind == REQUEST_DELETE || kind == REQUEST_RENAME ||
	       kind == REQUEST_FLAG || kind == REQUEST_DATE || kind == REQUEST_REMOVE ||
	       kind == REQUEST_MOVE || kind == REQUEST_PUBLISH;
}

/* The next answer of the first request: 1, or 0 where it has ended. */
static int step(struct store_maildir *store, const struct request *request, struct answer *answer)
{
	struct error *err = &store->progress.error;

	switch (request->kind) {
	case REQUEST_LIST: return step_list(store, answer);
	case REQUEST_STATUS: step_status(store, request, answer); return 0;
	case REQUEST_SCAN:
		return request->glance ? step_glance(store, request, answer)
				       : step_scan(store, request, answer);
	case REQUEST_IDENTIFY: return step_identify(store, request, answer);
	case REQUEST_FETCH: return step_fetch(store, request, answer);
	case REQUEST_CREATE: maildir_tree_create(store->tree, request->mailbox, err); return 0;
	case REQUEST_DELETE: delete_mailbox(store, request->mailbox, err); return 0;
	case REQUEST_RENAME: rename_mailbox(store, request, err); return 0;
	case REQUEST_FLAG:
	case REQUEST_DATE:
	case REQUEST_REMOVE:
	case REQUEST_MOVE: return step_change(store, request, answer);
	case REQUEST_SETTLE: settle(store, request); return 0;
	case REQUEST_PUBLISH:
		draft_publish(request->draft, request, &store->progress.refused_keywords, err);
		return 0;
	case REQUEST_APPEND:
	case REQUEST_COPY:
	case REQUEST_SUBSCRIBE: break;
	}
	error_set(err, ERROR_INTERNAL, SCOPE_STORE, "a Maildir has no such request");
	return 0;
}

/* Prepares for a request; false where it is refused. */
static bool start(struct store_maildir *store, const struct request *request)
{
	struct error *err = &store->progress.error;

	if (is_change(request->kind) && (!store->may_write || !store->tree)) {
		error_set(err, ERROR_INTERNAL, SCOPE_MAILBOX,
			  "mailbox %s: a change to a tree opened for reading",
			  text_show(request->mailbox));
		return false;
	}
	if (request->mailbox && request->kind != REQUEST_PUBLISH)
		cache_begin(store, request->mailbox, request->target);
	return true;
}

/* Forgets how far a request came. */
static void end_progress(struct progress *progress)
{
	arena_free(&progress->arena);
	maildir_scan_free(&progress->scan);
	maildir_glance_close(&progress->glance);
	maildir_content_close(&progress->content);
	*progress = (struct progress){0};
}

/* Takes one step in the first request. */
static int maildir_next(struct store *head, struct answer *answer, struct error *err)
{
	struct store_maildir *store = (struct store_maildir *)head;
	struct progress *progress = &store->progress;
	const struct request *request;
	bool ready;

	(void)err; /* a disk's errors belong to requests */
	if (store->first == store->len)
		return 0;
	request = &store->queue[store->first];
	answer_begin(answer, request->ticket, request->mailbox);
	ready = progress->started || start(store, request);
	if (ready && step(store, request, answer) == 1) {
		progress->started = true;
		return 1;
	}
	answer->kind = ANSWER_DONE;
	answer->error = progress->error;
	answer->refused_keywords = progress->refused_keywords;
	answer->kept = progress->kept;
	end_progress(progress);
	if (++store->first == store->len)
		store->first = store->len = 0;
	return 1;
}

/* Queues. */
static int maildir_submit(struct store *head, const struct request *request, struct error *err)
{
	struct store_maildir *store = (struct store_maildir *)head;

	(void)err;
	*array_push(store->queue, store->len, store->cap) = *request;
	return 0;
}

/* Of the file system; a privileged process may fill what is reserved for it. */
static int maildir_room(struct store *head, const char *name, struct room *room, struct error *err)
{
	struct store_maildir *store = (struct store_maildir *)head;
	struct maildir_mailbox *mailbox = cache_get(store, name, err);
	bool all = geteuid() == 0;
	struct statvfs st;

	if (!mailbox || maildir_mailbox_check(mailbox, err) < 0)
		return -1;
	if (fstatvfs(mailbox->fds[MAILDIR_CUR], &st) < 0)
		return 0;
	if (st.f_blocks)
		room->bytes = (uint64_t)st.f_frsize * (all ? st.f_bfree : st.f_bavail);
	if (st.f_files)
		room->messages = all ? st.f_ffree : st.f_favail;
	return 0;
}

/* Drafts that nobody dropped are never published any more. */
static void maildir_close(struct store *head)
{
	struct store_maildir *store = (struct store_maildir *)head;

	while (store->drafts)
		draft_drop(store->drafts);
	end_progress(&store->progress);
	cache_close(store);
	file_close(&store->root);
	free(store->queue);
	free(store);
}

static const struct store_ops maildir_ops = {
    .submit = maildir_submit,
    .next = maildir_next,
    .room = maildir_room,
    .open_source = source_open,
    .open_draft = draft_open,
    .link_draft = draft_link,
    .write_draft = draft_write,
    .finish_draft = draft_finish,
    .drop_draft = draft_drop,
    .close = maildir_close,
};

#define DESCRIPTORS_ELSEWHERE 24 /* that a run needs besides */
#define STORES_USUAL          4  /* that share the process, one a lane */

/* Shares the process's descriptors out: where there are few, less is kept open. */
static void set_budget(struct store_maildir *store)
{
	struct rlimit limit;
	size_t share = SIZE_MAX;

	if (!getrlimit(RLIMIT_NOFILE, &limit))
		share = limit.rlim_cur < DESCRIPTORS_ELSEWHERE
			    ? 0
			    : (limit.rlim_cur - DESCRIPTORS_ELSEWHERE) / STORES_USUAL;
	share /= MAILDIR_DIRS + 2; /* a watch, and a draft */
	store->slots = share < 2 ? 2 : share < MAILBOXES_MAX ? share : MAILBOXES_MAX;
	store->resting_max = share < SYNC_SINGLY_MAX ? share : SYNC_SINGLY_MAX;
}

struct store *store_maildir_open(struct maildir_tree *tree, bool may_write)
{
	struct store_maildir *store = xcalloc(1, sizeof(*store));

	store->store = (struct store){.ops = &maildir_ops, .side = LOCAL, .atomic_move = true};
	store->tree = tree;
	store->may_write = may_write;
	set_budget(store);
	draft_find_file_system(store);
	return &store->store;
}

/* Since the store was opened. */
struct store_maildir_figures store_maildir_figures(const struct store *store)
{
	assert(store->ops == &maildir_ops);
	return ((const struct store_maildir *)store)->figures;
}
