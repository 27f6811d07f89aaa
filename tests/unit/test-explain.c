// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What explain takes a word for, which messages it finds, why nothing is to be done about one, and
 * how all that is said.
 */
#include "capture.h"
#include "cmd/explain.h"
#include "journal-fixture.h"
#include "mail/header.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_words(void **unused)
{
	static const struct {
		const char *text;
		uint32_t uid;
		const char *name; /* NULL: a UID */
		const char *id;   /* NULL: none */
	} rows[] = {
	    {"1", 1, NULL, NULL},
	    {"4294967295", 4294967295u, NULL, NULL},
	    {"17.M1P2.host", 0, "17.M1P2.host", NULL},
	    {"17.M1P2.host,S=3,W=4:2,FS", 0, "17.M1P2.host,S=3,W=4", NULL},
	    {"/mail/me@home/cur/17.host:2,", 0, "17.host", "</mail/me@home/cur/17.host:2,>"},
	    {"cur/17.host", 0, "17.host", NULL},
	    {"a@b", 0, "a@b", "<a@b>"},
	    {"a/b@c", 0, "b@c", "<a/b@c>"},
	    {"<a@b>", 0, "<a@b>", "<a@b>"},
	    {"<a/b@c>", 0, "<a/b@c>", "<a/b@c>"},
	    {"<odd>", 0, "<odd>", "<odd>"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct explain_word word;
		struct error err;

		assert_int_equal(explain_read_word(rows[i].text, &word, &err), 0);
		assert_int_equal(word.uid, rows[i].uid);
		assert_int_equal(word.name == NULL, rows[i].name == NULL);
		if (word.name) {
			assert_int_equal(word.len, strlen(rows[i].name));
			assert_memory_equal(word.name, rows[i].name, word.len);
		}
		uint64_t id =
		    rows[i].id ? header_hash_message_id(rows[i].id, strlen(rows[i].id)) : 0;
		assert_int_equal(word.ids[1], id);
	}
}

static void test_no_words(void **unused)
{
	static const char *const rows[] = {"",     "0",   "4294967296", "99999999999999999999",
					   "cur/", ":2,S"};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct explain_word word;
		struct error err;

		assert_int_equal(explain_read_word(rows[i], &word, &err), -1);
		assert_int_equal(err.kind, ERROR_USAGE);
	}
}

/*
 * A mailbox as a survey leaves it: UID 1 is even, 2 deleted here, 3 kept there, 4 differs in flags;
 * new are UID 7, "new" here, refused, and UID 8 with "both", which are one. UID 9 arrives as
 * "moved\x1b" from elsewhere.
 */
struct scene {
	struct journal_dir *dir;
	struct journal *journal; /* both copies of it, as one */
	struct presence known[SIDES][4];
	struct fresh_message fresh[SIDES][3];
	struct match match;
	struct op ops[2], moves[1];
	struct box boxes[2];
	struct channel channel;
	struct explain_scene scene;
};

/* The journal's rows. */
static void make_journal(struct scene *it)
{
	static const char *const names[] = {"even", "gone", "kept", "flags"};
	struct journal_note note = {.kind = JOURNAL_REFUSED,
				    .side = LOCAL,
				    .name = "new",
				    .identity.size = 10,
				    .text = "too \"big\""};

	it->dir = fixture_open_dir(true);
	it->journal = fixture_load(it->dir, "A");
	for (uint32_t i = 0; i < COUNT(names); i++)
		journal_put(it->journal, &(struct pair){.uid = i + 1,
							.name = names[i],
							.flags = {FLAG_SEEN, 0},
							.gone = i == 2 ? 1u << LOCAL : 0,
							.size = 1200 + i,
							.date = 1748855433,
							.message_id = 100 + i});
	journal_note(it->journal, &note);
}

/* What both sides hold. */
static void make_sides(struct scene *it)
{
	static const char *const names[] = {"both", "moved\x1b", "new"};
	const uint32_t uids[] = {7, 8};

	for (size_t i = 0; i < 4; i++) {
		it->known[REMOTE][i] = (struct presence){{FLAG_SEEN, 0}, true, true};
		it->known[LOCAL][i] = (struct presence){{FLAG_SEEN, 0}, i == 0 || i == 3, true};
	}
	it->known[LOCAL][3].flags.bits |= FLAG_FLAGGED;
	for (size_t i = 0; i < COUNT(names); i++)
		it->fresh[LOCAL][i].state = (struct message_state){
		    .key.name = names[i],
		    .identity = {.size = 10, .date = DATE_UNKNOWN, .message_id = i == 0 ? 108 : 0}};
	for (size_t i = 0; i < COUNT(uids); i++)
		it->fresh[REMOTE][i].state = (struct message_state){
		    .key.uid = uids[i],
		    .identity = {.size = 20, .date = 1748855433, .message_id = 100 + uids[i]}};
	for (enum side side = LOCAL; side < SIDES; side++)
		it->boxes[0].sides[side] = (struct snapshot){.side = side,
							     .known = it->known[side],
							     .known_len = 4,
							     .fresh = it->fresh[side],
							     .fresh_len = side == LOCAL ? 3 : 2};
}

static void scene_make(struct scene *it)
{
	*it = (struct scene){.match = {{0, 1}}};
	make_journal(it);
	make_sides(it);
	it->ops[0] = (struct op){
	    .kind = OP_REMOVE, .side = REMOTE, .rule = RULE_M2_DELETE, .uid = 2, .name = "gone"};
	it->ops[1] = (struct op){
	    .kind = OP_PAIR, .side = LOCAL, .rule = RULE_M6_PAIR, .uid = 8, .name = "both"};
	it->moves[0] = (struct op){.kind = OP_MOVE,
				   .side = REMOTE,
				   .rule = RULE_V1_MOVE,
				   .uid = 2,
				   .name = "old",
				   .target = 0,
				   .there.name = "moved\x1b"};
	it->boxes[0].name = it->boxes[0].at[LOCAL] = it->boxes[0].at[REMOTE] = "A\x1b";
	it->boxes[0].active = true;
	it->boxes[0].journal = it->journal;
	it->boxes[0].match = (struct match_result){.matches = &it->match, .len = 1};
	it->boxes[0].plan = (struct plan){.ops = it->ops, .len = 2, .refused = 1};
	it->boxes[1] = (struct box){.name = "B", .plan = {.ops = it->moves, .len = 1}};
	it->channel = (struct channel){.setup.name = "ch", .boxes = it->boxes, .len = 2};
	it->scene = (struct explain_scene){
	    .channel = &it->channel, .box = &it->boxes[0], .journal = it->journal};
}

static void scene_free(struct scene *it)
{
	journal_close(&it->journal);
	journal_dir_close(&it->dir);
}

/* What is found by a word: "UID NAME journaled local remote; ..." */
static void find(const struct scene *it, const struct explain_word *word, struct buf *out)
{
	struct sighting_list list = {0};

	explain_find(&it->scene, word, &list);
	for (size_t i = 0; i < list.len; i++) {
		const struct sighting *row = &list.rows[i];
		buf_printf(out, "%u %s%s%s%s;", row->uid, row->name ? row->name : "-",
			   row->pair ? " journal" : "", row->there[LOCAL] ? " local" : "",
			   row->there[REMOTE] ? " remote" : "");
	}
	free(list.rows);
}

static void test_finds(void **unused)
{
	static const struct {
		struct explain_word word;
		const char *found;
	} rows[] = {
	    {{.uid = 1}, "1 even journal local remote;"},
	    {{.uid = 2}, "2 gone journal remote;"},
	    {{.name = "even:2,S", .len = 4}, "1 even journal local remote;"},
	    {{.name = "eve", .len = 3}, ""},
	    {{.name = "new", .len = 3}, "0 new local;"},
	    {{.uid = 7}, "7 - remote;"},
	    {{.uid = 8}, "8 both local remote;"},
	    {{.name = "both", .len = 4}, "8 both local remote;"},
	    {{.name = "x@y", .len = 3, .ids = {103, 1}}, "4 flags journal local remote;"},
	    {{.name = "x@y", .len = 3, .ids = {1, 107}}, "7 - remote;"},
	    {{.name = "x@y", .len = 3, .ids = {108, 108}}, "8 both local remote;"},
	    {{.uid = 3000}, ""},
	};
	struct scene scene;

	(void)unused;
	scene_make(&scene);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf found;

		buf_init(&found, 1000);
		find(&scene, &rows[i].word, &found);
		assert_string_equal(found.data, rows[i].found);
		buf_free(&found);
	}
	/* A mailbox that was not surveyed: the journal alone knows. */
	scene.boxes[0].active = false;
	struct buf found;
	buf_init(&found, 1000);
	find(&scene, &rows[0].word, &found);
	find(&scene, &rows[5].word, &found);
	assert_string_equal(found.data, "1 even journal;");
	buf_free(&found);
	scene_free(&scene);
}

/* The text of the one message that a word finds. */
static void say(const struct scene *it, const char *text, bool json, struct buf *out)
{
	struct sighting_list list = {0};
	struct explain_word word;
	struct capture capture;
	struct error err;

	assert_int_equal(explain_read_word(text, &word, &err), 0);
	explain_find(&it->scene, &word, &list);
	assert_int_equal(list.len, 1);
	capture_begin(&capture, stdout);
	(json ? explain_put_message : explain_print_message)(&it->scene, &list.rows[0]);
	capture_end(&capture);
	*out = capture.said;
	free(list.rows);
}

#define HEAD  "ch/A\\x1B:\n"
#define EVENT "{\"event\":\"explain\",\"channel\":\"ch\",\"mailbox\":\"A\\u001B\","
#define REST  ", 2025-06-02 09:10:33"

static void test_messages(void **unused)
{
	static const struct {
		const char *word;
		const char *text;
	} rows[] = {
	    {"1", HEAD "  local    even, flags S, 1.2 kB" REST "\n"
		       "  remote   UID 1, flags S, 1.2 kB" REST "\n"
		       "  journal  UID 1, even, flags S, 1.2 kB" REST "\n"
		       "  nothing to do: both sides and the journal agree\n"},
	    {"gone", HEAD "  local    not there\n"
			  "  remote   UID 2, flags S, 1.2 kB" REST "\n"
			  "  journal  UID 2, gone, flags S, 1.2 kB" REST "\n"
			  "  M2 remote remove UID 2 gone: deleted on the other side\n"},
	    {"3", HEAD "  local    not there\n"
		       "  remote   UID 3, flags S, 1.2 kB" REST "\n"
		       "  journal  UID 3, kept, flags S, 1.2 kB" REST ", gone on the local side\n"
		       "  nothing to do: M3, deleted on the other side, kept here as configured\n"},
	    {"4", HEAD "  local    flags, flags FS, 1.2 kB" REST "\n"
		       "  remote   UID 4, flags S, 1.2 kB" REST "\n"
		       "  journal  UID 4, flags, flags S, 1.2 kB" REST "\n"
		       "  nothing to do: M4, the flags differ, and are not to be changed as "
		       "configured, or cannot be kept there\n"},
	    {"7", HEAD "  local    not there\n"
		       "  remote   UID 7, flags -, 20 B" REST "\n"
		       "  journal  not known\n"
		       "  nothing to do: M8, new, but not to be copied as configured\n"},
	    {"8", HEAD "  local    both, flags -, 10 B\n"
		       "  remote   UID 8, flags -, 20 B" REST "\n"
		       "  journal  not known\n"
		       "  M6 local  pair UID 8 both: both sides hold it already\n"},
	    {"new", HEAD "  local    new, flags -, 10 B\n"
			 "  remote   not there\n"
			 "  journal  not known\n"
			 "    refused: local new, 10 B: too \"big\"\n"
			 "  nothing to do: M9, refused by the other side before\n"},
	    {"moved\x1b", HEAD "  local    moved\\x1B, flags -, 10 B\n"
			       "  remote   not there\n"
			       "  journal  not known\n"
			       "  from B:\n"
			       "  V1 remote move UID 2 old to A\\x1B: moved on the other side\n"},
	};
	struct scene scene;

	(void)unused;
	scene_make(&scene);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf said;

		say(&scene, rows[i].word, false, &said);
		assert_string_equal(said.data, rows[i].text);
		buf_free(&said);
	}
	scene_free(&scene);
}

static void test_messages_json(void **unused)
{
	static const struct {
		const char *word;
		const char *text;
	} rows[] = {
	    {"gone", EVENT "\"remote\":{\"uid\":2,\"flags\":\"S\",\"keywords\":[],\"size\":1201,"
			   "\"date\":1748855433},\"journal\":{\"uid\":2,\"name\":\"gone\","
			   "\"flags\":\"S\",\"keywords\":[],\"size\":1201,\"date\":1748855433},"
			   "\"notes\":[],\"plan\":[{\"op\":\"remove\",\"side\":\"remote\","
			   "\"rule\":\"M2\",\"uid\":2,\"name\":\"gone\",\"blocked\":false,"
			   "\"why\":\"deleted on the other side\"}]}\n"},
	    {"new", EVENT "\"local\":{\"name\":\"new\",\"flags\":\"\",\"keywords\":[],\"size\":10},"
			  "\"notes\":[{\"note\":\"refused\",\"side\":\"local\",\"name\":\"new\","
			  "\"size\":10,\"reason\":\"too \\\"big\\\"\"}],\"plan\":[],"
			  "\"rule\":\"M9\",\"why\":\"refused by the other side before\"}\n"},
	    {"moved\x1b",
	     EVENT "\"local\":{\"name\":\"moved\\u001B\",\"flags\":\"\",\"keywords\":[],"
		   "\"size\":10},\"notes\":[],\"plan\":[{\"op\":\"move\",\"side\":\"remote\","
		   "\"rule\":\"V1\",\"uid\":2,\"name\":\"old\",\"to\":\"A\\u001B\","
		   "\"blocked\":false,\"from\":\"B\",\"why\":\"moved on the other side\"}]}\n"},
	};
	struct scene scene;

	(void)unused;
	scene_make(&scene);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf said;

		say(&scene, rows[i].word, true, &said);
		assert_string_equal(said.data, rows[i].text);
		buf_free(&said);
	}
	scene_free(&scene);
}

/* A mailbox on one side, gone on the other, and stopped. */
static void test_mailbox(void **unused)
{
	struct scene scene;
	struct capture capture;

	(void)unused;
	scene_make(&scene);
	struct box *box = &scene.boxes[0];
	box->exists[REMOTE] = true;
	box->attributes = MAILBOX_SENT | MAILBOX_SUBSCRIBED;
	box->listed[REMOTE] = (struct stamp){1, 9, 7, .modseq = 12};
	box->rule = RULE_B3_GONE;
	box->plan.verdict[REMOTE] = (struct guard_verdict){GUARD_GONE, 1, 4};
	scene.ops[0].blocked = true;
	capture_begin(&capture, stdout);
	explain_print_mailbox(&scene.scene);
	explain_put_mailbox(&scene.scene);
	capture_end(&capture);
	assert_string_equal(
	    capture.said.data, HEAD
	    "  local    not there\n"
	    "  remote   there (\\Sent \\Subscribed), may have changed: UIDVALIDITY 1, UIDNEXT 9, "
	    "HIGHESTMODSEQ 12, 7 messages\n"
	    "  journal  none: both sides were never even\n"
	    "  rule     B3, the mailbox is gone on the other side\n"
	    "  stopped  1 of 4 messages would be deleted on the remote side: on the local side "
	    "the mailbox itself is gone\n"
	    "  M9       1 left: refused by the other side before\n"
	    "  M2 remote remove 1: deleted on the other side (stopped)\n"
	    "  M6 local  pair 1: both sides hold it already\n"
	    "  V1 remote move 1 from B: moved on the other side\n" EVENT
	    "\"local\":{\"exists\":false},\"remote\":{\"exists\":true,\"attributes\":[\"\\\\Sent\","
	    "\"\\\\Subscribed\"],\"changed\":true,\"uidvalidity\":1,\"uidnext\":9,"
	    "\"highestmodseq\":12,\"messages\":7},\"rule\":\"B3\",\"why\":\"the mailbox is gone on "
	    "the other side\",\"stopped_remote\":{\"reason\":\"the mailbox itself is gone\","
	    "\"deletions\":1,\"of\":4},\"plan\":[{\"op\":\"remove\",\"side\":\"remote\",\"rule\":"
	    "\"M2\",\"blocked\":true,\"why\":\"deleted on the other side\",\"count\":1},"
	    "{\"op\":\"pair\",\"side\":\"local\",\"rule\":\"M6\",\"blocked\":false,\"why\":"
	    "\"both sides hold it already\",\"count\":1},{\"op\":\"move\",\"side\":\"remote\","
	    "\"rule\":\"V1\",\"to\":\"A\\u001B\",\"blocked\":false,\"from\":\"B\",\"why\":"
	    "\"moved on the other side\",\"count\":1}],\"refused\":1}\n");
	buf_free(&capture.said);
	scene_free(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_no_words),
	    cmocka_unit_test_setup_teardown(test_finds, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_messages, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_messages_json, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_mailbox, fixture_setup, fixture_teardown),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
