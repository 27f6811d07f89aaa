// SPDX-License-Identifier: GPL-3.0-or-later
/* The table of quirks: which rows apply to whom, and that the strictest wins. */
#include "imap/quirks.h"
#include "imap/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *host;
	const char *id;
	const char *capabilities;
	unsigned off;
	size_t line_max;
	unsigned visible_max;
	bool ask;
	size_t notes;
	bool named; /* by the ID */
} cases[] = {
    {NULL, NULL, NULL, 0, IMAP_LINE_MAX_DEFAULT, 0, false, 0},
    {"imap.example.org", "", "IMAP4rev1 QRESYNC", 0, IMAP_LINE_MAX_DEFAULT, 0, false, 0},
    {"imap.mail.me.com", NULL, NULL, IMAP_CAP_QRESYNC, IMAP_LINE_MAX_DEFAULT, 0, true, 1},
    {"ME.COM", NULL, NULL, IMAP_CAP_QRESYNC, IMAP_LINE_MAX_DEFAULT, 0, true, 1},
    {"p01.icloud.com", NULL, NULL, IMAP_CAP_QRESYNC, IMAP_LINE_MAX_DEFAULT, 0, true, 1},
    {"acme.com", NULL, NULL, 0, IMAP_LINE_MAX_DEFAULT, 0, false, 0},
    {"me.com.example", NULL, NULL, 0, IMAP_LINE_MAX_DEFAULT, 0, false, 0},
    {"e.com", NULL, NULL, 0, IMAP_LINE_MAX_DEFAULT, 0, false, 0},
    {"outlook.office365.com", NULL, NULL, 0, 1000, 0, false, 1},
    {"mail.firm.example", "(\"name\" \"Microsoft.Exchange.Imap4.Imap4Server\")", NULL, 0, 1000, 0,
     false, 1, true},
    {"imap.mail.yahoo.com", NULL, NULL, 0, IMAP_LINE_MAX_DEFAULT, 10000, false, 1},
    {"imap.aol.com", NULL, NULL, 0, IMAP_LINE_MAX_DEFAULT, 10000, false, 1},
    {NULL, "(\"name\" \"Dovecot\")", NULL, 0, 8000, 0, false, 1, true},
    {NULL, "(\"name\" \"dovecot\")", NULL, 0, 8000, 0, false, 1, true},
    {NULL, "(\"name\" \"Zimbra\")", NULL, IMAP_CAP_CONDSTORE | IMAP_CAP_QRESYNC,
     IMAP_LINE_MAX_DEFAULT, 0, false, 1, true},
    {NULL, "(\"name\" \"SmarterMail\")", NULL, IMAP_CAP_CONDSTORE | IMAP_CAP_QRESYNC,
     IMAP_LINE_MAX_DEFAULT, 0, false, 1, true},
    {NULL, "(\"name\" \"Stalwart IMAP\")", NULL, IMAP_CAP_MOVE | IMAP_CAP_MULTIAPPEND,
     IMAP_LINE_MAX_DEFAULT, 0, false, 1, true},
    {NULL, "(\"name\" \"gluon\")", NULL, IMAP_CAP_SPECIAL_USE, IMAP_LINE_MAX_DEFAULT, 0, false, 1,
     true},
    {NULL, NULL, "IMAP4rev1 x-gm-ext-1", 0, IMAP_LINE_MAX_DEFAULT, 0, false, 1},
    {NULL, NULL, "X-GM-EXT-1 IDLE", 0, IMAP_LINE_MAX_DEFAULT, 0, false, 1},
    {NULL, NULL, "X-GM-EXT-10  X-GM-EXT", 0, IMAP_LINE_MAX_DEFAULT, 0, false, 0},
    {NULL, "Zimbra IMAP4rev1 server ready", NULL, IMAP_CAP_CONDSTORE | IMAP_CAP_QRESYNC,
     IMAP_LINE_MAX_DEFAULT, 0, false, 1, true},
    {"imap.163.com", "Coremail System IMap Server Ready", NULL, 0, IMAP_LINE_MAX_DEFAULT, 0,
     false, 0},
    /* Two rows: the shorter line, all that is off. */
    {"outlook.office365.com", "(\"name\" \"Dovecot\")", NULL, 0, 1000, 0, false, 2, true},
    {"me.com", "(\"name\" \"Dovecot Stalwart\")", NULL,
     IMAP_CAP_QRESYNC | IMAP_CAP_MOVE | IMAP_CAP_MULTIAPPEND, 8000, 0, true, 3, true},
    /* A server that calls itself everything. */
    {"imap.aol.com", "Microsoft.Exchange SmarterMail Zimbra Stalwart gluon Dovecot", "X-GM-EXT-1",
     IMAP_CAP_CONDSTORE | IMAP_CAP_QRESYNC | IMAP_CAP_MOVE | IMAP_CAP_MULTIAPPEND |
	 IMAP_CAP_SPECIAL_USE,
     1000, 10000, false, 8, true},
};

/* Every case gives its profile. */
static void test_choose(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_profile profile;

		memset(&profile, 0xff, sizeof(profile));
		imap_profile_choose(cases[i].host, cases[i].id, cases[i].capabilities, &profile);
		print_message("case %zu\n", i);
		assert_int_equal(profile.capabilities_off, cases[i].off);
		assert_int_equal(profile.line_max, cases[i].line_max);
		assert_int_equal(profile.visible_max, cases[i].visible_max);
		assert_int_equal(profile.ask_capability, cases[i].ask);
		assert_int_equal(profile.limits_message,
				 cases[i].id && strcasestr(cases[i].id, "dovecot"));
		assert_int_equal(profile.named, cases[i].named);
		assert_int_equal(profile.notes_len, cases[i].notes);
		for (size_t n = 0; n < profile.notes_len; n++)
			assert_non_null(strchr(profile.notes[n], '('));
		assert_null(profile.notes[profile.notes_len]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_choose)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
