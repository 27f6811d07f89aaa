// SPDX-License-Identifier: GPL-3.0-or-later
/* Escaped text, in a journal's lines and in the names of journals' files. */
#include "base/alloc.h"
#include "base/buf.h"
#include "journal/dir.h"
#include "journal/escape.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct text_case {
	const char *text;
	size_t len;
	const char *word;
	const char *file;
};

#define TEXT(text) text, sizeof(text) - 1

static const struct text_case texts[] = {
    {TEXT("a"), "a", "a"},
    {TEXT(""), "", ""},
    {TEXT("a b"), "a%20b", "a%20b"},
    {TEXT("100%"), "100%25", "100%25"},
    {TEXT("%2F"), "%252F", "%252F"},
    {TEXT("a/b"), "a/b", "a%2Fb"},
    {TEXT("a\r\nb\tc"), "a%0D%0Ab%09c", "a%0D%0Ab%09c"},
    {TEXT("\x1f !~\x7f"), "%1F%20!~%7F", "%1F%20%21%7E%7F"},
    {TEXT("AZaz09._+=@-"), "AZaz09._+=@-", "AZaz09._+=@-"},
    {TEXT("été"), "été", "été"},
    {TEXT("日本語"), "日本語", "日本語"},
    {TEXT("😀"), "😀", "😀"},
    {TEXT("\xc2\xa0"), "\xc2\xa0", "\xc2\xa0"}, /* U+00A0, the first that passes */
    {TEXT("\xc2\x9f"), "%C2%9F", "%C2%9F"},     /* U+009F, the last C1 control */
    {TEXT("\xe9t\xe9"), "%E9t%E9", "%E9t%E9"},  /* Latin-1 */
    {TEXT("\xc3"), "%C3", "%C3"},
    {TEXT("\xc0\xaf"), "%C0%AF", "%C0%AF"},                     /* overlong */
    {TEXT("\xed\xa0\x80"), "%ED%A0%80", "%ED%A0%80"},           /* surrogate */
    {TEXT("\xf4\x90\x80\x80"), "%F4%90%80%80", "%F4%90%80%80"}, /* beyond U+10FFFF */
};

static void test_escape(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct text_case *c = &texts[i];
		struct buf out;
		size_t len;

		for (int set = ESCAPE_WORD; set <= ESCAPE_FILE; set++) {
			buf_init(&out, 4096);
			escape_put(&out, (enum escape_set)set, c->text, c->len);
			assert_string_equal(out.data, set == ESCAPE_WORD ? c->word : c->file);
			buf_putc(&out, '!'); /* room for the NUL */
			assert_int_equal(escape_undo(out.data, out.len - 1, &len), 0);
			assert_int_equal(len, c->len);
			assert_memory_equal(out.data, c->text, len);
			assert_int_equal(out.data[len], '\0');
			buf_free(&out);
		}
	}
}

static void test_escape_malformed(void **state)
{
	static const char *const bad[] = {"%",   "a%",  "a%2",   "%2g", "%g2",
					  "%2f", "%00", "a%00b", "%%20"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *copy = xstrdup(bad[i]);
		size_t len;

		assert_int_equal(escape_undo(copy, strlen(copy), &len), -1);
		free(copy);
	}
}

struct file_case {
	const char *mailbox;
	const char *file;
};

static void test_file_names(void **state)
{
	static const struct file_case cases[] = {
	    {"INBOX", "INBOX.journal"},
	    {"a/b", "a%2Fb.journal"},
	    {"..", "%2E..journal"},
	    {"../../etc", "%2E.%2F..%2Fetc.journal"},
	    {".hidden", "%2Ehidden.journal"},
	    {"lock", "lock.journal"},
	    {"a.journal", "a.journal.journal"},
	    {"Entwürfe", "Entwürfe.journal"},
	    {"~x", "%7Ex.journal"},
	    {"a\nb", "a%0Ab.journal"},
	    {"\xff", "%FF.journal"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char name[NAME_MAX + 1];
		struct buf back;

		buf_init(&back, 4096);
		journal_file_name(cases[i].mailbox, name);
		assert_string_equal(name, cases[i].file);
		assert_int_equal(journal_file_mailbox(name, &back), 1);
		assert_string_equal(back.data, cases[i].mailbox);
		buf_free(&back);
	}
}

/* Not what this module would have named so. */
static void test_foreign_file_names(void **state)
{
	static const char *const names[] = {
	    ".journal",    "journal",         "a",
	    "a.journal~",  ".a.journal",      "a/b.journal",
	    "a b.journal", "a%2fb.journal",   "%41.journal",
	    "a%.journal",  "%2E.journal.tmp", "channel",
	    "lock",        ".a.journal.tmp",  "~0123456789abcde.journal",
	    "\xff.journal"};
	char longest[NAME_MAX + 2];
	struct buf back;

	(void)state;
	buf_init(&back, 4096);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(journal_file_mailbox(names[i], &back), -1);
	memset(longest, 'a', sizeof(longest)); /* longer than any file's */
	strcpy(longest + sizeof(longest) - sizeof(".journal"), ".journal");
	assert_int_equal(journal_file_mailbox(longest, &back), -1);
	buf_free(&back);
}

/* At the limit, one past it, and far past it: distinct, within NAME_MAX, nothing cut in two. */
static void test_long_file_names(void **state)
{
	const size_t longest = NAME_MAX - strlen(".journal") - strlen("..tmp");
	char mailbox[2049], other[2049];
	char name[NAME_MAX + 1], second[NAME_MAX + 1];
	struct buf back;

	(void)state;
	buf_init(&back, 4096);
	memset(mailbox, 'a', longest);
	mailbox[longest] = '\0';
	journal_file_name(mailbox, name);
	assert_int_equal(strlen(name), longest + strlen(".journal"));
	assert_int_equal(journal_file_mailbox(name, &back), 1);
	assert_string_equal(back.data, mailbox);
	buf_free(&back);

	strcpy(mailbox + longest, "a");
	journal_file_name(mailbox, name);
	assert_int_equal(strlen(name), longest + strlen(".journal"));
	assert_int_equal(name[longest - 17], '~');
	assert_int_equal(journal_file_mailbox(name, &back), 0);

	memset(mailbox, '/', 2048);
	mailbox[2048] = '\0';
	strcpy(other, mailbox);
	other[2047] = 'b';
	journal_file_name(mailbox, name);
	journal_file_name(other, second);
	assert_true(strlen(name) <= NAME_MAX);
	assert_string_not_equal(name, second);
	assert_int_equal(strspn(name, "%2F"), (longest - 17) / 3 * 3);
	for (size_t i = 0; i + 1 < 2048; i += 2)
		memcpy(mailbox + i, "é", 2);
	journal_file_name(mailbox, name);
	assert_int_equal(strcspn(name, "~") % 2, 0);
	buf_free(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_escape),          cmocka_unit_test(test_escape_malformed),
	    cmocka_unit_test(test_file_names),      cmocka_unit_test(test_foreign_file_names),
	    cmocka_unit_test(test_long_file_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
