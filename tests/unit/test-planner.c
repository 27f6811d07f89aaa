// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The planner's cases (tests/planner, *.case): each as it is written, with its sides exchanged, and
 * with its inputs in other orders. And every rule has a case.
 */
#include "planner-run.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ORDERS 20

/* Shows the first difference and fails. */
static void show_difference(const struct planner_case *it, const char *how, char **expected,
			    size_t expected_len, const struct planner_run *run)
{
	size_t i = 0;

	while (i < expected_len && i < run->len && !strcmp(expected[i], run->lines[i]))
		i++;
	fail_msg("%s:%d: case %s (%s): expected \"%s\", planned \"%s\"", it->file, it->line,
		 it->title, how, i < expected_len ? expected[i] : "nothing more",
		 i < run->len ? run->lines[i] : "nothing more");
}

/* Messages that rule M9 leaves. */
static size_t count_refused(const struct planner_case *it)
{
	size_t count = 0;

	for (size_t i = 0; i < it->len; i++)
		count += (it->rows[i].rules & 1u << RULE_M9_REFUSED) != 0;
	return count;
}

/* One order of one case. */
static void try_order(const struct planner_case *it, const char *how, uint64_t seed)
{
	struct arena arena = {0};
	struct planner_run run;
	size_t len, refused = 0;
	char **expected = case_lines(it, &arena, &len);
	bool same = true;

	planner_run(it, seed, &run);
	same = run.len == len;
	for (size_t i = 0; same && i < len; i++)
		same = !strcmp(expected[i], run.lines[i]);
	if (!same)
		show_difference(it, how, expected, len, &run);
	for (size_t i = 0; i < it->boxes_len; i++)
		refused += run.plans[i].refused;
	assert_int_equal(refused, count_refused(it));
	planner_run_free(&run);
	free(expected);
	arena_free(&arena);
}

/* One case, every way. */
static void try_case(const struct planner_case *it)
{
	struct arena arena = {0};
	struct planner_case swapped;

	try_order(it, "as written", 0);
	for (uint64_t seed = 1; seed <= ORDERS; seed++)
		try_order(it, "in another order", seed);
	if (!it->fixed) {
		swapped = case_swap(it, &arena);
		try_order(&swapped, "with its sides exchanged", 0);
		for (uint64_t seed = 1; seed <= ORDERS; seed++)
			try_order(&swapped, "with its sides exchanged, in another order", seed);
	}
	arena_free(&arena);
}

/* All files of cases. */
static void find_files(glob_t *found)
{
	const char *srcdir = getenv("srcdir");
	char pattern[4096];

	snprintf(pattern, sizeof(pattern), "%s/tests/planner/*.case", srcdir ? srcdir : ".");
	assert_int_equal(glob(pattern, 0, NULL, found), 0);
	assert_true(found->gl_pathc > 0);
}

static void plans_every_case(void **state)
{
	struct case_file file;
	glob_t found;

	(void)state;
	find_files(&found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		case_file_read(&file, found.gl_pathv[i]);
		assert_true(file.len > 0);
		for (size_t k = 0; k < file.len; k++)
			try_case(&file.cases[k]);
		case_file_free(&file);
	}
	globfree(&found);
}

static void shows_every_rule(void **state)
{
	unsigned shown = 0;
	struct case_file file;
	glob_t found;

	(void)state;
	find_files(&found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		case_file_read(&file, found.gl_pathv[i]);
		for (size_t k = 0; k < file.len; k++)
			for (size_t row = 0; row < file.cases[k].len; row++)
				shown |= file.cases[k].rows[row].rules;
		case_file_free(&file);
	}
	globfree(&found);
	for (enum rule rule = RULE_M1_FORGET; rule <= RULE_V5_TRASH; rule++)
		if (!(shown & 1u << rule))
			fail_msg("no case shows rule %s", rule_name(rule));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plans_every_case),
	    cmocka_unit_test(shows_every_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
