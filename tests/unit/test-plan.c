// SPDX-License-Identifier: GPL-3.0-or-later
/* The plan as a value: names, counts, and whether it acts. */
#include "sync/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The numbers are an interface: the manual, the cases and --json use them. */
static void names_every_rule(void **state)
{
	static const char *const names[] = {"-",  "M1", "M2", "M3", "M4", "M5", "M6", "M7",
					    "M8", "M9", "V1", "V2", "V3", "V4", "V5", "B1",
					    "B2", "B3", "B4", "B5"};

	(void)state;
	for (enum rule rule = RULE_NONE; rule <= RULE_B5_RENAME; rule++) {
		assert_string_equal(rule_name(rule), names[rule]);
		assert_true(strlen(rule_text(rule)) > 0);
		for (enum rule other = RULE_NONE; other < rule; other++)
			assert_string_not_equal(rule_text(rule), rule_text(other));
	}
}

static void names_every_operation(void **state)
{
	static const char *const names[OP_KINDS] = {
	    "none", "forget", "agree", "pair",	 "flag",   "copy",   "move",
	    "clone", "remove", "trash", "create", "rename", "delete"};

	(void)state;
	for (enum op_kind kind = 0; kind < OP_KINDS; kind++)
		assert_string_equal(op_name(kind), names[kind]);
}

static void tells_every_reason(void **state)
{
	(void)state;
	for (enum guard_reason reason = GUARD_FINE; reason <= GUARD_GONE; reason++)
		for (enum guard_reason other = GUARD_FINE; other < reason; other++)
			assert_string_not_equal(guard_reason_text(reason),
						guard_reason_text(other));
}

static void adds_cleared_operations(void **state)
{
	struct plan plan = {0};

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		struct op *op = plan_add(&plan, OP_FLAG, REMOTE, RULE_M4_FLAGS);
		const struct op expected = {.kind = OP_FLAG, .side = REMOTE, .rule = RULE_M4_FLAGS};
		assert_memory_equal(op, &expected, sizeof(expected));
		memset(op, 0xff, sizeof(*op));
	}
	assert_int_equal(plan.len, 100);
	plan_free(&plan);
	assert_int_equal(plan.len, 0);
	plan_free(&plan);
}

/* What is known of a message comes back, whichever part of it that is. */
static void keeps_what_identifies(void **state)
{
	static const struct identity parts[] = {
	    {.size = 7, .date = 9},
	    {.size = 7, .has_message_id = true},
	    {.size = 7, .has_digest = true, .digest = {{1}}},
	    {.date = 9, .message_id = 3, .has_message_id = true},
	    {.date = 9, .message_id = 3},
	    {.email_id = 5},
	};
	struct plan plan = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		struct op *op = plan_add(&plan, OP_COPY, LOCAL, RULE_M7_COPY);
		plan_identify(&plan, op, &parts[i]);
		const struct identity found = plan_identity(op);
		assert_int_equal(found.size, parts[i].size);
		assert_int_equal(found.date, parts[i].date);
		assert_int_equal(found.message_id, parts[i].message_id);
		assert_int_equal(found.email_id, parts[i].email_id);
		assert_int_equal(found.has_message_id, parts[i].has_message_id);
		assert_int_equal(found.has_digest, parts[i].has_digest);
		assert_memory_equal(&found.digest, &parts[i].digest, sizeof(found.digest));
		/* Size and date take no room of their own. */
		assert_int_equal(op->identity.rest != NULL, i > 0);
	}
	plan_free(&plan);
}

static void counts_what_is_to_be_done(void **state)
{
	struct plan plan = {0};

	(void)state;
	plan_add(&plan, OP_REMOVE, LOCAL, RULE_M2_DELETE);
	plan_add(&plan, OP_REMOVE, LOCAL, RULE_M2_DELETE)->blocked = true;
	plan_add(&plan, OP_REMOVE, REMOTE, RULE_M2_DELETE);
	plan_add(&plan, OP_TRASH, LOCAL, RULE_M2_DELETE);
	assert_int_equal(plan_count(&plan, OP_REMOVE, LOCAL), 1);
	assert_int_equal(plan_count(&plan, OP_REMOVE, REMOTE), 1);
	assert_int_equal(plan_count(&plan, OP_TRASH, LOCAL), 1);
	assert_int_equal(plan_count(&plan, OP_TRASH, REMOTE), 0);
	assert_int_equal(plan_count(&plan, OP_COPY, LOCAL), 0);
	plan_free(&plan);
}

/* What is blocked waits for the user, and what is for the other side for its turn. */
static void drops_the_copies_that_are_done(void **state)
{
	struct plan plan = {0};

	(void)state;
	plan_drop_copies(&plan, LOCAL);
	assert_int_equal(plan.len, 0);
	plan_add(&plan, OP_COPY, LOCAL, RULE_M7_COPY);
	plan_add(&plan, OP_COPY, LOCAL, RULE_M7_COPY)->blocked = true;
	plan_add(&plan, OP_COPY, REMOTE, RULE_M7_COPY);
	plan_add(&plan, OP_REMOVE, LOCAL, RULE_M2_DELETE);
	plan_drop_copies(&plan, LOCAL);
	assert_int_equal(plan.len, 3);
	assert_true(plan.ops[0].blocked);
	assert_int_equal(plan.ops[1].side, REMOTE);
	assert_int_equal(plan.ops[2].kind, OP_REMOVE);
	plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_every_rule),          cmocka_unit_test(names_every_operation),
	    cmocka_unit_test(tells_every_reason),        cmocka_unit_test(adds_cleared_operations),
	    cmocka_unit_test(counts_what_is_to_be_done),
	    cmocka_unit_test(keeps_what_identifies),
	    cmocka_unit_test(drops_the_copies_that_are_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
