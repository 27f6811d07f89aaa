// SPDX-License-Identifier: GPL-3.0-or-later
/* A secret is asked for once, and again only by who was refused with it. */
#include "run/keeper.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

/* AddressSanitizer turns mlock into nothing. */
#ifdef __SANITIZE_ADDRESS__
#define LOCKS false
#else
#define LOCKS true
#endif


/* Where secrets come from: a new one each time. */
struct origin {
	unsigned asked;
	bool fails;
};

static int give(void *context, bool token, struct buf *out, struct error *err)
{
	struct origin *origin = context;

	origin->asked++;
	if (origin->fails)
		return error_set(err, ERROR_LOGIN, SCOPE_STORE, "no secret");
	return buf_printf(out, "%s%u", token ? "token" : "word", origin->asked);
}

/* What one login gets when it asks. */
static void check(const struct imap_config *config, bool token, const char *want)
{
	struct error err = {0};
	struct buf out;

	buf_init(&out, 64);
	assert_int_equal(config->secret(config->secret_context, token, &out, &err), want ? 0 : -1);
	if (want)
		assert_string_equal(out.data, want);
	buf_free_secret(&out);
}

static void asks_once_for_all(void **state)
{
	struct origin origin = {0};
	const struct imap_config config = {
	    .host = "host", .secret = give, .secret_context = &origin};
	struct keeper *keeper = keeper_open(&config);
	struct keeper_login logins[3];
	struct imap_config own;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		keeper_begin(keeper, &logins[i], &own);
		assert_string_equal(own.host, "host");
		check(&own, false, "word1");
	}
	assert_int_equal(origin.asked, 1);
	keeper_close(&keeper);
	assert_null(keeper);
}

/* How many pages of this process have all these flags (proc(5), VmFlags); -1: that is not told. */
static int count_pages(const char *const flags[3])
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	char line[512];
	int count = 0;

	if (!maps)
		return -1;
	while (fgets(line, sizeof(line), maps))
		count += !strncmp(line, "VmFlags:", 8) && strstr(line, flags[0]) &&
			 strstr(line, flags[1]) && strstr(line, flags[2]);
	fclose(maps);
	return count;
}

/*
 * FAULTS 46: what is kept is in no core, no child and, where locking is allowed, not in the swap.
 */
static void its_page_is_walled(void **state)
{
	static const char *const walls[] = {" dd", " wf", ""};
	static const char *const locked[] = {" dd", " wf", " lo"};
	struct origin origin = {0};
	const struct imap_config config = {.secret = give, .secret_context = &origin};
	struct keeper *keeper = keeper_open(&config);
	struct keeper_login login;
	struct imap_config own;
	struct rlimit limit;
	int before = count_pages(walls);

	(void)state;
	if (before < 0) {
		keeper_close(&keeper);
		skip();
	}
	keeper_begin(keeper, &login, &own);
	check(&own, false, "word1");
	assert_int_equal(count_pages(walls), before + 1);
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	if (LOCKS && limit.rlim_cur >= 65536)
		assert_int_equal(count_pages(locked), 1);
	keeper_close(&keeper);
	assert_int_equal(count_pages(walls), before);
}

static void who_was_refused_gets_another(void **state)
{
	struct origin origin = {0};
	const struct imap_config config = {.secret = give, .secret_context = &origin};
	struct keeper *keeper = keeper_open(&config);
	struct keeper_login logins[2];
	struct imap_config own;

	(void)state;
	keeper_begin(keeper, &logins[0], &own);
	check(&own, true, "token1");
	check(&own, true, "token2");
	keeper_begin(keeper, &logins[1], &own);
	check(&own, true, "token2");
	check(&own, true, "token3");
	keeper_close(&keeper);
}

static void a_failure_is_not_kept(void **state)
{
	struct origin origin = {.fails = true};
	const struct imap_config config = {.secret = give, .secret_context = &origin};
	struct keeper *keeper = keeper_open(&config);
	struct keeper_login login;
	struct imap_config own;

	(void)state;
	keeper_begin(keeper, &login, &own);
	check(&own, false, NULL);
	origin.fails = false;
	keeper_begin(keeper, &login, &own);
	check(&own, false, "word2");
	keeper_close(&keeper);
}

static void without_a_secret_there_is_none(void **state)
{
	const struct imap_config config = {.host = "host"};
	struct keeper *keeper = keeper_open(&config);
	struct keeper_login login;
	struct imap_config own;

	(void)state;
	keeper_begin(keeper, &login, &own);
	assert_null(own.secret);
	keeper_close(&keeper);
	keeper_close(&keeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(asks_once_for_all),
	    cmocka_unit_test(its_page_is_walled),
	    cmocka_unit_test(who_was_refused_gets_another),
	    cmocka_unit_test(a_failure_is_not_kept),
	    cmocka_unit_test(without_a_secret_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
