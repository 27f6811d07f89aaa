// SPDX-License-Identifier: GPL-3.0-or-later
/* The rows in memory, held against a plain array that is searched from end to end. */

#include "journal-fixture.h"

#include "journal/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_MAX 300u

uint64_t __real_map_hash(const void *bytes, size_t len);
uint64_t __wrap_map_hash(const void *bytes, size_t len);

/* So many bits of a hash count: what few are left collide. */
static unsigned hash_bits = 64;

uint64_t __wrap_map_hash(const void *bytes, size_t len)
{
	return __real_map_hash(bytes, len) << (64 - hash_bits) >> (64 - hash_bits);
}

/* The model: pairs in no order, names by their number. */
struct model {
	struct pair pairs[MODEL_MAX];
	char names[MODEL_MAX][16];
	size_t len;
};

/* A small generator of our own: the same sequence everywhere. */
static uint32_t random_below(uint64_t *seed, uint32_t limit)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % limit;
}

static size_t model_find_uid(const struct model *model, uint32_t uid)
{
	size_t i = 0;

	while (i < model->len && model->pairs[i].uid != uid)
		i++;
	return i;
}

static size_t model_find_name(const struct model *model, const char *name)
{
	size_t i = 0;

	while (i < model->len && strcmp(model->names[i], name) != 0)
		i++;
	return i;
}

static void model_forget(struct model *model, size_t i)
{
	if (i == model->len)
		return;
	model->len--;
	if (i == model->len)
		return;
	model->pairs[i] = model->pairs[model->len];
	memcpy(model->names[i], model->names[model->len], sizeof(model->names[i]));
}

static void model_put(struct model *model, uint32_t uid, const char *name, struct flags flags)
{
	size_t i = model_find_name(model, name);

	if (i < model->len && model->pairs[i].uid != uid)
		model_forget(model, i);
	i = model_find_uid(model, uid);
	if (i == model->len)
		model->len++;
	model->pairs[i] = (struct pair){.uid = uid, .flags = flags};
	/* It may be that very name. */
	memmove(model->names[i], name, strlen(name) + 1);
}

/* Same pairs, in order, found by both keys and by index. */
static void compare(struct rows *rows, const struct model *model)
{
	size_t count;
	const struct pair *pairs;

	assert_int_equal(rows_count(rows), model->len);
	for (size_t i = 0; i < model->len; i++) {
		const struct pair *pair = rows_of_uid(rows, model->pairs[i].uid);

		assert_non_null(pair);
		assert_string_equal(pair->name, model->names[i]);
		assert_int_equal(pair->flags.bits, model->pairs[i].flags.bits);
		assert_ptr_equal(rows_of_name(rows, model->names[i]), pair);
	}
	pairs = rows_pairs(rows, &count);
	assert_int_equal(count, model->len);
	for (size_t i = 0; i < count; i++) {
		assert_true(i == 0 || pairs[i - 1].uid < pairs[i].uid);
		assert_ptr_equal(rows_of_uid(rows, pairs[i].uid), &pairs[i]);
		assert_ptr_equal(rows_of_name(rows, pairs[i].name), &pairs[i]);
	}
}

/* So many histories, each of its own. */
static void run_histories(uint64_t runs)
{
	for (uint64_t run = 1; run <= runs; run++) {
		static struct model model;
		struct rows *rows = rows_open();
		uint64_t seed = run;
		uint32_t uids = run % 3 == 0 ? 8 : MODEL_MAX - 1;

		model.len = 0;
		for (unsigned step = 0; step < 1500; step++) {
			uint32_t uid = 1 + random_below(&seed, uids);
			struct flags flags = {random_below(&seed, 3)};
			char name[16];

			snprintf(name, sizeof(name), "n%u", random_below(&seed, uids));
			if (random_below(&seed, 3) > 0) {
				rows_put(rows,
					 &(struct pair){.uid = uid, .name = name, .flags = flags});
				model_put(&model, uid, name, flags);
			} else {
				bool there = model_find_uid(&model, uid) < model.len;

				assert_int_equal(rows_forget(rows, uid), there);
				model_forget(&model, model_find_uid(&model, uid));
			}
			assert_int_equal(rows_of_uid(rows, uid) != NULL,
					 model_find_uid(&model, uid) < model.len);
			assert_int_equal(rows_of_name(rows, name) != NULL,
					 model_find_name(&model, name) < model.len);
			if (random_below(&seed, 50) == 0)
				compare(rows, &model);
		}
		compare(rows, &model);
		rows_close(&rows);
		assert_null(rows);
	}
}

static void test_against_model(void **state)
{
	(void)state;
	run_histories(60);
}

/* Names whose hashes are equal are told apart all the same. */
static void test_against_model_colliding(void **state)
{
	(void)state;
	hash_bits = 3;
	run_histories(6);
	hash_bits = 64;
}

static void test_empty(void **state)
{
	struct rows *rows = rows_open();
	size_t count = 1;

	(void)state;
	rows_pairs(rows, &count);
	assert_int_equal(count, 0);
	rows_notes(rows, &count);
	assert_int_equal(count, 0);
	assert_null(rows_of_uid(rows, 1));
	assert_null(rows_of_name(rows, "a"));
	assert_false(rows_forget(rows, 1));
	assert_false(rows_flag(rows, 1, (struct flags){0}));
	assert_false(rows_reset(rows));
	assert_false(rows_end_note(rows, JOURNAL_MOVING, 1, "a"));
	rows_close(&rows);
	rows_close(&rows);
}

/* Which record a change is worth. */
static void test_put_tells_change(void **state)
{
	struct pair pair = fixture_pair(5);
	struct pair other;
	struct rows *rows = rows_open();

	(void)state;
	assert_int_equal(rows_put(rows, &pair), ROWS_PAIR);
	assert_int_equal(rows_put(rows, &pair), ROWS_SAME);
	pair.flags.bits ^= FLAG_SEEN;
	assert_int_equal(rows_put(rows, &pair), ROWS_FLAGS);
	assert_int_equal(rows_put(rows, &pair), ROWS_SAME);
	for (int field = 0; field < 7; field++) {
		switch (field) {
		case 0: pair.size++; break;
		case 1: pair.date++; break;
		case 2: pair.message_id++; break;
		case 3: pair.digest.bytes[31] ^= 1; break;
		case 4: pair.gone ^= 1; break;
		case 5: pair.email_id++; break;
		default: pair.name = "another"; break;
		}
		assert_int_equal(rows_put(rows, &pair), ROWS_PAIR);
		assert_int_equal(rows_put(rows, &pair), ROWS_SAME);
	}
	other = pair;
	other.uid = 6; /* the same file for another message: the older pair goes */
	assert_int_equal(rows_put(rows, &other), ROWS_PAIR);
	assert_null(rows_of_uid(rows, 5));
	assert_int_equal(rows_of_name(rows, "another")->uid, 6);
	assert_false(rows_flag(rows, 6, pair.flags));
	assert_true(rows_flag(rows, 6, (struct flags){pair.flags.bits ^ FLAG_DRAFT}));
	rows_close(&rows);
}

/* The number of notes of a kind. */
static size_t count_notes(const struct rows *rows, enum journal_note_kind kind)
{
	size_t count, found = 0;
	const struct journal_note *notes = rows_notes(rows, &count);

	for (size_t i = 0; i < count; i++)
		found += notes[i].kind == kind;
	return found;
}

static void test_put_ends_intents(void **state)
{
	struct rows *rows = rows_open();
	struct journal_note note = {.kind = JOURNAL_PUBLISHING, .uid = 1, .name = "one"};
	struct pair pair = {.uid = 1, .name = "other"};

	(void)state;
	rows_note(rows, &note);
	note = (struct journal_note){.kind = JOURNAL_PUBLISHING, .uid = 2, .name = "two"};
	rows_note(rows, &note);
	note = (struct journal_note){.kind = JOURNAL_APPENDING, .name = "three"};
	rows_note(rows, &note);
	note = (struct journal_note){.kind = JOURNAL_MOVING, .uid = 1, .text = "there"};
	rows_note(rows, &note);
	note = (struct journal_note){.kind = JOURNAL_REFUSED, .uid = 1, .side = REMOTE};
	rows_note(rows, &note);
	assert_int_equal(rows_put(rows, &pair), ROWS_PAIR); /* by uid */
	assert_int_equal(count_notes(rows, JOURNAL_PUBLISHING), 1);
	pair = (struct pair){.uid = 3, .name = "two"}; /* by name */
	assert_int_equal(rows_put(rows, &pair), ROWS_PAIR);
	assert_int_equal(count_notes(rows, JOURNAL_PUBLISHING), 0);
	pair = (struct pair){.uid = 4, .name = "three"};
	assert_int_equal(rows_put(rows, &pair), ROWS_PAIR);
	assert_int_equal(count_notes(rows, JOURNAL_APPENDING), 0);
	assert_int_equal(count_notes(rows, JOURNAL_MOVING), 1);
	assert_int_equal(count_notes(rows, JOURNAL_REFUSED), 1);
	/* a pair that is there already is worth its record where it ends a note */
	note = (struct journal_note){.kind = JOURNAL_APPENDING, .name = "three"};
	rows_note(rows, &note);
	assert_int_equal(rows_put(rows, &pair), ROWS_PAIR);
	assert_int_equal(rows_put(rows, &pair), ROWS_SAME);
	assert_true(rows_forget(rows, 1));
	assert_int_equal(count_notes(rows, JOURNAL_MOVING), 0);
	note = (struct journal_note){.kind = JOURNAL_MOVING, .uid = 77, .text = "there"};
	rows_note(rows, &note);
	assert_true(rows_forget(rows, 77)); /* no pair, but a note */
	assert_false(rows_forget(rows, 77));
	rows_close(&rows);
}

/* The callers' strings may be those of what ends: nothing freed is read (run under ASan). */
static void test_strings_of_our_own(void **state)
{
	struct rows *rows = rows_open();
	struct journal_note note = {.kind = JOURNAL_PUBLISHING, .uid = 1, .name = "one"};
	const struct journal_note *notes;
	struct pair pair;
	size_t count;

	(void)state;
	rows_note(rows, &note);
	notes = rows_notes(rows, &count);
	rows_put(rows, &(struct pair){.uid = 1, .name = notes[0].name});
	assert_string_equal(rows_of_uid(rows, 1)->name, "one");
	pair = *rows_of_uid(rows, 1);
	pair.uid = 2;
	rows_put(rows, &pair);
	assert_string_equal(rows_of_uid(rows, 2)->name, "one");
	rows_reset(rows);
	rows_put(rows, &pair);
	assert_string_equal(rows_of_uid(rows, 2)->name, "one");

	note.text = "why";
	rows_note(rows, &note);
	note = rows_notes(rows, &count)[0];
	note.floor = 9;
	assert_true(rows_note(rows, &note));
	notes = rows_notes(rows, &count);
	assert_int_equal(count, 1);
	assert_string_equal(notes[0].name, "one");
	assert_string_equal(notes[0].text, "why");
	assert_true(rows_end_note(rows, JOURNAL_PUBLISHING, notes[0].uid, notes[0].name));
	rows_notes(rows, &count);
	assert_int_equal(count, 0);
	rows_close(&rows);
}

static void test_notes_by_uid_and_name(void **state)
{
	struct rows *rows = rows_open();
	struct journal_note note;
	size_t count;

	(void)state;
	for (uint32_t n = 1; n <= 200; n++) {
		for (int kind = JOURNAL_PUBLISHING; kind <= JOURNAL_REFUSED; kind++) {
			note = fixture_note((enum journal_note_kind)kind, n);
			assert_true(rows_note(rows, &note));
			assert_false(rows_note(rows, &note));
		}
	}
	rows_notes(rows, &count);
	assert_int_equal(count, 1000);
	/* one note of this UID and another of that name: both make way for one */
	note = fixture_note(JOURNAL_PUBLISHING, 7);
	note.uid = 8;
	assert_true(rows_note(rows, &note));
	rows_notes(rows, &count);
	assert_int_equal(count, 999);
	for (uint32_t n = 200; n >= 1; n--) {
		for (int kind = JOURNAL_PUBLISHING; kind <= JOURNAL_REFUSED; kind++) {
			bool there = !(kind == JOURNAL_PUBLISHING && n == 7);

			note = fixture_note((enum journal_note_kind)kind, n);
			if (kind == JOURNAL_PUBLISHING && n % 2 == 0)
				note.name = NULL;
			else if (kind == JOURNAL_PUBLISHING && n != 7)
				note.uid = 0;
			else if (kind == JOURNAL_PUBLISHING)
				note.name = NULL;
			assert_int_equal(rows_end_note(rows, note.kind, note.uid, note.name),
					 there);
			assert_false(rows_end_note(rows, note.kind, note.uid, note.name));
		}
	}
	rows_notes(rows, &count);
	assert_int_equal(count, 0);
	rows_close(&rows);
}

/* As in a push, which knows no UIDs yet. */
static void test_notes_by_name_only(void **state)
{
	struct rows *rows = rows_open();
	struct journal_note note;
	size_t count;

	(void)state;
	for (uint32_t n = 1; n <= 200; n++) {
		note = fixture_note(JOURNAL_APPENDING, n);
		assert_true(rows_note(rows, &note));
	}
	for (uint32_t n = 1; n <= 200; n += 2) {
		note = fixture_note(JOURNAL_APPENDING, n);
		assert_true(rows_end_note(rows, JOURNAL_APPENDING, 0, note.name));
	}
	rows_notes(rows, &count);
	assert_int_equal(count, 100);
	for (uint32_t n = 1; n <= 200; n++) {
		note = fixture_note(JOURNAL_APPENDING, n);
		assert_int_equal(rows_note(rows, &note), n % 2);
	}
	rows_close(&rows);
}

/* Two notes under one call, in either order of their places. */
static void test_end_two_notes(void **state)
{
	(void)state;
	for (int swapped = 0; swapped <= 1; swapped++) {
		struct rows *rows = rows_open();
		struct journal_note by_uid = {.kind = JOURNAL_REFUSED, .uid = 1, .side = REMOTE};
		struct journal_note by_name = {.kind = JOURNAL_REFUSED, .name = "one"};
		struct journal_note third = {.kind = JOURNAL_REFUSED, .name = "stays"};
		const struct journal_note *notes;
		size_t count;

		rows_note(rows, swapped ? &by_name : &by_uid);
		rows_note(rows, swapped ? &by_uid : &by_name);
		rows_note(rows, &third);
		assert_true(rows_end_note(rows, JOURNAL_REFUSED, 1, "one"));
		notes = rows_notes(rows, &count);
		assert_int_equal(count, 1);
		assert_string_equal(notes[0].name, "stays");
		rows_close(&rows);
	}
}

/* Changes the n-th field of a note that none is named by; false where there is no such field. */
static bool change_note(struct journal_note *note, int n)
{
	struct identity *identity = &note->identity;

	switch (n) {
	case 0: note->side = note->side == LOCAL ? REMOTE : LOCAL; return true;
	case 1: note->uidvalidity++; return true;
	case 2: note->floor++; return true;
	case 3: note->flags.bits ^= FLAG_DRAFT; return true;
	case 4: note->flags.keywords = keywords_of("Work", 4); return true;
	case 5: identity->size++; return true;
	case 6: identity->date++; return true;
	case 7: identity->has_message_id = true; return true;
	case 8: identity->message_id++; return true;
	case 9: identity->email_id++; return true;
	case 10: identity->has_digest = true; return true;
	case 11: identity->digest.bytes[31]++; return true;
	case 12: note->text = "why"; return true;
	case 13: note->text = "why not"; return true;
	case 14: note->text = NULL; return true;
	default: return false;
	}
}

/* Each field counts: what differs in one is another note, in the place of the one before. */
static void test_note_tells_change(void **state)
{
	struct journal_note note = {.kind = JOURNAL_PUBLISHING, .uid = 7, .name = "seven"};
	struct rows *rows = rows_open();
	size_t count;

	(void)state;
	assert_true(rows_note(rows, &note));
	for (int n = 0; change_note(&note, n); n++) {
		assert_true(rows_note(rows, &note));
		assert_false(rows_note(rows, &note));
		assert_int_equal(count_notes(rows, JOURNAL_PUBLISHING), 1);
	}
	/* Its keys, one after the other: neither, the other, both again. */
	note.name = "";
	assert_true(rows_note(rows, &note));
	note.name = NULL;
	assert_false(rows_note(rows, &note)); /* "" is none */
	note.name = "eight";
	assert_true(rows_note(rows, &note));
	note.uid = 8;
	assert_true(rows_note(rows, &note)); /* by its name */
	assert_false(rows_note(rows, &note));
	assert_int_equal(rows_notes(rows, &count)[0].uid, 8);
	assert_int_equal(count, 1);
	rows_close(&rows);
}

/* What is not known is the same, whatever is left in its field; "" is no text. */
static void test_notes_are_normal(void **state)
{
	struct journal_note note = {.kind = JOURNAL_APPENDING, .name = "a"};
	struct rows *rows = rows_open();
	const struct journal_note *kept;
	size_t count;

	(void)state;
	note.identity.message_id = 5;
	note.identity.digest.bytes[0] = 5;
	note.text = "";
	assert_true(rows_note(rows, &note));
	kept = rows_notes(rows, &count);
	assert_int_equal(kept[0].identity.message_id, 0);
	assert_int_equal(kept[0].identity.digest.bytes[0], 0);
	assert_null(kept[0].text);
	note.identity.message_id = 6;
	note.text = NULL;
	assert_false(rows_note(rows, &note));
	note.identity.has_message_id = true;
	assert_true(rows_note(rows, &note));
	note.identity.email_id = 7;
	assert_true(rows_note(rows, &note));
	assert_false(rows_note(rows, &note));
	rows_close(&rows);
}

static void test_reset_keeps_local_refusals(void **state)
{
	struct rows *rows = rows_open();
	const struct journal_note *notes;
	struct journal_note note;
	size_t count;

	(void)state;
	for (uint32_t n = 1; n <= 40; n++) {
		struct pair pair = fixture_pair(n);

		rows_put(rows, &pair);
		for (int kind = JOURNAL_PUBLISHING; kind <= JOURNAL_REFUSED; kind++) {
			note = fixture_note((enum journal_note_kind)kind, 100 + n);
			rows_note(rows, &note);
		}
	}
	assert_true(rows_reset(rows));
	assert_int_equal(rows_count(rows), 0);
	notes = rows_notes(rows, &count);
	assert_int_equal(count, 20);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(notes[i].kind, JOURNAL_REFUSED);
		assert_int_equal(notes[i].side, LOCAL);
	}
	assert_false(rows_reset(rows));
	note = fixture_note(JOURNAL_MOVING, 1);
	rows_note(rows, &note);
	assert_true(rows_reset(rows)); /* no pair, but a note */
	rows_close(&rows);
}

/* 100,000 in the worst order, each found and a third forgotten in between: far from quadratic. */
static void test_many_in_any_order(void **state)
{
	const uint32_t many = 100000;
	struct rows *rows = rows_open();
	size_t count;

	(void)state;
	for (uint32_t uid = many; uid >= 1; uid--) {
		struct pair pair = fixture_pair(uid);

		rows_put(rows, &pair);
		assert_non_null(rows_of_uid(rows, uid));
		if (uid % 3 == 0)
			assert_true(rows_forget(rows, uid));
	}
	rows_pairs(rows, &count);
	assert_int_equal(count, many - many / 3);
	rows_close(&rows);
}

/* A compaction in the middle of a run goes by this: nothing is moved for it. */
static void test_next_in_any_order(void **state)
{
	const uint32_t uids[] = {30, 10, 40, 20};
	struct rows *rows = rows_open();
	const struct pair *pair;
	size_t at = 0;

	(void)state;
	assert_null(rows_next(rows, &at));
	for (size_t i = 0; i < 4; i++) {
		pair = &(struct pair){.uid = uids[i], .name = (char[]){(char)('a' + i), '\0'}};
		assert_int_equal(rows_put(rows, pair), ROWS_PAIR);
	}
	assert_true(rows_forget(rows, 10));
	assert_int_equal(rows_next(rows, &at)->uid, 30);
	assert_int_equal(rows_next(rows, &at)->uid, 40);
	assert_int_equal(rows_next(rows, &at)->uid, 20);
	assert_null(rows_next(rows, &at));
	rows_close(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_against_model),
	    cmocka_unit_test(test_against_model_colliding),
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_put_tells_change),
	    cmocka_unit_test(test_put_ends_intents),
	    cmocka_unit_test(test_strings_of_our_own),
	    cmocka_unit_test(test_notes_by_uid_and_name),
	    cmocka_unit_test(test_notes_by_name_only),
	    cmocka_unit_test(test_end_two_notes),
	    cmocka_unit_test(test_note_tells_change),
	    cmocka_unit_test(test_notes_are_normal),
	    cmocka_unit_test(test_reset_keeps_local_refusals),
	    cmocka_unit_test(test_many_in_any_order),
	    cmocka_unit_test(test_next_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
