// SPDX-License-Identifier: GPL-3.0-or-later
/* A secret is asked for once, and again only by who was refused with it. */
#include "run/keeper.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

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
	    cmocka_unit_test(who_was_refused_gets_another),
	    cmocka_unit_test(a_failure_is_not_kept),
	    cmocka_unit_test(without_a_secret_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
