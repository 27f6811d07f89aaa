// SPDX-License-Identifier: GPL-3.0-or-later
/* The deep part of a verification: what the server really holds. */
#include "sync/verify-inner.h"

#include "base/alloc.h"

#include <stdlib.h>

/* A download of many. */
struct download {
	struct message_key *keys;
	uint64_t *sizes;
	size_t count;
	struct digest_stream *digest;
	bool *came; /* beside the pairs */
};

/* Those that the list told of. */
static void choose(const struct verification *it, struct download *download)
{
	download->keys = xcalloc(it->len + 1, sizeof(*download->keys));
	download->sizes = xcalloc(it->len + 1, sizeof(*download->sizes));
	download->came = xcalloc(it->len + 1, sizeof(*download->came));
	for (size_t i = 0; i < it->len; i++) {
		if (!it->held[REMOTE][i].known)
			continue;
		download->sizes[download->count] = it->held[REMOTE][i].identity.size;
		download->keys[download->count++].uid = it->pairs[i].uid;
	}
}

/* What the message's bytes should be, or NULL where nobody knows. */
static const struct digest *expected(const struct verification *it, size_t i)
{
	if (digest_is_known(&it->pairs[i].digest))
		return &it->pairs[i].digest;
	return it->held[LOCAL][i].known ? &it->held[LOCAL][i].identity.digest : NULL;
}

/* A message has come whole. */
static void end_body(struct verification *it, struct download *download, uint32_t uid)
{
	struct digest found;
	const struct digest *want;
	size_t index;

	digest_finish(download->digest, &found);
	if (!uid || !journal_find_uid(it->journal, uid, &index))
		return;
	download->came[index] = true;
	it->held[REMOTE][index].identity.digest = found;
	it->held[REMOTE][index].identity.has_digest = true;
	want = expected(it, index);
	if (want && !digest_equal(want, &found))
		verify_add_pair(it, FINDING_MESSAGE_DAMAGED, REMOTE, index,
				"the server's bytes are not those that were agreed on");
}

/* Takes in what comes. */
static void take(struct verification *it, struct download *download, const struct answer *answer,
		 struct error *why)
{
	if (answer->kind == ANSWER_BODY) {
		it->result->downloaded += answer->len;
		digest_update(download->digest, answer->data, answer->len);
	} else if (answer->kind == ANSWER_BODY_END) {
		end_body(it, download, answer->message.key.uid);
	} else if (answer->kind == ANSWER_DONE) {
		*why = answer->error;
	}
}

/* Those that did not come. */
static void miss(struct verification *it, const struct download *download, const struct error *why)
{
	const char *text = why->kind != ERROR_NONE
			       ? arena_strdup(&it->result->arena, why->text)
			       : "the server does not give it";

	for (size_t i = 0; i < it->len; i++)
		if (it->held[REMOTE][i].known && !download->came[i])
			verify_add_pair(it, FINDING_MESSAGE_UNREADABLE, REMOTE, i, text);
}

int verify_bodies(struct verification *it, struct error *err)
{
	struct store *store = it->channel->setup.stores[REMOTE];
	struct download download = {.digest = digest_open()};
	struct request request = {.kind = REQUEST_FETCH,
				  .mailbox = it->box->at[REMOTE],
				  .uidvalidity = journal_head(it->journal)->uidvalidity};
	struct error why = {0};
	struct answer answer;
	int rc = 0;

	choose(it, &download);
	request.keys = download.keys;
	request.sizes = download.sizes;
	request.count = download.count;
	if (request.count)
		rc = store_submit(store, &request, err);
	while (request.count && !rc && (rc = store_next(store, &answer, err)) == 1) {
		rc = 0;
		take(it, &download, &answer, &why);
	}
	if (!rc)
		miss(it, &download, &why);
	digest_close(&download.digest);
	free(download.keys);
	free(download.sizes);
	free(download.came);
	return rc;
}
