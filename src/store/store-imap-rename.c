// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * RENAME. It changes what names mean, so nothing else is on its way meanwhile: what was submitted
 * before is answered first, what comes behind it waits, and the table of mailboxes has the new
 * names by then. No mailbox that gets another name is open when it goes out.
 *
 * Servers tell a mailbox that is gone, or a name that is taken, by a code (RFC 5530) or just by NO:
 * then both are asked for.
 */
#include "base/alloc.h"
#include "base/text.h"
#include "store/store-imap-inner.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum rename_end { RENAME_SOURCE, RENAME_TARGET, RENAME_ENDS };

struct rename_state {
	struct remote_mailbox *target;
	bool unsure;             /* refused without a reason */
	bool asked;              /* for both ends */
	bool there[RENAME_ENDS]; /* it answered */
	struct error error;
};

/* How the server parts the names below a mailbox; 0 where there are none. */
static char delimiter_of(const struct store_imap *store, const struct remote_mailbox *mailbox)
{
	return mailbox->delimiter ? mailbox->delimiter : store_naming(store).delimiter;
}

/* Whether the server's name of a mailbox is below another one's. */
static bool is_below(const struct store_imap *store, const struct remote_mailbox *mailbox,
		     const struct remote_mailbox *above)
{
	char delimiter = delimiter_of(store, above);

	return delimiter && mailbox->wire_len > above->wire_len &&
	       mailbox->wire[above->wire_len] == delimiter &&
	       !memcmp(mailbox->wire, above->wire, above->wire_len);
}

/* Gives a mailbox below the renamed one its new names; without one for here it is left out. */
static void rename_below(struct store_imap *store, struct remote_mailbox *mailbox,
			 const struct remote_mailbox *renamed, size_t old_len)
{
	struct mailbox_naming naming = store_naming(store);
	struct buf wire, name;

	naming.delimiter = delimiter_of(store, renamed);
	buf_init(&wire, mailbox->wire_len + renamed->wire_len + 1);
	buf_init(&name, 8 * MAILBOX_NAME_MAX);
	buf_append(&wire, renamed->wire, renamed->wire_len);
	buf_append(&wire, mailbox->wire + old_len, mailbox->wire_len - old_len);
	if (mailbox_name_from_wire(&naming, wire.data, wire.len, &name, NULL) < 0)
		mailbox->left_out = true;
	mailbox_rename(store, mailbox, wire.data, wire.len, mailbox->left_out ? NULL : name.data);
	buf_free(&wire);
	buf_free(&name);
}

/* The server has renamed it, and all below it. */
static void rename_all(struct store_imap *store, struct job *job)
{
	struct remote_mailbox *mailbox = job->mailbox, *target = job->rename->target;
	size_t len = store->len;

	mailbox->delimiter = delimiter_of(store, mailbox);
	mailbox->listed = true;
	mailbox_rename(store, mailbox, target->wire, target->wire_len, job->request.target);
	/* what had the new name has the old one now */
	for (size_t i = 0; i < len; i++)
		if (store->mailboxes[i]->listed && is_below(store, store->mailboxes[i], target))
			rename_below(store, store->mailboxes[i], mailbox, target->wire_len);
}

/* Sends the command, once all that was sent before is answered. */
static enum job_progress rename_send(struct store_imap *store, struct job *job)
{
	const struct remote_mailbox *mailbox = job->mailbox, *open;
	struct remote_mailbox *target;

	assert(!mailbox_name_is_inbox(job->request.mailbox) &&
	       !mailbox_name_is_inbox(job->request.target));
	if (store->steps_len)
		return JOB_WAITS;
	target = mailbox_of_name(store, job->request.target, &job->error);
	if (!target)
		return JOB_DONE;
	if (is_below(store, target, mailbox))
		return job_fail(job, ERROR_REFUSED, SCOPE_MAILBOX,
				"mailbox %s: it cannot become mailbox %s, which is below itself",
				text_show(job->request.mailbox), text_show(job->request.target));
	job->rename = xcalloc(1, sizeof(*job->rename));
	job->rename->target = target;
	open = store->wire ? store->wire->mailbox : NULL;
	if (open && (open == mailbox || is_below(store, open, mailbox)))
		store_leave(store, job);
	store_add_step(store, job, STEP_RENAME,
		       imap_rename(store->session, mailbox->wire, mailbox->wire_len, target->wire,
				   target->wire_len),
		       NULL);
	return JOB_WAITS;
}

/* Asks whether both ends are there. */
static enum job_progress rename_ask(struct store_imap *store, struct job *job)
{
	const struct remote_mailbox *ends[RENAME_ENDS] = {job->mailbox, job->rename->target};

	job->rename->unsure = false;
	job->rename->asked = true;
	for (size_t i = 0; i < RENAME_ENDS; i++)
		store_add_step(store, job, STEP_STATUS,
			       imap_status(store->session, ends[i]->wire, ends[i]->wire_len), NULL)
		    ->first = i;
	return JOB_WAITS;
}

/* There is no such mailbox any more. */
static void fail_gone(struct job *job)
{
	job_fail(job, ERROR_REFUSED, SCOPE_MAILBOX,
		 "mailbox %s: it cannot be renamed to %s: it is not on the server any more; the "
		 "next run looks again",
		 text_show(job->request.mailbox), text_show(job->request.target));
	job->error.sys = ENOENT;
}

/* The new name is another mailbox's. */
static void fail_taken(struct job *job)
{
	job_fail(job, ERROR_REFUSED, SCOPE_MAILBOX,
		 "mailbox %s: it cannot be renamed to %s: the server has a mailbox of that name",
		 text_show(job->request.mailbox), text_show(job->request.target));
	job->error.sys = EEXIST;
}

/* Both ends were asked for: a mere name answers as if it were not there. */
static void rename_conclude(struct job *job)
{
	const struct rename_state *rename = job->rename;
	bool is_name = job->mailbox->listed && job->mailbox->attributes & IMAP_NOSELECT;

	if (!rename->there[RENAME_SOURCE] && !is_name)
		fail_gone(job);
	else if (rename->there[RENAME_TARGET])
		fail_taken(job);
	else
		job->error = rename->error;
}

static enum job_progress rename_run(struct store_imap *store, struct job *job)
{
	if (!job->rename)
		return rename_send(store, job);
	if (job->steps)
		return JOB_WAITS;
	if (job->rename->unsure)
		return rename_ask(store, job);
	if (job->rename->asked)
		rename_conclude(job);
	return JOB_DONE;
}

/* The command was refused. */
static void rename_take_refusal(struct job *job, const struct imap_answer *answer)
{
	if (answer->code == IMAP_CODE_NONEXISTENT) {
		fail_gone(job);
		return;
	}
	if (answer->code == IMAP_CODE_ALREADYEXISTS) {
		fail_taken(job);
		return;
	}
	job->rename->unsure = answer->status == IMAP_NO && answer->code == IMAP_CODE_NONE;
	store_describe_refusal(job->rename->unsure ? &job->rename->error : &job->error,
			       SCOPE_MAILBOX, job->request.mailbox, "rename it", answer);
}

static bool rename_take(struct store_imap *store, struct job *job, const struct step *step,
			const struct imap_answer *answer, struct answer *out)
{
	bool good = answer->status == IMAP_OK;

	(void)out;
	if (answer->kind != IMAP_TAGGED)
		return false;
	if (step->kind == STEP_STATUS)
		job->rename->there[step->first] = good;
	else if (step->kind == STEP_RENAME && good)
		rename_all(store, job);
	else if (step->kind == STEP_RENAME)
		rename_take_refusal(job, answer);
	return false;
}

static void rename_free(struct job *job)
{
	free(job->rename);
}

const struct job_kind rename_job = {
    .run = rename_run, .take = rename_take, .free = rename_free, .changes = true};
