// SPDX-License-Identifier: GPL-3.0-or-later
/* Random words: the right letters, each as likely as any other. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/random.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static void words_have_their_length(void **state)
{
	char word[302];

	(void)state;
	for (size_t len = 0; len <= 300; len++) {
		memset(word, '#', sizeof(word));
		random_word(word, len);
		assert_int_equal(strlen(word), len);
		assert_int_equal(word[len + 1], '#');
		for (size_t i = 0; i < len; i++)
			assert_true(isalnum((unsigned char)word[i]) &&
				    (unsigned char)word[i] < 128);
	}
}

/*
 * 10,000 of each letter are expected; seven standard deviations are 700. Without throwing bytes
 * away eight letters would come 12,109 times.
 */
static void letters_are_equally_likely(void **state)
{
	static unsigned seen[128];
	char word[621];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		random_word(word, 620);
		for (size_t j = 0; j < 620; j++)
			seen[(unsigned char)word[j]]++;
	}
	for (int c = 0; c < 128; c++)
		if (isalnum(c))
			assert_in_range(seen[c], 9300, 10700);
}

/* Each bit is seen both ways, and no number comes twice: 1 in 10^16 that one does. */
static void numbers_differ(void **state)
{
	uint64_t numbers[100];
	uint64_t ones = 0, zeros = 0;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		numbers[i] = random_u64();
		ones |= numbers[i];
		zeros |= ~numbers[i];
		for (size_t j = 0; j < i; j++)
			assert_true(numbers[j] != numbers[i]);
	}
	assert_true(ones == UINT64_MAX);
	assert_true(zeros == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_have_their_length),
	    cmocka_unit_test(letters_are_equally_likely),
	    cmocka_unit_test(numbers_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
