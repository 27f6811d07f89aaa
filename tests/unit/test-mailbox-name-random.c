// SPDX-License-Identifier: GPL-3.0-or-later
/* Names of mailboxes: round trips of random ones, put together of what is near the corners. */
#include "mail/mailbox-name.h"
#include "mail/utf7.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A generator of numbers with a fixed start, so that each run tries the same names. */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Pieces of which the corners are made. */
static const char *const pieces[] = {
    "a", "b", "Z", "2", "5", "F", "f", "0", "%", "%2F", "%25", "/", ".", "..", "-", "&", "&-",
    "+", ",", " ", "~", "INBOX", "inbox", "INBOX.", "mail", "25", "25252F", "\\", "\"", "*",
    "\xc3\xa9", "\xc2\xa0", "#", "&AOk-", "mail/", "[x]", "\xe6\x97\xa5", "\xf0\x9f\x98\x80",
    "\xef\xbf\xbf", "%252F",
};

static void random_text(uint32_t *state, struct buf *out)
{
	size_t count = 1 + next_random(state) % 8;

	buf_reset(out);
	for (size_t i = 0; i < count; i++)
		buf_puts(out, pieces[next_random(state) % COUNT(pieces)]);
}

static const struct mailbox_naming namings[] = {
    {'/', false, ""},       {'.', false, ""},       {'\0', false, ""},     {'\\', false, ""},
    {'.', false, "INBOX."}, {'/', false, "INBOX/"}, {'/', false, "mail/"}, {'.', true, "INBOX."},
    {'/', true, ""},        {'+', false, ""},       {',', false, ""},      {'-', false, ""},
    {'%', false, ""},       {'2', false, ""},       {'F', false, ""},      {'.', false, "&AOk-."},
};

/* Whether the name's first component is INBOX in another case, so that there are two ways to it. */
static bool is_other_inbox(const char *name)
{
	return strncasecmp(name, "INBOX", 5) == 0 && strncmp(name, "INBOX", 5) != 0 &&
	       (name[5] == '/' || !name[5]);
}

/* Every name that a server can hold comes back from it as it was. */
static void test_names_round_trip(void **unused)
{
	uint32_t state = 20260701;
	unsigned held = 0;
	struct buf name, wire, back;

	(void)unused;
	buf_init(&name, 4096);
	buf_init(&wire, 8192);
	buf_init(&back, 4096);
	for (unsigned i = 0; i < 200000; i++) {
		const struct mailbox_naming *naming = &namings[i % COUNT(namings)];

		random_text(&state, &name);
		buf_reset(&wire);
		buf_reset(&back);
		if (is_other_inbox(name.data) ||
		    mailbox_name_to_wire(naming, name.data, &wire, NULL) == -1)
			continue;
		held++;
		if (mailbox_name_from_wire(naming, wire.data, wire.len, &back, NULL) == -1 ||
		    strcmp(back.data, name.data) != 0)
			fail_msg("\"%s\" (%c, %s) -> \"%s\" -> \"%s\"", name.data,
				 naming->delimiter, naming->prefix, wire.data, back.data);
	}
	assert_true(held > 50000);
	buf_free(&back);
	buf_free(&wire);
	buf_free(&name);
}

/* A text on the wire as this server would write it, in its namespace. */
static void random_wire(const struct mailbox_naming *naming, uint32_t *state, struct buf *wire)
{
	struct buf text;

	buf_init(&text, 4096);
	random_text(state, &text);
	buf_reset(wire);
	buf_puts(wire, naming->prefix);
	if (naming->utf8)
		buf_append(wire, text.data, text.len);
	else
		assert_int_equal(utf7_encode(text.data, text.len, wire), 0);
	buf_free(&text);
}

/* Whether both are the same byte by byte, the case of an INBOX apart. */
static bool is_same_wire(const char *a, const char *b, const char *name)
{
	bool inbox = strncmp(name, "INBOX", 5) == 0;

	return strcmp(a, b) == 0 || (inbox && strcasecmp(a, b) == 0);
}

/* Every wire name of the namespace that has a name comes back from it. */
static void test_wire_names_round_trip(void **unused)
{
	uint32_t state = 4711;
	unsigned named = 0;
	struct buf wire, name, back;

	(void)unused;
	buf_init(&wire, 8192);
	buf_init(&name, 4096);
	buf_init(&back, 8192);
	for (unsigned i = 0; i < 200000; i++) {
		const struct mailbox_naming *naming = &namings[i % COUNT(namings)];

		random_wire(naming, &state, &wire);
		buf_reset(&name);
		buf_reset(&back);
		if (mailbox_name_from_wire(naming, wire.data, wire.len, &name, NULL) == -1)
			continue;
		named++;
		assert_int_equal(mailbox_name_check(name.data, name.len, NULL), 0);
		if (mailbox_name_to_wire(naming, name.data, &back, NULL) == -1 ||
		    !is_same_wire(back.data, wire.data, name.data))
			fail_msg("\"%s\" (%c, %s) -> \"%s\" -> \"%s\"", wire.data,
				 naming->delimiter, naming->prefix, name.data, back.data);
	}
	assert_true(named > 50000);
	buf_free(&back);
	buf_free(&name);
	buf_free(&wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names_round_trip),
	    cmocka_unit_test(test_wire_names_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
