// SPDX-License-Identifier: GPL-3.0-or-later
/* What has a message's name and is no regular file: never opened, and never taken for gone. */
#include "maildir-fixture.h"

#include "maildir/message.h"
#include "maildir/scan.h"

/* Opens the mailbox "m" of the fixture. */
static struct maildir_mailbox *open_mailbox(struct fixture *fixture)
{
	struct maildir_mailbox *mailbox;
	struct error err = {0};

	if (maildir_mailbox_open(fixture->tree, "m", true, &mailbox, &err) < 0)
		fail_msg("%s", err.text);
	return mailbox;
}

/* What was seen as a file and is a trap when it is opened: no link is followed, no FIFO waited for.
 */
static void opens_regular_files_only(void **state)
{
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	const struct maildir_entry *entry;
	struct stat st;
	int fd;

	fixture_create(fixture, "m");
	fixture_put(fixture, "m/cur/a:2,S", "x", 1);
	fixture_put(fixture, "m/cur/b:2,S", "x", 1);
	mailbox = open_mailbox(fixture);
	assert_int_equal(maildir_scan_take(mailbox, &mailbox->scan, NULL), 0);
	mailbox->fresh = true;
	assert_int_equal(unlink(fixture_path(fixture, "m/cur/a:2,S")), 0);
	assert_int_equal(symlink("/etc/passwd", fixture_path(fixture, "m/cur/a:2,S")), 0);
	assert_int_equal(unlink(fixture_path(fixture, "m/cur/b:2,S")), 0);
	assert_int_equal(mkfifo(fixture_path(fixture, "m/cur/b:2,S"), 0600), 0);
	assert_int_equal(maildir_message_open(mailbox, "a", &fd, &entry, &st, NULL), -1);
	assert_int_equal(fd, -1);
	assert_int_equal(maildir_message_open(mailbox, "b", &fd, &entry, &st, NULL), -1);
	assert_int_equal(fd, -1);
	maildir_mailbox_close(&mailbox);
}

/* What lies in the place of a message is told from a message that is gone. */
static void tells_what_is_no_file_from_what_is_gone(void **state)
{
	static const struct {
		const char *unique, *text;
	} rows[] = {
	    {"link", "the file of message link is a symbolic link now, which is not read: put the "
		     "file back, or remove the symbolic link to delete the message"},
	    {"new", "is a symbolic link now"},
	    {"dir", "is a directory now"},
	    {"fifo", "is a special file now"},
	};
	struct fixture *fixture = *state;
	struct maildir_mailbox *mailbox;
	const struct maildir_entry *entry;
	struct error err;
	struct stat st;
	int fd;

	fixture_create(fixture, "m");
	assert_int_equal(symlink("a:2,S", fixture_path(fixture, "m/cur/link:2,S")), 0);
	assert_int_equal(symlink("nowhere", fixture_path(fixture, "m/new/new")), 0);
	assert_int_equal(mkdir(fixture_path(fixture, "m/cur/dir:2,S"), 0700), 0);
	assert_int_equal(mkfifo(fixture_path(fixture, "m/cur/fifo:2,"), 0600), 0);
	fixture_put(fixture, "m/cur/a:2,S", "x", 1);
	assert_int_equal(symlink("a:2,S", fixture_path(fixture, "m/cur/a:2,FS")), 0);
	assert_int_equal(symlink("a:2,S", fixture_path(fixture, "m/cur/.hidden:2,")), 0);
	mailbox = open_mailbox(fixture);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(
		    maildir_message_open(mailbox, rows[i].unique, &fd, &entry, &st, &err), -1);
		assert_non_null(strstr(err.text, rows[i].text));
		assert_int_equal(err.scope, SCOPE_MESSAGE);
		assert_int_equal(fd, -1);
	}
	assert_int_equal(maildir_message_open(mailbox, "lin", &fd, &entry, &st, &err), 0);
	assert_int_equal(maildir_message_open(mailbox, ".hidden", &fd, &entry, &st, &err), 0);
	assert_int_equal(maildir_message_open(mailbox, "a", &fd, &entry, &st, &err), 1);
	assert_string_equal(entry->file, "a:2,S");
	close(fd);
	assert_int_equal(unlink(fixture_path(fixture, "m/cur/link:2,S")), 0);
	mailbox->fresh = false;
	assert_int_equal(maildir_message_open(mailbox, "link", &fd, &entry, &st, &err), 0);
	maildir_mailbox_close(&mailbox);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(opens_regular_files_only),
	    TEST(tells_what_is_no_file_from_what_is_gone),
	};

	return cmocka_run_group_tests_name("maildir-message", tests, NULL, NULL);
}
