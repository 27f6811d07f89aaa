// SPDX-License-Identifier: GPL-3.0-or-later
/* What a verification mends: only what both other witnesses prove. */
#include "sync/verify-inner.h"

#include "base/text.h"

/* What a download for a repair came to. */
struct rescue {
	struct draft *draft;
	struct identity identity;
	struct error error; /* of the draft, or of the message */
	bool whole;
};

/* Downloads one message into a draft. -1: the session is broken. */
static int fetch(struct verification *it, const struct pair *pair, struct rescue *rescue,
		 struct error *err)
{
	struct store *remote = it->channel->setup.stores[REMOTE];
	struct store *local = it->channel->setup.stores[LOCAL];
	const struct message_key key = {.uid = pair->uid};
	const struct request request = {.kind = REQUEST_FETCH,
					.mailbox = it->box->at[REMOTE],
					.uidvalidity = journal_head(it->journal)->uidvalidity,
					.keys = &key,
					.count = 1};
	struct answer answer;
	int rc = store_submit(remote, &request, err);

	while (!rc && (rc = store_next(remote, &answer, err)) == 1) {
		rc = 0;
		if (answer.kind == ANSWER_DONE && answer.error.kind != ERROR_NONE)
			rescue->error = answer.error;
		if (answer.kind == ANSWER_BODY_END && answer.message.key.uid == pair->uid)
			rescue->whole = true;
		if (answer.kind != ANSWER_BODY || rescue->error.kind != ERROR_NONE)
			continue;
		it->result->downloaded += answer.len;
		store_write_draft(local, rescue->draft, answer.data, answer.len, &rescue->error);
	}
	return rc;
}

/* Both sides hold the same, and the journal something else: it learns. */
static void correct_journal(struct verification *it, const struct pair *pair,
			    const struct identity *identity)
{
	struct pair corrected = *pair;

	corrected.size = identity->size;
	corrected.digest = identity->digest;
	corrected.message_id = identity->message_id;
	journal_put(it->journal, &corrected);
}

/* Puts the download in the damaged file's place. */
static const char *replace(struct verification *it, const struct pair *pair, struct rescue *rescue)
{
	struct store *local = it->channel->setup.stores[LOCAL];
	const struct request publish = {.kind = REQUEST_PUBLISH,
					.mailbox = it->box->at[LOCAL],
					.draft = rescue->draft,
					.replaces = pair->name,
					.date = pair->date};
	struct answer answer;

	if (store_settle(local, NULL, &rescue->error) ||
	    store_do(local, &publish, &answer, &rescue->error) ||
	    store_settle(local, NULL, &rescue->error))
		return NULL;
	return "fetched again; the damaged file is kept beside cur, in the directory "
	       "evenmail-damaged";
}

/* Judges what came, by the journal and by the file. NULL: rescue->error says why not. */
static const char *judge(struct verification *it, size_t index, struct rescue *rescue)
{
	const struct pair *pair = &it->pairs[index];
	const struct held *file = &it->held[LOCAL][index];
	const char *name;

	if (!rescue->whole && rescue->error.kind == ERROR_NONE)
		error_set(&rescue->error, ERROR_REFUSED, SCOPE_MESSAGE,
			  "the server does not give it");
	if (rescue->error.kind != ERROR_NONE ||
	    store_finish_draft(it->channel->setup.stores[LOCAL], rescue->draft, &rescue->identity,
			       &name, &rescue->error))
		return NULL;
	if (digest_is_known(&pair->digest) &&
	    digest_equal(&rescue->identity.digest, &pair->digest))
		return replace(it, pair, rescue);
	if (file->known && digest_equal(&rescue->identity.digest, &file->identity.digest)) {
		correct_journal(it, pair, &rescue->identity);
		return "file and server hold the same: the journal was wrong, and is corrected";
	}
	error_set(
	    &rescue->error, ERROR_REFUSED, SCOPE_MESSAGE,
	    "the server's bytes are neither the file's nor those that were agreed on: nothing "
	    "is proved");
	return NULL;
}

/* A damaged file: the server is asked for its copy. */
static int mend_file(struct verification *it, struct finding *finding, struct error *err)
{
	const struct pair *pair = &it->pairs[finding->pair];
	struct store *local = it->channel->setup.stores[LOCAL];
	struct rescue rescue = {0};
	int rc = 0;

	if (!it->looked[REMOTE] || !it->held[REMOTE][finding->pair].known) {
		finding->mending = "the server does not have it any more";
		return 0;
	}
	if (!store_open_draft(local, it->box->at[LOCAL], &rescue.draft, &rescue.error))
		rc = fetch(it, pair, &rescue, err);
	if (!rc)
		verify_note_mending(it->result, finding, judge(it, finding->pair, &rescue),
				    &rescue.error);
	store_drop_draft(local, rescue.draft);
	return rc;
}

/* A digest that is missing: the file's, where the server does not contradict. */
static void fill_in(struct verification *it, struct finding *finding)
{
	const struct pair *pair = &it->pairs[finding->pair];
	const struct identity *file = &it->held[LOCAL][finding->pair].identity;
	const struct held *there = &it->held[REMOTE][finding->pair];
	bool same = there->known &&
		    (there->identity.has_digest
			 ? digest_equal(&there->identity.digest, &file->digest)
			 : there->identity.size == file->size);

	if (!same) {
		finding->mending = "the server's message does not prove that the file is right";
		return;
	}
	correct_journal(it, pair, file);
	verify_note_mending(it->result, finding, "filled in from the file", NULL);
}

/* Pairs must stay where they are while findings tell of them: the journal is changed in place. */
int verify_repair(struct verification *it, struct error *err)
{
	struct error why;

	for (size_t i = 0; i < it->result->len; i++) {
		struct finding *finding = &it->result->findings[i];
		if (finding->kind == FINDING_DIGEST_UNKNOWN)
			fill_in(it, finding);
		else if ((finding->kind == FINDING_FILE_DAMAGED ||
			  finding->kind == FINDING_FILE_UNREADABLE) &&
			 mend_file(it, finding, err))
			return -1;
		it->pairs = journal_pairs(it->journal, &it->len);
	}
	if (journal_commit(it->journal, NULL, &why))
		verify_add_error(it->result, FINDING_JOURNAL, LOCAL, &why);
	return 0;
}
