// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/store-maildir.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/file.h"
#include "base/text.h"
#include "maildir/message.h"
#include "maildir/name.h"
#include "maildir/watch.h"
#include "store/store-maildir-inner.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Keeps the first error of a request; true where the request cannot go on after it. */
static bool note_error(struct progress *progress, const struct error *error)
{
	if (progress->error.kind == ERROR_NONE)
		progress->error = *error;
	return error->scope != SCOPE_MESSAGE;
}

/* Says that a message is not there. */
int report_gone(const char *mailbox, const char *name, struct error *err)
{
	errno = ENOENT;
	return error_errno(err, SCOPE_MESSAGE, "mailbox %s: message %s is gone", text_show(mailbox),
			   text_show(name));
}

/* Fills an answer's message with what a file's name says. */
static void describe_entry(struct store_maildir *store, const struct maildir_entry *entry,
			   struct answer *answer)
{
	memcpy(store->name, entry->file, entry->unique_len);
	store->name[entry->unique_len] = '\0';
	answer->kind = ANSWER_MESSAGE;
	answer->message.key.name = store->name;
	answer->message.flags = entry->flags;
	answer->message.identity =
	    (struct identity){.size = maildir_name_wire_size(entry->file, entry->unique_len),
			      .date = DATE_UNKNOWN};
}

/* LIST: one mailbox after the other. */
static int step_list(struct store_maildir *store, struct answer *answer)
{
	struct progress *progress = &store->progress;
	const struct maildir_listing *listing;

	if (!progress->started && store->tree &&
	    maildir_tree_list(store->tree, &progress->arena, &progress->listing, &progress->count,
			      &progress->error) < 0)
		return 0;
	if (progress->index == progress->count)
		return 0;
	listing = &progress->listing[progress->index++];
	answer->kind = ANSWER_MAILBOX;
	answer->mailbox = listing->name;
	answer->stamp = (struct stamp){.cur_ns = listing->cur_ns,
				       .new_ns = listing->new_ns,
				       .inode = listing->inode};
	return 1;
}

/* STATUS: of the directories that are open. */
static void take_stamp(struct store_maildir *store, const struct request *request,
		       struct answer *answer)
{
	struct error *err = &store->progress.error;
	struct maildir_mailbox *mailbox = cache_get(store, request->mailbox, err);

	if (mailbox && maildir_mailbox_stamp(mailbox, &answer->stamp.cur_ns, &answer->stamp.new_ns,
					     err) == 0)
		answer->stamp.inode = mailbox->inode;
}

/* SCAN: the directory of that name is opened anew, for it may be another than the last time. */
static int step_scan(struct store_maildir *store, const struct request *request,
		     struct answer *answer)
{
	struct progress *progress = &store->progress;
	struct maildir_mailbox *mailbox;

	if (!progress->started) {
		mailbox = cache_reopen(store, request->mailbox, &progress->error);
		if (!mailbox || maildir_scan_take(mailbox, &progress->scan, &progress->error) < 0)
			return 0;
	}
	if (progress->index < progress->scan->count) {
		describe_entry(store, &progress->scan->entries[progress->index++], answer);
		return 1;
	}
	answer->complete = true;
	answer->permanent = progress->scan->room;
	answer->stamp = (struct stamp){.cur_ns = progress->scan->cur_ns,
				       .new_ns = progress->scan->new_ns,
				       .inode = progress->scan->inode};
	mailbox = cache_get(store, request->mailbox, NULL);
	if (mailbox && !mailbox->scan) {
		mailbox->scan = progress->scan;
		mailbox->told = true;
		progress->scan = NULL;
	}
	return 0;
}

/*
 * Whether all that happened to a mailbox is known already. Its times are taken before that is seen:
 * what somebody changes later changes them.
 */
static bool is_known(struct store_maildir *store, const struct request *request,
		     struct answer *answer)
{
	struct maildir_mailbox *mailbox = cache_peek(store, request->mailbox);
	struct stamp *stamp = &answer->stamp;

	if (!mailbox || !mailbox->watch ||
	    maildir_mailbox_stamp(mailbox, &stamp->cur_ns, &stamp->new_ns, NULL) < 0 ||
	    !stamp->cur_ns || !stamp->new_ns || !maildir_watch_is_alone(mailbox))
		return false;
	stamp->inode = mailbox->inode;
	answer->own_only = true;
	return true;
}

/* SCAN that is a glance: as above, but nothing is kept. */
static int step_glance(struct store_maildir *store, const struct request *request,
		       struct answer *answer)
{
	struct progress *progress = &store->progress;
	struct maildir_entry entry;
	struct maildir_mailbox *mailbox;
	int rc;

	if (!progress->started && is_known(store, request, answer))
		return 0;
	if (!progress->started) {
		mailbox = cache_reopen(store, request->mailbox, &progress->error);
		if (!mailbox ||
		    maildir_glance_open(mailbox, &progress->glance, &progress->error) < 0)
			return 0;
	}
	rc = maildir_glance_next(progress->glance, &entry, &answer->complete, &progress->error);
	if (rc > 0)
		describe_entry(store, &entry, answer);
	if (rc != 0)
		return rc > 0;
	mailbox = progress->glance->mailbox;
	answer->permanent = maildir_keywords_room(&mailbox->keywords);
	answer->stamp = (struct stamp){.cur_ns = progress->glance->cur_ns,
				       .new_ns = progress->glance->new_ns,
				       .inode = mailbox->inode};
	return 0;
}

/* Opens the content of the request's next key; 1, 0 where it is gone, -1. */
static int open_key(struct store_maildir *store, const struct request *request, bool readable,
		    struct maildir_content **content, struct error *err)
{
	struct maildir_mailbox *mailbox = cache_get(store, request->mailbox, err);
	const char *name = request->keys[store->progress.index].name;

	return mailbox ? maildir_content_open(mailbox, name, readable, content, err) : -1;
}

/* IDENTIFY: those that are there. */
static int step_identify(struct store_maildir *store, const struct request *request,
			 struct answer *answer)
{
	struct progress *progress = &store->progress;

	for (; progress->index < request->count; progress->index++) {
		struct maildir_content *content;
		struct error error = {0};
		int rc = open_key(store, request, false, &content, &error);

		if (rc < 0 && note_error(progress, &error))
			return 0;
		if (rc <= 0)
			continue;
		answer->kind = ANSWER_MESSAGE;
		answer->message.key = request->keys[progress->index];
		answer->message.flags = maildir_content_flags(content);
		answer->message.identity = *maildir_content_identity(content);
		maildir_content_close(&content);
		progress->index++;
		return 1;
	}
	return 0;
}

/* FETCH: opens the next message that can be opened; 0 where there is none left. */
static int open_next(struct store_maildir *store, const struct request *request)
{
	struct progress *progress = &store->progress;

	for (; !progress->content && progress->index < request->count; progress->index++) {
		const char *name = request->keys[progress->index].name;
		struct error error = {0};
		int rc = open_key(store, request, true, &progress->content, &error);

		if (rc == 1)
			return 1;
		if (rc == 0)
			report_gone(request->mailbox, name, &error);
		if (note_error(progress, &error))
			return 0;
	}
	return progress->content ? 1 : 0;
}

/* FETCH: a piece, or the end of a message. Where a message breaks off, so does the request. */
static int step_fetch(struct store_maildir *store, const struct request *request,
		      struct answer *answer)
{
	struct progress *progress = &store->progress;

	if (!open_next(store, request))
		return 0;
	if (maildir_content_read(progress->content, store->body, BODY_CHUNK, &answer->len,
				 &progress->error) < 0)
		return 0;
	answer->message.key = request->keys[progress->index];
	answer->message.identity = *maildir_content_identity(progress->content);
	answer->data = store->body;
	answer->kind = ANSWER_BODY;
	if (answer->len == 0) {
		answer->kind = ANSWER_BODY_END;
		maildir_content_close(&progress->content);
		progress->index++;
	}
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
	case REQUEST_REMOVE: return maildir_message_remove(mailbox, name, err);
	default:
		target = cache_get(store, request->target, err);
		return target
			   ? maildir_message_move(mailbox, name, target, store->name,
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
	case REQUEST_STATUS: take_stamp(store, request, answer); return 0;
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

struct maildir_source {
	struct source source;
	struct maildir_content *content;
};

/* Back to the start. */
static void source_rewind(struct source *source)
{
	struct maildir_source *opened = (struct maildir_source *)source;

	maildir_content_rewind(opened->content);
}

/* Reads on. */
static int source_read(struct source *source, char *out, size_t len, size_t *got, struct error *err)
{
	struct maildir_source *opened = (struct maildir_source *)source;

	return maildir_content_read(opened->content, out, len, got, err);
}

/* Closes the file. */
static void source_close(struct source *source)
{
	struct maildir_source *opened = (struct maildir_source *)source;

	maildir_content_close(&opened->content);
	free(opened);
}

/* Opens a message for an upload. */
static int maildir_open_source(struct store *head, const char *name, const struct message_key *key,
			       struct identity *identity, struct source **source, struct error *err)
{
	struct store_maildir *store = (struct store_maildir *)head;
	struct maildir_mailbox *mailbox;
	struct maildir_source *opened;
	struct maildir_content *content;
	int rc;

	*source = NULL;
	cache_begin(store, name, NULL);
	mailbox = cache_get(store, name, err);
	if (!mailbox)
		return -1;
	rc = maildir_content_open(mailbox, key->name, true, &content, err);
	if (rc == 0)
		return report_gone(name, key->name, err);
	if (rc < 0)
		return -1;
	*identity = *maildir_content_identity(content);
	opened = xcalloc(1, sizeof(*opened));
	opened->source = (struct source){.size = identity->size,
					 .has_nul = maildir_content_has_nul(content),
					 .rewind = source_rewind,
					 .read = source_read,
					 .close = source_close};
	opened->content = content;
	*source = &opened->source;
	return 0;
}

/* Of the file system; a privileged process may fill what is reserved for it. */
static int maildir_room(struct store *head, const char *name, struct room *room,
			struct error *err)
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
    .open_source = maildir_open_source,
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
