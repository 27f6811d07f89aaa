// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/alloc.h"
#include "base/array.h"
#include "mail/header.h"
#include "store/store-memory-inner.h"

#include <stdlib.h>
#include <string.h>

struct memory *memory_new(enum side side, const struct memory_abilities *abilities)
{
	struct memory *memory = xcalloc(1, sizeof(*memory));

	memory->side = side;
	memory->abilities = *abilities;
	memory->serial = 1;
	return memory;
}

void memory_free(struct memory **memory)
{
	struct memory *freed = *memory;

	if (!freed)
		return;
	for (size_t i = 0; i < freed->len; i++)
		free(freed->mailboxes[i]->messages);
	free(freed->mailboxes);
	free(freed->subscribed);
	free(freed->used);
	arena_free(&freed->arena);
	free(freed);
	*memory = NULL;
}

void memory_shut(struct memory *memory, const char *mailbox)
{
	memory->shut = mailbox;
}

void memory_set_stop(struct memory *memory, struct memory_stop *stop)
{
	memory->stop = stop;
}

void memory_set_watcher(struct memory *memory, void (*watcher)(void *context), void *context)
{
	memory->watcher = watcher;
	memory->context = context;
}

/* What falls due breaks everything that shares the stop; unheard steps are made all the same. */
bool memory_stop_step(struct memory_stop *stop)
{
	if (!stop || !stop->armed)
		return true;
	if (!stop->broken && stop->left) {
		stop->left--;
		return true;
	}
	stop->broken = true;
	if (!stop->unheard)
		return false;
	stop->unheard--;
	return true;
}

/* The watcher acts first, as somebody who came between. */
bool memory_step(struct memory *memory)
{
	if (memory->watcher)
		memory->watcher(memory->context);
	return memory_stop_step(memory->stop);
}

uint64_t memory_changes(const struct memory *memory)
{
	return memory->changes;
}

uint64_t memory_bodies(const struct memory *memory)
{
	return memory->bodies;
}

struct held_message *memory_find_message(const struct held_mailbox *mailbox,
					 const struct message_key *key)
{
	for (size_t i = 0; i < mailbox->len; i++) {
		struct held_message *held = mailbox->messages[i];
		const struct message_key *mine = &held->message.state.key;
		if (held->now.present &&
		    (key->name ? !strcmp(mine->name, key->name) : mine->uid == key->uid))
			return held;
	}
	return NULL;
}

void memory_identify(const char *content, size_t len, struct identity *identity)
{
	struct digest_stream *digest = digest_open();
	struct header_scan header = {0};

	header_feed(&header, content, len);
	digest_update(digest, content, len);
	digest_finish(digest, &identity->digest);
	digest_close(&digest);
	identity->size = len;
	identity->message_id = header_message_id(&header);
	identity->has_message_id = identity->has_digest = true;
}

const char *memory_unique_name(struct memory *memory)
{
	return arena_printf(&memory->arena, "m%u", memory->serial++);
}

int memory_read(struct source *source, struct buf *out, struct error *err)
{
	char piece[4096];
	size_t got;

	do {
		if (source->read(source, piece, sizeof(piece), &got, err))
			return -1;
		buf_append(out, piece, got);
	} while (got);
	if (out->full || out->len != source->size)
		return error_set(err, ERROR_IO, SCOPE_MESSAGE,
				 "the message is not as long as it was");
	return 0;
}

/* Every change is later than the last, and marked with a higher MODSEQ. */
uint32_t memory_change(struct memory *memory, struct held_mailbox *mailbox,
		       struct held_message *held, const struct message_standing *to)
{
	if (held->now.present == to->present && flags_equal(held->now.flags, to->flags))
		return 0;
	held->now = *to;
	held->modseq = ++mailbox->modseq;
	mailbox->changed = ++memory->clock;
	return 1;
}

struct held_message *memory_add(struct memory *memory, struct held_mailbox *mailbox,
				const struct memory_message *message, const char *name,
				struct flags flags, int64_t date)
{
	struct held_message *held = arena_alloc(&memory->arena, sizeof(*held));
	const struct message_standing standing = {
	    .present = true, .flags = flags_minus(flags, memory->abilities.lacking)};

	held->message = *message;
	held->fate = memory->serial++;
	held->message.state.identity.date = date;
	held->message.state.key = (struct message_key){0};
	if (memory->side == REMOTE)
		held->message.state.key.uid = mailbox->uidnext++;
	else if (name && !memory_find_message(mailbox, &(struct message_key){.name = name}))
		held->message.state.key.name = name;
	else
		held->message.state.key.name = memory_unique_name(memory);
	*array_push(mailbox->messages, mailbox->len, mailbox->cap) = held;
	memory_change(memory, mailbox, held, &standing);
	return held;
}

struct memory_message memory_show(const struct held_message *held)
{
	struct memory_message message = held->message;

	message.state.flags = held->now.flags;
	return message;
}

void memory_settle(struct memory *memory, const struct held_mailbox *settled)
{
	memory_settle_names(memory);
	for (size_t i = 0; i < memory->len; i++) {
		struct held_mailbox *mailbox = memory->mailboxes[i];
		mailbox->durable = mailbox->present;
		for (size_t k = 0; k < mailbox->len; k++) {
			struct held_message *held = mailbox->messages[k];
			if (held->foreign && mailbox != settled)
				continue;
			held->durable = held->now;
			held->content_durable = true;
			held->foreign = false;
		}
	}
}

/* A step of splitmix64. */
bool memory_survives(uint64_t seed, uint32_t fate)
{
	uint64_t z = seed + fate * 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return seed && z >> 63;
}

/* What becomes of one message. Its name may have reached the disk before its content. */
static void cut_message(struct memory *memory, struct held_mailbox *mailbox,
			struct held_message *held, uint64_t seed)
{
	const struct message_standing durable = held->durable;
	struct memory_message *message = &held->message;

	if ((held->now.present != durable.present ||
	     !flags_equal(held->now.flags, durable.flags)) &&
	    !memory_survives(seed, held->fate))
		memory_change(memory, mailbox, held, &durable);
	if (!held->content_durable && held->now.present) {
		message->len = 0;
		memory_identify("", 0, &message->state.identity);
	}
	held->content_durable = true;
	held->durable = held->now;
}

void memory_power_cut(struct memory *memory, uint64_t seed)
{
	for (size_t i = 0; memory->side == LOCAL && i < memory->len; i++) {
		struct held_mailbox *mailbox = memory->mailboxes[i];
		if (mailbox->present && !mailbox->durable &&
		    !memory_survives(seed, mailbox->uidvalidity))
			mailbox->present = false;
		mailbox->durable = mailbox->present;
		for (size_t k = 0; k < mailbox->len; k++)
			cut_message(memory, mailbox, mailbox->messages[k], seed);
	}
	if (memory->side == LOCAL)
		memory_cut_names(memory, seed);
}

