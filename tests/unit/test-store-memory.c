// SPDX-License-Identifier: GPL-3.0-or-later
/* The side in memory is what tests lean on, so it is tested itself: deltas, breaks, power cuts. */
#include "store/store-memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct memory_abilities able = {.uidplus = true,
					     .condstore = true,
					     .qresync = true,
					     .object_ids = true,
					     .atomic_move = true,
					     .stamps = true,
					     .inodes = true};

/* What came of one request. */
struct outcome {
	size_t messages, bodies, moved;
	struct uidset vanished;
	struct answer arrived; /* the last that was moved or copied */
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
		if (answer.kind == ANSWER_MOVED)
			out->arrived = answer;
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
			ask(store,
			    (struct request){.kind = REQUEST_SETTLE, .mailbox = "INBOX"},
			    &out);
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
		struct identity identity = {.date = DATE_UNKNOWN};
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

/* How a mailbox is listed; false where it is not. */
static bool find_listed(struct memory *memory, const char *name, struct answer *out)
{
	const struct request list = {.kind = REQUEST_LIST};
	struct store *store = store_memory_open(memory);
	struct answer answer;
	struct error err;
	bool found = false;

	assert_int_equal(store_submit(store, &list, &err), 0);
	while (store_next(store, &answer, &err) == 1) {
		if (answer.kind != ANSWER_MAILBOX || strcmp(answer.mailbox, name) != 0)
			continue;
		assert_false(found && !(answer.attributes & MAILBOX_NOSELECT));
		found = true;
		*out = answer;
	}
	store_close(&store);
	return found;
}

/* A rename takes along what is below, and every id; what the RFCs forbid is refused. */
static void renames_mailboxes(void **state)
{
	static const struct {
		const char *from, *to;
		int reason;
	} refused[] = {{"None", "New", ENOENT},       {"Work", "Other", EEXIST},
		       {"Work", "Some", EEXIST},      {"Work", "Work/2026/x", EINVAL},
		       {"INBOX", "New", EINVAL},      {"Work", "INBOX", EINVAL}};

	(void)state;
	for (enum side side = LOCAL; side < SIDES; side++) {
		struct memory *memory = memory_new(side, &able);
		struct store *store = store_memory_open(memory);
		struct answer before, after;
		struct outcome out;
		memory_create(memory, "INBOX", 0);
		memory_create(memory, "Some/below", 0);
		memory_create(memory, "Other", 0);
		memory_create(memory, "Worker", 0);
		memory_deliver(memory, "Work", "one", 3, (struct flags){0}, 1);
		memory_deliver(memory, "Work/2026", "two", 3, (struct flags){0}, 1);
		for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
			ask(store,
			    (struct request){.kind = REQUEST_RENAME,
					     .mailbox = refused[i].from,
					     .target = refused[i].to},
			    &out);
			assert_int_equal(out.done.error.sys, refused[i].reason);
			assert_int_equal(out.done.error.kind, side ? ERROR_REFUSED : ERROR_IO);
			assert_false(memory_rename(memory, refused[i].from, refused[i].to));
		}
		assert_true(find_listed(memory, "Work/2026", &before));
		ask(store,
		    (struct request){
			.kind = REQUEST_RENAME, .mailbox = "Work", .target = "Other/deep"},
		    &out);
		assert_int_equal(out.done.error.kind, ERROR_NONE);
		assert_false(memory_has(memory, "Work"));
		assert_true(memory_has(memory, "Worker"));
		assert_int_equal(memory_count(memory, "Other/deep"), 1);
		assert_true(find_listed(memory, "Other/deep/2026", &after));
		assert_true(stamp_unchanged(side, &before.stamp, &after.stamp));
		assert_int_equal(before.stamp.inode, after.stamp.inode);
		assert_int_equal(before.stamp.mailbox_id, after.stamp.mailbox_id);
		assert_true(before.stamp.mailbox_id || before.stamp.inode);
		store_close(&store);
		memory_free(&memory);
	}
}

/* The local rename is one step that a power cut may undo, as a whole, and one that makes it last.
 */
static void cuts_renames_as_a_whole(void **state)
{
	unsigned kept = 0;

	(void)state;
	for (uint64_t left = 0; left < 3; left++)
		for (uint64_t seed = 0; seed < 16; seed++) {
			struct memory *memory = memory_new(LOCAL, &able);
			struct memory_stop stop = {.armed = true, .left = left};
			struct store *store = store_memory_open(memory);
			struct outcome out;
			memory_create(memory, "Work", 0);
			memory_create(memory, "Work/2026", 0);
			memory_set_stop(memory, &stop);
			const struct request request = {
			    .kind = REQUEST_RENAME, .mailbox = "Work", .target = "New"};
			assert_int_equal(ask(store, request, &out), left < 2 ? -1 : 0);
			assert_int_equal(memory_has(memory, "New"), left > 0);
			memory_power_cut(memory, seed);
			bool renamed = memory_has(memory, "New");
			assert_int_equal(memory_has(memory, "New/2026"), renamed);
			assert_int_equal(memory_has(memory, "Work"), !renamed);
			assert_int_equal(memory_has(memory, "Work/2026"), !renamed);
			if (left != 1 || !seed)
				assert_int_equal(renamed, left == 2);
			kept += left == 1 && renamed;
			store_close(&store);
			memory_free(&memory);
		}
	assert_in_range(kept, 1, 14);
}

/* A file moved back has its name alone, though its removal by a program never was durable. */
static void keeps_one_file_of_a_name(void **state)
{
	struct memory *memory = memory_new(LOCAL, &able);
	struct memory_stop stop = {.armed = true, .left = 1};
	struct store *store = store_memory_open(memory);
	struct message_key key = memory_deliver(memory, "INBOX", "one", 3, (struct flags){0}, 1);
	struct outcome out;

	(void)state;
	memory_create(memory, "Work", 0);
	ask(store, (struct request){.kind = REQUEST_SETTLE, .mailbox = "INBOX"}, &out);
	memory_set_stop(memory, &stop);
	ask(store,
	    (struct request){
		.kind = REQUEST_MOVE, .mailbox = "INBOX", .target = "Work", .keys = &key, .count = 1},
	    &out);
	assert_int_equal(memory_count(memory, "Work"), 1);
	memory_set_stop(memory, NULL);
	memory_move(memory, "Work", &key, "INBOX", true);
	memory_power_cut(memory, 0);
	assert_int_equal(memory_count(memory, "INBOX"), 1);
	assert_int_equal(memory_count(memory, "Work"), 0);
	store_close(&store);
	memory_free(&memory);
}

/* A rename that is not durable stays where somebody took the old name durably. */
static void keeps_a_rename_whose_old_name_is_taken(void **state)
{
	struct memory *memory = memory_new(LOCAL, &able);
	struct memory_stop stop = {.armed = true, .left = 1};
	struct store *store = store_memory_open(memory);
	struct outcome out;

	(void)state;
	memory_deliver(memory, "Work", "one", 3, (struct flags){0}, 1);
	memory_set_stop(memory, &stop);
	ask(store, (struct request){.kind = REQUEST_RENAME, .mailbox = "Work", .target = "New"},
	    &out);
	memory_create(memory, "Work", 0);
	memory_power_cut(memory, 0);
	assert_true(memory_has(memory, "New"));
	assert_true(memory_has(memory, "Work"));
	store_close(&store);
	memory_free(&memory);
}

/* A mailbox under an old name is another one, but its directory may have the old inode. */
static void tells_mailboxes_apart(void **state)
{
	struct answer before, after;

	(void)state;
	for (enum side side = LOCAL; side < SIDES; side++) {
		struct memory *memory = memory_new(side, &able);
		memory_create(memory, "INBOX", 0);
		memory_create(memory, "Work", 0);
		memory_create(memory, "Trash", 0);
		assert_true(find_listed(memory, "Work", &before));
		memory_destroy(memory, "Work");
		memory_create(memory, "Work", 0);
		assert_true(find_listed(memory, "Work", &after));
		assert_int_equal(before.stamp.inode, after.stamp.inode);
		assert_int_equal(before.stamp.mailbox_id == after.stamp.mailbox_id, side == LOCAL);
		assert_int_equal(before.stamp.uidvalidity == after.stamp.uidvalidity,
				 side == LOCAL);
		assert_true(find_listed(memory, "Trash", &before));
		assert_int_not_equal(before.stamp.inode + before.stamp.mailbox_id,
				     after.stamp.inode + after.stamp.mailbox_id);
		memory_free(&memory);
	}
}

/* Copies and moves keep the email_id; every other arrival is another message. */
static void tells_messages_apart(void **state)
{
	for (int uidplus = 0; uidplus < 2; uidplus++) {
		struct memory_abilities abilities = able;
		abilities.uidplus = uidplus;
		struct memory *memory = memory_new(REMOTE, &abilities);
		struct store *store = store_memory_open(memory);
		struct message_key key = deliver(memory, "one");
		struct request request = {.kind = REQUEST_COPY,
					  .mailbox = "INBOX",
					  .keys = &key,
					  .count = 1,
					  .target = "Work"};
		struct outcome out;
		uint64_t id = memory_get(memory, "INBOX", 0).state.identity.email_id;

		(void)state;
		assert_true(id);
		deliver(memory, "one");
		assert_int_not_equal(memory_get(memory, "INBOX", 1).state.identity.email_id, id);
		ask(store, request, &out);
		assert_int_equal(out.done.error.kind, ERROR_REFUSED);
		memory_create(memory, "Work", 0);
		ask(store, request, &out);
		assert_int_equal(out.moved, uidplus);
		assert_int_equal(out.arrived.created.uid, uidplus);
		assert_int_equal(out.arrived.message.key.uid, uidplus ? key.uid : 0);
		assert_int_equal(memory_count(memory, "INBOX"), 2);
		memory_copy(memory, "INBOX", &key, "Work");
		memory_move(memory, "INBOX", &key, "Work", true);
		assert_int_equal(memory_count(memory, "INBOX"), 1);
		assert_int_equal(memory_count(memory, "Work"), 3);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(memory_get(memory, "Work", i).state.identity.email_id, id);
		key = memory_get(memory, "INBOX", 0).state.key;
		id = memory_get(memory, "INBOX", 0).state.identity.email_id;
		memory_move(memory, "INBOX", &key, "Work", false);
		assert_int_not_equal(memory_get(memory, "Work", 3).state.identity.email_id, id);
		assert_int_equal(memory_get(memory, "Work", 3).state.identity.date, 5);
		store_close(&store);
		memory_free(&memory);
	}
}

/* Subscriptions are to names: they neither follow a rename nor go with the mailbox. */
static void keeps_subscriptions(void **state)
{
	struct memory *memory = memory_new(REMOTE, &able);
	struct store *store = store_memory_open(memory);
	struct request request = {.kind = REQUEST_SUBSCRIBE, .mailbox = "Work"};
	struct answer listed;
	struct outcome out;

	(void)state;
	ask(store, request, &out);
	assert_int_equal(out.done.error.kind, ERROR_REFUSED);
	memory_create(memory, "Work", MAILBOX_SENT);
	memory_create(memory, "Plain", MAILBOX_SUBSCRIBED);
	ask(store, request, &out);
	assert_true(find_listed(memory, "Work", &listed));
	assert_int_equal(listed.attributes, MAILBOX_SENT | MAILBOX_SUBSCRIBED);
	assert_true(memory_rename(memory, "Work", "New"));
	assert_true(find_listed(memory, "New", &listed));
	assert_int_equal(listed.attributes, MAILBOX_SENT);
	request.unsubscribe = true;
	ask(store, request, &out);
	assert_int_equal(out.done.error.kind, ERROR_NONE);
	memory_create(memory, "Work", 0);
	assert_true(find_listed(memory, "Work", &listed));
	assert_int_equal(listed.attributes, 0);
	assert_true(find_listed(memory, "Plain", &listed));
	assert_int_equal(listed.attributes, MAILBOX_SUBSCRIBED);
	store_close(&store);
	memory_free(&memory);
}

/* What a user delivered lasts where its mailbox was settled, and only there. */
static void settles_what_others_delivered(void **state)
{
	static const char *const settled[] = {NULL, "Work", "INBOX"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct memory *memory = memory_new(LOCAL, &able);
		struct store *store = store_memory_open(memory);
		struct outcome out;
		memory_create(memory, "Work", 0);
		deliver(memory, "message");
		ask(store, (struct request){.kind = REQUEST_SETTLE, .mailbox = settled[i]}, &out);
		memory_power_cut(memory, 0);
		assert_int_equal(memory_count(memory, "INBOX"), i == 2);
		store_close(&store);
		memory_free(&memory);
	}
}

/* Names above mailboxes may be listed without being any. */
static void knows_names_above(void **state)
{
	for (int way = 0; way < 2; way++) {
		struct memory_abilities abilities = able;
		abilities.lists_parents = way;
		struct memory *memory = memory_new(REMOTE, &abilities);
		struct answer listed;

		(void)state;
		memory_create(memory, "Work/2026/June", 0);
		memory_create(memory, "Work/2026", 0);
		assert_int_equal(find_listed(memory, "Work", &listed), way);
		if (way)
			assert_int_equal(listed.attributes, MAILBOX_NOSELECT);
		assert_true(find_listed(memory, "Work/2026", &listed));
		assert_int_equal(listed.attributes, 0);
		memory_free(&memory);
	}
}

/* Where all UIDVALIDITYs are the same, a name still never has one twice. */
static void gives_no_name_a_uidvalidity_twice(void **state)
{
	struct memory_abilities abilities = able;
	struct answer one, other, again;

	(void)state;
	abilities.same_validity = true;
	struct memory *memory = memory_new(REMOTE, &abilities);
	memory_create(memory, "One", 0);
	memory_create(memory, "Other", 0);
	assert_true(find_listed(memory, "One", &one));
	assert_true(find_listed(memory, "Other", &other));
	assert_int_equal(one.stamp.uidvalidity, other.stamp.uidvalidity);
	assert_true(memory_rename(memory, "One", "New"));
	assert_true(find_listed(memory, "New", &again));
	assert_int_equal(one.stamp.uidvalidity, again.stamp.uidvalidity);
	assert_true(memory_rename(memory, "Other", "One"));
	assert_true(find_listed(memory, "One", &again));
	assert_int_not_equal(one.stamp.uidvalidity, again.stamp.uidvalidity);
	memory_free(&memory);
}

/* A draft with another message's content: nothing is written to it, and its name is its own. */
static void links_drafts(void **state)
{
	struct memory *memory = memory_new(LOCAL, &able);
	struct store *store = store_memory_open(memory);
	struct message_key key = deliver(memory, "message"), none = {.name = "none"};
	struct identity identity = {.date = DATE_UNKNOWN};
	struct draft *draft;
	struct outcome out;
	struct error err;
	const char *name;

	(void)state;
	memory_create(memory, "Work", 0);
	assert_int_equal(store_link_draft(store, "Work", "INBOX", &none, 5, &draft, &err), -1);
	assert_int_equal(err.sys, ENOENT);
	assert_int_equal(err.scope, SCOPE_MESSAGE);
	assert_null(draft);
	assert_int_equal(store_link_draft(store, "Work", "INBOX", &key, 5, &draft, &err), 0);
	assert_int_equal(store_finish_draft(store, draft, &identity, &name, &err), 0);
	assert_int_equal(identity.size, 7);
	assert_string_not_equal(name, key.name);
	ask(store,
	    (struct request){
		.kind = REQUEST_PUBLISH, .mailbox = "Work", .draft = draft, .date = 5},
	    &out);
	assert_memory_equal(memory_get(memory, "Work", 0).content, "message", 7);
	assert_int_equal(memory_count(memory, "INBOX"), 1);
	store_drop_draft(store, draft);
	store_close(&store);
	memory_free(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tells_deltas),
	    cmocka_unit_test(breaks_at_every_step),
	    cmocka_unit_test(forgets_what_was_not_settled),
	    cmocka_unit_test(publishes_drafts),
	    cmocka_unit_test(renames_mailboxes),
	    cmocka_unit_test(cuts_renames_as_a_whole),
	    cmocka_unit_test(keeps_a_rename_whose_old_name_is_taken),
	    cmocka_unit_test(keeps_one_file_of_a_name),
	    cmocka_unit_test(tells_mailboxes_apart),
	    cmocka_unit_test(tells_messages_apart),
	    cmocka_unit_test(keeps_subscriptions),
	    cmocka_unit_test(settles_what_others_delivered),
	    cmocka_unit_test(knows_names_above),
	    cmocka_unit_test(gives_no_name_a_uidvalidity_twice),
	    cmocka_unit_test(links_drafts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
