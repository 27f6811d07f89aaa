// SPDX-License-Identifier: GPL-3.0-or-later
/* Names of Maildir files, and mailbox names as paths (FAULTS 14, 33, 35). */
#include "mail/identity.h"
#include "mail/mailbox-name.h"
#include "maildir/encode.h"
#include "maildir/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A mailbox without keywords. */
static const struct maildir_keywords none;

static void parses_names(void **state)
{
	static const struct {
		const char *file;
		size_t unique_len;
		const char *letters;
		uint32_t flags;
		uint64_t disk_size, wire_size;
	} rows[] = {
	    {"1.a.h", 5, "", 0, SIZE_UNKNOWN, SIZE_UNKNOWN},
	    {"1.a.h:2,", 5, "", 0, SIZE_UNKNOWN, SIZE_UNKNOWN},
	    {"1.a.h:2,FS", 5, "FS", FLAG_FLAGGED | FLAG_SEEN, SIZE_UNKNOWN, SIZE_UNKNOWN},
	    {"1.a.h:2,DFPRST", 5, "DFPRST", FLAG_ALL, SIZE_UNKNOWN, SIZE_UNKNOWN},
	    {"1.a.h:2,Sabz", 5, "Sabz", FLAG_SEEN, SIZE_UNKNOWN, SIZE_UNKNOWN},
	    {"1.a.h:2,S,T=1", 5, "S", FLAG_SEEN, SIZE_UNKNOWN, SIZE_UNKNOWN},
	    {"1.a.h:1,S", 9, "", 0, SIZE_UNKNOWN, SIZE_UNKNOWN},
	    {"1:a.h:2:2,S:2,F", 7, "S:2", FLAG_SEEN, SIZE_UNKNOWN, SIZE_UNKNOWN},
	    {"1.a.h,S=12,W=13:2,S", 15, "S", FLAG_SEEN, 12, 13},
	    {"1.a.h,W=13,S=12", 15, "", 0, 12, 13},
	    {"1.a.h,S=,W=x", 12, "", 0, SIZE_UNKNOWN, SIZE_UNKNOWN},
	    {"1.a.h,S=12x", 11, "", 0, SIZE_UNKNOWN, SIZE_UNKNOWN},
	    {"1.a.h:2,S,S=12", 5, "S", FLAG_SEEN, SIZE_UNKNOWN, SIZE_UNKNOWN},
	    {"a,S=4611686018427387899", 23, "", 0, UINT64_C(4611686018427387899), SIZE_UNKNOWN},
	    {"a,S=4611686018427387900", 23, "", 0, SIZE_UNKNOWN, SIZE_UNKNOWN},
	    {"a,S=99999999999999999999", 24, "", 0, SIZE_UNKNOWN, SIZE_UNKNOWN},
	    {"a,S=18446744073709551616", 24, "", 0, SIZE_UNKNOWN, SIZE_UNKNOWN},
	    {":2,S", 0, "S", FLAG_SEEN, SIZE_UNKNOWN, SIZE_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct maildir_name name;
		bool others;

		maildir_name_parse(rows[i].file, &name);
		assert_int_equal(name.unique_len, rows[i].unique_len);
		assert_int_equal(name.letters_len, strlen(rows[i].letters));
		assert_memory_equal(name.letters, rows[i].letters, name.letters_len);
		assert_int_equal(flags_from_letters(name.letters, name.letters_len, &others).bits,
				 rows[i].flags);
		assert_int_equal(maildir_name_disk_size(rows[i].file, name.unique_len),
				 rows[i].disk_size);
		assert_int_equal(maildir_name_wire_size(rows[i].file, name.unique_len),
				 rows[i].wire_size);
	}
}

static void changes_flags_and_keeps_other_letters(void **state)
{
	static const struct {
		const char *file;
		uint32_t add, remove;
		const char *expected;
	} rows[] = {
	    {"a", FLAG_SEEN, 0, "a:2,S"},
	    {"a", 0, 0, "a:2,"},
	    {"a:2,S", 0, FLAG_SEEN, "a:2,"},
	    {"a:2,S", FLAG_SEEN, FLAG_SEEN, "a:2,S"},
	    {"a:2,S", FLAG_FLAGGED | FLAG_DELETED, 0, "a:2,FST"},
	    {"a:2,Sacz", FLAG_DELETED, FLAG_SEEN, "a:2,Tacz"},
	    {"a:2,az", FLAG_DRAFT, FLAG_SEEN, "a:2,Daz"},
	    {"a:2,SF", FLAG_ANSWERED, 0, "a:2,RSF"},
	    {"a:2,SS", 0, FLAG_SEEN, "a:2,"},
	    {"a:2,S,x=FT", FLAG_FLAGGED, FLAG_DELETED, "a:2,FS,x=FT"},
	    {"a,S=1,W=2:2,Sx", FLAG_FORWARDED, 0, "a,S=1,W=2:2,PSx"},
	};
	char out[MAILDIR_FILE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(maildir_name_with_flags(rows[i].file, &none,
							 (struct flags){rows[i].add},
							 (struct flags){rows[i].remove}, out),
				 0);
		assert_string_equal(out, rows[i].expected);
	}
}

static void refuses_names_that_are_too_long(void **state)
{
	char file[MAILDIR_FILE_SIZE] = "", out[MAILDIR_FILE_SIZE];

	(void)state;
	memset(file, 'x', MAILDIR_FILE_MAX - 4);
	assert_int_equal(
	    maildir_name_with_flags(file, &none, (struct flags){FLAG_SEEN}, (struct flags){0}, out),
	    0);
	assert_int_equal(strlen(out), MAILDIR_FILE_MAX);
	memset(file, 'x', MAILDIR_FILE_MAX - 3);
	assert_int_equal(
	    maildir_name_with_flags(file, &none, (struct flags){FLAG_SEEN}, (struct flags){0}, out),
	    -1);
	assert_int_equal(maildir_name_with_sizes(file, 1, 2, out), -1);
}

#define PROCESSES 16
#define EACH      10000

/* Not 0: the clock stands there, as if it were set back again and again. */
static time_t clock_stands;

/* In front of the C library's. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	if (clock != CLOCK_REALTIME || !clock_stands)
		return (int)syscall(SYS_clock_gettime, clock, now);
	*now = (struct timespec){.tv_sec = clock_stands};
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* FAULTS 14: many processes at one instant, each with the clock where it was: no name twice. */
static void makes_no_name_twice(void **state)
{
	char(*names)[MAILDIR_FILE_SIZE] =
	    mmap(NULL, sizeof(*names) * PROCESSES * EACH, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;

	(void)state;
	assert_ptr_not_equal(names, MAP_FAILED);
	clock_stands = 1000000000;
	for (size_t i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid)
			continue;
		struct maildir_namer namer;
		maildir_namer_init(&namer);
		for (size_t k = 0; k < EACH; k++)
			maildir_namer_make(&namer, names[i * EACH + k]);
		_exit(0);
	}
	for (size_t i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	clock_stands = 0;
	qsort(names, PROCESSES * EACH, sizeof(*names), compare_names);
	assert_int_equal(strncmp(names[0], "1000000000.P", 12), 0);
	for (size_t i = 1; i < PROCESSES * EACH; i++)
		assert_string_not_equal(names[i - 1], names[i]);
	munmap(names, sizeof(*names) * PROCESSES * EACH);
}

static void makes_unique_names(void **state)
{
	struct maildir_namer namer;
	char one[MAILDIR_FILE_SIZE], other[MAILDIR_FILE_SIZE], moved[MAILDIR_FILE_SIZE];
	long pid = 0;

	(void)state;
	maildir_namer_init(&namer);
	maildir_namer_make(&namer, one);
	maildir_namer_make(&namer, other);
	assert_string_not_equal(one, other);
	assert_null(strchr(one, '/'));
	assert_null(strchr(one, ':'));
	assert_null(strchr(one, ','));
	assert_true(maildir_namer_made(&namer, one, &pid));
	assert_int_equal(pid, getpid());
	assert_non_null(strstr(one, "Q0_"));
	assert_non_null(strstr(other, "Q1_"));
	assert_int_equal(maildir_name_with_sizes(one, 10, 12, moved), 0);
	assert_non_null(strstr(moved, ",S=10,W=12"));
	assert_false(maildir_namer_made(&namer, moved, &pid));
	assert_int_equal(maildir_namer_rename(&namer, "old,S=10,W=12:2,Sab", moved), 0);
	assert_non_null(strstr(moved, "Q2_"));
	assert_non_null(strstr(moved, ",S=10,W=12:2,Sab"));
}

static void knows_its_own_names_strictly(void **state)
{
	struct maildir_namer namer = {.host = "h\\057x"};
	static const struct {
		const char *file;
		bool ours;
	} rows[] = {
	    {"1.P3Q4_01234567.h\\057x", true},
	    {"1.P3Q4_01234567.other", false},
	    {"1.P3Q4_01234567.h\\057x,S=1", false},
	    {"1.P3Q4_0123456.h\\057x", false},
	    {"1.P3Q4_012345678.h\\057x", false},
	    {"1.P3Q4.h\\057x", false},
	    {"1.P3.h\\057x", false},
	    {"1.3_0.h\\057x", false},
	    {"x.P3Q4_01234567.h\\057x", false},
	    {"1.P0Q4_01234567.h\\057x", false},
	    {"1.P99999999999999999999Q4_01234567.h\\057x", false},
	    {"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		long pid = 0;

		assert_int_equal(maildir_namer_made(&namer, rows[i].file, &pid), rows[i].ours);
		if (rows[i].ours)
			assert_int_equal(pid, 3);
	}
}

/* Encodes; NULL where it is refused. */
static const char *encode(enum maildir_layout layout, const char *name)
{
	static char out[MAILDIR_PATH_MAX + 1];
	struct buf path;
	struct error err = {0};
	int rc;

	buf_init(&path, MAILDIR_PATH_MAX);
	rc = maildir_encode(layout, name, &path, &err);
	if (rc < 0)
		assert_int_equal(err.scope, SCOPE_MAILBOX);
	else
		memcpy(out, path.data, path.len + 1);
	buf_free(&path);
	return rc < 0 ? NULL : out;
}

static void encodes_names(void **state)
{
	static const struct {
		const char *name;
		const char *tree;
		const char *plusplus;
	} rows[] = {
	    {"INBOX", "INBOX", "."},
	    {"a", "a", ".a"},
	    {"a/b", "a/b", ".a.b"},
	    {"INBOX/a", "INBOX/a", ".INBOX.a"},
	    {"a.b", "a.b", ".a%2Eb"},
	    {".a", "%2Ea", ".%2Ea"},
	    {"..", "%2E.", ".%2E%2E"},
	    {".", "%2E", ".%2E"},
	    {"~a", "%7Ea", ".~a"},
	    {"a~", "a~", ".a~"},
	    {"cur", "%63ur", ".cur"},
	    {"a/new", "a/%6Eew", ".a.new"},
	    {"INBOX/tmp", "INBOX/%74mp", ".INBOX.tmp"},
	    {"Cur", "Cur", ".Cur"},
	    {"news", "news", ".news"},
	    {"100%", "100%", ".100%"},
	    {"%2F", "%2F", ".%2F"},
	    {"a%2Fb", "a%2Fb", ".a%2Fb"},
	    {"%252F", "%252F", ".%252F"},
	    {"%2525", "%252525", ".%252525"},
	    {"%zz", "%zz", ".%zz"},
	    {"%2e", "%252e", ".%252e"},
	    {"Entw\xc3\xbcrfe", "Entw\xc3\xbcrfe", ".Entw\xc3\xbcrfe"},
	    {".evenmail", "%2Eevenmail", ".%2Eevenmail"},
	    {"evenmail", "evenmail", ".%65venmail"},
	    {"evenmail/a", "evenmail/a", ".evenmail.a"},
	    {"evenmails", "evenmails", ".evenmails"},
	    {"dovecot-keywords", "%64ovecot-keywords", ".dovecot-keywords"},
	    {"a/dovecot-keywords.lock", "a/%64ovecot-keywords.lock", ".a.dovecot-keywords%2Elock"},
	    {"dovecot-keyword", "dovecot-keyword", ".dovecot-keyword"},
	    {"a b", "a b", ".a b"},
	    {"", NULL, NULL},
	    {"/a", NULL, NULL},
	    {"a//b", NULL, NULL},
	    {"a/", NULL, NULL},
	    {"a\nb", NULL, NULL},
	    {"\xff", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *tree = encode(MAILDIR_LAYOUT_TREE, rows[i].name);
		const char *plusplus;

		assert_int_equal(!tree, !rows[i].tree);
		if (tree)
			assert_string_equal(tree, rows[i].tree);
		plusplus = encode(MAILDIR_LAYOUT_PLUSPLUS, rows[i].name);
		assert_int_equal(!plusplus, !rows[i].plusplus);
		if (plusplus)
			assert_string_equal(plusplus, rows[i].plusplus);
	}
}

static void refuses_directories_that_are_too_long(void **state)
{
	char name[MAILBOX_COMPONENT_MAX + 1] = "";

	(void)state;
	memset(name, 'x', 255);
	assert_non_null(encode(MAILDIR_LAYOUT_TREE, name));
	assert_null(encode(MAILDIR_LAYOUT_PLUSPLUS, name));
	name[254] = '\0';
	assert_non_null(encode(MAILDIR_LAYOUT_PLUSPLUS, name));
	memset(name, 'x', 256);
	assert_null(encode(MAILDIR_LAYOUT_TREE, name));
	memset(name, 'x', 255);
	name[100] = '/';
	name[255] = '\0';
	assert_non_null(encode(MAILDIR_LAYOUT_TREE, name));
	assert_null(encode(MAILDIR_LAYOUT_PLUSPLUS, name));
}

/* Neither way is a part given for the whole where there is no room. */
static void refuses_what_has_no_room(void **state)
{
	struct error err = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 8);
	assert_int_equal(maildir_encode(MAILDIR_LAYOUT_TREE, "a/longer/name", &out, &err), -1);
	buf_reset(&out);
	assert_int_equal(maildir_decode(MAILDIR_LAYOUT_TREE, "parent", "entry", &out), -1);
	buf_reset(&out);
	assert_int_equal(maildir_decode(MAILDIR_LAYOUT_TREE, "par", "ent", &out), 0);
	assert_string_equal(out.data, "par/ent");
	buf_free(&out);
}

static void leaves_out_what_it_would_not_write(void **state)
{
	static const struct {
		enum maildir_layout layout;
		const char *parent, *entry, *name;
	} rows[] = {
	    {MAILDIR_LAYOUT_TREE, "", "a", "a"},
	    {MAILDIR_LAYOUT_TREE, "a/b", "%63ur", "a/b/cur"},
	    {MAILDIR_LAYOUT_TREE, "", "%2Ea", ".a"},
	    {MAILDIR_LAYOUT_TREE, "a", "%64ovecot-keywords", "a/dovecot-keywords"},
	    {MAILDIR_LAYOUT_TREE, "a", "dovecot-keywords", NULL},
	    {MAILDIR_LAYOUT_PLUSPLUS, "", ".%65venmail", "evenmail"},
	    {MAILDIR_LAYOUT_PLUSPLUS, "", ".evenmail", NULL},
	    {MAILDIR_LAYOUT_PLUSPLUS, "", ".evenmail.a", "evenmail/a"},
	    {MAILDIR_LAYOUT_TREE, "", "%252F", "%252F"},
	    {MAILDIR_LAYOUT_TREE, "", "INBOX", "INBOX"},
	    {MAILDIR_LAYOUT_TREE, "", "Inbox", NULL},
	    {MAILDIR_LAYOUT_TREE, "a", "Inbox", "a/Inbox"},
	    {MAILDIR_LAYOUT_TREE, "", ".a", NULL},
	    {MAILDIR_LAYOUT_TREE, "", "%2F", "%2F"},
	    {MAILDIR_LAYOUT_TREE, "", "a%2Fb", "a%2Fb"},
	    {MAILDIR_LAYOUT_TREE, "", "%00", NULL},
	    {MAILDIR_LAYOUT_TREE, "", "a%00", NULL},
	    {MAILDIR_LAYOUT_TREE, "", "%61", NULL},
	    {MAILDIR_LAYOUT_TREE, "", "%2ea", NULL},
	    {MAILDIR_LAYOUT_TREE, "", "\xff", NULL},
	    {MAILDIR_LAYOUT_TREE, "", "a\nb", NULL},
	    {MAILDIR_LAYOUT_PLUSPLUS, "", ".a.b", "a/b"},
	    {MAILDIR_LAYOUT_PLUSPLUS, "", ".a%2Eb", "a.b"},
	    {MAILDIR_LAYOUT_PLUSPLUS, "", ".INBOX.a", "INBOX/a"},
	    {MAILDIR_LAYOUT_PLUSPLUS, "", ".INBOX", NULL},
	    {MAILDIR_LAYOUT_PLUSPLUS, "", ".inbox.a", NULL},
	    {MAILDIR_LAYOUT_PLUSPLUS, "", "..a", NULL},
	    {MAILDIR_LAYOUT_PLUSPLUS, "", ".a.", NULL},
	    {MAILDIR_LAYOUT_PLUSPLUS, "", ".", NULL},
	    {MAILDIR_LAYOUT_PLUSPLUS, "", "a", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf name;
		int rc;

		buf_init(&name, MAILBOX_NAME_MAX);
		rc = maildir_decode(rows[i].layout, rows[i].parent, rows[i].entry, &name);
		assert_int_equal(rc, rows[i].name ? 0 : -1);
		if (rows[i].name)
			assert_string_equal(name.data, rows[i].name);
		buf_free(&name);
	}
}

/* Decodes a path entry by entry. */
static void decode_path(enum maildir_layout layout, const char *path, struct buf *name)
{
	char entry[MAILDIR_ENTRY_MAX + 1];
	char parent[MAILBOX_NAME_MAX + 1] = "";

	for (const char *at = path; *at;
	     at += at[strcspn(at, "/")] ? strcspn(at, "/") + 1 : strlen(at)) {
		snprintf(entry, sizeof(entry), "%.*s", (int)strcspn(at, "/"), at);
		buf_reset(name);
		assert_int_equal(maildir_decode(layout, parent, entry, name), 0);
		snprintf(parent, sizeof(parent), "%s", name->data);
	}
}

/* Whatever a server calls its mailboxes: one name, one path, and back; and no path leaves. */
static void encoding_is_reversible(void **state)
{
	static const char *const pieces[] = {".", "~", "%",   "2",   "F",   "5",        "/", "a",
					     "E", "e", "cur", "new", "tmp", "\xc3\xbc", " ", "\\"};

	(void)state;
	srandom(7);
	for (unsigned round = 0; round < 40000; round++) {
		enum maildir_layout layout = round & 1;
		char name[64] = "";
		const char *path;
		struct buf back;

		for (long i = random() % 8; i >= 0; i--)
			strncat(name, pieces[random() % (long)(sizeof(pieces) / sizeof(*pieces))],
				4);
		path = encode(layout, name);
		if (!path) {
			assert_int_equal(mailbox_name_check(name, strlen(name), NULL), -1);
			continue;
		}
		assert_int_not_equal(path[0], '/');
		assert_null(strstr(path, "/."));
		assert_true(strncmp(path, "..", 2) != 0);
		buf_init(&back, MAILBOX_NAME_MAX);
		decode_path(layout, path, &back);
		assert_string_equal(back.data, name);
		buf_free(&back);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parses_names),
	    cmocka_unit_test(changes_flags_and_keeps_other_letters),
	    cmocka_unit_test(refuses_names_that_are_too_long),
	    cmocka_unit_test(makes_unique_names),
	    cmocka_unit_test(makes_no_name_twice),
	    cmocka_unit_test(knows_its_own_names_strictly),
	    cmocka_unit_test(encodes_names),
	    cmocka_unit_test(refuses_directories_that_are_too_long),
	    cmocka_unit_test(refuses_what_has_no_room),
	    cmocka_unit_test(leaves_out_what_it_would_not_write),
	    cmocka_unit_test(encoding_is_reversible),
	};

	return cmocka_run_group_tests_name("maildir-name", tests, NULL, NULL);
}
