// SPDX-License-Identifier: GPL-3.0-or-later
/* Snapshots: a delta and the journal put together, and what the notes of a stopped run remember. */
#include "sync/snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A journal of the pairs 10, 20, 30, 40 ("m10", ...); 30 is gone locally, 40 remotely. */
struct fixture {
	char path[64];
	struct journal_dir *dir;
	struct journal *journal;
	struct arena arena;
	struct snapshot snapshot;
};

static int setup(void **state)
{
	struct fixture *it = calloc(1, sizeof(*it));
	struct error err;

	snprintf(it->path, sizeof(it->path), "/tmp/evenmail-snapshot-XXXXXX");
	assert_non_null(mkdtemp(it->path));
	assert_int_equal(journal_dir_open(it->path, true, &it->dir, &err), 0);
	assert_int_equal(journal_open(it->dir, "INBOX", &it->journal, &err), 0);
	assert_int_equal(journal_load(it->journal, &err), 0);
	for (uint32_t uid = 10; uid <= 40; uid += 10) {
		char name[8];
		snprintf(name, sizeof(name), "m%u", uid);
		journal_put(it->journal, &(struct pair){.uid = uid,
							.name = name,
							.flags = {FLAG_SEEN},
							.gone = uid == 30   ? 1u << LOCAL
								: uid == 40 ? 1u << REMOTE
									    : 0});
	}
	*state = it;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *it = *state;
	struct dirent *entry;
	DIR *dir;

	snapshot_free(&it->snapshot);
	arena_free(&it->arena);
	journal_close(&it->journal);
	journal_dir_close(&it->dir);
	dir = opendir(it->path);
	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(it->path);
	free(it);
	return 0;
}

/* Sees a message of either side; the name is scribbled over afterwards, as a store may. */
static void see(struct fixture *it, uint32_t uid, uint32_t flags)
{
	char name[16];
	struct message_state message = {.flags = {flags}, .identity = {.size = uid}};

	snprintf(name, sizeof(name), "m%u", uid);
	if (it->snapshot.side == REMOTE)
		message.key.uid = uid;
	else
		message.key.name = name;
	snapshot_see(&it->snapshot, it->journal, &it->arena, &message);
	memset(name, '?', sizeof(name));
}

/* The pairs that are present, as bits in their order. */
static unsigned present(const struct fixture *it)
{
	unsigned bits = 0;

	assert_int_equal(it->snapshot.known_len, 4);
	for (size_t i = 0; i < 4; i++)
		bits |= (unsigned)it->snapshot.known[i].present << i;
	return bits;
}

static void begins_as_the_journal_has_it(void **state)
{
	struct fixture *it = *state;

	for (enum side side = LOCAL; side < SIDES; side++) {
		snapshot_begin(&it->snapshot, side, it->journal);
		assert_int_equal(present(it), side == LOCAL ? 0xb : 0x7);
		assert_int_equal(it->snapshot.known[0].flags.bits, FLAG_SEEN);
		assert_int_equal(it->snapshot.permanent.bits, FLAG_ALL);
		assert_int_equal(it->snapshot.fresh_len, 0);
		snapshot_end(&it->snapshot);
		snapshot_free(&it->snapshot);
	}
}

/* Only on the server, and only where both know: size or date of another message. */
static void doubts_what_is_told_otherwise(void **state)
{
	static const struct {
		struct identity told;
		bool doubtful;
	} table[] = {
	    {{.size = SIZE_UNKNOWN, .date = DATE_UNKNOWN}, false},
	    {{.size = 7, .date = 70}, false},
	    {{.size = 7, .date = DATE_UNKNOWN}, false},
	    {{.size = 8, .date = DATE_UNKNOWN}, true},
	    {{.size = SIZE_UNKNOWN, .date = 71}, true},
	    {{.size = 8, .date = 70}, true},
	};
	struct fixture *it = *state;

	journal_put(it->journal, &(struct pair){.uid = 50, .name = "m50", .size = 7, .date = 70});
	journal_put(
	    it->journal,
	    &(struct pair){.uid = 60, .name = "m60", .size = SIZE_UNKNOWN, .date = DATE_UNKNOWN});
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		for (uint32_t uid = 50; uid <= 70; uid += 10) {
			snapshot_begin(&it->snapshot, REMOTE, it->journal);
			snapshot_see(&it->snapshot, it->journal, &it->arena,
				     &(struct message_state){.key.uid = uid,
							     .identity = table[i].told});
			assert_int_equal(uidset_has(&it->snapshot.doubtful, uid),
					 uid == 50 && table[i].doubtful);
			snapshot_free(&it->snapshot);
		}
		snapshot_begin(&it->snapshot, LOCAL, it->journal);
		snapshot_see(&it->snapshot, it->journal, &it->arena,
			     &(struct message_state){.key.name = "m50", .identity = table[i].told});
		assert_int_equal(it->snapshot.doubtful.len, 0);
		snapshot_free(&it->snapshot);
	}
}

/* What a complete scan did not list is absent, whatever the journal said. */
static void takes_what_was_not_listed_for_absent(void **state)
{
	struct fixture *it = *state;

	for (enum side side = LOCAL; side < SIDES; side++) {
		snapshot_begin(&it->snapshot, side, it->journal);
		see(it, 20, FLAG_FLAGGED);
		see(it, 40, 0);
		see(it, 50, FLAG_DRAFT);
		snapshot_complete(&it->snapshot);
		snapshot_end(&it->snapshot);
		assert_int_equal(present(it), 0xa);
		assert_int_equal(it->snapshot.known[1].flags.bits, FLAG_FLAGGED);
		assert_int_equal(it->snapshot.fresh_len, 1);
		assert_int_equal(it->snapshot.fresh[0].state.flags.bits, FLAG_DRAFT);
		if (side == LOCAL)
			assert_string_equal(it->snapshot.fresh[0].state.key.name, "m50");
		else
			assert_int_equal(it->snapshot.fresh[0].state.key.uid, 50);
		snapshot_free(&it->snapshot);
	}
}

static void keeps_what_a_delta_does_not_name(void **state)
{
	struct fixture *it = *state;
	struct uidset gone = {0};

	snapshot_begin(&it->snapshot, REMOTE, it->journal);
	see(it, 10, FLAG_ANSWERED);
	see(it, 60, 0);
	see(it, 50, 0);
	see(it, 60, FLAG_SEEN);
	see(it, 80, 0);
	uidset_add(&gone, 20);
	uidset_add(&gone, 70);
	uidset_add(&gone, 80);
	snapshot_vanish(&it->snapshot, it->journal, &gone);
	snapshot_end(&it->snapshot);
	assert_int_equal(present(it), 0x5);
	assert_int_equal(it->snapshot.known[0].flags.bits, FLAG_ANSWERED);
	assert_int_equal(it->snapshot.known[2].flags.bits, FLAG_SEEN);
	/* Ascending, each once. */
	assert_int_equal(it->snapshot.fresh_len, 2);
	assert_int_equal(it->snapshot.fresh[0].state.key.uid, 50);
	assert_int_equal(it->snapshot.fresh[1].state.key.uid, 60);
	uidset_free(&gone);
}

/* The last word about a message counts, be it that it is gone or that it is there. */
static void lets_the_last_word_count(void **state)
{
	struct fixture *it = *state;
	struct uidset gone = {0};

	uidset_add(&gone, 10);
	snapshot_begin(&it->snapshot, REMOTE, it->journal);
	see(it, 10, 0);
	snapshot_vanish(&it->snapshot, it->journal, &gone);
	assert_int_equal(present(it), 0x6);
	see(it, 10, 0);
	assert_int_equal(present(it), 0x7);
	uidset_free(&gone);
}

/* A server may name a range of all UIDs there can be: that must cost no more than the pairs. */
static void takes_a_huge_range(void **state)
{
	struct fixture *it = *state;
	struct uidset gone = {0};

	uidset_add_range(&gone, 15, UINT32_MAX);
	snapshot_begin(&it->snapshot, REMOTE, it->journal);
	snapshot_vanish(&it->snapshot, it->journal, &gone);
	assert_int_equal(present(it), 0x1);
	uidset_free(&gone);
}

static void finds_by_key(void **state)
{
	struct fixture *it = *state;
	struct message_key key = {.name = "m60"};

	snapshot_begin(&it->snapshot, LOCAL, it->journal);
	snapshot_end(&it->snapshot);
	assert_null(snapshot_find(&it->snapshot, &key));
	see(it, 70, 0);
	see(it, 60, FLAG_FLAGGED);
	see(it, 50, 0);
	snapshot_end(&it->snapshot);
	assert_int_equal(snapshot_find(&it->snapshot, &key)->state.flags.bits, FLAG_FLAGGED);
	key.name = "m61";
	assert_null(snapshot_find(&it->snapshot, &key));
	snapshot_free(&it->snapshot);
	snapshot_begin(&it->snapshot, REMOTE, it->journal);
	see(it, 70, 0);
	see(it, 60, FLAG_SEEN);
	snapshot_end(&it->snapshot);
	key = (struct message_key){.uid = 60};
	assert_int_equal(snapshot_find(&it->snapshot, &key)->state.flags.bits, FLAG_SEEN);
	key.uid = 61;
	assert_null(snapshot_find(&it->snapshot, &key));
}

/* Two files of one name: who only glanced must not take them for the pair. */
static void notes_a_pair_told_twice(void **state)
{
	struct fixture *it = *state;

	snapshot_begin(&it->snapshot, LOCAL, it->journal);
	see(it, 10, 0);
	see(it, 20, 0);
	assert_false(it->snapshot.doubled);
	see(it, 10, FLAG_SEEN);
	assert_true(it->snapshot.doubled);
}

/* The planner is done with the messages, but not those who act with the mailbox. */
static void sheds_the_messages_only(void **state)
{
	struct fixture *it = *state;

	snapshot_begin(&it->snapshot, LOCAL, it->journal);
	see(it, 60, 0);
	it->snapshot.stamp.uidvalidity = 9;
	it->snapshot.permanent.keywords = 5;
	snapshot_shed(&it->snapshot);
	assert_null(it->snapshot.known);
	assert_null(it->snapshot.fresh);
	assert_int_equal(it->snapshot.known_len + it->snapshot.fresh_len, 0);
	assert_int_equal(it->snapshot.stamp.uidvalidity, 9);
	assert_int_equal(it->snapshot.permanent.keywords, 5);
}

/* Of the server's side the journal knows what flags it kept, of this one that it takes all. */
static void begins_with_the_room_that_was(void **state)
{
	struct fixture *it = *state;
	const struct flag_room seen = {.bits = FLAG_SEEN};

	journal_set_room(it->journal, &seen);
	for (enum side side = LOCAL; side < SIDES; side++) {
		snapshot_begin(&it->snapshot, side, it->journal);
		assert_int_equal(it->snapshot.permanent.bits,
				 side == REMOTE ? FLAG_SEEN : FLAG_ALL);
		assert_int_equal(it->snapshot.permanent.any_keyword, side == LOCAL);
		assert_int_equal(it->snapshot.permanent.mute, side == LOCAL);
		snapshot_free(&it->snapshot);
	}
}

/* What is learnt replaces what was known, but the size stays where it is not told again. */
static void adds_identities(void **state)
{
	struct fixture *it = *state;
	struct message_state message = {
	    .key = {.uid = 60},
	    .identity = {.size = SIZE_UNKNOWN, .date = 5, .message_id = 7, .has_message_id = true}};

	snapshot_begin(&it->snapshot, REMOTE, it->journal);
	see(it, 60, FLAG_SEEN);
	snapshot_end(&it->snapshot);
	snapshot_identify(&it->snapshot, &message);
	struct fresh_message *fresh = snapshot_find(&it->snapshot, &message.key);
	assert_int_equal(fresh->state.identity.size, 60);
	assert_int_equal(fresh->state.identity.date, 5);
	assert_int_equal(fresh->state.identity.message_id, 7);
	assert_int_equal(fresh->state.flags.bits, FLAG_SEEN);
	message.identity.size = 61;
	snapshot_identify(&it->snapshot, &message);
	assert_int_equal(snapshot_find(&it->snapshot, &message.key)->state.identity.size, 61);
	message.key.uid = 10;
	snapshot_identify(&it->snapshot, &message);
	assert_int_equal(it->snapshot.fresh_len, 1);
}

/* What is absent is lacking, unless the journal knows that it is. */
static void lacks_what_it_should_hold(void **state)
{
	struct fixture *it = *state;
	size_t len;
	const struct pair *pairs = journal_pairs(it->journal, &len);

	snapshot_begin(&it->snapshot, REMOTE, it->journal);
	for (size_t i = 0; i < len; i++)
		assert_false(snapshot_lacks(&it->snapshot, pairs, i));
	snapshot_complete(&it->snapshot);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(snapshot_lacks(&it->snapshot, pairs, i),
				 !(pairs[i].gone & 1u << REMOTE));
}

/* A note of a kind for a name. */
static void note(struct fixture *it, enum journal_note_kind kind, const char *name)
{
	journal_note(it->journal, &(struct journal_note){.kind = kind,
							 .side = REMOTE,
							 .uid = kind == JOURNAL_PUBLISHING ? 99 : 0,
							 .name = name,
							 .uidvalidity = 1,
							 .floor = 77,
							 .flags = {FLAG_ANSWERED},
							 .identity = {.size = 123}});
}

/*
 * A file that is there gets its base back; of one that is not, a ghost is left; pairs need nothing.
 */
static void remembers_what_was_being_appended(void **state)
{
	struct fixture *it = *state;

	note(it, JOURNAL_APPENDING, "m50");
	note(it, JOURNAL_APPENDING, "m55");
	note(it, JOURNAL_APPENDING, "m10");
	note(it, JOURNAL_PUBLISHING, "m57");
	snapshot_begin(&it->snapshot, LOCAL, it->journal);
	see(it, 60, FLAG_SEEN);
	see(it, 50, FLAG_SEEN);
	snapshot_complete(&it->snapshot);
	snapshot_end(&it->snapshot);
	snapshot_remember(&it->snapshot, it->journal, &it->arena, 0);
	assert_int_equal(it->snapshot.fresh_len, 3);
	const struct fresh_message *fresh = it->snapshot.fresh;
	assert_string_equal(fresh[0].state.key.name, "m50");
	assert_int_equal(fresh[0].state.flags.bits, FLAG_SEEN);
	assert_int_equal(fresh[0].base.bits, FLAG_ANSWERED);
	assert_false(fresh[0].ghost);
	assert_true(fresh[0].begun);
	assert_int_equal(fresh[0].floor, 77);
	assert_string_equal(fresh[1].state.key.name, "m55");
	assert_true(fresh[1].ghost);
	assert_int_equal(fresh[1].floor, 77);
	assert_int_equal(fresh[1].base.bits, FLAG_ANSWERED);
	assert_int_equal(fresh[1].state.identity.size, 123);
	assert_string_equal(fresh[2].state.key.name, "m60");
	assert_int_equal(fresh[2].base.bits, 0);
	assert_false(fresh[2].ghost);
}

/* Where the side has nothing new, notes alone make ghosts. */
static void remembers_without_anything_new(void **state)
{
	struct fixture *it = *state;

	note(it, JOURNAL_APPENDING, "m50");
	snapshot_begin(&it->snapshot, LOCAL, it->journal);
	snapshot_end(&it->snapshot);
	snapshot_remember(&it->snapshot, it->journal, &it->arena, 0);
	assert_int_equal(it->snapshot.fresh_len, 1);
	assert_true(it->snapshot.fresh[0].ghost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	    TEST(begins_as_the_journal_has_it),
	    TEST(doubts_what_is_told_otherwise),
	    TEST(takes_what_was_not_listed_for_absent),
	    TEST(keeps_what_a_delta_does_not_name),
	    TEST(lets_the_last_word_count),
	    TEST(takes_a_huge_range),
	    TEST(finds_by_key),
	    TEST(notes_a_pair_told_twice),
	    TEST(sheds_the_messages_only),
	    TEST(begins_with_the_room_that_was),
	    TEST(adds_identities),
	    TEST(lacks_what_it_should_hold),
	    TEST(remembers_what_was_being_appended),
	    TEST(remembers_without_anything_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
