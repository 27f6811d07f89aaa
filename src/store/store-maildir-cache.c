// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/text.h"
#include "maildir/litter.h"
#include "store/store-maildir-inner.h"

#include <string.h>

/* The slot of a mailbox, or NULL. */
static struct cached *find_slot(struct store_maildir *store, const char *name)
{
	for (size_t i = 0; i < MAILBOXES_MAX; i++) {
		struct cached *slot = &store->cache[i];

		if (slot->mailbox && strcmp(slot->mailbox->name, name) == 0)
			return slot;
	}
	return NULL;
}

/* Makes a mailbox's directories durable, keeping the first error for the next SETTLE. */
static void settle_slot(struct store_maildir *store, struct cached *slot)
{
	struct error error = {0};

	if (maildir_mailbox_sync(slot->mailbox, &store->figures.dir_syncs, &error) < 0 &&
	    store->directory_error.kind == ERROR_NONE)
		store->directory_error = error;
}

/* Closes a slot's mailbox; its changes must not be forgotten with it. */
static void close_slot(struct store_maildir *store, struct cached *slot)
{
	if (!slot->mailbox)
		return;
	settle_slot(store, slot);
	maildir_mailbox_close(&slot->mailbox);
	*slot = (struct cached){0};
}

/* The slot that is free, or was not used for longest. */
static struct cached *choose_slot(struct store_maildir *store)
{
	struct cached *oldest = &store->cache[0];

	for (size_t i = 1; i < store->slots; i++)
		if (store->cache[i].used < oldest->used)
			oldest = &store->cache[i];
	return oldest;
}

/* Opens a mailbox into a slot. */
struct maildir_mailbox *cache_get(struct store_maildir *store, const char *name, struct error *err)
{
	struct cached *slot = find_slot(store, name);
	struct maildir_mailbox *mailbox;

	if (!slot) {
		if (!store->tree) {
			error_set(err, ERROR_IO, SCOPE_MAILBOX,
				  "mailbox %s: its Maildir tree is not there", text_show(name));
			return NULL;
		}
		if (maildir_mailbox_open(store->tree, name, store->may_write, &mailbox, err) < 0)
			return NULL;
		slot = choose_slot(store);
		close_slot(store, slot);
		slot->mailbox = mailbox;
	}
	slot->used = ++store->uses;
	if (store->may_write && !slot->swept)
		maildir_litter_sweep(slot->mailbox);
	slot->swept = true;
	return slot->mailbox;
}

/* Leaves alone what is open. */
struct maildir_mailbox *cache_peek(struct store_maildir *store, const char *name)
{
	struct cached *slot = find_slot(store, name);

	return slot ? slot->mailbox : NULL;
}

/* Closes and opens. */
struct maildir_mailbox *cache_reopen(struct store_maildir *store, const char *name,
				     struct error *err)
{
	struct cached *slot = find_slot(store, name);

	if (slot)
		close_slot(store, slot);
	return cache_get(store, name, err);
}

/* What was changed in it is settled first. */
void cache_drop(struct store_maildir *store, const char *name)
{
	const size_t len = strlen(name);

	for (size_t i = 0; i < MAILBOXES_MAX; i++) {
		struct cached *slot = &store->cache[i];

		if (slot->mailbox && strncmp(slot->mailbox->name, name, len) == 0 &&
		    (slot->mailbox->name[len] == '\0' || slot->mailbox->name[len] == '/'))
			close_slot(store, slot);
	}
}

/* One mailbox's names at a time is what memory is to hold (and a MOVE's two). */
void cache_begin(struct store_maildir *store, const char *name, const char *target)
{
	for (size_t i = 0; i < MAILBOXES_MAX; i++) {
		struct maildir_mailbox *mailbox = store->cache[i].mailbox;

		if (!mailbox)
			continue;
		mailbox->fresh = false;
		if (strcmp(mailbox->name, name) != 0 &&
		    (!target || strcmp(mailbox->name, target) != 0))
			maildir_mailbox_forget(mailbox);
	}
}

/* Tells the first error, once, and of all mailboxes since the last time. */
int cache_settle(struct store_maildir *store, struct error *err)
{
	for (size_t i = 0; i < MAILBOXES_MAX; i++)
		if (store->cache[i].mailbox)
			settle_slot(store, &store->cache[i]);
	if (store->directory_error.kind == ERROR_NONE)
		return 0;
	store->directory_error.scope = SCOPE_STORE;
	if (err)
		*err = store->directory_error;
	error_clear(&store->directory_error);
	return -1;
}

/* Closes all. */
void cache_close(struct store_maildir *store)
{
	for (size_t i = 0; i < MAILBOXES_MAX; i++)
		close_slot(store, &store->cache[i]);
}
