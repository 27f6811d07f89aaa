// SPDX-License-Identifier: GPL-3.0-or-later
/* What a Maildir store reads files for: identities, and contents. */
#include "store/store-maildir-inner.h"

#include "base/alloc.h"

#include <stdlib.h>

/* Opens the content of the request's next key; 1, 0 where it is gone, -1. */
static int open_key(struct store_maildir *store, const struct request *request, bool readable,
		    struct maildir_content **content, struct error *err)
{
	struct maildir_mailbox *mailbox = cache_get(store, request->mailbox, err);
	const char *name = request->keys[store->progress.index].name;

	return mailbox ? maildir_content_open(mailbox, name, readable, content, err) : -1;
}

/* IDENTIFY: those that are there. */
int step_identify(struct store_maildir *store, const struct request *request, struct answer *answer)
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
int step_fetch(struct store_maildir *store, const struct request *request, struct answer *answer)
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
int source_open(struct store *head, const char *name, const struct message_key *key,
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
