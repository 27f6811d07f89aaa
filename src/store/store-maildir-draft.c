// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/alloc.h"
#include "base/text.h"
#include "store/store-maildir-inner.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Before Linux 5.8 syncfs said that all was well where pages had been lost. */
static bool syncfs_tells_of_errors(void)
{
	struct utsname system;
	unsigned major, minor;

	return uname(&system) == 0 && sscanf(system.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 5 || (major == 5 && minor >= 8));
}

/* Without a descriptor for syncfs, or trust in it, every draft is synced by itself. */
void draft_find_file_system(struct store_maildir *store)
{
	struct stat st;

	store->root = -1;
	if (store->tree && store->may_write && syncfs_tells_of_errors())
		store->root = maildir_tree_open_dir(store->tree, ".");
	if (store->root >= 0 && fstat(store->root, &st) == 0)
		store->device = st.st_dev;
}

/* The mailbox that a draft is to go to, or NULL. */
static struct maildir_mailbox *open_target(struct store_maildir *store, const char *name,
					   struct error *err)
{
	if (!store->may_write) {
		error_set(err, ERROR_INTERNAL, SCOPE_MAILBOX,
			  "mailbox %s: a delivery to a tree opened for reading", text_show(name));
		return NULL;
	}
	return cache_get(store, name, err);
}

/* Makes a draft of a delivery and adds it to the store's list. */
static struct draft *add_draft(struct store_maildir *store, const char *name,
			       struct maildir_delivery *delivery)
{
	struct draft *draft = xcalloc(1, sizeof(*draft));

	draft->store = store;
	draft->mailbox = xstrdup(name);
	draft->delivery = delivery;
	draft->next = store->drafts;
	if (store->drafts)
		store->drafts->prev = draft;
	store->drafts = draft;
	return draft;
}

/* Begins a file in the mailbox's tmp. */
int draft_open(struct store *head, const char *name, struct draft **draft, struct error *err)
{
	struct store_maildir *store = (struct store_maildir *)head;
	struct maildir_mailbox *mailbox = open_target(store, name, err);
	struct maildir_delivery *delivery;

	*draft = NULL;
	if (!mailbox || maildir_deliver_open(mailbox, &delivery, err) < 0)
		return -1;
	*draft = add_draft(store, name, delivery);
	return 0;
}

/* Begins it with the content of a message. */
int draft_link(struct store *head, const char *name, const char *from,
	       const struct message_key *key, int64_t date, struct draft **draft,
	       struct error *err)
{
	struct store_maildir *store = (struct store_maildir *)head;
	struct maildir_mailbox *mailbox = open_target(store, name, err), *source;
	struct maildir_delivery *delivery;
	int rc;

	*draft = NULL;
	if (!mailbox)
		return -1;
	cache_begin(store, from, name);
	source = cache_get(store, from, err);
	if (!source)
		return -1;
	rc = maildir_deliver_link(mailbox, source, key->name, date, &delivery, err);
	if (rc == 0)
		return report_gone(from, key->name, err);
	if (rc < 0)
		return -1;
	*draft = add_draft(store, name, delivery);
	return 0;
}

/* Passes the bytes on. */
int draft_write(struct draft *draft, const char *bytes, size_t len, struct error *err)
{
	return maildir_deliver_write(draft->delivery, bytes, len, err);
}

/*
 * Only the first few keep their descriptors: syncfs does without. Of a link no byte waits to be
 * written: it is as durable as the message that it was made from.
 */
int draft_finish(struct draft *draft, struct identity *identity, const char **name,
		 struct error *err)
{
	if (maildir_deliver_finish(draft->delivery, identity, err) < 0)
		return -1;
	draft->finished = true;
	*name = maildir_deliver_name(draft->delivery);
	draft->settled = maildir_deliver_is_linked(draft->delivery);
	if (!draft->settled && draft->store->resting < draft->store->resting_max)
		draft->store->resting++;
	else
		maildir_deliver_rest(draft->delivery);
	return 0;
}

/* Takes it out of the store's list and removes what was not published. */
void draft_drop(struct draft *draft)
{
	struct store_maildir *store = draft->store;

	if (draft->prev)
		draft->prev->next = draft->next;
	else
		store->drafts = draft->next;
	if (draft->next)
		draft->next->prev = draft->prev;
	maildir_deliver_close(&draft->delivery, cache_get(store, draft->mailbox, NULL));
	free(draft->mailbox);
	free(draft);
}

/* Whether a draft waits to be made durable. */
static bool is_waiting(const struct draft *draft)
{
	return draft->finished && !draft->settled && !draft->failed;
}

/* Notes how it went; no descriptor is needed from then on. */
static void end_draft(struct draft *draft, bool durable)
{
	draft->settled = durable;
	draft->failed = !durable;
	maildir_deliver_rest(draft->delivery);
}

/* Makes one draft durable. */
static int settle_one(struct draft *draft, struct error *err)
{
	struct maildir_mailbox *mailbox = cache_get(draft->store, draft->mailbox, err);
	int rc = mailbox ? 0 : -1;

	if (rc == 0) {
		draft->store->figures.file_syncs++;
		rc = maildir_deliver_sync(draft->delivery, mailbox, err);
	}
	end_draft(draft, rc == 0);
	if (rc < 0 && err)
		err->scope = SCOPE_MESSAGE;
	return rc;
}

/*
 * Makes all waiting drafts on the tree's file system durable at one stroke. Where the system has
 * no such call, or keeps it from us, nothing has been tried yet: they go on waiting, and so will
 * all that follow.
 */
static int settle_file_system(struct store_maildir *store, struct error *err)
{
	int rc;

	do
		rc = syncfs(store->root);
	while (rc < 0 && errno == EINTR);
	if (rc < 0 && (errno == ENOSYS || errno == EPERM)) {
		store->device = 0;
		return 0;
	}
	store->figures.fs_syncs++;
	if (rc < 0)
		error_errno(err, SCOPE_MESSAGE, "cannot make new messages durable");
	for (struct draft *draft = store->drafts; draft; draft = draft->next)
		if (is_waiting(draft) && maildir_deliver_device(draft->delivery) == store->device)
			end_draft(draft, rc == 0);
	return rc;
}

/*
 * A sync that failed is never repeated: the kernel reports a lost page once and then takes it for
 * clean. The drafts concerned are lost instead, and will be fetched again.
 */
int draft_settle_all(struct store_maildir *store, struct error *err)
{
	size_t count = 0;
	int rc = 0;

	for (const struct draft *draft = store->drafts; draft; draft = draft->next)
		if (is_waiting(draft) && maildir_deliver_device(draft->delivery) == store->device)
			count++;
	if (count > SYNC_SINGLY_MAX)
		rc = settle_file_system(store, err);
	for (struct draft *draft = store->drafts; draft; draft = draft->next)
		if (is_waiting(draft) && settle_one(draft, rc < 0 ? NULL : err) < 0)
			rc = -1;
	store->resting = 0;
	return rc;
}

/* Its content is on disk before its name is in place. */
int draft_publish(struct draft *draft, const struct request *request, uint32_t *left_out,
		  struct error *err)
{
	struct maildir_mailbox *mailbox;

	assert(draft->finished);
	if (is_waiting(draft) && settle_one(draft, err) < 0)
		return -1;
	if (draft->failed)
		return error_set(err, ERROR_IO, SCOPE_MESSAGE,
				 "mailbox %s: message %s could not be made durable",
				 text_show(draft->mailbox),
				 text_show(maildir_deliver_name(draft->delivery)));
	mailbox = cache_get(draft->store, draft->mailbox, err);
	if (mailbox && request->replaces)
		return maildir_deliver_replace(draft->delivery, mailbox, request->replaces,
					       request->date, err);
	if (!mailbox ||
	    maildir_keywords_claim(mailbox, request->flags.keywords, left_out, err) < 0)
		return -1;
	return maildir_deliver_publish(draft->delivery, mailbox, request->flags, request->date,
				       err);
}
