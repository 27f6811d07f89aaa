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
	arena_free(&freed->arena);
	free(freed);
	*memory = NULL;
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

/* One that is gone keeps its place, so that a later one of the same name is another. */
struct held_mailbox *memory_find(const struct memory *memory, const char *name)
{
	for (size_t i = 0; i < memory->len; i++)
		if (memory->mailboxes[i]->present && !strcmp(memory->mailboxes[i]->name, name))
			return memory->mailboxes[i];
	return NULL;
}

struct held_mailbox *memory_make(struct memory *memory, const char *name, unsigned attributes)
{
	struct held_mailbox *mailbox = arena_alloc(&memory->arena, sizeof(*mailbox));

	*mailbox = (struct held_mailbox){.name = arena_strdup(&memory->arena, name),
					 .attributes = attributes,
					 .present = true,
					 .uidvalidity = memory->serial++,
					 .uidnext = 1,
					 .modseq = 1,
					 .changed = ++memory->clock};
	*array_push(memory->mailboxes, memory->len, memory->cap) = mailbox;
	return mailbox;
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

/* Every change is later than the last, and marked with a higher MODSEQ. */
void memory_change(struct memory *memory, struct held_mailbox *mailbox, struct held_message *held,
		   const struct message_standing *to)
{
	if (held->now.present == to->present && flags_equal(held->now.flags, to->flags))
		return;
	held->now = *to;
	held->modseq = ++mailbox->modseq;
	mailbox->changed = ++memory->clock;
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
	else
		held->message.state.key.name = name ? name : memory_unique_name(memory);
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

struct stamp memory_stamp(const struct memory *memory, const struct held_mailbox *mailbox)
{
	struct stamp stamp = {0};

	if (memory->side == LOCAL) {
		stamp.cur_ns = stamp.new_ns = memory->abilities.stamps ? mailbox->changed : 0;
		return stamp;
	}
	stamp.uidvalidity = mailbox->uidvalidity;
	stamp.uidnext = mailbox->uidnext;
	stamp.modseq = memory->abilities.condstore ? mailbox->modseq : 0;
	for (size_t i = 0; i < mailbox->len; i++)
		stamp.messages += mailbox->messages[i]->now.present;
	return stamp;
}

void memory_settle(struct memory *memory)
{
	for (size_t i = 0; i < memory->len; i++) {
		struct held_mailbox *mailbox = memory->mailboxes[i];
		mailbox->durable = mailbox->present;
		for (size_t k = 0; k < mailbox->len; k++)
			mailbox->messages[k]->durable = mailbox->messages[k]->now;
		for (size_t k = 0; k < mailbox->len; k++)
			mailbox->messages[k]->content_durable = true;
	}
}

/* Whether what has that fate reached the disk (a step of splitmix64); seed 0 always says no. */
static bool survives(uint64_t seed, uint32_t fate)
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
	    !survives(seed, held->fate))
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
		if (mailbox->present && !mailbox->durable && !survives(seed, mailbox->uidvalidity))
			mailbox->present = false;
		mailbox->durable = mailbox->present;
		for (size_t k = 0; k < mailbox->len; k++)
			cut_message(memory, mailbox, mailbox->messages[k], seed);
	}
}

/* A user's mailbox is there whatever happens next. */
void memory_create(struct memory *memory, const char *mailbox, unsigned attributes)
{
	struct held_mailbox *found = memory_find(memory, mailbox);

	if (!found)
		found = memory_make(memory, mailbox, attributes);
	found->attributes |= attributes;
	found->durable = true;
}

void memory_destroy(struct memory *memory, const char *mailbox)
{
	struct held_mailbox *found = memory_find(memory, mailbox);

	if (found)
		found->present = found->durable = false;
}

struct message_key memory_deliver(struct memory *memory, const char *mailbox, const void *content,
				  size_t len, struct flags flags, int64_t date)
{
	struct memory_message message = {.content = arena_strndup(&memory->arena, content, len),
					 .len = len};
	struct held_message *held;

	memory_create(memory, mailbox, 0);
	memory_identify(message.content, len, &message.state.identity);
	held = memory_add(memory, memory_find(memory, mailbox), &message, NULL, flags, date);
	held->content_durable = true;
	return held->message.state.key;
}

void memory_flag(struct memory *memory, const char *mailbox, const struct message_key *key,
		 struct flags add, struct flags remove)
{
	struct held_mailbox *found = memory_find(memory, mailbox);
	struct held_message *held = found ? memory_find_message(found, key) : NULL;

	if (!held)
		return;
	const struct message_standing to = {
	    true, flags_minus(flags_union(flags_minus(held->now.flags, remove), add),
			      memory->abilities.lacking)};
	memory_change(memory, found, held, &to);
	held->durable = held->now;
}

void memory_expunge(struct memory *memory, const char *mailbox, const struct message_key *key)
{
	struct held_mailbox *found = memory_find(memory, mailbox);
	struct held_message *held = found ? memory_find_message(found, key) : NULL;

	if (!held)
		return;
	memory_change(memory, found, held, &(struct message_standing){0});
	held->durable = held->now;
}

/* As after a restore: the messages are the same, all their numbers are others. */
void memory_renumber(struct memory *memory, const char *mailbox)
{
	struct held_mailbox *old = memory_find(memory, mailbox);
	struct held_mailbox *made;

	if (!old || memory->side == LOCAL)
		return;
	old->present = false;
	made = memory_make(memory, mailbox, old->attributes);
	for (size_t i = 0; i < old->len; i++) {
		const struct held_message *held = old->messages[i];
		if (held->now.present)
			memory_add(memory, made, &held->message, NULL, held->now.flags,
				   held->message.state.identity.date);
	}
}

bool memory_has(const struct memory *memory, const char *mailbox)
{
	return memory_find(memory, mailbox) != NULL;
}

size_t memory_count(const struct memory *memory, const char *mailbox)
{
	const struct held_mailbox *found = memory_find(memory, mailbox);
	size_t count = 0;

	for (size_t i = 0; found && i < found->len; i++)
		count += found->messages[i]->now.present;
	return count;
}

struct memory_message memory_get(const struct memory *memory, const char *mailbox, size_t index)
{
	const struct held_mailbox *found = memory_find(memory, mailbox);

	for (size_t i = 0; found && i < found->len; i++)
		if (found->messages[i]->now.present && !index--)
			return memory_show(found->messages[i]);
	return (struct memory_message){0};
}
