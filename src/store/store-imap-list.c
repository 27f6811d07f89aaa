// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * LIST: every mailbox with its figures, in one flight where the server has LIST-STATUS, else with a
 * second one of STATUS; a STATUS that cannot be read tells nothing. Subscriptions come with the
 * list, or by LSUB beside it. What cannot be named, or is better not synced, is left out and said.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "store/store-imap-inner.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_SHOWN_MAX 200 /* bytes of a wire name that are shown */

enum list_phase {
	LIST_START,
	LIST_ASKED,  /* with STATUS in the same command */
	LIST_PLAIN,  /* without */
	LIST_FIGURES /* the STATUS of each */
};

struct list_state {
	enum list_phase phase;
	bool refused;
	bool told_figures; /* with the list */
	size_t next;       /* mailbox to ask for its figures, or to be told */
	struct error error;
};

/* Asks for the list; what an earlier one said is void. */
static enum job_progress list_ask(struct store_imap *store, struct job *job, bool with_status)
{
	bool subscribed = job->request.want_subscribed;
	/* a server that refused the first LIST may not know the words that it offers */
	bool inside = subscribed && imap_list_extended(store->session) && !job->list->refused;

	job->list->phase = with_status ? LIST_ASKED : LIST_PLAIN;
	job->list->refused = false;
	for (size_t i = 0; i < store->len; i++) {
		store->mailboxes[i]->listed = false;
		store->mailboxes[i]->attributes = 0;
		store->mailboxes[i]->stamp = (struct stamp){0};
	}
	store_add_step(store, job, STEP_LIST, imap_list_all(store->session, with_status, inside),
		       NULL);
	if (subscribed && !inside)
		store_add_step(store, job, STEP_LSUB, imap_lsub_all(store->session), NULL);
	return JOB_WAITS;
}

/* Takes in one line of the list. */
static void list_take_name(struct store_imap *store, const struct imap_answer *answer)
{
	struct remote_mailbox *mailbox =
	    mailbox_find_wire(store, answer->name.bytes, answer->name.len);

	if (!mailbox)
		mailbox = mailbox_add_wire(store, answer->name.bytes, answer->name.len);
	mailbox->listed = true;
	mailbox->attributes |= answer->attributes;
	mailbox->delimiter = answer->delimiter;
	if (answer->delimiter)
		store->delimiter = answer->delimiter;
}

/* The mailbox that an answer names; INBOX is INBOX in any case. */
static struct remote_mailbox *find_named(struct store_imap *store, const struct imap_answer *answer)
{
	struct remote_mailbox *mailbox =
	    mailbox_find_wire(store, answer->name.bytes, answer->name.len);

	for (size_t i = 0; !mailbox && i < store->len; i++)
		if (mailbox_is_named(store->mailboxes[i], answer))
			mailbox = store->mailboxes[i];
	return mailbox;
}

/*
 * Takes in a subscription, listed as yet or not; \Noselect is a name that is only above one. One to
 * what is not there says nothing.
 */
static void list_take_subscription(struct store_imap *store, const struct imap_answer *answer)
{
	struct remote_mailbox *mailbox = find_named(store, answer);

	if (answer->attributes & IMAP_NOSELECT)
		return;
	if (!mailbox)
		mailbox = mailbox_add_wire(store, answer->name.bytes, answer->name.len);
	mailbox->attributes |= IMAP_SUBSCRIBED;
}

/* The figures of a STATUS; 0 for what it does not tell. */
struct stamp stamp_of_status(const struct imap_mailbox_status *status)
{
	return (struct stamp){
	    .uidvalidity = status->has & IMAP_HAS_UIDVALIDITY ? status->uidvalidity : 0,
	    .uidnext = status->has & IMAP_HAS_UIDNEXT ? status->uidnext : 0,
	    .messages = status->has & IMAP_HAS_MESSAGES ? status->messages : 0,
	    .modseq = status->has & IMAP_HAS_HIGHESTMODSEQ ? status->highestmodseq : 0,
	    .mailbox_id = status->has & IMAP_HAS_MAILBOX_ID ? status->mailbox_id : 0,
	};
}

/* One that is not known has none. */
void mailbox_take_status(struct store_imap *store, const struct imap_answer *answer)
{
	struct remote_mailbox *mailbox = find_named(store, answer);

	if (!mailbox)
		return;
	mailbox->thinned = false;
	mailbox->stamp = stamp_of_status(&answer->mailbox);
}

/* Whether the server lists others below a mailbox. */
static bool has_children(const struct store_imap *store, const struct remote_mailbox *mailbox)
{
	for (size_t i = 0; mailbox->delimiter && i < store->len; i++) {
		const struct remote_mailbox *other = store->mailboxes[i];

		if (other->listed && other->wire_len > mailbox->wire_len &&
		    other->wire[mailbox->wire_len] == mailbox->delimiter &&
		    !memcmp(other->wire, mailbox->wire, mailbox->wire_len))
			return true;
	}
	return false;
}

/*
 * A mailbox has no figures. Dovecot 2.3 lists one that was deleted as long as there are others
 * below it, and does not call it \Noselect; only its STATUS fails, with no code that would tell
 * of another reason.
 */
static void list_take_refusal(struct store_imap *store, const struct step *step,
			      const struct imap_answer *answer)
{
	struct remote_mailbox *mailbox = store->mailboxes[step->first];

	if (answer->status == IMAP_NO &&
	    (answer->code == IMAP_CODE_NONE || answer->code == IMAP_CODE_NONEXISTENT) &&
	    has_children(store, mailbox))
		mailbox->attributes |= IMAP_NONEXISTENT | IMAP_NOSELECT;
}

static bool list_take(struct store_imap *store, struct job *job, const struct step *step,
		      const struct imap_answer *answer, struct answer *out)
{
	(void)out;
	/*
	 * One that comes once the mailboxes have their names, while figures are asked for, is too
	 * late.
	 */
	if (answer->kind == IMAP_LIST && job->list->phase != LIST_FIGURES)
		list_take_name(store, answer);
	else if (answer->kind == IMAP_LSUB)
		list_take_subscription(store, answer);
	else if (answer->kind == IMAP_STATUS)
		mailbox_take_status(store, answer);
	else if (answer->kind == IMAP_TAGGED && answer->status != IMAP_OK &&
		 (step->kind == STEP_LIST || step->kind == STEP_LSUB)) {
		job->list->refused = true;
		store_describe_refusal(&job->list->error, SCOPE_STORE, NULL,
				       step->kind == STEP_LIST ? "list the mailboxes"
							       : "list the subscriptions",
				       answer);
	} else if (answer->kind == IMAP_TAGGED && step->kind == STEP_STATUS) {
		list_take_refusal(store, step, answer);
	}
	return false;
}

/* Says that a mailbox is left out, and why. */
static void leave_out(struct remote_mailbox *mailbox, enum log_level level, const char *why)
{
	struct buf wire;

	mailbox->left_out = true;
	buf_init(&wire, 4 * NAME_SHOWN_MAX + 8);
	text_escape(&wire, mailbox->wire, mailbox->wire_len, NAME_SHOWN_MAX);
	log_line(level, "the server's mailbox \"%s\" is left out: %s", wire.data, why);
	buf_free(&wire);
}

/* True where a mailbox has the better claim to a name that two have: always the same of the two. */
static bool is_rightful(struct store_imap *store, const struct remote_mailbox *mailbox,
			const struct remote_mailbox *other, const char *name)
{
	struct mailbox_naming naming = store_naming(store);
	struct buf wire;
	bool mine = false, others = false;

	buf_init(&wire, 8 * MAILBOX_NAME_MAX);
	if (!mailbox_name_to_wire(&naming, name, &wire, NULL)) {
		mine = wire.len == mailbox->wire_len && !memcmp(wire.data, mailbox->wire, wire.len);
		others = wire.len == other->wire_len && !memcmp(wire.data, other->wire, wire.len);
	}
	buf_free(&wire);
	if (mine || others)
		return mine;
	size_t len = mailbox->wire_len < other->wire_len ? mailbox->wire_len : other->wire_len;
	int order = memcmp(mailbox->wire, other->wire, len);
	return order ? order < 0 : mailbox->wire_len < other->wire_len;
}

/* Settles which of two mailboxes has the name. */
static void list_claim(struct store_imap *store, struct remote_mailbox *mailbox, const char *name)
{
	struct remote_mailbox *other = NULL;
	size_t index;

	if (map_get(&store->by_name, name, strlen(name), &index))
		other = store->mailboxes[index];
	if (other == mailbox || !other || !other->listed || other->left_out) {
		mailbox_set_name(store, mailbox, name);
		return;
	}
	bool wins = is_rightful(store, mailbox, other, name);
	char *why =
	    xasprintf("another of the server's mailboxes is \"%s\" here too", text_show(name));
	leave_out(wins ? other : mailbox, LOG_LEVEL_WARN, why);
	free(why);
	if (wins)
		mailbox_set_name(store, mailbox, name);
}

/* Names one mailbox, or leaves it out. */
static void list_name(struct store_imap *store, struct remote_mailbox *mailbox)
{
	struct mailbox_naming naming = store_naming(store);
	struct error why;
	struct buf name;

	if (mailbox->delimiter)
		naming.delimiter = mailbox->delimiter;
	buf_init(&name, 8 * MAILBOX_NAME_MAX);
	if (mailbox_name_from_wire(&naming, mailbox->wire, mailbox->wire_len, &name, &why) < 0) {
		mailbox->left_out = true;
		log_warn("%s; the mailbox is left out", why.text);
	} else if (mailbox->attributes & IMAP_ALL &&
		   imap_capabilities(store->session) & IMAP_CAP_GMAIL) {
		leave_out(mailbox, LOG_LEVEL_INFO,
			  "it shows the messages of all others once more (\\All)");
	} else {
		list_claim(store, mailbox, name.data);
	}
	buf_free(&name);
}

/* Names all that was listed; false where nothing was, which no account can mean. */
static bool list_name_all(struct store_imap *store)
{
	bool any = false;

	for (size_t i = 0; i < store->len; i++)
		store->mailboxes[i]->left_out = false;
	for (size_t i = 0; i < store->len; i++) {
		if (!store->mailboxes[i]->listed)
			continue;
		any = true;
		list_name(store, store->mailboxes[i]);
	}
	return any;
}

/* Whether a mailbox is told. */
static bool is_told(const struct remote_mailbox *mailbox)
{
	return mailbox->listed && !mailbox->left_out;
}

/* Whether the figures of a mailbox are to be asked for by themselves. */
static bool lacks_figures(const struct store_imap *store, const struct remote_mailbox *mailbox,
			  bool told_with_list)
{
	return is_told(mailbox) && !(mailbox->attributes & (IMAP_NOSELECT | IMAP_NONEXISTENT)) &&
	       (!told_with_list ||
		(!mailbox->stamp.uidvalidity && strcasecmp(mailbox->wire, "INBOX") != 0 &&
		 has_children(store, mailbox)));
}

/* Asks for the figures of each mailbox that lacks them, within the window. */
static enum job_progress list_ask_figures(struct store_imap *store, struct job *job)
{
	struct list_state *list = job->list;

	list->phase = LIST_FIGURES;
	for (; list->next < store->len && store->steps_len < STORE_WINDOW_STEPS; list->next++) {
		const struct remote_mailbox *mailbox = store->mailboxes[list->next];

		if (lacks_figures(store, mailbox, list->told_figures))
			store_add_step(
			    store, job, STEP_STATUS,
			    imap_status(store->session, mailbox->wire, mailbox->wire_len), NULL)
			    ->first = list->next;
	}
	return list->next < store->len || job->steps ? JOB_WAITS : JOB_DONE;
}

/* The list is here; where it came without figures they are asked for. */
static enum job_progress list_end(struct store_imap *store, struct job *job)
{
	struct list_state *list = job->list;
	bool any = !list->refused && list_name_all(store);
	bool with_status = list->phase == LIST_ASKED;

	if (!any && with_status)
		return list_ask(store, job, false);
	if (list->refused) {
		job->error = list->error;
		return JOB_DONE;
	}
	if (!any)
		return job_fail(job, ERROR_PROTOCOL, SCOPE_STORE,
				"the server lists no mailbox at all, not even INBOX: nothing is "
				"concluded from that");
	list->told_figures = with_status;
	return list_ask_figures(store, job);
}

static enum job_progress list_run(struct store_imap *store, struct job *job)
{
	if (!job->list)
		job->list = xcalloc(1, sizeof(*job->list));
	if (job->list->phase == LIST_START)
		return list_ask(store, job,
				imap_capabilities(store->session) & IMAP_CAP_LIST_STATUS);
	if (job->list->phase == LIST_FIGURES)
		return list_ask_figures(store, job);
	return job->steps ? JOB_WAITS : list_end(store, job);
}

/* The session's attributes and the store's. */
static const struct {
	unsigned imap, store;
} attribute_pairs[] = {
    {IMAP_NOSELECT | IMAP_NONEXISTENT, MAILBOX_NOSELECT},
    {IMAP_ALL, MAILBOX_ALL},
    {IMAP_ARCHIVE, MAILBOX_ARCHIVE},
    {IMAP_DRAFTS, MAILBOX_DRAFTS},
    {IMAP_FLAGGED, MAILBOX_FLAGGED},
    {IMAP_JUNK, MAILBOX_JUNK},
    {IMAP_SENT, MAILBOX_SENT},
    {IMAP_TRASH, MAILBOX_TRASH},
    {IMAP_SUBSCRIBED, MAILBOX_SUBSCRIBED},
};

#define PAIRS (sizeof(attribute_pairs) / sizeof(attribute_pairs[0]))

/* The session's attributes as the store's. */
static unsigned attributes_of(unsigned attributes)
{
	unsigned out = 0;

	for (size_t i = 0; i < PAIRS; i++)
		if (attributes & attribute_pairs[i].imap)
			out |= attribute_pairs[i].store;
	return out;
}

/* The special uses among the store's attributes as the session's. */
unsigned store_uses(unsigned special_use)
{
	unsigned out = 0;

	for (size_t i = 0; i < PAIRS; i++)
		if (special_use & MAILBOX_SPECIAL_USES & attribute_pairs[i].store)
			out |= attribute_pairs[i].imap;
	return out;
}

/* Tells the mailboxes one by one. */
static bool list_tell(struct store_imap *store, struct job *job, struct answer *out)
{
	struct list_state *list = job->list;

	if (job->error.kind != ERROR_NONE)
		return false;
	if (list->phase != LIST_START) {
		list->phase = LIST_START;
		list->next = 0;
	}
	while (list->next < store->len && !is_told(store->mailboxes[list->next]))
		list->next++;
	if (list->next == store->len)
		return false;
	const struct remote_mailbox *mailbox = store->mailboxes[list->next++];
	out->kind = ANSWER_MAILBOX;
	out->mailbox = mailbox->name;
	out->attributes = attributes_of(mailbox->attributes);
	if (imap_owner_of(store->session, mailbox->wire, mailbox->wire_len) != IMAP_PERSONAL)
		out->attributes |= MAILBOX_FOREIGN;
	if (!job->request.want_subscribed)
		out->attributes &= ~(unsigned)MAILBOX_SUBSCRIBED;
	out->stamp = mailbox->stamp;
	return true;
}

static void list_free(struct job *job)
{
	free(job->list);
}

const struct job_kind list_job = {
    .run = list_run, .take = list_take, .tell = list_tell, .free = list_free};
