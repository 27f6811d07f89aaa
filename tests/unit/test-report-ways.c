// SPDX-License-Identifier: GPL-3.0-or-later
/* Which way is used with which capabilities. */
#include "cmd/check-ways.h"
#include "imap/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The best way that a server has, for each purpose. */
static void test_choices(void **unused)
{
	static const struct {
		enum way_purpose purpose;
		unsigned capabilities;
		bool qresync;
		const char *used;
	} rows[] = {
	    {WAY_CHANGES, 0, false, "none"},
	    {WAY_CHANGES, IMAP_CAP_LIST_STATUS, false, "none"},
	    {WAY_CHANGES, IMAP_CAP_CONDSTORE, false, "STATUS"},
	    {WAY_CHANGES, IMAP_CAP_CONDSTORE | IMAP_CAP_LIST_STATUS, false, "LIST-STATUS"},
	    {WAY_SNAPSHOT, 0, false, "full"},
	    {WAY_SNAPSHOT, IMAP_CAP_CONDSTORE, false, "CONDSTORE"},
	    {WAY_SNAPSHOT, IMAP_CAP_CONDSTORE | IMAP_CAP_QRESYNC, false, "CONDSTORE"},
	    {WAY_SNAPSHOT, IMAP_CAP_CONDSTORE | IMAP_CAP_QRESYNC, true, "QRESYNC"},
	    {WAY_UPLOAD, 0, false, "literal"},
	    {WAY_UPLOAD, IMAP_CAP_LITERAL_MINUS, false, "LITERAL-"},
	    {WAY_UPLOAD, IMAP_CAP_LITERAL_MINUS | IMAP_CAP_LITERAL_PLUS, false, "LITERAL+"},
	    {WAY_UPLOAD, IMAP_CAP_LITERAL_PLUS | IMAP_CAP_MULTIAPPEND, false, "LITERAL+"},
	    {WAY_UPLOAD, IMAP_CAP_LITERAL_MINUS | IMAP_CAP_MULTIAPPEND | IMAP_CAP_UIDPLUS, false,
	     "LITERAL-"},
	    {WAY_UPLOAD, IMAP_CAP_LITERAL_PLUS | IMAP_CAP_MULTIAPPEND | IMAP_CAP_UIDPLUS, false,
	     "MULTIAPPEND"},
	    {WAY_NEW_UIDS, 0, false, "search"},
	    {WAY_NEW_UIDS, IMAP_CAP_UIDPLUS, false, "UIDPLUS"},
	    {WAY_DELETIONS, 0, false, "EXPUNGE"},
	    {WAY_DELETIONS, IMAP_CAP_UIDPLUS, false, "UIDPLUS"},
	    {WAY_TRASH, 0, false, "COPY"},
	    {WAY_TRASH, IMAP_CAP_MOVE, false, "MOVE"},
	    {WAY_NAMES, 0, false, "UTF-7"},
	    {WAY_NAMES, IMAP_CAP_UTF8_ACCEPT, false, "UTF8=ACCEPT"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(
		    way_choose(rows[i].purpose, rows[i].capabilities, rows[i].qresync).used,
		    rows[i].used);
}

/* The line itself: what is in force goes before what is wanted, and that before what is offered. */
static void test_compress(void **unused)
{
	static const struct {
		enum imap_compress wanted;
		unsigned capabilities;
		bool compressed;
		const char *used;
		const char *word; /* in the text */
	} rows[] = {
	    {IMAP_COMPRESS_YES, IMAP_CAP_COMPRESS, true, "DEFLATE", "compressed"},
	    {IMAP_COMPRESS_AUTO, IMAP_CAP_COMPRESS, true, "DEFLATE", "compressed"},
	    {IMAP_COMPRESS_NO, IMAP_CAP_COMPRESS, false, "none", "configuration"},
	    {IMAP_COMPRESS_NO, 0, false, "none", "configuration"},
	    {IMAP_COMPRESS_YES, 0, false, "none", "offers"},
	    {IMAP_COMPRESS_AUTO, 0, false, "none", "offers"},
	    {IMAP_COMPRESS_YES, IMAP_CAP_COMPRESS, false, "none", "refused"},
	    {IMAP_COMPRESS_AUTO, IMAP_CAP_COMPRESS, false, "auto", "slow"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct way way =
		    way_compress(rows[i].wanted, rows[i].capabilities, rows[i].compressed);

		assert_string_equal(way.key, "compress");
		assert_string_equal(way.used, rows[i].used);
		assert_non_null(strstr(way.text, rows[i].word));
	}
}

/* Each purpose has a key of its own, and every way a text. */
static void test_keys(void **unused)
{
	(void)unused;
	for (enum way_purpose a = WAY_CHANGES; a < WAY_PURPOSES; a++)
		for (enum way_purpose b = WAY_CHANGES; b < WAY_PURPOSES; b++) {
			const struct way none = way_choose(a, 0, false);
			const struct way all = way_choose(b, ~0u, true);

			assert_true(*none.text && *all.text);
			assert_int_equal(!strcmp(none.key, all.key), a == b);
		}
}

/* What a server says of itself, for people. */
static void test_server(void **unused)
{
	static const struct {
		const char *id;
		const char *text;
	} rows[] = {
	    {"(\"name\" \"Dovecot\")", "Dovecot"},
	    {"(\"name\" \"Cyrus IMAP\" \"version\" \"3.8\" \"os\" NIL)",
	     "Cyrus IMAP, version 3.8"},
	    {"( \"vendor\" \"A \\\"B\\\\\" \"name\" \"C\" )", "vendor A \"B\\, name C"},
	    {"(\"NAME\" \"\")", "(\"NAME\" \"\")"},
	    {"(\"name\")", "(\"name\")"},
	    {"(\"name\" \"cut", "(\"name\" \"cut"},
	    {"(\"name\" {3}", "(\"name\" {3}"},
	    {"(", "("},
	    {"NIL", "NIL"},
	    {"", ""},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out;

		buf_init(&out, 1000);
		way_put_server(&out, rows[i].id);
		assert_string_equal(out.data, rows[i].text);
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_choices),
	    cmocka_unit_test(test_compress),
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
