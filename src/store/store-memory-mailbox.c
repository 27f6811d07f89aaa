// SPDX-License-Identifier: GPL-3.0-or-later
/* What becomes of a side's mailboxes as such: made, renamed, deleted, subscribed to. */
#include "base/array.h"
#include "store/store-memory-inner.h"

#include <errno.h>
#include <string.h>

/* One that is gone keeps its place, so that a later one of the same name is another. */
struct held_mailbox *memory_find(const struct memory *memory, const char *name)
{
	for (size_t i = 0; i < memory->len; i++)
		if (memory->mailboxes[i]->present && !strcmp(memory->mailboxes[i]->name, name))
			return memory->mailboxes[i];
	return NULL;
}

/* The lowest number that no directory has: what is deleted leaves its own to the next one. */
static uint64_t free_inode(const struct memory *memory)
{
	uint64_t inode = 1;

	for (size_t i = 0; i < memory->len; i++) {
		const struct held_mailbox *held = memory->mailboxes[i];
		if ((held->present || held->durable) && held->inode == inode) {
			inode++;
			i = SIZE_MAX; /* from the first again */
		}
	}
	return inode;
}

/* A number that was never given before, and is not 0. */
static uint64_t new_id(struct memory *memory)
{
	return memory->serial++ * 0x9e3779b97f4a7c15u;
}

uint64_t memory_new_email_id(struct memory *memory)
{
	return memory->abilities.object_ids ? new_id(memory) : 0;
}

/*
 * The UIDVALIDITY of a mailbox that gets a name; kept is what it had (0: it is new). A name that
 * was used before never sees the same one again: its UIDs meant other messages.
 */
static uint32_t give_uidvalidity(struct memory *memory, const char *name, uint32_t kept)
{
	size_t i = 0;

	if (!memory->abilities.same_validity)
		return kept ? kept : memory->serial++;
	while (i < memory->used_len && strcmp(memory->used[i], name) != 0)
		i++;
	if (i < memory->used_len)
		return 1 + memory->serial++;
	*array_push(memory->used, memory->used_len, memory->used_cap) = name;
	return kept ? kept : 1;
}

struct held_mailbox *memory_make(struct memory *memory, const char *name, unsigned attributes)
{
	struct held_mailbox *mailbox = arena_alloc(&memory->arena, sizeof(*mailbox));

	*mailbox = (struct held_mailbox){.name = arena_strdup(&memory->arena, name),
					 .attributes = attributes,
					 .present = true,
					 .uidnext = 1,
					 .modseq = 1,
					 .changed = ++memory->clock};
	mailbox->uidvalidity = give_uidvalidity(memory, mailbox->name, 0);
	mailbox->durable_name = mailbox->name;
	if (memory->side == LOCAL)
		mailbox->inode = free_inode(memory);
	else
		mailbox->id = new_id(memory);
	*array_push(memory->mailboxes, memory->len, memory->cap) = mailbox;
	return mailbox;
}

void memory_unmake(struct held_mailbox *mailbox)
{
	mailbox->present = mailbox->durable = false;
}

/* True for the name itself and for those below it. */
static bool is_within(const char *name, const char *root)
{
	size_t len = strlen(root);

	return !strncmp(name, root, len) && (!name[len] || name[len] == '/');
}

/* True where there is a mailbox of that name or below it. */
static bool is_taken(const struct memory *memory, const char *name)
{
	for (size_t i = 0; i < memory->len; i++)
		if (memory->mailboxes[i]->present && is_within(memory->mailboxes[i]->name, name))
			return true;
	return false;
}

int memory_rename_all(struct memory *memory, const char *from, const char *to)
{
	const uint32_t fate = memory->serial++;

	if (!strcmp(from, "INBOX") || !strcmp(to, "INBOX") || is_within(to, from))
		return EINVAL;
	if (!memory_find(memory, from))
		return ENOENT;
	if (is_taken(memory, to))
		return EEXIST;
	for (size_t i = 0; i < memory->len; i++) {
		struct held_mailbox *held = memory->mailboxes[i];
		if (!held->present || !is_within(held->name, from))
			continue;
		held->name =
		    arena_printf(&memory->arena, "%s%s", to, held->name + strlen(from));
		held->uidvalidity = give_uidvalidity(memory, held->name, held->uidvalidity);
		held->fate = fate;
	}
	return 0;
}

void memory_settle_names(struct memory *memory)
{
	for (size_t i = 0; i < memory->len; i++) {
		struct held_mailbox *held = memory->mailboxes[i];
		if (held->durable_name != held->name)
			held->durable = held->present;
		held->durable_name = held->name;
	}
}

/* Whether one directory stands where the rename of that fate came from. */
static bool is_stuck(const struct memory *memory, uint32_t fate)
{
	for (size_t i = 0; i < memory->len; i++) {
		const struct held_mailbox *held = memory->mailboxes[i];
		if (held->present && held->fate == fate && held->durable_name != held->name &&
		    memory_find(memory, held->durable_name))
			return true;
	}
	return false;
}

/* Renames that are not durable are undone as a whole, but where something took the old name. */
void memory_cut_names(struct memory *memory, uint64_t seed)
{
	for (size_t i = 0; i < memory->len; i++) {
		const struct held_mailbox *first = memory->mailboxes[i];
		uint32_t fate = first->fate;
		if (first->durable_name == first->name || memory_survives(seed, fate) ||
		    is_stuck(memory, fate))
			continue;
		for (size_t k = i; k < memory->len; k++)
			if (memory->mailboxes[k]->fate == fate)
				memory->mailboxes[k]->name = memory->mailboxes[k]->durable_name;
	}
	memory_settle_names(memory);
}

void memory_set_subscribed(struct memory *memory, const char *name, bool subscribed)
{
	size_t i = 0;

	while (i < memory->subscribed_len && strcmp(memory->subscribed[i], name) != 0)
		i++;
	if (!subscribed && i < memory->subscribed_len)
		memory->subscribed[i] = memory->subscribed[--memory->subscribed_len];
	else if (subscribed && i == memory->subscribed_len)
		*array_push(memory->subscribed, memory->subscribed_len, memory->subscribed_cap) =
		    arena_strdup(&memory->arena, name);
}

unsigned memory_attributes(const struct memory *memory, const struct held_mailbox *mailbox)
{
	for (size_t i = 0; i < memory->subscribed_len; i++)
		if (!strcmp(memory->subscribed[i], mailbox->name))
			return mailbox->attributes | MAILBOX_SUBSCRIBED;
	return mailbox->attributes;
}

struct stamp memory_stamp(const struct memory *memory, const struct held_mailbox *mailbox)
{
	const struct memory_abilities *abilities = &memory->abilities;
	struct stamp stamp = {0};

	if (memory->side == LOCAL) {
		stamp.cur_ns = stamp.new_ns = abilities->stamps ? mailbox->changed : 0;
		stamp.inode = abilities->inodes ? mailbox->inode : 0;
		return stamp;
	}
	stamp.uidvalidity = mailbox->uidvalidity;
	stamp.uidnext = mailbox->uidnext;
	stamp.modseq = abilities->condstore ? mailbox->modseq : 0;
	stamp.mailbox_id = abilities->object_ids ? mailbox->id : 0;
	for (size_t i = 0; i < mailbox->len; i++)
		stamp.messages += mailbox->messages[i]->now.present;
	return stamp;
}
