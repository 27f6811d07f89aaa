// SPDX-License-Identifier: GPL-3.0-or-later
/* What a Maildir store tells of mailboxes and their files without reading these. */
#include "store/store-maildir-inner.h"

#include "maildir/name.h"
#include "maildir/watch.h"

#include <string.h>

/* Fills an answer's message with what a file's name says. */
static void describe_entry(struct store_maildir *store, const struct maildir_entry *entry,
			   struct answer *answer)
{
	memcpy(store->name, entry->file, entry->unique_len);
	store->name[entry->unique_len] = '\0';
	answer->kind = ANSWER_MESSAGE;
	answer->message.key.name = store->name;
	answer->message.flags = entry->flags;
	answer->message.identity = (struct identity){
	    .size = maildir_name_wire_size(entry->file, entry->unique_len), .date = DATE_UNKNOWN};
}

/* LIST: one mailbox after the other. */
int step_list(struct store_maildir *store, struct answer *answer)
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
	answer->stamp = (struct stamp){
	    .cur_ns = listing->cur_ns, .new_ns = listing->new_ns, .inode = listing->inode};
	return 1;
}

/* STATUS: of the directories that are open. */
void step_status(struct store_maildir *store, const struct request *request, struct answer *answer)
{
	struct error *err = &store->progress.error;
	struct maildir_mailbox *mailbox = cache_get(store, request->mailbox, err);

	if (mailbox &&
	    maildir_mailbox_stamp(mailbox, &answer->stamp.cur_ns, &answer->stamp.new_ns, err) == 0)
		answer->stamp.inode = mailbox->inode;
}

/* SCAN: the directory of that name is opened anew, for it may be another than the last time. */
int step_scan(struct store_maildir *store, const struct request *request, struct answer *answer)
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
	answer->letters = progress->scan->keywords->letters;
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
int step_glance(struct store_maildir *store, const struct request *request, struct answer *answer)
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
