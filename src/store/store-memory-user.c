// SPDX-License-Identifier: GPL-3.0-or-later
/* What users do to a side in memory, and what can be seen of it. */
#include "store/store-memory-inner.h"

#include <string.h>

/* A user's mailbox is there whatever happens next. */
void memory_create(struct memory *memory, const char *mailbox, unsigned attributes)
{
	struct held_mailbox *found = memory_find(memory, mailbox);

	if (!found)
		found = memory_make(memory, mailbox, 0);
	found->attributes |= attributes & ~MAILBOX_SUBSCRIBED;
	if (attributes & MAILBOX_SUBSCRIBED)
		memory_set_subscribed(memory, mailbox, true);
	found->durable = true;
	memory_settle_names(memory);
}

bool memory_rename(struct memory *memory, const char *from, const char *to)
{
	if (memory_rename_all(memory, from, to))
		return false;
	memory_settle_names(memory);
	return true;
}

void memory_destroy(struct memory *memory, const char *mailbox)
{
	struct held_mailbox *found = memory_find(memory, mailbox);

	if (found)
		memory_unmake(found);
}

struct message_key memory_deliver(struct memory *memory, const char *mailbox, const void *content,
				  size_t len, struct flags flags, int64_t date)
{
	struct memory_message message = {.content = arena_strndup(&memory->arena, content, len),
					 .len = len};
	struct held_message *held;

	memory_create(memory, mailbox, 0);
	memory_identify(message.content, len, &message.state.identity);
	message.state.identity.email_id = memory_new_email_id(memory);
	held = memory_add(memory, memory_find(memory, mailbox), &message, NULL, flags, date);
	held->content_durable = held->foreign = true;
	return held->message.state.key;
}

/* Where a file of that name was, there is none but the new one, whatever was durable. */
static void take_name(struct held_mailbox *mailbox, const char *name)
{
	for (size_t i = 0; name && i < mailbox->len; i++) {
		struct held_message *held = mailbox->messages[i];
		if (!held->now.present && !strcmp(held->message.state.key.name, name))
			held->durable = held->now;
	}
}

/* One more of a message that is there; durable at once, as far as its content is. */
static struct held_message *duplicate(struct memory *memory, const struct held_message *held,
				      const char *target, const char *name)
{
	struct held_message *made;

	memory_create(memory, target, 0);
	take_name(memory_find(memory, target), name);
	made = memory_add(memory, memory_find(memory, target), &held->message, name,
			  held->now.flags, held->message.state.identity.date);
	made->content_durable = held->content_durable;
	made->durable = made->now;
	return made;
}

struct message_key memory_copy(struct memory *memory, const char *mailbox,
			       const struct message_key *key, const char *target)
{
	const struct held_mailbox *found = memory_find(memory, mailbox);
	const struct held_message *held = found ? memory_find_message(found, key) : NULL;

	return held ? duplicate(memory, held, target, NULL)->message.state.key
		    : (struct message_key){0};
}

struct message_key memory_move(struct memory *memory, const char *mailbox,
			       const struct message_key *key, const char *target, bool same)
{
	struct held_mailbox *found = memory_find(memory, mailbox);
	struct held_message *held = found ? memory_find_message(found, key) : NULL, *moved;

	if (!held)
		return (struct message_key){0};
	moved = duplicate(memory, held, target, same ? held->message.state.key.name : NULL);
	if (!same)
		moved->message.state.identity.email_id = memory_new_email_id(memory);
	memory_change(memory, found, held, &(struct message_standing){0});
	held->durable = held->now;
	held->taken = true;
	return moved->message.state.key;
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
	held->taken = true;
}

/* Whether a message that its user took away can come back: the file was whole, its name is free. */
static bool can_return(const struct held_mailbox *mailbox, const struct held_message *held)
{
	return held->taken && !held->now.present && held->content_durable && held->message.len &&
	       !memory_find_message(mailbox, &held->message.state.key);
}

struct memory_message memory_restore(struct memory *memory, const char *mailbox, size_t index,
				     struct flags flags)
{
	struct held_mailbox *found = memory->side == LOCAL ? memory_find(memory, mailbox) : NULL;
	const struct message_standing to = {true, flags_minus(flags, memory->abilities.lacking)};
	size_t count = 0;

	for (size_t i = 0; found && i < found->len; i++)
		count += can_return(found, found->messages[i]);
	index %= count + !count;
	for (size_t i = 0; count && i < found->len; i++) {
		struct held_message *held = found->messages[i];
		if (!can_return(found, held) || index--)
			continue;
		memory_change(memory, found, held, &to);
		held->durable = held->now;
		held->taken = false;
		return memory_show(held);
	}
	return (struct memory_message){0};
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
	made->id = old->id;
	for (size_t i = 0; i < old->len; i++) {
		const struct held_message *held = old->messages[i];
		if (held->now.present)
			memory_add(memory, made, &held->message, NULL, held->now.flags,
				   held->message.state.identity.date);
	}
}

const char *memory_name(const struct memory *memory, size_t index)
{
	for (size_t i = 0; i < memory->len; i++)
		if (memory->mailboxes[i]->present && !index--)
			return memory->mailboxes[i]->name;
	return NULL;
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
