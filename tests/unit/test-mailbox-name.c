// SPDX-License-Identifier: GPL-3.0-or-later
/* Names of mailboxes: tables per server, hostile names, and bounds. */
#include "mail/mailbox-name.h"
#include "mail/utf7.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Servers, as they name. */
static const struct mailbox_naming dot = {'.', false, ""};
static const struct mailbox_naming slash = {'/', false, ""};
static const struct mailbox_naming flat = {'\0', false, ""};
static const struct mailbox_naming courier = {'.', false, "INBOX."};
static const struct mailbox_naming initial = {'.', false, "M."};
static const struct mailbox_naming homes = {'/', false, "mail/"};
static const struct mailbox_naming modern = {'/', true, ""};
static const struct mailbox_naming modern_dot = {'.', true, "INBOX."};

struct row {
	const struct mailbox_naming *naming;
	const char *wire;
	const char *name;
};

/* Each is the other's inverse here. */
static const struct row both_ways[] = {
    {&slash, "INBOX", "INBOX"},
    {&slash, "Sent", "Sent"},
    {&initial, "M.Sent", "Sent"},
    {&initial, "INBOX", "INBOX"},
    {&slash, "a/b/c", "a/b/c"},
    {&slash, "INBOX/a", "INBOX/a"},
    {&slash, "Inboxes", "Inboxes"},
    {&slash, "a/inbox", "a/inbox"},
    {&slash, "v1.0", "v1.0"},
    {&slash, "100%", "100%"},
    {&slash, "%25", "%25"},
    {&slash, "%2f", "%2f"},
    {&slash, "%2F", "%252F"},
    {&slash, "%252F", "%25252F"},
    {&slash, "%25%2F", "%25%252F"},
    {&slash, "%25252f", "%25252f"},
    {&slash, " a ", " a "},
    {&slash, "..", ".."},
    {&slash, "../../etc/passwd", "../../etc/passwd"},
    {&slash, "./a", "./a"},
    {&slash, "cur", "cur"},
    {&slash, "~root", "~root"},
    {&slash, "a\\\"b", "a\\\"b"},
    {&slash, "R&-D", "R&D"},
    {&slash, "&AOk-t&AOk-", "\xc3\xa9t\xc3\xa9"},
    {&slash, "&2D3eAA-/&ZeVnLIqe-", "\xf0\x9f\x98\x80/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
    {&dot, "a.b", "a/b"},
    {&dot, "a/b", "a%2Fb"},
    {&dot, "/", "%2F"},
    {&dot, "%/", "%%2F"},
    {&dot, "%2/F", "%2%2FF"},
    {&dot, "%25/", "%25%2F"},
    {&dot, "INBOX.a", "INBOX/a"},
    {&flat, "a/b.c", "a%2Fb.c"},
    {&flat, "INBOX/a", "INBOX%2Fa"},
    {&courier, "INBOX", "INBOX"},
    {&courier, "INBOX.Sent", "Sent"},
    {&courier, "INBOX.a.b/c", "a/b%2Fc"},
    {&courier, "INBOX.&AOk-", "\xc3\xa9"},
    {&courier, "INBOX.INBOX", "INBOX/INBOX"},
    {&courier, "INBOX.INBOX.INBOX", "INBOX/INBOX/INBOX"},
    {&courier, "INBOX.INBOX.x", "INBOX/x"},
    {&courier, "INBOX.Inbox2", "Inbox2"},
    {&homes, "INBOX", "INBOX"},
    {&homes, "mail/a/b", "a/b"},
    {&homes, "mail/mail/a", "mail/a"},
    {&homes, "mail/INBOX", "mail/INBOX"},
    {&homes, "mail/mail/INBOX", "mail/mail/INBOX"},
    {&homes, "mail/INBOX/a", "INBOX/a"},
    {&modern, "\xc3\xa9t\xc3\xa9/a", "\xc3\xa9t\xc3\xa9/a"},
    {&modern, "R&D", "R&D"},
    {&modern, "&AOk-", "&AOk-"},
    {&modern_dot, "INBOX.\xc3\xa9/", "\xc3\xa9%2F"},
};

/* Only this way: cases, other namespaces, and what is no modified UTF-7. */
static const struct row from_wire_only[] = {
    {&slash, "inbox", "INBOX"},
    {&slash, "Inbox/a", "INBOX/a"},
    {&courier, "iNbOx", "INBOX"},
    {&courier, "inbox.Sent", "Sent"},
    {&courier, "Inbox.Inbox.x", "INBOX/x"},
    {&courier, "inbox.inbox", "INBOX/inbox"},
    {&courier, "shared.x", "shared/x"},
    {&courier, "INBOXES.x", "INBOXES/x"},
    {&courier, "INBO", "INBO"},
    {&homes, "Mail/a", "Mail/a"},
    {&homes, "mail", "mail"},
    {&homes, "~fred/a", "~fred/a"},
    {&slash, "R&D", "R&D"},
    {&slash, "&", "&"},
    {&slash, "Q&A/R&-D", "Q&A/R&-D"},
    {&slash, "&AOk-&AOk-", "&AOk-&AOk-"},
    {&slash, "&AC8-", "&AC8-"},
    {&slash, "&2D0-", "&2D0-"},
    {&courier, "INBOX.R&D", "R&D"},
};

/* Only this way: names that are not in their one form. */
static const struct row to_wire_only[] = {
    {&slash, "INBOX", "inbox"},
    {&slash, "INBOX/a", "Inbox/a"},
    {&courier, "INBOX", "inbox"},
    {&courier, "INBOX.shared.x", "shared/x"},
};

static void check_from_wire(const struct row *row)
{
	struct error err;
	struct buf out;

	error_clear(&err);
	buf_init(&out, 4096);
	buf_puts(&out, "> ");
	if (mailbox_name_from_wire(row->naming, row->wire, strlen(row->wire), &out, &err) == -1)
		fail_msg("%s", err.text);
	assert_memory_equal(out.data, "> ", 2);
	assert_string_equal(out.data + 2, row->name);
	buf_free(&out);
}

static void check_to_wire(const struct row *row)
{
	struct error err;
	struct buf out;

	error_clear(&err);
	buf_init(&out, 4096);
	buf_puts(&out, "> ");
	if (mailbox_name_to_wire(row->naming, row->name, &out, &err) == -1)
		fail_msg("%s", err.text);
	assert_memory_equal(out.data, "> ", 2);
	assert_string_equal(out.data + 2, row->wire);
	buf_free(&out);
}

static void test_tables(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT(both_ways); i++) {
		check_from_wire(&both_ways[i]);
		check_to_wire(&both_ways[i]);
	}
	for (size_t i = 0; i < COUNT(from_wire_only); i++)
		check_from_wire(&from_wire_only[i]);
	for (size_t i = 0; i < COUNT(to_wire_only); i++)
		check_to_wire(&to_wire_only[i]);
}

/* Expects no name, out untouched, and a message that says why and shows no control. */
static void check_no_name(const struct mailbox_naming *naming, const char *wire, size_t len,
			  const char *why)
{
	struct error err;
	struct buf out;

	error_clear(&err);
	buf_init(&out, 4096);
	buf_puts(&out, "kept");
	if (mailbox_name_from_wire(naming, wire, len, &out, &err) != -1)
		fail_msg("%s has the name %s", wire, out.data);
	assert_string_equal(out.data, "kept");
	assert_int_equal(err.kind, ERROR_PROTOCOL);
	assert_int_equal(err.scope, SCOPE_MAILBOX);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
	for (const char *c = err.text; *c; c++)
		assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
	buf_free(&out);
}

/* FAULTS 34: what would be no name, or two, is left out. */
static void test_hostile_wire_names(void **unused)
{
	static const struct {
		const struct mailbox_naming *naming;
		const char *wire;
		size_t len; /* 0: to the NUL */
		const char *why;
	} rows[] = {
	    {&slash, "", 0, "empty"},
	    {&slash, "a\0b", 3, "control"},
	    {&slash, "a\0", 2, "control"},
	    {&modern, "a\0b", 3, "control"},
	    {&slash, "a\r\nb", 0, "control"},
	    {&modern, "a\r\nx LOGOUT\r\n", 0, "control"},
	    {&slash, "a\x1b[2Jb", 0, "control"},
	    {&slash, "\x7f", 0, "control"},
	    {&slash, "&AAA-", 0, "control"},
	    {&slash, "a&AA0ACg-b", 0, "control"},
	    {&slash, "&AIU-", 0, "control"},
	    {&modern, "\xc2\x85", 0, "control"},
	    {&slash, "\xc3\xa9", 0, "modified UTF-7"},
	    {&slash, "R&D\xc3\xa9", 0, "modified UTF-7"},
	    {&modern, "\xc3", 0, "UTF-8"},
	    {&modern, "\xed\xa0\x80", 0, "UTF-8"},
	    {&modern, "a\xc0\xaf..", 0, "UTF-8"},
	    {&slash, "/", 0, "empty part"},
	    {&slash, "/a", 0, "empty part"},
	    {&slash, "a/", 0, "empty part"},
	    {&slash, "a//b", 0, "empty part"},
	    {&courier, "INBOX.", 0, "empty"},
	    {&courier, "INBOX..a", 0, "empty part"},
	    {&courier, "INBOX.a\r", 0, "control"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = rows[i].len ? rows[i].len : strlen(rows[i].wire);

		check_no_name(rows[i].naming, rows[i].wire, len, rows[i].why);
	}
}

/* Every control, raw and encoded: none gets through. */
static void test_every_control(void **unused)
{
	(void)unused;
	for (unsigned c = 0; c < 0xa0; c = c == 0x1f ? 0x7f : c + 1) {
		char utf8[3] = {(char)c, '\0', '\0'};
		struct buf wire;
		size_t len = 1;

		if (c >= 0x80) {
			utf8[0] = (char)0xc2;
			utf8[1] = (char)c;
			len = 2;
		}
		buf_init(&wire, 100);
		assert_int_equal(utf7_encode(utf8, len, &wire), 0);
		check_no_name(&slash, wire.data, wire.len, "control");
		check_no_name(&modern, utf8, len, "control");
		assert_int_equal(mailbox_name_check(utf8, len, NULL), -1);
		buf_free(&wire);
	}
}

static void test_to_wire_refused(void **unused)
{
	static const struct {
		const struct mailbox_naming *naming;
		const char *name;
		const char *why;
	} rows[] = {
	    {&dot, "v1.0", "parts names"},
	    {&courier, "a/v1.0", "parts names"},
	    {&slash, "a%2Fb", "parts names"},
	    {&flat, "a/b", "inside"},
	    {&slash, "", "empty"},
	    {&slash, "a//b", "empty part"},
	    {&slash, "a\nb", "control"},
	    {&modern, "\xff", "UTF-8"},
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err;
		struct buf out;

		error_clear(&err);
		buf_init(&out, 4096);
		assert_int_equal(mailbox_name_to_wire(rows[i].naming, rows[i].name, &out, &err),
				 -1);
		assert_int_equal(out.len, 0);
		assert_int_equal(err.kind, ERROR_REFUSED);
		assert_int_equal(err.scope, SCOPE_MAILBOX);
		if (!strstr(err.text, rows[i].why))
			fail_msg("\"%s\" does not say \"%s\"", err.text, rows[i].why);
		buf_free(&out);
	}
}

/* A name of len bytes, each component of it part bytes and the last one the rest. */
static const char *long_name(size_t len, size_t part)
{
	static char name[2 * MAILBOX_NAME_MAX];

	for (size_t i = 0; i < len; i++)
		name[i] = i % (part + 1) == part ? '/' : 'a';
	name[len] = '\0';
	return name;
}

/* Whether from_wire and check both take, or both refuse, this plain name. */
static bool is_name(const char *name)
{
	struct buf out;
	int rc;

	buf_init(&out, 4096);
	rc = mailbox_name_from_wire(&slash, name, strlen(name), &out, NULL);
	assert_int_equal(mailbox_name_check(name, strlen(name), NULL), rc);
	buf_free(&out);
	return rc == 0;
}

static void test_bounds(void **unused)
{
	(void)unused;
	assert_true(is_name(long_name(MAILBOX_COMPONENT_MAX, 4000)));
	assert_false(is_name(long_name(MAILBOX_COMPONENT_MAX + 1, 4000)));
	assert_true(is_name(long_name(2 * MAILBOX_COMPONENT_MAX + 1, MAILBOX_COMPONENT_MAX)));
	assert_true(is_name(long_name(MAILBOX_NAME_MAX, 100)));
	assert_false(is_name(long_name(MAILBOX_NAME_MAX + 1, 100)));
}

/* What escapes add counts: 170 of them are 510 bytes of name, 171 are 513. */
static void test_bound_of_escapes(void **unused)
{
	char slashes[171], name[3 * 170 + 1];
	struct row row = {&dot, slashes, name};

	(void)unused;
	memset(slashes, '/', sizeof(slashes));
	check_no_name(&dot, slashes, 171, "too long");
	slashes[170] = '\0';
	for (size_t i = 0; i < 170; i++)
		memcpy(name + 3 * i, "%2F", 4);
	check_from_wire(&row);
	check_to_wire(&row);
}

/* Of several components, too, none of which is too long by itself. */
static void test_bound_of_escapes_in_all(void **unused)
{
	char wire[MAILBOX_NAME_MAX];
	size_t len = 0;

	(void)unused;
	while (len < MAILBOX_NAME_MAX / 2) {
		memset(wire + len, '/', 100);
		wire[len + 100] = '.';
		len += 101;
	}
	check_no_name(&dot, wire, len - 1, "too long");
}

/* A wire name longer than any buffer in the way, of each kind. */
static void test_endless_wire_names(void **unused)
{
	static char wire[1 << 20];

	(void)unused;
	memset(wire, 'a', sizeof(wire));
	check_no_name(&slash, wire, sizeof(wire), "too long");
	check_no_name(&modern, wire, sizeof(wire), "too long");
	memset(wire, '&', sizeof(wire));
	check_no_name(&slash, wire, sizeof(wire), "too long");
	memset(wire, '/', sizeof(wire));
	check_no_name(&dot, wire, sizeof(wire), "too long");
	for (size_t i = 0; i < sizeof(wire); i++)
		wire[i] = "&-"[i % 2];
	check_no_name(&slash, wire, sizeof(wire), "too long");
}

/* A name near its bound of what modified UTF-7 makes longest (3 bytes to 7) goes out and back. */
static void test_widest_name_goes_out(void **unused)
{
	struct buf name, wire, back;

	(void)unused;
	buf_init(&name, MAILBOX_NAME_MAX);
	buf_init(&wire, 10000);
	buf_init(&back, 10000);
	for (size_t i = 0; i < 4; i++) {
		buf_puts(&name, i ? "/" : "");
		for (size_t j = 0; j < 170; j++)
			buf_puts(&name, "\xc3\xa9&");
	}
	assert_false(name.full);
	assert_int_equal(mailbox_name_to_wire(&courier, name.data, &wire, NULL), 0);
	assert_int_equal(wire.len, 6 + 4 * 170 * 7 + 3);
	assert_int_equal(mailbox_name_from_wire(&courier, wire.data, wire.len, &back, NULL), 0);
	assert_string_equal(back.data, name.data);
	buf_free(&back);
	buf_free(&wire);
	buf_free(&name);
}

/* An out without room is an error, not a cut name. */
static void test_full_out(void **unused)
{
	struct buf out;

	(void)unused;
	buf_init(&out, 3);
	assert_int_equal(mailbox_name_from_wire(&slash, "abcd", 4, &out, NULL), -1);
	assert_int_equal(out.len, 0);
	buf_reset(&out);
	assert_int_equal(mailbox_name_to_wire(&slash, "abcd", &out, NULL), -1);
	assert_int_equal(out.len, 0);
	buf_reset(&out);
	assert_int_equal(mailbox_name_from_wire(&slash, "abc", 3, &out, NULL), 0);
	assert_string_equal(out.data, "abc");
	buf_free(&out);
}

static void test_is_inbox(void **unused)
{
	(void)unused;
	assert_true(mailbox_name_is_inbox("INBOX"));
	assert_true(mailbox_name_is_inbox("inBox"));
	assert_false(mailbox_name_is_inbox("INBOX/a"));
	assert_false(mailbox_name_is_inbox("INBO"));
	assert_false(mailbox_name_is_inbox("INBOXX"));
	assert_false(mailbox_name_is_inbox(""));
}

/* Which mailbox is below which. */
static void test_is_below(void **unused)
{
	(void)unused;
	assert_true(mailbox_name_is_below("Work/a", "Work"));
	assert_true(mailbox_name_is_below("Work/a/b", "Work"));
	assert_true(mailbox_name_is_below("Work/a/b", "Work/a"));
	assert_false(mailbox_name_is_below("Work", "Work"));
	assert_false(mailbox_name_is_below("Workshop", "Work"));
	assert_false(mailbox_name_is_below("Workshop/a", "Work"));
	assert_false(mailbox_name_is_below("Work", "Work/a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tables),
	    cmocka_unit_test(test_hostile_wire_names),
	    cmocka_unit_test(test_every_control),
	    cmocka_unit_test(test_to_wire_refused),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_bound_of_escapes),
	    cmocka_unit_test(test_bound_of_escapes_in_all),
	    cmocka_unit_test(test_endless_wire_names),
	    cmocka_unit_test(test_widest_name_goes_out),
	    cmocka_unit_test(test_full_out),
	    cmocka_unit_test(test_is_inbox),
	    cmocka_unit_test(test_is_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
