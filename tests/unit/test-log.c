// SPDX-License-Identifier: GPL-3.0-or-later
/* The log: who sees what, where lines are cut, and many threads at once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 8
#define LINES   500

/* What the sink saw. Not atomic: the log's mutex is what keeps it right. */
struct seen {
	int lines;
	int inside;
	int next[THREADS];
	enum log_level level;
	char line[LOG_LINE_MAX + 100];
};

static void remember(void *context, enum log_level level, const char *line)
{
	struct seen *seen = context;

	seen->lines++;
	seen->level = level;
	snprintf(seen->line, sizeof(seen->line), "%s", line);
	errno = ENOENT;
}

static void levels_are_kept_apart(void **state)
{
	(void)state;
	for (int shown = LOG_LEVEL_WARN; shown <= LOG_LEVEL_WIRE; shown++) {
		for (int level = LOG_LEVEL_WARN; level <= LOG_LEVEL_WIRE; level++) {
			struct seen seen = {0};

			log_set_sink(remember, &seen, (enum log_level)shown);
			assert_int_equal(log_shows((enum log_level)level), level <= shown);
			log_line((enum log_level)level, "%s %d", "line", level);
			assert_int_equal(seen.lines, level <= shown);
			if (level <= shown) {
				assert_int_equal(seen.level, level);
				assert_memory_equal(seen.line, "line ", 5);
			}
		}
	}
}

static void short_forms(void **state)
{
	struct seen seen = {0};

	(void)state;
	log_set_sink(remember, &seen, LOG_LEVEL_INFO);
	log_warn("w%d", 1);
	assert_string_equal(seen.line, "w1");
	assert_int_equal(seen.level, LOG_LEVEL_WARN);
	log_info("i%d", 2);
	assert_string_equal(seen.line, "i2");
	assert_int_equal(seen.level, LOG_LEVEL_INFO);
}

static void no_sink_no_line(void **state)
{
	struct seen seen = {0};

	(void)state;
	log_set_sink(remember, &seen, LOG_LEVEL_WIRE);
	log_set_sink(NULL, NULL, LOG_LEVEL_WIRE);
	assert_false(log_shows(LOG_LEVEL_WARN));
	log_warn("nobody");
	assert_int_equal(seen.lines, 0);
}

static void errno_survives(void **state)
{
	struct seen seen = {0};

	(void)state;
	log_set_sink(remember, &seen, LOG_LEVEL_WARN);
	errno = EBUSY;
	log_warn("x");
	assert_int_equal(seen.lines, 1);
	assert_int_equal(errno, EBUSY);
}

static void long_lines_are_cut(void **state)
{
	static char text[LOG_LINE_MAX + 3];
	static struct seen seen;

	(void)state;
	log_set_sink(remember, &seen, LOG_LEVEL_WARN);
	memset(text, 'a', LOG_LINE_MAX);
	log_warn("%s", text);
	assert_string_equal(seen.line, text);
	for (int more = 1; more < 3; more++) {
		text[LOG_LINE_MAX + more - 1] = 'a';
		log_warn("%s", text);
		assert_int_equal(strlen(seen.line), LOG_LINE_MAX);
		assert_memory_equal(seen.line, text, LOG_LINE_MAX - 3);
		assert_string_equal(seen.line + LOG_LINE_MAX - 3, "...");
	}
}

/* Fails where two threads are inside, or a thread's lines come out of order. */
static void count(void *context, enum log_level level, const char *line)
{
	struct seen *seen = context;
	int thread, number;

	(void)level;
	if (seen->inside++ != 0 || sscanf(line, "%d %d", &thread, &number) != 2 ||
	    seen->next[thread]++ != number)
		abort();
	sched_yield(); /* let the others try */
	seen->lines++;
	seen->inside--;
}

static void *log_lines(void *context)
{
	int thread = *(int *)context;

	for (int i = 0; i < LINES; i++)
		log_info("%d %d", thread, i);
	return NULL;
}

static void threads_take_turns(void **state)
{
	static struct seen seen;
	pthread_t threads[THREADS];
	int numbers[THREADS];

	(void)state;
	log_set_sink(count, &seen, LOG_LEVEL_INFO);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, log_lines, &numbers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(seen.lines, THREADS * LINES);
	log_set_sink(NULL, NULL, LOG_LEVEL_WARN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_sink_no_line),    cmocka_unit_test(levels_are_kept_apart),
	    cmocka_unit_test(short_forms),        cmocka_unit_test(errno_survives),
	    cmocka_unit_test(long_lines_are_cut), cmocka_unit_test(threads_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
