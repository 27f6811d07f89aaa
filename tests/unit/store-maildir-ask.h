// SPDX-License-Identifier: GPL-3.0-or-later
/* Requests to a Maildir store and what comes back, for tests. */
#ifndef STORE_MAILDIR_ASK_H
#define STORE_MAILDIR_ASK_H

#include "maildir-fixture.h"

#include "store/store-maildir.h"

#define NAMES_MAX 64

/* What came back for one request. */
struct outcome {
	unsigned mailboxes, messages, bodies;
	char names[NAMES_MAX][MAILDIR_FILE_SIZE]; /* of messages, or of mailboxes */
	struct flags flags[NAMES_MAX];
	struct identity identities[NAMES_MAX];
	char body[256];
	size_t body_len;
	struct stamp stamp; /* of the last mailbox */
	struct answer done;
};

/* Notes a name that came back. */
static inline void note_name(struct outcome *outcome, unsigned at, const char *name)
{
	assert_true(at < NAMES_MAX);
	snprintf(outcome->names[at], MAILDIR_FILE_SIZE, "%s", name);
}

/* Submits one request and takes all its answers. */
static inline struct outcome *ask(struct store *store, struct request request)
{
	static struct outcome outcome;
	struct answer answer;
	struct error err = {0};
	unsigned at;

	memset(&outcome, 0, sizeof(outcome));
	request.ticket = 77;
	assert_int_equal(store_submit(store, &request, &err), 0);
	while (store_next(store, &answer, &err) == 1) {
		assert_int_equal(answer.ticket, 77);
		switch (answer.kind) {
		case ANSWER_MAILBOX:
			note_name(&outcome, outcome.mailboxes++, answer.mailbox);
			outcome.stamp = answer.stamp;
			break;
		case ANSWER_MESSAGE:
			at = outcome.messages++;
			note_name(&outcome, at, answer.message.key.name);
			outcome.flags[at] = answer.message.flags;
			outcome.identities[at] = answer.message.identity;
			break;
		case ANSWER_BODY:
			assert_true(outcome.body_len + answer.len <= sizeof(outcome.body));
			memcpy(outcome.body + outcome.body_len, answer.data, answer.len);
			outcome.body_len += answer.len;
			break;
		case ANSWER_BODY_END:
			assert_int_equal(answer.message.identity.size, outcome.body_len);
			note_name(&outcome, outcome.bodies++, answer.message.key.name);
			break;
		case ANSWER_MOVED:
			assert_string_equal(answer.message.key.name, answer.created.name);
			note_name(&outcome, outcome.messages++, answer.created.name);
			break;
		case ANSWER_DONE: outcome.done = answer; break;
		default: fail_msg("answer %d", answer.kind);
		}
	}
	assert_int_equal(outcome.done.kind, ANSWER_DONE);
	return &outcome;
}

/* The same, and it has to succeed. */
static inline struct outcome *ask_well(struct store *store, struct request request)
{
	struct outcome *outcome = ask(store, request);

	if (outcome->done.error.kind != ERROR_NONE)
		fail_msg("%s", outcome->done.error.text);
	return outcome;
}

/* A request of some kind about keys of mailbox m. */
static inline struct request about(enum request_kind kind, const struct message_key *keys,
				   size_t count)
{
	return (struct request){.kind = kind, .mailbox = "m", .keys = keys, .count = count};
}

/* Begins and finishes a draft. */
static inline struct draft *make_draft(struct store *store, const char *mailbox, const char *text,
				       const char **name)
{
	struct identity identity = {.date = DATE_UNKNOWN};
	struct draft *draft;
	struct error err = {0};

	if (store_open_draft(store, mailbox, &draft, &err) < 0 ||
	    store_write_draft(store, draft, text, strlen(text), &err) < 0 ||
	    store_finish_draft(store, draft, &identity, name, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(identity.size, strlen(text));
	return draft;
}

/* A request to publish. */
static inline struct request publishing(struct draft *draft, const char *mailbox, uint32_t flags)
{
	return (struct request){.kind = REQUEST_PUBLISH,
				.mailbox = mailbox,
				.draft = draft,
				.flags = {flags},
				.date = 1000000000};
}

#endif
