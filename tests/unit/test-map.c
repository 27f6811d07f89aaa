// SPDX-License-Identifier: GPL-3.0-or-later
/* The map against a model, at its growth and with keys of every shape. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEYS 400

static const char *program;

static void empty_map_holds_nothing(void **state)
{
	struct map map = {0};
	size_t value = 42;

	(void)state;
	assert_false(map_get(&map, "a", 1, &value));
	assert_false(map_get(&map, "", 0, &value));
	assert_false(map_remove(&map, "a", 1));
	assert_int_equal(value, 42);
	map_free(&map);
	map_free(&map);
}

static void puts_and_replaces(void **state)
{
	struct map map = {0};
	size_t value = 0;

	(void)state;
	assert_true(map_put(&map, "a", 1, 1));
	assert_false(map_put(&map, "a", 1, SIZE_MAX));
	assert_int_equal(map.len, 1);
	assert_true(map_get(&map, "a", 1, &value));
	assert_true(value == SIZE_MAX);
	assert_true(map_remove(&map, "a", 1));
	assert_false(map_remove(&map, "a", 1));
	assert_false(map_get(&map, "a", 1, &value));
	assert_int_equal(map.len, 0);
	assert_true(map_put(&map, "a", 1, 2));
	map_free(&map);
	assert_int_equal(map.len, 0);
	assert_true(map_put(&map, "a", 1, 3)); /* may be used again */
	map_free(&map);
}

/* Length and every byte matter, NUL too; an empty key is a key. */
static void keys_are_bytes(void **state)
{
	static const struct {
		const char *key;
		size_t len;
	} keys[] = {
	    {NULL, 0},
	    {"a", 1},
	    {"ab", 2},
	    {"a\0", 2},
	    {"a\0b", 3},
	    {"a\0c", 3},
	    {"\0", 1},
	    {"\0\0", 2},
	    {"A", 1},
	    {"12345678", 8},
	    {"1234567", 7},
	    {"123456789", 9},
	    {"\xff\xff\xff\xff\xff\xff\xff\xff", 8},
	};
	const size_t count = sizeof(keys) / sizeof(keys[0]);
	struct map map = {0};
	size_t value = 0;

	(void)state;
	for (size_t i = 0; i < count; i++)
		assert_true(map_put(&map, keys[i].key, keys[i].len, i));
	for (size_t i = 0; i < count; i++) {
		assert_true(map_get(&map, keys[i].key, keys[i].len, &value));
		assert_int_equal(value, i);
	}
	assert_true(map_get(&map, "", 0, &value));
	assert_int_equal(value, 0);
	map_free(&map);
}

/* The slot of the key is found by its bytes, not by its address. */
static void keys_compare_by_content(void **state)
{
	char first[] = "mailbox";
	char second[] = "mailbox";
	struct map map = {0};
	size_t value;

	(void)state;
	assert_true(map_put(&map, first, 7, 1));
	assert_false(map_put(&map, second, 7, 2));
	memset(second, 'x', sizeof(second)); /* the first key is the one that is kept */
	assert_true(map_get(&map, "mailbox", 7, &value));
	assert_int_equal(value, 2);
	map_free(&map);
}

/* Random puts and removals; the table stays at most three quarters full and finds all. */
static void agrees_with_a_model(void **state)
{
	static char keys[KEYS][8];
	static size_t model[KEYS]; /* 0: not there */
	struct map map = {0};
	size_t len = 0;

	(void)state;
	srandom(20240502);
	for (size_t i = 0; i < KEYS; i++)
		snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
	for (size_t step = 1; step < 60000; step++) {
		/* the number of keys in play waxes and wanes, so that the table is full at times */
		size_t i = (size_t)random() % (1 + step % 7000 * KEYS / 7000);
		size_t value = 0;
		size_t key_len = strlen(keys[i]);

		if (random() % 3 > 0) {
			assert_int_equal(map_put(&map, keys[i], key_len, step), model[i] == 0);
			len += model[i] == 0;
			model[i] = step;
		} else {
			assert_int_equal(map_remove(&map, keys[i], key_len), model[i] != 0);
			len -= model[i] != 0;
			model[i] = 0;
		}
		assert_int_equal(map.len, len);
		assert_true(map.len * 4 <= map.cap * 3);
		assert_int_equal(map.cap & (map.cap - 1), 0);
		if (step % 50 != 0)
			continue;
		for (size_t j = 0; j < KEYS; j++) {
			assert_int_equal(map_get(&map, keys[j], strlen(keys[j]), &value),
					 model[j] != 0);
			if (model[j] != 0)
				assert_int_equal(value, model[j]);
		}
	}
	map_free(&map);
}

static void hash_depends_on_every_byte(void **state)
{
	unsigned char bytes[40] = {0};

	(void)state;
	assert_true(map_hash(bytes, 7) == map_hash(bytes, 7));
	for (size_t len = 0; len < sizeof(bytes); len++) {
		unsigned long long hash = map_hash(bytes, len);

		assert_true(hash != map_hash(bytes, len + 1));
		for (size_t i = 0; i < len; i++) {
			bytes[i] ^= 0x80;
			assert_true(hash != map_hash(bytes, len));
			bytes[i] ^= 0x80;
		}
		if (len < sizeof(bytes)) {
			bytes[len] ^= 0x80; /* what is beyond does not count */
			assert_true(hash == map_hash(bytes, len));
			bytes[len] ^= 0x80;
		}
	}
}

/* Two runs of this program hash the same bytes to different numbers. */
static void seed_is_of_the_process(void **state)
{
	unsigned long long hashes[2] = {0, 0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		char line[64];
		char *end;
		char command[] = "hash";
		int fds[2];
		ssize_t len;
		pid_t child;

		assert_int_equal(pipe(fds), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			dup2(fds[1], STDOUT_FILENO);
			execl("/proc/self/exe", program, command, NULL);
			_exit(127);
		}
		close(fds[1]);
		len = read(fds[0], line, sizeof(line) - 1);
		assert_true(len > 0);
		line[len] = '\0';
		hashes[i] = strtoull(line, &end, 16);
		assert_int_equal(*end, '\n');
		close(fds[0]);
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
	assert_true(hashes[0] != hashes[1]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(empty_map_holds_nothing), cmocka_unit_test(puts_and_replaces),
	    cmocka_unit_test(keys_are_bytes),          cmocka_unit_test(keys_compare_by_content),
	    cmocka_unit_test(agrees_with_a_model),     cmocka_unit_test(hash_depends_on_every_byte),
	    cmocka_unit_test(seed_is_of_the_process),
	};

	program = argv[0];
	if (argc > 1)
		return printf("%llx\n", map_hash("abc", 3)) < 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
