// SPDX-License-Identifier: GPL-3.0-or-later
/* The side in memory is what tests lean on, so it is tested itself: deltas, breaks, power cuts. */
#include "store/store-memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct memory_abilities able = {
    .uidplus = true, .condstore = true, .qresync = true, .atomic_move = true, .stamps = true};

/* What came of one request. */
struct outcome {
	size_t messages, bodies, moved;
	struct uidset vanished;
	struct answer done;
};

/* Puts a message into INBOX. */
static struct message_key deliver(struct memory *memory, const char *content)
{
	return memory_deliver(memory, "INBOX", content, strlen(content), (struct flags){FLAG_SEEN},
			      5);
}

/* One request; -1 where the side broke. */
static int ask(struct store *store, struct request request, struct outcome *out)
{
	struct answer answer;
	struct error err;
	int rc;

	*out = (struct outcome){0};
	if (store_submit(store, &request, &err))
		return -1;
	while ((rc = store_next(store, &answer, &err)) == 1) {
		out->messages += answer.kind == ANSWER_MESSAGE;
		out->bodies += answer.kind == ANSWER_BODY_END;
		out->moved += answer.kind == ANSWER_MOVED;
		if (answer.kind == ANSWER_VANISHED)
			for (uint32_t uid = uidset_after(answer.uids, 0); uid;
			     uid = uidset_after(answer.uids, uid))
				uidset_add(&out->vanished, uid);
		if (answer.kind == ANSWER_DONE)
			out->done = answer;
	}
	if (rc < 0)
		assert_int_equal(err.scope, SCOPE_STORE);
	return rc;
}

/* A delta tells what changed since, and what is gone; without MODSEQ every scan is complete. */
static void tells_deltas(void **state)
{
	(void)state;
	for (int way = 0; way < 3; way++) {
		struct memory_abilities abilities = able;
		abilities.qresync = way == 0;
		abilities.condstore = way < 2;
		struct memory *memory = memory_new(REMOTE, &abilities);
		struct store *store = store_memory_open(memory);
		struct message_key one = deliver(memory, "one"), two = deliver(memory, "two");
		struct uidset known = {0};
		struct outcome out;
		assert_int_equal(
		    ask(store, (struct request){.kind = REQUEST_SCAN, .mailbox = "INBOX"}, &out),
		    0);
		assert_true(out.done.complete);
		assert_int_equal(out.messages, 2);
		assert_int_equal(out.done.stamp.modseq != 0, way < 2);
		uidset_add_range(&known, one.uid, two.uid);
		memory_expunge(memory, "INBOX", &one);
		deliver(memory, "three");
		assert_int_equal(ask(store,
				     (struct request){.kind = REQUEST_SCAN,
						      .mailbox = "INBOX",
						      .base = out.done.stamp,
						      .known = &known},
				     &out),
				 0);
		assert_int_equal(out.done.complete, way == 2);
		assert_int_equal(out.messages, way == 2 ? 2 : 1);
		assert_int_equal(uidset_has(&out.vanished, one.uid), way < 2);
		assert_false(uidset_has(&out.vanished, two.uid));
		uidset_free(&known);
		uidset_free(&out.vanished);
		store_close(&store);
		memory_free(&memory);
	}
}

/* After n steps nothing is done any more, but for what nobody hears of. */
static void breaks_at_every_step(void **state)
{
	(void)state;
	for (uint32_t after = 0; after <= 4; after++)
		for (unsigned unheard = 0; unheard <= 2; unheard++) {
			struct memory *memory = memory_new(REMOTE, &able);
			struct memory_stop stop = {
			    .armed = true, .left = after, .unheard = unheard};
			struct store *store = store_memory_open(memory);
			struct message_key keys[4];
			struct outcome out;
			size_t gone = after + unheard < 4 ? after + unheard : 4;
			for (size_t i = 0; i < 4; i++)
				keys[i] = deliver(memory, "message");
			memory_set_stop(memory, &stop);
			const struct request request = {
			    .kind = REQUEST_REMOVE, .mailbox = "INBOX", .keys = keys, .count = 4};
			assert_int_equal(ask(store, request, &out), after < 4 ? -1 : 0);
			assert_int_equal(memory_count(memory, "INBOX"), 4 - (after < 4 ? gone : 4));
			if (after < 4)
				assert_int_equal(ask(store, request, &out), -1);
			store_close(&store);
			memory_free(&memory);
		}
}

/* Flags of a local message after a change that was settled or not, and a power cut. */
static void forgets_what_was_not_settled(void **state)
{
	(void)state;
	for (int settled = 0; settled < 2; settled++)
		for (uint64_t seed = 0; seed < 64; seed++) {
			struct memory *memory = memory_new(LOCAL, &able);
			struct store *store = store_memory_open(memory);
			struct message_key key = deliver(memory, "message");
			struct outcome out;
			bool flagged, moved;
			ask(store, (struct request){.kind = REQUEST_SETTLE}, &out);
			memory_create(memory, "Trash", MAILBOX_TRASH);
			ask(store,
			    (struct request){.kind = REQUEST_FLAG,
					     .mailbox = "INBOX",
					     .keys = &key,
					     .count = 1,
					     .add = {FLAG_FLAGGED}},
			    &out);
			if (settled)
				ask(store, (struct request){.kind = REQUEST_SETTLE}, &out);
			memory_power_cut(memory, seed);
			flagged = memory_get(memory, "INBOX", 0).state.flags.bits & FLAG_FLAGGED;
			if (settled || !seed)
				assert_int_equal(flagged, settled);
			ask(store,
			    (struct request){.kind = REQUEST_MOVE,
					     .mailbox = "INBOX",
					     .keys = &key,
					     .count = 1,
					     .target = "Trash"},
			    &out);
			assert_int_equal(out.moved, 1);
			if (settled)
				ask(store, (struct request){.kind = REQUEST_SETTLE}, &out);
			memory_power_cut(memory, seed);
			moved = memory_count(memory, "Trash");
			/* A move in one step is never in two places, nor in none. */
			assert_int_equal(memory_count(memory, "INBOX"), !moved);
			if (settled || !seed)
				assert_int_equal(moved, settled);
			store_close(&store);
			memory_free(&memory);
		}
}

/* Bytes in, bytes out; before it is published nobody sees it, before it is settled it may be torn.
 */
static void publishes_drafts(void **state)
{
	(void)state;
	for (int settled = 0; settled < 2; settled++) {
		struct memory *memory = memory_new(LOCAL, &able);
		struct store *store = store_memory_open(memory);
		struct identity identity;
		struct draft *draft;
		struct outcome out;
		struct error err;
		const char *name;
		memory_create(memory, "INBOX", 0);
		assert_int_equal(store_open_draft(store, "INBOX", &draft, &err), 0);
		assert_int_equal(store_write_draft(store, draft, "mess", 4, &err), 0);
		assert_int_equal(store_write_draft(store, draft, "age", 3, &err), 0);
		assert_int_equal(store_finish_draft(store, draft, &identity, &name, &err), 0);
		assert_int_equal(identity.size, 7);
		if (settled)
			ask(store, (struct request){.kind = REQUEST_SETTLE}, &out);
		assert_int_equal(memory_count(memory, "INBOX"), 0);
		ask(store,
		    (struct request){
			.kind = REQUEST_PUBLISH, .mailbox = "INBOX", .draft = draft, .date = 9},
		    &out);
		struct memory_message message = memory_get(memory, "INBOX", 0);
		assert_string_equal(message.state.key.name, name);
		assert_int_equal(message.state.identity.date, 9);
		assert_memory_equal(message.content, "message", 7);
		store_drop_draft(store, draft);
		memory_power_cut(memory, 1);
		for (uint64_t seed = 2; seed < 9 && memory_count(memory, "INBOX"); seed++)
			assert_int_equal(memory_get(memory, "INBOX", 0).len, settled ? 7 : 0);
		store_close(&store);
		memory_free(&memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tells_deltas),
	    cmocka_unit_test(breaks_at_every_step),
	    cmocka_unit_test(forgets_what_was_not_settled),
	    cmocka_unit_test(publishes_drafts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
