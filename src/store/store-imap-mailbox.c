// SPDX-License-Identifier: GPL-3.0-or-later
/* The account's mailboxes by name and by the server's bytes, and which of them is open. */
#include "base/alloc.h"
#include "base/array.h"
#include "base/text.h"
#include "store/store-imap-inner.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How this server names its mailboxes. */
struct mailbox_naming store_naming(const struct store_imap *store)
{
	struct mailbox_naming naming = *imap_naming(store->session);

	if (!naming.delimiter)
		naming.delimiter = store->delimiter;
	return naming;
}

/* Looks a mailbox up by the server's bytes. */
struct remote_mailbox *mailbox_find_wire(struct store_imap *store, const char *wire, size_t len)
{
	size_t index;

	return map_get(&store->by_wire, wire, len, &index) ? store->mailboxes[index] : NULL;
}

/* Adds a mailbox that has no name yet. */
struct remote_mailbox *mailbox_add_wire(struct store_imap *store, const char *wire, size_t len)
{
	struct remote_mailbox *mailbox = xcalloc(1, sizeof(*mailbox));

	mailbox->wire = xstrndup(wire, len);
	mailbox->wire_len = len;
	*array_push(store->mailboxes, store->len, store->cap) = mailbox;
	map_put(&store->by_wire, mailbox->wire, len, store->len - 1);
	return mailbox;
}

/* Whether it is named by the server's bytes for it; INBOX may be written in any case. */
bool mailbox_is_named(const struct remote_mailbox *mailbox, const struct imap_answer *answer)
{
	size_t len = mailbox->wire_len;

	if (answer->name.len != len)
		return false;
	return !memcmp(answer->name.bytes, mailbox->wire, len) ||
	       (len == 5 && !strcasecmp(mailbox->wire, "INBOX") &&
		!strncasecmp(answer->name.bytes, "INBOX", len));
}

/* Gives a mailbox its name; from then on it is the one of that name. */
void mailbox_set_name(struct store_imap *store, struct remote_mailbox *mailbox, const char *name)
{
	size_t own, index;

	map_get(&store->by_wire, mailbox->wire, mailbox->wire_len, &own);
	if (mailbox->name &&
	    map_get(&store->by_name, mailbox->name, strlen(mailbox->name), &index) && index == own)
		map_remove(&store->by_name, mailbox->name, strlen(mailbox->name));
	map_remove(&store->by_name, name, strlen(name));
	free(mailbox->name);
	mailbox->name = xstrdup(name);
	map_put(&store->by_name, mailbox->name, strlen(mailbox->name), own);
}

/*
 * What had the new bytes before, or a mailbox that is not there, takes over the old ones and the
 * old name: whoever asks for that finds nothing, and may make it anew.
 */
void mailbox_rename(struct store_imap *store, struct remote_mailbox *mailbox, const char *wire,
		    size_t len, const char *name)
{
	struct remote_mailbox *other = mailbox_find_wire(store, wire, len);
	char *old_name = mailbox->name ? xstrdup(mailbox->name) : NULL;
	char *old_wire = mailbox->wire;
	size_t old_len = mailbox->wire_len, own, others;

	if (!other)
		other = mailbox_add_wire(store, wire, len);
	map_get(&store->by_wire, old_wire, old_len, &own);
	map_get(&store->by_wire, other->wire, other->wire_len, &others);
	uidset_free(&other->trace.meant);
	mailbox->wire = other->wire;
	mailbox->wire_len = other->wire_len;
	*other = (struct remote_mailbox){.name = other->name,
					 .wire = old_wire,
					 .wire_len = old_len,
					 .delimiter = mailbox->delimiter};
	map_put(&store->by_wire, mailbox->wire, mailbox->wire_len, own);
	map_put(&store->by_wire, other->wire, other->wire_len, others);
	if (name)
		mailbox_set_name(store, mailbox, name);
	if (old_name)
		mailbox_set_name(store, other, old_name);
	free(old_name);
}

/* A mailbox that was never listed gets the bytes that its name is encoded to. */
struct remote_mailbox *mailbox_of_name(struct store_imap *store, const char *name,
				       struct error *err)
{
	struct mailbox_naming naming = store_naming(store);
	struct remote_mailbox *mailbox;
	struct buf wire;
	size_t index;

	if (map_get(&store->by_name, name, strlen(name), &index))
		return store->mailboxes[index];
	buf_init(&wire, 8 * MAILBOX_NAME_MAX);
	if (mailbox_name_to_wire(&naming, name, &wire, err) < 0) {
		buf_free(&wire);
		return NULL;
	}
	mailbox = mailbox_find_wire(store, wire.data, wire.len);
	if (mailbox && mailbox->name) {
		error_set(err, ERROR_REFUSED, SCOPE_MAILBOX,
			  "mailbox %s: the server's name for it is that of mailbox %s",
			  text_show(name), text_show(mailbox->name));
		mailbox = NULL;
	} else {
		if (!mailbox)
			mailbox = mailbox_add_wire(store, wire.data, wire.len);
		mailbox_set_name(store, mailbox, name);
	}
	buf_free(&wire);
	return mailbox;
}

/* Copies what was learned of each. */
void mailboxes_copy(struct store_imap *store, const struct store_imap *from)
{
	store->delimiter = from->delimiter;
	for (size_t i = 0; i < from->len; i++) {
		const struct remote_mailbox *known = from->mailboxes[i];
		struct remote_mailbox *mailbox =
		    mailbox_add_wire(store, known->wire, known->wire_len);
		char *wire = mailbox->wire;

		*mailbox = *known;
		mailbox->wire = wire;
		mailbox->name = NULL;
		mailbox->trace = (struct trace){0};
		if (known->name)
			mailbox_set_name(store, mailbox, known->name);
	}
}

/* Frees the table. */
void mailboxes_free(struct store_imap *store)
{
	map_free(&store->by_name);
	map_free(&store->by_wire);
	for (size_t i = 0; i < store->len; i++) {
		free(store->mailboxes[i]->name);
		free(store->mailboxes[i]->wire);
		uidset_free(&store->mailboxes[i]->trace.meant);
		free(store->mailboxes[i]);
	}
	free(store->mailboxes);
}

struct selection *selection_hold(struct selection *selection)
{
	selection->references++;
	return selection;
}

void selection_drop(struct selection **selection)
{
	if (*selection && !--(*selection)->references)
		free(*selection);
	*selection = NULL;
}

/* Before anything was said of it, and where nothing can be changed anyway. */
static const struct flag_room room_for_all = {.bits = FLAG_ALL, .any_keyword = true};

/* The mailbox of the commands that follow. */
void store_select(struct store_imap *store, struct job *job, const struct stamp *since)
{
	struct remote_mailbox *mailbox = job->mailbox;
	struct selection *selection = xcalloc(1, sizeof(*selection));
	const struct stamp base = since ? *since : (struct stamp){.uidnext = 1};

	selection->mailbox = mailbox;
	selection->permanent = room_for_all;
	selection_drop(&job->selection);
	selection_drop(&store->wire);
	job->selection = selection_hold(selection);
	store->wire = selection_hold(selection);
	store_add_step(store, job, STEP_SELECT,
		       imap_select(store->session, mailbox->wire, mailbox->wire_len,
				   store->read_only, base.uidvalidity, base.modseq,
				   base.uidnext - 1),
		       selection);
}

/* No mailbox is open any more. */
void store_leave(struct store_imap *store, struct job *job)
{
	store_add_step(store, job, STEP_UNSELECT, imap_unselect(store->session), NULL);
	selection_drop(&store->wire);
}

bool store_is_selected(const struct store_imap *store, const struct job *job)
{
	return job->selection && store->wire == job->selection &&
	       job->selection->state != SELECTION_FAILED;
}

/* Whether a step's answers can be told from those of a job's: bodies can, by their UIDs. */
static bool is_apart(const struct step *step, const struct job *job)
{
	return job->kind == &fetch_job && step->job->kind == &fetch_job &&
	       (step->kind == STEP_SELECT || step->kind == STEP_BODY);
}

/* Whether another job still awaits answers in a selection that a job could take for its own. */
static bool is_shared(const struct store_imap *store, const struct selection *selection,
		      const struct job *job)
{
	const struct step *step;

	TAILQ_FOREACH(step, &store->steps, link)
	if (step->selection == selection && step->job != job && !is_apart(step, job))
		return true;
	return false;
}

/*
 * A mailbox that is open, or is being opened, is not opened again, but for who reads beside another
 * job: Dovecot works on several commands at once in the same mailbox, so its untagged answers do
 * not tell whom they are for; a SELECT it begins only when all before it is done. Bodies are read
 * beside bodies: to open a large mailbox costs a server as much as thousands of small messages.
 */
void store_ensure_selected(struct store_imap *store, struct job *job)
{
	struct selection *wire = store->wire;

	if (!wire || wire->mailbox != job->mailbox || wire->state == SELECTION_FAILED ||
	    (!job->kind->changes && is_shared(store, wire, job))) {
		store_select(store, job, NULL);
	} else if (job->selection != wire) {
		selection_drop(&job->selection);
		job->selection = selection_hold(wire);
	}
}

/* Reads PERMANENTFLAGS: "\*" lets the client make keywords, $Forwarded among them. */
static struct flag_room read_permanent(const struct imap_string *text)
{
	const char *at = text->bytes, *end = at + text->len;
	struct flags flags = {0};
	bool any = false;

	while (at < end) {
		const char *blank = memchr(at, ' ', (size_t)(end - at));
		size_t len = (size_t)((blank ? blank : end) - at);

		if (len == 2 && !memcmp(at, "\\*", 2))
			any = true;
		else
			flags = flags_union(flags, flag_from_imap(at, len));
		at += len + 1;
	}
	return (struct flag_room){.bits = flags.bits | (any ? FLAG_FORWARDED : 0),
				  .any_keyword = any,
				  .keywords = flags_known(flags).keywords};
}

/* One of the codes that come while a mailbox is opened. */
static void selection_take_code(struct selection *selection, const struct imap_answer *answer)
{
	struct stamp *stamp = &selection->stamp;

	switch (answer->code) {
	case IMAP_CODE_CLOSED: selection->began = true; return;
	case IMAP_CODE_UIDVALIDITY:
		stamp->uidvalidity = (uint32_t)answer->code_number;
		selection->began = true;
		return;
	case IMAP_CODE_UIDNEXT: stamp->uidnext = (uint32_t)answer->code_number; return;
	case IMAP_CODE_HIGHESTMODSEQ: stamp->modseq = answer->code_number; return;
	case IMAP_CODE_MAILBOXID: stamp->mailbox_id = answer->code_number; return;
	case IMAP_CODE_PERMANENTFLAGS:
		selection->permanent = read_permanent(&answer->code_text);
		return;
	default: return;
	}
}

/* The end of the opening. */
static void selection_end(struct store_imap *store, struct selection *selection,
			  const struct imap_answer *answer)
{
	struct remote_mailbox *mailbox = selection->mailbox;

	if (answer->status != IMAP_OK) {
		selection->state = SELECTION_FAILED;
		selection->bad = answer->status == IMAP_BAD;
		store_describe_refusal(&selection->error, SCOPE_MAILBOX, mailbox->name, "open it",
				       answer);
		return;
	}
	selection->state = selection->malformed ? SELECTION_FAILED : SELECTION_OPEN;
	selection->stamp.messages = selection->exists;
	if (store->read_only)
		selection->permanent = room_for_all;
	mailbox->permanent = selection->permanent;
	mailbox->has_permanent = true;
}

/*
 * Until something of the new mailbox has come, what the server says of sizes is still of the one
 * before it.
 */
void selection_take(struct store_imap *store, const struct step *step,
		    const struct imap_answer *answer)
{
	struct selection *selection = step->selection;
	bool opening = step->kind == STEP_SELECT;

	switch (answer->kind) {
	case IMAP_FLAGS: selection->began = true; break;
	case IMAP_EXISTS:
		selection->exists = answer->number;
		selection->began = true;
		break;
	case IMAP_EXPUNGE:
		if (selection->began && selection->exists)
			selection->exists--;
		break;
	case IMAP_VANISHED:
		if (selection->began && !answer->earlier) {
			uint64_t gone = uidset_count(answer->uids);

			selection->exists -=
			    gone < selection->exists ? (uint32_t)gone : selection->exists;
		}
		break;
	case IMAP_STATUS_LINE:
		if (opening)
			selection_take_code(selection, answer);
		break;
	case IMAP_MALFORMED:
		selection->malformed |= opening;
		if (opening)
			store_describe_malformed(&selection->error, selection->mailbox->name,
						 answer);
		break;
	case IMAP_TAGGED:
		if (opening)
			selection_take_code(selection, answer);
		if (opening)
			selection_end(store, selection, answer);
		break;
	default: break;
	}
}

/* Whether the job may go by what its mailbox answered. */
int job_check_selection(struct job *job)
{
	const struct selection *selection = job->selection;

	if (selection->state == SELECTION_FAILED) {
		job->error = selection->error;
		return -1;
	}
	if (!job->request.uidvalidity || job->request.uidvalidity == selection->stamp.uidvalidity)
		return 0;
	return error_set(&job->error, ERROR_REFUSED, SCOPE_MAILBOX,
			 "mailbox %s: the server gave it a new UIDVALIDITY (%u, was %u) during the "
			 "run; nothing was done in it, the next run matches it anew",
			 text_show(job->request.mailbox), selection->stamp.uidvalidity,
			 job->request.uidvalidity);
}
