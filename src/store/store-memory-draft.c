// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/alloc.h"
#include "base/buf.h"
#include "store/store-memory-inner.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Tests need no larger message. */
#define CONTENT_MAX (64u << 20)

struct draft {
	struct store_memory *store;
	struct held_mailbox *mailbox;
	struct buf content;
	const char *name; /* once it is finished */
	struct identity identity;
	bool durable;
	struct draft *next;
};

/* The session or the process is gone. */
static int refuse_broken(const struct memory *memory, struct error *err)
{
	return error_set(err, memory->side == LOCAL ? ERROR_IO : ERROR_UNAVAILABLE, SCOPE_STORE,
			 "the %s side broke", side_name(memory->side));
}

int memory_open_draft(struct store *head, const char *name, struct draft **draft, struct error *err)
{
	struct store_memory *store = (struct store_memory *)head;
	struct held_mailbox *mailbox = memory_find(store->memory, name);

	*draft = NULL;
	if (store->memory->stop && store->memory->stop->broken)
		return refuse_broken(store->memory, err);
	if (!mailbox)
		return error_set(err, ERROR_IO, SCOPE_MAILBOX, "mailbox %s: there is none", name);
	*draft = xcalloc(1, sizeof(**draft));
	(*draft)->store = store;
	(*draft)->mailbox = mailbox;
	buf_init(&(*draft)->content, CONTENT_MAX);
	(*draft)->next = store->drafts;
	store->drafts = *draft;
	return 0;
}

int memory_link_draft(struct store *head, const char *name, const char *from,
		      const struct message_key *key, int64_t date, struct draft **draft,
		      struct error *err)
{
	struct memory *memory = ((struct store_memory *)head)->memory;
	const struct held_mailbox *mailbox = memory_find(memory, from);
	const struct held_message *held = mailbox ? memory_find_message(mailbox, key) : NULL;

	(void)date;
	if (memory_open_draft(head, name, draft, err))
		return -1;
	if (held)
		return memory_write_draft(*draft, held->message.content, held->message.len, err);
	memory_drop_draft(*draft);
	*draft = NULL;
	errno = ENOENT;
	return error_errno(err, SCOPE_MESSAGE, "mailbox %s: message %s", from, key->name);
}

int memory_write_draft(struct draft *draft, const char *bytes, size_t len, struct error *err)
{
	assert(!draft->name);
	if (buf_append(&draft->content, bytes, len))
		return error_set(err, ERROR_IO, SCOPE_MESSAGE, "the message is too large");
	return 0;
}

int memory_finish_draft(struct draft *draft, struct identity *identity, const char **name,
			struct error *err)
{
	struct memory *memory = draft->store->memory;

	if (!memory_step(memory))
		return refuse_broken(memory, err);
	memory->changes++;
	draft->name = memory_unique_name(memory);
	memory_identify(draft->content.data, draft->content.len, &draft->identity);
	draft->identity.date = identity->date;
	*identity = draft->identity;
	*name = draft->name;
	return 0;
}

void memory_settle_drafts(struct store_memory *store)
{
	for (struct draft *draft = store->drafts; draft; draft = draft->next)
		draft->durable |= draft->name != NULL;
}

void memory_publish(struct draft *draft, struct flags flags, int64_t date, struct error *err)
{
	struct memory *memory = draft->store->memory;
	struct memory_message message = {
	    .state.identity = draft->identity,
	    .content = arena_strndup(&memory->arena, draft->content.data, draft->content.len),
	    .len = draft->content.len};

	assert(draft->name);
	if (!draft->mailbox->present) {
		error_set(err, ERROR_IO, SCOPE_MAILBOX, "mailbox %s: it is gone",
			  draft->mailbox->name);
		return;
	}
	struct held_message *held =
	    memory_add(memory, draft->mailbox, &message, draft->name, flags, date);
	held->content_durable = draft->durable;
}

void memory_drop_draft(struct draft *draft)
{
	struct draft **link = &draft->store->drafts;

	while (*link != draft)
		link = &(*link)->next;
	*link = draft->next;
	buf_free(&draft->content);
	free(draft);
}

void memory_drop_drafts(struct store_memory *store)
{
	while (store->drafts)
		memory_drop_draft(store->drafts);
}

struct memory_source {
	struct source source;
	const char *content;
	size_t at;
};

static void rewind_source(struct source *source)
{
	((struct memory_source *)source)->at = 0;
}

/* In pieces, that their joints be tried. */
static int read_source(struct source *source, char *out, size_t len, size_t *got, struct error *err)
{
	struct memory_source *opened = (struct memory_source *)source;

	(void)err;
	size_t left = (size_t)source->size - opened->at;

	*got = len < left ? len : left;
	if (*got > 1)
		*got -= *got / 2;
	memcpy(out, opened->content + opened->at, *got);
	opened->at += *got;
	return 0;
}

static void close_source(struct source *source)
{
	free(source);
}

int memory_open_source(struct store *head, const char *name, const struct message_key *key,
		       struct identity *identity, struct source **source, struct error *err)
{
	struct memory *memory = ((struct store_memory *)head)->memory;
	const struct held_mailbox *mailbox = memory_find(memory, name);
	const struct held_message *held = mailbox ? memory_find_message(mailbox, key) : NULL;
	struct memory_source *opened;

	*source = NULL;
	if (memory->stop && memory->stop->broken)
		return refuse_broken(memory, err);
	if (!held) {
		errno = ENOENT;
		return error_errno(err, SCOPE_MESSAGE, "mailbox %s: message %s", name, key->name);
	}
	opened = xcalloc(1, sizeof(*opened));
	opened->source = (struct source){.size = held->message.len,
					 .rewind = rewind_source,
					 .read = read_source,
					 .close = close_source};
	opened->content = held->message.content;
	*identity = held->message.state.identity;
	*source = &opened->source;
	return 0;
}
